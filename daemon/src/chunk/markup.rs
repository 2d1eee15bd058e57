//! What the markup languages have in common: headings, a title, and what a document says of itself.
//! A reader for each knows just enough of its language not to take code for headings. All are linear
//! in the text, and leave it as it is: a heading is a range of it.

mod asciidoc;
mod latex;
mod man;
mod org;
mod rst;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::heading::{Heading, lines};
use super::markdown;
use crate::document::{About, Kind};

pub(crate) use man::is_man;

/// Levels that are told apart, so that a generated file can not make its trails as long as itself.
const LEVEL_MAX: usize = 8;

/// Bytes of a heading or title that are looked at: more than a trail shows of it.
const LOOKED_AT_BYTES_MAX: usize = 1 << 10;

/// Every heading in order.
pub(crate) fn headings(kind: Kind, text: &str) -> Vec<Heading<'_>> {
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    match kind {
        Kind::Markdown => markdown::headings(text),
        Kind::Org => org::headings(text, start),
        Kind::Rst => rst::headings(text, start),
        Kind::Asciidoc => asciidoc::headings(text, start),
        Kind::Latex => latex::headings(text),
        Kind::Man => man::headings(text, start),
        Kind::Table | Kind::Data | Kind::Code | Kind::Text => Vec::new(),
    }
}

/// Where the text begins behind what is only about it: front matter, a preamble, a licence in comments.
pub(crate) fn body(kind: Kind, text: &str) -> usize {
    match kind {
        Kind::Markdown => markdown::body(text),
        Kind::Latex => latex::body(text),
        Kind::Man => man::headings(text, 0).first().map_or(0, |first| first.bytes.start),
        _ => 0,
    }
}

/// What the document says it is called, and of itself.
pub(crate) fn about(kind: Kind, text: &str) -> (Option<String>, About) {
    match kind {
        Kind::Markdown => {
            let (title, about) = markdown::about(text);
            (title.or_else(|| markdown::title(text)), about)
        }
        Kind::Org => org::about(text),
        Kind::Rst => rst::about(text),
        Kind::Asciidoc => asciidoc::about(text),
        Kind::Latex => latex::about(text),
        Kind::Man => (man::title(text), About::default()),
        Kind::Table | Kind::Data | Kind::Code | Kind::Text => (None, About::default()),
    }
}

/// What a line says as a heading, in whatever language: the line itself, and without the marks of
/// those that put them on the same line.
pub(crate) fn said(line: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let marked = line.trim_start_matches(['*', '=']);
    let marked =
        (marked.len() < line.len()).then(|| org::readable(marked.trim_matches(['=', ' '])));
    let hashed = markdown::atx(line).map(|(_, text)| markdown::readable(text));
    let command = line.starts_with('\\').then(|| latex::first(line)).flatten();
    let request = line.starts_with(".S").then(|| man::first(line)).flatten();
    [Some(Cow::Borrowed(line)), hashed, Some(markdown::readable(line)), marked, command, request]
        .into_iter()
        .flatten()
}

/// A block that holds no headings. One without an end holds nothing: better a heading too many
/// than a file without any.
struct Block<'a> {
    /// What ends it.
    name: &'a str,
    /// Headings found before it.
    before: usize,
}

impl Block<'_> {
    /// Forgets what was taken for headings in the block, since it has ended.
    fn end(self, found: &mut Vec<Heading<'_>>) {
        found.truncate(self.before);
    }
}

/// As much of a heading as is looked at.
fn looked_at(text: &str) -> &str {
    &text[..text.floor_char_boundary(LOOKED_AT_BYTES_MAX)]
}

/// The names in `:a:b:`, `a, b` or `a b`, in this order of what parts them.
fn names(text: &str) -> Vec<String> {
    let text = looked_at(text).trim();
    let names: Vec<&str> = if text.starts_with(':') {
        text.split([':', ' ']).collect()
    } else if text.contains([',', ';']) {
        text.split([',', ';']).collect()
    } else {
        text.split_whitespace().collect()
    };
    let names = names.into_iter().map(str::trim).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// The title, if there is any in it.
fn titled(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The first heading, if it is the only one of the highest level.
fn lone(headings: &[Heading<'_>]) -> Option<String> {
    let top = headings.iter().map(|heading| heading.level).min()?;
    let mut highest = headings.iter().filter(|heading| heading.level == top);
    let first = headings.first().filter(|first| first.level == top)?;
    (highest.nth(1).is_none()).then(|| titled(&first.text)).flatten()
}
