//! What an evaluation found out: per query and column, and the means of a column.

use models::metrics::Scores;
use models::paired::{self, Comparison};
use serde::Serialize;

use models::column::Column;

/// What one query's column took, milliseconds; the parts of an answer a user waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Milliseconds {
    /// When it was read; kept with a remembered reading.
    pub read: f64,
    /// When it was thought; kept with a remembered thought.
    pub think: f64,
    pub embed: f64,
    pub search: f64,
}

/// One query answered by one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub column: Column,
    /// (document id, score), in the order that scores it (see [`models::metrics::sort`]).
    pub ranking: Vec<(String, f32)>,
    pub scores: Scores,
    pub ms: Milliseconds,
    /// Tokens of all thoughts together.
    pub thought_tokens: usize,
    /// Cosine of the query vector and the query's without thought; 1 without thoughts.
    pub cosine: Option<f64>,
}

/// One query in all columns, in the order of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryReport {
    pub id: String,
    pub text: String,
    /// Texts of the greedy thought, of the sampled and of the grounded ones; empty if no column asked
    /// for them.
    pub greedy: Vec<String>,
    pub sampled: Vec<String>,
    pub grounded: Vec<String>,
    pub answers: Vec<Answer>,
}

/// What encoding the documents took in this run; documents encoded earlier cost nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Encoding {
    /// The model's name.
    pub model: String,
    pub fingerprint: String,
    /// Device in words.
    pub device: String,
    /// Documents and passages in the index.
    pub documents: usize,
    pub passages: usize,
    /// Of them encoded in this run: passages, their tokens, and the seconds that took.
    pub encoded: usize,
    pub tokens: usize,
    pub seconds: f64,
}

/// One collection, evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub encodings: Vec<Encoding>,
    pub columns: Vec<Column>,
    pub queries: Vec<QueryReport>,
}

/// A column's line in the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    pub column: Column,
    /// Means over queries.
    pub scores: Scores,
    /// nDCG@10 against the baseline column, query by query; `None` for the baseline itself.
    pub against: Option<Comparison>,
    /// Median and 95th percentile.
    pub read_ms: (f64, f64),
    pub think_ms: (f64, f64),
    pub embed_ms: (f64, f64),
    pub search_ms: (f64, f64),
    /// Means over queries.
    pub thought_tokens: f64,
    pub cosine: Option<f64>,
}

impl Report {
    /// A line per column; `baseline` need not be among them, then nothing is compared. `seed`
    /// draws the bootstrap.
    pub fn summaries(&self, baseline: Column, seed: u64) -> Vec<Summary> {
        let base = self.columns.iter().position(|column| *column == baseline);
        let ndcg = |index: usize| -> Vec<f64> {
            self.queries.iter().map(|query| query.answers[index].scores.ndcg_10).collect()
        };
        let base = base.map(|index| (index, ndcg(index)));
        (0..self.columns.len())
            .map(|index| {
                let against = base
                    .as_ref()
                    .filter(|(other, _)| *other != index)
                    .map(|(_, values)| paired::compare(&ndcg(index), values, seed));
                self.summary(index, against)
            })
            .collect()
    }

    fn summary(&self, index: usize, against: Option<Comparison>) -> Summary {
        let answers: Vec<&Answer> =
            self.queries.iter().map(|query| &query.answers[index]).collect();
        let times = |of: fn(&Milliseconds) -> f64| {
            let mut values: Vec<f64> = answers.iter().map(|answer| of(&answer.ms)).collect();
            values.sort_by(f64::total_cmp);
            (percentile(&values, 50), percentile(&values, 95))
        };
        let cosines: Vec<f64> = answers.iter().filter_map(|answer| answer.cosine).collect();
        let tokens: Vec<f64> = answers.iter().map(|answer| answer.thought_tokens as f64).collect();
        Summary {
            column: self.columns[index],
            scores: Scores::mean(answers.iter().map(|answer| &answer.scores)),
            against,
            read_ms: times(|ms| ms.read),
            think_ms: times(|ms| ms.think),
            embed_ms: times(|ms| ms.embed),
            search_ms: times(|ms| ms.search),
            thought_tokens: mean(&tokens).unwrap_or(0.0),
            cosine: mean(&cosines),
        }
    }
}

/// Nearest-rank percentile of sorted values; 0 of none.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let values: Vec<f64> = (1..=20).map(f64::from).collect();
        let cases =
            [(&values[..], 50, 10.0), (&values, 95, 19.0), (&values[..1], 95, 1.0), (&[], 50, 0.0)];
        for (values, percent, expected) in cases {
            assert_eq!(percentile(values, percent), expected, "{percent} of {}", values.len());
        }
    }
}
