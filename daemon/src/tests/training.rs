//! A `fore train` beside the daemon: what its file says, and who hears of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use daemon_protocol::training::{FILE_BYTES_MAX, read};
use daemon_protocol::{Event, Request, TrainingStatus};

use super::harness::{Talk, World};

/// A run of a process that lives: this one.
fn run(done: usize) -> TrainingStatus {
    TrainingStatus {
        pid: std::process::id(),
        run: "3fa9c1d2".to_owned(),
        stage: "training".to_owned(),
        done,
        total: 400,
        eta_s: Some(300),
        loss: Some(0.83),
        tokens_per_s: None,
        ndcg_10: None,
    }
}

/// Replaces the file in one step, as a run does.
fn write(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(&beside, path).unwrap();
}

fn json(status: &TrainingStatus) -> String {
    serde_json::to_string(status).unwrap()
}

/// The file that the service of `world` looks at.
fn file(world: &World) -> PathBuf {
    let path = world.path("data/training.json");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

async fn told(talk: &mut Talk) -> Option<TrainingStatus> {
    match talk.event().await {
        Event::Training { status } => status,
        other => panic!("{other:?}"),
    }
}

async fn asked(talk: &mut Talk) -> Option<TrainingStatus> {
    let id = talk.fresh_id();
    talk.send(Request::Status { id }).await;
    match talk.event().await {
        Event::Status { status, .. } => status.training,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_subscriber_hears_of_a_run_until_its_end() {
    let world = World::start().await;
    let file = file(&world);
    let mut talk = world.connect().await;
    let id = talk.fresh_id();
    talk.send(Request::Subscribe { id }).await;
    talk.until(|_| true).await;
    write(&file, &json(&run(1)));
    assert_eq!(told(&mut talk).await, Some(run(1)));
    write(&file, "{\"pid\":");
    assert_eq!(told(&mut talk).await, None);
    write(&file, &json(&run(2)));
    assert_eq!(told(&mut talk).await, Some(run(2)));

    // One that comes later hears of it at once, behind where indexing stands.
    let mut later = world.connect().await;
    let id = later.fresh_id();
    later.send(Request::Subscribe { id }).await;
    later.until(|_| true).await;
    assert_eq!(told(&mut later).await, Some(run(2)));

    fs::remove_file(&file).unwrap();
    for talk in [&mut talk, &mut later] {
        assert_eq!(told(talk).await, None);
    }
    world.stop().await.unwrap();
}

#[tokio::test]
async fn the_status_tells_of_a_run_and_who_only_asks_hears_nothing_else() {
    let world = World::start().await;
    let file = file(&world);
    let mut talk = world.connect().await;
    assert_eq!(asked(&mut talk).await, None);
    write(&file, &json(&run(1)));
    assert_eq!(asked(&mut talk).await, Some(run(1)));
    fs::remove_file(&file).unwrap();
    assert_eq!(asked(&mut talk).await, None);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_run_that_was_killed_has_ended() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let world = World::start().await;
    let file = file(&world);
    let mut process = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let killed = TrainingStatus { pid: process.id(), ..run(1) };
    write(&file, &json(&killed));
    let mut talk = world.connect().await;
    let id = talk.fresh_id();
    talk.send(Request::Subscribe { id }).await;
    assert_eq!(told(&mut talk).await, Some(killed));
    process.kill().unwrap();
    process.wait().unwrap();
    assert_eq!(told(&mut talk).await, None);
    assert_eq!(asked(&mut talk).await, None);
    assert!(file.exists(), "the daemon only looks");
    world.stop().await.unwrap();
}

#[test]
fn what_is_no_run_is_not_shown() {
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("training.json");
    assert_eq!(read(&file), None, "no file");
    assert_eq!(read(dir.path()), None, "a folder");
    let padding = usize::try_from(FILE_BYTES_MAX).unwrap();
    let long = TrainingStatus { stage: "x".repeat(padding), ..run(1) };
    for broken in ["", "{}", "[1]", "{\"pid\":1,", &json(&long)] {
        write(&file, broken);
        assert_eq!(read(&file), None, "{broken:.20}");
    }
    fs::write(&file, b"\xff\xfe").unwrap();
    assert_eq!(read(&file), None, "not text");
    if cfg!(target_os = "linux") {
        // No system hands out this number.
        write(&file, &json(&TrainingStatus { pid: u32::MAX, ..run(1) }));
        assert_eq!(read(&file), None, "a process that is gone");
    }
    write(&file, &json(&run(1)));
    let old = fs::File::options().write(true).open(&file).unwrap();
    old.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(read(&file), None, "from before the system's start");
    write(&file, &json(&run(1)));
    assert_eq!(read(&file), Some(run(1)));
}
