//! Files that are as they were, whatever has been done to their times and their drives, are not read again.

use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use super::harness::World;

fn touch(path: &Path, ago_s: u64) {
    let time = SystemTime::now() - Duration::from_secs(ago_s);
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[tokio::test]
async fn a_touched_file_is_read_once_however_often_the_daemon_starts() {
    let (world, mut talk) = World::watching().await;
    let path = world.write("a.md", "an anchor");
    assert_eq!(talk.sync().await.documents, 1);
    let (drives, script) = (world.script.drives.clone(), world.script.clone());
    touch(&path, 100);
    talk.sync().await;
    // What the watcher has reported may be read once more, until the service ends.
    let mut world = world.restart().await;
    world.connect().await.sync().await;
    let before = (drives.reads(&path), script.embedded.load(Ordering::SeqCst));
    for _ in 0..2 {
        world = world.restart().await;
        world.connect().await.sync().await;
        let now = (drives.reads(&path), script.embedded.load(Ordering::SeqCst));
        assert_eq!(now, before, "it is known from before");
    }
    // What it holds is still looked at once it changes.
    world.write("a.md", "a bell");
    world.connect().await.sync().await;
    assert!(drives.reads(&path) > before.0);
    assert_eq!(world.connect().await.find("bell").await, ["a.md"]);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_drive_that_is_back_is_not_read_again() {
    let world = World::start().await;
    let path = world.write("a.md", "an anchor");
    let mut talk = world.connect().await;
    talk.add(&world.notes).await.unwrap();
    assert_eq!(talk.sync().await.documents, 1);
    let drives = world.script.drives.clone();
    let before = drives.reads(&path);
    // As of a drive: the mount point stays, empty, or goes too.
    let away = world.path("away");
    for leaves_mount_point in [true, false] {
        fs::rename(&world.notes, &away).unwrap();
        if leaves_mount_point {
            fs::create_dir(&world.notes).unwrap();
        }
        assert_eq!(talk.sync().await.documents, 1, "what is indexed of it is kept");
        if leaves_mount_point {
            fs::remove_dir(&world.notes).unwrap();
        }
        fs::rename(&away, &world.notes).unwrap();
        assert_eq!(talk.sync().await.documents, 1);
        assert_eq!(drives.reads(&path), before, "mount point stays: {leaves_mount_point}");
    }
    world.stop().await.unwrap();
}
