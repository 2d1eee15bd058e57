//! A head's table of token vectors and its columns for it, learnt while all else stays as it is.
//!
//! Each text goes through the model once. From then on a step looks rows up and adds them to what the
//! head made of the states, so that a table goes over many texts many times in minutes, where the
//! model takes an hour to go over them once. The losses are those of the model's own steps.

mod start;

use std::path::Path;

use candle_core::{D, Device, Result, Tensor};
use models::MindError;
use models::schedule::{Batches, Schedule};
use rayon::prelude::*;

use super::adam::AdamW;
use super::checkpoint;
use super::contrast::{self, Lesson};
use super::parameters::{Parameters, Start};
use super::recipe::Recipe;
use crate::head::Table;

pub use start::TableStart;

/// Name of the table among trained tensors, (vocabulary, table width).
pub(crate) const TABLE: &str = "tokens";
/// Name of the head's columns for it, (embedding width, table width).
const COLUMNS: &str = "columns";

/// What a table learns from. Texts are queries and passages, by index.
#[derive(Debug, Clone, Default)]
pub struct TableLesson {
    /// By text: the tokens that its mean is over, none of them twice as heavy as another.
    pub words: Vec<Vec<u32>>,
    /// (texts, width): what the head makes of the states, not normalised.
    pub raw: Vec<f32>,
    /// (texts, width): the teacher's vectors.
    pub taught: Vec<f32>,
    /// A query and the passage that answers it.
    pub pairs: Vec<(usize, usize)>,
    /// By pair: where it comes from. A batch is of one such set.
    pub sets: Vec<String>,
}

/// How a table is learnt.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRecipe {
    pub epochs: usize,
    /// Pairs in a step.
    pub batch: usize,
    /// Peak of the learning rate.
    pub rate: f64,
    /// The losses' weights and temperatures, the seed, and the share of warm-up.
    pub recipe: Recipe,
}

/// What became of one step: means before their weights, as in [`super::StepReport`].
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct TableReport {
    /// From 1.
    pub step: usize,
    pub contrast: f64,
    pub scores: f64,
    pub vectors: f64,
}

/// See the module.
pub struct TableTrainer {
    lesson: TableLesson,
    recipe: Recipe,
    batches: Batches,
    table_width: usize,
    /// Values in an embedding.
    width: usize,
    parameters: Parameters,
    adam: AdamW,
    schedule: Schedule,
    /// Digest of all that decides the steps.
    key: [u8; 32],
}

impl TableTrainer {
    /// Begins with `start`.
    ///
    /// # Errors
    /// [`MindError::Model`] if the teacher's vectors are not as wide as the model's.
    pub fn open(
        start: TableStart,
        mut lesson: TableLesson,
        how: TableRecipe,
    ) -> std::result::Result<TableTrainer, MindError> {
        let TableStart { table: Table { rows, width: table_width }, columns } = start;
        let width = columns.len() / table_width;
        let texts = lesson.words.len();
        if lesson.raw.len() != texts * width || lesson.taught.len() != texts * width {
            return Err(MindError::Model(
                "a table of token vectors needs a model whose vectors are as wide as the teacher's"
                    .to_owned(),
            ));
        }
        let mut parameters = Parameters::default();
        let shape = vec![rows.len() / table_width, table_width];
        parameters.add(TABLE.to_owned(), shape, Start::Given(rows));
        parameters.add(COLUMNS.to_owned(), vec![width, table_width], Start::Given(columns));
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{how:?} {:?} {:?}", lesson.pairs, lesson.words).as_bytes());
        let key = *hasher.finalize().as_bytes();
        let batches = Batches::new(std::mem::take(&mut lesson.sets), how.batch, how.recipe.seed);
        let total = batches.per_epoch() * how.epochs;
        let warmup = (how.recipe.warmup * total as f64).ceil() as usize;
        Ok(TableTrainer {
            adam: AdamW::new(parameters.values.len(), 0.0),
            schedule: Schedule { peak: how.rate, warmup, total },
            lesson,
            recipe: how.recipe,
            batches,
            table_width,
            width,
            parameters,
            key,
        })
    }

