//! What an answer looks like (pure): hits as text, JSON or JSON lines, thoughts as a stream.

use std::fmt::Write;
use std::iter;
use std::path::Path;

use daemon_protocol::{Hit, Timings};
use serde_json::json;
use tui_text::harmless;

use crate::term::style::Style;

/// Paths of copies that are printed; all of them are in the JSON.
const COPIES_NAMED: usize = 3;

/// How hits are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One array of hits.
    Json,
    /// A `_meta` line, then a hit a line.
    Jsonl,
}

/// A question and all that came back.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) question: String,
    pub(crate) thoughts: Vec<String>,
    pub(crate) hits: Vec<Hit>,
    pub(crate) timings: Timings,
}

impl Answer {
    /// Adds the next piece of thought number `index`, from 0.
    pub(crate) fn think(&mut self, index: usize, delta: &str) {
        if self.thoughts.len() <= index {
            self.thoughts.resize(index + 1, String::new());
        }
        self.thoughts[index].push_str(delta);
    }
}

/// The answer as it is printed; paths below `working_dir` are shortened in text only.
pub(crate) fn answer(answer: &Answer, format: Format, style: Style, working_dir: &Path) -> String {
    match format {
        Format::Text => {
            let hits: Vec<String> =
                answer.hits.iter().map(|found| hit(found, style, working_dir)).collect();
            hits.join("\n")
        }
        Format::Json => format!("{}\n", json!(answer.hits)),
        Format::Jsonl => {
            let thoughts: Vec<&str> = answer.thoughts.iter().map(|text| text.trim()).collect();
            let meta = json!({"_meta": {
                "question": answer.question,
                "thoughts": thoughts,
                "timings": answer.timings,
            }});
            let hits = answer.hits.iter().map(|hit| format!("{}\n", json!(hit)));
            format!("{meta}\n{}", hits.collect::<String>())
        }
    }
}

/// `path:line score` or `path:page 3 score`, the heading, and the snippet, indented.
fn hit(hit: &Hit, style: Style, working_dir: &Path) -> String {
    let Style { path: path_on, line: line_on, dim, reset, .. } = style;
    let path = shortened(&hit.path, working_dir);
    let located = hit.located("");
    let [path, located] = [path, &located].map(|part| harmless(part).replace('\n', "\u{FFFD}"));
    let (colon, located) = located.split_at(located.len().min(1));
    let mut text = String::new();
    // Writing to a string cannot fail.
    write!(text, "{path_on}{path}{reset}{colon}{line_on}{located}{reset} ").ok();
    writeln!(text, "{dim}{:.4}{reset}", hit.score).ok();
    if !hit.heading.is_empty() {
        writeln!(text, "{}", harmless(&hit.heading).replace('\n', " ")).ok();
    }
    for line in highlighted(hit, style).trim_end().lines() {
        let indent = if line.is_empty() { "" } else { "    " };
        writeln!(text, "{indent}{line}").ok();
    }
    if !hit.also.is_empty() {
        writeln!(text, "    {dim}also in {}{reset}", copies(&hit.also, working_dir)).ok();
    }
    text
}

/// The first of other documents that hold the passage too, and how many more there are.
fn copies(also: &[String], working_dir: &Path) -> String {
    let name = |path: &String| harmless(shortened(path, working_dir)).replace('\n', "\u{FFFD}");
    let named = also.iter().take(COPIES_NAMED).map(name);
    let more = also.len().saturating_sub(COPIES_NAMED);
    let more = iter::once(format!("{more} more")).filter(|_| more > 0);
    named.chain(more).collect::<Vec<_>>().join(", ")
}

/// The path from `working_dir`, if it is below it.
fn shortened<'a>(path: &'a str, working_dir: &Path) -> &'a str {
    let below = Path::new(path).strip_prefix(working_dir).ok().and_then(Path::to_str);
    below.filter(|below| !below.is_empty()).unwrap_or(path)
}

/// The snippet with its matches marked. Ranges that are not in it are left out: they come over a
/// wire.
fn highlighted(hit: &Hit, style: Style) -> String {
    let mut text = String::new();
    let mut at = 0;
    for &(start, end) in &hit.highlights {
        let (Some(before), Some(matched)) =
            (hit.snippet.get(at..start), hit.snippet.get(start..end))
        else {
            continue;
        };
        text.push_str(&harmless(before));
        // A match may go over a line's end, and the colour must not colour the indent.
        for (number, piece) in harmless(matched).split('\n').enumerate() {
            if number > 0 {
                text.push('\n');
            }
            if !piece.is_empty() {
                write!(text, "{}{piece}{}", style.matched, style.reset).ok();
            }
        }
        at = end;
    }
    text.push_str(&harmless(hit.snippet.get(at..).unwrap_or_default()));
    text
}

/// Turns pieces of thoughts into text for a terminal, as they come.
pub(crate) struct ThoughtStream {
    style: Style,
    /// The thought whose line is open, and whether anything of it was shown.
    open: Option<(usize, bool)>,
}

impl ThoughtStream {
    pub(crate) fn new(style: Style) -> Self {
        ThoughtStream { style, open: None }
    }

    /// What to write for the next piece of thought number `index`, from 0.
    pub(crate) fn push(&mut self, index: usize, delta: &str) -> String {
        let Style { dim, reset, .. } = self.style;
        let mut text = String::new();
        if self.open.is_none_or(|(open, _)| open != index) {
            text.push_str(&self.end());
            write!(text, "{dim}thinking {}:{reset}", index + 1).ok();
            self.open = Some((index, false));
        }
        for (number, line) in harmless(delta).split('\n').enumerate() {
            let begun = self.open.is_some_and(|(_, begun)| begun);
            if number > 0 && begun {
                text.push('\n');
                write!(text, "{dim}thinking {}:{reset}", index + 1).ok();
                self.open = Some((index, false));
            }
            let begun = self.open.is_some_and(|(_, begun)| begun);
            let line = if begun { line } else { line.trim_start() };
            if !line.is_empty() {
                let space = if begun { "" } else { " " };
                write!(text, "{space}{dim}{line}{reset}").ok();
                self.open = Some((index, true));
            }
        }
        text
    }

    /// What to write when nothing more comes, or something else is to be written.
    pub(crate) fn end(&mut self) -> String {
        if self.open.take().is_some() { "\n".to_owned() } else { String::new() }
    }
}

#[cfg(test)]
mod tests;
