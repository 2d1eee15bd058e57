//! What a collection may look like, what it may not, and samples of it.

use std::fmt::Write;

use super::{BeirError, Collection, Part, parse_judgments};

const CORPUS: &str = "{\"_id\":\"a\",\"title\":\"T\",\"text\":\"x\",\"metadata\":{}}\n\n\
                      {\"_id\":\"b\",\"text\":\"\"}\n";
const QUERIES: &str = "{\"_id\":\"1\",\"text\":\"why\"}\n{\"_id\":\"2\",\"text\":\"how\"}\n";

/// [`super::parse`] of what must not be odd.
fn parse(corpus: &str, queries: &str, qrels: &str) -> Result<Collection, BeirError> {
    super::parse(corpus, queries, qrels, &mut |odd| panic!("{odd}"))
}

#[test]
fn a_collection_keeps_its_order_and_its_judged_queries() {
    let header = "query-id\tcorpus-id\tscore\n";
    for qrels in [format!("{header}2\tb\t1\n2\ta\t-1\n"), "2\tb\t1\r\n2\ta\t-1".to_owned()] {
        let found = parse(CORPUS, QUERIES, &qrels).expect("a collection");
        let ids: Vec<&str> = found.documents.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!((ids, found.documents[1].title.as_str()), (vec!["a", "b"], ""));
        assert_eq!((found.queries.len(), found.queries[0].id.as_str()), (1, "2"));
        assert_eq!((found.qrels["2"]["b"], found.qrels["2"]["a"]), (1, -1));
    }
}

#[test]
fn a_byte_order_mark_and_a_null_title_are_no_harm() {
    let corpus = "\u{feff}{\"_id\":\"a\",\"title\":null,\"text\":\"x\"}\n";
    let found = parse(corpus, &format!("\u{feff}{QUERIES}"), "\u{feff}1\ta\t1\n");
    assert_eq!(found.expect("a collection").documents[0].title, "");
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    use Part::{Corpus, Judgments, Queries};
    let twice = format!("{CORPUS}{{\"_id\":\"a\",\"text\":\"x\"}}\n");
    let qrels = "query-id\tcorpus-id\tscore\n1\ta\t1\n";
    let cases: [(&str, &str, &str, Part, usize, &str); 12] = [
        (&twice, QUERIES, qrels, Corpus, 4, "the id \"a\" is that of line 1 too"),
        ("", QUERIES, qrels, Corpus, 1, "there is no document"),
        ("{\"_id\":\"a\"}", QUERIES, qrels, Corpus, 1, "missing field `text`"),
        ("{\"_id\":\"a\"", QUERIES, qrels, Corpus, 1, "EOF while parsing an object"),
        ("{\"_id\":[],\"text\":\"\"}", QUERIES, qrels, Corpus, 1, "a string or a number"),
        ("{\"_id\":\"a \",\"text\":\"\"}", QUERIES, qrels, Corpus, 1, "blanks around it"),
        (CORPUS, "\n\nnonsense", qrels, Queries, 3, "expected ident"),
        (CORPUS, "{\"_id\":\"1\",\"text\":\" \"}", qrels, Queries, 1, "the query is empty"),
        (CORPUS, QUERIES, "1\ta\t0.5", Judgments, 1, "\"0.5\" is no whole number"),
        (CORPUS, QUERIES, "1\ta\t-", Judgments, 1, "\"-\" is no whole number"),
        (CORPUS, QUERIES, "1 a 1", Judgments, 1, "with tabs between"),
        (CORPUS, QUERIES, "query-id\tcorpus-id\tscore\n", Judgments, 1, "there is no judgment"),
    ];
    for (corpus, queries, qrels, part, line, words) in cases {
        let error = parse(corpus, queries, qrels).expect_err(words);
        assert_eq!((error.part, error.line), (part, line), "{error}");
        assert!(error.what.contains(words), "{error} instead of {words}");
    }
}

