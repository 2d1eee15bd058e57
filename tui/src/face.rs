//! Text as it is meant, not as it is written: what of it is seen, and how. Pure; knows no styles.

use std::collections::HashMap;
use std::ops::Range;

use crate::ink::Ink;
use tui_text as text;

/// How a byte looks; several at once, and none if it is not seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Faces(u16);

impl Faces {
    pub(crate) const HIDDEN: Faces = Faces(0);
    pub(crate) const PLAIN: Faces = Faces(1);
    pub(crate) const HEADING: Faces = Faces(1 << 1);
    pub(crate) const STRONG: Faces = Faces(1 << 2);
    pub(crate) const EMPHASIS: Faces = Faces(1 << 3);
    pub(crate) const STRUCK: Faces = Faces(1 << 4);
    pub(crate) const CODE: Faces = Faces(1 << 5);
    pub(crate) const LINK: Faces = Faces(1 << 6);
    /// What is about the text, not of it.
    pub(crate) const ASIDE: Faces = Faces(1 << 7);
    pub(crate) const COMMENT: Faces = Faces(1 << 8);
    pub(crate) const KEYWORD: Faces = Faces(1 << 9);
    pub(crate) const TEXT: Faces = Faces(1 << 10);
    pub(crate) const NUMBER: Faces = Faces(1 << 11);
    pub(crate) const FUNCTION: Faces = Faces(1 << 12);
    pub(crate) const TYPE: Faces = Faces(1 << 13);

    /// How a piece of code looks.
    pub(crate) fn of(ink: Ink) -> Faces {
        match ink {
            Ink::Comment => Faces::COMMENT,
            Ink::Keyword => Faces::KEYWORD,
            Ink::Text => Faces::TEXT,
            Ink::Number => Faces::NUMBER,
            Ink::Function => Faces::FUNCTION,
            Ink::Type => Faces::TYPE,
        }
    }

    pub(crate) fn with(self, other: Faces) -> Faces {
        Faces(self.0 | other.0)
    }

    pub(crate) fn has(self, other: Faces) -> bool {
        self.0 & other.0 != 0
    }
}

/// A line as it is meant.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Meant {
    /// Harmless, as [`text::cells`] has it.
    pub(crate) text: String,
    /// Byte ranges of `text` that look like something, ascending.
    pub(crate) faces: Vec<(usize, usize, Faces)>,
}

/// A text and how each of its bytes looks.
#[derive(Debug)]
pub(crate) struct Marked<'a> {
    source: &'a str,
    faces: Vec<Faces>,
    /// What is seen in the place of the byte there.
    signs: HashMap<usize, &'static str>,
    /// What is seen before a line, by the line's first byte.
    before: HashMap<usize, String>,
}

impl<'a> Marked<'a> {
    /// Nothing of it is seen.
    pub(crate) fn hidden(source: &'a str) -> Marked<'a> {
        let faces = vec![Faces::HIDDEN; source.len()];
        Marked { source, faces, signs: HashMap::new(), before: HashMap::new() }
    }

    pub(crate) fn show(&mut self, range: Range<usize>, faces: Faces) {
        if let Some(range) = self.faces.get_mut(range) {
            range.fill(faces.with(Faces::PLAIN));
        }
    }

    /// Has `sign` seen in the place of byte `at`.
    pub(crate) fn sign(&mut self, at: usize, sign: &'static str) {
        self.show(at..at + 1, Faces::ASIDE);
        self.signs.insert(at, sign);
    }

    pub(crate) fn is_hidden(&self, at: usize) -> bool {
        self.faces.get(at).is_none_or(|faces| *faces == Faces::HIDDEN)
    }

    /// Has `sign` seen before the line that begins at byte `line`.
    pub(crate) fn put_before(&mut self, line: usize, sign: String) {
        self.before.insert(line, sign);
    }

    /// What is seen of the bytes at `range`, which are within one line.
    pub(crate) fn cut(&self, range: Range<usize>) -> Meant {
        let mut meant = Meant::default();
        if let Some(before) = self.before.get(&range.start) {
            push(&mut meant, before, Faces::ASIDE);
        }
        let mut at = range.start;
        while at < range.end {
            let faces = self.faces[at];
            let sign = self.signs.get(&at);
            let same =
                |other: &usize| self.faces[*other] == faces && !self.signs.contains_key(other);
            let end = match sign {
                Some(_) => at + 1,
                None => (at + 1..range.end).find(|other| !same(other)).unwrap_or(range.end),
            };
            if faces != Faces::HIDDEN {
                let seen = sign.copied().or(self.source.get(at..end)).unwrap_or_default();
                push(&mut meant, seen.trim_end_matches(['\r', '\n']), faces);
            }
            at = end;
        }
        meant
    }
}

fn push(meant: &mut Meant, seen: &str, faces: Faces) {
    let start = meant.text.len();
    meant.text.push_str(&text::cells(seen));
    if faces != Faces::PLAIN && meant.text.len() > start {
        meant.faces.push((start, meant.text.len(), faces));
    }
}
