//! A heading's text as one reads it, without the marks of emphasis, code and links.

use std::borrow::Cow;

/// Bytes of a heading that are looked at: more than a trail shows of it.
const LOOKED_AT_BYTES_MAX: usize = 512;

/// Tags that people put into headings, and that show nothing by themselves.
#[rustfmt::skip]
const TAGS: &[&str] = &[
    "a", "b", "br", "code", "em", "font", "i", "img", "kbd", "small", "span", "strong", "sub",
    "sup", "u",
];

/// The words of a heading.
pub(crate) fn readable(text: &str) -> Cow<'_, str> {
    let text = without_attributes(text[..text.floor_char_boundary(LOOKED_AT_BYTES_MAX)].trim());
    if !text.contains(['*', '_', '`', '[', '<', '~', '=', '\\']) {
        return Cow::Borrowed(text);
    }
    let mut said = String::with_capacity(text.len());
    say(text, &mut said);
    Cow::Owned(said.trim().to_owned())
}

/// Without `{#id .class}` at the end.
fn without_attributes(text: &str) -> &str {
    let Some(open) = text.rfind('{').filter(|_| text.ends_with('}')) else { return text };
    let inside = &text[open + 1..];
    let attributes = ["#", ".", ":", "/*", "-}"].iter().any(|begin| inside.starts_with(begin));
    if attributes { text[..open].trim_end() } else { text }
}

fn say(text: &str, said: &mut String) {
    let mut rest = text;
    let mut before = None;
    while let Some(c) = rest.chars().next() {
        let (shown, taken) = match c {
            '\\' => escaped(rest),
            '`' => code(rest),
            '!' if rest.starts_with("![") => {
                link(&rest[1..]).map(|(text, taken)| (text, taken + 1))
            }
            '[' => link(rest),
            '<' => tag(rest),
            '*' | '_' | '~' | '=' => emphasis(rest, c, before),
            _ => None,
        }
        .unwrap_or((Shown::As(&rest[..c.len_utf8()]), c.len_utf8()));
        match shown {
            Shown::As(text) => said.push_str(text),
            // Emphasis in links and links in emphasis; each level is shorter by its marks.
            Shown::Read(text) => say(text, said),
        }
        before = rest[..taken].chars().next_back();
        rest = &rest[taken..];
    }
}

enum Shown<'a> {
    As(&'a str),
    Read(&'a str),
}

type Piece<'a> = Option<(Shown<'a>, usize)>;

fn escaped(rest: &str) -> Piece<'_> {
    let next = rest[1..].chars().next().filter(char::is_ascii_punctuation)?;
    Some((Shown::As(&rest[1..1 + next.len_utf8()]), 1 + next.len_utf8()))
}

fn code(rest: &str) -> Piece<'_> {
    let inside = rest.trim_start_matches('`');
    let ticks = &rest[..rest.len() - inside.len()];
    let end = inside.find(ticks)?;
    Some((Shown::As(inside[..end].trim()), ticks.len() * 2 + end))
}

/// `[text](url)`, `[text][name]`, `[[page]]` or `[[page|text]]`, and the link of an embedding.
fn link(rest: &str) -> Piece<'_> {
    if let Some(inside) = rest.strip_prefix("[[") {
        let end = inside.find("]]")?;
        let page = &inside[..end];
        let text = page.rsplit_once('|').map_or(page, |(_, text)| text);
        return Some((Shown::As(text.trim()), end + 4));
    }
    let mut depth = 0;
    let close = rest.char_indices().find_map(|(at, c)| {
        depth += i32::from(c == '[') - i32::from(c == ']');
        (depth == 0).then_some(at)
    })?;
    let behind = &rest[close + 1..];
    let ends = if behind.starts_with('(') {
        ')'
    } else if behind.starts_with('[') {
        ']'
    } else {
        return None;
    };
    let end = behind.find(ends)?;
    Some((Shown::Read(&rest[1..close]), close + 1 + end + 1))
}

fn tag(rest: &str) -> Piece<'_> {
    let inside = rest[1..].trim_start_matches('/');
    let name = &inside[..inside.find(|c: char| !c.is_ascii_alphanumeric())?];
    let known = TAGS.iter().any(|tag| tag.eq_ignore_ascii_case(name));
    let end = rest.find('>')?;
    known.then_some((Shown::As(""), end + 1))
}

/// `*text*` and its kin: a run of marks with words right behind it, and the same run behind those.
fn emphasis(rest: &str, mark: char, before: Option<char>) -> Piece<'_> {
    let inside = rest.trim_start_matches(mark);
    let run = &rest[..rest.len() - inside.len()];
    let words = |c: char| c.is_alphanumeric();
    // `snake_case`, `__init__.py` and `a==b` are words; strikes and marks come in twos.
    let inner = mark != '*' && before.is_some_and(words);
    let single = matches!(mark, '~' | '=') && run.len() != 2;
    // Of two marks before a word no single one is the beginning of emphasis.
    let whole = (mark == '_').then_some((Shown::As(run), run.len()));
    if inner || single || inside.starts_with(char::is_whitespace) {
        return whole;
    }
    let mut from = 0;
    while let Some(at) = inside[from..].find(run).map(|at| from + at) {
        let after = &inside[at + run.len()..];
        let apart = mark == '*' || !after.trim_start_matches('.').starts_with(words);
        if at > 0 && apart && !inside[..at].ends_with(char::is_whitespace) {
            return Some((Shown::Read(&inside[..at]), run.len() * 2 + at));
        }
        from = at + run.len();
    }
    whole
}
