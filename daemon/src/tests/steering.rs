//! Thinking that a person steers: enough of it, thoughts of their own, more like what was found.

use std::sync::{Arc, mpsc};

use daemon_protocol::{Ask, ErrorKind, Event, GIVEN_CHARS_MAX, Hit, Request, Stage};

use super::harness::{Answer, Script, Talk, World, question};

/// Notes about a lamp, bread and a sail, indexed, and a client; the mind waits at the gate, if there is one.
async fn indexed(gate: Option<mpsc::Receiver<()>>, grounded: bool) -> (World, Talk) {
    let script = Arc::new(Script::default());
    *script.gate.lock().unwrap() = gate;
    *script.grounded.lock().unwrap() = grounded;
    let world = World::with(script).await;
    world.write("lamp.md", "# Lamp\n\nThe keeper of the lighthouse fills the lamp with oil.\n");
    world.write("deep/bread.md", "# Bread\n\nA sourdough loaf needs flour, water and time.\n");
    world.write("deep/sail.txt", "Sailing past the lighthouse at night.\n");
    let mut talk = world.connect().await;
    talk.add(&world.notes).await.unwrap();
    talk.sync().await;
    (world, talk)
}

/// The next event of the ask, other than the first hits.
async fn next(talk: &mut Talk, asked: u64) -> Event {
    loop {
        match talk.event().await {
            Event::Hits { id, stage: Stage::Draft, .. } if id == asked => {}
            other => return other,
        }
    }
}

#[tokio::test]
async fn enough_ends_thinking_and_ranks_by_what_was_thought() {
    let (gate, waiting) = mpsc::channel();
    let (world, mut talk) = indexed(Some(waiting), false).await;
    // "thought 0 about bread": the mind now stands before the last word.
    let asked = talk.begin(Ask { thoughts: Some(2), ..question("bread") }).await;
    for word in ["thought ", "0 ", "about "] {
        gate.send(()).unwrap();
        match next(&mut talk, asked).await {
            Event::Thought { index: 0, delta, .. } => assert_eq!(delta, word),
            other => panic!("{other:?}"),
        }
    }
    talk.send(Request::Enough { id: asked + 7 }).await;
    talk.send(Request::Enough { id: asked }).await;
    // A session's requests are taken in order: once this is answered, that is heard.
    talk.send(Request::Status { id: asked + 8 }).await;
    assert!(matches!(next(&mut talk, asked).await, Event::Status { .. }));
    drop(gate);
    let answer = talk.answer(asked).await.unwrap();
    assert_eq!(answer.order, ["final", "done"]);
    assert_eq!((answer.names()[0], answer.timings.thought_tokens), ("bread.md", 3));
    assert_eq!(answer.timings.degraded, None);
    // The half thought counts: the vector is with it.
    assert!(answer.hits[0].ranks.bare.is_some());
    // Of one that is over there is enough.
    talk.send(Request::Enough { id: asked }).await;
    assert!(talk.ask(question("lighthouse")).await.is_ok());
    world.stop().await.unwrap();
}

#[tokio::test]
async fn enough_ends_reading_and_leaves_the_thinking_out() {
    let (gate, waiting) = mpsc::channel();
    let (world, mut talk) = indexed(Some(waiting), true).await;
    let asked = talk.begin(Ask { read_ms: Some(60_000), ..question("lighthouse at night") }).await;
    gate.send(()).unwrap();
    let Event::Hits { stage: Stage::Read, hits, .. } = next(&mut talk, asked).await else {
        panic!("nothing was read")
    };
    talk.send(Request::Enough { id: asked }).await;
    let answer = talk.answer(asked).await.unwrap();
    drop(gate);
    assert_eq!(answer.order, ["final", "done"]);
    assert_eq!((answer.hits, answer.timings.passages_read), (hits, 1));
    assert_eq!((answer.timings.thought_tokens, answer.timings.degraded), (0, None));
    world.stop().await.unwrap();
}

