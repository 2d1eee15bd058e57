//! What was embedded once is not embedded again, whatever file it is in now.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::Ordering;

use super::harness::bench::{BULK, Bench};
use super::harness::{World, within};
use crate::edition::EDITION;
use crate::mailbox::Cause;
use crate::shared::Shared;

/// A note of three passages, which says itself what it is called.
const NOTE: &str = "# Journal\n\nan anchor\n\n# Two\n\na bell\n\n# Three\n\na compass\n";

fn embedded(world: &World) -> usize {
    world.script.embedded.load(Ordering::SeqCst)
}

#[tokio::test]
async fn of_a_changed_file_the_changed_passages_are_embedded() {
    let (world, mut talk) = World::watching().await;
    world.write("journal.md", NOTE);
    assert_eq!(talk.sync().await.passages, 3);
    let before = embedded(&world);
    for (text, passages, anew) in [
        (format!("{NOTE}\n# Four\n\na lamp\n"), 4, 1),
        (NOTE.to_owned(), 3, 0),
        (NOTE.replace("a bell", "two bells"), 3, 1),
        // Another title is another text for each of them.
        (NOTE.replace("Journal", "Diary"), 3, 3),
    ] {
        let before = embedded(&world);
        world.write("journal.md", &text);
        assert_eq!(talk.sync().await.passages, passages, "{text}");
        assert_eq!(embedded(&world) - before, anew, "{text}");
    }
    assert_eq!(embedded(&world) - before, 5);
    assert_eq!(talk.find("bell").await, ["journal.md"]);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_moved_is_embedded_no_more_and_found_all_the_time() {
    let (world, mut talk) = World::watching().await;
    world.write("2023/a.md", NOTE);
    world.write("2023/b.md", "a bell without a title\n");
    world.write("2023/c.md", "");
    assert_eq!(talk.sync().await.documents, 3);
    let before = embedded(&world);
    let path = |name: &str| world.notes.join(name);
    fs::rename(path("2023"), path("archive")).unwrap();
    assert_eq!(talk.sync().await.documents, 3);
    assert_eq!(talk.find("archive").await, ["a.md", "b.md"], "names of folders are searched by");
    // Another name is another title, where the text gives none.
    fs::rename(path("archive/b.md"), path("archive/d.md")).unwrap();
    assert_eq!(talk.sync().await.documents, 3);
    assert_eq!(embedded(&world) - before, 1);
    assert_eq!(talk.find("bell").await, ["a.md", "d.md"]);

    // Onto another that is there: that one is gone.
    fs::rename(path("archive/a.md"), path("archive/d.md")).unwrap();
    assert_eq!(talk.sync().await.documents, 2);
    assert_eq!(embedded(&world) - before, 1);
    assert_eq!(talk.find("compass").await, ["d.md"]);

    // As large and as old as one that is gone, and another text all the same.
    let written = fs::metadata(path("archive/d.md")).unwrap().modified().unwrap();
    fs::remove_file(path("archive/d.md")).unwrap();
    let other = world.write("other.md", NOTE.replace("compass", "sextant"));
    File::options().write(true).open(other).unwrap().set_modified(written).unwrap();
    assert_eq!(talk.sync().await.documents, 2);
    assert_eq!(talk.find("sextant").await, ["other.md"]);
    assert!(talk.find("compass").await.is_empty());
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_moved_file_is_found_where_it_was_until_it_is_found_where_it_is() {
    let mut bench = Bench::new().await;
    bench.open_gate();
    let from = bench.write("from.md", "an anchor without a title\n");
    bench.shared.mailbox.rescan(Cause::Start);
    bench.until(|status| status.documents == 1).await;
    bench.close_gate();
    let walked = bench.bulk("walked", 40, BULK);
    let to = from.with_file_name("to.md");
    fs::rename(&from, &to).unwrap();
    bench.shared.mailbox.changed(BTreeSet::from([from, to.clone()]));
    bench.at_gate().await;
    assert_eq!(bench.found().await, ["from.md"]);
    // It is gone before it was embedded where it is.
    fs::remove_file(&to).unwrap();
    bench.shared.mailbox.changed(walked);
    bench.shared.mailbox.changed(BTreeSet::from([to]));
    bench.open_gate();
    bench.until(|status| status.documents == 40).await;
    assert!(bench.found().await.is_empty());
    bench.finish(40).await;
}

#[tokio::test]
async fn a_full_look_reads_what_seems_to_be_as_it_was() {
    let mut bench = Bench::new().await;
    bench.open_gate();
    let path = bench.write("a.md", BULK);
    within(bench.shared.mailbox.sync(false)).await.unwrap();
    let hash = |shared: &Shared| {
        let engine = shared.generations.serving();
        let mut known = engine.catalogue.write();
        // As if other bytes had been indexed under the same size and time.
        let stamp = &mut known.get_mut(path.to_str().unwrap()).unwrap().stamp;
        std::mem::replace(&mut stamp.hash, format!("another{EDITION}"))
    };
    let (whole, another) = (hash(&bench.shared), format!("another{EDITION}"));
    for (full, expected) in [(false, &another), (true, &whole), (false, &another)] {
        within(bench.shared.mailbox.sync(full)).await.unwrap();
        assert_eq!(hash(&bench.shared), *expected, "full: {full}");
    }
    bench.finish(1).await;
}

#[tokio::test]
async fn what_was_cut_in_another_way_is_cut_anew_and_not_embedded() {
    let mut bench = Bench::new().await;
    bench.open_gate();
    let paths = [bench.write("a.rs", "fn lamp() {}\n"), bench.write("b.md", BULK)];
    within(bench.shared.mailbox.sync(false)).await.unwrap();
    let before = bench.script.embedded.load(Ordering::SeqCst);
    let of_first = |shared: &Shared, path: &Path| {
        let engine = shared.generations.serving();
        let mut known = engine.catalogue.write();
        // As if an older program had indexed it.
        let hash = &mut known.get_mut(path.to_str().unwrap()).unwrap().stamp.hash;
        let first = hash.split('+').next().unwrap().to_owned();
        std::mem::replace(hash, first)
    };
    let made = paths.each_ref().map(|path| of_first(&bench.shared, path));
    assert!(made.iter().all(|hash| hash.ends_with(EDITION)), "{made:?}");
    within(bench.shared.mailbox.sync(false)).await.unwrap();
    let again = paths.each_ref().map(|path| of_first(&bench.shared, path));
    assert_eq!(again, made);
    assert_eq!(bench.script.embedded.load(Ordering::SeqCst), before);
    bench.finish(2).await;
}
