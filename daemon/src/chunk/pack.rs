//! Cuts a stretch of text into ranges within a token budget, at the coarsest boundaries that
//! allow it: whole paragraphs while they fit, then sentences, lines, words, characters.

use std::ops::Range;

use super::{code, table};

/// One way of cutting; later ones in a list are finer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Before a line in the first column that follows a blank line and closes nothing.
    Items,
    /// After records of a table.
    Records,
    /// At blank lines.
    Paragraphs,
    /// After sentences, and before list items.
    Sentences,
    Lines,
    Words,
    /// Anywhere between two characters.
    Characters,
}

pub(super) const PROSE: &[Cut] =
    &[Cut::Paragraphs, Cut::Sentences, Cut::Lines, Cut::Words, Cut::Characters];
pub(super) const CODE: &[Cut] =
    &[Cut::Items, Cut::Paragraphs, Cut::Lines, Cut::Words, Cut::Characters];

pub(super) const TABLE: &[Cut] = &[Cut::Records, Cut::Lines, Cut::Words, Cut::Characters];

/// Bytes that a token is taken to be at most when a stretch is too long to be worth counting;
/// English has about 4 and the longest common words 16.
const TOKEN_BYTES_MAX: usize = 16;

/// Stretches up to this many bytes are always counted.
const COUNTED_BYTES_MIN: usize = 4 << 10;

/// A passage less than one part in this many full is filled with part of what follows rather
/// than left alone: a heading, or "As follows:".
pub(super) const STUB: usize = 4;

/// Ranges within `bytes` of at most `budget` tokens each, in order, which together hold all that
/// is not white space. `cuts` says where to cut, coarsest first.
pub(super) fn pack(
    text: &str,
    bytes: Range<usize>,
    cuts: &[Cut],
    budget: usize,
    count: &dyn Fn(&str) -> usize,
) -> Vec<Range<usize>> {
    let counted_max = counted_max(budget);
    let mut packer = Packer { text, budget, counted_max, count, open: None, done: Vec::new() };
    packer.split(bytes, cuts);
    packer.close();
    packer.done
}

/// Longest stretch in bytes that is counted to see whether it fits `budget`.
pub(super) fn counted_max(budget: usize) -> usize {
    (budget * TOKEN_BYTES_MAX).max(COUNTED_BYTES_MIN)
}

struct Packer<'a> {
    text: &'a str,
    budget: usize,
    /// Longest stretch that is counted, in bytes; what is longer is taken to be over the budget.
    counted_max: usize,
    count: &'a dyn Fn(&str) -> usize,
    /// The range being filled, with its tokens.
    open: Option<(Range<usize>, usize)>,
    done: Vec<Range<usize>>,
}

impl Packer<'_> {
    /// Adds a stretch piece by piece.
    fn split(&mut self, bytes: Range<usize>, cuts: &[Cut]) {
        let Some((cut, finer)) = cuts.split_first() else { return };
        let text = self.text;
        let mut start = bytes.start;
        while start < bytes.end {
            let rest = &text[start..bytes.end];
            let end = start + piece(rest, *cut, self.counted_max);
            if let Some(piece) = trimmed(text, start..end, *cut) {
                self.add(piece, *cut, finer);
            }
            start = end;
        }
    }

    /// Adds a piece: behind what is open if it fits there, else in a new range if it fits
    /// there, else in finer pieces.
    fn add(&mut self, piece: Range<usize>, cut: Cut, finer: &[Cut]) {
        let mut stub = false;
        if let Some((open, tokens)) = &mut self.open {
            // Counted with the white space before it, as it will be read.
            let joined = &self.text[open.end..piece.end];
            if joined.len() <= self.counted_max {
                let total = *tokens + (self.count)(joined);
                if total <= self.budget {
                    (open.end, *tokens) = (piece.end, total);
                    return;
                }
            }
            stub = *tokens * STUB < self.budget && joined.len() <= self.counted_max;
        }
        let prose = matches!(cut, Cut::Items | Cut::Paragraphs | Cut::Sentences);
        if !(stub && prose) && piece.len() <= self.counted_max {
            let tokens = (self.count)(&self.text[piece.clone()]);
            if tokens <= self.budget || self.text[piece.clone()].chars().nth(1).is_none() {
                self.close();
                self.open = Some((piece, tokens));
                return;
            }
        }
        if finer.is_empty() {
            self.halve(piece);
        } else {
            self.split(piece, finer);
        }
    }

    /// Cuts a piece without boundaries, which is over the budget, in the middle.
    fn halve(&mut self, piece: Range<usize>) {
        let text = &self.text[piece.clone()];
        let first = text.chars().next().map_or(0, char::len_utf8);
        let middle = piece.start + text.floor_char_boundary(text.len() / 2).max(first);
        self.add(piece.start..middle, Cut::Characters, &[]);
        self.add(middle..piece.end, Cut::Characters, &[]);
    }

    fn close(&mut self) {
        self.done.extend(self.open.take().map(|(range, _)| range));
    }
}

