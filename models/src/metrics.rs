//! Retrieval metrics as trec_eval defines them (pytrec_eval gives the same figures to 1e-6).
//!
//! A document is relevant from grade 1 on. The gain of nDCG is the grade itself and its discount
//! `log2(rank + 1)`; documents that nobody judged count as not relevant.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::Serialize;

/// Document id -> grade: what one query's judges said.
pub type Grades = BTreeMap<String, i32>;

/// How good one ranking is, or many on average; all between 0 and 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Scores {
    /// trec_eval's `ndcg_cut_10`.
    pub ndcg_10: f64,
    /// Reciprocal rank of the first relevant document, 0 below rank 10.
    pub mrr_10: f64,
    /// trec_eval's `recall_10`.
    pub recall_10: f64,
    /// trec_eval's `recall_100`.
    pub recall_100: f64,
    /// Average precision over the whole ranking: trec_eval's `map`.
    pub map: f64,
}

/// Sorts as trec_eval does before it scores: by score and, where scores are equal, by id, both
/// descending. The order in which documents were found does not matter to it.
pub fn sort(ranking: &mut [(String, f32)]) {
    ranking.sort_by(|(one, its), (other, others)| match others.total_cmp(its) {
        Ordering::Equal => other.cmp(one),
        unequal => unequal,
    });
}

/// Scores a ranking that is in the order of [`sort`]. A query without relevant documents scores 0.
pub fn score(ranking: &[(String, f32)], grades: &Grades) -> Scores {
    let grades_found: Vec<i32> =
        ranking.iter().map(|(id, _)| grades.get(id).copied().unwrap_or(0)).collect();
    let mut ideal: Vec<i32> = grades.values().copied().filter(|grade| *grade > 0).collect();
    ideal.sort_unstable_by(|one, other| other.cmp(one));
    if ideal.is_empty() {
        return Scores::default();
    }
    let relevant = ideal.len() as f64;
    let hits: Vec<usize> = (1..).zip(&grades_found).filter(|(_, g)| **g > 0).map(|h| h.0).collect();
    let recall =
        |depth: usize| hits.iter().filter(|rank| **rank <= depth).count() as f64 / relevant;
    let precisions = (1..).zip(&hits).map(|(count, rank)| f64::from(count) / *rank as f64);
    Scores {
        ndcg_10: gain_10(&grades_found) / gain_10(&ideal),
        mrr_10: hits.first().filter(|rank| **rank <= 10).map_or(0.0, |rank| 1.0 / *rank as f64),
        recall_10: recall(10),
        recall_100: recall(100),
        map: precisions.sum::<f64>() / relevant,
    }
}

/// Discounted cumulative gain of the first ten.
fn gain_10(grades: &[i32]) -> f64 {
    let discounted =
        |(rank, grade): (i32, &i32)| f64::from((*grade).max(0)) / f64::from(rank + 1).log2();
    (1..=10).zip(grades).map(discounted).sum()
}

impl Scores {
    /// The mean over queries; zeros for none.
    pub fn mean<'a>(scores: impl IntoIterator<Item = &'a Scores>) -> Scores {
        let all: Vec<&Scores> = scores.into_iter().collect();
        let mean = |of: fn(&Scores) -> f64| {
            all.iter().map(|scores| of(scores)).sum::<f64>() / all.len().max(1) as f64
        };
        Scores {
            ndcg_10: mean(|scores| scores.ndcg_10),
            mrr_10: mean(|scores| scores.mrr_10),
            recall_10: mean(|scores| scores.recall_10),
            recall_100: mean(|scores| scores.recall_100),
            map: mean(|scores| scores.map),
        }
    }
}

#[cfg(test)]
mod tests;
