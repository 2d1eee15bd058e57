//! A file that was just saved is found before the rest of a long round, and even if nobody reports
//! it: the indexer by itself, whose orders come from the test, and whose mind waits for the test
//! before every batch.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc as gates};
use std::time::Duration;

use daemon_protocol::{IndexStatus, Phase};
use futures::FutureExt;
use notify::event::{Event, EventKind, Flag, ModifyKind};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::harness::{Script, Scripted, settings, within};
use crate::Settings;
use crate::index::Indexer;
use crate::limits::WORKS_MAX;
use crate::mailbox::Cause;
use crate::patience::Pulse;
use crate::shared::Shared;
use crate::store::Scope;
use crate::watch::Watch;

/// Batches from the order to look at a saved file until it is found: the one in work, and its own.
const BATCHES: usize = 2;
const BULK: &str = "a bell\n";
const SAVED: &str = "an anchor\n";

struct Bench {
    notes: PathBuf,
    script: Arc<Script>,
    shared: Arc<Shared>,
    status: watch::Receiver<IndexStatus>,
    gate: gates::Sender<()>,
    /// Batches let through the gate so far.
    passed: usize,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    _dir: TempDir,
}

impl Bench {
    /// An indexer that waits for its first order.
    async fn new() -> Bench {
        Bench::rescanning(Duration::from_secs(3600)).await
    }

