//! At which stage of a question a file drops out.

use daemon_protocol::{Event, Request};

use super::harness::{Talk, World};

async fn traced(talk: &mut Talk, path: &str, question: &str) -> Vec<String> {
    let id = talk.fresh_id();
    let question = Some(question.to_owned());
    talk.send(Request::WhyNot { id, path: path.to_owned(), question }).await;
    match talk.event().await {
        Event::Why { reason, .. } => reason.lines().map(str::to_owned).collect(),
        Event::Failed { error, .. } => vec![error.message],
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_stage_is_told() {
    let (world, mut talk) = World::watching().await;
    let text = "# Lamp\n\nThe keeper trims the lamp at dusk and writes the hour into the log.\n";
    let path = |name: &str| world.notes.join(name).to_str().unwrap().to_owned();
    world.write("a.md", text);
    world.write("b.md", text);
    world.write("sail.md", "# Sail\n\nA sail and an anchor.\n");
    world.write("picture.png", "x");
    for number in 0..150 {
        world.write(
            &format!("many/{number:03}.md"),
            format!("# Lamp lamp keeper\n\nLamp keeper {number}.\n"),
        );
    }
    world.write(
        "long.md",
        format!("# Long\n\nA lamp, and {}\n", "much that is about others ".repeat(20)),
    );
    talk.sync().await;

    let told = traced(&mut talk, &path("many/000.md"), "lamp keeper 0").await;
    let [indexed, words, vector, both, shown] = &told[..] else { panic!("{told:?}") };
    assert_eq!(indexed, "it is indexed, as one passage");
    assert!(words.starts_with("by words: rank "), "{told:?}");
    assert!(vector.starts_with("by vector: cosine "), "{told:?}");
    assert!(both.starts_with("by both: rank "), "{told:?}");
    assert!(shown.starts_with("so without a thought it is "), "{told:?}");

    let cases = [
        ("sail.md", "lamp keeper", "by words: it has none of the question's"),
        ("long.md", "lamp keeper", "and the first 100 are taken"),
        ("sail.md", "anchor -path:sail.md", "the question's filters leave it out"),
        ("sail.md", "", "the question is empty"),
    ];
    for (name, question, expected) in cases {
        let told = traced(&mut talk, &path(name), question).await;
        assert!(told.iter().any(|line| line.contains(expected)), "{name}: {told:?}");
    }
    let copy = [path("a.md"), path("b.md")];
    let told = [
        traced(&mut talk, &copy[0], "dusk hour log").await,
        traced(&mut talk, &copy[1], "dusk hour log").await,
    ];
    let is_copy =
        |told: &Vec<String>| told.last().is_some_and(|line| line.contains("as a copy of"));
    assert_eq!(told.iter().filter(|told| is_copy(told)).count(), 1, "{told:?}");
    // Of what is not indexed there is nothing to tell but why.
    assert_eq!(traced(&mut talk, &path("picture.png"), "lamp").await.len(), 1);
    world.stop().await.unwrap();
}
