//! Is one way of answering better than another? Query by query, because queries differ more than
//! the answers to one of them do.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;

/// Resamples of the bootstrap: the interval's ends move by less than a tenth of its width.
const RESAMPLES: usize = 10_000;
/// Shares of the resampled means below and above the interval: 95 % lie within.
const TAIL: f64 = 0.025;
/// Two scores that differ by less are a tie; it absorbs rounding alone.
const TIE: f64 = 1e-9;

/// One way of answering against another, on the same queries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Queries it answers better, alike, and worse.
    pub wins: usize,
    pub ties: usize,
    pub losses: usize,
    /// Mean difference, and the ends of its 95 % interval (percentile bootstrap over groups).
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

impl Comparison {
    /// Whether the interval excludes no difference.
    pub fn significant(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// Compares scores of the same queries in the same order, each a group of its own; `seed` draws the
/// resamples.
///
/// # Panics
/// If there are not as many of one as of the other.
pub fn compare(scores: &[f64], baseline: &[f64], seed: u64) -> Comparison {
    let alone: Vec<usize> = (0..scores.len()).collect();
    compare_groups(scores, baseline, &alone, seed)
}

/// The same where queries that share a group (a document, say) are drawn together: they are
/// likely to be better or worse together, so that they tell less than as many of different ones.
/// `groups` are numbered from 0.
///
/// # Panics
/// If there are not as many of one as of the others.
pub fn compare_groups(scores: &[f64], baseline: &[f64], groups: &[usize], seed: u64) -> Comparison {
    assert_eq!(scores.len(), baseline.len(), "scores of the same queries");
    assert_eq!(scores.len(), groups.len(), "a group for each");
    let differences: Vec<f64> =
        scores.iter().zip(baseline).map(|(one, other)| one - other).collect();
    if differences.is_empty() {
        return Comparison::default();
    }
    let count = |holds: fn(f64) -> bool| differences.iter().filter(|d| holds(**d)).count();
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    // By group: the sum of its differences, and how many there are.
    let mut sums = vec![(0.0, 0.0); groups.iter().max().map_or(0, |last| last + 1)];
    for (group, difference) in groups.iter().zip(&differences) {
        sums[*group].0 += difference;
        sums[*group].1 += 1.0;
    }
    let mut random = StdRng::seed_from_u64(seed);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let drawn = (0..sums.len()).map(|_| sums[random.random_range(0..sums.len())]);
            let (sum, count) = drawn.fold((0.0, 0.0), |(a, b), (sum, count)| (a + sum, b + count));
            sum / count
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let cut = (RESAMPLES as f64 * TAIL) as usize;
    Comparison {
        wins: count(|difference| difference > TIE),
        ties: count(|difference| difference.abs() <= TIE),
        losses: count(|difference| difference < -TIE),
        mean,
        low: means[cut],
        high: means[RESAMPLES - 1 - cut],
    }
}

#[cfg(test)]
mod tests {
    use super::{compare, compare_groups};

    #[test]
    fn wins_ties_and_losses_are_counted_and_the_mean_is_within_its_interval() {
        type Case<'a> = (&'a str, &'a [f64], &'a [f64], (usize, usize, usize), bool);
        let cases: [Case<'_>; 5] = [
            ("all better", &[0.9, 0.8, 1.0, 0.7], &[0.1, 0.2, 0.3, 0.1], (4, 0, 0), true),
            ("all worse", &[0.1, 0.2, 0.3, 0.1], &[0.9, 0.8, 1.0, 0.7], (0, 0, 4), true),
            ("the same", &[0.5, 0.4], &[0.5, 0.4 + 1e-12], (0, 2, 0), false),
            ("now this, now that", &[1.0, 0.0, 1.0, 0.0], &[0.0, 1.0, 0.0, 0.9], (2, 0, 2), false),
            ("nothing asked", &[], &[], (0, 0, 0), false),
        ];
        for (name, one, other, counts, significant) in cases {
            let found = compare(one, other, 7);
            assert_eq!((found.wins, found.ties, found.losses), counts, "{name}");
            assert_eq!(found.significant(), significant, "{name}: {found:?}");
            assert!(found.low <= found.mean && found.mean <= found.high, "{name}: {found:?}");
        }
    }

    #[test]
    fn what_comes_in_groups_tells_less() {
        // 100 groups of four alike: as sure as 100 queries, half as sure as 400.
        let one: Vec<f64> = (0..400).map(|index| f64::from(index / 4 % 2)).collect();
        let groups: Vec<usize> = (0..400).map(|index| index / 4).collect();
        let found = compare_groups(&one, &vec![0.0; 400], &groups, 1);
        assert!((found.low - (0.5 - 1.96 * 0.05)).abs() < 0.008, "{found:?}");
        assert!((found.high - (0.5 + 1.96 * 0.05)).abs() < 0.008, "{found:?}");
        assert_eq!((found.wins, found.ties, found.mean), (200, 200, 0.5));
    }

    #[test]
    fn the_interval_is_the_normal_one_where_there_are_many_queries() {
        // Differences of 0 and 1 in turn: mean 0.5, standard error 0.5 / sqrt(400) = 0.025.
        let one: Vec<f64> = (0..400).map(|index| f64::from(index % 2)).collect();
        let found = compare(&one, &vec![0.0; 400], 1);
        assert!((found.low - (0.5 - 1.96 * 0.025)).abs() < 0.004, "{found:?}");
        assert!((found.high - (0.5 + 1.96 * 0.025)).abs() < 0.004, "{found:?}");
        assert_eq!(found, compare(&one, &vec![0.0; 400], 1), "the seed decides");
    }
}
