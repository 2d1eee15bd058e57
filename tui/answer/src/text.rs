//! Hits for people.

use std::fmt::Write;
use std::iter;
use std::path::Path;

use daemon_protocol::Hit;
use tui_text::harmless;

use crate::style::{Look, Style};
use crate::{Answer, explain, link};

/// Paths of copies that are printed; all of them are in the JSON.
const COPIES_NAMED: usize = 3;

/// The hits for people, an empty line between two; paths below `working_dir` are shortened.
pub fn text(answer: &Answer, look: Look, working_dir: &Path) -> String {
    let hits: Vec<String> = answer.hits.iter().map(|found| hit(found, look, working_dir)).collect();
    hits.join("\n")
}

/// `path:line score` or `path:page 3 score`, the heading, and the snippet, indented.
fn hit(hit: &Hit, Look { style, links, explained }: Look, working_dir: &Path) -> String {
    let Style { path: path_on, line: line_on, dim, reset, .. } = style;
    let path = shortened(&hit.path, working_dir);
    let located = hit.located("");
    let [path, located] = [path, &located].map(|part| harmless(part).replace('\n', "\u{FFFD}"));
    let (colon, located) = located.split_at(located.len().min(1));
    let place = format!("{path_on}{path}{reset}{colon}{line_on}{located}{reset}");
    let place = if links { link::to_file(&hit.path, &place) } else { place };
    let mut text = String::new();
    // Writing to a string cannot fail.
    write!(text, "{place} ").ok();
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
    if explained {
        for line in explain::lines(hit) {
            writeln!(text, "    {dim}{line}{reset}").ok();
        }
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

/// The path from `working_dir`, if it is below it. From the root it stays whole: that stands for a directory that was
/// removed as well.
pub fn shortened<'a>(path: &'a str, working_dir: &Path) -> &'a str {
    let below = Path::new(path).strip_prefix(working_dir).ok().and_then(Path::to_str);
    let is_root = working_dir == Path::new("/");
    below.filter(|below| !below.is_empty() && !is_root).unwrap_or(path)
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

#[cfg(test)]
mod tests;
