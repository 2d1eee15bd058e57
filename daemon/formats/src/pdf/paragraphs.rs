//! Lines in reading order in, text out: paragraphs, and words that were broken at line ends made whole. Pure.

use std::collections::HashSet;

use super::lines::Line;
use super::words::is_cjk;

/// Of the usual distance of lines: what is further apart are paragraphs.
const APART: f64 = 1.3;

/// Of the usual distance: a sentence does not go on over more than this.
const APART_OPEN: f64 = 1.9;

/// Of the size of one line: another's that is further from it is a heading's, or a note's.
const SIZES_APART: f64 = 1.18;

/// Of the size: a line that begins this much further in begins a paragraph.
const INDENT: f64 = 0.8;

/// More is a place of its own, not a first line.
const INDENT_MAX: f64 = 5.0;

/// Between a first part that is left open by its hyphen, and the second: "pre- and postwar".
#[rustfmt::skip]
const SUSPENDED: &[&str] = &[
    "and", "or", "to", "und", "oder", "bis", "bzw", "sowie", "et", "ou", "y", "o", "e", "en", "of", "och",
    "eller", "og", "i",
];

/// Words that are written with a hyphen: those that stand so within a line.
#[derive(Debug, Default)]
pub(super) struct Known(HashSet<String>);

impl Known {
    pub(super) fn of<'a>(lines: impl Iterator<Item = &'a Line>) -> Known {
        let words = lines.flat_map(|line| line.text.split(' ')).map(bare);
        let hyphenated = words.filter(|word| word.contains(is_hyphen));
        Known(hyphenated.map(|word| plain(&word.to_lowercase())).collect())
    }

    fn has(&self, head: &str, tail: &str) -> bool {
        self.0.contains(&format!("{}-{}", plain(head), plain(tail)).to_lowercase())
    }
}

/// A word without what stands around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{ad}' | '\u{2010}')
}

fn plain(word: &str) -> String {
    word.replace(['\u{ad}', '\u{2010}'], "-")
}

/// What stands between two lines.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Break {
    Paragraph,
    Line,
    /// A word goes on.
    None,
    /// A word goes on, and has no hyphen.
    Unhyphen,
}

/// The text of a page.
pub(super) fn text(lines: &[Line], known: &Known) -> String {
    let step = usual_step(lines);
    let mut text = String::new();
    let mut last: Option<&Line> = None;
    for (at, line) in lines.iter().enumerate() {
        if let Some(last) = last {
            let between = match is_paragraph(last, line, lines.get(at + 1), step) {
                true => Break::Paragraph,
                false => within(last, line, known),
            };
            match between {
                Break::Paragraph => text.push_str("\n\n"),
                Break::Line => text.push('\n'),
                Break::None => {}
                Break::Unhyphen => {
                    text.pop();
                }
            }
        }
        text.push_str(&line.text);
        last = Some(line);
    }
    // Drawn amid a line, it is seen, and is a hyphen.
    text.replace('\u{ad}', "-")
}

/// How far lines that follow each other are apart, in sizes.
fn usual_step(lines: &[Line]) -> f64 {
    let pairs = lines.windows(2).filter(|pair| pair[0].span.is_parallel(&pair[1].span));
    let steps = pairs.map(|pair| step(&pair[0], &pair[1]));
    let mut steps: Vec<f64> = steps.filter(|step| (0.8..3.0).contains(step)).collect();
    steps.sort_by(f64::total_cmp);
    // Half of the steps of a page with short paragraphs are between paragraphs.
    steps.get(steps.len() / 3).copied().unwrap_or(1.2)
}

fn step(last: &Line, line: &Line) -> f64 {
    (line.span.base - last.span.base) / last.span.size.max(line.span.size)
}

fn is_paragraph(last: &Line, line: &Line, next: Option<&Line>, usual: f64) -> bool {
    let (one, other) = (last.span.size, line.span.size);
    if !last.span.is_parallel(&line.span) || one.max(other) > SIZES_APART * one.min(other) {
        return true;
    }
    let step = step(last, line);
    if step < -0.5 || step > 4.0 * usual {
        // The head of the next column, or the other side of a picture.
        return !goes_on(last, line);
    }
    // Where lines are set at several distances, the text knows better, up to a blank line.
    let is_apart = step > APART * usual && (step > APART_OPEN * usual || !goes_on(last, line));
    is_apart || is_first(last, line, next)
}

/// Whether the text says that one line goes on in the other, wherever that stands.
fn goes_on(last: &Line, line: &Line) -> bool {
    let open = last.text.ends_with(|c: char| c.is_alphanumeric() || c == ',' || is_hyphen(c));
    open && line.text.starts_with(char::is_lowercase)
}

