//! Learning to read: the passage that answers is told from others by how likely the question is after
//! it.
//!
//! A row's score is the question's mean log-probability after each of its passages, and the loss the
//! cross-entropy of a softmax over them, with a little of the question's likelihood, so that the
//! model goes on expecting questions at all. Thoughts ride along (behaviour cloning), or they would
//! drift. Only the upper layers learn ([`super::recipe::ReadingRecipe`]).

use std::ops::Range;

use candle_core::Result;
use models::dataset::Pair;
use models::{MindError, Thought, ground};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::batch::{Item, query_items};
use super::network::{Network, Pass};
use super::parameters::{Gradients, Parameters};
use super::recipe::{ReadingRecipe, Recipe};
use super::step::{self, CHUNK_TOKENS_MAX, Chunk};
use crate::reader::Frame;
use crate::tokens::Vocabulary;

/// One step's worth.
#[derive(Debug, Default)]
pub(crate) struct Lesson {
    /// What is read, row by row, then thoughts.
    pub items: Vec<Item>,
    /// The items of each row, that of the passage that answers first.
    pub rows: Vec<Range<usize>>,
}

/// The parts of a step's loss, each a mean before its weight.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ReadLosses {
    pub total: f64,
    /// Of the softmax over a row's passages.
    pub contrast: f64,
    /// Of a question's token after the passage that answers it.
    pub likelihood: f64,
    /// Of a thought's token.
    pub generation: f64,
    /// Share of the rows whose passage came first.
    pub right: f64,
}

impl Lesson {
    /// Draws from `pairs` a positive and some negatives for each that has any, and takes the thoughts
    /// of `thoughtful`.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the tokenizer fails.
    pub(crate) fn draw(
        pairs: &[&Pair],
        thoughtful: &[&Pair],
        (frame, vocabulary): (&Frame, &Vocabulary),
        (recipe, reading): (&Recipe, &ReadingRecipe),
        step: usize,
    ) -> std::result::Result<Lesson, MindError> {
        let mut rng = StdRng::seed_from_u64(recipe.seed ^ (step as u64).wrapping_mul(0x9e37_79b9));
        let mut lesson = Lesson::default();
        for pair in pairs.iter().filter(|pair| !pair.neg.is_empty()) {
            let first = lesson.items.len();
            let positive = &pair.pos[rng.random_range(0..pair.pos.len())];
            let negatives = pair.neg.choose_multiple(&mut rng, recipe.negatives);
            for passage in std::iter::once(positive).chain(negatives) {
                let text = frame.text(vocabulary, &pair.query, passage, reading.window)?;
                let label = |position: usize| (position, text.ids[position + 1]);
                let labels = (text.question - 1..text.ids.len() - 1).map(label).collect();
                lesson.items.push(Item { ids: text.ids, reads: Vec::new(), labels });
            }
            lesson.rows.push(first..lesson.items.len());
        }
        for pair in thoughtful {
            let grounded = ground::tells(&pair.context, &pair.thought) && rng.random_bool(0.5);
            let thought = Thought {
                text: pair.thought.trim().to_owned(),
                context: if grounded { pair.context.clone() } else { String::new() },
                ..Thought::default()
            };
            let items = query_items(&pair.query, &thought, &[true], vocabulary)?;
            let bare = items.into_iter().map(|item| Item { reads: Vec::new(), ..item });
            lesson.items.extend(bare.filter(|item| !item.labels.is_empty()));
        }
        Ok(lesson)
    }

    /// Padded or not, how many tokens there are.
    pub(crate) fn tokens(&self) -> usize {
        self.items.iter().map(|item| item.ids.len()).sum()
    }

    fn thoughts(&self) -> Range<usize> {
        self.rows.last().map_or(0, |row| row.end)..self.items.len()
    }
}

/// `L = λ·(contrast + likelihood) + (1 − λ)·L_gen` of `lesson` and its gradient.
///
/// # Errors
/// If an operation fails.
pub(crate) fn gradients(
    network: &Network,
    parameters: &Parameters,
    lesson: &Lesson,
    (recipe, reading): (&Recipe, &ReadingRecipe),
) -> Result<(ReadLosses, Gradients)> {
    let items = &lesson.items;
    let (passes, losses) = read(network, items, true)?;
    let (told, weights) = weigh(lesson, &losses, recipe.lambda, reading);
    let mut gradients = Gradients::zero(parameters);
    for (chunk, pass) in passes {
        let mut labels = chunk.labels(items, 0.0);
        let each = chunk
            .items
            .iter()
            .flat_map(|item| std::iter::repeat_n(weights[*item], items[*item].labels.len()));
        labels.iter_mut().zip(each).for_each(|(label, weight)| label.weight = weight);
        let (_, d_top) = network.generation(&pass, &labels)?;
        network.backward(&pass, d_top, None, &mut gradients)?;
    }
    Ok((told, gradients))
}

/// The losses of `lesson`, from which nothing is learnt.
///
/// # Errors
/// If an operation fails.
pub(crate) fn look(
    network: &Network,
    lesson: &Lesson,
    (recipe, reading): (&Recipe, &ReadingRecipe),
) -> Result<ReadLosses> {
    let (_, losses) = read(network, &lesson.items, false)?;
    Ok(weigh(lesson, &losses, recipe.lambda, reading).0)
}

