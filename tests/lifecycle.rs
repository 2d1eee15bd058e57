//! The daemon's life: start, a second start, what a dead one leaves behind, strangers at the
//! socket, a crash in the middle of indexing.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::process::{PATIENCE, run, wait_until};
use crate::sandbox::{Sandbox, signal};
use crate::wire::{PROTOCOL, Wire};

#[test]
fn start_status_stop() {
    let sandbox = Sandbox::new();
    sandbox.fore(&["daemon", "status"]).exits(1);
    let first = sandbox.fore(&["daemon", "start"]).exits(0);
    let pid = sandbox.daemon_pid();
    let again = sandbox.fore(&["daemon", "start"]).exits(0);
    assert_eq!(sandbox.daemon_pid(), pid, "starting again is no restart");

    let status = sandbox.status();
    assert_eq!(status["pid"], json!(pid));
    let device = status["device"].as_str().unwrap();
    assert!(device.starts_with("cpu"), "{status}");
    first.says(&[&format!("the daemon is running (pid {pid}) on {device}\n")]);
    again.says(&[&format!("the daemon is already running (pid {pid}) on {device}\n")]);
    assert!(status["memory_bytes"].as_u64().unwrap() > 50 << 20, "{status}");
    let told = sandbox.fore(&["daemon", "status"]).exits(0).stdout;
    assert!(told.contains(&pid.to_string()), "{told}");

    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(sandbox.socket()), 0o600);
    assert_eq!(mode(sandbox.home().join("run/forethought")), 0o700);

    sandbox.fore(&["daemon", "stop"]).exits(0);
    assert!(!sandbox.socket().exists(), "the socket is left behind");
    sandbox.fore(&["daemon", "status"]).exits(1);
    sandbox.fore(&["daemon", "stop"]).exits(0);
}

#[test]
fn a_daemon_that_is_asked_to_end_says_goodbye() {
    let sandbox = Sandbox::new();
    let mut daemon = sandbox.spawn(&["daemon", "run"]);
    let mut wire = wait_until("the daemon", PATIENCE, || Wire::open(&sandbox.socket()));
    wire.greet(PROTOCOL);
    assert_eq!(wire.hello["pid"], json!(daemon.pid()));
    daemon.until("the device to be said aloud", |daemon| {
        (daemon.stderr() + &sandbox.log()).contains("cpu")
    });
    signal(daemon.pid(), Signal::TERM);
    wire.until("goodbye", |event| event["event"] == "closing");
    assert_eq!(wire.next(), None);
    daemon.finish().exits(0);
    assert!(!sandbox.socket().exists());
}

#[test]
fn a_second_daemon_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.fore(&["daemon", "start"]).exits(0);
    let pid = sandbox.daemon_pid();
    let second = sandbox.fore(&["daemon", "run"]);
    second.exits(2).says(&["error: ", "already", &pid.to_string()]);
    sandbox.still_serves(pid);
}

#[test]
fn ten_clients_start_one_daemon() {
    let sandbox = Sandbox::new();
    let clients: Vec<_> = (0..10).map(|_| sandbox.spawn(&["daemon", "start"])).collect();
    let pid = format!("(pid {})", {
        let told: Vec<_> = clients.into_iter().map(|client| client.finish().exits(0)).collect();
        let starters = told.iter().filter(|one| one.stderr.contains("starting the daemon"));
        assert_eq!(starters.count(), 1, "{told:#?}");
        sandbox.daemon_pid()
    });
    sandbox.fore(&["daemon", "start"]).exits(0).says(&["already", &pid]);
}

#[test]
fn what_a_dead_daemon_leaves_is_cleaned_up() {
    let sandbox = Sandbox::new();
    let socket = sandbox.socket();
    fs::create_dir_all(socket.parent().unwrap()).unwrap();
    fs::set_permissions(socket.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists(), "a listener leaves its socket behind");
    sandbox.fore(&["list"]).exits(0);

    let first = sandbox.daemon_pid();
    sandbox.kill_daemon();
    assert!(socket.exists(), "a killed daemon leaves its socket behind");
    sandbox.fore(&["list"]).exits(0);
    assert_ne!(sandbox.daemon_pid(), first);
}

