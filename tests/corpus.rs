//! The folder that the README's first command indexes, and the questions that it answers.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// Passages a person looks at without scrolling.
const SEEN: usize = 5;
/// Least share of the questions whose answer is among them. The fixtures are small, so one
/// question is worth 3.6 %; the share itself is printed.
const ANSWERED_MIN: f64 = 0.75;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").canonicalize().unwrap()
}

/// Files below `folder`, as paths relative to it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    found
}

#[test]
fn the_lighthouse_answers_its_questions() {
    let sandbox = Sandbox::new();
    let corpus = fixtures().join("corpus");
    let added = sandbox.fore(&["add", corpus.to_str().unwrap()]).exits(0);
    assert!(added.stderr.contains("binary.bin"), "{}", added.stderr);

    let hidden = |path: &PathBuf| path.starts_with("private") || path.ends_with(".gitignore");
    let indexed = files(&corpus).iter().filter(|path| !hidden(path)).count() - 1;
    let status = sandbox.status();
    assert_eq!(status["index"]["documents"], json!(indexed), "{status}");
    assert_eq!(status["index"]["problem_count"], json!(1), "{status}");

    let mut wire = sandbox.wire();
    let diary = fs::read_to_string(corpus.join("private/diary.md")).unwrap();
    let hits = wire.search(diary.lines().last().unwrap(), None);
    assert!(!hits.is_empty(), "a search that finds nothing proves nothing");
    assert!(hits.iter().all(|hit| !hit["path"].as_str().unwrap().contains("/private/")));

    let questions = fs::read_to_string(fixtures().join("questions.jsonl")).unwrap();
    let questions: Vec<Value> =
        questions.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let missed: Vec<&str> = questions
        .iter()
        .filter(|question| {
            let hits = wire.search(question["question"].as_str().unwrap(), None);
            let right: Vec<_> = question["paths"].as_array().unwrap().iter().collect();
            !hits.iter().take(SEEN).any(|hit| {
                let path = Path::new(hit["path"].as_str().unwrap());
                right.iter().any(|right| path == corpus.join(right.as_str().unwrap()))
            })
        })
        .map(|question| question["question"].as_str().unwrap())
        .collect();
    let share = 1.0 - missed.len() as f64 / questions.len() as f64;
    println!("{:.0} % answered among the first {SEEN}; not: {missed:#?}", 100.0 * share);
    assert!(share >= ANSWERED_MIN, "only {share:.2} answered; not: {missed:#?}");

    // The question of the README's first command, with its thought. The handbook says which smoke
    // means what.
    let answer = sandbox.fore(&["ask", "why does the engine smoke?"]).exits(0);
    assert!(answer.stderr.contains("thinking 1: "), "{}", answer.stderr);
    let places: Vec<&Path> = answer
        .stdout
        .lines()
        .filter_map(|line| {
            let (path, number) = line.split(' ').next()?.rsplit_once(':')?;
            let is_place = number.parse::<usize>().is_ok() && Path::new(path).exists();
            is_place.then_some(Path::new(path))
        })
        .collect();
    assert_eq!(places.len(), 10, "{}", answer.stdout);
    let handbook = corpus.join("handbook/keepers-handbook.md");
    assert_eq!(places[0], handbook, "{}", answer.stdout);
}
