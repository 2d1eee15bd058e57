//! What people say of answers: kept, told with the hits, taken back.

use daemon_protocol::{Ask, Event, Failure, Hit, Mark, Request};

use super::harness::{Talk, World, question};

const TEXT: &str = "# Lamp\n\nThe keeper trims the lamp at dusk, fills it with oil and writes the hour into the log.\n";

impl Talk {
    async fn mark(
        &mut self,
        asked: &str,
        hit: &Hit,
        right: Option<bool>,
    ) -> Result<Option<Mark>, Failure> {
        let id = self.fresh_id();
        let Hit { path, byte_start, byte_end, .. } = hit.clone();
        let question = asked.to_owned();
        self.send(Request::Mark { id, question, path, byte_start, byte_end, right }).await;
        match self.event().await {
            Event::Marked { mark, .. } => Ok(mark),
            Event::Failed { error, .. } => Err(error),
            other => panic!("{other:?}"),
        }
    }

    async fn marks(&mut self) -> Vec<Mark> {
        let id = self.fresh_id();
        self.send(Request::Marks { id }).await;
        let mut all = Vec::new();
        loop {
            match self.event().await {
                Event::Marks { marks, more, .. } => {
                    all.extend(marks);
                    if !more {
                        return all;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// The only hit of a search without a thought.
    async fn hit(&mut self, asked: &str) -> Hit {
        let ask = Ask { thoughts: Some(0), limit: 1, ..question(asked) };
        self.ask(ask).await.unwrap().hits.remove(0)
    }
}

#[tokio::test]
async fn a_mark_stays_with_its_passage_through_everything() {
    let (world, mut talk) = World::watching().await;
    world.write("lamp.md", TEXT);
    talk.sync().await;
    let hit = talk.hit("who trims the lamp").await;
    assert_eq!(hit.marked, None);
    let mark = talk.mark("who trims the lamp type:md", &hit, Some(true)).await.unwrap().unwrap();
    assert_eq!((mark.path.as_str(), mark.title.as_str(), mark.right), (&*hit.path, "Lamp", true));
    assert!(mark.opening.starts_with("# Lamp The keeper trims"), "{mark:?}");
    assert_eq!(talk.marks().await, [mark]);
    assert_eq!(talk.hit("Who trims the lamp").await.marked, Some(true));
    assert_eq!(talk.hit("what burns").await.marked, None);

    // The same words after a section that is new, under another name, after a restart.
    world.write("lamp.md", format!("# Before\n\n{}\n\n{TEXT}", "Much else. ".repeat(400)));
    talk.sync().await;
    let moved = talk.hit("trims lamp dusk oil").await;
    assert!(moved.byte_start > hit.byte_start);
    assert_eq!(talk.hit("who trims the lamp").await.marked, Some(true));
    std::fs::rename(world.notes.join("lamp.md"), world.notes.join("other.md")).unwrap();
    talk.sync().await;
    let world = world.restart().await;
    let mut talk = world.connect().await;
    let hit = talk.hit("who trims the lamp").await;
    assert_eq!((hit.path.ends_with("other.md"), hit.marked), (true, Some(true)));

    // A second word counts instead of the first; without one it is taken back.
    talk.mark("who trims the lamp", &hit, Some(false)).await.unwrap();
    assert_eq!(talk.hit("who trims the lamp").await.marked, Some(false));
    assert_eq!(talk.marks().await.len(), 1);
    assert_eq!(talk.mark("who trims the lamp", &hit, None).await.unwrap(), None);
    assert_eq!(talk.hit("who trims the lamp").await.marked, None);
    assert!(talk.marks().await.is_empty());
    world.stop().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_marked_is_refused_and_can_be_taken_back() {
    let (world, mut talk) = World::watching().await;
    let path = world.write("lamp.md", TEXT);
    talk.sync().await;
    let hit = talk.hit("lamp").await;
    let elsewhere = Hit { byte_end: hit.byte_end + 1, ..hit.clone() };
    let long = "x".repeat(1_025);
    for (asked, hit, expected) in [
        ("lamp", &elsewhere, "no passage of"),
        (" ", &hit, "the question is empty"),
        (&long, &hit, "more than 1024 characters"),
    ] {
        let error = talk.mark(asked, hit, Some(true)).await.unwrap_err();
        assert!(error.message.contains(expected) && error.hint.is_some(), "{error:?}");
    }
    talk.mark("lamp", &hit, Some(true)).await.unwrap();
    std::fs::remove_file(path).unwrap();
    talk.sync().await;
    assert!(talk.mark("lamp", &hit, Some(false)).await.is_err());
    assert_eq!(talk.marks().await.len(), 1);
    talk.mark("lamp", &hit, None).await.unwrap();
    assert!(talk.marks().await.is_empty());
    world.stop().await.unwrap();
}