#[test]
fn what_cron_starts_finds_the_daemon_of_the_desktop() {
    let sandbox = Sandbox::new();
    sandbox.write("a.md", "The gazette is printed at night.");
    sandbox.add_notes();
    let pid = sandbox.daemon_pid();
    let elsewhere = |arguments: &[&str]| {
        let other = sandbox.home().join("other-run");
        fs::create_dir_all(&other).unwrap();
        run(sandbox.command(arguments).env("XDG_RUNTIME_DIR", other))
    };
    elsewhere(&["daemon", "start"]).exits(0).says(&["already", &format!("(pid {pid})")]);
    let hits = elsewhere(&["ask", "--no-think", "--json", "gazette"]).exits(0).json();
    assert_eq!(hits.as_array().unwrap().len(), 1, "{hits}");
    elsewhere(&["daemon", "run"]).exits(2).says(&["already", &pid.to_string()]);
    sandbox.still_serves(pid);
    elsewhere(&["daemon", "stop"]).exits(0).says(&[&format!("(pid {pid}) has stopped")]);
    assert!(!sandbox.socket().exists());
}

#[test]
fn a_daemon_whose_socket_is_gone_makes_room_for_another() {
    let sandbox = Sandbox::new();
    sandbox.write("a.md", "The eider nests here.");
    sandbox.add_notes();
    let runtime = sandbox.socket().parent().unwrap().to_owned();
    let removals: [&dyn Fn(); 2] =
        [&|| fs::remove_file(sandbox.socket()).unwrap(), &|| fs::remove_dir_all(&runtime).unwrap()];
    for remove in removals {
        let before = sandbox.daemon_pid();
        remove();
        let hits = sandbox.fore(&["ask", "--no-think", "--json", "eider"]).exits(0).json();
        assert_eq!(hits.as_array().unwrap().len(), 1, "{hits}");
        assert_ne!(sandbox.daemon_pid(), before);
        assert!(sandbox.log().contains("the socket's file is gone"));
    }
}

#[test]
fn what_is_made_of_peoples_texts_is_theirs_alone() {
    let sandbox = Sandbox::new();
    // As a version left it that did not care.
    let left = sandbox.home().join("data/forethought/runs/old");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("train.jsonl"), "{}").unwrap();
    for (path, mode) in [(left.join("train.jsonl"), 0o644), (left.parent().unwrap().into(), 0o755)]
    {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    sandbox.write("a.md", "A secret of mine.");
    sandbox.add_notes();
    sandbox.fore(&["ask", "--no-think", "secret"]).exits(0);
    sandbox.fore(&["daemon", "stop"]).exits(0);
    let mut folders = vec![sandbox.home().join("data/forethought")];
    folders.push(sandbox.home().join("state/forethought"));
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let found = entry.metadata().unwrap();
            assert_eq!(found.permissions().mode() & 0o077, 0, "{}", entry.path().display());
            if found.is_dir() { folders.push(entry.path()) } else { files += 1 }
        }
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert!(files > 5, "{files}");
}

#[test]
fn a_client_of_another_protocol_gets_a_hello_and_no_more() {
    let sandbox = Sandbox::new();
    sandbox.fore(&["daemon", "start"]).exits(0);
    let pid = sandbox.daemon_pid();
    let mut stranger = Wire::open(&sandbox.socket()).unwrap();
    stranger.greet(999);
    assert_eq!(stranger.hello["protocol"], json!(PROTOCOL));
    assert!(stranger.hello["version"].is_string());
    assert_eq!(stranger.next(), None, "the daemon closes");
    sandbox.still_serves(pid);
}

