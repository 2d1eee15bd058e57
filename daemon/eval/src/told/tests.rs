//! What tables, explanations and files say.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use models::Sampling;
use models::beir::{Collection, Entry, Query};
use models::column::Column;
use models::metrics::Scores;
use models::paired::Comparison;
use serde_json::{Value, json};

use super::explain::{self, Ranks};
use super::render;
use crate::effort::Effort;
use crate::measured::{BASELINE, Measured, Settings};
use crate::sections::{Section, Size, Source};
use crate::{Answer, Encoding, Milliseconds, QueryReport, Reading, Report, Summary, files};

fn column(name: &str) -> Column {
    name.parse().unwrap()
}

fn summary(name: &str, ndcg: f64) -> Summary {
    Summary {
        column: column(name),
        scores: Scores {
            ndcg_10: ndcg,
            mrr_10: 0.5,
            recall_10: 0.25,
            recall_100: 1.0,
            map: 0.3333,
        },
        against: None,
        read_ms: (0.0, 0.0),
        think_ms: (0.0, 0.0),
        embed_ms: (0.0, 0.0),
        search_ms: (0.25, 12.5),
        thought_tokens: 0.0,
        cosine: None,
    }
}

fn measured(name: &str, full: bool, summaries: Vec<Summary>) -> Measured {
    let encoding = Encoding {
        model: "tiny".to_owned(),
        fingerprint: "0123".to_owned(),
        device: "cpu".to_owned(),
        documents: 1_500,
        passages: 1_498,
        encoded: 0,
        tokens: 0,
        seconds: 0.0,
    };
    let fresh = Encoding { encoded: 1_498, tokens: 30_000, seconds: 2.0, ..encoding.clone() };
    Measured {
        name: name.to_owned(),
        full,
        size: Size { queries: 100, queries_all: 300, documents: 1_500, documents_all: 5_183 },
        baseline: BASELINE,
        encodings: vec![
            (encoding, Effort { passages: 1_498, tokens: 30_000, seconds: 3.0 }),
            (fresh, Effort { passages: 1_498, tokens: 30_000, seconds: 2.0 }),
        ],
        summaries,
        memory_peak: 1_234_000_000,
    }
}

fn settings() -> Settings {
    Settings {
        command: "fore eval x".to_owned(),
        sampling: Sampling { thoughts: 3, ..Sampling::default() },
        reading: Reading::default(),
        chunked: false,
        baseline: BASELINE,
        seed: 7,
        peer: PathBuf::from("/peer"),
    }
}

#[test]
fn a_section_is_a_table_with_its_sample_and_its_costs() {
    let against =
        Comparison { wins: 12, ties: 80, losses: 8, mean: 0.0612, low: 0.01, high: 0.1123 };
    let thinking = Summary {
        against: Some(against),
        read_ms: (0.0, 0.0),
        think_ms: (1_234.4, 2_345.6),
        embed_ms: (9.94, 30.0),
        thought_tokens: 96.25,
        cosine: Some(0.98765),
        ..summary("hybrid+sampled", 0.61196)
    };
    let one = measured("a|b\u{1b}", false, vec![summary("bm25", 0.5508), thinking]);
    let text = render::section(&one, &settings());
    let expected = "
## a|b\u{fffd}

100 of 300 queries, 1,500 of 5,183 documents, seed 7

| column         |   nDCG@10 | MRR@10 | Recall@10 | Recall@100 |   MAP |  Δ nDCG@10 vs bm25 [95 %] | wins/ties/losses |   cos | thought tokens | read ms |      think ms | embed ms | search ms |
| -------------- | --------: | -----: | --------: | ---------: | ----: | ------------------------: | ---------------: | ----: | -------------: | ------: | ------------: | -------: | --------: |
| bm25           |     0.551 |  0.500 |     0.250 |      1.000 | 0.333 |                         – |                – |     – |              – |       – |             – |        – |  0.2 / 13 |
| hybrid+sampled | **0.612** |  0.500 |     0.250 |      1.000 | 0.333 | +0.061 [+0.010, +0.112] * |          12/80/8 | 0.988 |           96.2 |       – | 1,234 / 2,346 | 9.9 / 30 |  0.2 / 13 |

- tiny (0123, cpu): 1,498 passages of 1,500 documents; 1,498 encoded in 3.0 s, 10,000 tokens/s; all cached
- tiny (0123, cpu): 1,498 passages of 1,500 documents; 1,498 encoded in 2.0 s, 15,000 tokens/s
- peak memory so far: 1.23 GB
";
    assert_eq!(text, expected);
}

