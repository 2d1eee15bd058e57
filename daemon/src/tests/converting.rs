//! Files that are no text: found by page, read from the index, told of when they cannot be read.

use daemon_protocol::{Ask, Event, Passage, Place, Request};

use super::harness::{Talk, World, question};

async fn hits(talk: &mut Talk, text: &str) -> Vec<daemon_protocol::Hit> {
    talk.ask(Ask { thoughts: Some(0), ..question(text) }).await.unwrap().hits
}

async fn why(talk: &mut Talk, path: &str) -> String {
    let id = talk.fresh_id();
    talk.send(Request::WhyNot { id, path: path.to_owned(), question: None }).await;
    match talk.event().await {
        Event::Why { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_page_is_found_and_read_around() {
    let (world, mut talk) = World::watching().await;
    let path =
        world.write("paper.pdf", "An anchor.\u{c}The lighthouse keeper.\n\nHis lamp.\u{c}A sail.");
    let path = path.to_str().unwrap().to_owned();
    talk.sync().await;
    let found = hits(&mut talk, "lighthouse").await;
    let hit = &found[0];
    assert_eq!((hit.path.as_str(), hit.place.clone()), (path.as_str(), Some(Place::Page(2))));
    assert!(hit.converted);
    assert_eq!(hit.located("paper.pdf"), "paper.pdf:page 2");

    let id = talk.fresh_id();
    talk.send(Request::Read { id, path: path.clone(), byte_start: hit.byte_start }).await;
    let Event::Text { passages, .. } = talk.event().await else { panic!("no text") };
    let page = |passage: &Passage| passage.place.clone();
    let pages: Vec<_> = passages.iter().filter_map(page).collect();
    assert_eq!(pages, [Place::Page(1), Place::Page(2), Place::Page(3)]);
    assert!(passages.iter().any(|passage| passage.byte_start == hit.byte_start));
    assert!(passages[1].text.contains("keeper"));

    let id = talk.fresh_id();
    talk.send(Request::Read { id, path: format!("{path}x"), byte_start: 0 }).await;
    assert!(
        matches!(talk.event().await, Event::Failed { error, .. } if error.message.contains("nothing of"))
    );
    world.stop().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_read_or_is_left_out_is_told() {
    let (world, mut talk) = World::watching().await;
    let broken = world.write("broken.pdf", b"\xff\xfe\xff").to_str().unwrap().to_owned();
    let picture = world.write("picture.png", "x").to_str().unwrap().to_owned();
    let text = world.write("note.txt", "An anchor.").to_str().unwrap().to_owned();
    let status = talk.sync().await;
    assert_eq!((status.documents, status.problem_count), (1, 1));
    assert!(status.problems[0].reason.contains("damaged"), "{}", status.problems[0].reason);
    for (path, expected) in
        [(&broken, "damaged"), (&picture, "are not read"), (&text, "indexed, as one passage")]
    {
        let reason = why(&mut talk, path).await;
        assert!(reason.contains(expected), "{path}: {reason}");
    }
    let id = talk.fresh_id();
    talk.send(Request::Status { id }).await;
    let Event::Status { status, .. } = talk.event().await else { panic!("no status") };
    assert_eq!(status.kinds, [("txt".to_owned(), 1)].into());
    assert_eq!(status.left_out, [("png".to_owned(), 1)].into());
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_file_is_found_by_its_name_and_its_folders() {
    let (world, mut talk) = World::watching().await;
    world.write("invoices 2023/ACME.txt", "Paid in March.");
    world.write("2024-08-06 Standup.md", "# Notes\n\nNothing new.");
    world.write("code.js", "function getUserById(key) {}");
    talk.sync().await;
    for (words, expected) in [
        ("invoices 2023", "ACME.txt"),
        ("2024-08-06 standup", "2024-08-06 Standup.md"),
        ("user", "code.js"),
        ("getuserbyid", "code.js"),
    ] {
        assert_eq!(talk.find(words).await, [expected], "{words}");
    }
    world.stop().await.unwrap();
}
