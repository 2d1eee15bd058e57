//! Okapi BM25 over passages in memory: the committee's member that reads words (pure).

use std::collections::{BTreeMap, HashMap};

/// How soon further occurrences of a word add nothing; Lucene's and LanceDB's value.
const K1: f32 = 1.2;
/// How much a long passage counts against it, between 0 and 1; theirs too.
const B: f32 = 0.75;
/// Lucene's English stop words. They are in nearly every passage, so that they cost the most time
/// and say the least.
const STOP_WORDS: [&str; 33] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it",
    "no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these",
    "they", "this", "to", "was", "will", "with",
];

/// A passage that has a word, and how often.
#[derive(Clone, Copy)]
struct Posting {
    passage: u32,
    count: u32,
}

/// A word of a query.
struct Term<'a> {
    word: String,
    postings: &'a [Posting],
    /// Its rarity, as often as the query says it.
    weight: f32,
}

/// An index of passages, which go by their number from 0.
///
/// A word is a run of letters and digits in lower case; languages without spaces therefore make
/// words of whole clauses. A word's rarity is `ln(1 + (N - n + 0.5) / (n + 0.5))` where `n` of `N`
/// passages have it, and its part of a score that times `(k1 + 1) f / (f + k1 (1 - b + b l / L))`
/// where it is `f` of the `l` words of a passage and `L` is the mean of `l`.
pub struct Bm25 {
    postings: HashMap<Box<str>, Vec<Posting>>,
    /// Words of each passage, stop words apart.
    lengths: Vec<u32>,
    mean_length: f32,
}

impl Bm25 {
    /// Indexes `passages`. It holds 8 bytes for each different word of each.
    pub fn new<'a>(passages: impl IntoIterator<Item = &'a str>) -> Bm25 {
        let mut postings: HashMap<Box<str>, Vec<Posting>> = HashMap::new();
        let mut lengths = Vec::new();
        for (passage, text) in (0..).zip(passages) {
            let mut length = 0;
            for word in words(text) {
                length += 1;
                let Some(list) = postings.get_mut(word.as_str()) else {
                    postings.insert(word.into(), vec![Posting { passage, count: 1 }]);
                    continue;
                };
                match list.last_mut().filter(|last| last.passage == passage) {
                    Some(last) => last.count += 1,
                    None => list.push(Posting { passage, count: 1 }),
                }
            }
            lengths.push(length);
        }
        postings.values_mut().for_each(Vec::shrink_to_fit);
        let total: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
        let mean_length = total as f32 / lengths.len().max(1) as f32;
        Bm25 { postings, lengths, mean_length }
    }

    /// How many passages there are.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// The `limit` passages that score highest, best first and equal ones by number, with their
    /// scores. A passage that shares no word with the query is not among them.
    pub fn search(&self, query: &str, limit: usize) -> Vec<(usize, f32)> {
        let mut scores = vec![0.0_f32; self.len()];
        for term in self.terms(query) {
            for posting in term.postings {
                let length = self.lengths[posting.passage as usize];
                scores[posting.passage as usize] += self.part(&term, posting.count, length);
            }
        }
        let mut hits: Vec<(usize, f32)> =
            scores.into_iter().enumerate().filter(|(_, score)| *score > 0.0).collect();
        let best_first = |one: &(usize, f32), other: &(usize, f32)| {
            other.1.total_cmp(&one.1).then(one.0.cmp(&other.0))
        };
        if limit < hits.len() {
            hits.select_nth_unstable_by(limit, best_first);
            hits.truncate(limit);
        }
        hits.sort_unstable_by(best_first);
        hits
    }

    /// The score that [`Bm25::search`] gives `passage`; 0 if it shares no word with the query or
    /// is not there.
    pub fn score(&self, query: &str, passage: usize) -> f32 {
        let part = |term: &Term<'_>| {
            let found = term.postings.binary_search_by_key(&passage, |p| p.passage as usize);
            found.map_or(0.0, |at| self.part(term, term.postings[at].count, self.lengths[passage]))
        };
        self.terms(query).iter().map(part).fold(0.0, |sum, part| sum + part)
    }

    /// The score that a passage of this `text` would have, were it one of the passages; they decide
    /// the rarities and the mean length.
    pub fn score_of(&self, query: &str, text: &str) -> f32 {
        let mut counts: HashMap<String, u32> = HashMap::new();
        words(text).for_each(|word| *counts.entry(word).or_default() += 1);
        let length = counts.values().sum();
        let part = |term: &Term<'_>| {
            counts.get(&term.word).map_or(0.0, |count| self.part(term, *count, length))
        };
        self.terms(query).iter().map(part).fold(0.0, |sum, part| sum + part)
    }

    /// The words of a query that some passage has, in an order that is always the same: sums of
    /// the same parts are then equal to the last bit.
    fn terms(&self, query: &str) -> Vec<Term<'_>> {
        let mut counts: BTreeMap<String, f32> = BTreeMap::new();
        for word in words(query) {
            *counts.entry(word).or_default() += 1.0;
        }
        let term = |(word, count): (String, f32)| {
            let postings = self.postings.get(word.as_str())?.as_slice();
            let (all, having) = (self.len() as f32, postings.len() as f32);
            let rarity = (1.0 + (all - having + 0.5) / (having + 0.5)).ln();
            Some(Term { word, postings, weight: rarity * count })
        };
        counts.into_iter().filter_map(term).collect()
    }

    /// What `term` adds to the score of a passage of `length` words that says it `count` times.
    fn part(&self, term: &Term<'_>, count: u32, length: u32) -> f32 {
        let length = length as f32 / self.mean_length;
        let count = count as f32;
        term.weight * (K1 + 1.0) * count / (count + K1 * (1.0 - B + B * length))
    }
}