    /// Steps of the whole lesson.
    pub fn steps(&self) -> usize {
        self.schedule.total
    }

    /// Steps taken.
    pub fn taken(&self) -> usize {
        usize::try_from(self.adam.steps).unwrap_or(usize::MAX)
    }

    /// Goes on from `checkpoint` if it is there and of this lesson.
    ///
    /// # Errors
    /// [`MindError::Model`] if it cannot be read.
    pub fn resume(&mut self, checkpoint: &Path) -> std::result::Result<(), MindError> {
        checkpoint::load(checkpoint, &self.key, &mut self.parameters, &mut self.adam)
            .map(|_| ())
            .map_err(|error| {
                MindError::Model(format!(
                    "{}: {error}; remove the file to begin the table again",
                    checkpoint.display()
                ))
            })
    }

    /// Writes where the lesson stands.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the file cannot be written.
    pub fn save(&self, checkpoint: &Path) -> std::result::Result<(), MindError> {
        checkpoint::save(checkpoint, &self.key, &self.parameters, &self.adam).map_err(|error| {
            MindError::Inference(format!("writing {}: {error}", checkpoint.display()))
        })
    }

    /// Takes the next step.
    ///
    /// # Errors
    /// [`MindError::Inference`] if an operation fails, [`MindError::Numeric`] if the loss is no number.
    pub fn step(&mut self) -> std::result::Result<TableReport, MindError> {
        let taken = self.taken();
        let pairs: Vec<(usize, usize)> =
            self.batches.at(taken).iter().map(|pair| self.lesson.pairs[*pair]).collect();
        let (losses, gradient) = self.gradient(&pairs).map_err(inference)?;
        let report = TableReport {
            step: taken + 1,
            contrast: losses.contrast,
            scores: losses.scores,
            vectors: losses.vectors,
        };
        if !(report.contrast + report.scores + report.vectors).is_finite() {
            return Err(MindError::Numeric(format!(
                "a loss that is no number in step {} of the table",
                report.step
            )));
        }
        let rate = self.schedule.rate(taken) as f32;
        self.adam.step(&mut self.parameters.values, &gradient, rate, (usize::MAX, 0.0));
        Ok(report)
    }

    /// The losses of `pairs`, and the gradient of table and columns.
    fn gradient(&self, pairs: &[(usize, usize)]) -> Result<(contrast::Losses, Vec<f32>)> {
        let texts: Vec<usize> = pairs
            .iter()
            .map(|(query, _)| *query)
            .chain(pairs.iter().map(|(_, passage)| *passage))
            .collect();
        let count = pairs.len();
        let (means, columns) = (self.means(&texts)?, self.columns()?);
        let raw = (self.of(&self.lesson.raw, &texts)? + means.matmul(&columns.t()?)?)?;
        let norm = raw.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
        let unit = raw.broadcast_div(&norm)?;
        let (queries, passages) = (unit.narrow(0, 0, count)?, unit.narrow(0, count, count)?);
        let lesson = self.batch(pairs, &texts)?;
        let (losses, d_queries, d_passages) =
            contrast::contrast(&queries, &passages, &lesson, None, &self.recipe, 1.0)?;
        let d = Tensor::cat(&[d_queries, d_passages], 0)?;
        let along = (&unit * &d)?.sum_keepdim(D::Minus1)?;
        let d_raw = (d - unit.broadcast_mul(&along)?)?.broadcast_div(&norm)?;
        let d_means = d_raw.matmul(&columns)?.to_vec2::<f32>()?;
        let d_columns = d_raw.t()?.matmul(&means)?.flatten_all()?.to_vec1::<f32>()?;
        let mut gradient = vec![0f32; self.parameters.values.len() - d_columns.len()];
        gradient.extend(d_columns);
        for (text, d_mean) in texts.iter().zip(d_means) {
            let words = &self.lesson.words[*text];
            let share = 1.0 / words.len().max(1) as f32;
            for word in words {
                let start = *word as usize * self.table_width;
                let own = &mut gradient[start..start + self.table_width];
                own.iter_mut().zip(&d_mean).for_each(|(sum, d)| *sum += share * d);
            }
        }
        Ok((losses, gradient))
    }