#[test]
fn collections_stand_side_by_side_with_their_mean() {
    let own = |name: &str, bm25| measured(name, false, vec![summary("bm25", bm25)]);
    let both = vec![summary("dense", 0.3), summary("bm25", 0.7)];
    let full = |name: &str| measured(name, true, vec![summary("bm25", 0.25)]);
    let sampled = "
## nDCG@10, as sampled above

| column |         a |         b |      mean |
| ------ | --------: | --------: | --------: |
| bm25   | **0.500** | **0.700** | **0.600** |
| dense  |         – |     0.300 |         – |
";
    let all = "
## nDCG@10, all queries and documents

| column |         a |         b |      mean |
| ------ | --------: | --------: | --------: |
| bm25   | **0.250** | **0.250** | **0.250** |
";
    let two = || vec![own("a", 0.5), measured("b", false, both.clone())];
    for (name, measured, expected) in [
        ("none", vec![], String::new()),
        ("one", vec![own("a", 0.5)], String::new()),
        ("one, twice", vec![own("a", 0.5), full("a")], String::new()),
        ("two", two(), sampled.to_owned()),
        ("two, twice", [two(), vec![full("a"), full("b")]].concat(), format!("{sampled}{all}")),
    ] {
        assert_eq!(render::overview(&measured), expected, "{name}");
    }
}

#[test]
fn the_head_says_what_was_run() {
    let text = render::head(&settings());
    for part in ["```sh\nfore eval x\n```", "k = 3", "temperature 0.7", "seed 0;"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    for (words, expected) in [
        (&["eval", "../data/dev/a"][..], "fore eval ../data/dev/a"),
        (&["--columns", "bm25,dense+greedy"], "fore --columns bm25,dense+greedy"),
        (&["my notes", "", "it's", "$HOME"], r"fore 'my notes' '' 'it'\''s' '$HOME'"),
    ] {
        assert_eq!(render::command_line(words.iter().map(OsString::from)), expected);
    }
}

#[test]
fn cells_are_padded_and_cannot_break_the_table() {
    let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
    let rows = [row(&["a|b", "1", "é\n\u{7}"]), row(&["c", "22", ""])];
    let text = render::table(&row(&["id", "n", "why"]), 1..2, &rows);
    let expected = "\
| id   |   n | why |
| ---- | --: | --- |
| a\\|b |   1 | é \u{fffd} |
| c    |  22 |     |
";
    assert_eq!(text, expected);
}

/// One query in two columns, the second of which thought.
fn report() -> Report {
    let answer = |name: &str, ranking: &[(&str, f32)]| Answer {
        column: column(name),
        ranking: ranking.iter().map(|(id, score)| ((*id).to_owned(), *score)).collect(),
        scores: Scores { ndcg_10: 0.5, ..Scores::default() },
        ms: Milliseconds { read: 0.0, think: 1.0, embed: 2.0, search: 3.0 },
        thought_tokens: 4,
        cosine: None,
    };
    let before = answer("hybrid", &[("/my notes/a", 1.0 / 61.0), ("b", 1e-9)]);
    let after = answer("hybrid+sampled", &[("b", 0.1), ("/my notes/a", 1.0 / 62.0)]);
    let query = QueryReport {
        id: "q 1".to_owned(),
        text: "why\nnot".to_owned(),
        greedy: Vec::new(),
        sampled: vec![" a\n\u{1b}thought".to_owned()],
        grounded: Vec::new(),
        answers: vec![before, after],
    };
    Report {
        encodings: Vec::new(),
        columns: vec![column("hybrid"), column("hybrid+sampled")],
        queries: vec![query],
    }
}

#[test]
fn run_files_are_read_back_as_they_were_ranked() {
    let report = report();
    for (at, column) in report.columns.iter().enumerate() {
        let text = files::run(&report, at, *column);
        let ranking = &report.queries[0].answers[at].ranking;
        assert_eq!(text.lines().count(), ranking.len());
        for ((number, line), (id, score)) in (1..).zip(text.lines()).zip(ranking) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [query, "Q0", document, rank, written, tag] = fields[..] else { panic!("{line}") };
            assert_eq!((query, document), ("q%201", id.replace(' ', "%20").as_str()));
            assert_eq!((rank.parse(), written.parse()), (Ok(number), Ok(*score)), "{line}");
            assert_eq!(tag, format!("fore-{column}"));
        }
    }
}