type Passes = Vec<(Chunk, Pass)>;

/// A pass to the top for each chunk of `items`, kept for the way back if it is to be, and by item the
/// cross-entropy of each of its labels.
fn read(network: &Network, items: &[Item], keep: bool) -> Result<(Passes, Vec<Vec<f32>>)> {
    let mut passes = Vec::new();
    let mut losses: Vec<Vec<f32>> = vec![Vec::new(); items.len()];
    for chunk in step::chunks(items, true, CHUNK_TOKENS_MAX) {
        let (ids, shape) = chunk.padded_ids(items);
        let mut pass = network.begin(&ids, shape, None)?;
        network.advance(&mut pass, network.depth(), keep)?;
        let mut all = network.losses(&pass, &chunk.labels(items, 1.0))?.into_iter();
        for item in &chunk.items {
            losses[*item] = all.by_ref().take(items[*item].labels.len()).collect();
        }
        passes.push((chunk, pass));
    }
    Ok((passes, losses))
}

/// From each label's cross-entropy: what the loss is, and by item the weight of each of its labels in
/// the loss's gradient.
fn weigh(
    lesson: &Lesson,
    losses: &[Vec<f32>],
    lambda: f64,
    reading: &ReadingRecipe,
) -> (ReadLosses, Vec<f32>) {
    let mut told = ReadLosses::default();
    let mut weights = vec![0f32; losses.len()];
    let share = 1.0 / lesson.rows.len().max(1) as f64;
    for row in &lesson.rows {
        let means: Vec<f64> = losses[row.clone()].iter().map(|losses| mean(losses)).collect();
        let least = means.iter().copied().fold(f64::INFINITY, f64::min);
        let shares: Vec<f64> =
            means.iter().map(|mean| (-reading.sharpness * (mean - least)).exp()).collect();
        let sum: f64 = shares.iter().sum();
        told.contrast -= share * (shares[0] / sum).ln();
        told.likelihood += share * means[0];
        told.right += if means[0] <= least { share } else { 0.0 };
        for (place, item) in row.clone().enumerate() {
            let target = if place == 0 { 1.0 } else { 0.0 };
            // The softmax falls as the mean cross-entropy rises: hence target − share.
            let mut weight = reading.sharpness * (target - shares[place] / sum);
            weight += if place == 0 { reading.likelihood } else { 0.0 };
            let labels = losses[item].len().max(1) as f64;
            weights[item] = (lambda * share * weight / labels) as f32;
        }
    }
    let thoughts = lesson.thoughts();
    let labels: usize = losses[thoughts.clone()].iter().map(Vec::len).sum();
    let each = 1.0 / labels.max(1) as f64;
    for item in thoughts {
        told.generation += each * losses[item].iter().map(|loss| f64::from(*loss)).sum::<f64>();
        weights[item] = ((1.0 - lambda) * each) as f32;
    }
    let read = told.contrast + reading.likelihood * told.likelihood;
    told.total = lambda * read + (1.0 - lambda) * told.generation;
    (told, weights)
}

fn mean(losses: &[f32]) -> f64 {
    losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / losses.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loss_and_its_gradient_are_those_worked_by_hand() {
        let item = |labels: usize| Item {
            ids: vec![0; labels + 1],
            reads: Vec::new(),
            labels: (0..labels).map(|at| (at, 0)).collect(),
        };
        let items = vec![item(2), item(2), item(4)];
        let lesson = Lesson { items, rows: std::iter::once(0..2).collect() };
        let reading = ReadingRecipe { sharpness: 2.0, likelihood: 0.5, ..ReadingRecipe::default() };
        let losses = [vec![1.0, 2.0], vec![2.0, 2.0], vec![1.0, 1.0, 3.0, 3.0]];
        let (told, weights) = weigh(&lesson, &losses, 0.75, &reading);
        // Means 1.5 and 2: the softmax of -3 and -4 is .7311 and .2689.
        let first = 1.0 / (1.0 + (-1f64).exp());
        assert!((told.contrast + first.ln()).abs() < 1e-9, "{told:?}");
        assert!((told.likelihood - 1.5).abs() < 1e-9 && (told.generation - 2.0).abs() < 1e-9);
        let total = 0.75 * (-first.ln() + 0.5 * 1.5) + 0.25 * 2.0;
        assert!((told.total - total).abs() < 1e-9 && (told.right - 1.0).abs() < 1e-9);
        let expected = [
            0.75 * (2.0 * (1.0 - first) + 0.5) / 2.0,
            -0.75 * 2.0 * (1.0 - first) / 2.0,
            0.25 / 4.0,
        ];
        for (weight, expected) in weights.iter().zip(expected) {
            assert!((f64::from(*weight) - expected).abs() < 1e-6, "{weights:?}");
        }
        // By differences: a little more cross-entropy of one label.
        let moved = |item: usize| {
            let mut losses = losses.clone();
            losses[item][0] += 1e-3;
            (weigh(&lesson, &losses, 0.75, &reading).0.total - told.total) / 1e-3
        };
        for (item, weight) in weights.iter().enumerate() {
            assert!((moved(item) - f64::from(*weight)).abs() < 1e-3, "{item}");
        }
    }
}
