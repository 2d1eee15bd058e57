//! The glyphs of a line in, its text out: spaces where there is room, and right-to-left text in the order
//! in which it is read. Pure.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

use super::fragment::Fragment;
use super::glyphs::Glyph;

/// Of the size: a wider gap is a space. The narrowest word space of a line set tight is 0.18, the widest
/// kern 0.1.
const SPACE: f64 = 0.13;

/// Of the size: writing without spaces is set apart by less than this.
const SPACE_CJK: f64 = 0.4;

/// Of the size: letters set apart further than this are read as words.
const TRACKING_MAX: f64 = 0.2;

/// Glyphs that show how far apart letters are set.
const TRACKED_MIN: usize = 6;

/// What is read for a glyph's own text: letters for ligatures, and nothing for what is not text.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{fb00}'..='\u{fb06}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' => {
                clean.extend(std::iter::once(c).nfkc());
            }
            '\t' | '\n' | '\r' | '\u{a0}' => clean.push(' '),
            '\u{fffd}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{200b}' => {}
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            _ if c.is_control() || is_private(c) => {}
            _ => clean.push(c),
        }
    }
    clean
}

/// Whether a character means something in one font only.
fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..)
}

/// Whether text is written from right to left.
pub(super) fn is_rtl(text: &str) -> bool {
    text.chars().any(|c| {
        matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
            && !matches!(c, '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}')
    })
}

