//! Headings of Emacs' Org mode: lines of `*`.

use std::borrow::Cow;

use super::{Block, Heading, LEVEL_MAX, lines, lone, looked_at, names, titled};
use crate::document::About;

/// Words before a heading that say how far it is.
const STATES: &[&str] = &[
    "CANCELED",
    "CANCELLED",
    "COMMENT",
    "DONE",
    "HOLD",
    "IN-PROGRESS",
    "MAYBE",
    "NEXT",
    "PROJ",
    "SOMEDAY",
    "STARTED",
    "TODO",
    "WAIT",
    "WAITING",
];

pub(super) fn headings(text: &str, start: usize) -> Vec<Heading<'_>> {
    let mut found = Vec::new();
    let mut block: Option<Block<'_>> = None;
    for (start, line) in lines(text, start) {
        if let Some((end, name)) = delimiter(line) {
            match &block {
                None if !end => block = Some(Block { name, before: found.len() }),
                Some(open) if end && open.name.eq_ignore_ascii_case(name) => {
                    block.take().into_iter().for_each(|block| block.end(&mut found));
                }
                _ => {}
            }
        } else if let Some((level, text)) = heading(line) {
            found.push(Heading { level, text, bytes: start..start + line.len() });
        }
    }
    found
}

/// Tags of one document's headings.
const TAGS_MAX: usize = 64;

/// `#+TITLE:`, `#+FILETAGS:` and the tags of headings; else the only heading of the first level names the file.
pub(super) fn about(text: &str) -> (Option<String>, About) {
    let (mut title, mut about) = (String::new(), About::default());
    for (_, line) in lines(text, 0) {
        let line = line.trim_start_matches('\u{feff}').trim();
        if let Some(quoted) = after(line, ":roam_aliases:") {
            let aliases = quoted.split('"').map(str::trim).filter(|alias| !alias.is_empty());
            about.aliases.extend(aliases.map(str::to_owned));
        }
        let Some(line) = line.strip_prefix("#+") else { continue };
        if let Some(text) = after(line, "title:") {
            title.push(' ');
            title.push_str(looked_at(text));
        } else if let Some(tags) = after(line, "filetags:") {
            about.tags.extend(names(tags));
        }
    }
    let headings = headings(text, 0);
    for heading in &headings {
        let line = text[heading.bytes.clone()].trim_end();
        let tags = line.rsplit_once([' ', '\t']).map(|(_, word)| word).filter(|word| is_tags(word));
        for tag in tags.map(names).into_iter().flatten() {
            if about.tags.len() < TAGS_MAX && !about.tags.contains(&tag) {
                about.tags.push(tag);
            }
        }
    }
    (titled(&readable(&title)).or_else(|| lone(&headings)), about)
}

/// What is behind `prefix`, whatever its case.
fn after<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    let begin = line.get(..prefix.len())?;
    begin.eq_ignore_ascii_case(prefix).then(|| &line[prefix.len()..])
}

/// Whether a line begins or ends a block, and its name.
fn delimiter(line: &str) -> Option<(bool, &str)> {
    let line = line.trim_start().strip_prefix("#+")?;
    let (end, name) = match after(line, "begin_") {
        Some(name) => (false, name),
        None => (true, after(line, "end_")?),
    };
    name.split_whitespace().next().map(|name| (end, name))
}

fn heading(line: &str) -> Option<(usize, Cow<'_, str>)> {
    let rest = line.trim_start_matches('*');
    let level = line.len() - rest.len();
    (level > 0 && rest.starts_with(' ')).then(|| (level.min(LEVEL_MAX), readable(rest)))
}

/// A heading without its state, priority, progress and tags, and links as their text.
pub(super) fn readable(text: &str) -> Cow<'_, str> {
    let mut text = looked_at(text).trim();
    while let Some((word, rest)) = text.split_once(' ')
        && (STATES.contains(&word) || word.starts_with("[#") && word.ends_with(']'))
    {
        text = rest.trim_start();
    }
    if STATES.contains(&text) {
        text = "";
    }
    while let Some((rest, word)) = text.rsplit_once([' ', '\t'])
        && (is_tags(word) || is_progress(word))
    {
        text = rest.trim_end();
    }
    if !text.contains("[[") && !text.contains(['=', '~', '*']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(unmarked(&unlinked(text)))
}

fn is_tags(word: &str) -> bool {
    word.len() > 2 && word.starts_with(':') && word.ends_with(':')
}

/// `[1/3]`, `[33%]`.
fn is_progress(word: &str) -> bool {
    let inside = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
    inside.is_some_and(|inside| {
        inside.contains(['/', '%'])
            && inside.chars().all(|c| c.is_ascii_digit() || "/%".contains(c))
    })
}

/// `[[address][text]]` as its text.
fn unlinked(text: &str) -> String {
    let mut said = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("[[") {
        let Some((link, after)) = inside.split_once("]]") else { break };
        said.push_str(before);
        said.push_str(link.split_once("][").map_or(link, |(_, text)| text));
        rest = after;
    }
    said + rest
}

/// Without the marks around words that are set off.
fn unmarked(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let bare = word.trim_matches(['=', '~', '*']);
        if bare.is_empty() { word } else { bare }
    });
    words.collect::<Vec<_>>().join(" ")
}
