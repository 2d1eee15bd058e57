//! A question, its thoughts and its hits, as scripts and people see them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::process::run;
use crate::sandbox::{Sandbox, signal};

/// From a newer question, or a change of mind, to the end of the older one.
const AT_ONCE: Duration = Duration::from_millis(100);

const QUESTION: &str = "why does my lamp smoke";

/// A sandbox whose notes are indexed.
fn library(sandbox: Sandbox) -> Sandbox {
    sandbox.write(
        "lamp.md",
        "# Light\n\nFor dark evenings.\n\n## Paraffin\n\nWhen the lamp starts to smoke, the wick is too \
         high: turn it down and trim it.\n",
    );
    sandbox.write("bread.md", "# Bread\n\nKnead the dough for ten minutes, then let it rest.\n");
    sandbox.write(
        "code/dim.rs",
        "/// Dims the lantern.\nfn dim(level: u8) -> u8 {\n    level / 2\n}\n",
    );
    sandbox.write("tide.txt", "Low tide is at noon on Friday.\n");
    sandbox.add_notes();
    sandbox
}

#[test]
fn the_thought_streams_and_the_hits_follow() {
    let sandbox = library(Sandbox::new());
    let mut asking = sandbox.spawn(&["ask", "why", "does", "my", "lamp", "smoke"]);
    asking.until("a thought in pieces", |asking| {
        assert_eq!(asking.stdout(), "", "hits before the thought has ended");
        asking.stderr().contains("thinking") && asking.stderr_pieces >= 4
    });
    let seen = asking.stderr().len();
    let finished = asking.finish().exits(0);
    assert!(finished.stderr.len() > seen, "the thought came all at once");
    for (stream, text) in [("stdout", &finished.stdout), ("stderr", &finished.stderr)] {
        assert!(!text.contains('\x1b'), "colours on a {stream} that is no terminal: {text:?}");
    }
    let mut lines = finished.stdout.lines();
    let head = lines.next().unwrap();
    assert!(head.starts_with("lamp.md:"), "a path below the working directory is relative: {head}");
    let line = head["lamp.md:".len()..].split(' ').next().unwrap();
    assert!((5..=7).contains(&line.parse::<usize>().unwrap()), "{head}");
    assert!(lines.next().unwrap().contains("Paraffin"), "{}", finished.stdout);
    assert!(finished.stdout.contains("the wick is too high"), "{}", finished.stdout);

    let mut elsewhere = sandbox.command(&["ask", "--no-think", QUESTION]);
    let elsewhere = run(elsewhere.current_dir(sandbox.home().join("run")));
    let path = sandbox.notes().join("lamp.md");
    let start = format!("{}:", path.display());
    assert!(elsewhere.stdout.starts_with(&start), "{}", elsewhere.stdout);
    assert!(!elsewhere.stderr.contains("thinking"), "{}", elsewhere.stderr);
}

#[test]
fn it_thinks_without_room_for_temporary_files() {
    let sandbox = library(Sandbox::new());
    sandbox.fore(&["daemon", "stop"]).exits(0);
    let nowhere = sandbox.home().join("nowhere");
    let asked = run(sandbox.command(&["ask", QUESTION]).env("TMPDIR", nowhere)).exits(0);
    asked.says(&["thinking 1: "]);
    let log = sandbox.log();
    assert!(log.contains("thinking from the model's file as it is"), "{log}");
}

