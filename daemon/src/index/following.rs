//! While another machine writes the index: what that one commits is taken over, and nothing is written here.

use daemon_protocol::Phase;
use tokio::time::Instant;

use super::Indexer;
use crate::limits::FOLLOW_EVERY;
use crate::mailbox::Cause;
use crate::store::StoreError;

impl Indexer {
    /// Whether others write, or wrote what is not known here yet.
    pub(super) fn is_following(&self) -> bool {
        self.is_behind || self.sharing.reads().is_some()
    }

    /// Takes over what was committed, and waits until there may be more. What was ordered is left: when this process
    /// writes, it looks at everything.
    pub(super) async fn follow(&mut self) {
        if !std::mem::replace(&mut self.is_behind, true) {
            self.shared.folders.leave_to_others();
        }
        if let Some(orders) = self.shared.mailbox.take() {
            if let Some(engine) = orders.adopt {
                self.adopt(engine);
            }
            self.waiters.extend(orders.waiters);
        }
        let may_write = self.sharing.reads().is_none();
        if may_write || self.follow_at <= Instant::now() {
            self.follow_at = Instant::now() + FOLLOW_EVERY;
            match self.catch_up().await {
                Ok(()) if may_write => return self.begin_writing(),
                Ok(()) => self.take_over().await,
                Err(error) => tracing::warn!(%error, "what others have indexed since is not known"),
            }
        }
        self.publish(Phase::Idle);
        self.tell_waiters();
        let follow_at = self.follow_at;
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.shared.mailbox.arrived() => {}
            () = self.sharing.changed() => {}
            () = tokio::time::sleep_until(follow_at) => {}
        }
    }

    /// From now on this process writes: what is on its disk is compared with what is in the index.
    fn begin_writing(&mut self) {
        tracing::info!("this daemon writes the shared index from now on");
        self.is_behind = false;
        self.shared.mailbox.rescan(Cause::Start);
    }

    /// Has the stores show what was committed by others, and knows it.
    async fn catch_up(&self) -> Result<(), StoreError> {
        for engine in self.sides().map(|side| side.engine()) {
            if let Some(mut known) = engine.store.news().await? {
                self.shared.touched.restamp(&mut known);
                *engine.catalogue.write() = known;
            }
        }
        Ok(())
    }
}
