//! What a hit tells of how it came to its place.

use std::sync::Arc;

use daemon_protocol::Ask;

use super::harness::{Script, World, question};

#[tokio::test]
async fn every_stage_is_told_and_adds_up() {
    let script = Arc::new(Script::default());
    *script.grounded.lock().unwrap() = true;
    let world = World::with(script).await;
    world.write("lamp.md", "# Lamp\n\nThe keeper of the lighthouse fills the lamp with oil.\n");
    world.write("bread.md", "# Bread\n\nA sourdough loaf needs flour, water and time.\n");
    world.write("sail.txt", "Sailing past the lighthouse at night.\n");
    let mut talk = world.connect().await;
    talk.add(&world.notes).await.unwrap();
    talk.sync().await;
    let ask = Ask { read_ms: Some(60_000), ..question("who fills the lamps, and the anchor?") };
    let answer = talk.ask(ask).await.unwrap();
    assert_eq!(answer.order, ["draft", "read", "thought", "final", "done"]);
    let last = answer.read.last().unwrap();
    for (index, hit) in answer.hits.iter().enumerate() {
        let at = |hits: &[daemon_protocol::Hit]| {
            hits.iter().position(|other| other.path == hit.path).map(|index| index + 1)
        };
        let (ranks, scores) = (hit.ranks, hit.scores);
        assert_eq!((ranks.draft, ranks.read), (at(&answer.draft), at(last)), "{index}");
        assert!(ranks.fused.is_some() && ranks.vector.is_some() && ranks.bare.is_some());
        let draft = &answer.draft[ranks.draft.unwrap() - 1];
        assert_eq!((scores.draft, scores.bare), (Some(draft.score), draft.scores.vector));
        assert_eq!((draft.ranks.bare, draft.ranks.read, draft.scores.draft), (None, None, None));
        assert_eq!(draft.scores.fused, Some(draft.score));
        // Reading takes from what words and vector are worth, a nat for a point.
        let fused = scores.fused.unwrap() + hit.reading.unwrap();
        assert!((hit.score - fused).abs() < 1e-5, "{hit:?}");
        assert_eq!(scores.text.is_some(), ranks.text.is_some());
    }
    let words = |name: &str| {
        let hit = answer.hits.iter().find(|hit| hit.path.ends_with(name)).unwrap();
        (hit.words.clone(), hit.missing.clone())
    };
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert_eq!(words("lamp.md"), (owned(&["fills", "lamps"]), owned(&["anchor"])));
    assert_eq!(words("sail.txt"), (vec![], owned(&["fills", "lamps", "anchor"])));
    world.stop().await.unwrap();
}
