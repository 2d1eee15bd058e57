//! What of a question says where to search, and what is then left to search for. Pure.
//!
//! | written | holds for |
//! | --- | --- |
//! | `path:notes/` | documents of a folder, file or glob, as [`super::scope`] reads it |
//! | `type:pdf` | documents of an ending or a class of them: doc, slides, sheet, mail, code, ... |
//! | `lang:rust` | documents in a programming language |
//! | `tag:x` | documents tagged so, or `x/...` |
//! | `after:2024-05`, `before:7d` | documents written from that day on, or before it; `after:12h` from that hour on |
//! | `-path:archive`, and so on | documents of which the filter does not hold |
//! | `"quoted phrase"` | passages in which it stands |
//! | `-word` | passages without the word |
//!
//! What a document has one of (a folder, a type, a language) may be one of several that are named; all
//! else must hold; `type:md,txt` names two. A value with spaces is quoted: `path:"my notes"`. What is none of these is a
//! word, and what begins as one of them and cannot be read is told to be one.
//!
//! Questions are often about commands, and `tar -xzf` does not mean to leave something out. So `-word`
//! counts at the question's end alone, behind something else to search for; not behind a command; and
//! only where nothing else in the question begins with `-`. See `exclusions`.

mod date;
mod kinds;

pub use date::Clock;
pub(super) use kinds::ends_in;

use crate::limits::PHRASES_MAX;
use crate::phrase::{plain, straight};
use crate::snippet::STOP_WORDS;

#[cfg(test)]
mod tests;

/// Letters that a word to be left out has at least; most flags have fewer.
const WITHOUT_LETTERS_MIN: usize = 3;

/// Notes on one question, and characters of what each is about.
const NOTES_MAX: usize = 8;
const NOTED_CHARS_MAX: usize = 64;

/// Commands that are little else: a `-word` one or two words behind one is its flag.
#[rustfmt::skip]
const COMMANDS: &[&str] = &[
    "apt", "awk", "bash", "brew", "cargo", "chmod", "chown", "clang", "cmake", "curl", "dnf",
    "docker", "ffmpeg", "find", "gcc", "git", "gpg", "grep", "gzip", "iptables", "javac", "jq",
    "journalctl", "kubectl", "ls", "lsof", "mkdir", "mount", "mv", "mysql", "netstat", "nmap", "npm",
    "openssl", "pacman", "pip", "podman", "ps", "psql", "rg", "rm", "rsync", "rustc", "scp", "sed",
    "ssh", "sudo", "systemctl", "tar", "terraform", "tmux", "unzip", "wget", "xargs", "yarn", "zip",
];

/// Commands that are words of other questions too: only right before it.
#[rustfmt::skip]
const COMMON_COMMANDS: &[&str] = &[
    "cat", "convert", "cp", "cut", "date", "diff", "echo", "go", "head", "java", "kill", "less", "ln",
    "make", "man", "more", "node", "perl", "php", "python", "python3", "ruby", "run", "sort", "swift",
    "tail", "test", "top", "vim", "watch",
];

/// A question taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// What is searched for, embedded, thought about and read: the words, a phrase's among them.
    pub words: String,
    pub filters: Filters,
    /// What looks like a filter and is none, each as a sentence.
    pub notes: Vec<String>,
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    pub documents: Vec<Condition>,
    /// Each `plain`.
    pub phrases: Vec<String>,
    pub without: Vec<String>,
}

/// One filter of documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// As it stands in the question, for messages.
    pub written: String,
    pub excluded: bool,
    pub asked: Asked,
}

/// What is asked of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Path(String),
    /// Endings, or whole names, of files.
    Type(Vec<String>),
    Language(Vec<String>),
    /// As `plain`.
    Tag(String),
    /// Nanoseconds since 1970.
    After(i64),
    Before(i64),
}

