//! What the system reports -> paths in a queue, and word of what did not get there.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind};
use tokio::sync::{Notify, mpsc};

use crate::limits::FOLDERS_MAX;

/// What the system told of a path.
pub(super) struct Told {
    pub(super) path: PathBuf,
    /// Whether it was removed or renamed, or another came to be there: no watch of it can be relied on.
    pub(super) is_other: bool,
    /// Whether whoever changed it is done: it was closed, or another was put in its place at once.
    pub(super) is_whole: bool,
}

/// Set when something was lost.
#[derive(Default)]
pub(super) struct Lost {
    pub(super) flag: AtomicBool,
    pub(super) set: Notify,
    /// Folders that could not be watched, and why, where the system says so only later.
    unwatched: Mutex<Vec<(PathBuf, String)>>,
}

impl Lost {
    pub(super) fn unwatched(&self) -> MutexGuard<'_, Vec<(PathBuf, String)>> {
        self.unwatched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Called on the system's thread, which must not be held up.
pub(super) fn report(event: notify::Result<Event>, sender: &mpsc::Sender<Told>, lost: &Lost) {
    let lose = || {
        lost.flag.store(true, Ordering::Relaxed);
        lost.set.notify_one();
    };
    let event = match event {
        Ok(event) => event,
        Err(error) => {
            let reason = explain(&error);
            tracing::warn!(reason, "watching");
            let mut unwatched = lost.unwatched();
            // One for each folder that may be concerned is plenty.
            let room = FOLDERS_MAX.saturating_sub(unwatched.len());
            unwatched.extend(error.paths.into_iter().take(room).map(|path| (path, reason.clone())));
            drop(unwatched);
            return lose();
        }
    };
    if event.need_rescan() {
        return lose();
    }
    // Reading is reported too, and the indexer reads.
    let is_closed = event.kind == EventKind::Access(AccessKind::Close(AccessMode::Write));
    if matches!(event.kind, EventKind::Access(_)) && !is_closed {
        return;
    }
    let is_other =
        matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)));
    let is_put = matches!(event.kind, EventKind::Modify(ModifyKind::Name(mode))
        if matches!(mode, RenameMode::To | RenameMode::Both));
    let is_whole = is_closed || is_put;
    for path in event.paths {
        if sender.try_send(Told { path, is_other, is_whole }).is_err() {
            lose();
        }
    }
}

/// Why an error keeps a folder from being watched, and what can be done about it.
pub(super) fn explain(error: &notify::Error) -> String {
    let os_limit = match &error.kind {
        notify::ErrorKind::MaxFilesWatch => Some("fs.inotify.max_user_watches=1048576"),
        // EMFILE: the number of watchers, not of what they watch.
        notify::ErrorKind::Io(io) if io.raw_os_error() == Some(24) => {
            Some("fs.inotify.max_user_instances=1024")
        }
        _ => None,
    };
    match os_limit {
        Some(setting) => unwatched(&format!(
            "the system's limit is reached; raise it with `sudo sysctl -w {setting}`"
        )),
        None => unwatched(&error.to_string()),
    }
}

fn unwatched(reason: &str) -> String {
    format!("changes are found by the periodic rescan only: {reason}")
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use notify::event::{CreateKind, Flag, RemoveKind};

    use super::*;

    fn event(kind: EventKind, paths: &[&str]) -> Event {
        paths.iter().fold(Event::new(kind), |event, path| event.add_path(path.into()))
    }

    #[test]
    fn a_file_is_whole_once_it_is_closed_or_put_in_place() {
        let named = |mode| EventKind::Modify(ModifyKind::Name(mode));
        for (kind, expected) in [
            (EventKind::Create(CreateKind::File), [false]),
            (EventKind::Modify(ModifyKind::Any), [false]),
            (EventKind::Access(AccessKind::Close(AccessMode::Write)), [true]),
            (named(RenameMode::From), [false]),
            (named(RenameMode::To), [true]),
            (EventKind::Remove(RemoveKind::File), [false]),
        ] {
            let (sender, mut events) = mpsc::channel(2);
            report(Ok(event(kind, &["/a/b"])), &sender, &Lost::default());
            let told = std::iter::from_fn(|| events.try_recv().ok());
            let whole: Vec<bool> = told.map(|told| told.is_whole).collect();
            assert_eq!(whole, expected, "{kind:?}");
        }
    }

    #[test]
    fn what_is_lost_on_the_way_is_known_to_be_lost() {
        let saved = EventKind::Modify(ModifyKind::Any);
        let read = EventKind::Access(AccessKind::Read);
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        let limit = notify::Error::new(notify::ErrorKind::MaxFilesWatch).add_path("/a".into());
        for (what, event, queued, is_lost, unwatched) in [
            ("room for all", Ok(event(saved, &["/a/b", "/a/c"])), 2, false, 0),
            ("room for some", Ok(event(saved, &["/a/b", "/a/c", "/a/d"])), 2, true, 0),
            ("files that were read", Ok(event(read, &["/a/b", "/a/c", "/a/d"])), 0, false, 0),
            ("the system's own queue was full", Ok(overflow), 0, true, 0),
            ("a new folder past the system's limit", Err(limit), 0, true, 1),
        ] {
            let (sender, mut events) = mpsc::channel(2);
            let lost = Lost::default();
            report(event, &sender, &lost);
            let come = std::iter::from_fn(|| events.try_recv().ok()).count();
            let is_told = lost.set.notified().now_or_never().is_some();
            let is_set = lost.flag.load(Ordering::Relaxed);
            assert_eq!((come, is_set, is_told), (queued, is_lost, is_lost), "{what}");
            assert_eq!(lost.unwatched().len(), unwatched, "{what}");
        }
    }
}
