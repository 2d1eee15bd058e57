//! The system's watcher, or none, with a limit of the test's own and a record of what is watched.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;

use notify::{
    Config, Error, ErrorKind, EventHandler, RecommendedWatcher, RecursiveMode, Watcher, WatcherKind,
};
use tokio::sync::watch;

/// What is watched, with the number of the folder that was at the path when it came to be.
pub(crate) type Record = BTreeMap<PathBuf, u64>;

pub(crate) struct Recorder {
    system: Option<RecommendedWatcher>,
    record: watch::Sender<Record>,
    /// How much may be watched.
    room: Arc<AtomicUsize>,
    /// A folder that is not watched before the gate is opened, as on a drive that hangs.
    gate: Option<(PathBuf, Receiver<()>)>,
}

impl Recorder {
    pub(crate) fn new(
        system: Option<RecommendedWatcher>,
        room: &Arc<AtomicUsize>,
    ) -> (Recorder, watch::Receiver<Record>) {
        let (record, watched) = watch::channel(Record::new());
        (Recorder { system, record, room: Arc::clone(room), gate: None }, watched)
    }

    pub(crate) fn waiting_at(self, path: PathBuf, gate: Receiver<()>) -> Recorder {
        Recorder { gate: Some((path, gate)), ..self }
    }
}

impl Watcher for Recorder {
    fn new<F: EventHandler>(_: F, _: Config) -> notify::Result<Recorder> {
        Err(Error::generic("a test makes its own"))
    }

    fn watch(&mut self, path: &Path, mode: RecursiveMode) -> notify::Result<()> {
        if let Some((place, gate)) = &self.gate
            && place == path
        {
            // A dropped sender is an open gate.
            gate.recv().unwrap_or(());
        }
        if self.record.borrow().len() >= self.room.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::MaxFilesWatch).add_path(path.to_owned()));
        }
        let found = fs::metadata(path).map_err(Error::io)?;
        if let Some(system) = &mut self.system {
            system.watch(path, mode)?;
        }
        self.record.send_modify(|record| {
            record.insert(path.to_owned(), found.ino());
        });
        Ok(())
    }

    fn unwatch(&mut self, path: &Path) -> notify::Result<()> {
        let unwatched = self.system.as_mut().map_or(Ok(()), |system| system.unwatch(path));
        self.record.send_modify(|record| {
            record.remove(path);
        });
        unwatched
    }

    fn kind() -> WatcherKind {
        WatcherKind::NullWatcher
    }
}
