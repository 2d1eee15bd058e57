//! An index that several machines share: one writes it, the others read it, and take over.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use daemon_protocol::{Event, Request};
use tokio::sync::watch;

use super::harness::{Script, Talk, World, within};
use crate::Standing;
use crate::store::memory::MemoryStore;

const HOLDER: &str = "ada's machine writes the index";

/// A machine that may write, or not, with these stores.
async fn machine(stores: &HashMap<String, Arc<MemoryStore>>, standing: Standing) -> World {
    let script = Script {
        stores: Mutex::new(stores.clone()),
        standing: Some(watch::Sender::new(standing)),
        ..Script::default()
    };
    World::with(Arc::new(script)).await
}

/// One that writes and has indexed a note, and one that reads the same index.
async fn two() -> (World, Talk, World, Talk) {
    let writer = machine(&HashMap::new(), Standing::Writes).await;
    let mut talk = writer.connect().await;
    writer.write("of-the-writer.md", "an anchor\n");
    talk.add(&writer.notes).await.unwrap();
    talk.sync().await;
    let stores = writer.script.stores.lock().unwrap().clone();
    let reader = machine(&stores, Standing::Reads(HOLDER.to_owned())).await;
    let reading = reader.connect().await;
    (writer, talk, reader, reading)
}

fn stand(world: &World, standing: Standing) {
    world.script.standing.as_ref().unwrap().send_replace(standing);
}

async fn subscribed(world: &World) -> Talk {
    let mut talk = world.connect().await;
    let id = talk.fresh_id();
    talk.send(Request::Subscribe { id }).await;
    talk
}

#[tokio::test]
async fn who_reads_answers_from_what_others_write_and_says_who_they_are() {
    let (writer, mut writing, reader, mut reading) = two().await;
    assert_eq!(reading.find("anchor").await, ["of-the-writer.md"]);
    let mut told = subscribed(&reader).await;
    let status = told.until(|status| status.documents == 1).await;
    assert_eq!((status.waiting.as_deref(), status.storing), (Some(HOLDER), None));
    for refused in [reading.add(&reader.notes).await, reading.remove(&reader.notes).await] {
        let error = refused.unwrap_err();
        assert_eq!(error.message, HOLDER);
        assert!(error.hint.unwrap().contains("takes over"));
    }
    assert!(reading.list().await.is_empty());
    // What the writer saves is known without a question.
    writer.write("later.md", "a bell\n");
    writing.sync().await;
    told.until(|status| status.documents == 2).await;
    assert_eq!(reading.find("bell").await, ["later.md"]);
    reader.stop().await.unwrap();
    writer.stop().await.unwrap();
}

#[tokio::test]
async fn who_takes_over_indexes_its_own_and_keeps_what_others_have_indexed() {
    let (writer, _writing, reader, mut reading) = two().await;
    writer.stop().await.unwrap();
    stand(&reader, Standing::Writes);
    let mut told = subscribed(&reader).await;
    told.until(|status| status.waiting.is_none()).await;
    reader.write("of-the-reader.md", "a compass\n");
    reading.add(&reader.notes).await.unwrap();
    let status = reading.sync().await;
    assert_eq!((status.documents, status.problem_count), (2, 0));
    assert_eq!(reading.find("anchor").await, ["of-the-writer.md"]);
    assert_eq!(reading.find("compass").await, ["of-the-reader.md"]);
    // What is its own it forgets: a file that is deleted, and a folder that is taken out.
    reader.write("second.md", "a gong\n");
    assert_eq!(reading.sync().await.documents, 3);
    std::fs::remove_file(reader.notes.join("second.md")).unwrap();
    assert_eq!(reading.sync().await.documents, 2);
    reading.remove(&reader.notes).await.unwrap();
    assert_eq!(reading.sync().await.documents, 1);
    assert_eq!(reading.find("anchor").await, ["of-the-writer.md"]);
    let script = Arc::clone(&reader.script);
    reader.stop().await.unwrap();
    assert_eq!(script.let_go.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn who_may_not_write_any_more_goes_on_where_it_was_once_it_may() {
    let (writer, mut writing, reader, _reading) = two().await;
    let (opener, gate) = std::sync::mpsc::channel();
    *writer.script.embed_gate.lock().unwrap() = Some(gate);
    let mut batches = writer.script.batches.subscribe();
    batches.borrow_and_update();
    writer.write("in-work.md", "a bell\n");
    within(batches.changed()).await.unwrap();
    // It is being embedded when the store goes away.
    let store = writer.script.stores.lock().unwrap().values().next().unwrap().clone();
    store.fail(Some(("", "it does not answer")));
    stand(&writer, Standing::Reads("the store does not answer".to_owned()));
    drop(opener);
    let mut told = subscribed(&writer).await;
    let status = told.until(|status| status.waiting.is_some()).await;
    assert_eq!(status.documents, 1);
    let id = writing.fresh_id();
    writing.send(Request::Sync { id, full: false }).await;
    let Event::Failed { error, .. } = writing.event().await else { panic!("it was not refused") };
    assert!(error.message.contains("does not answer"), "{error}");
    writer.write("meanwhile.md", "a gong\n");
    store.fail(None);
    stand(&writer, Standing::Writes);
    told.until(|status| status.waiting.is_none() && status.documents == 3).await;
    assert_eq!(writing.find("bell gong").await, ["in-work.md", "meanwhile.md"]);
    reader.stop().await.unwrap();
    writer.stop().await.unwrap();
}
