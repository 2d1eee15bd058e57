//! When training learns how fast, and in which order it reads (pure).

use std::collections::BTreeMap;

use crate::split::draw;

/// A learning rate that rises linearly and then falls linearly to zero, as the paper's code has
/// it (DeepSpeed's `WarmupDecayLR`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The highest rate.
    pub peak: f64,
    /// Steps on which it rises.
    pub warmup: usize,
    /// Steps of the whole training, the rising ones among them.
    pub total: usize,
}

impl Schedule {
    /// The rate of `step`, from 0. It is never 0 before `total`, so that no step is in vain.
    pub fn rate(&self, step: usize) -> f64 {
        if step >= self.total {
            return 0.0;
        }
        if step < self.warmup {
            return self.peak * (step + 1) as f64 / self.warmup as f64;
        }
        self.peak * (self.total - step) as f64 / (self.total - self.warmup) as f64
    }
}

/// The indexes below `rows`, shuffled by `epoch` and `seed` alone: the order of an interrupted
/// training is there again after any update of the libraries.
pub fn order(rows: usize, epoch: u64, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    let mut key = [0; 16];
    key[..8].copy_from_slice(&epoch.to_le_bytes());
    order.sort_by_cached_key(|row| {
        key[8..].copy_from_slice(&(*row as u64).to_le_bytes());
        draw(&key, seed)
    });
    order
}

/// The batches of an epoch, of `size` rows each; `sets` names where each row comes from.
///
/// A batch is of one set as far as they go: what a search has to tell apart lies in one place, and
/// negatives from elsewhere teach little (arXiv 2308.03281). What is left over goes together. Every
/// row is in a batch, and the last one is filled up from the others, so that none is tiny.
fn batches(sets: &[&str], size: usize, epoch: u64, seed: u64) -> Vec<Vec<usize>> {
    let order = order(sets.len(), epoch, seed);
    let mut open: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut batches = Vec::new();
    for row in &order {
        let batch = open.entry(sets[*row]).or_default();
        batch.push(*row);
        if batch.len() == size {
            batches.push(std::mem::take(batch));
        }
    }
    let left: Vec<usize> = open.into_values().flatten().collect();
    batches.extend(left.chunks(size).map(<[usize]>::to_vec));
    if let Some(last) = batches.last_mut() {
        let others: Vec<usize> = order.iter().filter(|row| !last.contains(row)).copied().collect();
        last.extend(others.into_iter().take(size - last.len()));
    }
    let places = self::order(batches.len(), epoch, seed.wrapping_add(1));
    places.into_iter().map(|place| std::mem::take(&mut batches[place])).collect()
}

/// The batches of one epoch after another. An epoch's are drawn once, when its first is asked for.
#[derive(Debug, Clone)]
pub struct Batches {
    /// By row: where it comes from.
    sets: Vec<String>,
    size: usize,
    seed: u64,
    /// The epoch that was drawn last, and its batches.
    drawn: Option<(usize, Vec<Vec<usize>>)>,
}

impl Batches {
    /// Batches of `size` rows each, at least 1; `sets` names where each row comes from.
    pub fn new(sets: Vec<String>, size: usize, seed: u64) -> Batches {
        Batches { sets, size, seed, drawn: None }
    }

    /// Steps of an epoch.
    pub fn per_epoch(&self) -> usize {
        self.sets.len().div_ceil(self.size)
    }

