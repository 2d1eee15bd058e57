//! Headings of LaTeX: `\section{…}` and its like.

use std::borrow::Cow;
use std::ops::Range;

use super::{Heading, LOOKED_AT_BYTES_MAX, names, titled};
use crate::document::About;

/// Commands that head what follows, by level.
const HEADINGS: &[(&str, usize)] = &[
    ("part", 1),
    ("chapter", 2),
    ("section", 3),
    ("subsection", 4),
    ("subsubsection", 5),
    ("paragraph", 6),
    ("subparagraph", 7),
    ("frametitle", 7),
];

/// Environments in which a command is no command.
const VERBATIM: &[&str] =
    &["Verbatim", "alltt", "comment", "filecontents", "lstlisting", "minted", "verbatim"];

/// A command outside comments and verbatim text, at this byte.
struct Command<'a> {
    at: usize,
    name: &'a str,
    /// Where the blank-separated word begins that it is in.
    word: usize,
    /// What is in its braces.
    argument: Range<usize>,
}

pub(super) fn headings(text: &str) -> Vec<Heading<'_>> {
    let mut found: Vec<Heading<'_>> = Vec::new();
    for Command { at, name, word, argument } in commands(text) {
        let Some((_, level)) = HEADINGS.iter().find(|(heading, _)| *heading == name) else {
            continue;
        };
        let said = readable(&text[argument.clone()]);
        let before = found.last().map_or(0, |last| last.bytes.end);
        // A passage does not begin within a word; `#1` is the text of a macro.
        let begin = if word < before && before < at { before } else { word };
        let glued = begin < before || begin > 0 && !text[..begin].ends_with(blank);
        if glued || said.contains('#') {
            continue;
        }
        let end = argument.end + 1;
        let line = text[end..].find('\n').map_or(text.len(), |line| end + line + 1);
        let end = if text[end..line].trim().is_empty() { line } else { end };
        found.push(Heading { level: *level, text: said, bytes: begin..end });
    }
    found
}

/// Behind the preamble, which only parts of a document lack.
pub(super) fn body(text: &str) -> usize {
    const BEGIN: &str = "\\begin{document}";
    text.find(BEGIN).map_or(0, |at| at + BEGIN.len())
}

pub(super) fn about(text: &str) -> (Option<String>, About) {
    let (mut title, mut about) = (None, About::default());
    for Command { name, argument, .. } in commands(text) {
        let said = || readable(&text[argument.clone()]);
        match name {
            "title" => title = title.or_else(|| titled(&said())),
            "keywords" => about.tags.extend(names(&said())),
            _ => {}
        }
    }
    (title, about)
}

/// What the heading says that a line begins with.
pub(super) fn first(line: &str) -> Option<Cow<'_, str>> {
    let at = 1 + line[1..].find(|c: char| !c.is_ascii_alphabetic())?;
    HEADINGS.iter().any(|(name, _)| *name == &line[1..at]).then_some(())?;
    Some(readable(&line[argument(line, at)?]))
}

fn blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

/// The commands with an argument that matter here, in order.
fn commands(text: &str) -> Vec<Command<'_>> {
    let mut found = Vec::new();
    let mut endless: Vec<&str> = Vec::new();
    let (mut at, mut word) = (0, 0);
    while let Some(next) = text[at..].find(|c: char| matches!(c, '\\' | '%') || blank(c)) {
        at += next;
        let sign = text[at..].chars().next().map_or(1, char::len_utf8);
        match &text[at..at + sign] {
            "%" => {
                at += text[at..].find('\n').unwrap_or(text.len() - at);
            }
            "\\" => {
                let begin = at;
                let rest = &text[at + 1..];
                let length = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
                let name = &rest[..length];
                at += 1 + length;
                if length == 0 {
                    // An escaped sign.
                    at += rest.chars().next().map_or(0, char::len_utf8);
                } else if name == "begin" {
                    at = behind_verbatim(text, at, &mut endless);
                } else if is_known(name)
                    && let Some(argument) = argument(text, at)
                {
                    at = argument.start;
                    found.push(Command { at: begin, name, word, argument });
                }
            }
            _ => {
                at += sign;
                word = at;
            }
        }
    }
    found
}