/// The range without blank lines before it and white space after it, if anything is left.
/// Indentation of a sane length is kept, so that code looks like code.
pub(super) fn trimmed(text: &str, range: Range<usize>, cut: Cut) -> Option<Range<usize>> {
    const INDENTATION_MAX: usize = 128;
    let piece = &text[range.clone()];
    let lead = piece.len() - piece.trim_start().len();
    if lead == piece.len() {
        return None;
    }
    let start = match piece[..lead].rfind('\n') {
        Some(line_end) => line_end + 1,
        None if range.start == 0 || text.as_bytes()[range.start - 1] == b'\n' => 0,
        None => lead,
    };
    let kept = lead - start <= INDENTATION_MAX && !matches!(cut, Cut::Words | Cut::Characters);
    let start = if kept { start } else { lead };
    Some(range.start + start..range.start + piece.trim_end().len())
}

/// Length in bytes of the first piece of `rest`, which is not empty.
fn piece(rest: &str, cut: Cut, counted_max: usize) -> usize {
    match cut {
        Cut::Items => before_line(rest, |line| {
            !line.starts_with(char::is_whitespace) && !code::is_closer(line)
        }),
        Cut::Records => table::record(rest),
        Cut::Paragraphs => before_line(rest, |_| true),
        Cut::Sentences => sentence(rest),
        Cut::Lines => rest.find('\n').map_or(rest.len(), |end| end + 1),
        Cut::Words => {
            let lead = rest.len() - rest.trim_start().len();
            rest[lead..].find(char::is_whitespace).map_or(rest.len(), |end| lead + end)
        }
        Cut::Characters => rest.floor_char_boundary(counted_max),
    }
}

/// Up to the first line that follows a blank one, itself is not blank, and `begins` a piece.
fn before_line(rest: &str, begins: impl Fn(&str) -> bool) -> usize {
    let mut at = 0;
    let mut said_something = false;
    let mut after_blank = false;
    for line in rest.split_inclusive('\n') {
        let blank = line.trim().is_empty();
        if said_something && after_blank && !blank && begins(line) {
            return at;
        }
        said_something |= !blank;
        after_blank = blank;
        at += line.len();
    }
    rest.len()
}

/// What may stand between the end of a sentence and the white space after it.
const CLOSING: &str = ".!?\"')]*_”’»";

/// Up to the end of the first sentence, or the line before a list item.
fn sentence(rest: &str) -> usize {
    let mut characters = rest.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '。' | '！' | '？' => return at + c.len_utf8(),
            '.' | '!' | '?' | '…' => {
                while characters.next_if(|(_, c)| CLOSING.contains(*c)).is_some() {}
                let Some((end, _)) = characters.next_if(|(_, c)| c.is_whitespace()) else {
                    continue;
                };
                // "e.g. this" goes on.
                while characters.next_if(|(_, c)| c.is_whitespace()).is_some() {}
                if !characters.peek().is_some_and(|(_, c)| c.is_lowercase()) {
                    return end;
                }
            }
            '\n' if starts_item(&rest[at + 1..]) => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Whether a line begins with a list marker or a table cell.
fn starts_item(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '\t']);
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = digits.len() < line.len() && digits.starts_with(['.', ')']);
    numbered
        || line.starts_with('|')
        || ["- ", "* ", "+ "].iter().any(|mark| line.starts_with(mark))
}
