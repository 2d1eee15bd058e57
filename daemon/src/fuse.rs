//! A ranking by words and one by vectors in, one out, by their scores. Then no document takes up
//! the list by itself. Pure.

use std::collections::HashMap;

use crate::chunk::embedded_text;
use crate::limits::CANDIDATES;
use crate::store::Found;

#[cfg(test)]
mod tests;

/// What a cosine of 1 above the last one found is worth, the best score by words being worth 1.
/// Chosen on the six development collections from 1, 1.5, 2 and 2.5: on their mean it is best, and
/// on none below words alone.
const VECTOR_WEIGHT: f32 = 2.0;

/// What a nat of a question's mean log-probability is worth. Chosen from .1 to 3 on the development
/// collections; leaving one out chooses from .9 to 1.2 (models/MODEL_CARD.md).
pub const READING_WEIGHT: f32 = 1.0;

/// A passage with its place in the fused list.
#[derive(Debug, Clone, PartialEq)]
pub struct Fused {
    /// As the first list that has it returned it.
    pub found: Found,
    /// What it is worth by words and by vector together; see [`fuse`].
    pub score: f32,
    /// Rank from 1 by words and by vector; `None` where it is missing.
    pub ranks: [Option<usize>; 2],
    /// BM25 and cosine, likewise.
    pub scores: [Option<f32>; 2],
    /// `score` before reading was heeded.
    pub fused: f32,
    /// What reading thinks of it: the mean log-probability of the question's tokens after it, less
    /// the best one's; `None` if it was not read.
    pub reading: Option<f32>,
}

impl Fused {
    /// What tells it from all other passages.
    pub fn place(&self) -> Place {
        (self.found.path.clone(), self.found.ordinal)
    }

    /// What reading is shown: as it was embedded, with where it is; and front matter, which was not.
    pub fn text(&self) -> String {
        let Found { title, passage, .. } = &self.found;
        embedded_text(title, &passage.heading, &passage.text)
    }
}

/// Path and ordinal of a passage.
pub type Place = (String, usize);

/// Mean log-probabilities of a question's tokens after passages.
pub type Readings = HashMap<Place, f32>;

/// The `limit` best of what was found by words and by vector, best first.
///
/// A passage is worth its BM25 score as a share of the best one's, plus `VECTOR_WEIGHT` times its
/// cosine, each above the last one found: a convex combination of scores, BM25 scaled by its greatest
/// and the cosine as it is ("An Analysis of Fusion Functions for Hybrid Retrieval", Bruch, Gai and
/// Ingber, arXiv 2210.11934). What a list that was cut at [`CANDIDATES`] leaves out is taken to be
/// like its last; where words found fewer, the others have none. Unlike a reciprocal rank, a cosine
/// tells whether the search found something or only had to name a first. A passage is the same in
/// two lists when path and ordinal are; listed twice in one, its better place counts. Equal scores are ordered by the better single rank, then by
/// path and ordinal, so that the same lists always give the same answer.
pub fn fuse(words: &[Found], near: &[Found], limit: usize) -> Vec<Fused> {
    let best = words.iter().map(|found| found.score).fold(f32::MIN_POSITIVE, f32::max);
    let least = |list: &[Found]| list.iter().map(|found| found.score).fold(f32::INFINITY, f32::min);
    let last_near = least(near);
    let last_words = if words.len() < CANDIDATES { 0.0 } else { least(words) };
    let worth_by: [&dyn Fn(&Found) -> f32; 2] =
        [&|found| (found.score - last_words) / best, &|found| {
            VECTOR_WEIGHT * (found.score - last_near)
        }];
    let mut places: HashMap<(&str, usize), usize> = HashMap::new();
    let mut fused: Vec<Fused> = Vec::new();
    for (list, found) in [words, near].into_iter().enumerate() {
        for (index, found) in found.iter().enumerate() {
            let place = *places.entry((&found.path, found.ordinal)).or_insert_with(|| {
                fused.push(Fused {
                    found: found.clone(),
                    score: 0.0,
                    ranks: [None; 2],
                    scores: [None; 2],
                    fused: 0.0,
                    reading: None,
                });
                fused.len() - 1
            });
            let passage = &mut fused[place];
            if passage.ranks[list].is_none() {
                passage.ranks[list] = Some(index + 1);
                passage.scores[list] = Some(found.score);
                passage.score += worth_by[list](found);
                passage.fused = passage.score;
            }
        }
    }
    let best_rank = |fused: &Fused| fused.ranks.iter().flatten().min().copied();
    fused.sort_by(|a, b| {
        let scores = b.score.total_cmp(&a.score);
        let ranks = || best_rank(a).cmp(&best_rank(b));
        let names = || (&a.found.path, a.found.ordinal).cmp(&(&b.found.path, b.found.ordinal));
        scores.then_with(ranks).then_with(names)
    });
    fused.truncate(limit);
    fused
}

/// What a grounded thought about `question` is shown of the passages `ranked`.
pub fn grounds(question: &str, ranked: &[Fused]) -> String {
    models::ground::context(question, ranked.iter().map(|one| one.found.passage.text.as_str()))
}

/// Orders the first `depth` of `ranked` by what reading makes of them too: each is worth `weight`
/// times its log-probability less the best one's more. Those that were not read, and all behind
/// `depth`, come after them, as they were; their scores are lowered to tell so.
pub fn heed(ranked: Vec<Fused>, readings: &Readings, depth: usize, weight: f32) -> Vec<Fused> {
    let mut read = Vec::new();
    let mut rest = Vec::new();
    for (index, mut one) in ranked.into_iter().enumerate() {
        one.reading = readings.get(&one.place()).copied().filter(|_| index < depth);
        if one.reading.is_some() { read.push(one) } else { rest.push(one) }
    }
    let best = read.iter().filter_map(|one| one.reading).fold(f32::NEG_INFINITY, f32::max);
    for one in &mut read {
        if let Some(reading) = &mut one.reading {
            *reading -= best;
            one.score += weight * *reading;
        }
    }
    read.sort_by(|a, b| b.score.total_cmp(&a.score));
    let highest = rest.iter().map(|one| one.score).fold(f32::NEG_INFINITY, f32::max);
    if let Some(excess) = read.last().map(|last| highest - last.score).filter(|by| *by > 0.0) {
        rest.iter_mut().for_each(|one| one.score -= excess);
    }
    read.extend(rest);
    read
}

/// Moves what exceeds `per_document` passages of one document behind all others: a long document
/// cannot fill the list, and yet a folder of one document does. Order and scores stay as they are
/// on either side, so the best passage put back may score higher than the last one before it.
pub fn spread(ranked: Vec<Fused>, per_document: usize) -> Vec<Fused> {
    let mut taken: HashMap<String, usize> = HashMap::new();
    let (mut spread, surplus): (Vec<Fused>, Vec<Fused>) = ranked.into_iter().partition(|fused| {
        let taken = taken.entry(fused.found.path.clone()).or_default();
        *taken += 1;
        *taken <= per_document
    });
    spread.extend(surplus);
    spread
}
