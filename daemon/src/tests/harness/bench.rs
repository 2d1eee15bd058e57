//! The indexer by itself, whose orders come from the test, and whose mind waits for the test before
//! every batch.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, mpsc as gates};
use std::time::Duration;

use daemon_protocol::{IndexStatus, Phase};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Script, Scripted, settings, within};
use crate::Settings;
use crate::index::Indexer;
use crate::patience::Pulse;
use crate::shared::Shared;
use crate::store::Scope;

pub(in super::super) const BULK: &str = "a bell\n";
pub(in super::super) const SAVED: &str = "an anchor\n";

/// See the module.
pub(in super::super) struct Bench {
    pub(in super::super) notes: PathBuf,
    pub(in super::super) script: Arc<Script>,
    pub(in super::super) shared: Arc<Shared>,
    pub(in super::super) status: watch::Receiver<IndexStatus>,
    pub(in super::super) gate: gates::Sender<()>,
    /// Batches let through the gate so far.
    pub(in super::super) passed: usize,
    pub(in super::super) stop: CancellationToken,
    pub(in super::super) tasks: JoinSet<()>,
    _dir: TempDir,
}

impl Bench {
    /// An indexer that waits for its first order.
    pub(in super::super) async fn new() -> Bench {
        Bench::rescanning(Duration::from_secs(3600)).await
    }

    /// The same, and it orders a rescan itself after each `every` without one.
    pub(in super::super) async fn rescanning(every: Duration) -> Bench {
        let dir = TempDir::new().unwrap();
        let notes = dir.path().canonicalize().unwrap().join("notes");
        fs::create_dir(&notes).unwrap();
        let script = Arc::new(Script::default());
        let (gate, waiting) = gates::channel();
        *script.embed_gate.lock().unwrap() = Some(waiting);
        let backend = Arc::new(Scripted(Arc::clone(&script)));
        let (fatal, _failures) = mpsc::channel(1);
        let settings = Settings { rescan_every: every, ..settings(dir.path()) };
        let shared = within(Shared::start(backend, settings, fatal)).await.unwrap();
        shared.folders.add(notes.to_str().unwrap(), &Pulse::default()).unwrap();
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(Indexer::new(Arc::clone(&shared), stop.clone()).run());
        let status = shared.status.subscribe();
        Bench { notes, script, shared, status, gate, passed: 0, stop, tasks, _dir: dir }
    }

    pub(in super::super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.notes.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes `count` files of the same text.
    pub(in super::super) fn bulk(&self, stem: &str, count: usize, text: &str) -> BTreeSet<PathBuf> {
        (0..count).map(|number| self.write(&format!("{stem}{number:03}.md"), text)).collect()
    }

    /// Waits until the mind stands at the gate with a batch.
    pub(in super::super) async fn at_gate(&self) {
        let mut batches = self.script.batches.subscribe();
        within(batches.wait_for(|come| *come > self.passed)).await.unwrap();
    }

    /// Lets the batch through that is at the gate, or is next to come there.
    pub(in super::super) async fn pass(&mut self) {
        self.at_gate().await;
        self.gate.send(()).unwrap();
        self.passed += 1;
    }

    pub(in super::super) async fn until(&mut self, wanted: impl FnMut(&IndexStatus) -> bool) {
        within(self.status.wait_for(wanted)).await.unwrap();
    }

    /// Names of the files that have the word of [`SAVED`].
    pub(in super::super) async fn found(&self) -> Vec<String> {
        let store = Arc::clone(&self.shared.generations.serving().store);
        let found = within(store.by_text("anchor".to_owned(), 10, Scope::All)).await.unwrap();
        found.iter().map(|found| found.path.rsplit('/').next().unwrap().to_owned()).collect()
    }

    /// From now on the mind waits for nothing.
    pub(in super::super) fn open_gate(&mut self) {
        let (gate, _) = gates::channel();
        self.gate = gate;
    }

    /// From now on the mind waits for the test again.
    pub(in super::super) fn close_gate(&mut self) {
        let (gate, waiting) = gates::channel();
        self.gate = gate;
        *self.script.embed_gate.lock().unwrap() = Some(waiting);
        self.passed = *self.script.batches.borrow();
    }

    /// Opens the gate, waits until all of `documents` are indexed, and ends everything.
    pub(in super::super) async fn finish(self, documents: usize) {
        let Bench { gate, shared, mut status, stop, tasks, .. } = self;
        drop(gate);
        let done = status.wait_for(|status| status.phase == Phase::Idle);
        let last = within(done).await.unwrap().clone();
        assert_eq!((last.documents, last.problem_count), (documents, 0));
        stop.cancel();
        within(tasks.join_all()).await;
        let minds = tokio::task::spawn_blocking(move || shared.end_minds());
        assert!(within(minds).await.unwrap());
    }
}
