//! Whether a person has paused indexing, kept in a file: a daemon that is started again, as by an update or the
//! next login, must not go on in the middle of what it was to be quiet for. Every status says so meanwhile.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use models::files;

use super::{Left, Pause};

/// See the module.
#[derive(Debug)]
pub(crate) struct Paused {
    file: PathBuf,
    pause: Mutex<Option<Pause>>,
}

impl Paused {
    /// As `file` says; no file is no pause.
    pub(crate) fn load(file: &Path) -> Paused {
        let pause = match fs::read(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            read => {
                let parsed = read.and_then(|text| Ok(serde_json::from_slice(&text)?));
                parsed
                    .inspect_err(|error| tracing::warn!(%error, file = %file.display(), "taken for no pause"))
                    .ok()
            }
        };
        Paused { file: file.to_owned(), pause: Mutex::new(pause) }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Pause>> {
        self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the pause still lasts, if there is one.
    pub(crate) fn left(&self) -> Option<Left> {
        self.lock().and_then(|pause| pause.left(SystemTime::now()))
    }

    /// Pauses for `seconds`, or until [`Paused::resume`]. Blocks.
    ///
    /// # Errors
    /// If it cannot be written; nothing is paused then.
    pub(crate) fn pause(&self, seconds: Option<u64>) -> io::Result<()> {
        let mut held = self.lock();
        let pause = Pause::of(seconds, SystemTime::now());
        files::replace(&self.file, &serde_json::to_vec(&pause)?)?;
        *held = Some(pause);
        Ok(())
    }

    /// Ends the pause, if there is one. Blocks.
    ///
    /// # Errors
    /// If the file cannot be deleted; the pause has then ended until the next start.
    pub(crate) fn resume(&self) -> io::Result<()> {
        *self.lock() = None;
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_outlives_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("data/paused.json");
        let loaded = || Paused::load(&file).left();
        assert_eq!(loaded(), None);
        Paused::load(&file).pause(None).unwrap();
        assert_eq!(loaded(), Some(Left::UntilResumed));
        Paused::load(&file).pause(Some(3600)).unwrap();
        assert!(matches!(loaded(), Some(Left::For(left)) if left.as_secs() > 3500));
        Paused::load(&file).pause(Some(0)).unwrap();
        assert_eq!(loaded(), None, "it is over");
        Paused::load(&file).pause(None).unwrap();
        let paused = Paused::load(&file);
        paused.resume().unwrap();
        assert_eq!((paused.left(), loaded()), (None, None));
        paused.resume().unwrap();
    }

    #[test]
    fn what_is_no_pause_does_not_keep_the_daemon_from_indexing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("paused.json");
        for text in ["", "{", "[]", "{\"until_s\": \"soon\"}"] {
            fs::write(&file, text).unwrap();
            assert_eq!(Paused::load(&file).left(), None, "{text:?}");
        }
    }
}
