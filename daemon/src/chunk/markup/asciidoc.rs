//! Headings of AsciiDoc: lines of `=`, or underlined as they once were.

use std::borrow::Cow;

use super::{Block, Heading, lines, looked_at, names, titled};
use crate::document::About;

/// Marks below a heading, by level.
const UNDERLINES: &[char] = &['=', '-', '~', '^', '+'];

pub(super) fn headings(text: &str, start: usize) -> Vec<Heading<'_>> {
    let mut found: Vec<Heading<'_>> = Vec::new();
    let mut block: Option<Block<'_>> = None;
    // The line before, if it follows a blank one and could be underlined.
    let mut above: Option<(usize, &str)> = None;
    let mut apart = true;
    for (start, line) in lines(text, start) {
        let (bare, end) = (line.trim_end(), start + line.len());
        let underlined = above.take().filter(|_| block.is_none());
        if let Some((begin, text)) = underlined
            && let Some(level) = underline(text, bare)
        {
            found.push(Heading { level, text: readable(text), bytes: begin..end });
            apart = true;
        } else if is_delimiter(bare) {
            match &block {
                None => block = Some(Block { name: bare, before: found.len() }),
                Some(open) if open.name == bare => {
                    block.take().into_iter().for_each(|block| block.end(&mut found));
                }
                Some(_) => {}
            }
            apart = true;
        } else if let Some((level, text)) = heading(bare) {
            found.push(Heading { level, text: readable(text), bytes: start..end });
            apart = true;
        } else {
            above = (apart && bare.starts_with(char::is_alphanumeric)).then_some((start, bare));
            // Attributes and names of what comes stand right before it.
            apart = bare.is_empty() || bare.starts_with('[') || bare.starts_with("//");
        }
    }
    found
}

/// The heading of level 0, and the attributes below it.
pub(super) fn about(text: &str) -> (Option<String>, About) {
    const ATTRIBUTES_WITHIN_LINES: usize = 64;
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut about = About::default();
    for (_, line) in lines(text, start).take(ATTRIBUTES_WITHIN_LINES) {
        let Some((name, value)) = line.strip_prefix(':').and_then(|line| line.split_once(':'))
        else {
            continue;
        };
        if matches!(name, "keywords" | "tags" | "page-tags") {
            about.tags.extend(names(value));
        }
    }
    let headings = headings(text, start);
    let top = headings.iter().find(|heading| heading.level == 1);
    (top.and_then(|top| titled(&top.text)), about)
}

/// Whether the line begins or ends a listing, a literal, a comment or raw text.
fn is_delimiter(line: &str) -> bool {
    let signs = ["----", "....", "////", "++++", "```"];
    let begins = signs.iter().any(|signs| line.starts_with(signs));
    begins && (line.starts_with("```") || line.trim_start_matches(&line[..1]).is_empty())
}

/// `== Heading ==`; `#` will do as well.
fn heading(line: &str) -> Option<(usize, &str)> {
    let mark = line.chars().next().filter(|c| matches!(c, '=' | '#'))?;
    let rest = line.trim_start_matches(mark);
    let level = line.len() - rest.len();
    let text = rest.trim_matches([' ', '\t']);
    let open = text.trim_end_matches(mark);
    let text = if text.len() - open.len() == level { open.trim_end() } else { text };
    (level <= 6 && rest.starts_with([' ', '\t']) && !text.is_empty()).then_some((level, text))
}

/// The level, if `line` is as long as the text above it, give or take two.
fn underline(above: &str, line: &str) -> Option<usize> {
    let mark = line.chars().next()?;
    let level = UNDERLINES.iter().position(|sign| *sign == mark)? + 1;
    let long = line.len() > 1 && above.chars().count().abs_diff(line.len()) <= 2;
    (long && line.trim_start_matches(mark).is_empty()).then_some(level)
}

/// Without anchors, and code and emphasis without their marks.
fn readable(text: &str) -> Cow<'_, str> {
    let mut text = looked_at(text).trim();
    while let Some((_, rest)) = text.strip_prefix("[[").and_then(|rest| rest.split_once("]]")) {
        text = rest.trim_start();
    }
    if text.ends_with("]]")
        && let Some((rest, _)) = text.rsplit_once("[[")
    {
        text = rest.trim_end();
    }
    if !text.contains(['`', '*', '_']) {
        return Cow::Borrowed(text);
    }
    let words = text.split(' ').map(|word| match word.trim_matches(['`', '*', '_']) {
        "" => word,
        bare => bare,
    });
    Cow::Owned(words.collect::<Vec<_>>().join(" "))
}
