//! While another model is filled, what serves stays as new as the disk, and nothing is lost.

use std::collections::BTreeSet;
use std::fs;

use daemon_protocol::{IndexStatus, Phase, Request};

use super::harness::bench::{BULK, Bench, SAVED};
use super::harness::{World, within};
use crate::mailbox::Cause;

impl Bench {
    /// Indexes so many files besides those that are there.
    async fn filled(&mut self, count: usize) {
        self.open_gate();
        self.bulk("old", count, BULK);
        self.shared.mailbox.rescan(Cause::Start);
        self.until(|status| status.phase == Phase::Idle && status.documents >= count).await;
    }

    /// Begins to fill another model, and waits until it embeds.
    async fn switch(&mut self, name: &'static str) {
        self.close_gate();
        *self.script.name.lock().unwrap() = Some(name);
        within(self.shared.reload()).await.unwrap();
        self.at_gate().await;
    }

    fn model(&self) -> String {
        self.shared.generations.serving().card.name.clone()
    }
}

fn is_over(status: &IndexStatus) -> bool {
    status.phase == Phase::Idle && status.next.is_none()
}

#[tokio::test]
async fn what_is_saved_or_deleted_meanwhile_is_found_or_gone_at_once() {
    let mut bench = Bench::new().await;
    let gone = bench.write("gone.md", SAVED);
    bench.filled(60).await;
    assert_eq!(bench.found().await, ["gone.md"]);

    bench.switch("second").await;
    fs::remove_file(&gone).unwrap();
    let saved = bench.write("saved.md", SAVED);
    bench.shared.mailbox.changed(BTreeSet::from([gone, saved]));
    // The batch of the fill that was in work, and the file's own.
    bench.pass().await;
    bench.pass().await;
    bench.at_gate().await;
    assert_eq!(bench.found().await, ["saved.md"]);
    assert_eq!(bench.model(), "first");
    let status = bench.status.borrow().clone();
    let next = status.next.expect("it is filled");
    assert_eq!((next.model.as_str(), next.lacks), ("second", None));
    assert_eq!(status.documents, 61);

    bench.open_gate();
    bench.until(is_over).await;
    assert_eq!(bench.model(), "second");
    assert_eq!(bench.found().await, ["saved.md"]);
    bench.finish(61).await;
}

#[tokio::test]
async fn what_lacks_a_document_does_not_take_over_until_it_is_back() {
    let mut bench = Bench::new().await;
    bench.write("kept.md", SAVED);
    bench.filled(60).await;
    bench.switch("second").await;
    let away = bench.notes.with_file_name("away");
    fs::rename(&bench.notes, &away).unwrap();
    bench.open_gate();
    bench
        .until(|status| {
            let lacks = status.next.as_ref().and_then(|next| next.lacks.as_ref());
            status.phase == Phase::Idle && lacks.is_some()
        })
        .await;
    assert_eq!(
        (bench.model().as_str(), bench.found().await),
        ("first", vec!["kept.md".to_owned()])
    );

    // A third is filled in its place, and the first again.
    *bench.script.name.lock().unwrap() = Some("first");
    within(bench.shared.reload()).await.unwrap();
    bench.until(is_over).await;
    assert_eq!(bench.model(), "first");
    *bench.script.name.lock().unwrap() = Some("third");
    within(bench.shared.reload()).await.unwrap();
    bench.until(|status| status.phase == Phase::Idle && status.next.is_some()).await;

    fs::rename(&away, &bench.notes).unwrap();
    bench.shared.mailbox.rescan(Cause::Sync);
    bench.until(is_over).await;
    assert_eq!(bench.model(), "third");
    assert_eq!(bench.found().await, ["kept.md"]);
    bench.finish(61).await;
}

#[tokio::test]
async fn what_the_new_model_cannot_embed_does_not_hold_it_up() {
    let mut bench = Bench::new().await;
    bench.write("poison.md", SAVED);
    bench.filled(9).await;
    *bench.script.poison.lock().unwrap() = Some("anchor");
    *bench.script.name.lock().unwrap() = Some("second");
    within(bench.shared.reload()).await.unwrap();
    bench.until(|status| is_over(status) && status.documents == 9).await;
    let status = bench.status.borrow().clone();
    assert_eq!(bench.model(), "second");
    assert!(status.problems[0].path.ends_with("poison.md"), "{status:?}");
    assert_eq!(status.problem_count, 1);
    *bench.script.poison.lock().unwrap() = None;
    let path = bench.write("poison.md", "an anchor, and more\n");
    bench.shared.mailbox.changed(BTreeSet::from([path]));
    bench.until(|status| status.problem_count == 0).await;
    bench.finish(10).await;
}

#[tokio::test]
async fn a_start_in_the_middle_goes_on_serving_the_model_before() {
    let (world, mut talk) = World::watching().await;
    world.write("a.md", SAVED);
    talk.sync().await;
    // The settings name another, whose vectors wait.
    *world.script.name.lock().unwrap() = Some("second");
    let (gate, waiting) = std::sync::mpsc::channel();
    *world.script.embed_gate.lock().unwrap() = Some(waiting);
    let world = world.restart().await;
    let mut talk = world.connect().await;
    assert_eq!(talk.find("anchor").await, ["a.md"]);
    let id = talk.fresh_id();
    talk.send(Request::Subscribe { id }).await;
    let status = talk.until(|status| status.next.is_some()).await;
    assert_eq!(status.documents, 1);
    assert_eq!(world.script.served.lock().unwrap().as_deref(), Some("first"));
    drop(gate);
    talk.until(is_over).await;
    assert_eq!(talk.find("anchor").await, ["a.md"]);
    assert_eq!(world.script.served.lock().unwrap().as_deref(), Some("second"));
    world.stop().await.unwrap();
}
