//! `fore daemon start | stop`, as seen by a client, and what a change of the model asks of a daemon
//! that runs; `run` is `serve`, `status` is `status_command`.

use std::process::ExitCode;
use std::time::Duration;

use daemon_protocol::{Event, Request};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep, timeout};

use crate::config::Config;
use crate::conversation::Conversation;
use crate::error::AppError;
use crate::launch::{self, Probe};
use crate::output;
use crate::runtime_dir::{self, Holder};

/// A daemon that is asked to stop says hello within this, unless it hangs or loads its model.
const HELLO_MAX: Duration = Duration::from_secs(2);
/// A daemon gives its parts 5 s to end; this is twice that.
const STOP_MAX: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// Makes sure that a daemon runs, and says on what device.
pub(crate) async fn start(config: &Config) -> Result<ExitCode, AppError> {
    let before = runtime_dir::holder(&config.paths.lock)?;
    let mut conversation = launch::connect(config).await?;
    let pid = conversation.daemon_pid();
    if !config.quiet {
        let already = if before == Holder::Process(Some(pid)) { "already " } else { "" };
        let device = conversation.status().await?.device;
        output::diagnostic(&format!("the daemon is {already}running (pid {pid}) on {device}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Ends the daemon, of whatever version, and waits until it has ended.
pub(crate) async fn stop(config: &Config) -> Result<ExitCode, AppError> {
    let said = match launch::probe(config, HELLO_MAX).await? {
        Probe::Ready(client) => {
            let mut conversation = Conversation::new(client);
            let pid = conversation.daemon_pid();
            ask_to_stop(&mut conversation).await;
            wait_until_ended(config, pid).await?;
            format!("the daemon (pid {pid}) has stopped")
        }
        Probe::Foreign(theirs) => {
            terminate(config, theirs.pid).await?;
            format!("the daemon (version {}, pid {}) has stopped", theirs.version, theirs.pid)
        }
        found @ (Probe::Absent | Probe::Silent) => match runtime_dir::holder(&config.paths.lock)? {
            Holder::Nobody if matches!(found, Probe::Silent) => {
                return Err(AppError::new(format!(
                    "what listens at {} is not our daemon",
                    config.paths.socket.display()
                ))
                .hint("end it, or set XDG_RUNTIME_DIR to a directory of your own"));
            }
            Holder::Nobody => "no daemon is running".to_owned(),
            Holder::Process(Some(pid)) => {
                terminate(config, pid).await?;
                format!("the daemon (pid {pid}) has stopped")
            }
            Holder::Process(None) => {
                return Err(AppError::new("a daemon is just starting").hint("try again"));
            }
        },
    };
    if !config.quiet {
        output::diagnostic(&said);
    }
    Ok(ExitCode::SUCCESS)
}

/// Has the daemon, if one runs, take up the model that is configured now, and says so: it would
/// keep the old one until it ends.
pub(crate) async fn reload(config: &Config) -> Result<ExitCode, AppError> {
    let Some(mut conversation) = launch::running(config).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let pid = conversation.daemon_pid();
    let fingerprint = conversation.status().await?.fingerprint;
    let loaded = timeout(launch::START_MAX, conversation.reload()).await.unwrap_or_else(|_| {
        let waited = launch::START_MAX.as_secs();
        Err(AppError::new(format!("the daemon (pid {pid}) has not loaded it within {waited} s")))
    });
    let loaded = loaded.map_err(|error| {
        error
            .hint("choose another (fore model use PATH) or the usual one (default)")
            .hint(format!("see {}", config.paths.log.display()))
    })?;
    if !config.quiet {
        let what = if loaded.fingerprint == fingerprint {
            "uses it from now on"
        } else {
            "indexes the folders for it and uses it after that; see: fore status"
        };
        output::diagnostic(&format!("the running daemon (pid {pid}) {what}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Sends `stop` and waits until the daemon says that it closes; if it is gone, so much the better.
async fn ask_to_stop(conversation: &mut Conversation) {
    if conversation.send(|id| Request::Stop { id }).await.is_err() {
        return;
    }
    let closing = async { while let Ok(Event::Indexing { .. }) = conversation.next().await {} };
    timeout(STOP_MAX, closing).await.ok();
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
async fn wait_until_ended(config: &Config, pid: u32) -> Result<(), AppError> {
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
