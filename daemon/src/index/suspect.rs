//! What waits to be read, and in which order.

/// A file that may differ from what is indexed.
#[derive(Debug)]
pub(super) struct Suspect {
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) urgency: Urgency,
}

/// What is embedded first: the latest save, and of that a long file last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Urgency {
    /// Number of the order that said that just this file changed; 0 if a walk found it. A write
    /// within one tick of the clock leaves size and time as they were, so a later rescan may not
    /// take a named file off the queue again.
    save: u64,
    short: bool,
}

impl Urgency {
    /// Of files that a walk found; they are embedded as they come.
    pub(super) const WALKED: Urgency = Urgency { save: 0, short: false };

    /// Of files that order number `save` named, from 1. Taken for short until read.
    pub(super) fn saved(save: u64) -> Urgency {
        Urgency { save, short: true }
    }

    /// Of a file that turned out to be long: after the others of its save.
    pub(super) fn long(self) -> Urgency {
        Urgency { short: false, ..self }
    }

    pub(super) fn is_saved(self) -> bool {
        self.save > 0
    }
}
