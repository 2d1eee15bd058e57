//! Tags in the text of a note, as Obsidian and others have them: `#inbox`, `#book/to-read`. Pure, and linear in the text.

use super::{closes, opens};

/// Tags of one note; with more it is a page of colours or a log.
const TAGS_MAX: usize = 64;

/// Bytes of a tag.
const TAG_BYTES_MAX: usize = 128;

/// The tags in `text` outside code, in order.
pub(super) fn tags(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    let mut fence = None;
    for line in text.lines().filter(|line| line.contains(['#', '`', '~'])) {
        let bare = line.trim_start_matches([' ', '\t', '>', '-', '*', '+']);
        match fence {
            Some(open) if closes(bare, open) => fence = None,
            Some(_) => {}
            None => fence = opens(bare),
        }
        if fence.is_some() {
            continue;
        }
        // Between backticks is code.
        for said in line.split('`').step_by(2) {
            for word in said.split_whitespace() {
                if let Some(tag) = tag(word)
                    && !found.contains(&tag)
                    && found.len() < TAGS_MAX
                {
                    found.push(tag);
                }
            }
        }
    }
    found
}

/// The tag that a word begins with. A number with the sign before it is none: it is an issue's, or a place in a list.
fn tag(word: &str) -> Option<&str> {
    let rest = word.strip_prefix('#')?;
    let is_inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/');
    let end = rest.find(|c| !is_inside(c)).unwrap_or(rest.len());
    // `#a.b` and `#[a]` are code, `#a,` is not.
    let behind = rest[end..].trim_end_matches(|c: char| !c.is_alphanumeric());
    let tag = rest[..end].trim_end_matches('/');
    let is_tag = tag.contains(char::is_alphabetic) && tag.len() <= TAG_BYTES_MAX;
    (is_tag && behind.is_empty()).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_words_with_a_sign_before_them() {
        let cases: [(&str, &[&str]); 12] = [
            ("#inbox and #book/to-read, (#no)", &["inbox", "book/to-read"]),
            ("# Heading #tag\n## Other", &["tag"]),
            ("- #one\n> #two #one", &["one", "two"]),
            ("#1 #12 #2024-05 #y2024", &["y2024"]),
            ("a#b [x](#c) https://x.y/#d", &[]),
            ("`#code` #tag `a` #b", &["tag", "b"]),
            ("```\n#include\n```\n#after", &["after"]),
            ("~~~~\n#a\n~~~\n#b\n~~~~\n#c", &["c"]),
            ("#[derive] #a.b #a: #ok!", &["a", "ok"]),
            ("#überblick #日記", &["überblick", "日記"]),
            ("#a/ #/", &["a"]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(tags(text), expected, "{text}");
        }
        let many: String = (0..99).map(|number| format!("#tag{number} ")).collect();
        assert_eq!(tags(&many).len(), TAGS_MAX);
    }
}
