//! When the store is maintained: after something was committed, and not too often. Pure: it is told
//! what time it is.

use tokio::time::Instant;

use crate::limits::MAINTAIN_INTERVAL_MIN;

/// See the module.
#[derive(Debug)]
pub(super) struct Upkeep {
    /// Whether anything was committed since the store was last maintained, and when that was.
    is_wanted: bool,
    last: Option<Instant>,
}

impl Default for Upkeep {
    /// At a start: the service may have ended between a commit and the upkeep after it.
    fn default() -> Upkeep {
        Upkeep { is_wanted: true, last: None }
    }
}

impl Upkeep {
    /// Something was committed.
    pub(super) fn want(&mut self) {
        self.is_wanted = true;
    }

    /// From when on the store may be maintained; `None` if there is no reason to.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        self.is_wanted.then(|| self.last.map_or(now, |last| last + MAINTAIN_INTERVAL_MIN))
    }

    /// It has been, or could not be.
    pub(super) fn done(&mut self, now: Instant) {
        *self = Upkeep { is_wanted: false, last: Some(now) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_maintained_after_commits_and_not_too_often() {
        let start = Instant::now();
        let mut upkeep = Upkeep::default();
        assert_eq!(upkeep.due(start), Some(start), "it never was maintained");
        upkeep.done(start);
        assert_eq!(upkeep.due(start + MAINTAIN_INTERVAL_MIN), None);
        upkeep.want();
        assert_eq!(upkeep.due(start), Some(start + MAINTAIN_INTERVAL_MIN));
    }
}