/// Whether a line stands further in than the ones before and after it.
fn is_first(last: &Line, line: &Line, next: Option<&Line>) -> bool {
    let Some(next) = next.filter(|next| next.span.is_parallel(&line.span)) else { return false };
    let size = line.span.size;
    let is_in = |other: &Line| {
        let indent = (line.span.start - other.span.start) / size;
        (INDENT..INDENT_MAX).contains(&indent)
    };
    is_in(last) && is_in(next) && (last.span.start - next.span.start).abs() < 0.3 * size
}

/// What stands between two lines of a paragraph.
fn within(last: &Line, line: &Line, known: &Known) -> Break {
    let (Some(end), Some(begin)) = (last.text.chars().next_back(), line.text.chars().next()) else {
        return Break::Line;
    };
    if is_cjk(end) && is_cjk(begin) && last.span.end > line.span.end - 2.0 * last.span.size {
        return Break::None;
    }
    if is_hyphen(end) { hyphen(last, line, known) } else { Break::Line }
}

/// What becomes of a hyphen at the end of a line.
fn hyphen(last: &Line, line: &Line, known: &Known) -> Break {
    let word = last.text.rsplit(' ').next().unwrap_or_default();
    let is_soft = word.ends_with('\u{ad}');
    let head = word.trim_end_matches(is_hyphen);
    let next = line.text.split(' ').next().unwrap_or_default();
    let tail = bare(next);
    let joins = head.ends_with(char::is_alphabetic) && next.starts_with(char::is_alphabetic);
    // Two of them are a dash.
    let is_dash = word.len() - head.len() > word.chars().next_back().map_or(0, char::len_utf8);
    if !joins || is_dash || SUSPENDED.contains(&tail) {
        return Break::Line;
    }
    let is_cased = next.starts_with(char::is_uppercase) && head.contains(char::is_lowercase);
    let is_compound = !is_soft && (is_cased || bare(head).contains(is_hyphen));
    if known.has(bare(head), tail) || is_compound { Break::None } else { Break::Unhyphen }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf::lines::tests::line;

    #[test]
    fn words_broken_at_line_ends_are_whole() {
        let cases = [
            ("an exam-", "ple of it", "an example of it"),
            ("an exam\u{ad}", "ple of it", "an example of it"),
            ("an exam\u{2010}", "ple of it", "an example of it"),
            ("a well-", "known thing", "a well-known thing"),
            ("a state-of-the-", "art thing", "a state-of-the-art thing"),
            ("by Jean-", "Paul", "by Jean-Paul"),
            ("in 1990-", "95 it", "in 1990-\n95 it"),
            ("x86-", "based", "x86-\nbased"),
            ("the pre-", "and postwar", "the pre-\nand postwar"),
            ("a dash -", "and more", "a dash -\nand more"),
            ("co\u{ad}op", "and", "co-op\nand"),
        ];
        let elsewhere = [line("it is well-known here", 0.0, 0.0)];
        let known = Known::of(elsewhere.iter());
        for (first, second, want) in cases {
            let lines = [line(first, 0.0, 100.0), line(second, 0.0, 112.0)];
            assert_eq!(text(&lines, &known), want, "{first} {second}");
        }
    }

    #[test]
    fn paragraphs_are_parted_by_room_indent_or_size() {
        let known = Known::default();
        let lines = |given: &[(&str, f64, f64)]| -> Vec<Line> {
            given.iter().map(|&(text, start, base)| line(text, start, base)).collect()
        };
        let room = lines(&[("a", 0.0, 12.0), ("b", 0.0, 24.0), ("c", 0.0, 36.0), ("d", 0.0, 60.0)]);
        assert_eq!(text(&room, &known), "a\nb\nc\n\nd");
        let open = lines(&[("a", 0.0, 12.0), ("b", 0.0, 24.0), ("c", 0.0, 42.0), ("d", 0.0, 54.0)]);
        assert_eq!(text(&open, &known), "a\nb\nc\nd");
        let indent = lines(&[("a", 0.0, 12.0), ("b", 15.0, 24.0), ("c", 0.0, 36.0)]);
        assert_eq!(text(&indent, &known), "a\n\nb\nc");
        let column = lines(&[("A.", 0.0, 12.0), ("b.", 0.0, 24.0), ("C", 200.0, 12.0)]);
        assert_eq!(text(&column, &known), "A.\nb.\n\nC");
        let goes_on = lines(&[("A.", 0.0, 12.0), ("b exam-", 0.0, 24.0), ("ple", 200.0, 12.0)]);
        assert_eq!(text(&goes_on, &known), "A.\nb example");
        let mut sizes = lines(&[("Head", 0.0, 12.0), ("b", 0.0, 24.0)]);
        sizes[0].span.size = 14.0;
        assert_eq!(text(&sizes, &known), "Head\n\nb");
    }

    #[test]
    fn writing_without_spaces_has_none_at_line_ends() {
        let mut lines = [line("日本", 0.0, 12.0), line("語で", 0.0, 24.0)];
        assert_eq!(text(&lines, &Known::default()), "日本語で");
        lines[1].span.end = 200.0;
        assert_eq!(text(&lines, &Known::default()), "日本\n語で");
    }
}
