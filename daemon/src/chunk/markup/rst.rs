//! Headings of reStructuredText: underlined, or between two lines; which marks stand for which level
//! shows in the order in which they come.

use std::borrow::Cow;

use super::{Heading, LEVEL_MAX, lines, looked_at, names, titled};
use crate::document::About;

/// An underline this long is one even if it is shorter than its text.
const SHORT_MIN: usize = 4;

pub(super) fn headings(text: &str, start: usize) -> Vec<Heading<'_>> {
    let mut found = Vec::new();
    // Marks by level, each with whether there is one above too.
    let mut styles: Vec<(char, bool)> = Vec::new();
    let lines: Vec<(usize, &str)> = lines(text, start).collect();
    let end = |at: usize| lines[at].0 + lines[at].1.len();
    let mut at = 0;
    while at < lines.len() {
        let apart = at == 0
            || apart(lines[at - 1].1)
            || found.last().is_some_and(|last: &Heading<'_>| last.bytes.end == lines[at].0);
        let line = |ahead: usize| lines.get(at + ahead).map_or("", |(_, line)| line.trim_end());
        let (text, mark, taken) = match (mark(line(0)), mark(line(1)), mark(line(2))) {
            (Some(over), None, Some(under)) if apart && over == under && line(0) == line(2) => {
                (line(1).trim(), (over, true), 3)
            }
            (None, Some(under), _) if apart && fits(line(0), line(1)) => {
                (line(0), (under, false), 2)
            }
            _ => {
                at += 1;
                continue;
            }
        };
        if text.is_empty() {
            at += 1;
            continue;
        }
        let level = styles.iter().position(|style| *style == mark).unwrap_or_else(|| {
            styles.push(mark);
            styles.len() - 1
        });
        let bytes = lines[at].0..end(at + taken - 1);
        found.push(Heading { level: (level + 1).min(LEVEL_MAX), text: readable(text), bytes });
        at += taken;
    }
    found
}

/// The first heading, and the field `:tags:` before the text.
pub(super) fn about(text: &str) -> (Option<String>, About) {
    const FIELDS_WITHIN_LINES: usize = 64;
    let mut about = About::default();
    for (_, line) in lines(text, 0).take(FIELDS_WITHIN_LINES) {
        let Some((name, value)) =
            line.trim().strip_prefix(':').and_then(|line| line.split_once(':'))
        else {
            continue;
        };
        if matches!(name.to_ascii_lowercase().as_str(), "tags" | "keywords") {
            about.tags.extend(names(value));
        }
    }
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    (headings(text, start).first().and_then(|first| titled(&first.text)), about)
}

/// Whether what is below such a line can be a heading.
fn apart(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with("..") || line.starts_with([' ', '\t'])
}

/// The sign of a line of nothing else, in the first column.
fn mark(line: &str) -> Option<char> {
    let sign = line.chars().next().filter(char::is_ascii_punctuation)?;
    (line != "::" && line != ".." && line.trim_start_matches(sign).is_empty()).then_some(sign)
}

/// Whether a line can be the heading that the next underlines.
fn fits(line: &str, under: &str) -> bool {
    let wide = under.len() >= SHORT_MIN || under.len() >= line.chars().count();
    wide && !line.is_empty() && !line.starts_with([' ', '\t']) && !line.starts_with(".. ")
}

/// Without quotes of code, and ``:role:`text <target>` `` as its text.
fn readable(text: &str) -> Cow<'_, str> {
    let text = looked_at(text).trim();
    if !text.contains(['`', '*']) {
        return Cow::Borrowed(text);
    }
    let mut said = String::new();
    for (number, part) in text.split('`').enumerate() {
        if number % 2 == 1 {
            said.push_str(
                part.split_once(" <")
                    .filter(|_| part.ends_with('>'))
                    .map_or(part, |(text, _)| text),
            );
            continue;
        }
        let role = part.rfind(" :").map_or(0, |at| at + 1);
        let is_role = part.len() - role > 2 && part[role..].starts_with(':') && part.ends_with(':');
        said.push_str(if is_role { &part[..role] } else { part.strip_prefix('_').unwrap_or(part) });
    }
    let words = said.split(' ').map(|word| match word.trim_matches('*') {
        "" => word,
        bare => bare,
    });
    Cow::Owned(words.collect::<Vec<_>>().join(" "))
}
