//! The lines around a hit: read from its file, or the snippet if the file cannot be read.
//! [`read`] is the IO (`file`); [`Preview::cut`] is pure. Scrolled by rows of the screen.

mod file;
mod found;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use daemon_protocol::Hit;

use crate::face::{Faces, Meant};
use crate::ink::{self, Inked, Job};
use crate::markdown;
use tui_text::{cells, wrap};

pub(crate) use file::{open, read};

/// A longer line is cut into several, so that a paragraph on one line can be paged through.
const LINE_BYTES_MAX: usize = 240;

/// Which passage a preview, or the selection, is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passage {
    pub(crate) path: String,
    pub(crate) byte_start: usize,
}

impl Passage {
    pub(crate) fn of(hit: &Hit) -> Passage {
        Passage { path: hit.path.clone(), byte_start: hit.byte_start }
    }
}

/// Text to show, and where it starts on the screen.
#[derive(Debug)]
pub(crate) struct Preview {
    pub(crate) passage: Passage,
    pub(crate) lines: Vec<PreviewLine>,
    /// The same lines as they are meant; none where that is as they are written.
    meant: Vec<Meant>,
    /// What is what in lines of code, by parts of [`ink::LINES`] as far as they have been seen.
    inks: BTreeMap<usize, Vec<Looks>>,
    /// The part that is being painted, by the id with which it was asked for.
    painting: Option<u64>,
    /// Whether lines are shown as they are written although they mean something else.
    raw: bool,
    /// The topmost row shown, at the width it was scrolled at.
    top: Spot,
    /// Whether this is the snippet and not the file, or not yet.
    pub(crate) snippet: bool,
    /// Why it is.
    pub(crate) problem: Option<String>,
    /// The passage's first line by now, from 1, where the file was edited since it was indexed.
    pub(crate) moved_to: Option<usize>,
    /// Lines that have been shown, as rows.
    wrapped: RefCell<Wrapped>,
}

/// Byte ranges of a line and how they look, ascending.
type Looks = Vec<(usize, usize, Faces)>;

/// A row of the screen: of which line it is, and which one of that line's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) line: usize,
    pub(crate) row: usize,
}

/// Rows of lines, by the lines' indices, at one width.
#[derive(Debug, Default)]
struct Wrapped {
    width: usize,
    rows: HashMap<usize, Arc<[String]>>,
}

/// A line, or a part of one that is too long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PreviewLine {
    /// From 1; absent on the later parts of a long line.
    pub(crate) number: Option<usize>,
    pub(crate) text: String,
    /// Whether it overlaps the passage.
    pub(crate) matched: bool,
}

impl Preview {
    /// The snippet alone, because of `problem`.
    pub(crate) fn of_snippet(hit: &Hit, problem: Option<String>) -> Preview {
        let text = cells(&hit.snippet);
        let line = |(index, text): (usize, &str)| PreviewLine {
            number: (!hit.converted).then_some(hit.line + index),
            text: text.to_owned(),
            matched: true,
        };
        let lines = text.lines().enumerate().map(line).collect();
        let preview = Preview::new(Passage::of(hit), lines);
        Preview { snippet: true, problem, ..preview }
    }

    /// The document's passages around `passage`, each part under its name; none if it is not among them.
    pub(crate) fn passages(
        passage: Passage,
        passages: &[daemon_protocol::Passage],
    ) -> Option<Preview> {
        passages.iter().find(|other| other.byte_start == passage.byte_start)?;
        let mut lines = Vec::new();
        let mut place = None;
        let unnumbered =
            |text: &str, matched| PreviewLine { number: None, text: cells(text), matched };
        for other in passages {
            if other.place != place {
                let name = other.place.as_ref().map(ToString::to_string).unwrap_or_default();
                lines.push(unnumbered(&format!("── {name} ──"), false));
                place.clone_from(&other.place);
            } else if !lines.is_empty() {
                lines.push(unnumbered("", false));
            }
            let matched = other.byte_start == passage.byte_start;
            lines.extend(other.text.lines().map(|line| unnumbered(line, matched)));
        }
        Some(Preview::new(passage, lines))
    }

