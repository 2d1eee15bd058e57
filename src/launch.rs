//! Finding the daemon, and starting one if there is none: probe, startup lock, spawn, wait until
//! it answers. What a daemon does once started is `fore daemon run`'s.

pub(crate) mod end;
pub(crate) mod probe;

use std::cmp::Ordering;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use daemon_protocol::client::{Client, ClientError};
use daemon_protocol::{Hello, PROTOCOL, version};
use models::files::Lock;
use tokio::time::{Instant, sleep};

use crate::cli::Device;
use crate::config::Config;
use crate::conversation::Conversation;
use crate::error::AppError;
use crate::launch::probe::{POLL, Probe, probe, silent};
use crate::private;
use crate::runtime_dir::{self, Holder};
use crate::term::streams;

pub(crate) use probe::VERSION;

/// A start loads a model; the largest one tried takes seconds, a cold disk ten times as long.
pub(crate) const START_MAX: Duration = Duration::from_secs(90);
/// How long a command that starts no daemon waits for one that is still loading.
const STATUS_MAX: Duration = Duration::from_secs(10);
/// Beyond this size the log of earlier starts is set aside as `daemon.log.1` before a start.
const LOG_BYTES_MAX: u64 = 4 << 20;
/// Longest tail of the log that is searched for the reason why a start failed.
const LOG_TAIL_BYTES_MAX: u64 = 64 << 10;

/// The running daemon, or one that is started now, on the device that was named, if one was.
pub(crate) async fn connect(config: &Config) -> Result<Conversation, AppError> {
    let (client, started) = find_or_start(config).await?;
    let mut conversation = Conversation::new(client);
    if config.device_named && config.device != Device::Auto && !started {
        let device = conversation.status().await?.device;
        let wanted = config.device.name();
        if !device.starts_with(wanted) {
            return Err(AppError::new(format!("the running daemon uses {device}, not {wanted}"))
                .hint(format!("run: fore daemon stop && fore daemon start --device {wanted}")));
        }
    }
    Ok(conversation)
}

/// The running daemon, if one runs; none is started. One that is starting or ending is waited for.
pub(crate) async fn running(config: &Config) -> Result<Option<Conversation>, AppError> {
    let deadline = Instant::now() + STATUS_MAX;
    loop {
        match probe(config, STATUS_MAX).await? {
            Probe::Ready(client) => return Ok(Some(Conversation::new(client))),
            Probe::Foreign(theirs) => return Err(ClientError::Protocol { theirs }.into()),
            Probe::Silent => return Err(silent(config)),
            Probe::Absent if runtime_dir::holder(&config.paths.lock)? == Holder::Nobody => {
                return Ok(None);
            }
            Probe::Absent if Instant::now() > deadline => return Err(silent(config)),
            Probe::Absent => sleep(POLL).await,
        }
    }
}

/// A connection, and whether the daemon was started for it.
async fn find_or_start(config: &Config) -> Result<(Client, bool), AppError> {
    match probe(config, START_MAX).await? {
        Probe::Ready(client) if !is_outdated(config, &client.hello)? => return Ok((client, false)),
        Probe::Silent => return Err(silent(config)),
        Probe::Ready(_) | Probe::Absent | Probe::Foreign(_) => {}
    }
    private::folders(config)?;
    runtime_dir::prepare(&config.paths.runtime)?;
    let deadline = Instant::now() + START_MAX;
    let startup = take_startup_lock(config, deadline).await?;
    // Another client may have started one while we waited; a daemon that has the lock without a
    // socket is about to open it, or about to end.
    let mut before = None;
    loop {
        match probe(config, START_MAX).await? {
            Probe::Ready(client) if is_outdated(config, &client.hello)? => {
                replace(config, client.hello).await?;
            }
            Probe::Ready(client) => return Ok((client, false)),
            Probe::Silent => return Err(silent(config)),
            Probe::Foreign(theirs) => replace(config, theirs).await?,
            Probe::Absent => match runtime_dir::holder(&config.paths.lock)? {
                Holder::Nobody => break,
                Holder::Process(_) if Instant::now() > deadline => return Err(silent(config)),
                Holder::Process(pid) => {
                    before = pid.or(before);
                    sleep(POLL).await;
                }
            },
        }
    }
    end::wait_until_gone(before).await;
    let client = start(config, deadline).await?;
    drop(startup);
    Ok((client, true))
}

/// Whether a daemon of our protocol is older than this program, and ours to end. A newer one serves.
fn is_outdated(config: &Config, theirs: &Hello) -> Result<bool, AppError> {
    let order = version::compare(&theirs.version, VERSION);
    if order == Some(Ordering::Greater) {
        let line =
            format!("the daemon is newer ({}) than this program ({VERSION})", theirs.version);
        streams::note(config.quiet, &line);
    }
    let ours = Holder::Process(Some(theirs.pid));
    Ok(order == Some(Ordering::Less) && runtime_dir::holder(&config.paths.lock)? == ours)
}

