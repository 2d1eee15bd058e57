//! One step's losses and gradients, at a memory that does not grow with the batch.
//!
//! All vectors of a batch meet in one loss. A batch that is small enough keeps its layers' states
//! from the first pass; a larger one is embedded without keeping them, the loss gives each vector
//! its gradient, and then chunk by chunk is embedded again and taken back with that (GradCache,
//! arXiv 2101.06983). Both give the same gradients. L_gen needs no other sequence, so it rides along
//! in the second pass of the sequences that have a thought.

use candle_core::{Device, Result, Tensor};

use super::bank::Bank;
use super::batch::{Batch, Item};
use super::contrast::{self, Losses};
use super::generation::Label;
use super::network::{Network, Pass, Readouts, Vectors};
use super::parameters::{Gradients, Parameters};
use super::recipe::Recipe;
use crate::pooling::Pooling;

/// Padded tokens that go through the layers together; larger chunks were measured to be no faster.
pub(super) const CHUNK_TOKENS_MAX: usize = 1024;

/// The parts of a step's loss, each a mean before its weight.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct StepLosses {
    pub total: f64,
    pub retrieval: Losses,
    pub generation: f64,
}

/// Sequences of like length.
pub(super) struct Chunk {
    pub items: Vec<usize>,
    labelled: bool,
}

/// A chunk that went as far as its vectors.
struct Read {
    pass: Pass,
    readouts: Readouts,
    vectors: Vectors,
}

/// `L = λ·(InfoNCE + distillation) + (1 − λ)·L_gen` of `batch` and its gradient. `seed` draws the
/// dropouts.
///
/// # Errors
/// If an operation fails.
pub(crate) fn gradients(
    network: &Network,
    parameters: &Parameters,
    batch: &Batch,
    bank: Option<&Bank>,
    recipe: &Recipe,
    seed: u64,
) -> Result<(StepLosses, Gradients)> {
    let generates = recipe.lambda < 1.0;
    let chunks = chunks(&batch.items, generates, CHUNK_TOKENS_MAX);
    let padded: usize = chunks.iter().map(|chunk| chunk.padded(&batch.items)).sum();
    let keep = padded <= recipe.kept_tokens_max;
    let start = |index: usize, chunk: &Chunk, keep: bool| -> Result<Read> {
        let seed = (recipe.dropout > 0.0).then(|| seed.wrapping_add(index as u64 * 0x1_0000));
        read(network, &batch.items, chunk, seed, keep)
    };
    let firsts = first_vectors(&batch.items);
    let count = batch.lesson.rows + batch.lesson.columns;
    let mut all: Vec<Vec<f32>> = vec![Vec::new(); count];
    let mut kept = Vec::new();
    for (index, chunk) in chunks.iter().enumerate() {
        let read = start(index, chunk, keep)?;
        let rows = read.vectors.unit.to_vec2::<f32>()?;
        for (place, vector) in places(chunk, &batch.items, &firsts, read.readouts.reads) {
            all[vector].clone_from(&rows[place]);
        }
        kept.push(keep.then_some(read));
    }
    let mut losses = StepLosses::default();
    let mut gradients = Gradients::zero(parameters);
    let d_all = contrasted(network.device(), &all, batch, bank, recipe, &mut losses)?;
    let per_label = (1.0 - recipe.lambda) / batch.labels().max(1) as f64;
    for (index, (chunk, read)) in chunks.iter().zip(kept).enumerate() {
        let Read { mut pass, readouts, vectors } = match read {
            Some(read) => read,
            None => start(index, chunk, true)?,
        };
        let mut d_rows = vec![vec![0f32; d_all[0].len()]; chunk.items.len() * readouts.reads];
        for (place, vector) in places(chunk, &batch.items, &firsts, readouts.reads) {
            d_rows[place].clone_from(&d_all[vector]);
        }
        let d_rows = Tensor::new(d_rows, network.device())?;
        let mut d_top = None;
        if generates && chunk.labelled {
            network.advance(&mut pass, network.depth(), true)?;
            let labels = chunk.labels(&batch.items, per_label as f32);
            let (sum, d) = network.generation(&pass, &labels)?;
            losses.generation += sum / batch.labels().max(1) as f64;
            d_top = d;
        }
        network.backward(&pass, d_top, Some((&readouts, &vectors, &d_rows)), &mut gradients)?;
    }
    let Losses { contrast, scores, ranking, vectors } = losses.retrieval;
    let teaching = &recipe.teaching;
    let taught = teaching.scores * scores + teaching.ranking * ranking + teaching.vectors * vectors;
    let retrieval = contrast + taught;
    losses.total = recipe.lambda * retrieval + (1.0 - recipe.lambda) * losses.generation;
    Ok((losses, gradients))
}

