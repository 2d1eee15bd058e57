//! Who answers at the socket.

use std::fs;
use std::io;
use std::pin::pin;
use std::time::Duration;

use daemon_protocol::Hello;
use daemon_protocol::client::{Client, ClientError};
use tokio::time::{sleep, timeout};

use crate::config::Config;
use crate::error::AppError;
use crate::runtime_dir::{self, Holder};
use crate::term::streams;

/// Program version, as every hello carries it.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// How many handshakes may break off before whatever listens is taken for broken: a second of them, for a daemon
/// that was killed goes on listening until the system has come round to it.
const HANDSHAKES: u32 = 50;
/// How often waiting looks again: quick against the second that loading takes.
pub(crate) const POLL: Duration = Duration::from_millis(20);

/// How long a daemon may say nothing before the person is told what is waited for: longer than most starts take.
const SILENCE_TOLD: Duration = Duration::from_secs(3);

/// What answers at the socket.
pub(crate) enum Probe {
    Ready(Client),
    /// A daemon of another protocol.
    Foreign(Hello),
    /// Nothing listens.
    Absent,
    /// Something listens and says no hello, or not within the time given.
    Silent,
}

/// Asks who is at the socket and gives the hello `patience` to arrive.
pub(crate) async fn probe(config: &Config, patience: Duration) -> Result<Probe, AppError> {
    let socket = runtime_dir::socket(&config.paths)?;
    runtime_dir::check(socket.parent().unwrap_or(&config.paths.runtime))?;
    let hello = async {
        for _ in 0..HANDSHAKES {
            match Client::connect(&socket, VERSION).await {
                Err(error) if broke_off(&error) => sleep(POLL).await,
                result => return classify(result),
            }
        }
        Ok(Probe::Silent)
    };
    let mut hello = pin!(hello);
    let told = SILENCE_TOLD.min(patience);
    if let Ok(answer) = timeout(told, &mut hello).await {
        return answer;
    }
    if patience > told
        && let Holder::Process(Some(pid)) = runtime_dir::holder(&config.paths.lock)?
    {
        if is_stopped(&fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default()) {
            let stopped = format!("the daemon (pid {pid}) is stopped, as by a signal");
            return Err(AppError::new(stopped).hint(format!("run: kill -CONT {pid}")));
        }
        let seconds = patience.as_secs();
        let line = format!(
            "waiting for the daemon (pid {pid}), up to {seconds} s: it loads its model, or hangs; see {}",
            config.paths.log.display()
        );
        streams::note(config.quiet, &line);
    }
    timeout(patience - told, hello).await.unwrap_or(Ok(Probe::Silent))
}

/// Whether a process stands still, by what `/proc` says of it: its number, its name in brackets, its state.
fn is_stopped(stat: &str) -> bool {
    let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
    state.is_some_and(|state| state.starts_with(['T', 't']))
}

/// Whether a daemon that is about to end, or a queue that is full for the moment, broke the handshake off: the
/// next try finds it gone, or there.
pub(super) fn broke_off(error: &ClientError) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, Interrupted, WouldBlock};
    match error {
        ClientError::Closed | ClientError::Io(_) => true,
        ClientError::Connect { source, .. } => matches!(
            source.kind(),
            BrokenPipe | ConnectionAborted | ConnectionReset | Interrupted | WouldBlock
        ),
        ClientError::Protocol { .. } | ClientError::Frame(_) => false,
    }
}

fn classify(result: Result<Client, ClientError>) -> Result<Probe, AppError> {
    use io::ErrorKind::{ConnectionRefused, NotFound};
    match result {
        Ok(client) => Ok(Probe::Ready(client)),
        Err(ClientError::Protocol { theirs }) => Ok(Probe::Foreign(theirs)),
        Err(ClientError::Connect { source, .. })
            if matches!(source.kind(), NotFound | ConnectionRefused) =>
        {
            Ok(Probe::Absent)
        }
        Err(error) => Err(error.into()),
    }
}

/// That what listens says nothing.
pub(crate) fn silent(config: &Config) -> AppError {
    AppError::new(format!(
        "the daemon at {} does not answer: it is still loading its model, or it hangs",
        config.paths.socket.display()
    ))
    .hint("wait a little, or run: fore daemon stop")
    .hint(format!("see {}", config.paths.log.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_stands_still_is_known() {
        for (stat, expected) in [
            ("12 (fore) T 1 12", true),
            ("12 (a) S (b) t 1", true),
            ("12 (fore) S 1 12", false),
            ("", false),
        ] {
            assert_eq!(is_stopped(stat), expected, "{stat}");
        }
    }
}