#[tokio::test]
async fn thoughts_that_are_given_stand_for_thinking() {
    let (world, mut talk) = indexed(None, false).await;
    let given = |thoughts: Option<usize>, texts: &[&str]| {
        let given = texts.iter().map(|text| (*text).to_owned()).collect();
        Ask { thoughts, given, ..question("lighthouse") }
    };
    let told = |answer: &Answer| (answer.order.clone(), answer.names()[0].to_owned());
    let plain = talk.ask(given(Some(0), &[])).await.unwrap();
    assert_eq!(told(&plain), (vec!["final", "done"], "sail.txt".to_owned()));
    // Nothing is thought, and the answer follows what was given.
    let bread = "sourdough loaf flour water time bread";
    let answer = talk.ask(given(None, &[bread])).await.unwrap();
    assert_eq!(answer.order, ["draft", "final", "done"]);
    let cosine = |answer: &Answer, name: &str| {
        let hit = answer.hits.iter().find(|hit| hit.path.ends_with(name)).unwrap();
        (hit.scores.bare, hit.scores.vector.unwrap())
    };
    let (bare, with) = cosine(&answer, "bread.md");
    assert!(bare.is_some_and(|bare| with > bare + 0.1), "{bare:?} {with}");
    assert_eq!(cosine(&plain, "bread.md"), (None, bare.unwrap()));
    // One more is thought, as the second.
    let id = talk.begin(given(Some(1), &[bread])).await;
    let mut thoughts = Vec::new();
    loop {
        match talk.event().await {
            Event::Thought { index, delta, .. } => thoughts.push((index, delta)),
            Event::Done { id: done, .. } if done == id => break,
            _ => {}
        }
    }
    assert!(!thoughts.is_empty() && thoughts.iter().all(|(index, _)| *index == 1));

    let long = "x".repeat(GIVEN_CHARS_MAX + 1);
    let many = vec!["word"; 9];
    for (ask, expected) in [
        (given(None, &[" …"]), "has no word"),
        (given(None, &[&long]), "4096 characters"),
        (given(Some(8), &many), "17 thoughts"),
    ] {
        let error = talk.ask(ask).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.message.contains(expected), "{error}");
    }
    world.stop().await.unwrap();
}

async fn similar(talk: &mut Talk, hit: &Hit, limit: usize) -> Result<Answer, String> {
    let id = talk.fresh_id();
    let (path, byte_start) = (hit.path.clone(), hit.byte_start);
    talk.send(Request::Similar { id, path, byte_start, limit }).await;
    talk.answer(id).await.map_err(|error| error.message)
}

#[tokio::test]
async fn more_like_a_passage_is_neither_it_nor_its_copies() {
    let (world, mut talk) = indexed(None, false).await;
    let text =
        "The keeper of the lighthouse fills the lamp with oil, and the lamp burns at night.\n";
    world.write("copy/a.md", format!("# Oil\n\n{text}"));
    world.write("copy/b.md", format!("# Oil\n\n{text}"));
    // What is embedded of this is behind its front matter.
    world.write("front.md", "---\ntags: [x]\n---\n\n# Flour\n\nA loaf of sourdough, and flour.\n");
    talk.sync().await;
    let hits =
        talk.ask(Ask { thoughts: Some(0), ..question("oil lamp burns") }).await.unwrap().hits;
    let first = hits.iter().find(|hit| hit.path.contains("copy/")).unwrap();
    let embedded = world.script.order.lock().unwrap().len();
    let answer = similar(&mut talk, first, 10).await.unwrap();
    assert_eq!(world.script.order.lock().unwrap().len(), embedded, "the mind is not asked");
    assert_eq!(answer.order, ["final", "done"]);
    assert_eq!(answer.names()[0], "lamp.md");
    assert!(answer.hits.iter().all(|hit| !hit.path.contains("copy/")), "{:?}", answer.names());
    let top = &answer.hits[0];
    assert_eq!(top.scores.vector, Some(top.score));
    assert!(top.score > answer.hits[1].score && !top.snippet.is_empty());
    assert_eq!(similar(&mut talk, first, 1).await.unwrap().hits.len(), 1);

    let hits = talk.ask(Ask { thoughts: Some(0), ..question("flour") }).await.unwrap().hits;
    let front = hits.iter().find(|hit| hit.path.ends_with("front.md")).unwrap();
    assert_eq!(similar(&mut talk, front, 10).await.unwrap().names()[0], "bread.md");

    let elsewhere = Hit { byte_start: 1, ..front.clone() };
    let unknown = Hit { path: "/nowhere.md".to_owned(), ..front.clone() };
    for (hit, limit, expected) in [
        (&elsewhere, 10, "no passage of"),
        (&unknown, 10, "nothing of /nowhere.md is indexed"),
        (front, 0, "0 hits cannot be asked for"),
    ] {
        let error = similar(&mut talk, hit, limit).await.unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    world.stop().await.unwrap();
}
