//! Headings of manual pages: `.SH` and `.SS` of man, `.Sh` and `.Ss` of mdoc.

use std::borrow::Cow;

use super::{Heading, lines, looked_at, titled};

/// Lines in which a manual page says that it is one.
const HEAD_LINES: usize = 200;

pub(super) fn headings(text: &str, start: usize) -> Vec<Heading<'_>> {
    let mut found: Vec<Heading<'_>> = Vec::new();
    let mut unnamed = false;
    for (start, line) in lines(text, start) {
        let bytes = start..start + line.len();
        if let Some((level, text)) = request(line) {
            unnamed = text.is_empty();
            found.push(Heading { level, text: readable(text), bytes });
        } else if let (true, Some(last)) = (std::mem::take(&mut unnamed), found.last_mut()) {
            // Without words of its own the request takes the next line.
            last.text = readable(line);
            last.bytes.end = bytes.end;
        }
    }
    found
}

/// The page's name with its section: `ls(1)`.
pub(super) fn title(text: &str) -> Option<String> {
    let line = lines(text, 0).take(HEAD_LINES).find_map(|(_, line)| titling(line))?;
    let mut words = line.split_whitespace().map(|word| word.trim_matches('"'));
    let name = titled(&readable(words.next()?))?;
    Some(match words.next().filter(|section| section.len() <= 4 && !section.is_empty()) {
        Some(section) => format!("{name}({section})"),
        None => name,
    })
}

/// Whether the text is a manual page.
pub(crate) fn is_man(text: &str) -> bool {
    lines(text, 0).take(HEAD_LINES).any(|(_, line)| titling(line).is_some())
}

/// What a heading of one line says.
pub(super) fn first(line: &str) -> Option<Cow<'_, str>> {
    request(line).map(|(_, text)| readable(text))
}

fn titling(line: &str) -> Option<&str> {
    line.strip_prefix(".TH ").or_else(|| line.strip_prefix(".Dt "))
}

fn request(line: &str) -> Option<(usize, &str)> {
    let line = line.strip_prefix('.')?.trim_start_matches([' ', '\t']);
    let level = match line.get(..2)? {
        "SH" | "Sh" => 1,
        "SS" | "Ss" => 2,
        _ => return None,
    };
    let text = &line[2..];
    (text.is_empty() || text.starts_with(char::is_whitespace)).then(|| (level, text.trim()))
}

/// Without quotes and changes of font.
fn readable(text: &str) -> Cow<'_, str> {
    let text = looked_at(text).trim().trim_matches('"').trim();
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut said = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (c, if c == '\\' { characters.next() } else { None }) {
            ('\\', Some('f')) => match characters.next() {
                Some('(') => characters.by_ref().take(2).for_each(drop),
                Some('[') => characters.by_ref().take_while(|c| *c != ']').for_each(drop),
                _ => {}
            },
            ('\\', Some('-')) => said.push('-'),
            ('\\', Some('&') | None) => {}
            ('\\', Some(other)) => said.push(other),
            _ => said.push(c),
        }
    }
    Cow::Owned(said)
}