/// Unit vectors of `items`, read by read, in order.
///
/// # Errors
/// If an operation fails.
pub(crate) fn embed(network: &Network, items: &[Item]) -> Result<Vec<Vec<f32>>> {
    let firsts = first_vectors(items);
    let count = items.iter().map(|item| item.reads.len()).sum();
    let mut all = vec![Vec::new(); count];
    for chunk in chunks(items, false, CHUNK_TOKENS_MAX) {
        let read = read(network, items, &chunk, None, false)?;
        let mut rows = read.vectors.unit.to_vec2::<f32>()?;
        for (place, vector) in places(&chunk, items, &firsts, read.readouts.reads) {
            all[vector] = std::mem::take(&mut rows[place]);
        }
    }
    Ok(all)
}

/// The mean cross-entropy of all labels of `items`: their perplexity is e to this.
///
/// # Errors
/// If an operation fails.
pub(crate) fn generation_loss(network: &Network, items: &[Item]) -> Result<f64> {
    let labels: usize = items.iter().map(|item| item.labels.len()).sum();
    let mut total = 0.0;
    for chunk in chunks(items, true, CHUNK_TOKENS_MAX).iter().filter(|chunk| chunk.labelled) {
        let (ids, shape) = chunk.padded_ids(items);
        let mut pass = network.begin(&ids, shape, None)?;
        network.advance(&mut pass, network.depth(), false)?;
        let losses = network.losses(&pass, &chunk.labels(items, 1.0))?;
        total += losses.iter().map(|loss| f64::from(*loss)).sum::<f64>();
    }
    Ok(total / labels.max(1) as f64)
}

/// Adds the retrieval losses; the gradient of every vector.
fn contrasted(
    device: &Device,
    all: &[Vec<f32>],
    batch: &Batch,
    bank: Option<&Bank>,
    recipe: &Recipe,
    losses: &mut StepLosses,
) -> Result<Vec<Vec<f32>>> {
    let rows = Tensor::new(all[..batch.lesson.rows].to_vec(), device)?;
    let columns = Tensor::new(all[batch.lesson.rows..].to_vec(), device)?;
    let (retrieval, d_rows, d_columns) =
        contrast::contrast(&rows, &columns, &batch.lesson, bank, recipe, recipe.lambda)?;
    losses.retrieval = retrieval;
    Ok([d_rows.to_vec2()?, d_columns.to_vec2()?].concat())
}

fn read(
    network: &Network,
    items: &[Item],
    chunk: &Chunk,
    seed: Option<u64>,
    keep: bool,
) -> Result<Read> {
    let (ids, shape) = chunk.padded_ids(items);
    let mut pass = network.begin(&ids, shape, seed)?;
    network.advance(&mut pass, network.exit(), keep)?;
    let readouts = chunk.readouts(items, network.pooling(), network.device())?;
    let vectors = network.read(&pass, &readouts)?;
    Ok(Read { pass, readouts, vectors })
}

