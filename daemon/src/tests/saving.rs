//! A file that was just saved is found before the rest of a long round, and even if nobody reports
//! it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use daemon_protocol::Phase;
use notify::event::{Event, EventKind, Flag, ModifyKind};
use notify::{Config, RecommendedWatcher, Watcher};

use super::harness::bench::{BULK, Bench, SAVED};
use super::harness::{Recorder, within};
use crate::edition;
use crate::limits::WORKS_MAX;
use crate::mailbox::Cause;
use crate::watch::Watch;

/// Batches from the order to look at a saved file until it is found: the one in work, and its own.
const BATCHES: usize = 2;
impl Bench {
    /// Starts a round that finds `count` files, one passage each, and waits until it embeds.
    async fn walk(&mut self, count: usize) {
        self.bulk("walked", count, BULK);
        self.shared.mailbox.rescan(Cause::Start);
        self.until(|status| status.round_total == count).await;
        self.at_gate().await;
    }

    /// Fails unless `path`, just saved and reported, is found after [`BATCHES`].
    async fn finds(&mut self, path: &Path) {
        assert!(self.found().await.is_empty(), "found before it is embedded");
        for _ in 0..BATCHES {
            self.pass().await;
        }
        let (key, hash) = (path.to_str().unwrap(), edition::hash(SAVED.as_bytes()));
        let shared = Arc::clone(&self.shared);
        let indexed = || {
            let engine = shared.generations.serving();
            let known = engine.catalogue.read();
            known.get(key).is_some_and(|known| known.stamp.hash == hash)
        };
        self.until(|_| indexed()).await;
        assert_eq!(self.found().await, [path.file_name().unwrap().to_str().unwrap()]);
        assert_ne!(self.status.borrow().phase, Phase::Idle, "the round had ended anyway");
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
    let (sender, receiver) = std::sync::mpsc::channel();
    let watch = Watch::by(Arc::clone(&bench.shared), bench.stop.clone(), |handler| {
        let system = RecommendedWatcher::new(handler, Config::default())?;
        let (recorder, watched) = Recorder::new(Some(system), &Arc::new(usize::MAX.into()));
        sender.send(watched).unwrap();
        Ok(Box::new(recorder))
    });
    bench.tasks.spawn(watch.run());
    let mut watched = receiver.recv().unwrap();
    bench.until(|status| status.round_total == 100).await;
    bench.at_gate().await;
    within(watched.wait_for(|record| !record.is_empty())).await.unwrap();
    let path = bench.write("walked050.md", SAVED);
    // The indexer takes no orders at the gate; the first may be to look at what is newly watched.
    let mut changed = BTreeSet::new();
    while !changed.contains(&path) {
        within(bench.shared.mailbox.arrived()).await;
        changed.extend(bench.shared.mailbox.take().into_iter().flat_map(|orders| orders.changed));
    }
    bench.shared.mailbox.changed(changed);
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