/// Plays a daemon with this protocol and version to two connections, in the name of process `pid`.
fn play_old_daemon(sandbox: &Sandbox, pid: u32, says: (u64, &str)) -> JoinHandle<()> {
    let socket = sandbox.socket();
    fs::create_dir_all(socket.parent().unwrap()).unwrap();
    fs::set_permissions(socket.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    let listener = UnixListener::bind(&socket).unwrap();
    let hello = json!({"protocol": says.0, "version": says.1, "pid": pid});
    thread::spawn(move || {
        for stream in listener.incoming().take(2) {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
            stream.write_all(format!("{hello}\n").as_bytes()).unwrap();
        }
    })
}

#[test]
fn a_daemon_of_another_protocol_is_explained() {
    let sandbox = Sandbox::new();
    // Whoever it is does not hold the daemon's lock, so nobody may end it.
    let mut other = sandbox.program("cat").stdin(Stdio::piped()).spawn().unwrap();
    let play = play_old_daemon(&sandbox, other.id(), (999, "9.9.9"));
    let ours = format!("this program {PROTOCOL}");
    let way_out = "fore daemon stop && fore daemon start";
    sandbox.fore(&["list"]).fails_saying(&["9.9.9", "protocol 999", &ours, way_out]);
    play.join().unwrap();
    assert!(other.try_wait().unwrap().is_none(), "a stranger was ended");
    drop(other.stdin.take());
    other.wait().unwrap();
}

#[test]
fn our_own_daemon_of_another_protocol_or_an_older_version_is_replaced() {
    let ours = format!("this program {PROTOCOL}");
    is_replaced((999, "9.9.9"), &["restarting", "9.9.9", "protocol 999", &ours]);
    is_replaced((PROTOCOL, "0.0.9"), &["restarting", "0.0.9", "older than this program"]);
}

fn is_replaced(says: (u64, &str), told: &[&str]) {
    let sandbox = Sandbox::new();
    let folder = sandbox.home().join("data/forethought");
    fs::create_dir_all(&folder).unwrap();
    // The lock lives as long as the process that has it as its input.
    let mut lock = File::create(folder.join("daemon.lock")).unwrap();
    lock.lock().unwrap();
    let input = Stdio::from(lock.try_clone().unwrap());
    let mut old = sandbox.program("sleep").arg("600").stdin(input).spawn().unwrap();
    write!(lock, "{}", old.id()).unwrap();
    drop(lock);
    let play = play_old_daemon(&sandbox, old.id(), says);
    sandbox.fore(&["list"]).exits(0).says(told);
    play.join().unwrap();
    assert_eq!(old.wait().unwrap().code(), None, "it was not ended by a signal");
    assert_ne!(sandbox.daemon_pid(), old.id());
}

#[test]
fn nonsense_on_the_socket_hurts_only_its_sender() {
    let sandbox = Sandbox::new();
    sandbox.fore(&["daemon", "start"]).exits(0);
    let pid = sandbox.daemon_pid();
    let endless = vec![b'x'; 3 << 20];
    let table: [(&str, &[u8]); 6] = [
        ("nothing at all", b""),
        ("not JSON", b"GET / HTTP/1.1\r\n\r\n"),
        ("not a request", b"{\"request\":\"dance\",\"id\":1}\n"),
        ("half a line", b"{\"request\":\"stat"),
        ("not text", b"\xff\xfe\x00\x80\n"),
        ("a line without end", &endless),
    ];
    for (what, bytes) in table {
        for greet_first in [false, true] {
            let mut wire = Wire::open(&sandbox.socket()).unwrap();
            if greet_first {
                wire.greet(PROTOCOL);
            }
            wire.send_raw(bytes);
            drop(wire);
            assert_eq!(sandbox.daemon_pid(), pid, "after {what}; log: {}", sandbox.log());
        }
    }
    sandbox.still_serves(pid);
}

/// Many short documents: more than one commit holds, and each worth some encoding.
fn write_many(sandbox: &Sandbox) -> usize {
    let count = 100;
    for number in 0..count {
        let tools = ["rake", "spade", "hoe", "fork", "trowel", "shears", "barrow"];
        let tool = tools[number % tools.len()];
        let lines: Vec<String> = (0..4)
            .map(|line| {
                let shelf = number * 4 + line;
                format!("On shelf {shelf} the {tool} number {number} waits for its {line}. repair.")
            })
            .collect();
        let text = format!("# Inventory {number}\n\n{}\n", lines.join("\n"));
        sandbox.write(&format!("part{}/tool{number}.md", number % 5), text);
    }
    count
}

/// Kills the daemon at the first report that `ripe` accepts; false if indexing was over by then.
#[track_caller]
fn kill_when(sandbox: &Sandbox, what: &str, ripe: impl Fn(&Value) -> bool) -> bool {
    let mut wire = sandbox.wire();
    wire.send(&json!({"request": "subscribe", "id": 1}));
    let event = wire.until(what, |event| event["event"] == "indexing" && ripe(&event["status"]));
    sandbox.kill_daemon();
    event["status"]["phase"] == "encoding"
}

fn all_passages(sandbox: &Sandbox) -> BTreeSet<(String, u64, u64)> {
    let mut wire = sandbox.wire();
    (0..5).flat_map(|part| wire.passages(&format!("**/part{part}/*.md"))).collect()
}

#[test]
fn a_crash_while_indexing_loses_and_doubles_nothing() {
    let sandbox = Sandbox::new();
    let count = write_many(&sandbox);
    let notes = sandbox.notes();
    sandbox.fore(&["add", "--no-wait", notes.to_str().unwrap()]).exits(0);
    let done = |status: &Value| status["round_done"].as_u64().unwrap();
    let documents = |status: &Value| status["documents"].as_u64().unwrap();
    assert!(kill_when(&sandbox, "the first encoded document", |status| done(status) > 0));
    sandbox.fore(&["daemon", "start"]).exits(0);
    assert!(kill_when(&sandbox, "the first commit", |status| documents(status) > 0));

    sandbox.fore(&["sync"]).exits(0);
    let recovered = all_passages(&sandbox);
    let status = sandbox.status();
    assert_eq!(status["index"]["documents"], json!(count));
    assert_eq!(status["index"]["passages"], json!(recovered.len()));
    assert_eq!(status["index"]["problem_count"], json!(0));
    let paths: BTreeSet<_> = recovered.iter().map(|(path, ..)| path).collect();
    assert_eq!(paths.len(), count);

    // The index is a cache: without it the very same one is made from nothing.
    sandbox.fore(&["daemon", "stop"]).exits(0);
    fs::remove_dir_all(sandbox.home().join("data/forethought/index")).unwrap();
    sandbox.fore(&["sync"]).exits(0);
    assert_eq!(all_passages(&sandbox), recovered);
}

#[test]
fn help_and_version_need_nothing() {
    let sandbox = Sandbox::without_model();
    let version = sandbox.fore(&["--version"]).exits(0).stdout;
    assert_eq!(version.trim(), concat!("fore ", env!("CARGO_PKG_VERSION")));
    let help = sandbox.fore(&["--help"]).exits(0).stdout;
    for command in ["ask", "add", "remove", "list", "sync", "status", "daemon", "model"] {
        assert!(help.contains(command), "`{command}` is not in: {help}");
    }
    let unknown = Command::new(crate::sandbox::FORE).arg("dance").output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    assert!(!sandbox.socket().exists(), "no daemon was started for that");
}

#[test]
fn what_is_kept_of_a_prompt_is_let_go_of() {
    let sandbox = Sandbox::new();
    sandbox.think_briefly();
    sandbox.write(
        "lamp.md",
        "# Lamp\n\nThe keeper trims the wick twice a night, or the lamp smokes.\n",
    );
    sandbox.add_notes();
    let mut wire = sandbox.wire();
    let mut ask = |id: u64| {
        let text = format!("who trims wick number {id}?");
        wire.send(&json!({"request": "ask", "id": id, "text": text, "limit": 1, "thoughts": 2, "read_ms": 0}));
        wire.until("the answer", |event| event["event"] == "done" && event["id"] == json!(id));
    };
    (1..=8).for_each(&mut ask);
    let before = sandbox.status()["memory_bytes"].as_u64().unwrap();
    (9..=40).for_each(&mut ask);
    // What is kept for one of them has 23 MB.
    let grown = sandbox.status()["memory_bytes"].as_u64().unwrap().saturating_sub(before) >> 20;
    assert!(grown < 200, "{grown} MB more after 32 questions");
}
