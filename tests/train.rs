//! `fore train` from outside: what is refused before anything is loaded, a run that is killed and
//! goes on, and the models it leaves.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::Signal;
use serde_json::Value;

use crate::process::{PATIENCE, wait_until};
use crate::sandbox::{Sandbox, signal};

/// Rows about a lighthouse: enough to split, few enough to train on in seconds.
fn rows(count: usize) -> String {
    let things = ["lamp", "wick", "lens", "gallery", "fog horn", "stair", "boat", "oil cellar"];
    let deeds = ["is cleaned", "is kept dry", "is looked after", "is paid for", "is repaired"];
    let row = |index: usize| {
        let (thing, deed) =
            (things[index % things.len()], deeds[index / things.len() % deeds.len()]);
        let query = format!("how often the {thing} {deed} in year {index}");
        let pos = format!("In year {index} the {thing} {deed} every {} days.", index + 2);
        serde_json::json!({"query": query, "pos": [pos]}).to_string() + "\n"
    };
    (0..count).map(row).collect()
}

/// The run's folder.
fn run(sandbox: &Sandbox) -> PathBuf {
    sandbox.home().join("data/forethought/runs/night")
}

/// A short run without the teacher, which tests do not have, and with an expert.
fn command<'a>(file: &'a str, expert: &'a str) -> Vec<&'a str> {
    let words = "train --name night --no-teacher --sources extract --epochs 4 --batch 8 --negatives 1 \
                 --distill 0 --look-every 100 --rank 2 --alpha 4 --layers 1-8 --lambda 1 --held-out 0.3 \
                 --judged 6 --gate dense --rate 1e-4 --read-steps 2 --read-batch 2 --data";
    words.split_whitespace().chain([file, "--expert-url", expert]).collect()
}

/// Stands in for a model behind an OpenAI-compatible endpoint: says the question as a statement.
/// Gives its address and how often it was asked.
fn expert() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let serve = move |stream: TcpStream| -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        loop {
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line)? > 2 {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut request = vec![0; length];
            reader.read_exact(&mut request)?;
            let Ok(request) = serde_json::from_slice::<Value>(&request) else { return Ok(()) };
            let user = request["messages"][1]["content"].as_str().unwrap();
            let query = user.rsplit("how often ").next().unwrap();
            let answer = format!("It was written down that {query} every few days.");
            let body = serde_json::json!({"choices": [{"message": {"content": answer}}]});
            let body = body.to_string();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            reader.get_mut().write_all(format!("{head}{body}").as_bytes())?;
            count.fetch_add(1, Ordering::SeqCst);
        }
    };
    // Ends with the test's process; a client that is killed ends only its own connection.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            serve(stream).ok();
        }
    });
    (url, asked)
}

#[test]
fn what_cannot_be_trained_on_is_said_at_once() {
    let sandbox = Sandbox::new();
    sandbox.write("bad.jsonl", "{\"query\": 1}\nnot json\n");
    sandbox.write("few.jsonl", rows(3));
    fs::create_dir_all(sandbox.notes().join("empty")).unwrap();
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/models/o1-embedder.safetensors");
    let few = ["train", "--no-teacher", "--data", "few.jsonl"];
    let table = [&few[..], &["--token-table", "32"]].concat();
    let other_base = [&few[..], &["--adapter", shipped]].concat();
    let cases: [(&[&str], &[&str]); 11] = [
        (&["train"], &["nothing to learn from", "--folder DIR"]),
        (&["train", "--data", "bad.jsonl"], &["no teacher model", "fore model pull --teacher"]),
        (&["train", "--no-teacher", "--data", "bad.jsonl"], &["line 1", "line 2", "no usable row"]),
        (&["train", "--no-teacher", "--data", "gone.jsonl"], &["gone.jsonl", "No such file"]),
        (&["train", "--no-teacher", "--folder", "empty"], &["holds no text"]),
        (&["train", "--no-teacher", "--data", "few.jsonl", "--sources", "none"], &["too few"]),
        (&["train", "--no-teacher", "--data", "few.jsonl", "--lambda", "2"], &["lambda"]),
        (&["train", "--no-teacher", "--data", "few.jsonl", "--gate", "bm25"], &["--gate bm25"]),
        (&table, &["--token-table", "--no-teacher"]),
        (&["train", "--no-teacher", "--data", "few.jsonl", "--rank-all", "1"], &["--rank-all"]),
        (&other_base, &["was not trained on", "--base FILE"]),
    ];
    for (arguments, said) in cases {
        let finished = sandbox.fore(arguments).exits(2);
        for words in said {
            assert!(finished.stderr.contains(words), "{arguments:?}: {}", finished.stderr);
        }
    }
}

