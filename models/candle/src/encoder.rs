//! Sequences -> unit vectors: batches by length, the states at the exit layers, pooling, the head.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use candle_core::quantized::gguf_file::Content;
use candle_core::{D, DType, Device, Result, Tensor};
use models::{Embedding, MindError};

use crate::decoder::Decoder;
use crate::head::HeadTensors;
use crate::map::Numbers;
use crate::ops;
use crate::pooling::Pooling;
use crate::tokens::Sequence;

/// Padded tokens in one batch. Larger batches were measured to be no faster on two cores, and
/// their activations would no longer fit the cache.
const BATCH_TOKENS_MAX: usize = 1024;
/// Keeps the root of a zero state finite; far below any mean square seen.
pub(crate) const RMS_EPSILON: f64 = 1e-6;

/// The embedding half of a model.
pub struct Encoder {
    decoder: Decoder,
    exit_layers: Vec<usize>,
    pooling: Pooling,
    /// A model without a head embeds as its pooled states.
    head: Option<HeadTensors>,
    device: Device,
}

/// Sequences of one batch, padded on the right.
struct Padded {
    ids: Vec<u32>,
    /// (b, 1, t): of the mean over a text's tokens.
    weights: Tensor,
    shape: (usize, usize),
}

/// Where the states are read.
#[derive(Debug, Clone)]
pub struct Exits {
    pub layers: Vec<usize>,
    pub pooling: Pooling,
}

impl Encoder {
    /// Loads what `exits` need of the GGUF at `path`, and its head if it carries one; it computes in
    /// floats, the same on every processor.
    ///
    /// # Errors
    /// [`MindError::Model`] naming the file.
    pub fn open(
        path: &Path,
        exits: Exits,
        tokens_max: usize,
        device: &Device,
    ) -> std::result::Result<Encoder, MindError> {
        Encoder::load(path, exits, tokens_max, Numbers::floats(device), device)
    }

    /// The same, computing in `numbers`.
    ///
    /// # Errors
    /// [`MindError::Model`] naming the file.
    pub(crate) fn load(
        path: &Path,
        exits: Exits,
        tokens_max: usize,
        numbers: Numbers,
        device: &Device,
    ) -> std::result::Result<Encoder, MindError> {
        let open = || -> Result<Encoder> {
            let mut file = BufReader::new(File::open(path)?);
            let content = Content::read(&mut file)?;
            let depth = exits.layers.iter().copied().max().unwrap_or(0);
            let decoder = Decoder::load(&content, &mut file, depth, tokens_max, numbers, device)?;
            let head = HeadTensors::read(&content, &mut file, numbers == Numbers::Bytes, device)?;
            Ok(Encoder {
                decoder,
                exit_layers: exits.layers,
                pooling: exits.pooling,
                head,
                device: device.clone(),
            })
        };
        open().map_err(|error| MindError::Model(format!("{}: {error}", path.display())))
    }

    /// The layers that it runs, for who goes on from there.
    pub(crate) fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// One unit vector per sequence, in order.
    ///
    /// # Errors
    /// [`MindError::Inference`] if an operation fails, [`MindError::Numeric`] on a bad vector.
    pub fn embed(&self, sequences: &[Sequence]) -> std::result::Result<Vec<Embedding>, MindError> {
        self.raw(sequences)?.into_iter().map(Embedding::normalised).collect()
    }

    /// The same before normalisation: what a table of token vectors adds to.
    ///
    /// # Errors
    /// [`MindError::Inference`] if an operation fails.
    pub fn raw(&self, sequences: &[Sequence]) -> std::result::Result<Vec<Vec<f32>>, MindError> {
        let mut vectors = vec![Vec::new(); sequences.len()];
        for batch in batches(sequences) {
            let rows = ops::at_work(|| self.embed_batch(sequences, &batch)).map_err(inference)?;
            for (index, row) in batch.into_iter().zip(rows) {
                vectors[index] = row;
            }
        }
        Ok(vectors)
    }

    fn embed_batch(&self, sequences: &[Sequence], batch: &[usize]) -> Result<Vec<Vec<f32>>> {
        let padded = self.pad(sequences, batch)?;
        let pooled = self.pool_batch(sequences, batch, &padded)?;
        match &self.head {
            None => pooled.to_vec2(),
            Some(head) => {
                let ids = Tensor::from_slice(&padded.ids, padded.ids.len(), &self.device)?;
                head.apply(&pooled, &ids, &padded.weights)?.0.to_vec2()
            }
        }
    }

