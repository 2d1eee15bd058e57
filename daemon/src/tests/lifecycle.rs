//! Hellos, frames, folders, restarts, reloads, and how the service ends.

use std::fs;
use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use daemon_protocol::client::{Client, ClientError, FrameReader};
use daemon_protocol::{DaemonStatus, ErrorKind, Event, Failure, Hello, PROTOCOL, Request, frame};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

use super::harness::{Script, Scripted, Talk, World, question, settings, within};
use crate::Critical;
use crate::limits::SESSIONS_MAX;

async fn status(talk: &mut Talk) -> DaemonStatus {
    let id = talk.fresh_id();
    talk.send(Request::Status { id }).await;
    match talk.event().await {
        Event::Status { status, .. } => *status,
        other => panic!("{other:?}"),
    }
}

async fn reload(talk: &mut Talk) -> Result<DaemonStatus, Failure> {
    let id = talk.fresh_id();
    talk.send(Request::Reload { id }).await;
    match talk.event().await {
        Event::Status { status, .. } => Ok(*status),
        Event::Failed { error, .. } => Err(error),
        other => panic!("{other:?}"),
    }
}

/// Says hello in `protocol`, sends `bytes`, and reads what comes until the daemon hangs up.
async fn raw(world: &World, protocol: u32, bytes: &[u8]) -> (Hello, Vec<Event>) {
    let stream = within(UnixStream::connect(world.socket())).await.unwrap();
    let (read, mut write) = stream.into_split();
    let mut reader = FrameReader::new(read);
    let ours = Hello { protocol, version: "other".to_owned(), pid: 1 };
    within(write.write_all(&frame::encode(&ours).unwrap())).await.unwrap();
    let theirs = within(reader.read::<Hello>()).await.unwrap().unwrap();
    // The daemon may hang up before it has read all of a frame that is too long.
    drop(within(write.write_all(bytes)).await);
    let mut events = Vec::new();
    while let Ok(Some(event)) = within(reader.read::<Event>()).await {
        events.push(event);
    }
    (theirs, events)
}

