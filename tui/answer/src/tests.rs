use daemon_protocol::{Ranks, Scores};
use serde_json::{Value, json};

use super::*;

pub(crate) fn hit_at(path: &str, line: usize, heading: &str, snippet: &str) -> Hit {
    Hit {
        path: path.to_owned(),
        title: "T".to_owned(),
        heading: heading.to_owned(),
        line_start: line,
        line_end: line + 2,
        line,
        byte_start: 0,
        byte_end: 9,
        converted: false,
        place: None,
        score: 0.03125,
        snippet: snippet.to_owned(),
        highlights: Vec::new(),
        ranks: Ranks::default(),
        scores: Scores::default(),
        words: Vec::new(),
        missing: Vec::new(),
        reading: None,
        also: Vec::new(),
        marked: None,
    }
}

#[test]
fn json_is_an_array_and_json_lines_begin_with_what_was_asked() {
    let mut given = Answer { question: "why".to_owned(), ..Answer::default() };
    assert_eq!(array(&given), "[]\n");
    given.think(0, " be");
    given.think(2, "third");
    given.think(0, "cause");
    given.hits = vec![hit_at("/w/a", 1, "", "x"), hit_at("/w/b", 2, "", "y")];
    let array: Vec<Hit> = serde_json::from_str(&array(&given)).unwrap();
    assert_eq!(array, given.hits);

    let lines = json_lines(&given);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 3);
    let meta: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
    assert_eq!(meta["_meta"]["question"], "why");
    assert_eq!(meta["_meta"]["thoughts"], json!(["because", "", "third"]));
    assert_eq!(meta["_meta"]["timings"]["total_ms"], 0);
    assert_eq!(serde_json::from_str::<Hit>(lines[2]).unwrap(), given.hits[1]);
}

#[test]
fn thoughts_stream_in_lines_that_say_what_they_are() {
    let style = Style { dim: "<", reset: ">", ..Style::default() };
    for (style, pieces, expected) in [
        (Style::default(), &[(0, " Git"), (0, " is")][..], "thinking 1: Git is\n"),
        (
            Style::default(),
            &[(0, "one"), (1, ""), (1, " two")],
            "thinking 1: one\nthinking 2: two\n",
        ),
        (Style::default(), &[(0, "\n\na\n"), (0, "b")], "thinking 1: a\nthinking 1: b\n"),
        (Style::default(), &[(0, "\x1b[2J")], "thinking 1: \u{FFFD}[2J\n"),
        (style, &[(0, "a"), (0, " b")], "<thinking 1:> <a>< b>\n"),
        (style, &[], ""),
    ] {
        let mut stream = ThoughtStream::new(style);
        let mut text: String =
            pieces.iter().map(|(index, delta)| stream.push(*index, delta)).collect();
        text.push_str(&stream.end());
        assert_eq!(text, expected);
        assert_eq!(stream.end(), "");
    }
}

#[test]
fn an_envelope_says_what_was_asked_and_what_is_missing() {
    let mut given = Answer { question: "why".to_owned(), ..Answer::default() };
    given.think(0, " because\n");
    given.hits = vec![hit_at("/w/a", 1, "", "x")];
    given.timings.degraded = Some("no room".to_owned());
    given.timings.notes = vec!["after:x is no date".to_owned()];
    let printed = envelope(&given);
    assert!(printed.ends_with("}\n") && printed.lines().count() == 1, "{printed}");
    let object: Value = serde_json::from_str(&printed).unwrap();
    let keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["question", "thoughts", "degraded", "notes", "timings", "hits"]);
    assert_eq!(object["thoughts"], json!(["because"]));
    assert_eq!(
        (&object["degraded"], &object["timings"]["degraded"]),
        (&json!("no room"), &Value::Null)
    );
    assert_eq!(
        (&object["notes"], &object["timings"]["notes"]),
        (&json!(["after:x is no date"]), &Value::Null)
    );
    assert_eq!(object["hits"], json!(given.hits));
    given.timings.degraded = None;
    let whole: Value = serde_json::from_str(&envelope(&given)).unwrap();
    assert_eq!(whole["degraded"], Value::Null);
}

/// Others rely on it: a change of this file is a change of what they are promised.
#[test]
fn the_schema_is_the_one_that_was_promised() {
    let promised: Value = serde_json::from_str(include_str!("schema.json")).unwrap_or_default();
    let written = schema();
    let now: Value = serde_json::from_str(&written).unwrap();
    assert!(now == promised, "if it is meant to change, src/schema.json is now:\n{written}");
}

/// Every key of an envelope is one that the schema names, and every one that the schema requires is there.
#[test]
fn an_envelope_is_as_its_schema_says() {
    let hit = Hit {
        converted: true,
        place: Some(daemon_protocol::Place::Page(3)),
        reading: Some(-0.5),
        also: vec!["/b".to_owned()],
        highlights: vec![(0, 1)],
        ..hit_at("/w/a", 1, "A", "x")
    };
    let hits = vec![hit, hit_at("/w/b", 1, "", "")];
    let given = Answer { question: "why".to_owned(), hits, ..Answer::default() };
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let object: Value = serde_json::from_str(&envelope(&given)).unwrap();
    check(&object, &schema, &schema);
}

fn check(value: &Value, schema: &Value, root: &Value) {
    let schema = match schema["$ref"].as_str() {
        Some(name) => root.pointer(name.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    if let Some(object) = value.as_object().filter(|_| schema["type"] == "object") {
        // What is flattened into a hit is a choice of objects with a key each.
        let choices = ["anyOf", "oneOf"].into_iter().filter_map(|name| schema[name].as_array());
        let choices: Vec<&Value> = choices.flatten().collect();
        for (key, below) in object {
            let named = |schema: &&Value| schema["properties"].get(key).is_some();
            let deep = choices.iter().flat_map(|choice| {
                let nested = choice["oneOf"].as_array().or(choice["anyOf"].as_array());
                let target =
                    choice["$ref"].as_str().and_then(|n| root.pointer(n.trim_start_matches('#')));
                let nested = nested.or_else(|| target?["oneOf"].as_array());
                nested.into_iter().flatten().chain([*choice])
            });
            let found = std::iter::once(schema).chain(deep).find(|schema| named(schema));
            let found = found.unwrap_or_else(|| panic!("the schema has no {key}: {schema:#}"));
            check(below, &found["properties"][key], root);
        }
        for key in schema["required"].as_array().into_iter().flatten() {
            assert!(object.contains_key(key.as_str().unwrap()), "{key} is required: {value}");
        }
    }
    for one in value.as_array().into_iter().flatten() {
        check(one, &schema["items"], root);
    }
}