    fn columns(&self) -> Result<Tensor> {
        let start = self.parameters.start(COLUMNS);
        let shape = (self.width, self.table_width);
        Tensor::from_slice(&self.parameters.values[start..], shape, &Device::Cpu)
    }

    /// (texts, table width): the means of the table's rows.
    fn means(&self, texts: &[usize]) -> Result<Tensor> {
        let mean = |text: &usize| {
            let words = &self.lesson.words[*text];
            let mut mean = vec![0f32; self.table_width];
            for word in words {
                let start = *word as usize * self.table_width;
                let row = &self.parameters.values[start..start + self.table_width];
                mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            let share = 1.0 / words.len().max(1) as f32;
            mean.into_iter().map(|sum| sum * share).collect::<Vec<f32>>()
        };
        let means: Vec<Vec<f32>> = texts.par_iter().map(mean).collect();
        Tensor::from_vec(means.concat(), (texts.len(), self.table_width), &Device::Cpu)
    }

    /// (texts, width) of `all`, which is row-major by text.
    fn of(&self, all: &[f32], texts: &[usize]) -> Result<Tensor> {
        let rows = texts.iter().map(|text| &all[text * self.width..(text + 1) * self.width]);
        let rows: Vec<f32> = rows.flatten().copied().collect();
        Tensor::from_vec(rows, (texts.len(), self.width), &Device::Cpu)
    }

    fn batch(&self, pairs: &[(usize, usize)], texts: &[usize]) -> Result<Lesson> {
        let count = pairs.len();
        let taught = self.of(&self.lesson.taught, texts)?;
        let (queries, passages) = (taught.narrow(0, 0, count)?, taught.narrow(0, count, count)?);
        // Another query's passage that is this query's own as well is no wrong answer.
        let masked = pairs.iter().flat_map(|(_, own)| pairs.iter().map(move |(_, it)| it == own));
        Ok(Lesson {
            rows: count,
            columns: count,
            targets: (0..count).collect(),
            masked: masked.collect(),
            teacher_scores: queries.matmul(&passages.t()?)?.flatten_all()?.to_vec1()?,
            teacher_vectors: taught.flatten_all()?.to_vec1()?,
        })
    }

    /// Mean of 1 − cosine to the teacher over some texts.
    ///
    /// # Errors
    /// [`MindError::Inference`] if an operation fails.
    pub fn distance(&self, texts: &[usize]) -> std::result::Result<f64, MindError> {
        let distance = || -> Result<f64> {
            let told = self.means(texts)?.matmul(&self.columns()?.t()?)?;
            let raw = (self.of(&self.lesson.raw, texts)? + told)?;
            let norm = raw.sqr()?.sum(D::Minus1)?.sqrt()?;
            let dot = (raw * self.of(&self.lesson.taught, texts)?)?.sum(D::Minus1)?;
            let cosines = dot.div(&norm)?.to_vec1::<f32>()?;
            let sum: f64 = cosines.iter().map(|cosine| f64::from(*cosine)).sum();
            Ok(1.0 - sum / texts.len().max(1) as f64)
        };
        distance().map_err(inference)
    }

    /// The table as it is now, and the head's columns for it, (embedding width, table width).
    pub fn finish(self) -> (Table, Vec<f32>) {
        let mut rows = self.parameters.values;
        let columns = rows.split_off(rows.len() - self.width * self.table_width);
        (Table { rows, width: self.table_width }, columns)
    }
}

fn inference(error: candle_core::Error) -> MindError {
    MindError::Inference(error.to_string())
}

#[cfg(test)]
mod tests;
