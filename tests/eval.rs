//! `fore eval`: its tables and files, what is kept between two runs, and what is refused.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::process::{PATIENCE, wait_until};
use crate::sandbox::{Sandbox, signal};

/// Columns that need no peer.
const COLUMNS: [&str; 12] = [
    "bm25",
    "bm25+greedy",
    "bm25+sampled",
    "dense",
    "dense+greedy",
    "dense+sampled",
    "hybrid",
    "hybrid+greedy",
    "hybrid+sampled",
    "hybrid+read",
    "hybrid+read+quoted",
    "hybrid+read+rocchio",
];
/// Documents of the fixture, the one that says nothing among them, and its judged queries.
const DOCUMENTS: usize = 24;
const QUERIES: usize = 6;

fn beir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/beir")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The JSON of each line; one that a killed program left half written is skipped.
fn lines(text: &str) -> Vec<Value> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The remembered thoughts, once there are any.
fn thoughts(sandbox: &Sandbox) -> Option<String> {
    let folder = sandbox.home().join("cache/forethought/eval/v2-auto/thoughts");
    let files = fs::read_dir(folder).ok()?.flatten().map(|file| file.path());
    // What was read lies beside it.
    let file = files.into_iter().find(|file| !file.to_string_lossy().contains(".readings."))?;
    fs::read_to_string(file).ok()
}

#[test]
fn a_second_run_encodes_nothing_and_ranks_alike() {
    let sandbox = Sandbox::new();
    sandbox.think_briefly();
    let [first, second] = ["first", "second"].map(|name| {
        let out = sandbox.home().join(name);
        let (collection, folder) = (beir(), out.to_str().unwrap());
        let arguments = ["eval", collection.to_str().unwrap(), "--no-peer", "--thoughts", "1"];
        let finished = sandbox.fore(&[&arguments[..], &["--out", folder]].concat()).exits(0);
        for column in COLUMNS {
            let starts = |line: &str| line.starts_with(&format!("| {column} "));
            assert_eq!(finished.stdout.lines().filter(|l| starts(l)).count(), 1, "{finished:?}");
        }
        let size = format!("\n{QUERIES} queries, {DOCUMENTS} documents\n");
        assert!(finished.stdout.contains(&size), "{}", finished.stdout);
        assert_eq!(finished.stdout.contains("all cached"), name == "second", "{finished:?}");
        out
    });
    let encoded = |out: &Path| {
        let report: Value = serde_json::from_str(&text(&out.join("report.json"))).unwrap();
        report["sections"][0]["encodings"][0]["encoded"].clone()
    };
    assert_eq!((encoded(&first), encoded(&second)), (json!(DOCUMENTS - 1), json!(0)));
    for column in COLUMNS {
        let name = format!("beir.{column}.run");
        let run = text(&first.join(&name));
        assert_eq!(run, text(&second.join(&name)), "{name}");
        check_run(&run, column);
    }
    let queries = |out: &Path| lines(&text(&out.join("beir.queries.jsonl")));
    let (before, after) = (queries(&first), queries(&second));
    assert_eq!(before.len(), QUERIES);
    for (before, after) in before.iter().zip(&after) {
        for key in ["id", "greedy", "sampled"] {
            assert_eq!(before[key], after[key]);
        }
    }
    let thoughtful = |query: &Value| query["sampled"].as_array().is_some_and(|all| all.len() == 1);
    assert!(before.iter().any(thoughtful), "{before:#?}");
    let mean = |column: &str| {
        let scores = before.iter().map(|query| &query["columns"][column]["scores"]["ndcg_10"]);
        scores.map(|score| score.as_f64().unwrap()).sum::<f64>() / QUERIES as f64
    };
    // One right document among two dozen: by chance it would be 0.2.
    assert!(mean("hybrid") > 0.4, "{before:#?}");
}