#[tokio::test]
async fn another_protocol_gets_a_hello_and_a_closed_door() {
    let world = World::start().await;
    let (theirs, events) = raw(&world, PROTOCOL + 1, b"").await;
    assert_eq!((theirs.protocol, theirs.pid), (PROTOCOL, std::process::id()));
    assert!(events.is_empty());
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_frame_that_is_none_is_answered_and_ends_only_its_session() {
    let world = World::start().await;
    let long = vec![b'x'; frame::FRAME_BYTES_MAX + 10];
    for (bytes, expected) in [
        (long.as_slice(), "longer than"),
        (b"{\"request\":\"dance\"}\n".as_slice(), "not a message"),
        (b"\xff\xfe\n".as_slice(), "not a message"),
    ] {
        let (_, events) = raw(&world, PROTOCOL, bytes).await;
        assert!(
            matches!(&events[..], [Event::Failed { id: 0, error }]
                if error.kind == ErrorKind::Invalid && error.message.contains(expected)),
            "{events:?}"
        );
    }
    let mut talk = world.connect().await;
    assert!(talk.list().await.is_empty());
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_is_checked_before_it_is_watched() {
    let (world, mut talk) = World::watching().await;
    let file = world.write("a.md", "an anchor\n");
    fs::create_dir_all(world.path("notes/sub")).unwrap();
    for (path, expected) in [
        (world.path("nowhere").as_path(), "no folder at"),
        (file.as_path(), "is a file"),
        (Path::new("/"), "whole file system"),
        #[cfg(target_os = "linux")]
        (Path::new("/proc/self"), "the system makes up"),
        (Path::new("notes"), "not an absolute path"),
        (world.path("notes/sub").as_path(), "is watched already, as a part of"),
    ] {
        let error = talk.add(path).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.message.contains(expected) && error.hint.is_some(), "{error}");
    }
    for (path, expected) in [("notes/sub", "is a part of"), ("nowhere", "is not watched")] {
        let error = talk.remove(&world.path(path)).await.unwrap_err();
        assert!(error.message.contains(expected) && error.hint.is_some(), "{error}");
    }
    // Twice is no error, and neither is the long way round.
    let folders = talk.add(&world.path("notes/../notes/.")).await.unwrap();
    assert_eq!(folders.len(), 1);
    // A folder above takes over from the one below, and nothing is embedded again.
    talk.sync().await;
    let above = world.notes.parent().unwrap().to_owned();
    let folders = talk.add(&above).await.unwrap();
    assert_eq!(folders.len(), 1);
    assert_eq!(Path::new(&folders[0].path), above);
    talk.sync().await;
    assert_eq!(talk.find("anchor").await, ["a.md"]);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn the_list_of_folders_survives_a_restart() {
    let (world, mut talk) = World::watching().await;
    world.write("a.md", "an anchor\n");
    talk.sync().await;
    let world = world.restart().await;
    let mut talk = world.connect().await;
    let folders = talk.list().await;
    assert_eq!(Path::new(&folders[0].path), world.notes);
    assert_eq!(talk.find("anchor").await, ["a.md"], "before any scan");
    // What happened while nobody watched is found at the start.
    fs::remove_file(world.notes.join("a.md")).unwrap();
    world.write("b.md", "a bell\n");
    let world = world.restart().await;
    let mut talk = world.connect().await;
    talk.sync().await;
    assert_eq!(talk.find("anchor bell").await, ["b.md"]);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_list_of_folders_that_cannot_be_used_is_named() {
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("folders.json");
    for (text, expected) in [
        ("{\"version\":1,\"folders\":[\"/a\"", "EOF"),
        ("{\"version\":2,\"folders\":[]}", "version is 2"),
        ("{\"version\":1,\"folders\":[\"a\"]}", "not an absolute path"),
    ] {
        fs::write(&file, text).unwrap();
        let listener = tokio::net::UnixListener::bind(dir.path().join(expected)).unwrap();
        let backend = Arc::new(Scripted(Arc::default()));
        let service = crate::run(listener, backend, settings(dir.path()), pending());
        let error = within(service).await.unwrap_err();
        assert!(matches!(&error, Critical::FoldersFile { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains(expected) && message.contains("folders.json"), "{message}");
    }
}

#[tokio::test]
async fn the_status_tells_what_runs() {
    let (world, mut talk) = World::watching().await;
    world.write("a.md", "an anchor\n");
    talk.sync().await;
    let status = status(&mut talk).await;
    assert_eq!((status.model.as_str(), status.index.documents), ("first", 1));
    assert_eq!((status.folders[0].documents, status.folders[0].passages), (1, 1));
    assert_eq!(status.folders[0].problem, None);
    if cfg!(target_os = "linux") {
        assert!(status.memory_bytes > 0 && status.memory_peak_bytes >= status.memory_bytes);
    }
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_reload_swaps_models_and_a_failed_one_changes_nothing() {
    let (world, mut talk) = World::watching().await;
    world.write("a.md", "an anchor\n");
    talk.sync().await;

    *world.script.fail_loading.lock().unwrap() = Some("no such file");
    let error = reload(&mut talk).await.unwrap_err();
    assert!(error.message.contains("no such file"), "{error}");
    assert!(error.message.contains("old model stays"), "{error}");
    assert_eq!(talk.find("anchor").await, ["a.md"]);

    *world.script.fail_loading.lock().unwrap() = None;
    let same = reload(&mut talk).await.unwrap();
    assert_eq!(talk.find("anchor").await, ["a.md"]);

    *world.script.name.lock().unwrap() = Some("second");
    let other = reload(&mut talk).await.unwrap();
    assert_eq!(other.model, "second");
    assert_ne!(other.fingerprint, same.fingerprint);
    let again = reload(&mut talk).await.unwrap();
    assert_eq!(again.fingerprint, other.fingerprint, "asked for twice, perhaps while it is filled");
    talk.sync().await;
    let now = status(&mut talk).await;
    assert_eq!((&now.fingerprint, now.index.documents), (&other.fingerprint, 1));
    assert_eq!(talk.find("anchor").await, ["a.md"]);

    // What is kept is the model in use and the one that a rollback goes to.
    *world.script.name.lock().unwrap() = Some("third");
    let third = reload(&mut talk).await.unwrap();
    talk.sync().await;
    let mut kept: Vec<String> = world.script.stores.lock().unwrap().keys().cloned().collect();
    let mut expected = [other.fingerprint, third.fingerprint];
    kept.sort_unstable();
    expected.sort_unstable();
    assert_eq!(kept, expected);

    // One that embeds as the third does needs nothing to be embedded.
    let embedded = world.script.embedded.load(Ordering::SeqCst);
    *world.script.name.lock().unwrap() = Some("third-reads-better");
    let loaded = reload(&mut talk).await.unwrap();
    assert_eq!(status(&mut talk).await.fingerprint, loaded.fingerprint, "it serves at once");
    talk.sync().await;
    assert_eq!(talk.find("anchor").await, ["a.md"]);
    assert_eq!(world.script.embedded.load(Ordering::SeqCst), embedded);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn one_client_too_many_waits_for_a_place() {
    let world = World::start().await;
    let mut held = Vec::new();
    for _ in 0..SESSIONS_MAX {
        held.push(world.connect().await);
    }
    let waits = async {
        // The others still get answers; only then does one of them leave.
        assert!(held[0].list().await.is_empty());
        held.pop();
        futures::future::pending::<()>().await;
    };
    let mut last = tokio::select! {
        biased;
        talk = world.connect() => talk,
        () = waits => panic!("never ends"),
    };
    assert!(last.list().await.is_empty());
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_can_end_the_service_and_all_clients_hear_of_it() {
    let (world, mut talk) = World::watching().await;
    let mut other = world.connect().await;
    other.list().await;
    let id = talk.fresh_id();
    talk.send(Request::Stop { id }).await;
    for talk in [&mut talk, &mut other] {
        assert_eq!(talk.event().await, Event::Closing { reason: "a client stopped it".to_owned() });
        assert!(within(talk.client.receiver.next()).await.unwrap().is_none());
    }
    let socket = world.socket();
    world.ended().await.unwrap();
    let error = within(Client::connect(&socket, "test")).await.err().unwrap();
    assert!(matches!(error, ClientError::Connect { .. }), "{error}");
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_question_or_a_long_round() {
    let (gate, waiting) = std::sync::mpsc::channel();
    let script = Arc::new(Script::default());
    *script.gate.lock().unwrap() = Some(waiting);
    let world = World::with(script).await;
    let mut talk = world.connect().await;
    talk.add(&world.notes).await.unwrap();
    talk.sync().await;
    talk.begin(question("anchor")).await;
    assert!(matches!(talk.event().await, Event::Hits { .. }), "the draft");
    for number in 0..200 {
        world.write(&format!("{number}.md"), "an anchor\n");
    }
    let id = talk.fresh_id();
    talk.send(Request::Sync { id, full: false }).await;
    // The mind stands at the gate and the indexer waits for it. Both let go once told to end;
    // the gate opens only because a thread cannot be joined in the middle of a token.
    drop(gate);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_mind_that_cannot_be_loaded_is_the_reason_not_to_start() {
    let script = Arc::new(Script::default());
    *script.fail_loading.lock().unwrap() = Some("no such file");
    let error = World::with(script).await.ended().await.unwrap_err();
    assert!(matches!(&error, Critical::Mind(_)), "{error:?}");
    assert_eq!(error.to_string(), "inference: no such file");
}

#[tokio::test]
async fn a_panic_of_the_mind_ends_the_service_as_an_error() {
    let (world, mut talk) = World::watching().await;
    *world.script.panic_thinking.lock().unwrap() = true;
    talk.begin(question("anchor")).await;
    let error = world.ended().await.unwrap_err();
    assert_eq!(error.to_string(), "the model's thread stopped unexpectedly; its log says why");
}