/// The index of each item's first vector among all.
fn first_vectors(items: &[Item]) -> Vec<usize> {
    let mut next = 0;
    let first = |item: &Item| {
        let first = next;
        next += item.reads.len();
        first
    };
    items.iter().map(first).collect()
}

/// (row of the chunk's vectors, index among all vectors).
fn places(
    chunk: &Chunk,
    items: &[Item],
    firsts: &[usize],
    reads: usize,
) -> impl Iterator<Item = (usize, usize)> {
    chunk.items.iter().enumerate().flat_map(move |(row, item)| {
        (0..items[*item].reads.len()).map(move |read| (row * reads + read, firsts[*item] + read))
    })
}

/// Items in chunks of like length and as many reads each; those with labels apart from the others
/// if they `generate`, since only they go on to the top.
pub(super) fn chunks(items: &[Item], generate: bool, tokens_max: usize) -> Vec<Chunk> {
    let kind = |index: usize| {
        let item = &items[index];
        (generate && !item.labels.is_empty(), item.reads.len())
    };
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|index| (kind(*index), items[*index].ids.len()));
    let mut chunks: Vec<Chunk> = Vec::new();
    for index in order {
        let length = items[index].ids.len();
        let fits = |chunk: &Chunk| {
            kind(chunk.items[0]) == kind(index) && (chunk.items.len() + 1) * length <= tokens_max
        };
        match chunks.last_mut().filter(|chunk| fits(chunk)) {
            Some(chunk) => chunk.items.push(index),
            None => chunks.push(Chunk { items: vec![index], labelled: kind(index).0 }),
        }
    }
    chunks
}

impl Chunk {
    fn length(&self, items: &[Item]) -> usize {
        self.items.iter().map(|index| items[*index].ids.len()).max().unwrap_or(0)
    }

    fn padded(&self, items: &[Item]) -> usize {
        self.items.len() * self.length(items)
    }

    /// The ids, padded on the right, and their shape.
    pub(super) fn padded_ids(&self, items: &[Item]) -> (Vec<u32>, (usize, usize)) {
        let t = self.length(items);
        let mut ids = Vec::with_capacity(self.items.len() * t);
        for index in &self.items {
            let row = &items[*index].ids;
            ids.extend_from_slice(row);
            ids.resize(ids.len() + t - row.len(), 0);
        }
        (ids, (self.items.len(), t))
    }

    /// What is to be generated, item by item in the chunk's order, each of the same `weight`.
    pub(super) fn labels(&self, items: &[Item], weight: f32) -> Vec<Label> {
        let t = self.length(items);
        let of = |(row, index): (usize, &usize)| {
            let label = move |(position, token): &(usize, u32)| Label {
                position: row * t + position,
                token: *token,
                weight,
            };
            items[*index].labels.iter().map(label).collect::<Vec<_>>()
        };
        self.items.iter().enumerate().flat_map(of).collect()
    }

    /// Weights that turn the tokens' states into the pooled states of every read.
    fn readouts(&self, items: &[Item], pooling: Pooling, device: &Device) -> Result<Readouts> {
        let t = self.length(items);
        let reads = items[self.items[0]].reads.len();
        let states = pooling.states();
        let mut weights = vec![0f32; self.items.len() * reads * states * t];
        for (row, index) in self.items.iter().enumerate() {
            for (number, read) in items[*index].reads.iter().enumerate() {
                let start = (row * reads + number) * states * t;
                if pooling != Pooling::Emb {
                    let words = read.content.iter().filter(|word| **word).count().max(1) as f32;
                    for (position, _) in read.content.iter().enumerate().filter(|(_, word)| **word)
                    {
                        weights[start + position] = 1.0 / words;
                    }
                }
                if pooling != Pooling::Mean {
                    weights[start + (states - 1) * t + read.last] = 1.0;
                }
            }
        }
        let shape = (self.items.len(), reads * states, t);
        Ok(Readouts { weights: Tensor::from_vec(weights, shape, device)?, reads })
    }
}