    /// Lines of `bytes`, which begin at byte `offset` of the file. Invalid UTF-8 is replaced.
    pub(crate) fn cut(hit: &Hit, bytes: &[u8], offset: usize) -> Preview {
        let newlines = bytes[..bytes.len().min(hit.byte_start - offset)]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        let first = hit.line_start.saturating_sub(newlines);
        // Bytes that begin inside the file usually begin inside a line.
        let whole = match offset {
            0 => 0,
            _ => bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1),
        };
        let marked = std::str::from_utf8(&bytes[whole..]).ok();
        let marked = marked.filter(|_| markdown::is_markdown(&hit.path)).map(markdown::marked);
        let (mut lines, mut meant) = (Vec::new(), Vec::new());
        let mut at = whole;
        let from = first + usize::from(whole > 0);
        for (number, line) in (from..).zip(bytes[whole..].split_inclusive(|byte| *byte == b'\n')) {
            for (start, end) in parts(line) {
                let text = cells(&String::from_utf8_lossy(&line[start..end]));
                let (begin, over) = (offset + at + start, offset + at + end);
                lines.push(PreviewLine {
                    number: (start == 0).then_some(number),
                    text: text.trim_end_matches('\n').to_owned(),
                    matched: begin < hit.byte_end && over > hit.byte_start,
                });
                let place = at - whole + start..at - whole + end;
                meant.extend(marked.as_ref().map(|marked| marked.cut(place)));
            }
            at += line.len();
        }
        Preview { meant, ..Preview::new(Passage::of(hit), lines) }
    }

    /// Begins two lines above the passage.
    fn new(passage: Passage, lines: Vec<PreviewLine>) -> Preview {
        let matched = lines.iter().position(|line| line.matched).unwrap_or(0);
        let top = Spot { line: matched.saturating_sub(2), row: 0 };
        let (meant, raw, snippet, problem, moved_to) = Default::default();
        let (inks, painting, wrapped) = Default::default();
        Preview {
            passage,
            lines,
            meant,
            inks,
            painting,
            raw,
            top,
            snippet,
            problem,
            moved_to,
            wrapped,
        }
    }

    /// The passage itself, its lines as they are shown.
    pub(crate) fn passage_text(&self) -> String {
        let mut text = String::new();
        for line in self.lines.iter().filter(|line| line.matched) {
            // A long line is in parts, of which the first alone has a number; converted text has none.
            if !text.is_empty() && (line.number.is_some() || !self.numbered()) {
                text.push('\n');
            }
            text.push_str(&line.text);
        }
        text
    }

    fn numbered(&self) -> bool {
        self.lines.iter().any(|line| line.number.is_some())
    }

    /// Shows lines as they are written, or as they are meant.
    pub(crate) fn show_raw(&mut self, raw: bool) {
        self.raw = raw;
        self.wrapped = RefCell::default();
    }

    /// Line number `line`, from 0, as it is shown, and how its parts look, by their bytes.
    pub(crate) fn shown(&self, line: usize) -> (&str, &[(usize, usize, Faces)]) {
        match self.meant.get(line).filter(|_| !self.raw) {
            Some(meant) => (&meant.text, &meant.faces),
            None => {
                let part = self.inks.get(&(line / ink::LINES));
                let inks = part.and_then(|part| part.get(line % ink::LINES));
                let text = self.lines.get(line).map_or("", |line| &line.text);
                (text, inks.map_or(&[], Vec::as_slice))
            }
        }
    }

    /// The first part of what is seen in a pane of that size that may be code and is not painted, unless one is being
    /// painted.
    pub(crate) fn unpainted(&self, width: usize, height: usize) -> Option<usize> {
        if self.painting.is_some() || self.snippet || !self.meant.is_empty() || !self.numbered() {
            return None;
        }
        let first = self.top(width).line;
        let last = (first + height).min(self.lines.len()).saturating_sub(1);
        let mut parts = first / ink::LINES..=last / ink::LINES;
        parts.find(|part| !self.inks.contains_key(part))
    }

    /// Number `part`, to be painted.
    pub(crate) fn begin_painting(&mut self, part: usize, id: u64) -> Job {
        self.painting = Some(id);
        let start = part * ink::LINES;
        let before = start.min(ink::LINES_BEFORE);
        let lines = self.lines.iter().skip(start - before).take(before + ink::LINES);
        let lines = lines.map(|line| line.text.clone()).collect();
        Job { id, path: self.passage.path.clone(), part, lines, before }
    }

    /// Paints number `part`, if it was asked for with `id`.
    pub(crate) fn paint(&mut self, id: u64, part: usize, inked: Vec<Inked>) {
        if self.painting == Some(id) {
            let faces = |line: Inked| {
                line.into_iter().map(|(from, to, ink)| (from, to, Faces::of(ink))).collect()
            };
            self.painting = None;
            self.inks.insert(part, inked.into_iter().map(faces).collect());
        }
    }

    /// The rows of line number `line`, from 0, at `width` cells; at least one.
    pub(crate) fn rows(&self, line: usize, width: usize) -> Arc<[String]> {
        let mut wrapped = self.wrapped.borrow_mut();
        if wrapped.width != width {
            *wrapped = Wrapped { width, rows: HashMap::new() };
        }
        let text = self.shown(line).0;
        let rows = wrapped.rows.entry(line).or_insert_with(|| wrap(text, width.max(1)).into());
        Arc::clone(rows)
    }

    /// The topmost row to show at `width` cells.
    pub(crate) fn top(&self, width: usize) -> Spot {
        let rows = self.rows(self.top.line, width).len();
        Spot { row: self.top.row.min(rows.saturating_sub(1)), ..self.top }
    }

    /// Moves what is shown by so many rows, towards the end if positive, in a pane of `width` and
    /// `height`: no further than that the last row is at its bottom.
    pub(crate) fn scroll(&mut self, rows: isize, (width, height): (usize, usize)) {
        let mut top = self.top(width);
        for _ in 0..rows.unsigned_abs() {
            top = match self.beside(top, rows > 0, width) {
                Some(next) => next,
                None => break,
            };
        }
        if rows > 0 {
            // What is below the end already, at another height, stays.
            top = top.min(self.last_top((width, height)).max(self.top(width)));
        }
        self.top = top;
    }

    /// To the first row, or the last one at the bottom.
    pub(crate) fn scroll_to_end(&mut self, last: bool, size: (usize, usize)) {
        self.top = if last { self.last_top(size) } else { Spot::default() };
    }

    /// The row after `spot`, or before it.
    fn beside(&self, spot: Spot, after: bool, width: usize) -> Option<Spot> {
        let Spot { line, row } = spot;
        if after && row + 1 < self.rows(line, width).len() {
            return Some(Spot { line, row: row + 1 });
        }
        if after {
            return (line + 1 < self.lines.len()).then_some(Spot { line: line + 1, row: 0 });
        }
        if row > 0 {
            return Some(Spot { line, row: row - 1 });
        }
        let line = line.checked_sub(1)?;
        Some(Spot { line, row: self.rows(line, width).len() - 1 })
    }

    /// The topmost row when the last one is at the bottom.
    fn last_top(&self, (width, height): (usize, usize)) -> Spot {
        let mut left = height;
        for line in (0..self.lines.len()).rev() {
            let rows = self.rows(line, width).len();
            if rows >= left {
                return Spot { line, row: rows - left };
            }
            left -= rows;
        }
        Spot::default()
    }
}

/// Where the parts of `line` begin and end, each of at most [`LINE_BYTES_MAX`]; at least one.
fn parts(line: &[u8]) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let mut start = 0;
    loop {
        let end = start + part_bytes(&line[start..]);
        parts.push((start, end));
        start = end;
        if start >= line.len() {
            return parts;
        }
    }
}

/// How many bytes of `rest` the next part takes: to the last blank within the limit, or to the
/// last whole character.
fn part_bytes(rest: &[u8]) -> usize {
    if rest.len() <= LINE_BYTES_MAX {
        return rest.len();
    }
    let head = &rest[..LINE_BYTES_MAX];
    if let Some(blank) = head.iter().rposition(|byte| *byte == b' ') {
        return blank + 1;
    }
    let continues = |at: &usize| rest[*at] & 0b1100_0000 == 0b1000_0000;
    (1..=LINE_BYTES_MAX).rev().find(|at| !continues(at)).unwrap_or(LINE_BYTES_MAX)
}
