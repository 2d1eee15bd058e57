//! Whether words stand in a text just so: letters in one form, small, white space single. Pure, and
//! linear in the text.

use std::borrow::Cow;
use std::ops::Range;

use crate::words::folded;

/// `text` as phrases are compared: whatever its case, its accents, its white space, the shape of its quotes and the marks
/// of emphasis in it.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let unseen = |c: char| c.is_whitespace() || c.is_control();
    for word in linked(&folded(text).to_lowercase()).split(unseen) {
        let mut letters = word.chars().filter(|c| !matches!(c, '*' | '`')).map(straight).peekable();
        if letters.peek().is_some() && !plain.is_empty() {
            plain.push(' ');
        }
        plain.extend(letters);
    }
    plain
}

/// `text` with what links say in place of them: `[said](address)`.
fn linked(text: &str) -> Cow<'_, str> {
    if !text.contains("](") {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("](") {
        let opened = before.rfind('[').filter(|at| !before[*at..].contains('\n'));
        let closed = behind.find([')', '\n']).filter(|at| behind[*at..].starts_with(')'));
        let (Some(opened), Some(closed)) = (opened, closed) else {
            plain.push_str(before);
            plain.push_str("](");
            rest = behind;
            continue;
        };
        plain.push_str(&before[..opened]);
        plain.push_str(&before[opened + 1..]);
        rest = &behind[closed + 1..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The quote that keyboards have, for those that programs put in its place.
pub(crate) fn straight(c: char) -> char {
    match c {
        '\u{2018}' | '\u{2019}' | '\u{201b}' => '\'',
        '\u{201c}'..='\u{201f}' => '"',
        _ => c,
    }
}

/// Where `phrase` stands in `text`, both [`plain`], as words of their own: `"art"` is not in `party`.
pub(crate) fn occurrences<'a>(
    text: &'a str,
    phrase: &'a str,
) -> impl Iterator<Item = Range<usize>> + 'a {
    let (first, last) = (phrase.chars().next(), phrase.chars().next_back());
    text.match_indices(phrase).map(|(at, found)| at..at + found.len()).filter(move |place| {
        !is_joined(text[..place.start].chars().next_back(), first)
            && !is_joined(last, text[place.end..].chars().next())
    })
}

/// Whether two letters that follow one another are of one word.
fn is_joined(before: Option<char>, after: Option<char>) -> bool {
    let is_inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && is_spaced(c));
    is_inside(before) && is_inside(after)
}

/// Whether the letter is of a writing with spaces between words and none within them. Thai, Chinese and
/// Japanese have none, and Korean writes particles onto its nouns.
fn is_spaced(c: char) -> bool {
    matches!(c, '\0'..='\u{0dff}' | '\u{1e00}'..='\u{1fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_stands_as_words_of_its_own() {
        let cases = [
            ("The  Night\n\twatch.", "night WATCH", true),
            ("the nightwatch", "night watch", false),
            ("a party", "art", false),
            ("state-of-the-art tools", "art", true),
            ("party art", "art", true),
            ("Ein Café, spät", "cafe", true),
            ("cafe", "Cafe\u{301}", true),
            ("std::fs::read", "fs::read", true),
            ("a -> b", "->", true),
            ("全文検索の索引", "検索", true),
            ("서울에서", "서울", true),
            ("ΟΔΟΣ", "οδός", true),
            ("İstanbul", "istanbul", true),
            ("", "a", false),
            ("It\u{2019}s late", "it's late", true),
            ("a **bold** text, and `code`", "bold text, and code", true),
            ("Große Straße", "GROSSE STRASSE", true),
            ("Łódź", "lodz", true),
            ("mix `bleach` with [ammonia](a.md), or not", "bleach with ammonia, or", true),
            ("a [b](c\nd) [e](f)", "d) e", true),
            ("a](b", "a](b", true),
        ];
        for (text, phrase, expected) in cases {
            let (text, phrase) = (plain(text), plain(phrase));
            assert_eq!(occurrences(&text, &phrase).next().is_some(), expected, "{phrase}: {text}");
        }
    }
}
