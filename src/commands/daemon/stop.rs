//! `fore daemon stop`.

use std::process::ExitCode;
use std::time::Duration;

use daemon_protocol::{Event, Request};
use tokio::time::timeout;

use crate::config::Config;
use crate::conversation::Conversation;
use crate::error::AppError;
use crate::launch::end::{STOP_MAX, terminate, wait_until_ended};
use crate::launch::probe::{Probe, probe};
use crate::runtime_dir::{self, Holder};
use crate::term::streams;

/// A daemon that is asked to stop says hello within this, unless it hangs or loads its model.
const HELLO_MAX: Duration = Duration::from_secs(2);

/// Ends the daemon, of whatever version, and waits until it has ended.
pub(crate) async fn run(config: &Config) -> Result<ExitCode, AppError> {
    let said = match probe(config, HELLO_MAX).await? {
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
    streams::note(config.quiet, &said);
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
