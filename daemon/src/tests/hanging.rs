//! Drives that do not answer, or answer with an error, and files that a reader breaks down at: each
//! costs what it has to, and nothing else.

use std::path::Path;
use std::sync::Arc;

use daemon_protocol::{Event, IndexStatus, Phase, Request};

use super::harness::{Talk, TestDrives, World, within};
use crate::limits::{LATE_MAX, OUT_MAX};
use crate::patience::{Errand, Patience, Pulse, Silence};

/// A folder's problem.
async fn problem(talk: &mut Talk, folder: &Path) -> Option<String> {
    let folders = talk.list().await;
    let found = folders.into_iter().find(|held| Path::new(&held.path) == folder);
    found.unwrap().problem
}

fn reason<'a>(status: &'a IndexStatus, name: &str) -> &'a str {
    let problem = status.problems.iter().find(|problem| problem.path.ends_with(name));
    problem.map_or("", |problem| problem.reason.as_str())
}

#[tokio::test]
async fn a_folder_hangs_after_files_in_a_row_and_is_tried_again() {
    let drives = Arc::new(TestDrives::default());
    let patience = Patience::new(drives.clone());
    let root = Path::new("/mnt");
    for name in ["late", "later"] {
        drives.hang(&root.join(name));
    }
    let ask = async |name: &str, errand: Errand| {
        let (path, touched) = (root.join(name), root.join(name));
        let work = move |pulse: &Pulse| pulse.at(&touched).unwrap();
        within(patience.run(root, &path, errand, work)).await
    };
    use Errand::{Ask, Look, Read, Trial};
    let late = Err(Silence::Late);
    let left = Err(Silence::Left);
    let steps = [
        ("late", Read, late.clone(), false),
        ("good", Read, Ok(()), false),
        ("late", Read, late.clone(), false),
        ("later", Read, late.clone(), false),
        ("good", Look, Ok(()), false),
        // The last of so many in a row.
        ("late", Read, late.clone(), true),
        ("good", Read, left.clone(), true),
        ("good", Look, left.clone(), true),
        ("good", Ask, Ok(()), true),
        ("later", Ask, late.clone(), true),
        ("late", Trial, late.clone(), true),
        // One that is out already will tell.
        ("good", Trial, left.clone(), true),
        ("good", Read, left.clone(), true),
    ];
    assert_eq!((LATE_MAX, OUT_MAX), (3, 4), "what the steps are made for");
    for (number, (name, errand, expected, hangs)) in steps.into_iter().enumerate() {
        assert_eq!(ask(name, errand).await, expected, "step {number}");
        assert_eq!(patience.hangs(root), hangs, "step {number}");
    }
    drives.release();
    within(patience.back()).await;
    // The other threads are about to make room.
    while ask("late", Read).await != Ok(()) {}
    assert!(!patience.hangs(root));
}

#[tokio::test]
async fn a_folder_that_cannot_be_looked_at_keeps_the_next_look_waiting_no_more() {
    let drives = Arc::new(TestDrives::default());
    let patience = Patience::new(drives.clone());
    let root = Path::new("/mnt");
    drives.hang(root);
    let look = async |errand: Errand| {
        let work = |pulse: &Pulse| pulse.at(Path::new("/mnt")).unwrap();
        within(patience.run(root, root, errand, work)).await
    };
    for first in [Errand::Look, Errand::Trial] {
        assert_eq!(look(first).await, Err(Silence::Late));
        assert!(patience.hangs(root));
        for next in [Errand::Look, Errand::Trial, Errand::Read] {
            assert_eq!(look(next).await, Err(Silence::Left), "{next:?} after {first:?}");
        }
        drives.release();
        within(patience.back()).await;
        assert!(!patience.hangs(root));
        assert_eq!(look(Errand::Trial).await, Ok(()));
        assert_eq!(look(Errand::Read).await, Ok(()));
        drives.hang(root);
    }
}