#[test]
fn collections_as_they_are_published_are_taken_with_a_word() {
    /// Judgments, what is odd about them by line, and the grades that the query is left with.
    type Case<'a> = (&'a str, &'a [(usize, &'a str)], &'a [(&'a str, i32)]);
    let cases: [Case<'_>; 6] = [
        ("1\ta\t1.0\n1\tb\t-1.00\n", &[], &[("a", 1), ("b", -1)]),
        (
            "1\ta\t1\n9\ta\t1\n",
            &[(2, "query \"9\" is not among the queries: left out")],
            &[("a", 1)],
        ),
        (
            "1\tz\t1\n1\ty\t1\n",
            &[(1, "document \"z\" is not in the corpus: counted as never found (one of 2 such")],
            &[("y", 1), ("z", 1)],
        ),
        (
            "1\ta\t2\n1\ta\t1\n",
            &[(2, "query \"1\" judges document \"a\" twice: the later counts")],
            &[("a", 1)],
        ),
        ("8\ta\t1\n1\tz\t1\n", &[(1, "query \"8\""), (2, "document \"z\"")], &[("z", 1)]),
        ("1\tb\t+3\n", &[], &[("b", 3)]),
    ];
    for (qrels, expected, grades) in cases {
        let mut odd = Vec::new();
        let found = super::parse(CORPUS, QUERIES, qrels, &mut |one| odd.push(one));
        let found = found.expect("a collection");
        assert_eq!(odd.len(), expected.len(), "{odd:?}");
        for (odd, (line, words)) in odd.iter().zip(expected) {
            assert_eq!((odd.part, odd.line), (Part::Judgments, *line), "{odd}");
            assert!(odd.what.starts_with(words), "{odd} instead of {words}");
        }
        let had: Vec<(&str, i32)> =
            found.qrels["1"].iter().map(|(id, grade)| (id.as_str(), *grade)).collect();
        assert_eq!(had, grades);
    }
    let corpus = "{\"_id\":7,\"text\":\"x\"}\n{\"_id\":\"my notes/a b.md\",\"text\":\"y\"}\n";
    let found = parse(corpus, "{\"_id\":1,\"text\":\"why\"}", "1\t7\t1\n1\tmy notes/a b.md\t1\n");
    assert_eq!(found.expect("a collection").qrels["1"].len(), 2);
}

#[test]
fn a_users_judgments_are_questions_and_paths() {
    let text = "\n{\"question\":\"why do cats purr\",\"paths\":[\"cats.md\",\"b.md\"]}\n";
    let (queries, judged) = parse_judgments(text).expect("judgments");
    assert_eq!((queries[0].id.as_str(), judged["q2"].len()), ("q2", 2));
    let cases = [
        ("{\"question\":\"a\"}", 1, "missing field `paths`"),
        ("\n{\"question\":\"a\",\"paths\":[]}", 2, "no path answers"),
        ("{\"question\":\" \",\"paths\":[\"a\"]}", 1, "the question is empty"),
        ("{\"question\":\"a\",\"path\":\"a\",\"paths\":[\"a\"]}", 1, "unknown field `path`"),
        ("", 1, "there is no judgment"),
    ];
    for (text, line, words) in cases {
        let error = parse_judgments(text).expect_err(words);
        assert_eq!((error.part, error.line), (Part::Judgments, line), "{error}");
        assert!(error.what.contains(words), "{error} instead of {words}");
    }
}

/// 100 documents, 20 queries; query N judges documents N and N + 1.
fn hundred() -> Collection {
    let (mut corpus, mut queries, mut qrels) = (String::new(), String::new(), String::new());
    for number in 0..100 {
        writeln!(corpus, "{{\"_id\":\"d{number}\",\"text\":\"\"}}").expect("writes");
    }
    for number in 0..20 {
        writeln!(queries, "{{\"_id\":\"q{number}\",\"text\":\"why\"}}").expect("writes");
        writeln!(qrels, "q{number}\td{number}\t1\nq{number}\td{}\t0", number + 1).expect("writes");
    }
    parse(&corpus, &queries, &qrels).expect("a collection")
}

#[test]
fn a_sample_keeps_every_judged_document() {
    // (queries, documents) asked for -> had
    let cases = [
        ((None, None), (20, 100)),
        ((Some(5), Some(40)), (5, 40)),
        ((Some(50), Some(500)), (20, 100)),
        ((Some(1), Some(3)), (1, 21)),
        ((Some(20), Some(21)), (20, 21)),
    ];
    for ((queries, documents), expected) in cases {
        let sample = hundred().sampled(queries, documents, 3);
        assert_eq!((sample.queries.len(), sample.documents.len()), expected);
        assert_eq!(sample.qrels.len(), expected.0);
        let has = |id: &str| sample.documents.iter().any(|entry| entry.id == id);
        assert!((0..21).all(|number| has(&format!("d{number}"))));
        let number = |id: &str| id[1..].parse::<usize>().expect("a number");
        assert!(sample.documents.is_sorted_by_key(|entry| number(&entry.id)));
        assert!(sample.queries.is_sorted_by_key(|query| number(&query.id)));
    }
}

#[test]
fn the_seed_decides_the_sample() {
    let sample = |queries, seed| hundred().sampled(Some(queries), Some(50), seed);
    assert_eq!(sample(5, 1), sample(5, 1));
    assert_ne!(sample(5, 1).queries, sample(5, 2).queries);
    assert_ne!(sample(5, 1).documents, sample(5, 2).documents);
    assert_eq!(sample(5, 1).documents, sample(9, 1).documents, "whichever queries are asked");
}
