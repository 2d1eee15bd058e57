//! How a text is written for the word index, and a question for it: the same letters in one form, and
//! names in code by their parts as well as whole. Pure, and linear in the text.
//!
//! Where words begin and end is for the store's tokenizer to say; this only settles what the letters
//! are, which no tokenizer of LanceDB does for more than Latin ones.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

mod korean;

pub use korean::noun;

/// Characters of a name that is looked at for parts; what is longer is data.
const NAME_CHARS_MAX: usize = 64;

/// Letters that a part of a name has at least: of `LaTeX` no `X` is worth finding.
const PART_CHARS_MIN: usize = 2;

/// `text` for the word index: composed, of full width, without accents and vowel marks that people leave
/// out, each name such as `getUserById` followed by its parts, and a Korean noun that has a particle by itself.
pub fn searchable(text: &str) -> String {
    let text = folded(text);
    let mut written = String::with_capacity(text.len() + text.len() / 16);
    let mut at = 0;
    for word in words(&text) {
        written.push_str(&text[at..word.end]);
        at = word.end;
        let name = &text[word];
        let parts = parts(name);
        let parts = if parts.len() > 1 { parts } else { Vec::new() };
        let joined = joined(name, &parts).into_iter().map(|(_, both)| both);
        for part in parts.iter().cloned().chain(joined).map(|part| &name[part]).chain(noun(name)) {
            if part.chars().take(PART_CHARS_MIN).count() == PART_CHARS_MIN {
                written.push(' ');
                written.push_str(part);
            }
        }
    }
    written.push_str(&text[at..]);
    written
}

/// The text in one form, whatever the keyboard or the program that wrote it: ligatures, half-width kana
/// and composed accents are as one letter, and marks that are often left out are gone.
pub fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for letter in text.nfkd().filter(|c| !is_left_out(*c)) {
        match spelled(letter) {
            Some(spelling) => plain.push_str(spelling),
            None => plain.push(letter),
        }
    }
    Cow::Owned(plain.nfc().collect())
}

/// Letters that have no accent to leave out, as people write them who have no such key: `Strasse`, `Lodz`, `Orsted`.
/// The store's tokenizer has the same in mind, but only once it has cut off endings.
fn spelled(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'ẞ' => "SS",
        'æ' => "ae",
        'Æ' => "AE",
        'œ' => "oe",
        'Œ' => "OE",
        'ø' => "o",
        'Ø' => "O",
        'ł' => "l",
        'Ł' => "L",
        'đ' => "d",
        'Đ' => "D",
        'ħ' => "h",
        'Ħ' => "H",
        'ı' => "i",
        _ => return None,
    })
}

/// Accents, Hebrew points, Arabic vowel marks and the stretching stroke, soft hyphens and joiners. Not
/// the vowel signs of Indic and Thai writing, without which a word is another.
fn is_left_out(c: char) -> bool {
    matches!(
        c,
        '\u{0300}'..='\u{036f}'
            | '\u{0591}'..='\u{05bd}'
            | '\u{05bf}'
            | '\u{05c1}' | '\u{05c2}' | '\u{05c4}' | '\u{05c5}' | '\u{05c7}'
            | '\u{0640}'
            | '\u{064b}'..='\u{065f}'
            | '\u{0670}'
            | '\u{00ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
    )
}

/// Runs of letters and digits.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(char::is_alphanumeric)?;
        let length = text[start..].find(|c: char| !c.is_alphanumeric());
        at = length.map_or(text.len(), |length| start + length);
        Some(start..at)
    })
}

