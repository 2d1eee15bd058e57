//! Letters with accents as TeX and BibTeX write them in ASCII, to the letters: `M\"unchen`, `G{\"o}del`, `\v{s}`,
//! `Gr\"o{\ss}e`. Pure, and linear in the text. No line is added or lost.

use unicode_normalization::char::compose;

/// Signs and letters that put an accent on what follows, and the mark that it is.
const ACCENTS: &[(char, char)] = &[
    ('`', '\u{300}'),
    ('\'', '\u{301}'),
    ('^', '\u{302}'),
    ('~', '\u{303}'),
    ('=', '\u{304}'),
    ('u', '\u{306}'),
    ('.', '\u{307}'),
    ('"', '\u{308}'),
    ('r', '\u{30a}'),
    ('H', '\u{30b}'),
    ('v', '\u{30c}'),
    ('c', '\u{327}'),
    ('k', '\u{328}'),
    ('d', '\u{323}'),
];

/// Commands that are a letter.
#[rustfmt::skip]
const LETTERS: &[(&str, char)] = &[
    ("AA", 'Å'), ("AE", 'Æ'), ("DH", 'Ð'), ("DJ", 'Đ'), ("L", 'Ł'), ("O", 'Ø'), ("OE", 'Œ'), ("TH", 'Þ'),
    ("aa", 'å'), ("ae", 'æ'), ("dh", 'ð'), ("dj", 'đ'), ("i", 'ı'), ("l", 'ł'), ("o", 'ø'), ("oe", 'œ'), ("ss", 'ß'),
    ("th", 'þ'),
];

/// The text with letters in place of what stands for them.
pub(super) fn written(text: String) -> String {
    if !text.contains('\\') {
        return text;
    }
    let mut written = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('\\') {
        written.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some((letter, taken)) = letter(&rest[1..]) else {
            // Another command; of two backslashes, the second begins none.
            let taken = if rest[1..].starts_with('\\') { 2 } else { 1 };
            written.push_str(&rest[..taken]);
            rest = &rest[taken..];
            continue;
        };
        rest = &rest[1 + taken..];
        // Braces around it keep it together, and say nothing.
        if written.ends_with('{') && rest.starts_with('}') {
            written.pop();
            rest = &rest[1..];
        }
        written.push(letter);
    }
    written + rest
}

/// The letter that a command stands for, without its backslash, and the bytes of it.
fn letter(command: &str) -> Option<(char, usize)> {
    let accent = command.chars().next()?;
    if let Some((_, mark)) = ACCENTS.iter().find(|(name, _)| *name == accent)
        && let Some((base, taken)) = accented(&command[1..], accent.is_ascii_alphabetic())
        && let Some(letter) = compose(base, *mark).filter(|letter| *letter < '\u{250}')
    {
        return Some((letter, 1 + taken));
    }
    named(command)
}

/// The letter behind an accent, in braces or not, and the bytes of it. `spelled` is an accent that is a letter itself,
/// which is a command of its own only before a brace or a blank.
fn accented(rest: &str, spelled: bool) -> Option<(char, usize)> {
    let bare = rest.strip_prefix('{');
    let blank = usize::from(bare.is_none() && spelled);
    if blank > 0 && !rest.starts_with(' ') {
        return None;
    }
    let inside = bare.unwrap_or(&rest[blank..]);
    // An i or j without its dot, which the accent stands in place of.
    let dotless = inside.strip_prefix('\\').filter(|name| name.starts_with(['i', 'j']));
    let base = dotless.unwrap_or(inside).chars().next().filter(char::is_ascii_alphabetic)?;
    let mut taken = rest.len() - inside.len() + usize::from(dotless.is_some()) + 1;
    if dotless.is_some() {
        let behind = &rest[taken..];
        if behind.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        taken += usize::from(bare.is_none() && behind.starts_with(' '));
    }
    if bare.is_some() {
        rest[taken..].starts_with('}').then_some((base, taken + 1))
    } else {
        Some((base, taken))
    }
}

/// A command that is a letter, with the blank or the braces that end its name.
fn named(command: &str) -> Option<(char, usize)> {
    let length = command.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(command.len());
    let (_, letter) = LETTERS.iter().find(|(name, _)| *name == &command[..length])?;
    let behind = &command[length..];
    let end = if behind.starts_with("{}") { 2 } else { usize::from(behind.starts_with(' ')) };
    Some((*letter, length + end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_a_letter_is_one() {
        let cases = [
            (r#"M\"unchen, G{\"o}del, \"{U}ber"#, "München, Gödel, Über"),
            (r#"Gr\"o{\ss}e, Stra\ss e, Fu\ss{}ball"#, "Größe, Straße, Fußball"),
            (r#"na\"{\i}ve, na{\"\i}ve, na\"\i ve"#, "naïve, naïve, naïve"),
            (r"caf\'e, \`a, \^{e}tre, Se\~nor", "café, à, être, Señor"),
            (r"\v{S}koda, Dvo{\v r}{\'a}k, \c{c}a, {\c c}a", "Škoda, Dvořák, ça, ça"),
            (r"\H{o}, \k{a}, \.{z}, \u{g}, \r{a}, \=a", "ő, ą, ż, ğ, å, ā"),
            (r"{\L}\'od\'z, S{\o}ren, {\AA}rhus, \OE uvre", "Łódź, Søren, Århus, Œuvre"),
            // Other commands, and signs that stand for themselves.
            (r"\begin{a} \cite{b} \url{c} \i{}", r"\begin{a} \cite{b} \url{c} ı"),
            (r"\item \% \& \\ \ \\'a \verb", r"\item \% \& \\ \ \\'a \verb"),
            (r#"\"h \'7 \v{sx} \c "#, r#"\"h \'7 \v{sx} \c "#),
            (r"\", r"\"),
            (r"\'", r"\'"),
            (r"\v{", r"\v{"),
            ("plain", "plain"),
        ];
        for (text, expected) in cases {
            assert_eq!(written(text.to_owned()), expected, "{text}");
        }
    }
}