/// The words of a text, lower-cased, stop words apart.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|run| !run.is_empty())
        .map(str::to_lowercase)
        .filter(|word| !STOP_WORDS.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::{Bm25, words};

    const PASSAGES: [&str; 4] = ["The cat purrs.", "cat CAT dog_house", "A fish", "of the"];

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        let cases: [(&str, &[&str]); 5] = [
            ("Why do CATS purr?", &["why", "do", "cats", "purr"]),
            ("snake_case and kebab-case2", &["snake", "case", "kebab", "case2"]),
            ("Größe ΔΣ 42 猫", &["größe", "δς", "42", "猫"]),
            ("it is of the", &[]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(words(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn scores_are_those_worked_by_hand() {
        let index = Bm25::new(PASSAGES);
        // The passages have 2, 4, 1 and 0 words, 1.75 on average. Of 4 passages 2 have "cat",
        // so that it weighs ln(1 + 2.5 / 2.5); 1 has each other word: ln(1 + 3.5 / 1.5).
        let (cat, rare) = (2f64.ln(), (10f64 / 3.0).ln());
        let once = |length: f64| 2.2 / (1.0 + 1.2 * (0.25 + 0.75 * length / 1.75));
        let twice = |length: f64| 4.4 / (2.0 + 1.2 * (0.25 + 0.75 * length / 1.75));
        type Case<'a> = (&'a str, usize, &'a [(usize, f64)]);
        let cases: [Case<'_>; 9] = [
            ("cat", 9, &[(1, cat * twice(4.0)), (0, cat * once(2.0))]),
            ("cat", 1, &[(1, cat * twice(4.0))]),
            ("cat", 0, &[]),
            (
                "the House of cat",
                9,
                &[(1, cat * twice(4.0) + rare * once(4.0)), (0, cat * once(2.0))],
            ),
            ("fish cat", 9, &[(2, rare * once(1.0)), (1, cat * twice(4.0)), (0, cat * once(2.0))]),
            ("purrs purrs purrs", 9, &[(0, 3.0 * rare * once(2.0))]),
            ("the of", 9, &[]),
            ("bird", 9, &[]),
            ("", 9, &[]),
        ];
        for (query, limit, expected) in cases {
            let hits = index.search(query, limit);
            let found: Vec<usize> = hits.iter().map(|hit| hit.0).collect();
            assert_eq!(found, expected.iter().map(|hit| hit.0).collect::<Vec<_>>(), "{query}");
            for ((passage, score), (_, by_hand)) in hits.iter().zip(expected) {
                assert!((f64::from(*score) - by_hand).abs() < 1e-6, "{query}: {hits:?}");
                assert_eq!(index.score(query, *passage), *score, "{query} of {passage}");
                let of_text = index.score_of(query, PASSAGES[*passage]);
                assert_eq!(of_text, *score, "{query} of the text of {passage}");
            }
        }
        for (query, passage) in [("bird", 0), ("cat", 2), ("cat", 3), ("cat", 4)] {
            assert_eq!(index.score(query, passage), 0.0, "{query} of {passage}");
        }
        // A text of no passage: the word is as rare as the passages say, 3 words are its length.
        let by_hand = cat * twice(3.0);
        assert!((f64::from(index.score_of("cat", "cat cat new")) - by_hand).abs() < 1e-6);
        assert_eq!(index.score_of("new", "cat cat new"), 0.0, "no passage has it");
    }

    #[test]
    fn equal_scores_go_by_number() {
        let index = Bm25::new(["same words", "other", "same words", "words same"]);
        for limit in 1..4 {
            let found: Vec<usize> =
                index.search("same words", limit).iter().map(|hit| hit.0).collect();
            assert_eq!(found, [0, 2, 3][..limit]);
        }
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        for (passages, len) in [(&[][..], 0), (&["", "the"][..], 2)] {
            let index = Bm25::new(passages.iter().copied());
            assert_eq!((index.len(), index.is_empty()), (len, len == 0));
            assert_eq!(index.search("the cat", 5), []);
        }
    }
}
