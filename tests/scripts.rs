//! `fore ask` as scripts use it: questions from pipes, answers for pipes, errors that a program reads.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::process::{Finished, run};
use crate::sandbox::Sandbox;

/// A sandbox whose notes are indexed.
fn library() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(
        "lamp.md",
        "# Light\n\nFor evenings.\n\n## Paraffin\n\nA lamp may smoke when the wick is high.\n",
    );
    sandbox.write(
        "my notes/bread.md",
        "# Bread\n\nKnead the dough, then let it rest near the lamp.\n",
    );
    sandbox.write("tide.txt", "Low tide is at noon on Friday.\n");
    sandbox.add_notes();
    sandbox
}

/// `fore ask --no-think` with these words.
fn ask(sandbox: &Sandbox, words: &[&str]) -> Finished {
    sandbox.fore(&[&["ask", "-q", "--no-think"], words].concat())
}

#[test]
fn paths_and_lines_for_pipes() {
    let sandbox = library();
    let mut paths: Vec<String> =
        ask(&sandbox, &["-l", "lamp"]).exits(0).stdout.lines().map(str::to_owned).collect();
    assert_eq!(paths[0], "lamp.md", "the best first, from the working directory");
    paths.sort_unstable();
    assert_eq!(paths, ["lamp.md", "my notes/bread.md", "tide.txt"], "each once");
    let nul = ask(&sandbox, &["-0", "--limit", "1", "dough"]).exits(0);
    assert_eq!(nul.stdout, "my notes/bread.md\0");

    let lines = ask(&sandbox, &["--format", "path:line:col:rank", "--limit", "1", "wick"]).exits(0);
    let [path, line, column, rank] =
        lines.stdout.trim().split(':').collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((path, rank), ("lamp.md", "1"));
    let text = fs::read_to_string(sandbox.notes().join(path)).unwrap();
    let line = text.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap();
    assert!(line[column.parse::<usize>().unwrap() - 1..].starts_with("wick"), "{column} in {line}");
    ask(&sandbox, &["--format", "file:line", "wick"]).fails_saying(&["file", "path, line, col"]);

    let two = ask(&sandbox, &["-l", "--path", "*.txt", "--path", "my notes", "lamp"]).exits(0);
    let mut two: Vec<&str> = two.stdout.lines().collect();
    two.sort_unstable();
    assert_eq!(two, ["my notes/bread.md", "tide.txt"]);
    ask(&sandbox, &["--path", "a\"b", "--path", "c", "lamp"]).fails_saying(&["one of several"]);
    assert_eq!(ask(&sandbox, &["-l", "lamp", "type:pdf"]).code, Some(2));
}

#[test]
fn a_question_comes_from_a_pipe() {
    let sandbox = library();
    let shell = |script: &str| run(sandbox.program("sh").args(["-c", script]));
    for script in [
        "printf 'when is\\nlow tide\\n' | fore ask -q --no-think -l --limit 1",
        "printf 'when is low tide' | fore ask -q --no-think -l --limit 1 -",
    ] {
        assert_eq!(shell(script).exits(0).stdout, "tide.txt\n", "{script}");
    }
    shell("fore ask </dev/null").fails_saying(&["the question is empty"]);
    shell("head -c 100000 /dev/zero | tr '\\0' a | fore ask").fails_saying(&["at most 8192"]);
}