/// Fails unless `run` is what trec_eval reads, and ranks each query's documents once.
#[track_caller]
fn check_run(run: &str, column: &str) {
    let corpus = lines(&text(&beir().join("corpus.jsonl")));
    let ids: BTreeSet<&str> = corpus.iter().map(|line| line["_id"].as_str().unwrap()).collect();
    let (mut seen, mut queries) = (BTreeSet::new(), BTreeSet::new());
    let mut last = (0, f32::MAX);
    for line in run.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [query, "Q0", document, rank, score, tag] = fields[..] else { panic!("{line}") };
        let (rank, score): (usize, f32) = (rank.parse().unwrap(), score.parse().unwrap());
        if queries.insert(query) {
            last = (0, f32::MAX);
        }
        assert_eq!(rank, last.0 + 1, "{line}");
        assert!(score <= last.1 && ids.contains(document), "{line}");
        assert!(seen.insert((query, document)), "{line} is a second time there");
        assert_eq!(tag, format!("fore-{column}"));
        last = (rank, score);
    }
    assert_eq!(queries.len(), QUERIES, "{column}: {run}");
}

#[test]
fn what_is_wrong_with_a_collection_is_told_before_anything_is_measured() {
    let sandbox = Sandbox::without_model();
    let more = |name: &str, line: &str| text(&beir().join(name)) + line;
    let bees = "{\"_id\":\"bees-mite\",\"text\":\"again\"}\n";
    let qrels = "qrels/test.tsv";
    let table: [(&str, String, &[&str]); 5] = [
        (qrels, more(qrels, "6\tbears\t1\n"), &["test.tsv, line 11: ", "bears"]),
        (qrels, more(qrels, "99\tbees-mite\t1\n"), &["test.tsv, line 11: ", "99"]),
        ("corpus.jsonl", more("corpus.jsonl", bees), &["corpus.jsonl, line 25: ", "bees-mite"]),
        ("corpus.jsonl", String::new(), &["corpus.jsonl, line 1: ", "no document"]),
        ("queries.jsonl", more("queries.jsonl", "{\"_id\":\n"), &["queries.jsonl, line 8: "]),
    ];
    let good = beir();
    let good = good.to_str().unwrap();
    for (number, (name, content, words)) in table.into_iter().enumerate() {
        let bad = sandbox.notes().join(number.to_string());
        fs::create_dir_all(bad.join("qrels")).unwrap();
        for file in ["corpus.jsonl", "queries.jsonl", qrels] {
            fs::copy(beir().join(file), bad.join(file)).unwrap();
        }
        fs::write(bad.join(name), content).unwrap();
        let bad = bad.to_str().unwrap();
        sandbox.fore(&["eval", good, bad]).fails_saying(words).says(&[bad]);
    }
    let missing = sandbox.fore(&["eval", good, "--split", "train"]);
    missing.fails_saying(&["qrels/train.tsv", "hint: ", "--split: test"]);
    let missing = sandbox.fore(&["eval", good, "--columns", "dense"]);
    missing.fails_saying(&["no model", "hint: run: fore model pull"]);
    let missing = sandbox.fore(&["eval", good, "--columns", "peer-dense"]);
    missing.fails_saying(&["hint: run: fore model pull --teacher", "--no-peer"]);
    let idle = sandbox.fore(&["eval", good, "--columns", "dense+sampled", "--thoughts", "0"]);
    idle.fails_saying(&["no thought is sampled", "hint: ", "--thoughts N"]);
    assert!(!sandbox.home().join("cache/forethought/eval").exists());
}

