//! Answers for programs. An array of hits is what `--json` has always been; the envelope says of the same
//! answer what was asked, what was thought and what is missing, and has a schema.

use std::borrow::Cow;

use daemon_protocol::{Hit, Timings};
use schemars::{JsonSchema, schema_for};
use serde::Serialize;
use serde_json::json;

use crate::Answer;

/// An answer as one object.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Envelope<'a> {
    /// As it was asked, with its filters.
    pub question: Cow<'a, str>,
    /// What the model thought about it, one text a thought; none if it was asked not to think.
    pub thoughts: Vec<Cow<'a, str>>,
    /// Why something that was asked for is not in the answer: thoughts, or what reading makes of it.
    pub degraded: Option<Cow<'a, str>>,
    /// How the question was understood, where that may not be what was meant: a filter that cannot be read.
    pub notes: Cow<'a, [String]>,
    pub timings: Timings,
    /// Best first.
    pub hits: Cow<'a, [Hit]>,
}

/// One array of hits, on a line.
pub fn array(answer: &Answer) -> String {
    format!("{}\n", json!(answer.hits))
}

/// One object, on a line.
pub fn envelope(answer: &Answer) -> String {
    let object = Envelope {
        question: Cow::from(&answer.question),
        thoughts: trimmed(answer).map(Cow::from).collect(),
        degraded: answer.timings.degraded.as_deref().map(Cow::from),
        notes: Cow::from(&answer.timings.notes),
        timings: Timings { degraded: None, notes: Vec::new(), ..answer.timings.clone() },
        hits: Cow::from(&answer.hits),
    };
    format!("{}\n", json!(object))
}

/// What [`envelope`] writes, as a JSON Schema (draft 2020-12), indented.
pub fn schema() -> String {
    format!("{:#}\n", schema_for!(Envelope<'_>).to_value())
}

/// A `_meta` line with the question, thoughts and timings, then a hit a line.
pub fn json_lines(answer: &Answer) -> String {
    let thoughts: Vec<&str> = trimmed(answer).collect();
    let meta = json!({"_meta": {
        "question": answer.question,
        "thoughts": thoughts,
        "timings": answer.timings,
    }});
    let hits = answer.hits.iter().map(|hit| format!("{}\n", json!(hit)));
    format!("{meta}\n{}", hits.collect::<String>())
}

fn trimmed(answer: &Answer) -> impl Iterator<Item = &str> {
    answer.thoughts.iter().map(|text| text.trim())
}