#[test]
fn figures_are_written_for_other_programs() {
    let text = files::queries(&report());
    let line: Value = serde_json::from_str(text.trim_end()).unwrap();
    assert_eq!(line["text"], json!("why\nnot"));
    assert_eq!(line["columns"]["hybrid+sampled"]["scores"]["ndcg_10"], json!(0.5));
    assert_eq!(line["columns"]["hybrid"]["ms"]["search"], json!(3.0));

    let report = files::report(&settings(), &[measured("a", true, vec![summary("dense", 0.5)])]);
    let section = &report["sections"][0];
    for (value, expected) in [
        (&section["baseline"], json!("bm25")),
        (&report["sampling"]["thoughts"], json!(3)),
        (&section["name"], json!("a")),
        (&section["full"], json!(true)),
        (&section["queries_all"], json!(300)),
        (&section["encodings"][1]["encoded"], json!(1_498)),
        (&section["encodings"][0]["all_runs"]["seconds"], json!(3.0)),
        (&section["columns"][0]["column"], json!("dense")),
        (&section["columns"][0]["ms"]["search"]["p95"], json!(12.5)),
        (&section["columns"][0]["against_baseline"], Value::Null),
    ] {
        assert_eq!(value, &expected, "{report}");
    }
}

#[test]
fn what_moved_a_document_is_told_by_its_ranks() {
    // Ranks by words, by vector without and with thoughts, by both without and with thoughts.
    for (ranks, expected) in [
        ([None, None, None, None, None], "not among the first 100"),
        ([Some(3), None, None, Some(5), Some(6)], "only words find it"),
        ([None, Some(14), Some(3), Some(9), Some(1)], "vector rank 14 → 3 with thoughts"),
        ([Some(1), None, Some(3), Some(1), Some(1)], "nothing"),
        ([Some(9), None, Some(3), Some(8), Some(1)], "vector rank – → 3 with thoughts"),
        (
            [Some(1), Some(10), Some(9), Some(3), Some(7)],
            "vector rank 10 → 9 with thoughts; others overtook it",
        ),
        ([None, Some(9), None, Some(12), None], "vector rank 9 → – with thoughts"),
        ([Some(1), Some(2), Some(2), Some(1), Some(2)], "vector rank stays 2; others overtook it"),
        ([None, Some(90), Some(90), Some(99), None], "vector rank stays 90; others overtook it"),
        ([Some(1), Some(2), Some(2), Some(2), Some(1)], "vector rank stays 2; others fell behind"),
        ([Some(1), Some(2), Some(2), Some(2), Some(2)], "nothing"),
    ] {
        let [words, vector, vector_thought, both, both_thought] = ranks;
        let ranks = Ranks { words, vector, vector_thought, both, both_thought };
        assert_eq!(ranks.moved(), expected, "{ranks:?}");
    }
}

/// A section of two queries, of which only `q 1` is in the report.
fn section() -> Section {
    let query = |id: &str| Query { id: id.to_owned(), text: String::new() };
    let entry = Entry { id: "b".to_owned(), title: "B".repeat(50), text: String::new() };
    let grades = BTreeMap::from([("b".to_owned(), 2), ("c".to_owned(), 0)]);
    Section {
        name: "notes".to_owned(),
        full: false,
        source: Source::OwnIndex { judgments: PathBuf::from("/j.jsonl") },
        collection: Collection {
            documents: vec![entry],
            queries: vec![query("q 1"), query("q 2")],
            qrels: BTreeMap::from([("q 1".to_owned(), grades)]),
        },
        size: Size { queries: 2, queries_all: 9, documents: 1, documents_all: 1 },
        columns: explain::needed().collect(),
    }
}

#[test]
fn an_explanation_has_the_thoughts_the_rankings_and_every_rank() {
    let text = explain::text(&section(), &report());
    let title = "B".repeat(40);
    for part in [
        "## notes, query q 1\n\nwhy not\n",
        "- thought 1: a \u{fffd}thought\n- judged (grade): b (2), c (0)\n",
        "|    1 | /my notes/a     | b             |\n|    2 | b               | /my notes/a   |\n",
        &format!(
            "| b           | {title} |     2 |      2 |              1 | not among the first 100 |"
        ),
        &format!(
            "| c           | {:40} |     0 |      – |              – | not among the first 100 |",
            ""
        ),
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn a_query_is_explained_where_it_is_asked() {
    let mut one = [section()];
    explain::narrow(&mut one, "q 2").unwrap();
    let left: Vec<&str> = one[0].collection.queries.iter().map(|q| q.id.as_str()).collect();
    assert_eq!(left, ["q 2"]);
    for (mut sections, words) in [
        (vec![section(), section()], &["one collection"][..]),
        (vec![section()], &["notes has no judged query q3", "q 1, q 2", "--limit-queries"]),
    ] {
        let error = explain::narrow(&mut sections, "q3").unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{error}");
        }
    }
}