#[test]
fn the_users_own_index_is_judged_beside_the_daemon() {
    let sandbox = Sandbox::new();
    sandbox.write("lamp.md", "# Light\n\nTrim the wick when the paraffin lamp smokes.\n");
    sandbox.write("my bread.md", "# Bread\n\nKnead the dough for ten minutes, then let it rest.\n");
    // Not among the notes: it would answer its own questions.
    let judgments = sandbox.home().join("mine.jsonl");
    let lines = "{\"question\":\"why does the paraffin lamp smoke\",\"paths\":[\"lamp.md\"]}\n\
                 {\"question\":\"how long do I knead dough\",\"paths\":[\"./my bread.md\"]}\n";
    fs::write(&judgments, lines).unwrap();
    let mine = judgments.to_str().unwrap();
    sandbox.add_notes();
    let pid = sandbox.daemon_pid();
    let out = sandbox.home().join("out");
    let arguments = ["eval", "--judgments", mine, "--columns", "bm25,hybrid", "--json"];
    let report = sandbox.fore(&[&arguments[..], &["--out", out.to_str().unwrap()]].concat());
    let report = report.exits(0).json();
    let section = &report["sections"][0];
    assert_eq!((&section["name"], &section["queries"]), (&json!("mine"), &json!(2)), "{report}");
    for column in section["columns"].as_array().unwrap() {
        assert_eq!(column["scores"]["mrr_10"], json!(1.0), "{report}");
    }
    let run = text(&out.join("mine.hybrid.run"));
    let bread = sandbox.notes().join("my bread.md");
    let first = format!("q2 Q0 {} 1 ", bread.to_str().unwrap().replace(' ', "%20"));
    assert!(run.contains(&first), "{run}");

    let line = "{\"question\":\"tides\",\"paths\":[\"tide.md\"]}\n";
    fs::write(&judgments, text(&judgments) + line).unwrap();
    let unknown = sandbox.fore(&["-q", "eval", "--judgments", mine, "--columns", "bm25"]);
    let tide = sandbox.notes().join("tide.md");
    let place = format!("{}:3: {} is not indexed", judgments.display(), tide.display());
    unknown.fails_saying(&[&place, "hint: ", "fore sync", "fore add"]);
    sandbox.still_serves(pid);
}

#[test]
fn one_query_is_explained() {
    let sandbox = Sandbox::new();
    sandbox.think_briefly();
    let collection = beir();
    let explain = |id: &str| {
        let collection = collection.to_str().unwrap();
        let columns = ["--columns", "bm25,dense+greedy", "--thoughts", "2"];
        sandbox.fore(&[&["eval", collection, "--no-peer", "--explain", id], &columns[..]].concat())
    };
    explain("99").fails_saying(&["99", "ids look like 1, 2, 3"]);
    let told = explain("3").exits(0).stdout;
    for part in [
        "how do bees survive the cold months",
        "- thought 1: ",
        "- judged (grade): bees-winter (2)\n",
        "| rank | without thought ",
        " bm25 | dense+greedy | dense | dense+sampled | hybrid | hybrid+sampled | what moved it ",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    let winter = told.lines().filter(|line| line.starts_with("| bees-winter "));
    let winter: Vec<&str> = winter.flat_map(|line| line.split('|').map(str::trim)).collect();
    assert_eq!(winter[2..4], ["Wintering a colony", "2"], "{told}");
    assert!(winter[4..10].iter().all(|rank| *rank == "–" || rank.parse::<usize>().is_ok()));
    assert_ne!(winter[10], "", "{told}");
    let remembered = thoughts(&sandbox).unwrap();
    assert_eq!(lines(&remembered).len(), 2, "only this query is thought about: {remembered}");
}

#[test]
fn a_killed_run_is_taken_up_where_it_was() {
    let sandbox = Sandbox::new();
    let collection = beir();
    let arguments =
        ["eval", collection.to_str().unwrap(), "--columns", "dense+sampled", "--thoughts", "2"];
    let running = sandbox.spawn(&arguments);
    let remembered = wait_until("the first thought to be kept", PATIENCE, || {
        let whole = |text: &String| text.ends_with('\n');
        thoughts(&sandbox).filter(whole).ok_or("nothing is remembered")
    });
    sandbox.fore(&arguments).fails_saying(&["another fore eval", "hint: "]);
    signal(running.pid(), Signal::KILL);
    assert_eq!(running.finish().code, None, "it was not killed in the middle of its work");

    let again = sandbox.fore(&arguments).exits(0);
    assert!(again.stdout.contains("all cached"), "{}", again.stdout);
    let now = thoughts(&sandbox).unwrap();
    assert!(now.starts_with(&remembered), "{now}");
    let asked: Vec<Value> = lines(&now).iter().map(|line| line["question"].clone()).collect();
    let different: BTreeSet<String> = asked.iter().map(Value::to_string).collect();
    assert_eq!((asked.len(), different.len()), (QUERIES, QUERIES), "{now}");
}
