//! Ending a daemon, of whatever version, and waiting until it has ended.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::time::{Instant, sleep};

use crate::config::Config;
use crate::error::AppError;
use crate::launch::probe::POLL;
use crate::runtime_dir::{self, Holder};

/// A daemon gives its parts 5 s to end; this is twice that.
pub(crate) const STOP_MAX: Duration = Duration::from_secs(10);

/// A process that let go of the lock has ended within milliseconds; its parent takes note a little later.
const GONE_MAX: Duration = Duration::from_secs(2);

/// Waits a moment until a daemon that has let go of the lock is gone, so that there are never two to be seen.
pub(crate) async fn wait_until_gone(pid: Option<u32>) {
    let Some(pid) = pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) else { return };
    let deadline = Instant::now() + GONE_MAX;
    while test_kill_process(pid).is_ok() && Instant::now() < deadline {
        sleep(POLL).await;
    }
}

/// Ends the process `pid` by signal and waits until it has ended, after making sure that it is
/// the daemon: only the daemon of this very directory holds its lock.
pub(crate) async fn terminate(config: &Config, pid: u32) -> Result<(), AppError> {
    if runtime_dir::holder(&config.paths.lock)? != Holder::Process(Some(pid)) {
        return Err(AppError::new(format!(
            "process {pid} says it is the daemon and does not hold {}",
            config.paths.lock.display()
        ))
        .hint(format!("look at it with: ps -p {pid}")));
    }
    let target = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if let Some(target) = target {
        kill_process(target, Signal::TERM)
            .map_err(|error| AppError::new(format!("ending the daemon (pid {pid}): {error}")))?;
    }
    wait_until_ended(config, pid).await
}

/// The lock is the last thing a daemon lets go of, after its socket.
pub(crate) async fn wait_until_ended(config: &Config, pid: u32) -> Result<(), AppError> {
    let deadline = Instant::now() + STOP_MAX;
    while runtime_dir::holder(&config.paths.lock)? == Holder::Process(Some(pid)) {
        if Instant::now() > deadline {
            return Err(AppError::new(format!(
                "the daemon (pid {pid}) was told to stop and is still there after {} s",
                STOP_MAX.as_secs()
            ))
            .hint(format!("see {}", config.paths.log.display()))
            .hint(format!("end it with: kill -9 {pid}")));
        }
        sleep(POLL).await;
    }
    Ok(())
}
