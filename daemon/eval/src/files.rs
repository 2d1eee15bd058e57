//! Figures for other programs: TREC run files, a line per query, and the report.

use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;

use models::UserError;
use models::column::Column;
use models::files::write_atomically;
use serde_json::{Map, Value, json};

use crate::effort::Effort;
use crate::measured::{Measured, Settings};
use crate::sections::Section;
use crate::{Encoding, Report, Summary};

/// Writes `NAME.COLUMN.run` for every column and `NAME.queries.jsonl` into `folder`.
///
/// # Errors
/// If the folder cannot be made or written.
pub fn write_section(folder: &Path, section: &Section, report: &Report) -> Result<(), UserError> {
    let name = section.file_name();
    for (at, column) in report.columns.iter().enumerate() {
        let file = folder.join(format!("{name}.{column}.run"));
        write_atomically(&file, run(report, at, *column).as_bytes())?;
    }
    let file = folder.join(format!("{name}.queries.jsonl"));
    write_atomically(&file, queries(report).as_bytes())
}

/// Writes `report.json` into `folder`.
///
/// # Errors
/// As [`write_section`].
pub fn write_report(folder: &Path, report: &Value) -> Result<(), UserError> {
    write_atomically(&folder.join("report.json"), format!("{report:#}\n").as_bytes())
}

/// The rankings of the column at place `at`, as trec_eval reads them: query, `Q0`, document, rank,
/// score, tag. A score is written so that it is read as the same number.
pub fn run(report: &Report, at: usize, column: Column) -> String {
    let mut text = String::new();
    for query in &report.queries {
        for (rank, (document, score)) in (1..).zip(&query.answers[at].ranking) {
            let (query, document) = (word(&query.id), word(document));
            // Writing to a string cannot fail.
            writeln!(text, "{query} Q0 {document} {rank} {score} fore-{column}").ok();
        }
    }
    text
}

/// An id without white space, which would end it: the user's own documents are paths. Escaped as in
/// an address, so that no two ids become one.
fn word(id: &str) -> Cow<'_, str> {
    if !id.contains(char::is_whitespace) {
        return Cow::Borrowed(id);
    }
    let mut text = String::new();
    for c in id.chars() {
        match c.is_whitespace() || c == '%' {
            true => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    write!(text, "%{byte:02X}").ok();
                }
            }
            false => text.push(c),
        }
    }
    Cow::Owned(text)
}

/// A JSON object per query: what was thought, and what each column made of it.
pub fn queries(report: &Report) -> String {
    let lines = report.queries.iter().map(|query| {
        let columns: Map<String, Value> = query
            .answers
            .iter()
            .map(|answer| {
                let value = json!({
                    "scores": answer.scores,
                    "ms": answer.ms,
                    "thought_tokens": answer.thought_tokens,
                    "cosine": answer.cosine,
                });
                (answer.column.to_string(), value)
            })
            .collect();
        let line = json!({
            "id": query.id,
            "text": query.text,
            "greedy": query.greedy,
            "sampled": query.sampled,
            "grounded": query.grounded,
            "columns": columns,
        });
        format!("{line}\n")
    });
    lines.collect()
}

/// Everything aggregated.
pub fn report(settings: &Settings, all: &[Measured]) -> Value {
    let Settings { command, sampling, reading, chunked, seed, .. } = settings;
    json!({
        "command": command,
        "seed": seed,
        "chunked": chunked,
        "sampling": {
            "thoughts": sampling.thoughts,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "tokens_max": sampling.tokens_max,
        },
        "reading": {"passages": reading.passages, "window": reading.window},
        "sections": all.iter().map(section).collect::<Vec<Value>>(),
    })
}

fn section(measured: &Measured) -> Value {
    let size = measured.size;
    json!({
        "name": measured.name,
        "full": measured.full,
        "baseline": measured.baseline.name(),
        "queries": size.queries,
        "queries_all": size.queries_all,
        "documents": size.documents,
        "documents_all": size.documents_all,
        "encodings": measured.encodings.iter().map(encoding).collect::<Vec<Value>>(),
        "memory_peak_bytes": measured.memory_peak,
        "columns": measured.summaries.iter().map(summary).collect::<Vec<Value>>(),
    })
}

/// With what all runs together took, if that is remembered.
fn encoding((encoding, effort): &(Encoding, Effort)) -> Value {
    let mut value = json!(encoding);
    value["all_runs"] = json!(effort);
    value
}

fn summary(summary: &Summary) -> Value {
    let times = |(p50, p95): (f64, f64)| json!({"p50": p50, "p95": p95});
    json!({
        "column": summary.column.name(),
        "scores": summary.scores,
        "against_baseline": summary.against,
        "cosine": summary.cosine,
        "thought_tokens": summary.thought_tokens,
        "ms": {
            "read": times(summary.read_ms),
            "think": times(summary.think_ms),
            "embed": times(summary.embed_ms),
            "search": times(summary.search_ms),
        },
    })
}
