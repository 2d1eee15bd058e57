//! A run that learns to read: its steps, and what held-out rows are worth.

use std::path::Path;

use models::MindError;
use models::dataset::Pair;

use super::super::reading::{self, Lesson};
use super::super::recipe::ReadingRecipe;
use super::{Trainer, inference};

/// What became of one step of reading.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ReadReport {
    /// From 1.
    pub step: usize,
    /// λ·(contrast + likelihood) + (1 − λ)·generation, weights left out.
    pub loss: f64,
    /// Cross-entropy of the softmax over a row's passages.
    pub contrast: f64,
    /// Cross-entropy of a question's token after the passage that answers it.
    pub likelihood: f64,
    pub generation: f64,
    /// Share of the rows whose passage came first.
    pub right: f64,
    /// Length of the gradient before it was cut.
    pub gradient: f32,
    pub rate: f64,
    pub tokens: usize,
}

impl Trainer {
    /// Takes the next step of learning to read.
    ///
    /// # Errors
    /// As [`Trainer::step`]; [`MindError::Model`] if the recipe does not read.
    pub fn read(&mut self, bad_batch: &Path) -> Result<ReadReport, MindError> {
        let reading = self.reading()?;
        let taken = self.taken();
        let rows: Vec<Pair> =
            self.batches.at(taken).iter().map(|row| self.pairs[*row].clone()).collect();
        let thoughtful: Vec<&Pair> =
            self.pairs.iter().filter(|pair| !pair.thought.trim().is_empty()).collect();
        let first = taken * reading.thoughts;
        let thoughts: Vec<&Pair> = (first..first + reading.thoughts)
            .filter_map(|index| thoughtful.get(index % thoughtful.len().max(1)).copied())
            .collect();
        let lesson = self.lesson(&rows, &thoughts, &reading, taken)?;
        let (losses, gradients) =
            reading::gradients(&self.network, &self.parameters, &lesson, (&self.recipe, &reading))
                .map_err(inference)?;
        let (gradient, rate) = self.descend(losses.total, gradients, bad_batch)?;
        Ok(ReadReport {
            step: taken + 1,
            loss: losses.total,
            contrast: losses.contrast,
            likelihood: losses.likelihood,
            generation: losses.generation,
            right: losses.right,
            gradient,
            rate,
            tokens: lesson.tokens(),
        })
    }

    /// Contrast of `pairs`, which are not learnt from, and the share of them whose passage comes first.
    ///
    /// # Errors
    /// [`MindError`] as [`Trainer::read`].
    pub fn reads(&self, pairs: &[Pair]) -> Result<(f64, f64), MindError> {
        let reading = self.reading()?;
        let lesson = self.lesson(pairs, &[], &reading, 0)?;
        let losses = reading::look(&self.network, &lesson, (&self.recipe, &reading));
        losses.map(|losses| (losses.contrast, losses.right)).map_err(inference)
    }

    fn reading(&self) -> Result<ReadingRecipe, MindError> {
        let missing = || MindError::Model("the recipe does not say how to read".to_owned());
        self.recipe.reading.ok_or_else(missing)
    }

    fn lesson(
        &self,
        rows: &[Pair],
        thoughts: &[&Pair],
        reading: &ReadingRecipe,
        step: usize,
    ) -> Result<Lesson, MindError> {
        let rows: Vec<&Pair> = rows.iter().collect();
        let words = (&self.frame, self.vocabulary.as_ref());
        Lesson::draw(&rows, thoughts, words, (&self.recipe, reading), step)
    }
}
