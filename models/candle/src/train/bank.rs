//! Rankings as wide as a search: ours of everything that is learnt from, against the teacher's.
//!
//! A batch holds a few dozen passages, most of them easily told from the right one. The teacher's
//! vectors of all others are at hand, and ours are to come near to them, so they stand for ours: a
//! memory bank (arXiv 1912.06798) that never grows old and costs one product.

use std::collections::HashSet;

use candle_core::{D, Device, Result, Tensor, bail};
use candle_nn::ops::log_softmax;
use models::dataset::Pair;
use models::{prompt, schedule};

use super::recipe::Recipe;
use crate::vectors::TextVectors;

/// Most queries, and most passages: 50 MB each with 384 values a vector.
const TEXTS_MAX: usize = 32_768;

/// The teacher's vectors, (texts, width) each.
pub(crate) struct Bank {
    pub queries: Tensor,
    pub passages: Tensor,
}

impl Bank {
    /// Of the questions and first positives of `pairs`, or as many of them as fit, drawn by `seed`.
    ///
    /// # Errors
    /// If the teacher read none of them, or its vectors are not `width` wide.
    pub(crate) fn of(
        pairs: &[Pair],
        teacher: &TextVectors,
        width: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Bank> {
        let order = schedule::order(pairs.len(), 0, seed);
        let all = |text: &dyn Fn(&Pair) -> String| -> Result<Tensor> {
            let mut known = HashSet::new();
            let texts = order.iter().map(|row| text(&pairs[*row]));
            let texts = texts.filter(|text| known.insert(text.clone()));
            let vectors = texts.filter_map(|text| teacher.get(&text).map(<[f32]>::to_vec));
            let vectors: Vec<Vec<f32>> =
                vectors.filter(|vector| vector.len() == width).take(TEXTS_MAX).collect();
            if vectors.is_empty() {
                bail!(
                    "the teacher has no vectors to rank with that are {width} wide, as the model's"
                );
            }
            Tensor::from_vec(vectors.concat(), (vectors.len(), width), device)
        };
        Ok(Bank {
            queries: all(&|pair| prompt::plain(&pair.query, ""))?,
            passages: all(&|pair| pair.pos[0].clone())?,
        })
    }
}

/// Mean over `ours` (n, width) of KL(softmax(t·bank/τ') ‖ softmax(s·bank/τ)), s and t being our vectors
/// and `theirs`, and the gradient of `weight` times it with respect to ours.
///
/// # Errors
/// If the sizes do not agree.
pub(crate) fn divergence(
    ours: &Tensor,
    theirs: &Tensor,
    bank: &Tensor,
    recipe: &Recipe,
    weight: f64,
) -> Result<(f64, Tensor)> {
    let count = ours.dim(0)? as f64;
    let bank_t = bank.t()?;
    let log_shares = log_softmax(&(ours.matmul(&bank_t)? / recipe.temperature)?, D::Minus1)?;
    let scores = (theirs.matmul(&bank_t)? / recipe.teaching.temperature)?;
    let log_wanted = log_softmax(&scores, D::Minus1)?;
    let wanted = log_wanted.exp()?;
    let apart = (log_wanted - &log_shares)?;
    let loss = f64::from((&wanted * apart)?.sum_all()?.to_scalar::<f32>()?) / count;
    let pull = ((log_shares.exp()? - wanted)? * (weight / (recipe.temperature * count)))?;
    Ok((loss, pull.matmul(bank)?))
}

#[cfg(test)]
mod tests {
    use super::super::recipe::Teaching;
    use super::*;

    fn recipe(temperature: f64, theirs: f64) -> Recipe {
        let teaching = Teaching { temperature: theirs, ..Recipe::default().teaching };
        Recipe { temperature, teaching, ..Recipe::default() }
    }

    /// Two texts at a right angle: with e² to 1 the teacher has shares .881 and .119, we have halves.
    #[test]
    fn the_divergence_is_that_worked_out_by_hand_and_nothing_where_both_agree() {
        let tensor = |rows: Vec<Vec<f32>>| Tensor::new(rows, &Device::Cpu).unwrap();
        let bank = tensor(vec![vec![1.0, 0.0], vec![0.0, 1.0]]);
        let (ours, theirs) = (tensor(vec![vec![0.6, 0.6]]), tensor(vec![vec![1.0, 0.0]]));
        let (loss, d) = divergence(&ours, &theirs, &bank, &recipe(0.25, 0.5), 3.0).unwrap();
        let share = 2f64.exp() / (2f64.exp() + 1.0);
        let by_hand = share * (2.0 * share).ln() + (1.0 - share) * (2.0 * (1.0 - share)).ln();
        assert!((loss - by_hand).abs() < 1e-6, "{loss} {by_hand}");
        let d = d.to_vec2::<f32>().unwrap();
        let pull = 3.0 * (0.5 - share) / 0.25;
        assert!((f64::from(d[0][0]) - pull).abs() < 1e-5 && (d[0][0] + d[0][1]).abs() < 1e-5);
        let (loss, d) = divergence(&theirs, &theirs, &bank, &recipe(0.5, 0.5), 3.0).unwrap();
        assert!(
            loss.abs() < 1e-6
                && d.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap() < 1e-5
        );
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let number = |i: usize| ((i * 37 % 19) as f32 / 9.0 - 1.0) * 0.7;
        let tensor = |rows: usize, from: usize| {
            let values: Vec<f32> = (from..from + rows * 3).map(number).collect();
            Tensor::from_vec(values, (rows, 3), &Device::Cpu).unwrap()
        };
        let (ours, theirs, bank) = (tensor(2, 0), tensor(2, 5), tensor(6, 11));
        let recipe = recipe(0.3, 0.2);
        let d =
            divergence(&ours, &theirs, &bank, &recipe, 1.0).unwrap().1.to_vec2::<f32>().unwrap();
        for (row, at) in [(0, 0), (0, 2), (1, 1)] {
            let moved = |by: f32| {
                let mut values = ours.to_vec2::<f32>().unwrap();
                values[row][at] += by;
                let ours = Tensor::new(values, &Device::Cpu).unwrap();
                divergence(&ours, &theirs, &bank, &recipe, 1.0).unwrap().0
            };
            let slope = (moved(0.01) - moved(-0.01)) / 0.02;
            assert!((slope - f64::from(d[row][at])).abs() < 5e-3, "{slope} {}", d[row][at]);
        }
    }
}
