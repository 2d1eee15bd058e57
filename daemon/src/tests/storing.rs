//! A store that cannot be written, as on a full disk: it is told at once, nothing is lost, and it is
//! tried again.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::harness::World;
use crate::limits::COMMIT_DOCUMENTS_MAX;
use crate::store::memory::MemoryStore;

const FULL: &str = "No space left on device (os error 28)";

fn store(world: &World) -> Arc<MemoryStore> {
    world.script.stores.lock().unwrap().values().next().unwrap().clone()
}

#[tokio::test]
async fn a_full_disk_is_told_and_what_waits_is_stored_later_as_it_is() {
    let (world, mut talk) = World::watching().await;
    world.write("old.md", "an anchor\n");
    world.write("gone.md", "a gong\n");
    assert_eq!(talk.sync().await.storing, None);
    store(&world).fail(Some(("", FULL)));
    let many = 3 * COMMIT_DOCUMENTS_MAX;
    for number in 0..many {
        world.write(&format!("{number:03}.md"), "a bell\n");
    }
    let status = talk.sync().await;
    // The watcher may have named some of them by now.
    assert_eq!(status.documents, 2);
    assert_eq!((status.storing.as_deref(), status.problem_count), (Some(FULL), 0));
    assert_eq!(talk.find("anchor bell").await, ["old.md"]);
    // No more is embedded than waits, once, and once more as the watcher names it.
    for _ in 0..10 {
        assert_eq!(talk.sync().await.storing.as_deref(), Some(FULL));
    }
    let embedded = world.script.embedded.load(Ordering::SeqCst);
    assert!(embedded < 5 * COMMIT_DOCUMENTS_MAX, "{embedded}");

    // What changes meanwhile is as it is on disk in the end.
    world.write("000.md", "a compass\n");
    fs::remove_file(world.notes.join("001.md")).unwrap();
    fs::remove_file(world.notes.join("gone.md")).unwrap();
    assert_eq!(talk.sync().await.storing.as_deref(), Some(FULL));
    store(&world).fail(None);
    let status = talk.sync().await;
    assert_eq!((status.documents, status.storing, status.problem_count), (many, None, 0));
    assert_eq!(talk.find("compass").await, ["000.md"]);
    assert!(talk.find("gong").await.is_empty());
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_removal_that_fails_is_told_and_tried_again() {
    let (world, mut talk) = World::watching().await;
    world.write("old.md", "an anchor\n");
    talk.sync().await;
    store(&world).fail(Some(("", FULL)));
    fs::remove_file(world.notes.join("old.md")).unwrap();
    let status = talk.sync().await;
    assert_eq!((status.documents, status.storing.as_deref()), (1, Some(FULL)));
    store(&world).fail(None);
    let status = talk.sync().await;
    assert_eq!((status.documents, status.storing), (0, None));
    world.stop().await.unwrap();
}

#[tokio::test]
async fn one_document_that_cannot_be_stored_keeps_none_of_the_others() {
    let (world, mut talk) = World::watching().await;
    talk.sync().await;
    store(&world).fail(Some(("poison", "no such value")));
    for name in ["a.md", "b.md", "poison.md", "z.md"] {
        world.write(name, "an anchor\n");
    }
    // Perhaps it came alone at first, by way of the watcher; it is not taken for the store's failure for long.
    talk.sync().await;
    for _ in 0..2 {
        let status = talk.sync().await;
        assert_eq!((status.documents, status.problem_count), (3, 1), "{status:?}");
        assert!(status.problems[0].reason.contains("no such value"), "{status:?}");
        assert_eq!(status.storing, None);
    }
    world.stop().await.unwrap();
}
