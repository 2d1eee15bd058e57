//! What is read before anything is measured.

use std::fs;

use models::UserError;
use tempfile::TempDir;

use super::*;
use daemon_eval::sections::{Size, read};

const CORPUS: &str = "{\"_id\":\"a\",\"text\":\"ants\"}\n{\"_id\":\"b\",\"text\":\"bees\"}\n\
                      {\"_id\":\"c\",\"text\":\"cows\"}\n";
const QUERIES: &str = "{\"_id\":\"1\",\"text\":\"ants?\"}\n{\"_id\":\"2\",\"text\":\"bees?\"}\n";
const QRELS: &str = "query-id\tcorpus-id\tscore\n1\ta\t1\n2\tb\t1\n";

/// A folder with the collection `zoo` of these texts in it.
fn zoo(corpus: &str, queries: &str, qrels: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("zoo");
    fs::create_dir_all(folder.join("qrels")).unwrap();
    for (name, text) in
        [("corpus.jsonl", corpus), ("queries.jsonl", queries), ("qrels/test.tsv", qrels)]
    {
        fs::write(folder.join(name), text).unwrap();
    }
    dir
}

fn read_in(dir: &TempDir, words: &str) -> Result<Vec<Section>, AppError> {
    read_telling(dir, words, &mut |odd| panic!("{odd}"))
}

fn read_telling(
    dir: &TempDir,
    words: &str,
    told: &mut dyn FnMut(&UserError),
) -> Result<Vec<Section>, AppError> {
    let words: Vec<&str> = words.split(' ').collect();
    Ok(read(&wanted(&typed(&words), vec![column("dense")], &config(dir.path())), told)?)
}

fn index(section: &Section) -> &Path {
    match &section.source {
        Source::Folder { index } => index,
        Source::OwnIndex { .. } => panic!("not of a collection"),
    }
}

#[test]
fn a_collection_is_measured_as_a_sample_and_as_a_whole() {
    let dir = zoo(CORPUS, QUERIES, QRELS);
    let words = "zoo --limit-queries 1 --sample-docs 2 --also-full bm25,bm25";
    let sections = read_in(&dir, words).unwrap();
    let [sample, whole] = &sections[..] else { panic!("{sections:?}") };
    assert_eq!((sample.file_name(), whole.file_name()), ("zoo".to_owned(), "zoo-full".to_owned()));
    assert_eq!((&sample.columns, &whole.columns), (&vec![column("dense")], &vec![BASELINE]));
    let size = Size { queries: 1, queries_all: 2, documents: 2, documents_all: 3 };
    assert_eq!(sample.size, size);
    assert_eq!(whole.size, Size { queries: 2, documents: 3, ..size });
    assert_eq!(sample.collection.documents.len(), 2);
    assert_eq!(whole.collection.queries.len(), 2);
}

#[test]
fn an_index_is_shared_by_those_who_want_the_same_documents_in_it() {
    let dir = zoo(CORPUS, QUERIES, QRELS);
    let of = |words: &str| {
        let sections = read_in(&dir, words).unwrap();
        sections.iter().map(|section| index(section).to_owned()).collect::<Vec<_>>()
    };
    let [whole] = &of("zoo")[..] else { panic!("one section") };
    assert!(whole.starts_with(config(dir.path()).paths.eval), "{}", whole.display());
    let [sample, full] = &of("zoo --sample-docs 2 --also-full bm25")[..] else { panic!("two") };
    for (words, expected) in [
        ("zoo/../zoo", Some(whole)),
        ("zoo --limit-queries 1 --seed 3", Some(whole)),
        ("zoo --sample-docs 3", Some(whole)),
        ("zoo --sample-docs 2 --limit-queries 1", Some(sample)),
        ("zoo --sample-docs 2 --seed 3", None),
        ("zoo --chunk", None),
    ] {
        let found = &of(words)[0];
        match expected {
            Some(expected) => assert_eq!(found, expected, "{words}"),
            None => assert!(found != whole && found != sample, "{words}"),
        }
    }
    assert!(full == whole && sample != whole);
}

