//! The private directory of the socket, and who holds the daemon's lock.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::config::Paths;
use crate::error::AppError;

/// Makes the directory, if it is not there, and makes sure that it is ours alone.
pub(crate) fn prepare(dir: &Path) -> Result<(), AppError> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| {
        AppError::io(format_args!("making {}", dir.display()), &error)
            .hint("set XDG_RUNTIME_DIR to a directory you can write to")
    })?;
    check(dir)?;
    let private = fs::Permissions::from_mode(0o700);
    fs::set_permissions(dir, private)
        .map_err(|error| AppError::io(format_args!("closing {} to others", dir.display()), &error))
}

/// Refuses a directory in which another user may have put a socket. An absent one is fine.
pub(crate) fn check(dir: &Path) -> Result<(), AppError> {
    let found = match fs::symlink_metadata(dir) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(AppError::reading(dir, &error)),
    };
    let ours = found.uid() == rustix::process::getuid().as_raw();
    if found.is_dir() && ours && found.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(AppError::new(format!(
        "{} is not a directory that only you can write to, so what listens there is not trusted",
        dir.display()
    ))
    .hint("remove it, or set XDG_RUNTIME_DIR to a directory of your own"))
}

/// Who holds a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    Nobody,
    /// Someone; the process id is absent in the moment between locking and signing.
    Process(Option<u32>),
}

/// Who holds the lock at `path`.
pub(crate) fn holder(path: &Path) -> Result<Holder, AppError> {
    Ok(match signature(path)? {
        None => Holder::Nobody,
        Some((pid, _)) => Holder::Process(pid),
    })
}

/// The socket of the daemon that holds the lock: of one that was started with another
/// `XDG_RUNTIME_DIR`, or none, it is not where ours would be.
pub(crate) fn socket(paths: &Paths) -> Result<PathBuf, AppError> {
    let found = signature(&paths.lock)?.map(|(_, socket)| socket);
    Ok(found.filter(|socket| socket.is_absolute()).unwrap_or_else(|| paths.socket.clone()))
}

/// What the holder of the lock at `path` has written, its process and its socket; nothing if nobody
/// holds it.
fn signature(path: &Path) -> Result<Option<(Option<u32>, PathBuf)>, AppError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(AppError::reading(path, &error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(|error| AppError::reading(path, &error))?;
            let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
            let pid = lines.next().and_then(|line| str::from_utf8(line).ok()?.parse().ok());
            let socket = OsStr::from_bytes(lines.next().unwrap_or_default());
            Ok(Some((pid, PathBuf::from(socket))))
        }
        Err(TryLockError::Error(error)) => {
            Err(AppError::io(format_args!("asking who locks {}", path.display()), &error))
        }
    }
}

#[cfg(test)]
mod tests;