#[test]
fn json_is_one_array_of_hits() {
    let sandbox = library(Sandbox::new());
    let hits = sandbox.fore(&["ask", "--json", "--no-think", QUESTION]).exits(0).json();
    let hits = hits.as_array().unwrap();
    assert_eq!(hits.len(), 5, "{hits:#?}");
    let first = &hits[0];
    assert_eq!(first["path"], json!(sandbox.notes().join("lamp.md")));
    assert_eq!(first["title"], json!("Light"));
    assert!(first["heading"].as_str().unwrap().ends_with("Paraffin"), "{first}");
    let snippet = first["snippet"].as_str().unwrap();
    let marked: BTreeSet<&str> = first["highlights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|range| {
            let [from, to] = [0, 1].map(|end| range[end].as_u64().unwrap() as usize);
            &snippet[from..to]
        })
        .collect();
    assert!(marked.contains("lamp") && marked.contains("smoke"), "{marked:?} in {snippet}");
    let scores: Vec<f64> = hits.iter().map(|hit| hit["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    assert_eq!((&first["ranks"]["text"], &first["ranks"]["vector"].is_u64()), (&json!(1), &true));
    // Where the hit says it is, there it is.
    let file = std::fs::read_to_string(first["path"].as_str().unwrap()).unwrap();
    let [from, to] = ["byte_start", "byte_end"].map(|key| first[key].as_u64().unwrap() as usize);
    assert!(file[from..to].contains("the wick is too high"), "{:?}", &file[from..to]);
}

#[test]
fn jsonl_tells_of_the_thoughts_and_times() {
    let sandbox = library(Sandbox::new());
    // Time enough to read everything, or what is thought after it would depend on the machine.
    let flags = ["ask", "--jsonl", "--thoughts", "2", "--read-ms", "60000", QUESTION];
    let ask = || sandbox.fore(&flags).exits(0);
    let finished = ask();
    let lines: Vec<Value> =
        finished.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let meta = &lines[0]["_meta"];
    assert_eq!(meta["question"], json!(QUESTION));
    let thoughts = meta["thoughts"].as_array().unwrap();
    assert!((1..=2).contains(&thoughts.len()), "{meta}");
    assert!(thoughts.iter().all(|thought| thought.as_str().unwrap().len() > 10), "{meta}");
    let time = |key: &str| meta["timings"][key].as_u64().unwrap_or_else(|| panic!("{key}: {meta}"));
    let until = time("draft_ms") + time("read_ms") + time("think_ms");
    assert!(time("first_token_ms") <= until, "{meta}");
    assert!(time("thought_tokens") > 4 && time("think_ms") <= time("total_ms"), "{meta}");
    assert!(meta["timings"].get("degraded").is_none_or(Value::is_null), "{meta}");
    assert_eq!(lines.len(), 6, "{}", finished.stdout);
    assert!(lines[1]["path"].as_str().unwrap().ends_with("lamp.md"), "{}", lines[1]);
    assert!(lines[1]["ranks"]["draft"].is_u64(), "{}", lines[1]);
    assert_eq!(time("passages_read"), 5, "{meta}");
    let readings = lines[1..].iter().map(|hit| hit["reading"].as_f64().unwrap());
    assert!(readings.clone().all(|reading| reading <= 0.0), "{}", finished.stdout);
    assert!(readings.fold(f64::MIN, f64::max) == 0.0, "{}", finished.stdout);

    let flags = ["ask", "--jsonl", "--no-think", "--read-ms", "0", QUESTION];
    let unread = sandbox.fore(&flags).exits(0).stdout;
    assert!(!unread.contains("\"reading\"") && unread.contains("\"passages_read\":0"), "{unread}");

    // The same seed, the same question: the same thoughts.
    let again: Value = serde_json::from_str(ask().stdout.lines().next().unwrap()).unwrap();
    assert_eq!(&again["_meta"]["thoughts"], &meta["thoughts"]);
}

#[test]
fn limits_and_globs() {
    let sandbox = library(Sandbox::new());
    let table: [(&[&str], &[&str]); 5] = [
        (&["--limit", "1"], &["lamp.md"]),
        (&["--path", "*.txt"], &["tide.txt"]),
        (&["--path", "code/**"], &["dim.rs"]),
        (&["--path", "**/*.{rs,txt}"], &["dim.rs", "tide.txt"]),
        (&["--path", "/**/notes/lamp.md"], &["lamp.md"]),
    ];
    for (flags, expected) in table {
        let mut arguments = vec!["ask", "--json", "--no-think", QUESTION];
        arguments.extend(flags);
        let hits = sandbox.fore(&arguments).exits(0).json();
        let mut names: Vec<&str> = hits
            .as_array()
            .unwrap()
            .iter()
            .map(|hit| hit["path"].as_str().unwrap().rsplit('/').next().unwrap())
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names, expected, "{flags:?}");
    }
    let pid = sandbox.daemon_pid();
    for (arguments, words) in [
        (&["ask", "x", "--path", "a[b"][..], &["a[b"][..]),
        (&["ask", "x", "--path", "*.pdf"], &["no indexed file matches", "from a watched folder"]),
        (&["ask", "x", "--limit", "0"], &["--limit", "100"]),
        (&["ask", "x", "--limit", "many"], &["--limit", "100"]),
        (&["ask", "x", "--thoughts", "99"], &["--thoughts", "16"]),
        (&["ask", "x", "-l", "--explain"], &["--explain"]),
        (&["ask", "x", "--dance"], &["--dance"]),
    ] {
        sandbox.fore(arguments).fails_saying(words);
    }
    sandbox.still_serves(pid);
}