#[test]
fn what_is_wrong_is_told_with_its_file_and_line() {
    let twice = format!("{CORPUS}{CORPUS}");
    for (texts, words, expected) in [
        (
            (CORPUS, QUERIES, "1\ta\t1\n1 a 1\n"),
            "zoo",
            &["zoo/qrels/test.tsv, line 2: ", "tabs"][..],
        ),
        (
            (CORPUS, QUERIES, "query-id\tcorpus-id\tscore\n"),
            "zoo",
            &["test.tsv, line 1: ", "no judgment"],
        ),
        ((&twice, QUERIES, QRELS), "zoo", &["zoo/corpus.jsonl, line 4: ", "line 1"]),
        ((CORPUS, "{\"_id\": 1\n", QRELS), "zoo", &["zoo/queries.jsonl, line 1: "]),
        (("", QUERIES, QRELS), "zoo", &["zoo/corpus.jsonl, line 1: ", "no document"]),
        ((CORPUS, QUERIES, QRELS), "zoo --split dev", &["qrels/dev.tsv", "hint: ", "test"]),
        ((CORPUS, QUERIES, QRELS), "zoo zoo", &["two tables would be called zoo"]),
        ((CORPUS, QUERIES, QRELS), "barn", &["reading barn: "]),
        ((CORPUS, QUERIES, QRELS), "--judgments j.jsonl", &["reading ", "j.jsonl: "]),
    ] {
        let dir = zoo(texts.0, texts.1, texts.2);
        let error = read_in(&dir, words).unwrap_err().to_string();
        for part in expected {
            assert!(error.contains(part), "{part} is not in {error}");
        }
    }
}

#[test]
fn what_is_odd_is_told_with_its_file_and_line() {
    let dir = zoo(CORPUS, QUERIES, "1\ta\t1\n1\tx\t1\n9\ta\t1\n");
    let mut told = Vec::new();
    let sections = read_telling(&dir, "zoo", &mut |odd| told.push(odd.message.clone())).unwrap();
    assert_eq!(sections[0].size.queries, 1);
    for (told, (line, id)) in told.iter().zip([(3, "\"9\""), (2, "\"x\"")]) {
        assert!(told.contains(&format!("zoo/qrels/test.tsv, line {line}: ")), "{told}");
        assert!(told.contains(id), "{told}");
    }
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn judged_paths_are_those_of_the_index() {
    let dir = zoo(CORPUS, QUERIES, QRELS);
    let home = dir.path().canonicalize().unwrap();
    fs::write(home.join("a.md"), "ants").unwrap();
    std::os::unix::fs::symlink(home.join("a.md"), home.join("link.md")).unwrap();
    let judgments = home.join("mine.jsonl");
    let lines = "{\"question\":\"ants\",\"paths\":[\"a.md\",\"link.md\"]}\n\n\
                 {\"question\":\"bees\",\"paths\":[\"/gone/b.md\"]}\n";
    fs::write(&judgments, lines).unwrap();
    let sections = read_in(&dir, "--judgments mine.jsonl").unwrap();
    let [section] = &sections[..] else { panic!("{sections:?}") };
    assert_eq!(section.name, "mine");
    let judged: Vec<(&str, Vec<&str>)> = section
        .collection
        .qrels
        .iter()
        .map(|(id, grades)| (id.as_str(), grades.keys().map(String::as_str).collect()))
        .collect();
    let a = home.join("a.md");
    assert_eq!(judged, [("q1", vec![a.to_str().unwrap()]), ("q3", vec!["/gone/b.md"])]);

    let path = "/gone/b.md".to_owned();
    let error = EvalError::NotIndexed { query: "q3".to_owned(), path };
    let told = placed(error, &section.source).to_string();
    let expected = format!("error: {}:3: /gone/b.md is not indexed\n", judgments.display());
    assert!(told.starts_with(&expected) && told.contains("hint: "), "{told}");

    fs::write(&judgments, "{\"question\":\"ants\",\"paths\":[]}\n").unwrap();
    let error = read_in(&dir, "--judgments mine.jsonl").unwrap_err();
    assert!(error.message.contains("mine.jsonl, line 1: "), "{error}");
}

#[test]
fn models_are_looked_for_before_anything_is_measured() {
    let dir = zoo(CORPUS, QUERIES, QRELS);
    let config = Arc::new(config(dir.path()));
    let peer = dir.path().join("peer");
    let settings = Settings { peer: peer.clone(), ..settings() };
    let check = |columns: &str, expected: Option<&str>| {
        let mut sections = read_in(&dir, "zoo").unwrap();
        sections[0].columns = columns.split(' ').map(column).collect();
        let error = check(&sections, &settings, &config).err().map(|e| e.to_string());
        match (&error, expected) {
            (Some(error), Some(expected)) => assert!(error.contains(expected), "{error}"),
            (error, expected) => assert_eq!(error.as_deref(), expected, "{columns}"),
        }
    };
    check("dense", Some("fore model pull"));
    check("bm25 peer-dense", Some("fore model pull --teacher"));
    fs::create_dir(&peer).unwrap();
    fs::write(peer.join("model.safetensors"), "").unwrap();
    check("bm25 peer-dense", None);
    check("bm25+greedy peer-dense", Some("no model in "));
}
