//! The index follows the disk, whatever happens there.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

use daemon_protocol::{Event, IndexStatus, Phase, Request};
use tokio::time::timeout;

use super::harness::{Talk, World, within};

#[tokio::test]
async fn the_index_follows_add_edit_rename_and_delete() {
    let (world, mut talk) = World::watching().await;
    let a = world.write("a.md", "the old anchor\n");
    world.write("sub/b.md", "a bell\n");
    let status = talk.sync().await;
    assert_eq!((status.documents, status.passages, status.phase), (2, 2, Phase::Idle));
    assert_eq!(talk.find("anchor").await, ["a.md"]);

    world.write("a.md", "a new compass\n");
    talk.sync().await;
    assert!(talk.find("anchor").await.is_empty());
    assert_eq!(talk.find("compass").await, ["a.md"]);

    fs::rename(&a, world.notes.join("c.md")).unwrap();
    talk.sync().await;
    assert_eq!(talk.find("compass").await, ["c.md"]);

    fs::rename(world.notes.join("sub"), world.notes.join("moved")).unwrap();
    fs::remove_file(world.notes.join("c.md")).unwrap();
    assert_eq!(talk.sync().await.documents, 1);
    assert!(talk.find("compass").await.is_empty());
    assert_eq!(talk.find("bell").await, ["b.md"]);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn what_the_watcher_reports_is_found_without_a_sync() {
    let (world, mut talk) = World::watching().await;
    let id = talk.fresh_id();
    talk.send(Request::Subscribe { id }).await;
    let saved = Instant::now();
    world.write("a.md", "an anchor\n");
    talk.until(|status| status.documents == 1).await;
    assert!(saved.elapsed() < Duration::from_secs(3), "{:?}", saved.elapsed());

    // Editors that save by rename, into a folder that is new as well.
    let beside = world.write(".a.md.swp", "a bell\n\n# Two\n\npassages\n");
    fs::rename(beside, world.notes.join("a.md")).unwrap();
    world.write("new/deep/b.md", "a lamp\n");
    talk.until(|status| status.documents == 2 && status.passages == 3).await;

    fs::remove_dir_all(world.notes.join("new")).unwrap();
    talk.until(|status| status.documents == 1).await;
    // A rule that comes later takes away what it names.
    world.write("b.md", "a lamp\n");
    talk.until(|status| status.documents == 2).await;
    world.write(".ignore", "b.md\n");
    talk.until(|status| status.documents == 1).await;
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_save_that_keeps_size_and_time_is_still_seen() {
    let (world, mut talk) = World::watching().await;
    let path = world.write("a.md", "an anchor\n");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    talk.sync().await;
    let id = talk.fresh_id();
    talk.send(Request::Subscribe { id }).await;
    // Found without a sync, so by now the folder is watched.
    world.write("b.md", "a bell\n");
    talk.until(|status| status.passages == 2 && status.phase == Phase::Idle).await;
    let embedded = world.script.embedded.load(Ordering::SeqCst);
    world.write("a.md", "an arctic\n");
    File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    talk.until(|_| world.script.embedded.load(Ordering::SeqCst) > embedded).await;
    talk.sync().await;
    assert_eq!(talk.find("arctic").await, ["a.md"]);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn unchanged_files_cost_no_embedding() {
    let (world, mut talk) = World::watching().await;
    let path = world.write("a.md", "an anchor\n");
    talk.sync().await;
    assert_eq!(world.script.embedded.load(Ordering::SeqCst), 1);
    let later = SystemTime::now() + Duration::from_secs(60);
    File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
    talk.sync().await;
    let world = world.restart().await;
    let mut talk = world.connect().await;
    assert_eq!(talk.sync().await.documents, 1);
    assert_eq!(world.script.embedded.load(Ordering::SeqCst), 1);
    assert_eq!(talk.find("anchor").await, ["a.md"]);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn ignored_hidden_and_linked_files_stay_out() {
    let (world, mut talk) = World::watching().await;
    world.write(".gitignore", "*.log\n/build/\n");
    world.write(".ignore", "private.md\n");
    world.write("sub/.gitignore", "!kept.log\nlocal.md\n");
    let outside = world.path("outside.md");
    fs::write(&outside, "an anchor outside\n").unwrap();
    for name in ["a.md", "x.log", "build/y.md", "private.md", ".hidden.md", ".git/z.md"] {
        world.write(name, "an anchor\n");
    }
    for name in ["sub/kept.log", "sub/local.md", "sub/build/d.md"] {
        world.write(name, "an anchor\n");
    }
    symlink(&outside, world.notes.join("link.md")).unwrap();
    symlink(&world.notes, world.notes.join("sub/loop")).unwrap();
    let status = talk.sync().await;
    assert_eq!(talk.find("anchor").await, ["a.md", "d.md", "kept.log"]);
    assert_eq!((status.documents, status.problem_count), (3, 0), "{status:?}");
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_gives_nothing_says_why() {
    let (world, mut talk) = World::watching().await;
    let problem = async |talk: &mut Talk| {
        talk.sync().await;
        talk.list().await[0].problem.clone()
    };
    assert_eq!(problem(&mut talk).await, None, "it is empty");
    symlink("/nowhere", world.notes.join("link.md")).unwrap();
    assert_eq!(problem(&mut talk).await.unwrap(), "1 link is not followed");
    symlink("/nowhere", world.notes.join("other.md")).unwrap();
    world.write("a.md", "an anchor\n");
    world.write(".ignore", "*.md\n");
    world.write("a.png", "");
    let told = problem(&mut talk).await.unwrap();
    // The links, too, are left out by the rule.
    assert_eq!(told, "1 file is left out by ignore rules, 1 file is of a kind that is not read");
    world.write("b.txt", "a bell\n");
    assert_eq!(problem(&mut talk).await, None, "there is something");
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_bad_file_is_a_problem_until_it_changes() {
    let (world, mut talk) = World::watching().await;
    let locked = world.write("locked.md", "an anchor\n");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read it all the same.
    let barred = File::open(&locked).is_err();
    world.write("data.txt", [0_u8, 1, 2, 0, 255]);
    world.write("empty.md", "");
    File::create(world.notes.join("huge.txt")).unwrap().set_len(100 << 20).unwrap();
    world.write("good.md", "an anchor\n");
    let status = talk.sync().await;
    let expected = if barred { (2, 3) } else { (3, 2) };
    assert_eq!((status.documents, status.problem_count), expected, "{status:?}");
    let reason = |name: &str| {
        let problem = status.problems.iter().find(|problem| problem.path.ends_with(name));
        problem.map(|problem| problem.reason.clone()).unwrap_or_default()
    };
    assert!(reason("data.txt").contains("not text"), "{status:?}");
    assert!(reason("huge.txt").contains("100 MiB"), "{status:?}");

    fs::set_permissions(&locked, fs::Permissions::from_mode(0o600)).unwrap();
    world.write("data.txt", "an anchor, and text now\n");
    fs::remove_file(world.notes.join("huge.txt")).unwrap();
    let status = talk.sync().await;
    assert_eq!((status.documents, status.problem_count), (4, 0), "{status:?}");
    assert_eq!(talk.find("anchor").await, ["data.txt", "good.md", "locked.md"]);

    // And the other way round: what was text is not found by its old words.
    world.write("data.txt", [0_u8; 64]);
    assert_eq!(talk.sync().await.problem_count, 1);
    assert_eq!(talk.find("anchor").await, ["good.md", "locked.md"]);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn one_passage_that_cannot_be_embedded_spoils_only_its_file() {
    let (world, mut talk) = World::watching().await;
    *world.script.poison.lock().unwrap() = Some("arsenic");
    for name in ["a.md", "b.md", "d.md"] {
        world.write(name, "an anchor\n");
    }
    world.write("c.md", "an anchor of arsenic\n");
    let status = talk.sync().await;
    assert_eq!((status.documents, status.problem_count), (3, 1), "{status:?}");
    assert!(status.problems[0].path.ends_with("c.md"));
    *world.script.poison.lock().unwrap() = None;
    assert_eq!(talk.sync().await.documents, 4);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_vanishes_keeps_its_index_until_it_is_removed() {
    let (world, mut talk) = World::watching().await;
    world.write("a.md", "an anchor\n");
    talk.sync().await;
    let away = world.path("away");
    fs::rename(&world.notes, &away).unwrap();
    assert_eq!(talk.sync().await.documents, 1);
    let folder = &talk.list().await[0];
    assert!(folder.problem.as_ref().unwrap().contains("is kept until"), "{folder:?}");
    assert_eq!((folder.documents, talk.find("anchor").await.len()), (1, 1));

    fs::rename(&away, &world.notes).unwrap();
    talk.sync().await;
    fs::rename(&world.notes, &away).unwrap();
    talk.sync().await;
    assert!(talk.remove(&world.notes).await.unwrap().is_empty());
    assert_eq!(talk.sync().await.documents, 0);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn an_unmounted_drive_keeps_its_index_and_an_emptied_folder_does_not() {
    let (world, mut talk) = World::watching().await;
    let path = world.write("a.md", "an anchor\n");
    assert_eq!(talk.sync().await.documents, 1);
    // The same folder without its files: that is what was meant.
    fs::remove_file(&path).unwrap();
    assert_eq!((talk.sync().await.documents, &talk.list().await[0].problem), (0, &None));

    // Another folder in its place, as when a drive is not mounted, also after a restart.
    world.write("a.md", "an anchor\n");
    talk.sync().await;
    let (drive, embedded) = (world.path("drive"), world.script.embedded.load(Ordering::SeqCst));
    fs::rename(&world.notes, &drive).unwrap();
    fs::create_dir(&world.notes).unwrap();
    for _ in 0..2 {
        assert_eq!(talk.sync().await.documents, 1);
        let folder = &talk.list().await[0];
        assert!(folder.problem.as_ref().unwrap().contains("is it mounted?"), "{folder:?}");
        assert_eq!(talk.find("anchor").await, ["a.md"]);
    }
    let world = world.restart().await;
    let mut talk = world.connect().await;
    assert_eq!(talk.sync().await.documents, 1);

    // Back again, nothing is embedded anew and nothing is wrong any more.
    fs::remove_dir(&world.notes).unwrap();
    fs::rename(&drive, &world.notes).unwrap();
    assert_eq!(talk.sync().await.documents, 1);
    // That it is watched again is another task's work.
    within(async {
        while talk.list().await[0].problem.is_some() {
            talk.sync().await;
        }
    })
    .await;
    assert_eq!(world.script.embedded.load(Ordering::SeqCst), embedded);

    // Another folder that has something in it is a folder like any other.
    fs::rename(&world.notes, &drive).unwrap();
    world.write("b.md", "a bell\n");
    assert_eq!(talk.sync().await.documents, 1);
    assert_eq!(talk.find("anchor bell").await, ["b.md"]);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_saved_file_overtakes_a_huge_one_and_a_deleted_one_is_let_go() {
    let (world, mut talk) = World::watching().await;
    let (gate, waiting) = mpsc::channel();
    *world.script.embed_gate.lock().unwrap() = Some(waiting);
    let id = talk.fresh_id();
    talk.send(Request::Subscribe { id }).await;
    let paragraph = format!("{}\n\n", "word ".repeat(200));
    let huge = world.write("huge.md", paragraph.repeat(400));
    talk.until(|status| status.phase == Phase::Encoding).await;
    let mut batches = 0;
    // Batch by batch until the status shows what is wanted; the whole file would take two hundred.
    let mut open_until = async |talk: &mut Talk, wanted: fn(&IndexStatus) -> bool| {
        loop {
            gate.send(()).unwrap();
            batches += 1;
            assert!(batches < 150, "the huge file is embedded to its end");
            let seen = timeout(Duration::from_millis(50), talk.until(wanted)).await;
            if seen.is_ok() {
                return;
            }
        }
    };
    world.write("a.md", "an anchor\n");
    // Not documents: a scan may have come between the creation of the huge file and its filling.
    open_until(&mut talk, |status| status.passages == 1).await;
    fs::remove_file(huge).unwrap();
    open_until(&mut talk, |status| status.phase == Phase::Idle).await;
    drop(gate);
    let status = talk.sync().await;
    assert_eq!((status.documents, status.passages, status.problem_count), (1, 1, 0));
    assert_eq!(talk.find("anchor word").await, ["a.md"]);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_embedded_ends_as_it_is_on_disk() {
    let (world, mut talk) = World::watching().await;
    let (gate, waiting) = mpsc::channel();
    *world.script.embed_gate.lock().unwrap() = Some(waiting);
    let id = talk.fresh_id();
    talk.send(Request::Subscribe { id }).await;
    let paragraph = format!("{}\n\n", "word ".repeat(200));
    world.write("huge.md", paragraph.repeat(50));
    world.write("other.md", "a bell\n");
    talk.until(|status| status.phase == Phase::Encoding).await;
    gate.send(()).unwrap();
    world.write("huge.md", "an anchor\n");
    let mut other = world.connect().await;
    let id = other.fresh_id();
    other.send(Request::Sync { id, full: false }).await;
    drop(gate);
    assert!(matches!(other.event().await, Event::Synced { .. }));
    assert_eq!(talk.find("anchor bell word").await, ["huge.md", "other.md"]);
    assert!(talk.find("word").await.is_empty());
    let status = talk.sync().await;
    assert_eq!((status.documents, status.passages), (2, 2));
    world.stop().await.unwrap();
}

#[tokio::test]
async fn many_files_are_counted_as_they_are_done() {
    let (world, mut talk) = World::watching().await;
    for number in 0..300 {
        world.write(&format!("{}/{number}.md", number % 7), format!("anchor number {number}\n"));
    }
    let mut watcher = world.connect().await;
    let id = watcher.fresh_id();
    watcher.send(Request::Subscribe { id }).await;
    let status = talk.sync().await;
    assert_eq!((status.documents, status.passages, status.problem_count), (300, 300, 0));
    assert_eq!(world.script.embedded.load(Ordering::SeqCst), 300, "each of them once");
    watcher.until(|status| status.documents == 300 && status.phase == Phase::Idle).await;
    world.stop().await.unwrap();
}
