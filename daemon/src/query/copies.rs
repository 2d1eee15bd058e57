//! Passages that say the same in several documents, as one hit that names the others. Pure.

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::fuse::Fused;

/// Words from which on a text is taken for a copy by itself. What is shorter ("see above") may stand anywhere, and
/// is a copy only below the same title and headings.
const TELLING_WORDS: usize = 12;

/// Words from which on a text may be nearly a copy: in fewer, one that differs is a difference.
const NEAR_WORDS: usize = 40;

/// Words in a row by which texts are compared.
const ROW: usize = 4;

/// Of all their rows, so many in a hundred are the same in what is nearly a copy: a word in a hundred may differ.
const NEAR_PERCENT: usize = 90;

/// A ranked passage, and the paths of other documents that say the same, the best one first.
#[derive(Debug)]
pub(super) struct Folded<'a> {
    pub(super) fused: &'a Fused,
    pub(super) also: Vec<String>,
}

/// The first `limit` of `ranked` when copies of what is before them are left out.
pub(super) fn fold(ranked: &[Fused], limit: usize) -> Vec<Folded<'_>> {
    let mut folded: Vec<(Folded<'_>, Print)> = Vec::new();
    for fused in ranked {
        let print = Print::of(fused);
        let has_room = folded.len() < limit;
        let copied = folded.iter_mut().find(|(first, other)| {
            first.fused.found.path != fused.found.path && print.is_copy_of(other)
        });
        match copied {
            Some((first, _)) if first.also.contains(&fused.found.path) => {}
            Some((first, _)) => first.also.push(fused.found.path.clone()),
            None if has_room => {
                folded.push((Folded { fused, also: Vec::new() }, print));
            }
            None => {}
        }
    }
    folded.into_iter().map(|(one, _)| one).collect()
}

/// What tells whether two passages say the same.
struct Print {
    /// Of the words alone, and with title and headings.
    text: u64,
    placed: u64,
    words: usize,
    rows: HashSet<u64>,
    /// Words with digits: where a date or a sum differs, so does what is said.
    numbers: BTreeSet<u64>,
}

impl Print {
    fn of(fused: &Fused) -> Print {
        let found = &fused.found;
        let words: Vec<&str> = found.passage.text.split_whitespace().collect();
        let text = hash(&words);
        let has_digit = |word: &&&str| word.contains(|c: char| c.is_numeric());
        Print {
            text,
            placed: hash(&(text, &found.title, &found.passage.heading)),
            words: words.len(),
            rows: words.windows(ROW).map(|row| hash(&row)).collect(),
            numbers: words.iter().filter(has_digit).map(hash).collect(),
        }
    }

    fn is_copy_of(&self, other: &Print) -> bool {
        if self.text == other.text {
            return self.words >= TELLING_WORDS || self.placed == other.placed;
        }
        let (less, more) =
            if self.rows.len() < other.rows.len() { (self, other) } else { (other, self) };
        let may_be = less.words >= NEAR_WORDS
            && less.rows.len() * 100 >= more.rows.len() * NEAR_PERCENT
            && less.numbers == more.numbers;
        if !may_be {
            return false;
        }
        let same = less.rows.intersection(&more.rows).count();
        same * 100 >= (less.rows.len() + more.rows.len() - same) * NEAR_PERCENT
    }
}

fn hash(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Found, Passage};

    fn ranked(passages: &[(&str, &str, &str)]) -> Vec<Fused> {
        let fused = |(path, title, text): &(&str, &str, &str)| Fused {
            found: Found {
                path: (*path).to_owned(),
                title: (*title).to_owned(),
                ordinal: 0,
                passage: Passage {
                    heading: String::new(),
                    bytes: 0..text.len(),
                    lines: (1, 1),
                    place: None,
                    text: (*text).to_owned(),
                },
                score: 0.0,
            },
            score: 0.0,
            ranks: [None; 2],
            scores: [None; 2],
            fused: 0.0,
            reading: None,
        };
        passages.iter().map(fused).collect()
    }

    #[track_caller]
    fn check(passages: &[(&str, &str, &str)], limit: usize, expected: &[(&str, &[&str])]) {
        let ranked = ranked(passages);
        let folded = fold(&ranked, limit);
        let folded: Vec<(&str, Vec<&str>)> = folded
            .iter()
            .map(|one| {
                (one.fused.found.path.as_str(), one.also.iter().map(String::as_str).collect())
            })
            .collect();
        let expected: Vec<(&str, Vec<&str>)> =
            expected.iter().map(|(path, also)| (*path, also.to_vec())).collect();
        assert_eq!(folded, expected);
    }

    #[test]
    fn copies_are_named_by_the_first_and_take_no_place() {
        let text = "The keeper trims the lamp at dusk and writes the hour in the log.";
        let spaced = text.replace(' ', "\n  ");
        check(
            &[
                ("/a", "A", text),
                ("/b", "B", &spaced),
                ("/c", "C", "Another."),
                ("/b", "B", text),
                ("/d", "D", "The rest."),
                ("/e", "E", text),
            ],
            2,
            &[("/a", &["/b", "/e"]), ("/c", &[])],
        );
        // In one document it is said twice.
        check(&[("/a", "A", text), ("/a", "A", text)], 9, &[("/a", &[]), ("/a", &[])]);
        // Few words are a copy only under the same name.
        check(
            &[("/a", "A", "See above."), ("/b", "B", "See above."), ("/c", "A", "See above.")],
            9,
            &[("/a", &["/c"]), ("/b", &[])],
        );
    }

    #[test]
    fn what_differs_by_a_word_is_a_copy_unless_that_is_a_number() {
        let words: Vec<String> =
            (0..120).map(|n: u8| "x".repeat(usize::from(n % 7) + 1) + &letters(n)).collect();
        let text = words.join(" ");
        let other = text.replacen(&words[60], "other", 1);
        let numbered = text.replacen(&words[60], "120", 1);
        let sum = text.replacen(&words[60], "340", 1);
        let third = words[..60].join(" ");
        check(
            &[
                ("/a", "A", &text),
                ("/b", "B", &other),
                ("/c", "C", &numbered),
                ("/d", "D", &sum),
                ("/e", "E", &third),
            ],
            9,
            &[("/a", &["/b"]), ("/c", &[]), ("/d", &[]), ("/e", &[])],
        );
    }

    fn letters(n: u8) -> String {
        [n / 26, n % 26].map(|digit| char::from(b'a' + digit)).iter().collect()
    }
}