#[tokio::test]
async fn a_file_that_does_not_answer_stays_indexed_and_keeps_none_waiting() {
    let (world, mut talk) = World::watching().await;
    let hung = world.write("hung.md", "an anchor\n");
    talk.sync().await;
    world.script.drives.hang(&hung);
    world.write("hung.md", "an arctic\n");
    world.write("other.md", "a bell\n");
    let status = talk.sync().await;
    assert_eq!((status.documents, status.problem_count), (2, 1), "{status:?}");
    let told = reason(&status, "hung.md");
    assert!(told.contains("did not answer in 30 s") && told.contains("is kept"), "{told}");
    assert_eq!(talk.find("anchor bell").await, ["hung.md", "other.md"]);
    assert_eq!(problem(&mut talk, &world.notes).await, None);

    world.script.drives.release();
    let status = talk.sync().await;
    assert_eq!((status.documents, status.problem_count), (2, 0), "{status:?}");
    assert_eq!(talk.find("arctic").await, ["hung.md"]);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_hangs_is_kept_and_looked_at_when_it_answers() {
    let (world, mut talk) = World::watching().await;
    world.write("a.md", "an anchor\n");
    let mount = world.notes.with_file_name("mount");
    std::fs::create_dir(&mount).unwrap();
    std::fs::write(mount.join("kept.md"), "a kettle\n").unwrap();
    talk.add(&mount).await.unwrap();
    assert_eq!(talk.sync().await.documents, 2);

    world.script.drives.hang(&mount);
    std::fs::write(mount.join("new.md"), "a needle\n").unwrap();
    world.write("b.md", "a bell\n");
    assert_eq!(talk.sync().await.documents, 3);
    assert_eq!(talk.find("bell kettle needle").await, ["b.md", "kept.md"]);
    let told = problem(&mut talk, &mount).await.unwrap();
    assert!(told.contains("answer") && told.contains("is kept until"), "{told}");
    assert_eq!(problem(&mut talk, &world.notes).await, None);

    // Nobody orders it: the thread that comes back does.
    let id = talk.fresh_id();
    talk.send(Request::Subscribe { id }).await;
    world.script.drives.release();
    talk.until(|status| status.documents == 4 && status.phase == Phase::Idle).await;
    assert_eq!(problem(&mut talk, &mount).await, None);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_whose_files_do_not_answer_is_left_alone() {
    let (world, mut talk) = World::watching().await;
    let names: Vec<String> = (0..2 * LATE_MAX).map(|number| format!("{number}.md")).collect();
    for name in &names {
        world.script.drives.hang(&world.notes.join(name));
        world.write(name, "an anchor\n");
    }
    let status = talk.sync().await;
    assert_eq!(status.documents, 0);
    assert!((LATE_MAX..=OUT_MAX).contains(&status.problem_count), "{status:?}");
    let told = problem(&mut talk, &world.notes).await.unwrap();
    assert!(told.contains("does not answer"), "{told}");

    // A client is told as much, and the end waits for none of the threads.
    let asked = talk.fresh_id();
    let path = world.notes.join("0.md").to_str().unwrap().to_owned();
    talk.send(Request::WhyNot { id: asked, path, question: None }).await;
    let Event::Why { reason, .. } = talk.event().await else { panic!("no answer") };
    assert!(reason.contains("did not answer"), "{reason}");
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_whose_files_answer_at_last_is_read() {
    let (world, mut talk) = World::watching().await;
    for number in 0..2 * LATE_MAX {
        let path = world.notes.join(format!("{number}.md"));
        world.script.drives.hang(&path);
        world.write(&format!("{number}.md"), "an anchor\n");
    }
    assert_eq!(talk.sync().await.documents, 0);
    let id = talk.fresh_id();
    talk.send(Request::Subscribe { id }).await;
    world.script.drives.release();
    let all = |status: &IndexStatus| status.documents == 2 * LATE_MAX && status.problem_count == 0;
    talk.until(all).await;
    assert_eq!(problem(&mut talk, &world.notes).await, None);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_that_names_a_folder_that_hangs_is_told_so() {
    let world = World::start().await;
    let mut talk = world.connect().await;
    world.script.drives.hang(&world.notes);
    let error = talk.add(&world.notes).await.unwrap_err();
    assert!(error.message.contains("did not answer"), "{error}");
    assert!(talk.list().await.is_empty());
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_panic_at_a_file_is_that_files_problem_until_it_changes() {
    let (world, mut talk) = World::watching().await;
    world.write("bad.pdf", "panic\n");
    world.write("good.pdf", "an anchor\n");
    for _ in 0..2 {
        let status = talk.sync().await;
        assert_eq!((status.documents, status.problem_count), (1, 1), "{status:?}");
        let told = reason(&status, "bad.pdf");
        assert!(told.starts_with("reading it panicked: as /"), "{told}");
    }
    world.write("bad.pdf", "an anchor again\n");
    let status = talk.sync().await;
    assert_eq!((status.documents, status.problem_count), (2, 0), "{status:?}");
    world.stop().await.unwrap();
}

#[tokio::test]
async fn an_error_of_the_drive_keeps_what_is_indexed_and_a_closed_file_does_not() {
    let (world, mut talk) = World::watching().await;
    const EPERM: i32 = 1;
    const EIO: i32 = 5;
    const EACCES: i32 = 13;
    const ENODEV: i32 = 19;
    const ETIMEDOUT: i32 = if cfg!(target_os = "linux") { 110 } else { 60 };
    for (errno, stays) in
        [(EIO, true), (ENODEV, true), (ETIMEDOUT, true), (EACCES, false), (EPERM, false)]
    {
        let path = world.write("a.md", "an anchor\n");
        assert_eq!(talk.sync().await.problem_count, 0);
        world.script.drives.fail(&path, Some(errno));
        world.write("a.md", "an arctic\n");
        let status = talk.sync().await;
        assert_eq!((status.documents, status.problem_count), (usize::from(stays), 1), "{errno}");
        let told = reason(&status, "a.md");
        assert!(told.contains(&format!("os error {errno}")), "{told}");
        assert_eq!(told.contains("is kept"), stays, "{told}");
        assert_eq!(talk.find("anchor").await.len(), usize::from(stays), "{errno}");

        // It can be read again, and is as it was: that is no difference to see, and no problem either.
        if stays {
            world.write("a.md", "an anchor\n");
        }
        world.script.drives.fail(&path, None);
        let status = talk.sync().await;
        assert_eq!((status.documents, status.problem_count), (1, 0), "{errno}");
    }
    world.stop().await.unwrap();
}
