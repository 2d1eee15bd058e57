//! The newest of what a `fore train` under way tells of itself ([`daemon_protocol::training`]), for
//! those who follow it.

use std::path::Path;

use daemon_protocol::TrainingStatus;
use daemon_protocol::training::read;
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval};

use crate::limits::TRAINING_LOOK_EVERY;

/// See the module.
#[derive(Default)]
pub(crate) struct News {
    status: watch::Sender<Option<TrainingStatus>>,
    /// Someone has begun to follow.
    wanted: Notify,
}

impl News {
    /// What [`News::gather`] finds from now on.
    pub(crate) fn follow(&self) -> watch::Receiver<Option<TrainingStatus>> {
        let changes = self.status.subscribe();
        self.wanted.notify_one();
        changes
    }

    /// Looks at the file at `path` while anyone follows. Does not end.
    pub(crate) async fn gather(&self, path: &Path) {
        loop {
            self.wanted.notified().await;
            let mut looks = interval(TRAINING_LOOK_EVERY);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while self.status.receiver_count() > 0 {
                looks.tick().await;
                let file = path.to_owned();
                let look = tokio::task::spawn_blocking(move || read(&file)).await;
                self.publish(look.unwrap_or_else(|error| {
                    // Not cancelled: nobody aborts it, and the runtime outlives this task.
                    std::panic::resume_unwind(error.into_panic())
                }));
            }
            // The next to follow would hear of a run that may have ended long ago.
            self.publish(None);
        }
    }

    fn publish(&self, found: Option<TrainingStatus>) {
        self.status.send_if_modified(|known| {
            let news = *known != found;
            *known = found;
            news
        });
    }
}
