//! Logits -> one token: temperature, nucleus and a seed of our own (pure).
//!
//! mistral.rs draws from one generator per engine with a fixed seed, so a thought would depend on
//! every thought before it. Here each thought has its own stream, and the same seed says the same.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Weights below e^-25 of the best token's are nothing, even if a whole vocabulary has them.
const EXPONENT_MIN: f32 = -25.0;

/// Draws the tokens of one thought.
pub(crate) struct Draw {
    rng: StdRng,
    /// 0 is greedy.
    temperature: f32,
    /// Nucleus mass; 1 keeps every token.
    top_p: f64,
}

impl Draw {
    /// A `temperature` that is not above 0 is greedy.
    pub(crate) fn new(seed: u64, temperature: f64, top_p: f64) -> Draw {
        Draw { rng: StdRng::seed_from_u64(seed), temperature: temperature as f32, top_p }
    }

    /// The next token's id, or nothing if the logits are not numbers.
    pub(crate) fn pick(&mut self, logits: &[f32]) -> Option<u32> {
        let mut best = (f32::NEG_INFINITY, 0);
        let mut sound = true;
        for (id, logit) in (0u32..).zip(logits) {
            sound &= !logit.is_nan();
            if *logit > best.0 {
                best = (*logit, id);
            }
        }
        if !sound || !best.0.is_finite() {
            return None;
        }
        if self.temperature > 0.0 { Some(self.sample(logits, best)) } else { Some(best.1) }
    }

    fn sample(&mut self, logits: &[f32], best: (f32, u32)) -> u32 {
        let mut total = 0.0;
        let mut weights: Vec<(f32, u32)> = Vec::with_capacity(1024);
        for (id, logit) in (0u32..).zip(logits) {
            let exponent = (logit - best.0) / self.temperature;
            if exponent > EXPONENT_MIN {
                let weight = exponent.exp();
                total += f64::from(weight);
                weights.push((weight, id));
            }
        }
        let mut mass = total;
        if self.top_p < 1.0 {
            // Tokens below this weight hold less than 1 - top_p together, so the nucleus is among
            // the others and only those few have to be sorted.
            let least = ((1.0 - self.top_p) * total / logits.len() as f64) as f32;
            weights.retain(|(weight, _)| *weight >= least);
            weights.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            mass = 0.0;
            let enough = self.top_p * total;
            let inside = weights.iter().position(|(weight, _)| {
                mass += f64::from(*weight);
                mass >= enough
            });
            weights.truncate(inside.map_or(weights.len(), |last| last + 1));
        }
        let mut left = self.rng.random::<f64>() * mass;
        let drawn = weights.iter().find(|(weight, _)| {
            left -= f64::from(*weight);
            left < 0.0
        });
        drawn.map_or(best.1, |(_, id)| *id)
    }
}
