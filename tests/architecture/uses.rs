//! The names that a Rust file takes from elsewhere, read from its text.
//!
//! No compiler: macros are not expanded, and a name that was brought in by `use` is not followed
//! where it is used. What is left out on purpose is tests, for they may take what they like.

/// `["crate", "gguf", "open"]`.
type Names<'t> = Vec<&'t str>;

#[derive(Default)]
pub(super) struct Paths<'t> {
    /// Those that a `use` brings in, of other packages too.
    pub(super) brought: Vec<Names<'t>>,
    /// Those that begin with `crate`, `self` or `super` where they are used.
    pub(super) written_out: Vec<Names<'t>>,
}

pub(super) fn paths(text: &str) -> Paths<'_> {
    let tokens = tokens(text);
    let mut tokens = tokens.as_slice();
    let mut paths = Paths::default();
    while let [_, rest @ ..] = tokens {
        tokens = match tokens {
            ["#", "[", "cfg", "(", "test", ")", "]", item @ ..] => after_item(item),
            ["use", tree @ ..] => after_tree(tree, &[], &mut paths.brought),
            ["crate" | "self" | "super", "::", ..] => {
                after_tree(tokens, &[], &mut paths.written_out)
            }
            _ => rest,
        };
    }
    paths
}

/// Adds the paths of the tree that `tokens` begin with, each of them below `before`. A path outside
/// of a `use` is a tree with one branch.
fn after_tree<'a, 't>(
    mut tokens: &'a [&'t str],
    before: &[&'t str],
    paths: &mut Vec<Names<'t>>,
) -> &'a [&'t str] {
    let mut path = before.to_vec();
    loop {
        match tokens {
            [name, "::", rest @ ..] if begins_name(name) => {
                path.push(name);
                tokens = rest;
            }
            ["{", rest @ ..] => {
                tokens = after_tree(rest, &path, paths);
                while let [",", rest @ ..] = tokens {
                    tokens = after_tree(rest, &path, paths);
                }
                return tokens.strip_prefix(&["}"]).unwrap_or(tokens);
            }
            [name, "as", _, rest @ ..] | [name, rest @ ..] if begins_name(name) => {
                // In braces it is the name before them.
                if *name != "self" {
                    path.push(name);
                }
                paths.push(path);
                return rest;
            }
            ["*", rest @ ..] => {
                paths.push(path);
                return rest;
            }
            // What `::<` says of the name before it; or nothing, after a last comma.
            _ => {
                if path.len() > before.len() {
                    paths.push(path);
                }
                return tokens;
            }
        }
    }
}

/// An item ends with its semicolon or its outermost brace.
fn after_item<'a, 't>(mut tokens: &'a [&'t str]) -> &'a [&'t str] {
    let mut depth = 0;
    while let [token, rest @ ..] = tokens {
        tokens = rest;
        match *token {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth <= 0 && matches!(*token, ";" | "}") {
            break;
        }
    }
    tokens
}

/// Names, `::` and every other character by itself, without what is not code.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, is_code) = match not_code(rest) {
            Some(length) => (length, false),
            None if begins_name(rest) => {
                let continues = |c: char| c.is_alphanumeric() || c == '_';
                (rest.find(|c| !continues(c)).unwrap_or(rest.len()), true)
            }
            None if rest.starts_with("::") => (2, true),
            None => (first.len_utf8(), true),
        };
        let (token, after) = rest.split_at(length);
        if is_code {
            tokens.push(token);
        }
        rest = after;
    }
    tokens
}

fn begins_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Length of the blank, comment, string or character that `text` begins with.
fn not_code(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let until = |end: &str, from: usize| {
        let found = text.get(from..).and_then(|text| text.find(end));
        found.map_or(text.len(), |at| from + at + end.len())
    };
    match bytes {
        [b' ' | b'\n' | b'\t' | b'\r', ..] => Some(1),
        [b'/', b'/', ..] => Some(until("\n", 2)),
        [b'/', b'*', ..] => Some(until("*/", 2)),
        [b'r', b'"' | b'#', ..] => raw_string(text, 1),
        [b'b' | b'c', b'r', b'"' | b'#', ..] => raw_string(text, 2),
        [b'"', ..] => Some(quoted(bytes, b'"')),
        [b'\'', b'\\', ..] => Some(quoted(bytes, b'\'')),
        // Else it is a lifetime, whose name does no harm.
        [b'\'', ..] if text.chars().nth(2) == Some('\'') => Some(until("'", 1)),
        _ => None,
    }
}

/// Length of what begins with a quote and ends with one that no backslash precedes.
fn quoted(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    bytes.len().min(at + 1)
}

/// Length of a string whose hashes begin at `from`; a name such as `r#type` has no quote after them.
fn raw_string(text: &str, from: usize) -> Option<usize> {
    let hashes = text[from..].bytes().take_while(|byte| *byte == b'#').count();
    let body = text[from + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(from + hashes + 1 + length)
}

#[test]
fn paths_are_read_as_the_compiler_does() {
    // A text, what it brings in, and what it writes out.
    type Case = (&'static str, &'static [&'static str], &'static [&'static str]);
    let cases: &[Case] = &[
        ("use crate::gguf;", &["crate::gguf"], &[]),
        ("pub use super::a::B as C;", &["super::a::B"], &[]),
        (
            "use crate::{a, b::{self, C, d::*}, e as f,\n};\nuse crate::g;",
            &["crate::a", "crate::b", "crate::b::C", "crate::b::d", "crate::e", "crate::g"],
            &[],
        ),
        ("use crate::a::{\n    B,\n    C,\n};", &["crate::a::B", "crate::a::C"], &[]),
        ("use draw::{Draw, *};", &["draw::Draw", "draw"], &[]),
        ("use ::serde::Serialize; use super::x;", &["super::x"], &[]),
        ("impl crate::T for super::U { }", &[], &["crate::T", "super::U"]),
        (
            "let a = crate::a::B { c: super::super::d::<u8>(self::E as u8) };",
            &[],
            &["crate::a::B", "super::super::d", "self::E"],
        ),
        ("pub(crate) fn f(self: &Self) -> impl Sized + use<'_> { self.x }", &[], &[]),
        (
            "// use crate::a;\n/// [`crate::b`]\n/* use\ncrate::c; */ use crate::d;",
            &["crate::d"],
            &[],
        ),
        (r#"f("use \" crate::a;", '"', '\'', '\\', crate::b, "crate::c");"#, &[], &["crate::b"]),
        ("f(r#\"\" crate::a\"#, br\"\\\", 'x', r#type, crate::b::<'x>());", &[], &["crate::b"]),
        ("#[cfg(test)]\n#[path = \"t.rs\"]\nmod tests;\nuse crate::a;", &["crate::a"], &[]),
        (
            "use crate::a;\n#[cfg(test)]\nmod tests { use crate::b; fn f() {} use crate::c; }",
            &["crate::a"],
            &[],
        ),
        ("#[cfg(test)]\nfn f(x: [u8; 4]) { crate::a() }\nuse crate::b;", &["crate::b"], &[]),
    ];
    let joined =
        |paths: &[Names<'_>]| -> Vec<String> { paths.iter().map(|path| path.join("::")).collect() };
    for (text, brought, written_out) in cases {
        let paths = paths(text);
        assert_eq!(joined(&paths.brought), *brought, "{text}");
        assert_eq!(joined(&paths.written_out), *written_out, "{text}");
    }
}
