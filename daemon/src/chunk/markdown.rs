//! Finds the headings and the title of a Markdown text. Not a Markdown parser: it knows just
//! enough of CommonMark not to take code, rules or front matter for headings.

use std::ops::Range;

/// A heading line (with its underline, where it has one).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Heading<'a> {
    /// 1 to 6.
    pub(crate) level: usize,
    pub(crate) text: &'a str,
    /// Its lines in the text, line ends included.
    pub(crate) bytes: Range<usize>,
}

/// The front matter's title, or else the first heading of level 1.
pub(crate) fn title(text: &str) -> Option<String> {
    let named = text[..body(text)].lines().find_map(|line| {
        let value = line.strip_prefix("title:")?.trim().trim_matches(['"', '\'']).trim();
        (!value.is_empty()).then(|| value.to_owned())
    });
    named.or_else(|| {
        let mut headings = headings(text).into_iter();
        let top = headings.find(|heading| heading.level == 1 && !heading.text.is_empty())?;
        Some(top.text.to_owned())
    })
}

/// Every heading in order.
pub(crate) fn headings(text: &str) -> Vec<Heading<'_>> {
    let mut found = Vec::new();
    let mut at = body(text);
    let mut fence: Option<&str> = None;
    // The line before, if it alone is a paragraph and so could be underlined.
    let mut paragraph: Option<(usize, &str)> = None;
    let mut in_paragraph = false;
    for line in text[at..].split_inclusive('\n') {
        let start = at;
        at += line.len();
        let Some(bare) = unindented(line) else {
            in_paragraph &= !line.trim().is_empty();
            paragraph = None;
            continue;
        };
        if let Some(open) = fence {
            if closes(bare, open) {
                fence = None;
            }
            continue;
        }
        if let Some(open) = opens(bare) {
            fence = Some(open);
            (paragraph, in_paragraph) = (None, false);
        } else if let Some((level, text)) = atx(bare) {
            found.push(Heading { level, text, bytes: start..at });
            (paragraph, in_paragraph) = (None, false);
        } else if let (Some(level), Some((begin, above))) = (underline(bare), paragraph) {
            found.push(Heading { level, text: above, bytes: begin..at });
            (paragraph, in_paragraph) = (None, false);
        } else {
            let blank = bare.trim().is_empty();
            let plain = !blank && !in_paragraph && !is_block(bare);
            paragraph = plain.then(|| (start, bare.trim()));
            in_paragraph = !blank;
        }
    }
    found
}

/// `## Heading ##` -> level and text.
pub(crate) fn atx(line: &str) -> Option<(usize, &str)> {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    if !(1..=6).contains(&level) || !(rest.is_empty() || rest.starts_with(char::is_whitespace)) {
        return None;
    }
    let text = rest.trim();
    let open = text.trim_end_matches('#');
    let closed = open.is_empty() || open.ends_with(char::is_whitespace);
    Some((level, if closed { open.trim_end() } else { text }))
}

/// Where the text begins behind a byte order mark and front matter, which is a block between two
/// `---` lines without a blank line in it (a rule is followed by one).
pub(crate) fn body(text: &str) -> usize {
    let mark = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut end = mark;
    for (number, line) in text[mark..].split_inclusive('\n').enumerate() {
        end += line.len();
        match (number, line.trim_end()) {
            (0, "---") => {}
            (0, _) | (_, "") => break,
            (_, "---" | "...") => return end,
            _ => {}
        }
    }
    mark
}

/// The line without its indentation, unless that makes it code.
fn unindented(line: &str) -> Option<&str> {
    let bare = line.trim_start_matches(' ');
    (line.len() - bare.len() < 4 && !bare.starts_with('\t')).then_some(bare)
}

/// The run of backticks or tildes that opens a fenced block here.
fn opens(line: &str) -> Option<&str> {
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let rest = line.trim_start_matches(mark);
    let run = &line[..line.len() - rest.len()];
    (run.len() >= 3 && !(mark == '`' && rest.contains('`'))).then_some(run)
}

fn closes(line: &str, open: &str) -> bool {
    let line = line.trim_end();
    line.starts_with(open) && line.trim_start_matches(&open[..1]).is_empty()
}

/// The level that an underline gives the line above it.
fn underline(line: &str) -> Option<usize> {
    let line = line.trim_end();
    match line.chars().next()? {
        '=' if line.trim_start_matches('=').is_empty() => Some(1),
        '-' if line.trim_start_matches('-').is_empty() => Some(2),
        _ => None,
    }
}

/// Whether the line begins a quotation, a list item, a table row or a rule: a line of hyphens
/// below one of these underlines nothing.
fn is_block(line: &str) -> bool {
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = digits.len() < line.len() && digits.starts_with(['.', ')']);
    let bullet = line.starts_with(['-', '*', '+'])
        && !line[1..].starts_with(|c: char| c.is_alphanumeric() || c == '*');
    numbered || bullet || line.starts_with(['>', '|', '<'])
}
