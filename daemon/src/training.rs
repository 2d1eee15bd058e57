//! What a `fore train` under way tells of itself. It is a process of its own that may run without
//! a daemon, so it tells by a small file, which it replaces as it goes and removes at its end.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use daemon_protocol::TrainingStatus;
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval};

use crate::limits::{TRAINING_AGE_MAX, TRAINING_FILE_BYTES_MAX, TRAINING_LOOK_EVERY};

/// The run that the file at `path` tells of; none if there is no such file, if it cannot be used,
/// or if the process that wrote it has ended. Reads one small file.
pub fn read(path: &Path) -> Option<TrainingStatus> {
    let (text, age) = match text(path) {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::debug!(path = %path.display(), %error, "no training status can be read");
            return None;
        }
    };
    match serde_json::from_slice::<TrainingStatus>(&text) {
        Ok(status) => alive(status.pid, age).then_some(status),
        Err(error) => {
            tracing::debug!(path = %path.display(), %error, "not a training status");
            None
        }
    }
}

/// The file's content and how long ago it was written.
fn text(path: &Path) -> io::Result<(Vec<u8>, Duration)> {
    // Opening a pipe would wait for its other end.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    let file = File::open(path)?;
    // A time in the future is one of a clock that was set back, not of an old file.
    let age = file.metadata()?.modified()?.elapsed().unwrap_or_default();
    let mut text = Vec::new();
    file.take(TRAINING_FILE_BYTES_MAX).read_to_end(&mut text)?;
    Ok((text, age))
}

/// Whether the run still goes on: one that was killed leaves its file behind.
fn alive(pid: u32, age: Duration) -> bool {
    if !cfg!(target_os = "linux") {
        return age < TRAINING_AGE_MAX;
    }
    // After a power cut another process may have the number; none of them is older than the
    // system's start.
    let before_start = uptime().is_some_and(|uptime| age > uptime);
    !before_start && Path::new("/proc").join(pid.to_string()).exists()
}

/// Since the system started, on Linux.
fn uptime() -> Option<Duration> {
    let text = fs::read_to_string("/proc/uptime").ok()?;
    let seconds = text.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The newest of what the file tells, for those who follow it.
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
