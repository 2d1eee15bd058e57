//! AdamW (arXiv 1711.05101) over a flat list, with its state in the open: candle's keeps its own to
//! itself, and a run that resumes exactly must save it.

use rayon::prelude::*;

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;
/// Values that one task steps over.
const CHUNK: usize = 1 << 16;

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AdamW {
    /// Decoupled: a share of each value, times the rate.
    pub weight_decay: f32,
    /// Steps taken.
    pub steps: u64,
    pub first: Vec<f32>,
    pub second: Vec<f32>,
}

impl AdamW {
    pub(crate) fn new(count: usize, weight_decay: f32) -> AdamW {
        AdamW { weight_decay, steps: 0, first: vec![0.0; count], second: vec![0.0; count] }
    }

    /// Moves `values` against `gradient`: at `rate`, and at `last` from the place `from` on.
    pub(crate) fn step(
        &mut self,
        values: &mut [f32],
        gradient: &[f32],
        rate: f32,
        (from, last): (usize, f32),
    ) {
        self.steps += 1;
        let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let (correct_1, correct_2) = (1.0 - BETA_1.powi(steps), 1.0 - BETA_2.powi(steps));
        let weight_decay = self.weight_decay;
        let moments = self.first.par_chunks_mut(CHUNK).zip(self.second.par_chunks_mut(CHUNK));
        let both = values.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK)).zip(moments);
        both.enumerate().for_each(|(chunk, ((values, gradient), (first, second)))| {
            for (i, value) in values.iter_mut().enumerate() {
                let g = gradient[i];
                let rate = if chunk * CHUNK + i < from { rate } else { last };
                first[i] += (1.0 - BETA_1) * (g - first[i]);
                second[i] += (1.0 - BETA_2) * (g * g - second[i]);
                let root = (second[i] / correct_2).sqrt() + EPSILON;
                *value -= rate * (weight_decay * *value + first[i] / correct_1 / root);
            }
        });
    }
}

/// Scales `gradient` down to the Euclidean norm `most`, if it is longer; its norm before.
pub(crate) fn clip(gradient: &mut [f32], most: f32) -> f32 {
    let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt() as f32;
    if norm > most && norm.is_finite() {
        let factor = most / norm;
        gradient.iter_mut().for_each(|g| *g *= factor);
    }
    norm
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_steps_are_those_of_a_hand_calculation() {
        // Rate 0.1, no decay, gradients 1 and -2 of the value 0.5. First step: m̂/√v̂ = 1, so 0.4.
        // Second: m = -0.11, v = 0.004999, m̂ = -0.11/0.19, v̂ = 0.004999/0.001999.
        let mut adam = AdamW::new(1, 0.0);
        let mut values = [0.5];
        adam.step(&mut values, &[1.0], 0.1, (1, 0.0));
        assert!((values[0] - 0.4).abs() < 1e-6, "{values:?}");
        adam.step(&mut values, &[-2.0], 0.1, (1, 0.0));
        let expected = 0.4 + 0.1 * (0.11 / 0.19) / (0.004_999f64 / 0.001_999).sqrt();
        assert!((f64::from(values[0]) - expected).abs() < 1e-5, "{values:?}, not {expected}");
    }

    #[test]
    fn decay_is_a_share_of_the_value_and_apart_from_the_gradient() {
        let mut adam = AdamW::new(1, 0.5);
        let mut values = [2.0];
        adam.step(&mut values, &[0.0], 9.0, (0, 0.1));
        assert!((values[0] - 1.9).abs() < 1e-6, "{values:?}");
    }

    #[test]
    fn a_long_gradient_is_cut_to_length_and_a_short_one_left() {
        let mut long = [3.0, 4.0];
        assert!((clip(&mut long, 1.0) - 5.0).abs() < 1e-6);
        assert!((long[0] - 0.6).abs() < 1e-6 && (long[1] - 0.8).abs() < 1e-6, "{long:?}");
        let mut short = [0.3, 0.4];
        assert!((clip(&mut short, 1.0) - 0.5).abs() < 1e-6);
        assert_eq!(short, [0.3, 0.4]);
    }
}