    /// The same, and it orders a rescan itself after each `every` without one.
    async fn rescanning(every: Duration) -> Bench {
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

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.notes.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes `count` files of the same text.
    fn bulk(&self, stem: &str, count: usize, text: &str) -> BTreeSet<PathBuf> {
        (0..count).map(|number| self.write(&format!("{stem}{number:03}.md"), text)).collect()
    }

    /// Waits until the mind stands at the gate with a batch.
    async fn at_gate(&self) {
        let mut batches = self.script.batches.subscribe();
        within(batches.wait_for(|come| *come > self.passed)).await.unwrap();
    }

    /// Lets the batch through that is at the gate, or is next to come there.
    async fn pass(&mut self) {
        self.at_gate().await;
        self.gate.send(()).unwrap();
        self.passed += 1;
    }

    async fn until(&mut self, wanted: impl FnMut(&IndexStatus) -> bool) {
        within(self.status.wait_for(wanted)).await.unwrap();
    }

    /// Starts a round that finds `count` files, one passage each, and waits until it embeds.
    async fn walk(&mut self, count: usize) {
        self.bulk("walked", count, BULK);
        self.shared.mailbox.rescan(Cause::Start);
        self.until(|status| status.round_total == count).await;
        self.at_gate().await;
    }

    /// Names of the files that have the word of [`SAVED`].
    async fn found(&self) -> Vec<String> {
        let store = Arc::clone(&self.shared.generations.serving().store);
        let found = within(store.by_text("anchor".to_owned(), 10, Scope::All)).await.unwrap();
        found.iter().map(|found| found.path.rsplit('/').next().unwrap().to_owned()).collect()
    }

    /// Fails unless `path`, just saved and reported, is found after [`BATCHES`].
    async fn finds(&mut self, path: &Path) {
        assert!(self.found().await.is_empty(), "found before it is embedded");
        for _ in 0..BATCHES {
            self.pass().await;
        }
        let (key, hash) = (path.to_str().unwrap(), blake3::hash(SAVED.as_bytes()).to_hex());
        let shared = Arc::clone(&self.shared);
        let indexed = || {
            let engine = shared.generations.serving();
            let known = engine.catalogue.read();
            known.get(key).is_some_and(|known| known.stamp.hash == hash.as_str())
        };
        self.until(|_| indexed()).await;
        assert_eq!(self.found().await, [path.file_name().unwrap().to_str().unwrap()]);
        assert_ne!(self.status.borrow().phase, Phase::Idle, "the round had ended anyway");
    }

    /// Opens the gate, waits until all of `documents` are indexed, and ends everything.
    async fn finish(self, documents: usize) {
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

#[tokio::test]
async fn a_saved_file_is_found_before_the_rest_of_the_round() {
    let long = "A bell rings.\n\n".repeat(600);
    let deep = WORKS_MAX + 2;
    for (what, walked, waves, text, saved) in [
        ("a walk found the others", 100, vec![], "", "new.md"),
        ("it waits among the others", 100, vec![], "", "walked099.md"),
        ("it is in work", 100, vec![], "", "walked000.md"),
        ("the others were saved too", 0, vec![100], BULK, "new.md"),
        ("the others were saved again and again", 0, vec![40; deep], BULK, "new.md"),
        ("during a walk, too", 100, vec![40; deep], BULK, "walked099.md"),
        ("the others are long", 100, vec![1; deep], &long, "new.md"),
    ] {
        println!("{what}");
        let mut bench = Bench::new().await;
        if walked > 0 {
            bench.walk(walked).await;
        }
        for (wave, count) in waves.iter().enumerate() {
            let total = bench.status.borrow().round_total + count;
            let paths = bench.bulk(&format!("wave{wave}-"), *count, text);
            bench.shared.mailbox.changed(paths);
            if total > *count {
                bench.pass().await;
            }
            bench.until(|status| status.round_total == total).await;
            bench.at_gate().await;
        }
        let path = bench.write(saved, SAVED);
        bench.shared.mailbox.changed(BTreeSet::from([path.clone()]));
        bench.finds(&path).await;
        let files = walked + waves.iter().sum::<usize>();
        bench.finish(files + usize::from(saved == "new.md")).await;
    }
}

#[tokio::test]
async fn a_file_that_is_saved_all_the_time_does_not_keep_the_others_waiting() {
    let mut bench = Bench::new().await;
    bench.walk(40).await;
    let long = "A bell rings.\n\n".repeat(600);
    let mut saves = 0;
    while bench.status.borrow().documents < 41 {
        saves += 1;
        let path = bench.write("log.md", &format!("{long}{saves}"));
        bench.shared.mailbox.changed(BTreeSet::from([path]));
        let mut batches = bench.script.batches.subscribe();
        let (passed, mut status) = (bench.passed, bench.status.clone());
        let next = async {
            tokio::select! {
                come = batches.wait_for(|come| *come > passed) => come.map(|_| true).unwrap(),
                done = status.wait_for(|status| status.documents == 41) => done.map(|_| false).unwrap(),
            }
        };
        if within(next).await {
            bench.pass().await;
        }
    }
    assert!(saves > 5, "{saves}");
    bench.finish(41).await;
}

#[tokio::test]
async fn a_saved_file_is_found_first_by_way_of_the_watcher() {
    let mut bench = Bench::new().await;
    bench.bulk("walked", 100, BULK);
    let watch = Watch::new(Arc::clone(&bench.shared), bench.stop.clone());
    bench.tasks.spawn(watch.run());
    bench.until(|status| status.round_total == 100).await;
    bench.at_gate().await;
    // What told the indexer of its round is not to be taken for the watcher's next word.
    bench.shared.mailbox.arrived().now_or_never();
    let path = bench.write("walked050.md", SAVED);
    within(bench.shared.mailbox.arrived()).await;
    bench.finds(&path).await;
    bench.finish(100).await;
}

#[tokio::test]
async fn without_a_watcher_the_periodic_rescan_finds_a_file() {
    let mut bench = Bench::rescanning(Duration::from_millis(50)).await;
    for (before, name) in ["first.md", "second.md"].into_iter().enumerate() {
        // Whole at once, since the rescan may come at any moment.
        let hidden = bench.write(".draft", SAVED);
        fs::rename(hidden, bench.notes.join(name)).unwrap();
        bench.pass().await;
        bench.until(|status| status.documents == before + 1).await;
        assert!(bench.found().await.contains(&name.to_owned()), "{name}");
    }
    bench.finish(2).await;
}

#[tokio::test]
async fn a_rescan_finds_what_the_watcher_lost() {
    let mut bench = Bench::new().await;
    let (watch, report) = Watch::deaf(Arc::clone(&bench.shared), bench.stop.clone());
    bench.write("start.md", BULK);
    bench.tasks.spawn(watch.run());
    bench.pass().await;
    bench.until(|status| (status.documents, status.phase) == (1, Phase::Idle)).await;

    // Nothing names the file that was saved: only a rescan can find it.
    let saved = Event::new(EventKind::Modify(ModifyKind::Any));
    let more_than_fits = saved.add_path("/elsewhere/a".into()).add_path("/elsewhere/b".into());
    let losses = [
        ("full.md", Ok(more_than_fits)),
        ("overflow.md", Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan))),
        ("failure.md", Err(notify::Error::generic("out of order"))),
    ];
    for (before, (name, loss)) in (1..).zip(losses) {
        bench.write(name, SAVED);
        report(loss);
        bench.pass().await;
        bench.until(|status| status.documents == before + 1).await;
        assert!(bench.found().await.contains(&name.to_owned()), "{name}");
    }
    bench.finish(4).await;
}
