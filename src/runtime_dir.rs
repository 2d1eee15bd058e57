//! The private directory of socket and locks, and who holds the daemon's lock.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

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

/// An exclusive lock on a file, released when dropped or when the process ends, however it ends.
/// The file stays: removing it would let two processes lock two files of one name.
pub(crate) struct Lock(File);

impl Lock {
    /// The lock, or `None` if another process holds it.
    pub(crate) fn try_take(path: &Path) -> Result<Option<Lock>, AppError> {
        let doing = format!("locking {}", path.display());
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(|error| AppError::io(&doing, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(AppError::io(&doing, &error)),
        }
    }

    /// Writes our process id into the file, for [`holder`].
    pub(crate) fn sign(&mut self) -> Result<(), AppError> {
        let mut write = || -> io::Result<()> {
            self.0.set_len(0)?;
            self.0.rewind()?;
            write!(self.0, "{}", std::process::id())
        };
        write().map_err(|error| AppError::io("writing the lock file", &error))
    }
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
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Holder::Nobody),
        Err(error) => return Err(AppError::reading(path, &error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(Holder::Nobody),
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            file.read_to_string(&mut text).map_err(|error| AppError::reading(path, &error))?;
            Ok(Holder::Process(text.trim().parse().ok()))
        }
        Err(TryLockError::Error(error)) => {
            Err(AppError::io(format_args!("asking who locks {}", path.display()), &error))
        }
    }
}

#[cfg(test)]
mod tests;
