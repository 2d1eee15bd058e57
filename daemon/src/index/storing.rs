//! Whether the store can be written, as it cannot on a full disk. Pure: it is told what time it is.

use tokio::time::Instant;

use crate::limits::RETRY_AFTER;
use crate::store::StoreError;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Storing {
    /// Why it could not be when that was last tried.
    reason: Option<String>,
    /// When it is tried again; not before.
    retry_at: Option<Instant>,
}

impl Storing {
    /// Something was stored, or there was nothing to store.
    pub(super) fn works(&mut self) {
        *self = Storing::default();
    }

    pub(super) fn fails(&mut self, error: &StoreError, now: Instant) {
        *self = Storing { reason: Some(error.0.clone()), retry_at: Some(now + RETRY_AFTER) };
    }

    /// It is tried now; until it works there is still a reason to tell.
    pub(super) fn retry(&mut self) {
        self.retry_at = None;
    }

    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    pub(super) fn reason(&self) -> Option<String> {
        self.reason.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_stored_is_tried_again_after_a_while_and_told_until_it_is() {
        let now = Instant::now();
        let full = StoreError("No space left on device".to_owned());
        let mut storing = Storing::default();
        let told = |storing: &Storing| (storing.reason().is_some(), storing.retry_at());
        assert_eq!(told(&storing), (false, None));
        storing.fails(&full, now);
        assert_eq!(told(&storing), (true, Some(now + RETRY_AFTER)));
        storing.retry();
        assert_eq!(told(&storing), (true, None), "it is not known yet whether it works");
        storing.fails(&full, now + RETRY_AFTER);
        assert_eq!(told(&storing), (true, Some(now + 2 * RETRY_AFTER)));
        storing.works();
        assert_eq!(told(&storing), (false, None));
    }
}
