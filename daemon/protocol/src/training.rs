//! How a `fore train` under way tells of itself: not over the socket, for it is a process of its own
//! that may run without a daemon, but by a small file, which it replaces as it goes and removes at its
//! end. What is in it is a [`TrainingStatus`] as JSON. Reading it needs no daemon either.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use crate::TrainingStatus;

/// Bytes of the file that are read; a status takes a few hundred.
pub const FILE_BYTES_MAX: u64 = 64 << 10;
/// Where processes cannot be looked up, a file older than this was left by a run that was killed; the
/// slowest step of a run that lives takes less.
const AGE_MAX: Duration = Duration::from_secs(60);

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
    file.take(FILE_BYTES_MAX).read_to_end(&mut text)?;
    Ok((text, age))
}

/// Whether the run still goes on: one that was killed leaves its file behind.
fn alive(pid: u32, age: Duration) -> bool {
    if !cfg!(target_os = "linux") {
        return age < AGE_MAX;
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
