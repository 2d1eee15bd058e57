//! Open models by name, from a hub on loopback to an answered question: tiny ones of each architecture
//! (`fixtures/models/tiny.py`), so nothing here needs the real model.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener};
use std::path::{Path, PathBuf};
use std::thread;

use crate::process::{Finished, run};
use crate::sandbox::Sandbox;

/// Notes that a head is fitted on: more than the fewest it takes.
const NOTES: usize = 60;

fn tiny(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/models/tiny").join(name)
}

/// Serves the tiny models as `tiny/ARCHITECTURE/model-ARCHITECTURE.gguf` until the process ends; its
/// address.
fn hub() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(&stream).lines().map(Result::unwrap);
            let request = lines.next().unwrap_or_default();
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let words: Vec<&str> = request.split(' ').collect();
            let asked = words.get(1).copied().unwrap_or_default();
            let known = ["llama", "qwen2", "qwen3", "embedding"]
                .into_iter()
                .find(|name| asked == format!("/tiny/{name}/resolve/main/model-{name}.gguf"));
            let body = known.map(|name| fs::read(tiny(&format!("{name}.gguf"))).unwrap());
            let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
            let body = body.unwrap_or_default();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            // The client hangs up when it has what it wants.
            stream.write_all(head.as_bytes()).ok();
            if words.first() == Some(&"GET") {
                stream.write_all(&body).ok();
            }
            stream.shutdown(Shutdown::Both).ok();
        }
    });
    endpoint
}

#[track_caller]
fn pull(sandbox: &Sandbox, hub: &str, arguments: &[&str]) -> Finished {
    let mut pull = sandbox.command(&[&["model", "pull"], arguments].concat());
    run(pull.env("HF_ENDPOINT", hub))
}

/// From a name to an answer, by a model of this architecture.
fn answers(architecture: &str) {
    let sandbox = Sandbox::without_model();
    let hub = hub();
    let name = format!("tiny/{architecture}/model-{architecture}.gguf");
    let models = sandbox.model().parent().unwrap().to_owned();
    let plain = models.join(format!("model-{architecture}.gguf"));

    let first = pull(&sandbox, &hub, &[&name]).exits(0);
    first.says(&[
        "was not known beforehand",
        "no embedding head",
        "fore add DIR",
        "fore model use",
    ]);
    assert_eq!(fs::read(&plain).unwrap(), fs::read(tiny(&format!("{architecture}.gguf"))).unwrap());
    assert!(plain.with_extension("gguf.sha256").is_file());
    sandbox.fore(&["model", "use", plain.to_str().unwrap()]).exits(0).says(&["no embedding head"]);

    for note in 0..NOTES {
        let text = format!("Lamp number {note} was lit at dusk by keeper {}.\n", note * 7 % 11);
        sandbox.write(&format!("lamp-{note}.md"), text);
    }
    sandbox.add_notes();
    // The teacher is there already, a tiny one too.
    let teacher = models.join("all-MiniLM-L6-v2");
    fs::create_dir(&teacher).unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(tiny("teacher").join(file), teacher.join(file)).unwrap();
    }
    let fitted = models.join(format!("model-{architecture}.fitted.gguf"));
    let second = pull(&sandbox, &hub, &[&name]).exits(0);
    let fitted_name = fitted.to_str().unwrap();
    second.says(&["is there already", "60 passages, which takes about", "MRR@10", fitted_name]);
    pull(&sandbox, &hub, &[&name]).exits(0).says(&["--force fits it anew"]);

    sandbox.fore(&["model", "use", fitted_name]).exits(0);
    sandbox.fore(&["sync"]).exits(0);
    let hits =
        sandbox.fore(&["ask", "--no-think", "--json", "lamp number 17 keeper"]).exits(0).json();
    assert!(hits[0]["path"].as_str().unwrap().ends_with("lamp-17.md"), "{hits}");
    let list = sandbox.fore(&["model", "list", "--json"]).exits(0).json();
    let used = list.as_array().unwrap().iter().find(|file| file["in_use"] == true).unwrap();
    assert_eq!(used["architecture"], architecture);
    // The teacher's, where the model's states have 32.
    assert_eq!(used["width"], 48);
}

#[test]
fn a_llama_answers() {
    answers("llama");
}

#[test]
fn a_qwen2_answers() {
    answers("qwen2");
}

#[test]
fn a_qwen3_answers() {
    answers("qwen3");
}

#[test]
fn a_published_embedding_model_embeds_beside_the_one_that_thinks() {
    let sandbox = Sandbox::without_model();
    let hub = hub();
    let pulled = sandbox.model().with_file_name("model-embedding.gguf");
    let pulled = pulled.to_str().unwrap();
    let told = pull(&sandbox, &hub, &["tiny/embedding/model-embedding.gguf"]).exits(0);
    assert!(!told.stderr.contains("no embedding head"), "{}", told.stderr);
    sandbox.fore(&["model", "use", pulled]).exits(0).says(&["the default model thinks beside it"]);
    sandbox.write("lamp.md", "The lamp was lit at dusk.\n");
    let alone = sandbox.fore(&["ask", "--no-think", "lamp"]);
    alone.fails_saying(&["embeds and does not think", "fore model pull"]);

    fs::copy(tiny("llama.gguf"), sandbox.model()).unwrap();
    sandbox.add_notes();
    let hits = sandbox.fore(&["ask", "--no-think", "--json", "lamp at dusk"]).exits(0).json();
    assert!(hits[0]["path"].as_str().unwrap().ends_with("lamp.md"), "{hits}");
    assert_eq!(sandbox.status()["model"], "tiny qwen3 with tiny llama");
}

#[test]
fn what_cannot_be_pulled_is_said() {
    let sandbox = Sandbox::without_model();
    let hub = hub();
    pull(&sandbox, &hub, &["gpt-9"]).fails_saying(&["gpt-9", "qwen3-0.6b", "OWNER/REPO/FILE.gguf"]);
    pull(&sandbox, &hub, &["tiny/llama/none.gguf"]).fails_saying(&["404", "hint: "]);
    pull(&sandbox, &hub, &["qwen3-0.6b"]).fails_saying(&["404", "639.4 MB", "fore model use FILE"]);
    let both = pull(&sandbox, &hub, &["qwen3-0.6b", "--from-file", "x"]);
    both.fails_saying(&["cannot be used with"]);
}