/// The parts of a name by its capitals, as `get`, `User`, `By`, `Id` and `XMLHTTP`, `Request`, and of one that has
/// some by its numbers, as `Server`, `2`, `Go`; one part where it has no capitals within, or is too long for a name.
pub fn parts(name: &str) -> Vec<Range<usize>> {
    let mut letters: Vec<(usize, char)> = name.char_indices().take(NAME_CHARS_MAX + 1).collect();
    if letters.len() > NAME_CHARS_MAX {
        letters.clear();
    }
    let mut begins = Vec::new();
    let mut has_capitals = false;
    for index in 1..letters.len() {
        let (at, letter) = letters[index];
        let before = letters[index - 1].1;
        let after = letters.get(index + 1).map(|(_, after)| *after);
        let begins_word = letter.is_uppercase() && !before.is_uppercase();
        let ends_capitals = letter.is_uppercase() && after.is_some_and(char::is_lowercase);
        has_capitals |= begins_word || ends_capitals;
        if begins_word || ends_capitals || letter.is_ascii_digit() != before.is_ascii_digit() {
            begins.push(at);
        }
    }
    if !has_capitals {
        begins.clear();
    }
    let mut start = 0;
    begins.push(name.len());
    begins.into_iter().map(|end| std::mem::replace(&mut start, end)..end).collect()
}

/// The neighbours among the `parts` of `name` that are a word together, each as the place of the first and where both
/// are: a letter and what it stands before, as in `iPhone`, and a number with what it counts, as in `Server2`.
pub fn joined(name: &str, parts: &[Range<usize>]) -> Vec<(usize, Range<usize>)> {
    let is_letter =
        |part: &str| part.chars().nth(1).is_none() && part.starts_with(char::is_alphabetic);
    let is_number = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let is_word = |first: &str, second: &str| {
        let is_whole =
            first.ends_with(char::is_alphanumeric) && second.starts_with(char::is_alphanumeric);
        let counts = !is_number(first) && is_number(second);
        is_whole && (counts || is_letter(first) && !is_letter(second))
    };
    let pairs = parts.windows(2).enumerate().filter_map(|(at, pair)| {
        let [first, second] = pair else { return None };
        let is_word = is_word(&name[first.clone()], &name[second.clone()]);
        is_word.then_some((at, first.start..second.end))
    });
    pairs.filter(|(_, both)| both.len() < name.len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_followed_by_their_parts() {
        let cases = [
            ("", ""),
            ("plain words, as they are", "plain words, as they are"),
            ("call getUserById(key)", "call getUserById get User By Id(key)"),
            ("XMLHTTPRequestFactory", "XMLHTTPRequestFactory XMLHTTP Request Factory"),
            ("parse_http_response", "parse_http_response"),
            ("RULE-A002, CVE-2024-1234", "RULE-A002, CVE-2024-1234"),
            ("HTTPServer2Go", "HTTPServer2Go HTTP Server Go Server2"),
            ("iPhone15ProMax", "iPhone15ProMax Phone 15 Pro Max iPhone Phone15"),
            ("xAxis, eBay", "xAxis Axis, eBay Bay"),
            ("MP3Player H2O", "MP3Player MP Player MP3 H2O H2"),
            ("sha256 x86_64 python3", "sha256 x86_64 python3"),
            ("LaTeX", "LaTeX La Te"),
            ("I am A", "I am A"),
            ("ПереченьДокументов", "ПереченьДокументов Перечень Документов"),
            ("서울은 비가 온다.", "서울은 서울 비가 온다."),
        ];
        for (text, expected) in cases {
            assert_eq!(searchable(text), expected);
        }
        let data = "aB".repeat(NAME_CHARS_MAX);
        assert_eq!(searchable(&data), data);
    }

    #[test]
    fn letters_have_one_form() {
        let cases = [
            ("café", "cafe"),
            ("cafe\u{301}", "cafe"),
            ("ﬁle №5 x²", "file No5 x2"),
            ("ﾌｨﾙﾀｰ", "フィルター"),
            ("カ\u{3099}", "ガ"),
            ("καλαφάτισμα", "καλαφατισμα"),
            ("ёлка и й", "елка и и"),
            ("مُحَمَّد", "محمد"),
            ("שָׁלוֹם", "שלום"),
            ("रोटी का आटा", "रोटी का आटा"),
            ("กุญแจสำรอง", "ก\u{e38}ญแจสํารอง"),
            ("한국", "한국"),
            ("co\u{ad}op\u{200b}", "coop"),
        ];
        for (text, expected) in cases {
            assert_eq!(folded(text), expected, "{text}");
            assert_eq!(folded(&folded(text)), folded(text), "{text} twice");
        }
    }
}
