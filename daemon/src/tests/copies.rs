//! What stands in several documents is one hit that names them all.

use daemon_protocol::Ask;

use super::harness::{World, question};

#[tokio::test]
async fn copies_are_one_hit_that_names_the_others() {
    let (world, mut talk) = World::watching().await;
    let text = "# Lamp\n\nThe keeper trims the lamp at dusk and writes the hour into the log of the house.\n";
    for name in ["a/lamp.md", "b/lamp.md", "c/copy of lamp.md"] {
        world.write(name, text);
    }
    world.write("other.md", "# Other\n\nA lamp in the window, and who lit it.\n");
    world.write("third.md", "# Third\n\nNo lamp.\n");
    talk.sync().await;
    let ask = Ask { thoughts: Some(0), limit: 2, ..question("keeper lamp log") };
    let hits = talk.ask(ask).await.unwrap().hits;
    let [copies, other] = &hits[..] else { panic!("{hits:?}") };
    let mut paths: Vec<&str> =
        copies.also.iter().map(String::as_str).chain([&*copies.path]).collect();
    paths.sort_unstable();
    let expected =
        ["a/lamp.md", "b/lamp.md", "c/copy of lamp.md"].map(|name| world.notes.join(name));
    assert_eq!(paths, expected.iter().map(|path| path.to_str().unwrap()).collect::<Vec<_>>());
    assert!(!other.path.ends_with("lamp.md") && other.also.is_empty(), "{other:?}");
    world.stop().await.unwrap();
}