fn is_known(name: &str) -> bool {
    matches!(name, "title" | "keywords") || HEADINGS.iter().any(|(heading, _)| *heading == name)
}

/// Behind the environment that begins at byte `at`, if nothing in it is a command.
fn behind_verbatim<'a>(text: &'a str, at: usize, endless: &mut Vec<&'a str>) -> usize {
    let Some(rest) = text[at..].strip_prefix('{') else { return at };
    let Some(name) = VERBATIM.iter().find(|name| {
        let rest = rest.strip_prefix(**name);
        rest.is_some_and(|rest| rest.starts_with('}') || rest.starts_with("*}"))
    }) else {
        return at;
    };
    if endless.contains(name) {
        return at;
    }
    let end = format!("\\end{{{name}");
    match text[at..].find(&end) {
        Some(found) => at + found + end.len(),
        None => {
            endless.push(name);
            at
        }
    }
}

/// What is in the braces of a command whose name ends at byte `at`, behind a star and what is
/// in brackets.
fn argument(text: &str, mut at: usize) -> Option<Range<usize>> {
    let within = text.floor_char_boundary(at + LOOKED_AT_BYTES_MAX);
    let text = &text[..within];
    at += usize::from(text[at..].starts_with('*'));
    at += text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len();
    if text[at..].starts_with('[') {
        at = group(text, at, '[', ']')?.end + 1;
    }
    at += text[at..].len() - text[at..].trim_start().len();
    text[at..].starts_with('{').then(|| group(text, at, '{', '}')).flatten()
}

/// What is between the sign at byte `at` and the one that closes it.
fn group(text: &str, at: usize, open: char, close: char) -> Option<Range<usize>> {
    let mut depth = 0;
    let mut escaped = false;
    for (offset, c) in text[at..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == open => depth += 1,
            _ if c == close => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + open.len_utf8()..at + offset);
                }
            }
            _ => {}
        }
    }
    None
}

/// Without commands, but with what these are about.
fn readable(text: &str) -> Cow<'_, str> {
    if !text.contains(['\\', '{', '}', '~', '%', '\n', '\r', '$']) {
        return Cow::Borrowed(text.trim());
    }
    let mut said = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => rest = command(rest, &mut said),
            '%' => rest = rest.split_once('\n').map_or("", |(_, next)| next.trim_start()),
            '{' | '}' | '$' => {}
            '~' => said.push(' '),
            _ => said.push(c),
        }
    }
    Cow::Owned(said.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Says the command that stands before `rest`, as far as it says something; what is behind it.
fn command<'a>(rest: &'a str, said: &mut String) -> &'a str {
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (name, behind) = rest.split_at(end);
    let skipped = || argument(behind, 0).map_or(behind, |argument| &behind[argument.end + 1..]);
    match name {
        "" => {
            let sign = behind.chars().next();
            said.extend(sign.map(|c| if matches!(c, '\\' | ',' | ';') { ' ' } else { c }).filter(
                // Accents stand before their letter.
                |c| !"'`^\"~=.".contains(*c),
            ));
            &behind[sign.map_or(0, char::len_utf8)..]
        }
        "label" | "footnote" | "thanks" | "texorpdfstring" | "index" | "vspace" | "hspace" => {
            skipped()
        }
        "LaTeX" | "TeX" | "ldots" | "dots" | "ss" | "ae" | "oe" | "aa" => {
            said.push_str(if name.ends_with("dots") { "…" } else { name });
            behind.strip_prefix(' ').unwrap_or(behind)
        }
        _ => behind.trim_start_matches(' '),
    }
}
