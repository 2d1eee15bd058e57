//! Files that are not indexed.

use crate::scan::Seen;

/// When a file that is not indexed is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// Its content is why: when this changes.
    Changed(Seen),
    /// The model cannot embed it: at the next look at all folders.
    Looked,
    /// A drive or a disk is why, which may pass: then too, and another model waits for it.
    Passed,
}

impl From<Option<Seen>> for Again {
    fn from(seen: Option<Seen>) -> Again {
        seen.map_or(Again::Passed, Again::Changed)
    }
}

/// A file that is not indexed, and why.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) again: Again,
    pub(super) reason: String,
}
