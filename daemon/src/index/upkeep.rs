//! When the store is maintained: after something was committed, and not too often. Pure: it is told
//! what time it is.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{
    MAINTAIN_INTERVAL_BUSY, MAINTAIN_INTERVAL_MIN, MAINTAIN_PASSAGES, MAINTAIN_SHARE,
};

/// See the module.
#[derive(Debug)]
pub(super) struct Upkeep {
    /// Passages stored since the store was last maintained, if anything was committed; and when that was.
    stored: Option<usize>,
    last: Option<Instant>,
    /// How long that took.
    took: Duration,
}

impl Default for Upkeep {
    /// At a start: the service may have ended between a commit and the upkeep after it.
    fn default() -> Upkeep {
        Upkeep { stored: Some(0), last: None, took: Duration::ZERO }
    }
}

impl Upkeep {
    /// Something was committed, `passages` among it.
    pub(super) fn want(&mut self, passages: usize) {
        self.stored = Some(self.stored.unwrap_or(0) + passages);
    }

    /// From when on the store may be maintained; `None` if there is no reason to.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let is_much = self.stored? >= MAINTAIN_PASSAGES;
        let interval = if is_much { MAINTAIN_INTERVAL_BUSY } else { MAINTAIN_INTERVAL_MIN };
        // In a large table merging the segments of an index takes minutes.
        let interval = interval.max(MAINTAIN_SHARE * self.took);
        Some(self.last.map_or(now, |last| last + interval))
    }

    pub(super) fn begin(&mut self, now: Instant) {
        *self = Upkeep { stored: None, last: Some(now), took: Duration::ZERO };
    }

    /// It has been, or could not be.
    pub(super) fn end(&mut self, now: Instant) {
        self.took = self.last.map_or(Duration::ZERO, |last| now - last);
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
        upkeep.begin(start);
        assert_eq!(upkeep.due(start + MAINTAIN_INTERVAL_MIN), None);
        upkeep.want(0);
        assert_eq!(upkeep.due(start), Some(start + MAINTAIN_INTERVAL_MIN));
        upkeep.want(MAINTAIN_PASSAGES - 1);
        assert_eq!(upkeep.due(start), Some(start + MAINTAIN_INTERVAL_MIN));
        upkeep.want(1);
        assert_eq!(upkeep.due(start), Some(start + MAINTAIN_INTERVAL_BUSY));
        upkeep.begin(start);
        assert_eq!(upkeep.due(start), None);
        // It takes a tenth of the time at most.
        let minute = Duration::from_secs(60);
        upkeep.end(start + minute);
        upkeep.want(MAINTAIN_PASSAGES);
        assert_eq!(upkeep.due(start + minute), Some(start + 10 * minute));
    }
}
