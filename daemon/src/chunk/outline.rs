//! Cuts source code at what it defines: a function is a passage, a large one several, and small ones that stand
//! together share one.

use std::ops::Range;

use super::pack::{self, Cut, STUB};
use super::{SEPARATOR, below, shown};
use crate::document::Definition;

/// Definitions within each other that are looked into; what is deeper is cut as the text of what it is in.
const DEPTH_MAX: usize = 8;

/// How much fits.
pub(super) struct Measure<'a> {
    pub(super) count: &'a dyn Fn(&str) -> usize,
    /// Tokens of text beside a title and headings that take so many.
    pub(super) room: &'a dyn Fn(usize) -> usize,
    /// Tokens of the title.
    pub(super) titled: usize,
}

/// A passage: its headings, and its bytes.
pub(super) type Piece = (String, Range<usize>);

/// The passages of `bytes`, in order. `outline` is in order too, what is within another behind that one.
pub(super) fn cut(
    text: &str,
    bytes: Range<usize>,
    outline: &[Definition],
    measure: &Measure<'_>,
) -> Vec<Piece> {
    let mut cutter = Cutter { text, measure, done: Vec::new() };
    cutter.cut(bytes, outline, &Trail { names: Vec::new(), taken: measure.titled });
    cutter.done
}

/// What a stretch is in.
struct Trail<'a> {
    names: Vec<&'a str>,
    /// Tokens of title and headings.
    taken: usize,
}

impl<'a> Trail<'a> {
    fn with(&self, name: Option<&'a str>, measure: &Measure<'_>) -> Trail<'a> {
        let names = self.names.iter().copied().chain(name).collect();
        let tokens = name.map_or(0, |name| (measure.count)(&below(name)));
        Trail { names, taken: self.taken + tokens }
    }

    fn heading(&self) -> String {
        self.names.iter().map(|name| shown(name)).collect::<Vec<_>>().join(SEPARATOR)
    }
}

/// A definition, or what stands between two.
struct Part<'a> {
    bytes: Range<usize>,
    definition: Option<&'a Definition>,
    /// What is defined within it.
    inner: &'a [Definition],
}

/// Parts that are to be one passage.
struct Open<'a> {
    bytes: Range<usize>,
    tokens: usize,
    definitions: usize,
    /// The last of them.
    name: Option<&'a str>,
}

struct Cutter<'a> {
    text: &'a str,
    measure: &'a Measure<'a>,
    done: Vec<Piece>,
}

impl<'a> Cutter<'a> {
    /// Cuts what is below `trail`.
    fn cut(&mut self, bytes: Range<usize>, outline: &'a [Definition], trail: &Trail<'a>) {
        let measure = self.measure;
        let parts = parts(self.text, bytes, outline);
        let names = parts.iter().filter_map(|part| Some(part.definition?.name.as_str()));
        // Whether a passage is named after one of them is known when it is full, so there is room for any.
        let longest = names.map(|name| (measure.count)(&below(name))).max().unwrap_or(0);
        let room = (measure.room)(trail.taken + longest);
        let mut open: Option<Open<'a>> = None;
        for part in parts {
            let Some(bytes) = pack::trimmed(self.text, part.bytes.clone(), Cut::Items) else {
                continue;
            };
            if let Some(open) = &mut open
                && self.joins(open, &bytes, room)
            {
                open.definitions += usize::from(part.definition.is_some());
                open.name = part.definition.map(|one| one.name.as_str()).or(open.name);
                continue;
            }
            self.close(open.take(), trail);
            let name = part.definition.map(|one| one.name.as_str());
            match self.tokens(&bytes, room).filter(|tokens| *tokens <= room) {
                Some(tokens) => {
                    let definitions = usize::from(name.is_some());
                    open = Some(Open { bytes, tokens, definitions, name });
                }
                None if name.is_some() && trail.names.len() < DEPTH_MAX => {
                    self.cut(bytes, part.inner, &trail.with(name, measure));
                }
                None => self.pack(bytes, &trail.with(name, measure)),
            }
        }
        self.close(open, trail);
    }

    /// Puts `bytes` behind what is open, if that is so little that it should not stand alone. A definition
    /// shares its passage with others only where all of them are as little.
    fn joins(&self, open: &mut Open<'_>, bytes: &Range<usize>, room: usize) -> bool {
        let is_stub = |tokens: usize| tokens * STUB < room;
        let joined = open.bytes.end..bytes.end;
        let Some(tokens) = self.tokens(&joined, room).filter(|_| is_stub(open.tokens)) else {
            return false;
        };
        let joins = open.tokens + tokens <= room && (open.definitions == 0 || is_stub(tokens));
        if joins {
            (open.bytes.end, open.tokens) = (bytes.end, open.tokens + tokens);
        }
        joins
    }

    /// Tokens of a stretch that may fit.
    fn tokens(&self, bytes: &Range<usize>, room: usize) -> Option<usize> {
        let may_fit = bytes.len() <= pack::counted_max(room);
        may_fit.then(|| (self.measure.count)(&self.text[bytes.clone()]))
    }

    fn close(&mut self, open: Option<Open<'a>>, trail: &Trail<'a>) {
        let Some(Open { bytes, definitions, name, .. }) = open else { return };
        let name = name.filter(|_| definitions == 1);
        self.done.push((trail.with(name, self.measure).heading(), bytes));
    }

    /// Cuts what is too large and has no parts.
    fn pack(&mut self, bytes: Range<usize>, trail: &Trail<'_>) {
        let Measure { count, room, .. } = self.measure;
        let heading = trail.heading();
        let pieces = pack::pack(self.text, bytes, pack::CODE, room(trail.taken), count);
        self.done.extend(pieces.into_iter().map(|bytes| (heading.clone(), bytes)));
    }
}

/// `bytes` as the outermost definitions of `outline` and what is between them. What only closes something
/// belongs to what is before it.
fn parts<'a>(text: &str, bytes: Range<usize>, outline: &'a [Definition]) -> Vec<Part<'a>> {
    let mut parts: Vec<Part<'a>> = Vec::new();
    let mut at = bytes.start;
    let between = |parts: &mut Vec<Part<'a>>, bytes: Range<usize>| {
        let says_something = text[bytes.clone()].contains(char::is_alphanumeric);
        match parts.last_mut().filter(|_| !says_something) {
            Some(last) => last.bytes.end = bytes.end,
            None => parts.push(Part { bytes, definition: None, inner: &[] }),
        }
    };
    let mut rest = outline;
    while let Some((definition, behind)) = rest.split_first() {
        let Range { start, end } = definition.bytes;
        let (inner, next) =
            behind.split_at(behind.partition_point(|other| other.bytes.start < end));
        rest = next;
        // Around it, white space was left off.
        let start = start.clamp(at, bytes.end);
        between(&mut parts, at..start);
        at = end.clamp(start, bytes.end);
        parts.push(Part { bytes: start..at, definition: Some(definition), inner });
    }
    between(&mut parts, at..bytes.end);
    parts
}

#[cfg(test)]
mod tests;
