//! `fore daemon run`: the process around `daemon::run`. Log, lock, socket, signals; what the
//! service does is not here.

use std::fs;
use std::io::{self, IsTerminal};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use models::files::Lock;
use tokio::net::UnixListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

use crate::backend::RealBackend;
use crate::config::{Config, Paths};
use crate::error::AppError;
use crate::launch::VERSION;
use crate::private;
use crate::runtime;
use crate::runtime_dir::{self, Holder};

/// Ours in full, other people's libraries only when something is wrong. A step of the engine that fails is told to
/// whoever asked for it, and after several thoughts one is asked for.
const LOG_FILTER: &str = "warn,fore=info,daemon=info,daemon_lance=info,models=info,models_candle=info,mistralrs_core::engine=off";
/// Who asks for the lock's holder has the lock for microseconds; that is not a second daemon.
const LOCK_TRIES: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// Between two looks at the socket's file: who finds it gone waits that long for a new daemon.
const SOCKET_PAUSE: Duration = Duration::from_secs(1);

/// Serves until a signal or a `stop`.
pub(crate) fn run(config: Config) -> Result<ExitCode, AppError> {
    start_log(&config)?;
    let runtime = runtime::of_many_threads()?;
    let result = runtime.block_on(serve(Arc::new(config)));
    // What has not ended by the service's own deadline is not waited for a second time.
    runtime.shutdown_background();
    result.map(|()| ExitCode::SUCCESS)
}

async fn serve(config: Arc<Config>) -> Result<(), AppError> {
    let paths = &config.paths;
    let mut signals = Signals::watch()?;
    private::keep(&config)?;
    runtime_dir::prepare(&paths.runtime)?;
    let _lock = take_lock(paths).await?;
    let backend = RealBackend::new(Arc::clone(&config));
    backend.model_file()?;
    let (listener, socket) = bind(&paths.socket)?;
    info!(
        version = VERSION,
        pid = std::process::id(),
        socket = %paths.socket.display(),
        device = config.device.name(),
        "starting"
    );
    let settings = daemon::Settings {
        folders_file: paths.folders.clone(),
        refused_file: paths.refused.clone(),
        marks_file: paths.marks.clone(),
        paused_file: paths.paused.clone(),
        touched_file: paths.touched.clone(),
        manners: config.manners,
        training_file: paths.training.clone(),
        sampling: config.sampling.clone(),
        grounded: config.grounded,
        reading_time: config.reading_time,
        version: VERSION.to_owned(),
        rescan_every: config.rescan_every,
        unload_after: config.unload_after,
    };
    let shutdown = async {
        tokio::select! {
            () = signals.end() => {}
            () = socket.lost() => {}
        }
    };
    daemon::run(listener, Arc::new(backend), settings, shutdown).await?;
    info!("stopped");
    Ok(())
}

/// The log is standard error; a launcher has put a file there.
fn start_log(config: &Config) -> Result<(), AppError> {
    let filter = config.log_filter.as_deref().unwrap_or(LOG_FILTER);
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| AppError::new(format!("FORETHOUGHT_LOG={filter}: {error}")))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(config.colored(io::stderr().is_terminal()))
        .init();
    Ok(())
}

/// The signals that matter to a daemon.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Watched in order to be ignored: a daemon outlives the terminal it was started from.
    hangup: Signal,
}

impl Signals {
    fn watch() -> Result<Self, AppError> {
        let watch = |kind| signal(kind).map_err(|e| AppError::io("watching for signals", &e));
        Ok(Signals {
            terminate: watch(SignalKind::terminate())?,
            interrupt: watch(SignalKind::interrupt())?,
            hangup: watch(SignalKind::hangup())?,
        })
    }

    /// Returns when it is time to end.
    async fn end(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return info!("ending: SIGTERM"),
                _ = self.interrupt.recv() => return info!("ending: SIGINT"),
                _ = self.hangup.recv() => info!("SIGHUP is ignored"),
            }
        }
    }
}

/// The signed lock, or who has it.
async fn take_lock(paths: &Paths) -> Result<Lock, AppError> {
    for _ in 0..LOCK_TRIES {
        if let Some(mut lock) = Lock::try_take(&paths.lock)? {
            lock.sign(&paths.socket)?;
            return Ok(lock);
        }
        tokio::time::sleep(LOCK_PAUSE).await;
    }
    let who = match runtime_dir::holder(&paths.lock)? {
        Holder::Process(Some(pid)) => format!(" (pid {pid})"),
        Holder::Process(None) | Holder::Nobody => String::new(),
    };
    Err(AppError::new(format!("a daemon is running already{who}")).hint("run: fore daemon stop"))
}

/// Device, inode and time of making: inodes are used again.
type Identity = (u64, u64, i64, i64);

/// The socket's file, unlinked when dropped, unless another is in its place.
struct SocketFile {
    path: PathBuf,
    identity: Identity,
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<SocketFile> {
        Ok(SocketFile { path: path.to_owned(), identity: identity(path)? })
    }

    fn is_ours(&self) -> bool {
        identity(&self.path).is_ok_and(|found| found == self.identity)
    }

    /// Returns when nobody can reach us any more, as after a cleaner of `/tmp` or a logout: who needs a
    /// daemon can start one as soon as this one has let go of the lock.
    async fn lost(&self) {
        while self.is_ours() {
            tokio::time::sleep(SOCKET_PAUSE).await;
        }
        warn!(socket = %self.path.display(), "ending: the socket's file is gone");
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.is_ours() {
            fs::remove_file(&self.path).ok();
        }
    }
}

fn identity(path: &Path) -> io::Result<Identity> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino(), found.mtime(), found.mtime_nsec()))
}

/// A listener that only this user can connect to. Called with the lock held.
fn bind(path: &Path) -> Result<(UnixListener, SocketFile), AppError> {
    remove_stale(path)?;
    let doing = format!("listening at {}", path.display());
    let listener = UnixListener::bind(path).map_err(|error| AppError::io(&doing, &error))?;
    let file = SocketFile::of(path).map_err(|error| AppError::io(&doing, &error))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        .map_err(|error| AppError::io(&doing, &error))?;
    Ok((listener, file))
}

/// Removes a socket that a killed daemon left. Nothing else is removed: not a file that is no
/// socket, and not a socket that someone listens at.
fn remove_stale(path: &Path) -> Result<(), AppError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(AppError::reading(path, &error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(
                AppError::new(format!("{} is not a socket", path.display())).hint("move it away")
            );
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        // A refused connection means the socket is left over from a daemon that is gone.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            info!(socket = %path.display(), "removing a stale socket");
            fs::remove_file(path)
                .map_err(|error| AppError::io(format_args!("removing {}", path.display()), &error))
        }
        Err(error) => Err(AppError::io(format_args!("probing {}", path.display()), &error)),
        Ok(_) => Err(AppError::new(format!("something else listens at {}", path.display()))
            .hint("end it, or set XDG_RUNTIME_DIR to a directory of your own")),
    }
}

#[cfg(test)]
mod tests;
