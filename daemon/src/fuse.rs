//! Several ranked lists in, one out, by reciprocal rank fusion: scores of different searches
//! cannot be compared, ranks can. Then no document takes up the list by itself. Pure.

use std::collections::HashMap;

use crate::store::Found;

#[cfg(test)]
mod tests;

/// Rank that halves a first place's worth, from "Reciprocal Rank Fusion outperforms Condorcet
/// and individual Rank Learning Methods" (Cormack, Clarke and Büttcher, SIGIR 2009).
pub const K: f32 = 60.0;

/// A passage with its place in the fused list.
#[derive(Debug, Clone, PartialEq)]
pub struct Fused {
    /// As the first list that has it returned it.
    pub found: Found,
    /// Sum over lists of weight / ([`K`] + rank).
    pub score: f32,
    /// Rank from 1 in each list; `None` where it is missing.
    pub ranks: Vec<Option<usize>>,
}

/// The `limit` best of `lists`, each with its weight, best first. A passage is the same in two
/// lists when path and ordinal are; listed twice in one, its better rank counts. Equal scores are
/// ordered by the better single rank, then by path and ordinal, so that the same lists always
/// give the same answer.
pub fn fuse(lists: &[(f32, &[Found])], limit: usize) -> Vec<Fused> {
    let mut places: HashMap<(&str, usize), usize> = HashMap::new();
    let mut fused: Vec<Fused> = Vec::new();
    for (list, (weight, found)) in lists.iter().enumerate() {
        for (index, found) in found.iter().enumerate() {
            let place = *places.entry((&found.path, found.ordinal)).or_insert_with(|| {
                let ranks = vec![None; lists.len()];
                fused.push(Fused { found: found.clone(), score: 0.0, ranks });
                fused.len() - 1
            });
            let passage = &mut fused[place];
            if passage.ranks[list].is_none() {
                passage.ranks[list] = Some(index + 1);
                passage.score += weight / (K + (index + 1) as f32);
            }
        }
    }
    let best = |fused: &Fused| fused.ranks.iter().flatten().min().copied();
    fused.sort_by(|a, b| {
        let scores = b.score.total_cmp(&a.score);
        let ranks = || best(a).cmp(&best(b));
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
