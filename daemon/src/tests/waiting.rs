//! Indexing that waits: for a person, for the battery, for other programs.

use std::collections::BTreeSet;
use std::fs;
use std::sync::mpsc as gates;

use daemon_protocol::{DaemonStatus, ErrorKind, Event, Failure, Phase, Request};

use super::harness::bench::{BULK, Bench, SAVED};
use super::harness::{Talk, World, question, within};
use crate::limits::{PAUSE_MAX, SAVED_FEW};
use crate::mailbox::Cause;
use crate::manners::Seen;

const LOW: Seen = Seen { battery_percent: Some(12), others_percent: None };
const BUSY: Seen = Seen { battery_percent: None, others_percent: Some(80) };

impl Talk {
    async fn told(&mut self, make: impl FnOnce(u64) -> Request) -> Result<DaemonStatus, Failure> {
        let id = self.fresh_id();
        self.send(make(id)).await;
        match self.event().await {
            Event::Status { status, .. } => Ok(*status),
            Event::Failed { error, .. } => Err(error),
            other => panic!("{other:?}"),
        }
    }

    async fn pause(&mut self, seconds: Option<u64>) -> Option<String> {
        self.told(|id| Request::Pause { id, seconds }).await.unwrap().index.waiting
    }

    async fn resume(&mut self) -> Option<String> {
        self.told(|id| Request::Resume { id }).await.unwrap().index.waiting
    }

    async fn waiting(&mut self) -> Option<String> {
        self.told(|id| Request::Status { id }).await.unwrap().index.waiting
    }
}