/// Ends an older daemon, or one of another protocol, if it is the one whose lock is ours to read.
async fn replace(config: &Config, theirs: Hello) -> Result<(), AppError> {
    if runtime_dir::holder(&config.paths.lock)? != Holder::Process(Some(theirs.pid)) {
        return Err(ClientError::Protocol { theirs }.into());
    }
    let Hello { protocol, version, pid } = &theirs;
    let why = match *protocol {
        PROTOCOL => format!("is older than this program, {VERSION}"),
        _ => format!("speaks protocol {protocol}, this program {PROTOCOL}"),
    };
    let line = format!("restarting the daemon: version {version} (pid {pid}) {why}");
    streams::note(config.quiet, &line);
    end::terminate(config, theirs.pid).await
}

async fn take_startup_lock(config: &Config, deadline: Instant) -> Result<Lock, AppError> {
    loop {
        if let Some(lock) = Lock::try_take(&config.paths.startup_lock)? {
            return Ok(lock);
        }
        if Instant::now() > deadline {
            return Err(AppError::new("another program has been starting the daemon for too long")
                .hint(format!("see {}", config.paths.log.display())));
        }
        sleep(POLL).await;
    }
}

/// Spawns `fore daemon run` and waits until it answers a hello.
async fn start(config: &Config, deadline: Instant) -> Result<Client, AppError> {
    streams::note(config.quiet, "starting the daemon");
    let (mut child, log_start) = spawn(config)?;
    let mut answer = Box::pin(knock(config));
    loop {
        tokio::select! {
            client = &mut answer => return client,
            () = sleep(POLL) => {}
        }
        let ended = child.try_wait().map_err(|error| AppError::io("waiting for it", &error))?;
        if let Some(status) = ended {
            return Err(start_failure(&config.paths.log, log_start, status));
        }
        if Instant::now() > deadline {
            return Err(AppError::new(format!(
                "the daemon (pid {}) has not answered within {} s",
                child.id(),
                START_MAX.as_secs()
            ))
            .hint(format!("see {}", config.paths.log.display())));
        }
    }
}

/// Connects as soon as the socket is there; waits for ever if it never is.
async fn knock(config: &Config) -> Result<Client, AppError> {
    loop {
        match Client::connect(&config.paths.socket, VERSION).await {
            Err(ClientError::Connect { .. } | ClientError::Closed | ClientError::Io(_)) => {
                sleep(POLL).await;
            }
            result => return Ok(result?),
        }
    }
}

/// A daemon in its own process group, so that Ctrl-C here is not its end, and where in the log
/// its output begins.
fn spawn(config: &Config) -> Result<(Child, u64), AppError> {
    let program = std::env::current_exe()
        .map_err(|error| AppError::io("finding this program's own file", &error))?;
    let doing = format!("opening {}", config.paths.log.display());
    let (log, start) = open_log(&config.paths.log).map_err(|e| AppError::io(&doing, &e))?;
    let errors = log.try_clone().map_err(|e| AppError::io(&doing, &e))?;
    let child = Command::new(&program)
        .args(["daemon", "run"])
        .args(&config.daemon_flags)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .process_group(0)
        .spawn()
        .map_err(|error| AppError::io(format_args!("starting {}", program.display()), &error))?;
    Ok((child, start))
}

/// The log, opened to append, and its present length.
fn open_log(path: &Path) -> io::Result<(File, u64)> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    if fs::metadata(path).is_ok_and(|found| found.len() > LOG_BYTES_MAX) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    let length = log.metadata()?.len();
    Ok((log, length))
}

/// Why the daemon ended before it answered: the error it wrote since `start`.
fn start_failure(log: &Path, start: u64, status: ExitStatus) -> AppError {
    let written = read_tail(log, start).unwrap_or_default();
    last_error(&written).unwrap_or_else(|| {
        AppError::new(format!("the daemon ended before it answered ({status})"))
            .hint(format!("see {}", log.display()))
    })
}

fn read_tail(log: &Path, start: u64) -> io::Result<String> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(start.max(length.saturating_sub(LOG_TAIL_BYTES_MAX))))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The last error in a log, as [`AppError`] displays itself.
fn last_error(log: &str) -> Option<AppError> {
    let lines: Vec<&str> = log.lines().collect();
    let first = lines.iter().rposition(|line| line.starts_with("error: "))?;
    let hint_at = |line: &&str| line.starts_with("  hint: ");
    let hints = lines[first..].iter().position(hint_at).map_or(lines.len(), |at| first + at);
    let message = lines[first..hints].join("\n");
    let error = AppError::new(message.trim_start_matches("error: ").trim_end());
    let hints = lines[hints..].iter().map_while(|line| line.strip_prefix("  hint: "));
    Some(hints.fold(error, AppError::hint))
}

#[cfg(test)]
mod tests;
