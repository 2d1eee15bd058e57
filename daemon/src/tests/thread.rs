//! The mind's thread by itself: lanes, their bounds, their order.

use std::sync::{Arc, mpsc as gates};
use std::time::Duration;

use models::{Part, Sampling};
use tokio::sync::mpsc;

use super::harness::{Script, Scripted, within};
use crate::limits::LANE_INTERACTIVE_MAX;
use crate::mind::{self, JobError, Threads};

#[tokio::test]
async fn people_go_first_and_a_full_lane_says_busy() {
    let (gate, waiting) = gates::channel();
    let script = Arc::new(Script::default());
    *script.gate.lock().unwrap() = Some(waiting);
    let (fatal, _failures) = mpsc::channel(1);
    let threads = Threads::default();
    let backend = Arc::new(Scripted(Arc::clone(&script)));
    let loaded = within(mind::start(backend, None, fatal, &threads)).await.unwrap();
    let mind = &loaded.handle;
    let sampling = Sampling { thoughts: 1, ..Sampling::default() };

    // The thread stands at the gate while others queue.
    let mut thinking = mind.think("first", "", &sampling).unwrap();
    gate.send(()).unwrap();
    within(thinking.deltas.recv()).await.unwrap();
    let _later = mind.think("second", "", &sampling).unwrap();
    let behind = mind.embed_passages(vec!["a".to_owned()]);
    let before = mind.embed_query("q", Vec::new());
    let open = async {
        // Both have queued by now, since a biased join polls in order.
        drop(gate);
    };
    let (passages, query, ()) = within(async { tokio::join!(biased; behind, before, open) }).await;
    assert_eq!((passages.unwrap().len(), query.is_ok()), (1, true));
    // A vector first, then thoughts, then what nobody waits for.
    assert_eq!(*script.order.lock().unwrap(), ["think", "query", "think", "passages"]);
    assert_eq!(within(thinking.thoughts()).await.unwrap().len(), 1);

    // Without a handle the thread has nobody to work for.
    drop(loaded);
    let joined = tokio::task::spawn_blocking(move || threads.join());
    assert!(within(joined).await.unwrap());
}

#[tokio::test]
async fn askers_that_left_leave_room() {
    let (gate, waiting) = gates::channel();
    let script = Arc::new(Script::default());
    *script.gate.lock().unwrap() = Some(waiting);
    let (fatal, _failures) = mpsc::channel(1);
    let threads = Threads::default();
    let backend = Arc::new(Scripted(script));
    let loaded = within(mind::start(backend, None, fatal, &threads)).await.unwrap();
    let mind = &loaded.handle;
    let sampling = Sampling { thoughts: 1, ..Sampling::default() };
    let mut first = mind.think("first", "", &sampling).unwrap();
    gate.send(()).unwrap();
    within(first.deltas.recv()).await.unwrap();
    let held: Vec<_> =
        (0..LANE_INTERACTIVE_MAX).map(|_| mind.think("waiting", "", &sampling).unwrap()).collect();
    assert!(matches!(mind.think("one too many", "", &sampling), Err(JobError::Busy)));
    drop(held);
    let last = mind.think("there is room", "", &sampling).unwrap();
    drop(gate);
    assert_eq!(within(last.thoughts()).await.unwrap().len(), 1);
    mind.close();
    assert!(matches!(mind.think("closed", "", &sampling), Err(JobError::Gone)));
}

#[tokio::test]
async fn a_mind_without_work_rests_once_and_wakes_for_a_job() {
    let script = Arc::new(Script::default());
    let (fatal, _failures) = mpsc::channel(1);
    let threads = Threads::default();
    let backend = Arc::new(Scripted(Arc::clone(&script)));
    let idle = Duration::from_millis(20);
    let loaded = within(mind::start(backend, Some(idle), fatal, &threads)).await.unwrap();
    let mut rests = script.rests.subscribe();
    for expected in 1..=2 {
        within(rests.wait_for(|rests| *rests == expected)).await.unwrap();
        // It waits for a job now and for nothing else: in five times as long it rests no further time.
        let again = tokio::time::timeout(5 * idle, rests.wait_for(|rests| *rests > expected));
        assert!(again.await.is_err());
        within(loaded.handle.embed_query("q", Vec::new())).await.unwrap();
    }
}

#[tokio::test]
async fn parts_are_woken_after_who_waits_and_before_the_indexer() {
    let script = Arc::new(Script::default());
    let (open, gate) = gates::channel();
    *script.gate.lock().unwrap() = Some(gate);
    let (fatal, _failures) = mpsc::channel(1);
    let threads = Threads::default();
    let backend = Arc::new(Scripted(Arc::clone(&script)));
    let loaded = within(mind::start(backend, None, fatal, &threads)).await.unwrap();
    let mind = &loaded.handle;
    // It thinks, and waits at the gate while the rest arrives.
    let thinking = mind.think("q", "", &Sampling { thoughts: 1, ..Sampling::default() }).unwrap();
    let passages = mind.embed_passages(vec!["text".to_owned()]);
    tokio::pin!(passages);
    assert!(tokio::time::timeout(Duration::ZERO, &mut passages).await.is_err());
    mind.wake([Part::Reading, Part::Thinking]);
    mind.wake([Part::Thinking]);
    let query = mind.embed_query("q", Vec::new());
    tokio::pin!(query);
    assert!(tokio::time::timeout(Duration::ZERO, &mut query).await.is_err());
    drop(open);
    within(thinking.thoughts()).await.unwrap();
    within(query).await.unwrap();
    within(passages).await.unwrap();
    let expected = ["think", "query", "wake to read", "wake to think", "passages"];
    assert_eq!(*script.order.lock().unwrap(), expected);
}