#[tokio::test]
async fn a_pause_holds_all_that_is_new_and_nothing_that_is_gone() {
    const PAUSED: &str = "paused until it is resumed";
    let (world, mut talk) = World::watching().await;
    let old = world.write("old.md", "an anchor");
    assert_eq!(talk.sync().await.documents, 1);
    assert_eq!(talk.pause(None).await.as_deref(), Some(PAUSED));
    assert_eq!(talk.waiting().await.as_deref(), Some(PAUSED));
    world.write("new.md", "an anchor");
    fs::remove_file(old).unwrap();
    // Who waits is told, and why there is no more.
    let status = talk.sync().await;
    assert_eq!((status.documents, status.waiting.as_deref()), (0, Some(PAUSED)));
    assert_eq!((status.round_total, status.round_done, status.phase), (1, 0, Phase::Encoding));
    assert!(talk.find("anchor").await.is_empty());

    // Another start is no reason to go on.
    let world = world.restart().await;
    let mut talk = world.connect().await;
    assert_eq!(talk.waiting().await.as_deref(), Some(PAUSED));
    assert_eq!(talk.sync().await.documents, 0);
    assert_eq!(talk.resume().await, None);
    assert_eq!(talk.sync().await.documents, 1);
    assert_eq!(talk.find("anchor").await, ["new.md"]);
    let world = world.restart().await;
    assert_eq!(world.connect().await.waiting().await, None);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_pause_ends_by_itself() {
    let (world, mut talk) = World::watching().await;
    let told = talk.pause(Some(7200)).await;
    assert_eq!(told.as_deref(), Some("paused for 2 h more"));
    let days = PAUSE_MAX.as_secs() + 1;
    let refused = talk.told(|id| Request::Pause { id, seconds: Some(days) }).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Invalid);
    assert_eq!(talk.waiting().await, told, "what was refused has changed nothing");

    // The seconds of a second pause count, and the indexer goes on when they are over.
    talk.pause(Some(1)).await;
    world.write("new.md", "an anchor");
    talk.send(Request::Subscribe { id: 0 }).await;
    let status = talk.until(|status| status.documents == 1 && status.phase == Phase::Idle).await;
    assert_eq!(status.waiting, None);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn questions_are_answered_during_a_pause() {
    let (world, mut talk) = World::watching().await;
    world.write("old.md", "an anchor");
    talk.sync().await;
    talk.pause(None).await;
    assert_eq!(talk.ask(question("anchor")).await.unwrap().names(), ["old.md"]);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_low_battery_is_spared_but_for_what_someone_waits_for() {
    const WHY: &str = "on battery, which has 12 % left";
    let mut bench = Bench::new().await;
    bench.open_gate();
    bench.script.machine.is(LOW);
    bench.bulk("walked", 40, BULK);
    bench.shared.mailbox.rescan(Cause::Start);
    bench.until(|status| status.waiting.as_deref() == Some(WHY)).await;
    assert_eq!(bench.status.borrow().round_total, 40, "{WHY}");
    // A file that was saved by hand is embedded, many at once are not.
    let path = bench.write("new.md", SAVED);
    bench.shared.mailbox.changed(BTreeSet::from([path]));
    bench.until(|status| status.documents == 1 && status.waiting.as_deref() == Some(WHY)).await;
    assert_eq!(bench.found().await, ["new.md"]);
    bench.shared.mailbox.changed(bench.bulk("out", SAVED_FEW + 1, BULK));
    let total = 41 + SAVED_FEW + 1;
    bench.until(|status| status.round_total == total && status.waiting.is_some()).await;
    assert_eq!(bench.status.borrow().documents, 1, "{WHY}");
    // What someone waits for is made, whoever else there is.
    within(bench.shared.mailbox.sync(false)).await.unwrap();
    assert_eq!(bench.status.borrow().documents, total, "{WHY}");
    bench.bulk("later", 3, BULK);
    bench.shared.mailbox.rescan(Cause::Periodic);
    bench.until(|status| status.waiting.is_some()).await;
    bench.script.machine.is(Seen::default());
    bench.until(|status| status.documents == total + 3 && status.waiting.is_none()).await;
    bench.finish(total + 3).await;
}

#[tokio::test]
async fn beside_others_it_goes_on_slowly_and_says_so() {
    let mut bench = Bench::new().await;
    bench.script.machine.is(BUSY);
    bench.bulk("walked", 40, BULK);
    bench.shared.mailbox.rescan(Cause::Start);
    let why = "slow, since other programs use 80 % of the processors";
    bench.pass().await;
    // It is told after a batch, and stands at the gate with the next.
    bench.at_gate().await;
    bench.until(|status| status.waiting.as_deref() == Some(why)).await;
    bench.open_gate();
    bench.until(|status| status.documents == 40 && status.waiting.is_none()).await;
    bench.finish(40).await;
}

#[tokio::test]
async fn no_batch_comes_between_the_parts_of_an_answer() {
    let (world, mut talk) = World::watching().await;
    world.write("old.md", "an anchor");
    talk.sync().await;
    let (gate, waiting) = gates::channel();
    *world.script.embed_gate.lock().unwrap() = Some(waiting);
    let mut batches = world.script.batches.subscribe();
    let before = *batches.borrow_and_update();
    for number in 0..40 {
        world.write(&format!("bulk{number}.md"), BULK);
    }
    let mut watcher = world.connect().await;
    watcher.send(Request::Subscribe { id: 1 }).await;
    within(batches.wait_for(|come| *come > before)).await.unwrap();
    world.script.order.lock().unwrap().clear();
    let asked = talk.begin(question("anchor")).await;
    drop(gate);
    talk.answer(asked).await.unwrap();
    let order = world.script.order.lock().unwrap().clone();
    let parts: Vec<usize> =
        (0..order.len()).filter(|at| ["query", "think"].contains(&order[*at])).collect();
    let (first, last) = (parts[0], parts[parts.len() - 1]);
    assert!(parts.len() >= 3, "{order:?}");
    assert!(!order[first..last].contains(&"passages"), "{order:?}");
    watcher.until(|status| status.documents == 41).await;
    world.stop().await.unwrap();
}