    fn pad(&self, sequences: &[Sequence], batch: &[usize]) -> Result<Padded> {
        let t = batch.iter().map(|index| sequences[*index].ids.len()).max().unwrap_or(0);
        let mut ids = Vec::with_capacity(batch.len() * t);
        let mut weights = Vec::with_capacity(batch.len() * t);
        for index in batch {
            let Sequence { ids: row, content } = &sequences[*index];
            let words = content.iter().filter(|is_content| **is_content).count().max(1) as f32;
            ids.extend_from_slice(row);
            ids.resize(ids.len() + t - row.len(), 0);
            weights.extend(content.iter().map(|word| if *word { 1.0 / words } else { 0.0 }));
            weights.resize(ids.len(), 0f32);
        }
        let weights = Tensor::from_vec(weights, (batch.len(), 1, t), &self.device)?;
        Ok(Padded { ids, weights, shape: (batch.len(), t) })
    }

    /// Pooled states before the head, in order: what [`crate::fit`] learns from.
    ///
    /// # Errors
    /// [`MindError::Inference`] if an operation fails.
    pub fn pool(&self, sequences: &[Sequence]) -> std::result::Result<Vec<Vec<f32>>, MindError> {
        let mut pooled = vec![Vec::new(); sequences.len()];
        for batch in batches(sequences) {
            let rows = self
                .pad(sequences, &batch)
                .and_then(|padded| self.pool_batch(sequences, &batch, &padded)?.to_vec2());
            for (index, row) in batch.into_iter().zip(rows.map_err(inference)?) {
                pooled[index] = row;
            }
        }
        Ok(pooled)
    }

    /// (batch, inputs) f32: for each exit layer in order, the parts that the pooling names.
    fn pool_batch(
        &self,
        sequences: &[Sequence],
        batch: &[usize],
        padded: &Padded,
    ) -> Result<Tensor> {
        let Padded { ids, weights, shape } = padded;
        let mut parts = vec![None; self.exit_layers.len()];
        self.decoder.forward(ids, *shape, &mut |layer, states| {
            let Some(slot) = self.exit_layers.iter().position(|exit| *exit == layer) else {
                return Ok(());
            };
            let states = rms_normalised(states)?;
            let mean = || weights.matmul(&states)?.squeeze(1);
            let last = || -> Result<Tensor> {
                let rows = batch
                    .iter()
                    .enumerate()
                    .map(|(row, index)| states.get(row)?.get(sequences[*index].ids.len() - 1));
                Tensor::stack(&rows.collect::<Result<Vec<_>>>()?, 0)
            };
            parts[slot] = Some(match self.pooling {
                Pooling::Mean => mean()?,
                Pooling::Emb => last()?,
                Pooling::Both => Tensor::cat(&[mean()?, last()?], D::Minus1)?,
            });
            Ok(())
        })?;
        let parts: Vec<Tensor> = parts.into_iter().flatten().collect();
        Tensor::cat(&parts, D::Minus1)
    }

    /// States after `layer` of one sequence, (tokens, hidden): for checks against other programs.
    ///
    /// # Errors
    /// [`MindError::Inference`] if an operation fails.
    pub fn states(
        &self,
        ids: &[u32],
        layer: usize,
    ) -> std::result::Result<Vec<Vec<f32>>, MindError> {
        let mut found = Vec::new();
        self.decoder
            .forward(ids, (1, ids.len()), &mut |at, states| {
                if at == layer {
                    found = states.squeeze(0)?.to_dtype(DType::F32)?.to_vec2()?;
                }
                Ok(())
            })
            .map_err(inference)?;
        Ok(found)
    }
}

/// Each state divided by its root mean square, in f32: states of different tokens then weigh the
/// same, where raw ones differ by orders of magnitude (the first token's above all).
pub(crate) fn rms_normalised(states: &Tensor) -> Result<Tensor> {
    let states = states.to_dtype(DType::F32)?;
    let root = (states.sqr()?.mean_keepdim(D::Minus1)? + RMS_EPSILON)?.sqrt()?;
    states.broadcast_div(&root)
}

/// Indices of `sequences` in batches of like length, each at most [`BATCH_TOKENS_MAX`] padded.
fn batches(sequences: &[Sequence]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..sequences.len()).collect();
    order.sort_by_key(|index| sequences[*index].ids.len());
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for index in order {
        let length = sequences[index].ids.len();
        match batches.last_mut() {
            Some(batch) if (batch.len() + 1) * length <= BATCH_TOKENS_MAX => batch.push(index),
            _ => batches.push(vec![index]),
        }
    }
    batches
}

fn inference(error: candle_core::Error) -> MindError {
    MindError::Inference(error.to_string())
}