#[test]
fn searches_are_saved_under_a_name_and_asked_again() {
    let sandbox = library();
    sandbox.fore(&["saved"]).exits(1).says(&["nothing is saved yet"]);
    sandbox.fore(&["saved", "add", "tides", "when", "is", "low", "tide", "type:txt"]).exits(0);
    sandbox.fore(&["saved", "add", "lamp", "lamp smoke -bread"]).exits(0);
    let listed = sandbox.fore(&["saved"]).exits(0).stdout;
    assert_eq!(listed, "tides  when is low tide type:txt\nlamp   lamp smoke -bread\n");
    let json = sandbox.fore(&["saved", "--json"]).exits(0).json();
    assert_eq!(json[1], json!({"name": "lamp", "question": "lamp smoke -bread"}));
    assert_eq!(ask(&sandbox, &["-l", "--saved", "tides"]).exits(0).stdout, "tide.txt\n");
    let lamp = ask(&sandbox, &["-l", "--saved", "lamp"]).exits(0).stdout;
    assert!(lamp.starts_with("lamp.md\n") && !lamp.contains("bread"), "{lamp}");
    ask(&sandbox, &["--saved", "lamp", "wick"]).fails_saying(&["cannot be used with"]);
    sandbox.fore(&["saved", "remove", "lamp"]).exits(0);
    ask(&sandbox, &["--saved", "lamp"]).fails_saying(&["saved as \"lamp\"", "fore saved"]);
    sandbox.fore(&["saved", "add", " ", "x"]).fails_saying(&["needs a name"]);
    let file = sandbox.home().join("data/forethought/saved");
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn an_envelope_has_all_of_the_answer_and_a_schema() {
    let sandbox = library();
    sandbox.think_briefly();
    let answer = sandbox.fore(&["ask", "--envelope", "--thoughts", "1", "why does my lamp smoke"]);
    let answer = answer.exits(0).json();
    let schema = Sandbox::without_model().fore(&["ask", "--schema"]).exits(0).json();
    let named: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(keys, named);
    assert_eq!(answer["question"], json!("why does my lamp smoke"));
    assert!(answer["thoughts"][0].as_str().unwrap().len() > 4, "{answer}");
    assert_eq!(answer["degraded"], Value::Null);
    assert!(answer["timings"]["total_ms"].as_u64().unwrap() > 0);
    assert!(answer["hits"][0]["path"].as_str().unwrap().ends_with("lamp.md"));
    for required in schema["$defs"]["Hit"]["required"].as_array().unwrap() {
        assert!(
            answer["hits"][0].get(required.as_str().unwrap()).is_some(),
            "{required} in {answer}"
        );
    }
}

#[test]
fn an_error_is_json_where_json_was_asked_for() {
    let sandbox = Sandbox::new();
    for (words, code, kind, part) in [
        (&["ask", "--json", " "][..], 2, "invalid", "the question is empty"),
        (&["ask", "--json", "x"], 1, "nothing_indexed", "nothing is indexed yet"),
        (&["ask", "--envelope", "--limit", "0", "x"], 2, "invalid", "--limit"),
        (&["ask", "--json", "--jsonl", "x"], 2, "invalid", "--jsonl"),
        (&["list", "--json", "--config", "nowhere.toml"], 2, "io", "nowhere.toml"),
    ] {
        let finished = sandbox.fore(&[&["-q"], words].concat()).exits(code);
        let error: Value =
            serde_json::from_str(&finished.stderr).unwrap_or_else(|_| panic!("{finished:?}"));
        let error = &error["error"];
        assert_eq!((&error["kind"], &error["exit"]), (&json!(kind), &json!(code)), "{words:?}");
        assert!(error["message"].as_str().unwrap().contains(part), "{error}");
    }
}

#[test]
fn colours_and_links_are_where_they_are_wanted() {
    let sandbox = library();
    let colored = ask(&sandbox, &["--color", "always", "wick"]).exits(0).stdout;
    assert!(colored.contains("\x1b[35m") && !colored.contains("\x1b]8"), "{colored:?}");
    // A terminal, as python's pty makes one.
    let terminal = |variables: &[(&str, &str)], words: &str| {
        let script =
            format!("import pty; pty.spawn(['fore', 'ask', '-q', '--no-think', {words}'wick'])");
        let mut command = sandbox.program("python3");
        command.args(["-c", &script]).env("TERM", "xterm-256color").envs(variables.iter().copied());
        run(&mut command).exits(0).stdout
    };
    let link = format!("\x1b]8;;file://{}/lamp.md\x1b\\", sandbox.notes().display());
    let seen = terminal(&[], "");
    assert!(seen.contains(&link) && seen.contains("\x1b[35m"), "{seen:?}");
    for (variables, words) in
        [(&[("NO_COLOR", "1")][..], ""), (&[("TERM", "dumb")], ""), (&[], "'--color', 'never', ")]
    {
        let plain = terminal(variables, words);
        assert!(
            !plain.contains('\x1b') && plain.contains("lamp.md:"),
            "{variables:?} {words}: {plain:?}"
        );
    }
}

#[test]
fn an_explanation_says_what_counted() {
    let sandbox = library();
    let told =
        ask(&sandbox, &["--explain", "--read-ms", "60000", "--limit", "1", "lamp smoke zebra"])
            .exits(0)
            .stdout;
    for part in [
        "words    rank 1, BM25 ",
        "vector   rank ",
        ", cosine ",
        "reading  ",
        "has      lamp smoke; not zebra",
    ] {
        assert!(told.contains(part), "{part:?} is not in: {told}");
    }
}

#[test]
fn marks_are_listed_used_and_taken_back() {
    let sandbox = library();
    assert_eq!(sandbox.fore(&["-q", "marks"]).exits(1).stdout, "");
    let question = "why does my lamp smoke";
    let hits = ask(&sandbox, &["--json", question]).exits(0).json();
    let mut wire = sandbox.wire();
    for (id, hit, right) in [(1, &hits[0], true), (2, &hits[1], false)] {
        wire.send(&json!({
            "request": "mark", "id": id, "question": question, "path": hit["path"],
            "byte_start": hit["byte_start"], "byte_end": hit["byte_end"], "right": right,
        }));
        wire.until("the mark", |event| event["event"] == "marked");
    }
    let list = sandbox.fore(&["marks"]).exits(0).stdout;
    assert!(list.starts_with(&format!("  1  right  {question}\n            lamp.md: ")), "{list}");
    assert_eq!(
        sandbox.fore(&["marks", "list", "--json"]).exits(0).json().as_array().unwrap().len(),
        2
    );

    let judgments = sandbox.fore(&["marks", "--judgments"]).exits(0).stdout;
    assert_eq!(
        judgments,
        format!("{}\n", json!({"question": question, "paths": [hits[0]["path"]]}))
    );
    let file = sandbox.home().join("mine.jsonl");
    fs::write(&file, judgments).unwrap();
    let measured = sandbox.fore(&[
        "eval",
        "--judgments",
        file.to_str().unwrap(),
        "--columns",
        "bm25",
        "--json",
    ]);
    measured.exits(0).json();
    let pair = sandbox.fore(&["marks", "--pairs"]).exits(0).json();
    assert_eq!(pair["query"], json!(question));
    assert!(pair["pos"][0].as_str().unwrap().contains("wick"), "{pair}");
    assert_eq!(pair["neg"].as_array().unwrap().len(), 1, "{pair}");
    // Training reads them: that it is one row is all that it finds wrong.
    sandbox.write("marks.jsonl", format!("{pair}\n"));
    let train = ["train", "--no-teacher", "--data", "marks.jsonl", "--sources", "none"];
    sandbox.fore(&train).exits(2).says(&["too few"]);

    sandbox.fore(&["marks", "remove", "3"]).fails_saying(&["no mark 3", "fore marks"]);
    sandbox.fore(&["marks", "remove", "1", "2"]).exits(0).says(&["taken back: 2 marks"]);
    assert_eq!(sandbox.fore(&["marks"]).exits(1).stdout, "");
}
