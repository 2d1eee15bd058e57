//! Hard negatives: passages that look like an answer to those who rank, and are none (pure).

use std::collections::{HashMap, HashSet};

/// Rank that halves a first place's worth, from "Reciprocal Rank Fusion outperforms Condorcet
/// and individual Rank Learning Methods" (Cormack, Clarke and Büttcher, SIGIR 2009).
const K: u64 = 60;
/// What reciprocal ranks are measured in: sums of whole numbers are equal in any order, so that
/// ties are ties.
const UNIT: u64 = 1 << 40;

/// One member's ranking of the corpus for a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// Passages by index with their scores, best first, each once.
    pub hits: Vec<(usize, f32)>,
    /// Its score of the positive, in the same unit.
    pub positive: f32,
}

impl Ranking {
    /// The passages that may well answer the query: those scored above `guard` times the positive.
    /// Where that score is negative, as much is taken off as would be if it were not.
    fn answers(&self, guard: f32) -> impl Iterator<Item = usize> {
        let most = self.positive - (1.0 - guard) * self.positive.abs();
        self.hits.iter().filter(move |(_, score)| *score > most).map(|(passage, _)| *passage)
    }
}

/// At most `count` passages, hardest first: by the sum of reciprocal ranks over all `rankings`,
/// equal ones by index. Left out is what `is_excluded` names (positives, their duplicates,
/// passages held out) and what may answer the query too.
///
/// The latter is positive-aware mining (NV-Retriever, arXiv 2407.15831, which has a `guard` of
/// 0.95): what any of `judges`, indexes of the rankings whose scores are to be trusted so far,
/// scores above `guard` times its score of the positive. A judge says nothing of passages that
/// its hits do not list, so its list must reach below the guard.
pub fn hard_negatives(
    rankings: &[Ranking],
    judges: &[usize],
    is_excluded: &dyn Fn(usize) -> bool,
    guard: f32,
    count: usize,
) -> Vec<usize> {
    let trusted = judges.iter().filter_map(|judge| rankings.get(*judge));
    let answers: HashSet<usize> = trusted.flat_map(|ranking| ranking.answers(guard)).collect();
    let usable = |passage: &usize| !answers.contains(passage) && !is_excluded(*passage);
    fused(rankings).into_iter().filter(usable).take(count).collect()
}

/// The place, from 1, of `passage` in the fused ranking; nothing if nobody ranks it.
pub fn fused_rank(rankings: &[Ranking], passage: usize) -> Option<usize> {
    fused(rankings).into_iter().position(|other| other == passage).map(|place| place + 1)
}

/// All passages that are ranked, by the sum of their reciprocal ranks.
pub fn fused(rankings: &[Ranking]) -> Vec<usize> {
    let mut worth: HashMap<usize, u64> = HashMap::new();
    for ranking in rankings {
        for (rank, (passage, _)) in (1..).zip(&ranking.hits) {
            *worth.entry(*passage).or_default() += UNIT / (K + rank);
        }
    }
    let mut fused: Vec<(usize, u64)> = worth.into_iter().collect();
    fused.sort_unstable_by(|(one, its), (other, others)| others.cmp(its).then(one.cmp(other)));
    fused.into_iter().map(|(passage, _)| passage).collect()
}

#[cfg(test)]
mod tests {
    use super::{Ranking, hard_negatives};

    fn ranking(positive: f32, hits: &[(usize, f32)]) -> Ranking {
        Ranking { hits: hits.to_vec(), positive }
    }

    #[test]
    fn negatives_are_fused_guarded_and_cut() {
        let dense = ranking(0.8, &[(4, 0.9), (0, 0.8), (1, 0.5), (2, 0.4), (3, 0.39)]);
        let words = ranking(2.0, &[(3, 9.0), (2, 1.5), (0, 1.0), (5, 0.5)]);
        let below = ranking(-2.0, &[(6, -1.0), (7, -3.0), (8, -3.5)]);
        // Three rankings put 1, 2 and 3 in turn on each place, so that their worths are equal.
        let turns = [[3, 1, 2], [2, 3, 1], [1, 2, 3]]
            .map(|turn| ranking(1.0, &turn.map(|passage| (passage, 0.1))));
        let both = [dense.clone(), words.clone()];
        type Case<'a> = (&'a str, &'a [Ranking], &'a [usize], &'a [usize], f32, usize, &'a [usize]);
        let cases: [Case<'_>; 11] = [
            // 0: 1/62 + 1/63, 3: 1/65 + 1/61, 2: 1/64 + 1/62, 4: 1/61, 1: 1/63, 5: 1/64.
            ("nothing left out", &both, &[], &[], 0.5, 9, &[0, 3, 2, 4, 1, 5]),
            ("the positive is excluded", &both, &[], &[0], 0.5, 9, &[3, 2, 4, 1, 5]),
            ("as scored as the guard is not above it", &both, &[0], &[0], 0.5, 9, &[3, 2, 5]),
            ("the other judge", &both, &[1], &[0], 0.5, 9, &[4, 1, 5]),
            ("any judge", &both, &[0, 1], &[0], 0.5, 9, &[5]),
            ("a judge that is not there", &both, &[2], &[0], 0.5, 9, &[3, 2, 4, 1, 5]),
            ("the best first", &both, &[0], &[0], 0.5, 2, &[3, 2]),
            ("none wanted", &both, &[0], &[0], 0.5, 0, &[]),
            ("a negative positive score", &[below], &[0], &[], 0.5, 9, &[7, 8]),
            ("ties", &turns, &[], &[], 0.5, 9, &[1, 2, 3]),
            ("no ranking", &[], &[0], &[], 0.5, 9, &[]),
        ];
        for (name, rankings, judges, excluded, guard, count, expected) in cases {
            let is_excluded = |passage| excluded.contains(&passage);
            let ours = hard_negatives(rankings, judges, &is_excluded, guard, count);
            assert_eq!(ours, expected, "{name}");
        }
    }
}