/// Whether a character belongs to writing without spaces between words.
pub(super) fn is_cjk(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{312f}' | '\u{31a0}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

/// The text of a line.
pub(super) fn text(mut fragments: Vec<Fragment>) -> String {
    fragments.sort_by(|one, other| one.span.start.total_cmp(&other.span.start));
    let has_rtl = fragments.iter().flat_map(|f| &f.glyphs).any(|glyph| is_rtl(&glyph.text));
    let pieces = if has_rtl {
        let glyphs: Vec<Glyph> = fragments.into_iter().flat_map(|f| f.glyphs).collect();
        let is_visual = is_visual(&glyphs);
        let mut glyphs = with_marks(glyphs);
        glyphs.sort_by(|one, other| one.start().total_cmp(&other.start()));
        logical(spaced(&glyphs), is_visual)
    } else {
        let glyphs: Vec<Glyph> = fragments.into_iter().flat_map(|f| f.glyphs).collect();
        spaced(&accented(glyphs))
    };
    let text: String = pieces.concat();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// Puts accents that are drawn by themselves, as TeX does, onto the letters that they are drawn over.
fn accented(glyphs: Vec<Glyph>) -> Vec<Glyph> {
    let mut read: Vec<Glyph> = Vec::with_capacity(glyphs.len());
    for glyph in glyphs {
        let both = read.last().and_then(|last| {
            let ahead = over(last, &glyph).map(|text| Glyph { text, ..glyph.clone() });
            ahead.or_else(|| over(&glyph, last).map(|text| Glyph { text, ..last.clone() }))
        });
        match both {
            Some(both) => {
                read.pop();
                read.push(both);
            }
            None => read.push(glyph),
        }
    }
    read
}

/// The letter with the accent, if one is drawn over the other and there is such a letter.
fn over(accent: &Glyph, letter: &Glyph) -> Option<String> {
    let combining = match accent.text.as_str() {
        "`" => '\u{300}',
        "´" | "\u{2ca}" => '\u{301}',
        "^" | "ˆ" => '\u{302}',
        "~" | "˜" => '\u{303}',
        "¯" => '\u{304}',
        "˘" => '\u{306}',
        "˙" => '\u{307}',
        "¨" => '\u{308}',
        "˚" => '\u{30a}',
        "˝" => '\u{30b}',
        "ˇ" => '\u{30c}',
        "¸" => '\u{327}',
        "˛" => '\u{328}',
        _ => return None,
    };
    let common = accent.end().min(letter.end()) - accent.start().max(letter.start());
    if common < 0.6 * accent.advance.min(letter.advance) {
        return None;
    }
    let letter = match letter.text.as_str() {
        "ı" => "i",
        "ȷ" => "j",
        text => text,
    };
    let both: String = letter.chars().chain([combining]).nfc().collect();
    let is_one = letter.chars().all(char::is_alphabetic) && both.chars().count() == 1;
    is_one.then_some(both)
}

/// The texts of glyphs from left to right, with a space between words.
fn spaced(glyphs: &[Glyph]) -> Vec<String> {
    let wide = space_width(glyphs);
    let mut pieces: Vec<String> = Vec::with_capacity(glyphs.len() * 5 / 4);
    let mut last: Option<&Glyph> = None;
    for glyph in glyphs {
        if last.is_some_and(|last| is_apart(last, glyph, wide)) {
            pieces.push(" ".to_owned());
        }
        pieces.push(glyph.text.clone());
        last = Some(glyph);
    }
    pieces
}

fn is_apart(last: &Glyph, next: &Glyph, wide: f64) -> bool {
    let ends_cjk = last.text.chars().next_back().is_some_and(is_cjk);
    let begins_cjk = next.text.chars().next().is_some_and(is_cjk);
    let wide = if ends_cjk || begins_cjk { wide.max(SPACE_CJK) } else { wide };
    gap(last, next) > wide || is_note(last, next)
}

/// Whether a raised digit stands before a word that it is no part of.
fn is_note(last: &Glyph, next: &Glyph) -> bool {
    last.text.ends_with(char::is_numeric)
        && next.text.starts_with(char::is_alphabetic)
        && last.size < 0.85 * next.size
        && last.base() < next.base() - 0.15 * next.size
}

/// Between two glyphs, in sizes.
fn gap(last: &Glyph, next: &Glyph) -> f64 {
    (next.start() - last.end()) / last.size.max(next.size)
}

/// What is a space in this line: more, if its letters are all set apart.
fn space_width(glyphs: &[Glyph]) -> f64 {
    let letters = glyphs.windows(2).filter(|pair| !pair[0].is_space() && !pair[1].is_space());
    let mut gaps: Vec<f64> = letters.map(|pair| gap(&pair[0], &pair[1])).collect();
    if gaps.len() < TRACKED_MIN {
        return SPACE;
    }
    gaps.sort_by(f64::total_cmp);
    let middle = gaps.get(gaps.len() / 2).copied().unwrap_or_default();
    SPACE + middle.clamp(0.0, TRACKING_MAX)
}

/// Puts marks above and below letters of right-to-left text to the letter they were drawn after, for
/// their own place is anywhere within it.
fn with_marks(glyphs: Vec<Glyph>) -> Vec<Glyph> {
    let mut with: Vec<Glyph> = Vec::with_capacity(glyphs.len());
    for glyph in glyphs {
        let is_mark = is_rtl(&glyph.text)
            && glyph.text.chars().all(|c| is_combining_mark(c) || canonical_combining_class(c) > 0);
        match with.last_mut() {
            Some(last) if is_mark && gap(last, &glyph).abs() < 1.5 => last.text += &glyph.text,
            _ => with.push(glyph),
        }
    }
    with
}

/// Whether right-to-left letters were drawn from left to right, that is, as they look.
fn is_visual(glyphs: &[Glyph]) -> bool {
    let pairs = glyphs.windows(2).filter(|pair| is_rtl(&pair[0].text) && is_rtl(&pair[1].text));
    let (mut right, mut left) = (0, 0);
    for pair in pairs {
        if pair[1].start() > pair[0].start() { right += 1 } else { left += 1 }
    }
    right > left
}

/// Which way a piece is read.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Left,
    Right,
    /// As its neighbours are.
    Any,
}

fn way(piece: &str) -> Way {
    match piece {
        _ if is_rtl(piece) => Way::Left,
        _ if piece.chars().any(char::is_alphanumeric) => Way::Right,
        _ => Way::Any,
    }
}

/// Pieces in the order in which they stand, put in the order in which they are read.
fn logical(pieces: Vec<String>, is_visual: bool) -> Vec<String> {
    let letters = |is: fn(&str) -> bool| pieces.iter().filter(|piece| is(piece)).count();
    let left = letters(is_rtl);
    let right = letters(|piece| piece.chars().any(char::is_alphabetic) && !is_rtl(piece));
    if left >= right {
        return leftward(pieces, is_visual);
    }
    let mut read = Vec::with_capacity(pieces.len());
    let mut rest = pieces.as_slice();
    while let Some(first) = rest.iter().position(|piece| is_rtl(piece)) {
        let is_latin = |piece: &String| !is_rtl(piece) && piece.chars().any(char::is_alphabetic);
        let until = rest[first..].iter().position(is_latin).map_or(rest.len(), |at| first + at);
        let last = rest[..until].iter().rposition(|piece| is_rtl(piece)).unwrap_or(first);
        read.extend_from_slice(&rest[..first]);
        read.extend(leftward(rest[first..=last].to_vec(), is_visual));
        rest = &rest[last + 1..];
    }
    read.extend_from_slice(rest);
    read
}

/// All from the right, but for what within is read from the left.
fn leftward(mut pieces: Vec<String>, is_visual: bool) -> Vec<String> {
    pieces.reverse();
    let ways: Vec<Way> = pieces.iter().map(|piece| way(piece)).collect();
    let mut at = 0;
    while at < pieces.len() {
        if ways[at] != Way::Right {
            if is_visual && ways[at] == Way::Any {
                pieces[at] = pieces[at].chars().map(mirrored).collect();
            }
            at += 1;
            continue;
        }
        let until =
            ways[at..].iter().position(|&way| way == Way::Left).map_or(pieces.len(), |n| at + n);
        let last = ways[at..until].iter().rposition(|&way| way == Way::Right).unwrap_or(0);
        pieces[at..=at + last].reverse();
        at += last + 1;
    }
    pieces
}

fn mirrored(c: char) -> char {
    const PAIRS: &[(char, char)] = &[('(', ')'), ('[', ']'), ('{', '}'), ('<', '>'), ('«', '»')];
    let other = |&(open, close): &(char, char)| match c {
        _ if c == open => Some(close),
        _ if c == close => Some(open),
        _ => None,
    };
    PAIRS.iter().find_map(other).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cleaned_of_what_is_none() {
        let cases = [
            ("ﬁ", "fi"),
            ("ﬄ", "ffl"),
            ("ﬅ", "st"),
            ("ﻻ", "لا"),
            ("ﺑ", "ب"),
            ("a\u{0}b\u{fffd}c", "abc"),
            ("\u{200f}\u{202b}x", "x"),
            ("\u{f0b7}", ""),
            ("\u{a0}", " "),
            ("½", "½"),
        ];
        for (given, want) in cases {
            assert_eq!(clean(given), want, "{given:?}");
        }
    }
}