/// A piece of a question between white space, or in quotes.
#[derive(Debug)]
enum Token<'a> {
    Word(&'a str),
    /// What is between the quotes, and the mark that may follow them.
    Phrase(&'a str, &'a str),
    /// A word that may be one to be left out; with its `-`.
    Minus(&'a str),
    Condition(Condition),
}

/// Takes `text` apart. Without a filter the words are the text.
pub fn parse(text: &str, clock: impl Into<Clock>) -> Parsed {
    // Programs in which people write make other quotes of those that they type.
    let straight: String = text.chars().map(straight).collect();
    let (tokens, notes) = tokens(&straight, clock.into());
    let excluding = exclusions(&tokens);
    let mut filters = Filters::default();
    let mut words: Vec<String> = Vec::new();
    for (index, token) in tokens.into_iter().enumerate() {
        match token {
            Token::Condition(condition) => filters.documents.push(condition),
            Token::Minus(word) if index >= excluding => filters.without.push(plain(&word[1..])),
            Token::Word(word) | Token::Minus(word) => words.push(word.to_owned()),
            Token::Phrase(phrase, mark) => {
                // Those of a pasted list are words.
                if filters.phrases.len() < PHRASES_MAX {
                    filters.phrases.push(plain(phrase));
                }
                words.push(format!("{}{mark}", phrase.trim()));
            }
        }
    }
    let words =
        if filters == Filters::default() { text.trim().to_owned() } else { words.join(" ") };
    Parsed { words, filters, notes }
}

fn tokens(text: &str, clock: Clock) -> (Vec<Token<'_>>, Vec<String>) {
    let (mut tokens, mut notes) = (Vec::new(), Vec::new());
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let word = rest.split(char::is_whitespace).next().unwrap_or(rest);
        let filter = if rest.starts_with('"') { None } else { condition(rest, word, clock) };
        if let Some(Err(kind)) = filter
            && notes.len() < NOTES_MAX
        {
            let noted: String = word.chars().take(NOTED_CHARS_MAX).collect();
            notes.push(format!("{noted} is {kind}, so it is searched for as words"));
        }
        let (token, length) = match (phrase(rest), filter) {
            (Some(phrase), _) => phrase,
            (None, Some(Ok((condition, length)))) => (Token::Condition(condition), length),
            _ if is_exclusion(word) => (Token::Minus(word), word.len()),
            _ => (Token::Word(word), word.len()),
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    (tokens, notes)
}

/// A phrase in quotes at the beginning of `rest`, and its length with them. One mark may follow it, as in
/// `what is a "heat pump"?`; with any other letter behind, the quotes are of a text of their own.
fn phrase(rest: &str) -> Option<(Token<'_>, usize)> {
    let (inside, behind) = rest.strip_prefix('"')?.split_once('"')?;
    let mark = behind.split(char::is_whitespace).next().unwrap_or_default();
    let is_phrase = matches!(mark, "" | "." | "," | ";" | "?" | "!") && !plain(inside).is_empty();
    is_phrase.then(|| (Token::Phrase(inside, mark), inside.len() + 2 + mark.len()))
}

/// A filter of documents at the beginning of `rest`, whose first word is `word`, and its length; or what it is not, if it
/// begins as one.
fn condition(
    rest: &str,
    word: &str,
    clock: Clock,
) -> Option<Result<(Condition, usize), &'static str>> {
    let (key, value) = word.split_once(':')?;
    let (excluded, key) = key.strip_prefix('-').map_or((false, key), |key| (true, key));
    let (value, length) = match rest[word.len() - value.len()..].strip_prefix('"') {
        Some(quoted) => {
            let (value, behind) = quoted.split_once('"')?;
            if behind.starts_with(|c: char| !c.is_whitespace()) {
                return None;
            }
            (value, rest.len() - behind.len())
        }
        None => (value, word.len()),
    };
    let asked = asked(key, value.trim(), clock)?;
    let condition = |asked| Condition { written: rest[..length].to_owned(), excluded, asked };
    Some(asked.map(|asked| (condition(asked), length)))
}

/// What a filter asks of a document, or what its value is not; nothing if `key` is none of a filter.
fn asked(key: &str, value: &str, clock: Clock) -> Option<Result<Asked, &'static str>> {
    // `path::new` is code and `path://x` an address.
    if value.is_empty() || value.starts_with(':') || value.starts_with("//") {
        return None;
    }
    let small = value.trim_end_matches([',', '.', ';', '?', '!']).to_lowercase();
    let kinds = |of: fn(&str) -> Option<Vec<String>>| {
        let all: Option<Vec<_>> = small.split(',').map(of).collect();
        all.map(|all| all.concat())
    };
    let date = || date::date(&small, clock).ok_or("no date");
    Some(match key {
        "path" => Ok(Asked::Path(value.to_owned())),
        "tag" => {
            let tag = plain(value.trim_start_matches('#'));
            if tag.is_empty() { Err("no tag") } else { Ok(Asked::Tag(tag)) }
        }
        "type" => kinds(kinds::of_type).map(Asked::Type).ok_or("no type of file"),
        "lang" => kinds(kinds::of_language).map(Asked::Language).ok_or("no language known here"),
        "after" => date().map(Asked::After),
        "before" => date().map(Asked::Before),
        _ => return None,
    })
}

/// Whether `word` may be one to be left out. Letters without a vowel are flags in a row, as of
/// `tar -xzf`, unless they are what a kind of file is called.
fn is_exclusion(word: &str) -> bool {
    let Some(word) = word.strip_prefix('-') else { return false };
    // As it is compared: of marks alone, which are letters too, nothing would be left.
    let said = plain(word);
    let begins = said.chars().take_while(|c| c.is_alphabetic()).count() >= WITHOUT_LETTERS_MIN;
    let small = word.to_lowercase();
    let is_said = !small.is_ascii() || small.contains(['a', 'e', 'i', 'o', 'u', 'y']);
    begins && said.chars().all(char::is_alphanumeric) && (is_said || kinds::is_kind(&small))
}

/// From which of `tokens` on words with a `-` are to be left out: those at the end of the question, among
/// filters of documents; none if it may be a command that is asked about.
fn exclusions(tokens: &[Token<'_>]) -> usize {
    let none = tokens.len();
    let is_tail = |token: &Token<'_>| matches!(token, Token::Minus(_) | Token::Condition(_));
    let start = tokens.iter().rposition(|token| !is_tail(token)).map_or(0, |last| last + 1);
    let before = &tokens[..start];
    let is_flag = |token: &Token<'_>| match token {
        Token::Word(word) => word.len() > 1 && word.starts_with('-'),
        Token::Minus(_) => true,
        Token::Phrase(..) | Token::Condition(_) => false,
    };
    let tells = |token: &Token<'_>| match token {
        Token::Word(word) => {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            !word.is_empty() && !STOP_WORDS.contains(&word.as_str())
        }
        Token::Phrase(..) => true,
        Token::Minus(_) | Token::Condition(_) => false,
    };
    let is_called = |token: Option<&Token<'_>>, names: &[&str]| {
        let word = token.map(|token| if let Token::Word(word) = token { *word } else { "" });
        word.is_some_and(|word| names.contains(&word.to_lowercase().as_str()))
    };
    let mut last = before.iter().rev();
    let (last, second) = (last.next(), last.next());
    let is_command = is_called(last, COMMANDS)
        || is_called(last, COMMON_COMMANDS)
        || is_called(second, COMMANDS);
    let counts = !before.iter().any(is_flag) && before.iter().any(tells) && !is_command;
    if counts { start } else { none }
}