#[test]
fn quiet_ctrl_c_and_a_reader_that_leaves() {
    let sandbox = library(Sandbox::new());
    let quiet = sandbox.fore(&["ask", "-q", "--thoughts", "1", QUESTION]).exits(0);
    assert_eq!(quiet.stderr, "");
    assert!(quiet.stdout.starts_with("lamp.md:"), "{}", quiet.stdout);

    let mut asking = sandbox.spawn(&["ask", QUESTION]);
    asking.until("the first of the thought", |asking| asking.stderr().contains("thinking"));
    signal(asking.pid(), Signal::INT);
    assert_eq!(asking.finish().exits(130).stdout, "");

    let script = format!("fore ask -q --no-think --jsonl '{QUESTION}' | true");
    assert_eq!(run(sandbox.program("sh").args(["-c", &script])).exits(0).stderr, "");
    sandbox.still_serves(sandbox.daemon_pid());
}

#[test]
fn the_newest_question_wins() {
    let sandbox = library(Sandbox::alone());
    let mut wire = sandbox.wire();
    // Who does not think does not read either: what takes long is then another's.
    let ask = |id: u64, thoughts: usize| {
        let read_ms = if thoughts == 0 { 0 } else { 1000 };
        json!({"request": "ask", "id": id, "text": QUESTION, "limit": 3, "thoughts": thoughts, "read_ms": read_ms})
    };
    let cancelled = |id: u64| move |event: &Value| event["id"] == id && event["event"] == "failed";
    // The model is loaded to the last page before anything is timed.
    wire.send(&ask(1, 1));
    wire.until("an answer", |event| event["event"] == "done");

    // Early: while the draft is ranked or the first passages are read. Late: while tokens come.
    for (round, tokens_seen) in [0_usize, 1, 8].into_iter().enumerate() {
        let (old, new) = (10 + 2 * round as u64, 11 + 2 * round as u64);
        wire.send(&ask(old, 3));
        for _ in 0..tokens_seen {
            wire.until("a token", |event| event["event"] == "thought" && event["id"] == old);
        }
        let asked = Instant::now();
        wire.send(&ask(new, 0));
        let end = wire.until("the end of the old question", cancelled(old));
        let waited = asked.elapsed();
        assert_eq!(end["error"]["kind"], json!("cancelled"));
        assert!(waited < AT_ONCE, "after {tokens_seen} tokens the old question took {waited:?}");
        loop {
            let event = wire.next().unwrap();
            assert_eq!(event["id"], json!(new), "the old question speaks on: {event}");
            if event["event"] == "done" {
                break;
            }
        }
        let answered = asked.elapsed();
        assert!(answered < Duration::from_secs(2), "the new question took {answered:?}");
    }

    wire.send(&ask(30, 3));
    wire.until("a token", |event| event["event"] == "thought");
    let asked = Instant::now();
    wire.send(&json!({"request": "cancel", "id": 30}));
    wire.until("the end of the cancelled question", cancelled(30));
    assert!(asked.elapsed() < AT_ONCE, "cancelling took {:?}", asked.elapsed());

    // A client that leaves takes its question along: the next one need not wait for it.
    wire.send(&ask(40, 16));
    wire.until("a token", |event| event["event"] == "thought");
    drop(wire);
    let asked = Instant::now();
    sandbox.wire().search(QUESTION, None);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
}

#[test]
fn a_device_that_is_not_there_is_an_error() {
    let sandbox = Sandbox::new();
    let absent = if cfg!(target_os = "macos") { "cuda" } else { "metal" };
    for device in [absent, "cuda"] {
        if cfg!(feature = "cuda") && device == "cuda" {
            continue;
        }
        sandbox.fore(&["--device", device, "ask", "x"]).fails_saying(&[device, "--device auto"]);
        sandbox
            .fore(&["daemon", "start", "--device", device])
            .fails_saying(&[device, "--device auto"]);
    }
    sandbox.fore(&["--device", "abacus", "list"]).fails_saying(&["abacus"]);
    let settings = sandbox.home().join("config/forethought");
    std::fs::create_dir_all(&settings).unwrap();
    std::fs::write(settings.join("config.toml"), format!("device = \"{absent}\"\n")).unwrap();
    sandbox.fore(&["ask", "x"]).fails_saying(&[absent]);
    // The flag is stronger than the file.
    sandbox.fore(&["--device", "cpu", "daemon", "start"]).exits(0);
    assert!(sandbox.status()["device"].as_str().unwrap().starts_with("cpu"));

    // A daemon keeps its device, so another one named for a single command is refused.
    let pid = sandbox.daemon_pid();
    let other = format!("not {absent}");
    let way_out = format!("fore daemon stop && fore daemon start --device {absent}");
    for arguments in [&["list"][..], &["ask", "x"], &["daemon", "start"]] {
        let mut command = sandbox.command(&["--device", absent]);
        run(command.args(arguments)).fails_saying(&[
            "the running daemon uses cpu",
            &other,
            &way_out,
        ]);
    }
    sandbox.fore(&["--device", "cpu", "list"]).exits(0);
    sandbox.still_serves(pid);
}