#[test]
fn without_a_model_it_says_how_to_get_one() {
    let sandbox = Sandbox::without_model();
    sandbox.write("few.jsonl", rows(3));
    sandbox
        .fore(&["train", "--no-teacher", "--data", "few.jsonl"])
        .fails_saying(&["no model in", "fore model pull"]);
}

#[test]
fn a_killed_run_goes_on_and_leaves_a_model_that_can_be_used_and_left() {
    let sandbox = Sandbox::alone();
    sandbox.think_briefly();
    sandbox.write("rows.jsonl", rows(40));
    let (url, asked) = expert();
    let words = command("rows.jsonl", &url);
    let metrics = run(&sandbox).join("metrics.jsonl");
    let running = sandbox.spawn(&words);
    wait_until("the first steps", 8 * PATIENCE, || {
        let text = fs::read_to_string(&metrics).unwrap_or_default();
        if text.lines().count() > 2 { Ok(()) } else { Err(text) }
    });
    signal(running.pid(), Signal::KILL);
    drop(running);
    assert!(!run(&sandbox).join("model.gguf").exists());
    // What it reads may have changed since; it goes on with what it began with.
    sandbox.write("rows.jsonl", rows(3));
    let finished = sandbox.fore(&words);
    assert!([Some(0), Some(1)].contains(&finished.code), "{finished:#?}");
    assert!(finished.stdout.contains("| dense (gate) |"), "{}", finished.stdout);
    let text = fs::read_to_string(&metrics).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let steps: Vec<u64> = lines
        .iter()
        .filter(|line| line.get("loss").is_some())
        .map(|line| line["step"].as_u64().unwrap())
        .collect();
    assert_eq!(steps, (1..=steps.len() as u64).collect::<Vec<_>>(), "no step twice, none left out");
    let explored = fs::read_to_string(run(&sandbox).join("explored.jsonl")).unwrap();
    let by_expert = explored.lines().filter(|line| line.contains("\"expert\"")).count();
    assert_eq!(asked.load(Ordering::SeqCst), by_expert, "nothing is asked twice");
    let learnt = fs::read_to_string(run(&sandbox).join("train.jsonl")).unwrap();
    let first: Value = serde_json::from_str(learnt.lines().next().unwrap()).unwrap();
    assert_eq!(first["sources"], serde_json::json!(["extract", "expert"]), "{first:#}");
    assert_eq!(first["model2scores"]["own"].as_array().unwrap().len(), 2, "{first:#}");
    let refinement = fs::read_to_string(run(&sandbox).join("refinement.txt")).unwrap();
    assert!(refinement.contains("expert"), "{refinement}");
    let manifest = fs::read_to_string(run(&sandbox).join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert!(manifest["fidelity"]["cosine"].as_f64().unwrap() >= 0.999, "{manifest:#}");

    // Whether it was promoted or not, it can be chosen, left and brought elsewhere.
    sandbox.fore(&["model", "use", "night"]).exits(0);
    let used = sandbox.fore(&["model", "list", "--json"]).exits(0).json();
    let in_use = |list: &Value| {
        let list = list.as_array().unwrap().clone();
        let used = list.into_iter().find(|model| model["in_use"] == true).unwrap();
        used["path"].as_str().unwrap().to_owned()
    };
    assert!(in_use(&used).ends_with("runs/night/model.gguf"), "{used:#}");
    // The model in use is not emptied with the folder of its run.
    let fresh: Vec<&str> = words.iter().copied().chain(["--fresh"]).collect();
    sandbox.fore(&fresh).fails_saying(&["is in use", "--name", "model rollback"]);
    sandbox.fore(&["model", "export", "mine.safetensors"]).exits(0);
    assert!(sandbox.notes().join("mine.safetensors").is_file());
    let again = sandbox.fore(&["model", "export", "mine.safetensors"]).exits(2);
    assert!(again.stderr.contains("there already"), "{}", again.stderr);
    sandbox.fore(&["model", "rollback"]).exits(0);
    let back = sandbox.fore(&["model", "list", "--json"]).exits(0).json();
    assert!(!in_use(&back).contains("runs/night"), "{back:#}");
    // The run is complete: the same command tells what came of it and does nothing. It may have been
    // promoted before; who went back from it does not get it again.
    let told = sandbox.fore(&words);
    assert!(told.stderr.contains("is complete"), "{}", told.stderr);
    let still = sandbox.fore(&["model", "list", "--json"]).exits(0).json();
    assert_eq!(in_use(&still), in_use(&back), "{still:#}");
}
