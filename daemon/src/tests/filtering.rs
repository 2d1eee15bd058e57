//! Filters within a question: what is found, marked, thought about and refused.

use std::fs::File;
use std::time::{Duration, SystemTime};

use daemon_protocol::{Ask, ErrorKind};

use super::harness::{Talk, World, question};

/// A search without thinking.
fn search(text: &str) -> Ask {
    Ask { thoughts: Some(0), limit: 100, ..question(text) }
}

async fn names(talk: &mut Talk, text: &str) -> Vec<String> {
    let answer = talk.ask(search(text)).await.unwrap();
    let mut names: Vec<String> = answer.names().into_iter().map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

/// Notes of several kinds and times.
async fn library() -> (World, Talk) {
    let (world, mut talk) = World::watching().await;
    world.write("lamp.md", "# Lamp\n\nThe keeper fills the lamp with oil of whales.\n");
    world.write("manual.pdf", "The lamp burns oil. Trim its wick.\n");
    world.write("code/lamp.rs", "fn light() { lamp.burn(oil) }\n");
    world.write("old/log.txt", "The lamp went out at the Night\n   Watch.\n");
    let old = world.write("old/sail.txt", "Night and watch, no lamp.\n");
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    File::options().write(true).open(old).unwrap().set_modified(time).unwrap();
    assert_eq!(talk.sync().await.documents, 5);
    (world, talk)
}

#[tokio::test]
async fn filters_narrow_the_search() {
    let (world, mut talk) = library().await;
    let all = ["lamp.md", "lamp.rs", "log.txt", "manual.pdf", "sail.txt"];
    for (text, expected) in [
        ("lamp", &all[..]),
        ("lamp type:pdf", &["manual.pdf"]),
        ("type:pdf lamp type:md", &["lamp.md", "manual.pdf"]),
        ("lamp lang:rust", &["lamp.rs"]),
        ("lamp path:old/", &["log.txt", "sail.txt"]),
        ("lamp -path:old", &["lamp.md", "lamp.rs", "manual.pdf"]),
        ("lamp before:2020-09-14", &["sail.txt"]),
        ("lamp after:2020-09-14 path:old", &["log.txt"]),
        ("\"night watch\"", &["log.txt"]),
        ("\"NIGHT WATCH\" type:txt", &["log.txt"]),
        ("\"oil of whales\" lamp", &["lamp.md"]),
        ("\"lamp\" \"oil\"", &["lamp.md", "lamp.rs", "manual.pdf"]),
        ("lamp -oil", &["log.txt", "sail.txt"]),
        ("lamp -oil -watch", &[]),
        ("lamp -oils", &all[..]),
        ("\"no such words\"", &[]),
        ("lamp author:me 12:30", &all[..]),
        ("-oil", &all[..]),
        // Nothing but filters: all that they leave, or words where they leave nothing.
        ("type:pdf", &["manual.pdf"]),
        ("path:nowhere", &all[..]),
    ] {
        assert_eq!(names(&mut talk, text).await, expected, "{text}");
    }
    world.stop().await.unwrap();
}

#[tokio::test]
async fn what_leaves_nothing_is_refused_by_name() {
    let (world, mut talk) = library().await;
    for (text, message, hint) in [
        ("lamp type:epub", "no indexed file matches type:epub", "without the filter"),
        ("lamp before:2020-09-13", "no indexed file matches before:2020-09-13", "without"),
        ("lamp path:nowhere", "no indexed file matches path:nowhere", "without the filter"),
    ] {
        let error = talk.ask(search(text)).await.unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Invalid, message));
        assert!(error.hint.is_some_and(|given| given.contains(hint)), "{text}");
    }
    let within = Ask { path: Some("old".to_owned()), ..search("lamp lang:rust") };
    let error = talk.ask(within).await.unwrap_err();
    assert_eq!(error.message, "no indexed file matches lang:rust within \"old\"");
    world.stop().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_searched_for_is_told() {
    let (world, mut talk) = library().await;
    for text in ["???", "\"", "\"\"", "-", "→ …", "。「」"] {
        let error = talk.ask(search(text)).await.err();
        let message = error.as_ref().map(|error| error.message.as_str());
        let expected = (text != "→ …").then_some("the question has no word in it");
        assert_eq!(message, expected, "{text}");
    }
    for (text, notes) in [
        ("lamp after:2024-13", &["after:2024-13 is no date, so it is searched for as words"][..]),
        ("tag:nothing", &["no indexed file matches tag:nothing, so it is searched for as words"]),
        ("lamp type:md", &[]),
        ("type:md", &[]),
        ("\"->\"", &[]),
        ("?? type:pdf", &[]),
    ] {
        let answer = talk.ask(search(text)).await.unwrap();
        assert_eq!(answer.timings.notes, notes, "{text}");
    }
    world.stop().await.unwrap();
}

#[tokio::test]
async fn the_model_sees_the_words_alone_and_phrases_are_marked() {
    let (world, mut talk) = library().await;
    let text = "type:txt \"out at the night watch\" -keeper path:old";
    let answer = talk.ask(question(text)).await.unwrap();
    assert_eq!(answer.order, ["draft", "thought", "final", "done"]);
    let about = "thought 1 about out at the night watch";
    assert!(answer.thought.contains(about), "{}", answer.thought);
    assert!(!answer.thought.contains("type:") && !answer.thought.contains("keeper"));
    assert_eq!(answer.names(), ["log.txt"]);
    let hit = &answer.hits[0];
    let marked: Vec<&str> = hit.highlights.iter().map(|(a, b)| &hit.snippet[*a..*b]).collect();
    assert_eq!(marked, ["out", "at", "the", "Night", "Watch"]);
    world.stop().await.unwrap();
}

/// Passages that all hold the words, in one document each, more than are searched at first.
async fn crowd() -> (World, Talk) {
    let (world, mut talk) = World::watching().await;
    for number in 0..300 {
        world.write(&format!("crowd/{number}.txt"), "Watch night watch night watch.\n".repeat(2));
    }
    let words = "A long page of other things before the one. ".repeat(4);
    world.write("once.txt", format!("{words}By night watch the sea.\n"));
    world.write("dry.txt", format!("{words}By night, at the watch.\n"));
    assert_eq!(talk.sync().await.documents, 302);
    (world, talk)
}

#[tokio::test]
async fn what_stands_once_among_many_is_found() {
    let (world, mut talk) = crowd().await;
    assert!(!names(&mut talk, "night watch").await.contains(&"once.txt".to_owned()));
    assert_eq!(names(&mut talk, "\"watch the sea\" night").await, ["once.txt"]);
    assert_eq!(names(&mut talk, "\"by night watch\"").await, ["once.txt"]);
    let without = "\"at the watch\" night watch -sea";
    assert_eq!(names(&mut talk, without).await, ["dry.txt"]);
    // Nearly all documents: the search is of everything, and none is of those left out.
    let found = names(&mut talk, "night watch -path:crowd/1*").await;
    assert!(found.len() >= 100 && found.iter().all(|name| !name.starts_with('1')), "{found:?}");
    assert_eq!(
        names(&mut talk, "night watch path:*.txt -path:crowd").await,
        ["dry.txt", "once.txt"]
    );
    let all_but_one = names(&mut talk, "night watch -path:crowd/7.txt").await;
    assert!(all_but_one.len() >= 100 && !all_but_one.contains(&"7.txt".to_owned()));
    world.stop().await.unwrap();
}
