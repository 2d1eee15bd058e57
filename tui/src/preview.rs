//! The lines around a hit: read from its file, or the snippet if the file cannot be read.
//! [`read`] is the IO; [`Preview::cut`] is pure.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use daemon_protocol::Hit;

use tui_text::cells;

/// Bytes read on each side of the passage: more than anyone pages through, and read at once.
/// Files up to 256 KiB are read whole, larger ones only here.
const CONTEXT_BYTES_MAX: usize = 256 << 10;
/// Bytes of a passage that are shown; the daemon's passages are a few KiB.
const PASSAGE_BYTES_MAX: usize = 1 << 20;
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
    /// Index of the topmost line shown.
    pub(crate) top: usize,
    /// Why this is the snippet and not the file.
    pub(crate) problem: Option<String>,
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

/// Reads the file of `hit` around it; the snippet and the reason if that cannot be done.
pub(crate) fn read(hit: &Hit) -> Preview {
    match read_around(hit) {
        Ok((bytes, offset)) => Preview::cut(hit, &bytes, offset),
        Err(error) => Preview::snippet(hit, Some(error.to_string())),
    }
}

/// The bytes around `hit`, and the offset in the file they begin at.
fn read_around(hit: &Hit) -> io::Result<(Vec<u8>, usize)> {
    // Opening a pipe would wait for its writer.
    if !std::fs::metadata(&hit.path)?.is_file() {
        return Err(io::Error::other("not a file any more"));
    }
    let mut file = File::open(&hit.path)?;
    let offset = hit.byte_start.saturating_sub(CONTEXT_BYTES_MAX);
    let passage = hit.byte_end.saturating_sub(hit.byte_start).min(PASSAGE_BYTES_MAX);
    let length = hit.byte_start - offset + passage + CONTEXT_BYTES_MAX;
    file.seek(SeekFrom::Start(offset as u64))?;
    let mut bytes = Vec::new();
    file.take(length as u64).read_to_end(&mut bytes)?;
    Ok((bytes, offset))
}

impl Preview {
    /// The snippet alone, because of `problem`.
    pub(crate) fn snippet(hit: &Hit, problem: Option<String>) -> Preview {
        let text = cells(&hit.snippet);
        let line = |(index, text): (usize, &str)| PreviewLine {
            number: (!hit.converted).then_some(hit.line + index),
            text: text.to_owned(),
            matched: true,
        };
        let lines = text.lines().enumerate().map(line).collect();
        Preview { passage: Passage::of(hit), lines, top: 0, problem }
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
        let matched = lines.iter().position(|line| line.matched).unwrap_or(0);
        Some(Preview { passage, lines, top: matched.saturating_sub(2), problem: None })
    }

    /// Lines of `bytes`, which begin at byte `offset` of the file. Invalid UTF-8 is replaced.
    pub(crate) fn cut(hit: &Hit, bytes: &[u8], offset: usize) -> Preview {
        let passage_at = hit.byte_start - offset;
        if passage_at >= bytes.len() {
            return Preview::snippet(hit, Some("the file has become shorter".to_owned()));
        }
        let newlines = bytes[..passage_at].iter().filter(|byte| **byte == b'\n').count();
        let first = hit.line_start.saturating_sub(newlines);
        let mut lines = Vec::new();
        let mut at = 0;
        for (number, line) in (first..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
            // Bytes that begin inside the file usually begin inside a line.
            if at > 0 || offset == 0 {
                push_parts(&mut lines, line, number, |start, end| {
                    offset + at + start < hit.byte_end && offset + at + end > hit.byte_start
                });
            }
            at += line.len();
        }
        let matched = lines.iter().position(|line| line.matched).unwrap_or(0);
        let top = matched.saturating_sub(2);
        Preview { passage: Passage::of(hit), lines, top, problem: None }
    }

    /// Moves the view by `lines`, towards the end if positive.
    pub(crate) fn scroll(&mut self, lines: isize) {
        let last = self.lines.len().saturating_sub(1);
        self.top = self.top.saturating_add_signed(lines).min(last);
    }
}

/// Adds `line` in parts of at most [`LINE_BYTES_MAX`]; `matched` judges a byte range of it.
fn push_parts(
    lines: &mut Vec<PreviewLine>,
    line: &[u8],
    number: usize,
    matched: impl Fn(usize, usize) -> bool,
) {
    let mut start = 0;
    loop {
        let end = start + part_bytes(&line[start..]);
        let text = cells(&String::from_utf8_lossy(&line[start..end]));
        lines.push(PreviewLine {
            number: (start == 0).then_some(number),
            text: text.trim_end_matches('\n').to_owned(),
            matched: matched(start, end),
        });
        start = end;
        if start >= line.len() {
            break;
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
