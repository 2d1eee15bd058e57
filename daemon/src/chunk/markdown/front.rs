//! Finds front matter and reads of it what a search needs: title, tags, aliases. Not a YAML or
//! TOML parser: it knows how people write these keys, and takes no offence at the others.

use std::ops::Range;

use crate::document::About;

/// Characters of a key; what is longer is a sentence with a colon in it.
const KEY_CHARS_MAX: usize = 64;

/// Blanks within a key, as in `date created`.
const KEY_BLANKS_MAX: usize = 3;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Syntax {
    Yaml,
    Toml,
}

struct Front {
    syntax: Syntax,
    /// What is between the two lines of marks.
    block: Range<usize>,
    /// Behind the closing line.
    end: usize,
}

/// Where the text begins behind a byte order mark and front matter.
pub(crate) fn body(text: &str) -> usize {
    front(text).map_or_else(|| start(text), |front| front.end)
}

/// The title and whatever else the front matter says about the document.
pub(crate) fn about(text: &str) -> (Option<String>, About) {
    let (mut title, mut about) = (None, About::default());
    let Some(front) = front(text) else { return (title, about) };
    for Entry { table, key, first, rest } in entries(&text[front.block.clone()], front.syntax) {
        let value = || value(first, &rest, front.syntax);
        match (table, key.as_str()) {
            (None, "title") => title = title.or_else(|| value().text()),
            (None | Some("taxonomies"), "tags" | "tag" | "keywords") => {
                // A tag has no blank, unless it is one of a list or between commas.
                let parted = if key == "keywords" { "," } else { ", " };
                let names = value().names(parted).into_iter();
                about.tags.extend(names.map(|tag| tag.trim_start_matches('#').to_owned()));
            }
            (None, "aliases" | "alias") => about.aliases.extend(value().names(",")),
            _ => {}
        }
    }
    about.tags.retain(|tag| !tag.is_empty());
    (title, about)
}

fn start(text: &str) -> usize {
    text.len() - text.trim_start_matches('\u{feff}').len()
}

/// A block at the top between two lines of `---` or `+++` that reads as keys. What does not is text
/// between two rules. Without a blank line in it the first key is proof enough, so that a mistake
/// further down does not make headings of the keys.
fn front(text: &str) -> Option<Front> {
    let mut at = start(text);
    let mut lines = text[at..].split_inclusive('\n');
    let opening = lines.next()?;
    let (syntax, mark) = match opening.trim_end() {
        "---" => (Syntax::Yaml, ["---", "..."]),
        "+++" => (Syntax::Toml, ["+++", "+++"]),
        _ => return None,
    };
    at += opening.len();
    let from = at;
    let (mut keys, mut blank, mut strange) = (false, false, false);
    for line in lines {
        let bare = line.trim_end();
        if mark.contains(&bare) {
            let front = Front { syntax, block: from..at, end: at + line.len() };
            return (keys || at == from).then_some(front);
        }
        at += line.len();
        let note = bare.is_empty() || bare.starts_with('#');
        let begins = key(bare, syntax).is_some() || table(bare, syntax).is_some();
        blank |= bare.is_empty();
        strange |= !note && !begins && !continues(bare, syntax);
        keys |= begins;
        if strange && blank || !note && !keys {
            return None;
        }
    }
    None
}

/// Whether a line can go on with the value of the key above it.
fn continues(line: &str, syntax: Syntax) -> bool {
    let toml = syntax == Syntax::Toml && line.starts_with(['"', '\'']);
    toml || line.starts_with([' ', '\t', ']', '}']) || line == "-" || line.starts_with("- ")
}

/// `key: value` or `key = value`, in the first column.
fn key(line: &str, syntax: Syntax) -> Option<(&str, &str)> {
    let quote = line.chars().next().filter(|c| matches!(c, '"' | '\''));
    let (key, rest) = match quote {
        Some(quote) => line[1..].split_once(quote)?,
        None => line.split_at(line.find([':', '='])?),
    };
    let key = key.trim_end();
    let rest = match syntax {
        Syntax::Yaml => rest.trim_start_matches([' ', '\t']).strip_prefix(':')?,
        Syntax::Toml => rest.trim_start_matches([' ', '\t']).strip_prefix('=')?,
    };
    let apart = syntax == Syntax::Toml || rest.is_empty() || rest.starts_with([' ', '\t']);
    let short = key.chars().count() <= KEY_CHARS_MAX;
    let mut signs = key.chars();
    let first = signs.next()?;
    let named = first.is_alphanumeric() || matches!(first, '_' | '$' | '@');
    let named = named && signs.all(|c| c.is_alphanumeric() || " _-./".contains(c) || !c.is_ascii());
    let few = key.matches(' ').count() <= KEY_BLANKS_MAX;
    (apart && short && few && (named || quote.is_some())).then_some((key, rest))
}

/// `[table]`, which TOML has.
fn table(line: &str, syntax: Syntax) -> Option<&str> {
    let line = line.split(" #").next().unwrap_or(line).trim_end();
    let name = line.strip_prefix('[')?.strip_suffix(']')?.trim_matches(['[', ']', ' ']);
    (syntax == Syntax::Toml && !name.is_empty()).then_some(name)
}

struct Entry<'a> {
    table: Option<&'a str>,
    /// In lower case.
    key: String,
    /// What is behind the key on its line.
    first: &'a str,
    /// The lines below it.
    rest: Vec<&'a str>,
}

fn entries(block: &str, syntax: Syntax) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut inside = None;
    for line in block.lines() {
        let line = line.trim_end();
        if let Some(name) = table(line, syntax) {
            inside = Some(name);
        } else if let Some((key, first)) = key(line, syntax) {
            let key = key.to_lowercase();
            entries.push(Entry { table: inside, key, first, rest: Vec::new() });
        } else if let Some(entry) = entries.last_mut() {
            entry.rest.push(line);
        }
    }
    entries
}

