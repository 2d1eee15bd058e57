//! A heading, whatever the language, and the lines of a text.

use std::borrow::Cow;
use std::ops::Range;

/// A heading line (with its underline, where it has one).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Heading<'a> {
    /// From 1 on.
    pub(crate) level: usize,
    /// As it is read, without marks.
    pub(crate) text: Cow<'a, str>,
    /// Its lines in the text, line ends included.
    pub(crate) bytes: Range<usize>,
}

/// The lines of a text from byte `at` on, each with where it begins.
pub(crate) fn lines(text: &str, mut at: usize) -> impl Iterator<Item = (usize, &str)> {
    text[at..].split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line)
    })
}
