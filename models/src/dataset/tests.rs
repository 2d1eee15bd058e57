//! Rows as others write them, rows of no use, and rows written again.

use std::collections::BTreeMap;

use super::{Pair, line, parse};

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn rows_of_any_export_are_read() {
    let full = Pair {
        id: "notes/cats.md".to_owned(),
        set: "notes".to_owned(),
        query: "why do cats purr".to_owned(),
        pos: texts(&["a", "b"]),
        neg: texts(&["c"]),
        thought: "t2".to_owned(),
        context: "Cats purr.".to_owned(),
        pos_scores: vec![0.9, 0.1],
        neg_scores: vec![-1.5],
        all_thought: texts(&["t1", "t2"]),
        sources: texts(&["big", "small"]),
        model2scores: BTreeMap::from([("bge".to_owned(), vec![61.25, 70.5])]),
        none_scores: BTreeMap::from([("bge".to_owned(), 65.0)]),
    };
    let bare = Pair { query: "q".to_owned(), pos: texts(&["p"]), ..Pair::default() };
    let cases = [
        ("all that is known", line(&full), full),
        ("the least", r#"{"query":"q","pos":["p"]}"#.to_owned(), bare.clone()),
        (
            "a number for a name",
            r#"{"id":17,"query":"q","pos":["p"]}"#.to_owned(),
            Pair { id: "17".to_owned(), ..bare.clone() },
        ),
        ("a byte order mark", format!("\u{feff}{}", line(&bare)), bare.clone()),
        (
            "fields of others, and nothing as null",
            r#"{"id":null,"query":"q","pos":["p"],"neg":null,"thought":null,"pos_scores":null,
                "neg_scores":null,"all_thought":null,"sources":null,"model2scores":null,
                "none_scores":null,"set":["a"],"prompt":"p","type":"normal","batch_size":8}"#
                .replace('\n', " "),
            bare.clone(),
        ),
        (
            "empty texts, with their scores",
            r#"{"query":"q","pos":[""," ","p"],"pos_scores":[1,2,3],"neg":["\t","n",""],
                "neg_scores":[4,5,6]}"#
                .replace('\n', " "),
            Pair {
                neg: texts(&["n"]),
                pos_scores: vec![3.0],
                neg_scores: vec![5.0],
                ..bare.clone()
            },
        ),
        (
            "empty texts without scores",
            r#"{"query":"q","pos":["","p"],"neg":[""]}"#.to_owned(),
            bare.clone(),
        ),
    ];
    for (name, row, expected) in cases {
        let (pairs, bad) = parse(&row);
        assert!(bad.is_empty(), "{name}: {bad:?}");
        assert_eq!(pairs, [expected], "{name}");
        assert_eq!(parse(&line(&pairs[0])).0, pairs, "{name}, written again");
    }
    assert_eq!(line(&bare), r#"{"query":"q","pos":["p"]}"#);
}

#[test]
fn rows_of_no_use_are_named_by_line_and_reason() {
    let cases = [
        (r#"{"query":" ","pos":["p"]}"#, "the query is empty"),
        (r#"{"query":"q","pos":[]}"#, "there is no positive text"),
        (r#"{"query":"q","pos":[""," "]}"#, "there is no positive text"),
        (r#"{"query":"q"}"#, "missing field `pos` (column 13)"),
        (r#"{"id":[],"query":"q","pos":["p"]}"#, "the id is neither text nor number (column 8)"),
        ("not json", "expected ident (column 2)"),
        (
            r#"{"query":"q","pos":["p","r"],"pos_scores":[1]}"#,
            "pos_scores has 1 entries, pos has 2",
        ),
        (r#"{"query":"q","pos":["p"],"neg_scores":[1]}"#, "neg_scores has 1 entries, neg has 0"),
        (
            r#"{"query":"q","pos":["p"],"pos_scores":[1e39]}"#,
            "pos_scores has the score inf, which is not finite",
        ),
        (
            r#"{"query":"q","pos":["p"],"all_thought":["t"],"model2scores":{"m":[1,2]}}"#,
            r#"model2scores of "m" has 2 entries, all_thought has 1"#,
        ),
        (
            r#"{"query":"q","pos":["p"],"all_thought":["t"],"model2scores":{"m":[-1e39]}}"#,
            r#"model2scores of "m" has the score -inf, which is not finite"#,
        ),
        (
            r#"{"query":"q","pos":["p"],"none_scores":{"m":1e39}}"#,
            r#"none_scores of "m" has the score inf, which is not finite"#,
        ),
        (
            r#"{"query":"q","pos":["p"],"all_thought":["t"],"sources":["s","s"]}"#,
            "sources has 2 entries, all_thought has 1",
        ),
    ];
    for (row, reason) in cases {
        let (pairs, bad) = parse(&format!("{{\"query\":\"q\",\"pos\":[\"p\"]}}\n\n{row}\n"));
        assert_eq!(pairs.len(), 1, "{row}");
        let told: Vec<String> = bad.iter().map(ToString::to_string).collect();
        assert_eq!(told, [format!("line 3: {reason}")], "{row}");
    }
}