struct Value {
    items: Vec<String>,
    list: bool,
}

impl Value {
    fn of(text: String) -> Self {
        Self { items: vec![text], list: false }
    }

    fn text(&self) -> Option<String> {
        let words: Vec<&str> = self.items.iter().flat_map(|item| item.split_whitespace()).collect();
        let text = words.join(" ");
        (!matches!(text.as_str(), "" | "~" | "null")).then_some(text)
    }

    /// What a list holds, or what stands between the commas of a line; without any, between what else is in `parted`.
    fn names(self, parted: &str) -> Vec<String> {
        let names: Vec<String> = if self.list {
            self.items
        } else {
            let parted =
                if self.items.iter().any(|item| item.contains(',')) { "," } else { parted };
            let parts = |item: &String| -> Vec<String> {
                item.split(|c| parted.contains(c)).map(str::to_owned).collect()
            };
            self.items.iter().flat_map(parts).collect()
        };
        let names = names.iter().map(|name| name.trim());
        names.filter(|name| !matches!(*name, "" | "~" | "null")).map(str::to_owned).collect()
    }
}

fn value(first: &str, rest: &[&str], syntax: Syntax) -> Value {
    let mut first = first.trim();
    // An anchor or a type before the value.
    while let Some((word, after)) = first.split_once(' ').filter(|_| first.starts_with(['!', '&']))
    {
        first = if word.is_empty() { after } else { after.trim_start() };
    }
    let plain = || {
        let lines = std::iter::once(&first).chain(rest);
        lines.map(|line| uncommented(line).trim()).collect::<Vec<_>>().join(" ")
    };
    let block = first.split(" #").next().unwrap_or_default().trim_end();
    let indicator = |c: char| matches!(c, '+' | '-' | '1'..='9');
    match first.chars().next() {
        Some('>' | '|') if block[1..].chars().all(indicator) => Value::of(rest.join(" ")),
        Some('[') => Value { items: flow(&plain(), syntax), list: true },
        Some(quote @ ('"' | '\'')) => {
            let whole = std::iter::once(&first).chain(rest).copied().collect::<Vec<_>>().join("\n");
            Value::of(quoted(&whole, quote, syntax).0)
        }
        None | Some('#') => {
            let lines = || rest.iter().map(|line| uncommented(line).trim());
            let mut items = lines().filter_map(|line| line.strip_prefix('-')).peekable();
            if items.peek().is_some() {
                return Value {
                    items: items.map(|item| scalar(item, syntax)).collect(),
                    list: true,
                };
            }
            let text = lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
            match text.starts_with('[') {
                true => Value { items: flow(&text, syntax), list: true },
                false => Value::of(scalar(&text, syntax)),
            }
        }
        _ => Value::of(plain()),
    }
}

/// One value, in quotes or not.
fn scalar(text: &str, syntax: Syntax) -> String {
    let text = text.trim();
    match text.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted(text, quote, syntax).0,
        _ => text.to_owned(),
    }
}

/// What stands in quotes at the beginning of `text`, and how many bytes that took.
fn quoted(text: &str, quote: char, syntax: Syntax) -> (String, usize) {
    // In YAML it would be a quote that is meant: '''Tis so'.
    let triple: String = std::iter::repeat_n(quote, 3).collect();
    if let Some(inside) = text.strip_prefix(&triple).filter(|_| syntax == Syntax::Toml) {
        let end = inside.find(&triple).unwrap_or(inside.len());
        return (inside[..end].trim().to_owned(), (end + 6).min(text.len()));
    }
    let mut said = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            // YAML doubles a quote that it means.
            _ if c == quote => match characters.next_if(|(_, next)| *next == quote && c == '\'') {
                Some(_) => said.push(quote),
                None => return (said, at + 1),
            },
            '\\' if quote == '"' => match characters.next() {
                Some((_, 'n' | 't' | 'r' | '\n')) => said.push(' '),
                Some((_, escaped)) => said.push(escaped),
                None => {}
            },
            _ => said.push(c),
        }
    }
    (said, text.len())
}

/// The items of `[a, "b, c"]`.
fn flow(text: &str, syntax: Syntax) -> Vec<String> {
    let mut items = Vec::new();
    let mut rest = text.trim_start_matches('[').trim_start();
    while !rest.is_empty() && !rest.starts_with(']') {
        let (item, taken) = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => quoted(rest, quote, syntax),
            _ => {
                let end = rest.find([',', ']']).unwrap_or(rest.len());
                (rest[..end].trim().to_owned(), end)
            }
        };
        items.push(item);
        rest = rest[taken..].trim_start();
        rest = rest.strip_prefix(',').unwrap_or_else(|| match rest.starts_with(']') {
            true => rest,
            // Not a list as it should be: on behind the next comma.
            false => rest.find([',', ']']).map_or("", |at| &rest[at..]),
        });
        rest = rest.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
    }
    items
}

/// The line without a comment at its end. A quote counts where a value can begin: `don't` has none.
fn uncommented(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    let mut characters = line.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match quote {
            Some('"') if c == '\\' => {
                characters.next();
            }
            // YAML doubles a quote that it means.
            Some('\'') if characters.next_if(|(_, next)| (c, *next) == ('\'', '\'')).is_some() => {}
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '#' && before.is_whitespace() => return &line[..at],
            None if matches!(c, '"' | '\'')
                && (before.is_whitespace() || "[,{:=".contains(before)) =>
            {
                quote = Some(c);
            }
            None => {}
        }
        before = c;
    }
    line
}
