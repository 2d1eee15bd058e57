//! Made-up texts, the same each time, and what times come to.

use std::time::Duration;

use daemon::store::Document;
use daemon::store::contract::document;

/// As wide as the default model's vectors.
pub(crate) const WIDTH: usize = 384;
/// Passages of a made-up document.
pub(crate) const PASSAGES: usize = 10;
/// Documents in one commit while a table is made.
pub(crate) const COMMIT: usize = 500;
const WORDS_IN_PASSAGE: usize = 40;
const WORDS: [&str; 16] = [
    "anchor", "bell", "compass", "deck", "engine", "fog", "galley", "harbour", "island", "jetty",
    "keel", "lamp", "mast", "net", "oar", "port",
];
/// Each of [`WORDS`] with a number below this is a word of its own.
const KINDS: usize = 3_000;

/// The same numbers each time, of a fixed recurrence.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.0 >> 33
    }

    /// The word of rank r comes about 1/r as often as the first, as words of a language do.
    pub(crate) fn word(&mut self) -> String {
        let share = self.next() as f64 / (1_u64 << 31) as f64;
        let rank = ((WORDS.len() * KINDS) as f64).powf(share) as usize - 1;
        format!("{}{}", WORDS[rank % WORDS.len()], rank / WORDS.len())
    }

    pub(crate) fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    /// A document of [`PASSAGES`] passages or fewer, each with the next of `vectors`.
    pub(crate) fn document(&mut self, number: usize, vectors: Vec<Vec<f32>>) -> Document {
        let texts: Vec<String> = vectors.iter().map(|_| self.words(WORDS_IN_PASSAGE)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let path = format!("/home/someone/notes/{}/{number}.md", number % 97);
        let mut document = document(&path, &texts, &vec![0; texts.len()]);
        for ((_, vector), made) in document.passages.iter_mut().zip(vectors) {
            *vector = made;
        }
        document
    }
}

/// The median and the 95th percentile, milliseconds.
pub(crate) fn quantiles(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1000.0;
    (at(50), at(95))
}
