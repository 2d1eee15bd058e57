//! Files that are there whole or not at all, files that one process has at a time, folders that are for one
//! user.

mod closed;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::UserError;
pub use closed::close;

/// Makes `bytes` the content of the file, at once and for good; makes its folder if need be.
///
/// # Errors
/// If the folder or the file cannot be written; the file is then as it was.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), UserError> {
    replace(path, bytes).map_err(|error| UserError::writing(path, &error))
}

/// [`write_atomically`] for those who say themselves what they were doing.
///
/// # Errors
/// As [`write_atomically`].
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

/// An exclusive lock on a file, released when dropped or when the process ends, however it ends.
/// The file stays: removing it would let two processes lock two files of one name.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// The lock, or `None` if another process holds it. The file's folder must be there.
    ///
    /// # Errors
    /// If the file cannot be made or locked.
    pub fn try_take(path: &Path) -> Result<Option<Lock>, UserError> {
        let failed =
            |error: &io::Error| UserError::io(format_args!("locking {}", path.display()), error);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(|error| failed(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
    }

    /// Writes our process id into the file, for whoever asks who holds it, and on a line below it
    /// where we are found.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn sign(&mut self, place: &Path) -> Result<(), UserError> {
        let mut text = format!("{}\n", std::process::id()).into_bytes();
        text.extend(place.as_os_str().as_bytes());
        let mut write = || -> io::Result<()> {
            self.0.set_len(0)?;
            self.0.rewind()?;
            self.0.write_all(&text)
        };
        write().map_err(|error| UserError::io("writing the lock file", &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_its_folder_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/file");
        for text in ["one", "another"] {
            write_atomically(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(
            fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "nothing is left over"
        );
        let error = write_atomically(&path.join("below"), b"").unwrap_err();
        assert!(error.message.starts_with("writing "), "{error}");
    }

    #[test]
    fn a_lock_is_had_by_one_and_signed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let mut held = Lock::try_take(&path).unwrap().unwrap();
        assert!(Lock::try_take(&path).unwrap().is_none());
        held.sign(Path::new("/run/it")).unwrap();
        let signed = format!("{}\n/run/it", std::process::id());
        assert_eq!(fs::read_to_string(&path).unwrap(), signed);
        drop(held);
        assert!(Lock::try_take(&path).unwrap().is_some());
    }
}
