//! Questions: order of events, newest wins, cancelling, degrading, refusing.

use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use daemon_protocol::{Ask, ErrorKind, Event, Hit, QUESTION_CHARS_MAX, Request, Stage};

use super::harness::{Script, Talk, World, question};

/// A world with three notes whose mind waits at a gate before every token.
async fn gated() -> (World, Talk, mpsc::Sender<()>) {
    let (gate, waiting) = mpsc::channel();
    let script = Arc::new(Script::default());
    *script.gate.lock().unwrap() = Some(waiting);
    let (world, talk) = indexed(script).await;
    (world, talk, gate)
}

/// A world with three notes, indexed, and a client.
async fn indexed(script: Arc<Script>) -> (World, Talk) {
    let world = World::with(script).await;
    write_notes(&world);
    let mut talk = world.connect().await;
    talk.add(&world.notes).await.unwrap();
    talk.sync().await;
    (world, talk)
}

fn write_notes(world: &World) {
    world.write("lamp.md", "# Lamp\n\nThe keeper of the lighthouse fills the lamp with oil.\n");
    world.write("deep/bread.md", "# Bread\n\nA sourdough loaf needs flour, water and time.\n");
    world.write("deep/sail.txt", "Sailing past the lighthouse at night.\n");
}

async fn expect_thought(talk: &mut Talk, asked: u64) {
    loop {
        match talk.event().await {
            Event::Thought { id, .. } if id == asked => return,
            Event::Hits { id, .. } if id == asked => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn draft_then_thought_then_final_then_done() {
    let (world, mut talk) = World::watching().await;
    write_notes(&world);
    assert_eq!(talk.sync().await.documents, 3);
    let answer = talk.ask(question("who keeps the lighthouse lamp?")).await.unwrap();
    assert_eq!(answer.order, ["draft", "thought", "final", "done"]);
    assert_eq!(answer.names()[0], "lamp.md");
    assert!(answer.thought.contains("thought 1 about who keeps"), "{}", answer.thought);
    let hit = &answer.hits[0];
    assert_eq!((hit.title.as_str(), hit.line, hit.line_end), ("Lamp", 1, 3));
    assert_eq!((hit.ranks.text, hit.ranks.draft), (Some(1), Some(1)));
    assert!(hit.ranks.vector.is_some() && hit.score > answer.hits[1].score);
    let (start, end) = hit.highlights[0];
    assert!(!hit.snippet[start..end].is_empty());
    assert!(answer.draft.iter().all(|hit| hit.ranks.draft.is_none()));
    assert!(answer.timings.first_token_ms.is_some() && answer.timings.thought_tokens > 5);
    assert_eq!(answer.timings.degraded, None);

    let ask = Ask { thoughts: Some(0), limit: 1, ..question("sourdough") };
    let answer = talk.ask(ask).await.unwrap();
    assert_eq!(answer.order, ["final", "done"]);
    assert_eq!(answer.names(), ["bread.md"]);
    assert_eq!(answer.timings.thought_tokens, 0);
    world.stop().await.unwrap();
}

/// A question with reading, for as long as it takes.
fn to_be_read(text: &str) -> Ask {
    Ask { read_ms: Some(60_000), ..question(text) }
}

#[tokio::test]
async fn what_is_read_moves_and_the_thought_comes_after_it() {
    let script = Arc::new(Script::default());
    *script.grounded.lock().unwrap() = true;
    let (world, mut talk) = indexed(script).await;
    // Vectors and words both put the longer one last; what is read is only whose words these are.
    world.write("night.txt", "Night. Night. Night. Ships.\n");
    talk.sync().await;
    let answer = talk.ask(to_be_read("lighthouse at night")).await.unwrap();
    assert_eq!(answer.order, ["draft", "read", "thought", "final", "done"]);
    let last = answer.read.last().unwrap();
    let read: Vec<f32> = last.iter().filter_map(|hit| hit.reading).collect();
    assert_eq!(read.len(), 4, "{last:?}");
    assert_eq!(
        (read.iter().copied().fold(f32::MIN, f32::max), answer.timings.passages_read),
        (0.0, 4)
    );
    assert!(answer.draft.iter().all(|hit| hit.reading.is_none()));
    for hit in last.iter().chain(&answer.hits) {
        let place = answer.draft.iter().position(|draft| draft.path == hit.path);
        assert_eq!(hit.ranks.draft, place.map(|index| index + 1));
    }
    let best = answer.thought.split(" given ").nth(1).unwrap();
    let name = last[0].path.rsplit('/').next().unwrap();
    let text = std::fs::read_to_string(&last[0].path).unwrap();
    assert!(best.starts_with(text.split('.').next().unwrap()), "{name}: {best}");

    // Without thoughts the last ranking by reading is the answer.
    let ask = Ask { thoughts: Some(0), ..to_be_read("lighthouse at night") };
    let answer = talk.ask(ask).await.unwrap();
    assert_eq!(answer.order, ["draft", "read", "final", "done"]);
    assert_eq!(&answer.hits, answer.read.last().unwrap());
    world.stop().await.unwrap();
}

#[tokio::test]
async fn reading_that_fails_leaves_the_draft() {
    let (world, mut talk) = indexed(Arc::new(Script::default())).await;
    *world.script.fail_reading.lock().unwrap() = Some("out of light");
    let ask = Ask { thoughts: Some(0), ..to_be_read("lighthouse lamp") };
    let answer = talk.ask(ask).await.unwrap();
    assert_eq!(answer.order, ["draft", "final", "done"]);
    assert_eq!(answer.names()[0], "lamp.md");
    assert_eq!(answer.timings.degraded.as_deref(), Some("inference: out of light"));
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_newer_question_ends_reading_between_two_batches() {
    let (world, mut talk, gate) = gated().await;
    let ask = Ask { thoughts: Some(0), ..to_be_read("lighthouse at night") };
    let first = talk.begin(ask).await;
    gate.send(()).unwrap();
    loop {
        match talk.event().await {
            Event::Hits { id, stage: Stage::Read, .. } if id == first => break,
            Event::Hits { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    // The mind now stands at the gate, before the second passage.
    let second = talk.begin(Ask { thoughts: Some(0), ..question("bread") }).await;
    assert_eq!(talk.answer(first).await.unwrap_err().kind, ErrorKind::Cancelled);
    drop(gate);
    assert_eq!(talk.answer(second).await.unwrap().names()[0], "bread.md");
    let order = world.script.order.lock().unwrap().clone();
    assert_eq!(
        order.iter().filter(|what| **what == "read").count(),
        2,
        "loading and reading: {order:?}"
    );
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_grounded_thought_comes_after_the_draft_and_is_about_what_it_found() {
    let script = Arc::new(Script::default());
    *script.grounded.lock().unwrap() = true;
    let (world, mut talk) = indexed(script).await;
    let answer = talk.ask(question("who keeps the lighthouse lamp?")).await.unwrap();
    assert_eq!(answer.order, ["draft", "thought", "final", "done"]);
    let found = "lamp? given # Lamp The keeper of the lighthouse fills the lamp with oil.";
    assert!(answer.thought.contains(found), "{}", answer.thought);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_long_document_leaves_room_for_others_and_fills_what_they_leave() {
    let (world, mut talk) = World::watching().await;
    let section =
        |number| format!("# Lighthouse {number}\n\nThe lighthouse lamp, part {number}.\n\n");
    world.write("long.md", (0..6).map(section).collect::<String>());
    world.write("other.md", "Bread, and in passing a lighthouse.\n");
    assert_eq!(talk.sync().await.passages, 7);
    for (limit, path, expected) in [
        (4, None, vec!["long.md", "long.md", "long.md", "other.md"]),
        (10, None, [&["long.md"; 3][..], &["other.md"], &["long.md"; 3]].concat()),
        (5, Some("long.md"), vec!["long.md"; 5]),
    ] {
        let path = path.map(str::to_owned);
        let ask = Ask { limit, path, ..question("lighthouse lamp") };
        let answer = talk.ask(ask).await.unwrap();
        assert_eq!(answer.names(), expected);
        // The ranks in the draft are those of the draft as it was shown.
        let drafted = |hit: &Hit| (hit.path.clone(), hit.line);
        for hit in &answer.hits {
            let place = answer.draft.iter().position(|draft| drafted(draft) == drafted(hit));
            assert_eq!(hit.ranks.draft, place.map(|index| index + 1), "{hit:?}");
        }
    }
    world.stop().await.unwrap();
}

#[tokio::test]
async fn the_newest_question_wins_though_the_mind_is_at_the_old_one() {
    let (world, mut talk, gate) = gated().await;
    let first = talk.begin(question("lighthouse")).await;
    gate.send(()).unwrap();
    expect_thought(&mut talk, first).await;
    // The mind now stands at the gate, in the middle of the first question.
    let asked = Instant::now();
    let second = talk.begin(question("bread")).await;
    match talk.event().await {
        Event::Failed { id, error } => {
            assert_eq!((id, error.kind), (first, ErrorKind::Cancelled));
        }
        other => panic!("{other:?}"),
    }
    assert!(asked.elapsed() < Duration::from_millis(100), "{:?}", asked.elapsed());
    drop(gate);
    let answer = talk.answer(second).await.unwrap();
    assert_eq!(answer.names()[0], "bread.md");
    assert_eq!(world.script.thought.load(Ordering::SeqCst), 2);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_burst_of_questions_leaves_only_the_last() {
    let (world, mut talk, gate) = gated().await;
    let first = talk.begin(question("lighthouse")).await;
    gate.send(()).unwrap();
    expect_thought(&mut talk, first).await;
    let mut last = 0;
    for _ in 0..40 {
        last = talk.begin(question("bread")).await;
    }
    let mut cancelled = 0;
    while cancelled < 40 {
        match talk.event().await {
            Event::Failed { id, error } if id < last => {
                assert_eq!(error.kind, ErrorKind::Cancelled, "{error}");
                cancelled += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    drop(gate);
    assert_eq!(talk.answer(last).await.unwrap().names()[0], "bread.md");
    world.stop().await.unwrap();
}

#[tokio::test]
async fn cancelling_ends_the_ask_and_a_stale_cancel_does_nothing() {
    let (world, mut talk, gate) = gated().await;
    let id = talk.begin(question("lighthouse")).await;
    gate.send(()).unwrap();
    expect_thought(&mut talk, id).await;
    talk.send(Request::Cancel { id: id + 7 }).await;
    talk.send(Request::Cancel { id }).await;
    assert_eq!(talk.answer(id).await.unwrap_err().kind, ErrorKind::Cancelled);
    drop(gate);
    talk.send(Request::Cancel { id }).await;
    assert!(talk.ask(question("lighthouse")).await.is_ok());
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_question_along() {
    let (world, mut talk, gate) = gated().await;
    let id = talk.begin(question(&"lighthouse ".repeat(60))).await;
    gate.send(()).unwrap();
    expect_thought(&mut talk, id).await;
    let mut other = world.connect().await;
    let waiting = other.begin(question("bread")).await;
    drop(talk);
    // The mind goes on token by token until it finds that nobody listens, then takes up the other
    // question. Were it not so, both thoughts would need some ninety tokens first.
    let mut tokens = 0;
    loop {
        match tokio::time::timeout(Duration::from_millis(50), other.event()).await {
            Ok(Event::Hits { id, .. }) if id == waiting => break,
            Ok(event) => panic!("{event:?}"),
            Err(_) => gate.send(()).unwrap(),
        }
        tokens += 1;
        assert!(tokens < 60, "the mind still thinks for someone who left");
    }
    drop(gate);
    while !matches!(other.event().await, Event::Done { id, .. } if id == waiting) {}
    world.stop().await.unwrap();
}

#[tokio::test]
async fn without_the_model_the_answer_is_worse_and_says_so() {
    let (world, mut talk) = World::watching().await;
    write_notes(&world);
    talk.sync().await;
    *world.script.fail_thinking.lock().unwrap() = Some("out of thoughts");
    let answer = talk.ask(question("lighthouse lamp")).await.unwrap();
    assert_eq!(answer.order, ["draft", "final", "done"]);
    assert_eq!(answer.names()[0], "lamp.md");
    assert_eq!(answer.hits[0].ranks.draft, Some(1));
    assert_eq!(answer.timings.degraded.as_deref(), Some("inference: out of thoughts"));

    *world.script.fail_queries.lock().unwrap() = Some("out of vectors");
    let answer = talk.ask(question("lighthouse lamp")).await.unwrap();
    assert_eq!(answer.order, ["final", "done"]);
    assert_eq!(answer.names(), ["lamp.md", "sail.txt"]);
    assert_eq!(answer.timings.degraded.as_deref(), Some("inference: out of vectors"));
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused_with_a_hint() {
    let (world, mut talk) = World::watching().await;
    let long = "x".repeat(QUESTION_CHARS_MAX + 1);
    let path = |glob: &str| Ask { path: Some(glob.to_owned()), ..question("q") };
    for (ask, expected) in [
        (question(" \n"), "empty"),
        (question(&long), "8193 characters"),
        (Ask { limit: 0, ..question("q") }, "0 hits"),
        (Ask { limit: 101, ..question("q") }, "101 hits"),
        (Ask { thoughts: Some(17), ..question("q") }, "17 thoughts"),
        (Ask { read_ms: Some(60_001), ..question("q") }, "more than a minute"),
        (path("a[b"), "not a path glob"),
        (path(""), "glob is empty"),
    ] {
        let error = talk.ask(ask).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.message.contains(expected), "{error}");
        assert!(error.hint.is_some(), "{error}");
    }
    let most = "y".repeat(QUESTION_CHARS_MAX);
    assert!(talk.ask(question(&most)).await.is_ok(), "the session goes on");
    assert!(talk.ask(Ask { limit: 100, ..question("q") }).await.unwrap().hits.is_empty());
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_path_glob_narrows_the_search() {
    let (world, mut talk) = World::watching().await;
    write_notes(&world);
    talk.sync().await;
    let absolute = format!("{}/*.md", world.notes.display());
    for (glob, expected) in [
        ("*.md", vec!["bread.md", "lamp.md"]),
        ("deep", vec!["bread.md", "sail.txt"]),
        ("deep/", vec!["bread.md", "sail.txt"]),
        ("deep/*.txt", vec!["sail.txt"]),
        ("./deep/**", vec!["bread.md", "sail.txt"]),
        ("{lamp,sail}.*", vec!["lamp.md", "sail.txt"]),
        (absolute.as_str(), vec!["lamp.md"]),
        ("**", vec!["bread.md", "lamp.md", "sail.txt"]),
    ] {
        let ask = Ask { thoughts: Some(0), path: Some(glob.to_owned()), ..question("night") };
        let answer = talk.ask(ask).await.unwrap();
        let mut names = answer.names();
        names.sort_unstable();
        assert_eq!(names, expected, "{glob}");
    }
    for glob in ["/*.md", "nothing", "notes/**"] {
        let ask = Ask { path: Some(glob.to_owned()), ..question("night") };
        let error = talk.ask(ask).await.unwrap_err();
        assert!(error.message.contains("no indexed file matches"), "{error}");
        assert!(error.hint.is_some_and(|hint| hint.contains("from a watched folder")));
    }
    world.stop().await.unwrap();
}
