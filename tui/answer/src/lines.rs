//! Answers for pipes: paths alone, or a line a hit by a template.

use std::collections::HashSet;
use std::path::Path;

use daemon_protocol::{Hit, Passage};
use tui_text::{harmless, one_line};

use crate::{Answer, shortened};

/// Where lines go to.
#[derive(Debug, Clone, Copy)]
pub struct Pipe<'a> {
    /// Paths below it are shortened.
    pub working_dir: &'a Path,
    /// What ends a line: a newline, or NUL, which is in no path.
    pub end: char,
    /// A terminal is given names that cannot drive it, a pipe the names as they are.
    pub terminal: bool,
}

impl Pipe<'_> {
    /// The path as the next program takes it: one that begins with `-` is no flag.
    fn path(&self, path: &str) -> String {
        let short = shortened(path, self.working_dir);
        let short = if short.starts_with('-') { format!("./{short}") } else { short.to_owned() };
        if self.terminal { harmless(&short).replace('\n', "\u{FFFD}") } else { short }
    }
}

/// The path of each document once, that of the best hit first.
pub fn paths(answer: &Answer, pipe: Pipe<'_>) -> String {
    let mut seen = HashSet::new();
    let new = answer.hits.iter().map(|hit| &hit.path).filter(|path| seen.insert(*path));
    new.map(|path| format!("{}{}", pipe.path(path), pipe.end)).collect()
}

/// How each hit is printed, as in `path:line:col`: the names of `FIELDS` stand for what they name, all
/// else that is no letter for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Field(Field),
    Literal(char),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Path,
    Line,
    Col,
    Place,
    Score,
    Rank,
    Title,
    Heading,
    Snippet,
}

/// What a template may name.
const FIELDS: [(&str, Field); 9] = [
    ("path", Field::Path),
    ("line", Field::Line),
    ("col", Field::Col),
    ("place", Field::Place),
    ("score", Field::Score),
    ("rank", Field::Rank),
    ("title", Field::Title),
    ("heading", Field::Heading),
    ("snippet", Field::Snippet),
];

impl Template {
    /// Reads a template. `\t`, `\n`, `\0` and `\\` are what they are in other places.
    ///
    /// # Errors
    /// A word that names no field, with those that there are.
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
            let (name, after) = rest.split_at(letters);
            if !name.is_empty() {
                let field = FIELDS.iter().find(|(known, _)| *known == name);
                let (_, field) = field.ok_or_else(|| format!("{name:?}: {} are known", names()))?;
                pieces.push(Piece::Field(*field));
                rest = after;
                continue;
            }
            let (literal, length) = match rest.get(..2) {
                Some("\\t") => ('\t', 2),
                Some("\\n") => ('\n', 2),
                Some("\\0") => ('\0', 2),
                Some("\\\\") => ('\\', 2),
                _ => (first, first.len_utf8()),
            };
            pieces.push(Piece::Literal(literal));
            rest = &rest[length..];
        }
        Ok(Template(pieces))
    }

    /// Whether a column is asked for, which takes a look at the passage: see [`column()`].
    pub fn has_column(&self) -> bool {
        self.0.contains(&Piece::Field(Field::Col))
    }

    /// A line for each hit; `columns` are those of the hits, from 1, where they are known.
    pub fn lines(&self, answer: &Answer, columns: &[usize], pipe: Pipe<'_>) -> String {
        let column = |at: usize| columns.get(at).copied().unwrap_or(1);
        let hits = answer.hits.iter().enumerate();
        hits.map(|(at, hit)| self.line(hit, at + 1, column(at), pipe)).collect()
    }

    fn line(&self, hit: &Hit, rank: usize, column: usize, pipe: Pipe<'_>) -> String {
        let mut line = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => line.push(*literal),
                Piece::Field(field) => line.push_str(&match field {
                    Field::Path => pipe.path(&hit.path),
                    // The lines of what was converted are of another text than the file's.
                    Field::Line if hit.converted => "1".to_owned(),
                    Field::Line => hit.line.to_string(),
                    Field::Col => column.to_string(),
                    Field::Place => hit
                        .place
                        .as_ref()
                        .map(|place| one_line(&place.to_string()))
                        .unwrap_or_default(),
                    Field::Score => format!("{:.4}", hit.score),
                    Field::Rank => rank.to_string(),
                    Field::Title => one_line(&hit.title),
                    Field::Heading => one_line(&hit.heading),
                    Field::Snippet => one_line(&hit.snippet),
                }),
            }
        }
        line.push(pipe.end);
        line
    }
}

fn names() -> String {
    FIELDS.map(|(name, _)| name).join(", ")
}

/// The byte from 1 in its line at which the hit's first match begins, as editors count columns; 1 where
/// it has none. `passage` is the one the hit is of.
pub fn column(hit: &Hit, passage: &Passage) -> usize {
    let mut lines = passage.text.split('\n');
    let line = lines.nth(hit.line.saturating_sub(passage.line_start)).unwrap_or_default();
    let matched = hit.highlights.first().and_then(|&(start, end)| hit.snippet.get(start..end));
    let Some(matched) = matched.filter(|matched| !matched.is_empty()) else { return 1 };
    let is_part = |c: char| c.is_alphanumeric();
    let whole = line.match_indices(matched).find(|(at, _)| {
        !line[..*at].ends_with(is_part) && !line[at + matched.len()..].starts_with(is_part)
    });
    whole.map(|(at, _)| at).or_else(|| line.find(matched)).unwrap_or(0) + 1
}

#[cfg(test)]
mod tests;