    /// The rows of `step`, from 0; none if there are no rows.
    pub fn at(&mut self, step: usize) -> &[usize] {
        let per_epoch = self.per_epoch().max(1);
        let epoch = step / per_epoch;
        let drawn = self.drawn.take().filter(|(of, _)| *of == epoch);
        let (_, batches) = self.drawn.insert(drawn.unwrap_or_else(|| {
            let sets: Vec<&str> = self.sets.iter().map(String::as_str).collect();
            (epoch, batches(&sets, self.size, epoch as u64, self.seed))
        }));
        batches.get(step % per_epoch).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::{Batches, Schedule, batches, order};

    #[test]
    fn a_step_has_the_batch_of_its_epoch() {
        let sets = ["a", "b", "a", "a", "b"];
        let mut drawn = Batches::new(sets.map(str::to_owned).to_vec(), 2, 7);
        assert_eq!(drawn.per_epoch(), 3);
        for step in [0, 1, 5, 4, 2, 9] {
            let expected = &batches(&sets, 2, step as u64 / 3, 7)[step % 3];
            assert_eq!(drawn.at(step), expected, "step {step}");
        }
        assert!(Batches::new(Vec::new(), 2, 7).at(0).is_empty());
    }

    #[test]
    fn a_batch_is_of_one_set_as_far_as_they_go() {
        let sets = ["a", "b", "a", "a", "b", "a", "a", "c", "b"];
        for (epoch, seed) in [(0, 0), (1, 0), (5, 3)] {
            let found = batches(&sets, 2, epoch, seed);
            let pure = |batch: &&Vec<usize>| sets[batch[0]] == sets[batch[1]];
            assert_eq!(found.len(), 5, "{found:?}");
            assert!(found.iter().all(|batch| batch.len() == 2 && batch[0] != batch[1]));
            // Two of a and one of b; one of each set is left, and a tenth place is filled.
            assert!(found.iter().filter(pure).count() >= 3, "{found:?}");
            let mut rows: Vec<usize> = found.concat();
            rows.sort_unstable();
            rows.dedup();
            assert!(rows.into_iter().eq(0..sets.len()), "each row at least once");
            assert_eq!(found, batches(&sets, 2, epoch, seed));
        }
        assert_ne!(batches(&sets, 2, 0, 0), batches(&sets, 2, 1, 0));
        assert_eq!(batches(&["a"; 3], 8, 0, 0), [order(3, 0, 0)], "fewer rows than a batch");
        let sizes: Vec<usize> = batches(&["a", "b", "c"], 2, 0, 0).iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 2], "filled up from what is left over too");
        assert!(batches(&[], 8, 0, 0).is_empty());
    }

    #[test]
    fn the_rate_rises_and_falls_linearly() {
        let cases: [(usize, usize, &[f64]); 5] = [
            (4, 8, &[1.0, 2.0, 3.0, 4.0, 4.0, 3.0, 2.0, 1.0, 0.0, 0.0]),
            (0, 4, &[4.0, 3.0, 2.0, 1.0, 0.0]),
            (1, 3, &[4.0, 4.0, 2.0, 0.0]),
            (2, 2, &[2.0, 4.0, 0.0]),
            (4, 2, &[1.0, 2.0, 0.0, 0.0, 0.0]),
        ];
        for (warmup, total, rates) in cases {
            let schedule = Schedule { peak: 4.0, warmup, total };
            let ours: Vec<f64> = (0..rates.len()).map(|step| schedule.rate(step)).collect();
            assert_eq!(ours, rates, "{schedule:?}");
        }
    }

    #[test]
    fn epoch_and_seed_decide_the_order() {
        // Sorted by the Python package blake3, as in `split`.
        let cases: [(usize, u64, u64, &[usize]); 5] = [
            (8, 0, 0, &[3, 7, 2, 6, 0, 5, 4, 1]),
            (8, 1, 0, &[7, 4, 5, 0, 1, 3, 6, 2]),
            (8, 0, 1, &[7, 1, 0, 3, 6, 5, 4, 2]),
            (1, 5, 5, &[0]),
            (0, 5, 5, &[]),
        ];
        for (rows, epoch, seed, expected) in cases {
            assert_eq!(order(rows, epoch, seed), expected, "{rows} rows, {epoch}, {seed}");
        }
        let mut all = order(1000, 2, 3);
        all.sort_unstable();
        assert!(all.into_iter().eq(0..1000), "each row once");
    }
}
