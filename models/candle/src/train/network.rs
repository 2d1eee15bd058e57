//! The decoder with low-rank parts, from token ids to vectors and back to gradients.
//!
//! A [`Pass`] goes up layer by layer, so that one forward pass feeds both losses: vectors are read
//! at the exit layers, and sequences with a thought go on to the top, where the next token is
//! predicted. Sequences are padded on the right; attention is causal, so no state sees the padding.

use std::fs::File;
use std::io::BufReader;

use candle_core::quantized::gguf_file::Content;
use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::RmsNorm;

use super::block::{self, Context, Loras, SITES};
use super::linear::Lora;
use super::ops;
use super::parameters::{Gradients, Parameters, Start};
use super::recipe::Recipe;
use crate::decoder::Decoder;
use crate::encoder::{RMS_EPSILON, rms_normalised};
use crate::head::HeadTensors;
use crate::map::Numbers;
use crate::meta::Meta;
use crate::names::OUTPUT_NORM;
use crate::pooling::Pooling;
use crate::stored::Rows;

/// Name of the trained additions to the markers' embeddings, (4, hidden).
pub(crate) const MARKERS: &str = "markers";
/// Names of the head's two tensors.
pub(crate) const HEAD: [&str; 2] = ["head.weight", "head.bias"];

/// The name of a low-rank tensor: `part` is `a` or `b`, layers count from 0 as in a GGUF.
pub(crate) fn lora_name(layer: usize, site: usize, part: &str) -> String {
    format!("blk.{layer}.{}.{part}", SITES[site])
}

/// See the module.
pub(crate) struct Network {
    decoder: Decoder,
    pub(super) output_norm: RmsNorm,
    /// (vocabulary, hidden). Without the markers' additions: no marker is ever to be predicted.
    pub(super) output: Tensor,
    exit_layers: Vec<usize>,
    pooling: Pooling,
    /// Ids of the markers, by rows of [`MARKERS`].
    markers: [u32; 4],
    loras: Vec<Loras>,
    marker_rows: Option<Tensor>,
    head: Option<HeadTensors>,
    ones: Tensor,
    /// Layers, from the first on, that stay as they are: no gradient comes to them, nor to the
    /// markers.
    frozen: usize,
}

/// Where vectors of a batch are read: (b, reads · states, t) weights of the tokens' states.
pub(crate) struct Readouts {
    pub weights: Tensor,
    /// Vectors of each sequence.
    pub reads: usize,
}

/// The vectors of a batch and what their backward pass needs.
pub(crate) struct Vectors {
    /// (b · reads, width), unit length.
    pub unit: Tensor,
    /// (b · reads, 1), length before.
    norm: Tensor,
    /// (b · reads, inputs), what the head reads.
    pooled: Tensor,
}

/// A forward pass under way.
pub(crate) struct Pass {
    shape: (usize, usize),
    /// (n)
    ids: Tensor,
    seed: Option<u64>,
    /// (n, 4) ones where a token is a marker.
    marked: Option<Tensor>,
    /// (n, hidden) after `depth` layers.
    pub(super) states: Tensor,
    depth: usize,
    exits: Vec<Tensor>,
    /// By layer; nothing of those that no gradient comes to.
    kept: Vec<Option<block::Saved>>,
}

impl Network {
    /// Reads the layers that `recipe` trains or predicts through; sequences have at most
    /// `tokens_max` tokens.
    ///
    /// # Errors
    /// If a tensor is missing or of the wrong shape.
    pub(crate) fn load(
        content: &Content,
        file: &mut BufReader<File>,
        meta: &Meta,
        recipe: &Recipe,
        tokens_max: usize,
        device: &Device,
    ) -> Result<Network> {
        let exit = meta.exit_layers.iter().copied().max().unwrap_or(0);
        let layers = crate::decoder::Config::read(content)?.layers;
        let to_the_top = recipe.lambda < 1.0 || recipe.reading.is_some();
        let depth = if to_the_top { layers } else { exit };
        let numbers = Numbers::Floats(DType::F32);
        let decoder = Decoder::load(content, file, depth, tokens_max, numbers, device)?;
        let mut read = |name: &str| content.tensor(file, name, device)?.dequantize(device);
        let output_norm = RmsNorm::new(read(OUTPUT_NORM)?, decoder.config.norm_eps);
        let tied = !content.tensor_infos.contains_key("output.weight");
        let output =
            if tied { decoder.embedding.loaded()?.clone() } else { read("output.weight")? };
        let head = HeadTensors::read(content, file, false, device)?;
        let roles = meta.roles;
        Ok(Network {
            ones: Tensor::ones(decoder.config.hidden, DType::F32, device)?,
            loras: (0..depth).map(|_| [const { None }; 4]).collect(),
            marker_rows: None,
            markers: [roles.query_open, roles.query_close, roles.thought, roles.emb],
            exit_layers: meta.exit_layers.clone(),
            pooling: meta.pooling,
            decoder,
            output_norm,
            output,
            head,
            frozen: recipe.reading.as_ref().map_or(0, |reading| reading.first_layer - 1),
        })
    }

    /// What `recipe` trains of this model, at its start: low-rank parts that change nothing yet,
    /// and the head as it is.
    ///
    /// # Errors
    /// If the head cannot be read.
    pub(crate) fn parameters(&self, recipe: &Recipe) -> Result<Parameters> {
        let mut parameters = Parameters::default();
        let (first, last) = recipe.layers;
        for layer in first - 1..last.min(self.depth()) {
            for (index, _) in SITES.iter().enumerate() {
                let weight = block::site(&self.decoder.blocks[layer], index)?.weight();
                let (out, input) = weight.dims2()?;
                let a = lora_name(layer, index, "a");
                parameters.add(a, vec![recipe.rank, input], Start::Fan(recipe.seed));
                parameters.add(lora_name(layer, index, "b"), vec![out, recipe.rank], Start::Zero);
            }
        }
        // Below the first trained layer nothing is trained, so that the backward pass can end there.
        if first == 1 {
            let shape = vec![self.markers.len(), self.decoder.config.hidden];
            parameters.add(MARKERS.to_owned(), shape, Start::Zero);
        }
        if let Some(HeadTensors { weight, bias, .. }) = &self.head {
            for (name, tensor) in HEAD.iter().zip([weight, bias]) {
                let values = tensor.flatten_all()?.to_vec1()?;
                parameters.add((*name).to_owned(), tensor.dims().to_vec(), Start::Given(values));
            }
        }
        Ok(parameters)
    }

    /// Gives the head other weights, (width, inputs), and a table of token vectors to go with them.
    ///
    /// # Errors
    /// If the device refuses.
    pub(crate) fn set_table(&mut self, weight: &Tensor, table: &Tensor) -> Result<()> {
        let device = &self.decoder.device;
        if let Some(head) = &mut self.head {
            head.weight = weight.to_dtype(DType::F32)?.to_device(device)?;
            head.table = Some(Rows::Loaded(table.to_dtype(DType::F32)?.to_device(device)?));
        }
        Ok(())
    }

    /// Computes with `parameters` from now on.
    ///
    /// # Errors
    /// If the device refuses.
    pub(crate) fn apply(&mut self, parameters: &Parameters, recipe: &Recipe) -> Result<()> {
        let device = self.decoder.device.clone();
        let scale = recipe.alpha / recipe.rank as f64;
        for (layer, loras) in self.loras.iter_mut().enumerate() {
            for (index, lora) in loras.iter_mut().enumerate() {
                let part = |part| parameters.tensor(&lora_name(layer, index, part), &device);
                *lora = part("a")?.zip(part("b")?).map(|(a, b)| Lora {
                    a,
                    b,
                    scale,
                    dropout: recipe.dropout,
                });
            }
        }
        self.marker_rows = parameters.tensor(MARKERS, &device)?;
        let part = |name| parameters.tensor(name, &device);
        if let (Some(weight), Some(bias)) = (part(HEAD[0])?, part(HEAD[1])?) {
            let table = self.head.take().and_then(|head| head.table);
            self.head = Some(HeadTensors { weight, bias, table });
        }
        Ok(())
    }

    /// Layers that are loaded.
    pub(crate) fn depth(&self) -> usize {
        self.decoder.blocks.len()
    }

    /// The last layer that vectors are read from.
    pub(crate) fn exit(&self) -> usize {
        self.exit_layers.iter().copied().max().unwrap_or(0)
    }

    pub(crate) fn pooling(&self) -> Pooling {
        self.pooling
    }

    pub(crate) fn device(&self) -> &Device {
        &self.decoder.device
    }

    /// Looks up (b, t) right-padded ids. `seed` draws the dropouts.
    ///
    /// # Errors
    /// If an operation fails.
    pub(crate) fn begin(
        &self,
        ids: &[u32],
        shape: (usize, usize),
        seed: Option<u64>,
    ) -> Result<Pass> {
        let device = self.device();
        let looked_up = Tensor::from_slice(ids, ids.len(), device)?;
        let mut states = self.decoder.embedding.of(&looked_up)?;
        let mut marked = None;
        if let Some(rows) = &self.marker_rows {
            let is = |id: &u32| self.markers.map(|marker| f32::from(u8::from(marker == *id)));
            let ones: Vec<f32> = ids.iter().flat_map(is).collect();
            let ones = Tensor::from_vec(ones, (ids.len(), self.markers.len()), device)?;
            states = (states + ones.matmul(rows)?)?;
            marked = Some(ones);
        }
        Ok(Pass {
            shape,
            ids: looked_up,
            seed,
            marked,
            states,
            depth: 0,
            exits: Vec::new(),
            kept: Vec::new(),
        })
    }

    /// Goes on to `depth`; `keep` is for a pass that will go back.
    ///
    /// # Errors
    /// If an operation fails.
    pub(crate) fn advance(&self, pass: &mut Pass, depth: usize, keep: bool) -> Result<()> {
        let context = self.context(pass)?;
        let lowest = self.lowest();
        while pass.depth < depth {
            let (block, loras) = (&self.decoder.blocks[pass.depth], &self.loras[pass.depth]);
            let (states, saved) = block::forward(block, loras, pass.depth, &pass.states, &context)?;
            pass.states = states;
            pass.kept.push((keep && pass.depth >= lowest).then_some(saved));
            pass.depth += 1;
            if self.exit_layers.contains(&pass.depth) {
                pass.exits.push(pass.states.clone());
            }
        }
        Ok(())
    }

    fn context(&self, pass: &Pass) -> Result<Context<'_>> {
        let t = pass.shape.1;
        Ok(Context {
            config: &self.decoder.config,
            cos: self.decoder.cos.narrow(0, 0, t)?,
            sin: self.decoder.sin.narrow(0, 0, t)?,
            shape: pass.shape,
            seed: pass.seed,
        })
    }

    /// Reads vectors of a pass that has come to the last exit.
    ///
    /// # Errors
    /// If an operation fails.
    pub(crate) fn read(&self, pass: &Pass, readouts: &Readouts) -> Result<Vectors> {
        let (b, t) = pass.shape;
        let rows = b * readouts.reads;
        let pool = |states: &Tensor| {
            let states = rms_normalised(states)?.reshape((b, t, self.decoder.config.hidden))?;
            let pooled = readouts.weights.matmul(&states)?;
            pooled.reshape((rows, self.pooling.states() * self.decoder.config.hidden))
        };
        let parts = pass.exits.iter().map(pool).collect::<Result<Vec<_>>>()?;
        let pooled = Tensor::cat(&parts, D::Minus1)?;
        let (raw, pooled) = match &self.head {
            None => (pooled.clone(), pooled),
            Some(head) => head.apply(&pooled, &pass.ids, &readouts.weights)?,
        };
        let norm = raw.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
        Ok(Vectors { unit: raw.broadcast_div(&norm)?, norm, pooled })
    }

    /// Goes all the way back, from the gradients of the top states (n, hidden) and of the vectors
    /// (b · reads, width), adding to `gradients`.
    ///
    /// # Errors
    /// If the pass was not kept, or an operation fails.
    pub(crate) fn backward(
        &self,
        pass: &Pass,
        d_top: Option<Tensor>,
        vectors: Option<(&Readouts, &Vectors, &Tensor)>,
        gradients: &mut Gradients,
    ) -> Result<()> {
        let context = self.context(pass)?;
        let mut d_exits = match vectors {
            Some((readouts, vectors, d)) => self.unread(pass, readouts, vectors, d, gradients)?,
            None => Vec::new(),
        };
        let mut d = match d_top {
            Some(d) => d,
            None => pass.states.zeros_like()?,
        };
        let lowest = self.lowest();
        for layer in (lowest..pass.depth).rev() {
            if self.exit_layers.contains(&(layer + 1))
                && let Some(d_exit) = d_exits.pop()
            {
                d = (d + d_exit)?;
            }
            let (block, loras) = (&self.decoder.blocks[layer], &self.loras[layer]);
            let Some(Some(saved)) = pass.kept.get(layer) else {
                candle_core::bail!("layer {layer} was not kept");
            };
            let (dx, low_rank) = block::backward(block, loras, saved, &context, &d)?;
            d = dx;
            for (index, gradient) in low_rank.iter().enumerate() {
                if let Some((a, b)) = gradient {
                    gradients.add(&lora_name(layer, index, "a"), a)?;
                    gradients.add(&lora_name(layer, index, "b"), b)?;
                }
            }
        }
        if let Some(ones) = pass.marked.as_ref().filter(|_| lowest == 0) {
            gradients.add(MARKERS, &ones.t()?.matmul(&d)?)?;
        }
        Ok(())
    }

    /// The lowest layer, from 0, that a gradient must come to.
    fn lowest(&self) -> usize {
        if self.marker_rows.is_some() || self.frozen > 0 {
            return self.frozen.min(self.depth());
        }
        let trained = |loras: &Loras| loras.iter().any(Option::is_some);
        self.loras.iter().position(trained).unwrap_or(self.loras.len())
    }

    /// From the vectors' gradients to those of the states at each exit, and the head's.
    fn unread(
        &self,
        pass: &Pass,
        readouts: &Readouts,
        vectors: &Vectors,
        d: &Tensor,
        gradients: &mut Gradients,
    ) -> Result<Vec<Tensor>> {
        let (b, t) = pass.shape;
        let hidden = self.decoder.config.hidden;
        let Vectors { unit, norm, pooled } = vectors;
        let along = (unit * d)?.sum_keepdim(D::Minus1)?;
        let d_raw = (d - unit.broadcast_mul(&along)?)?.broadcast_div(norm)?;
        let d_pooled = match &self.head {
            None => d_raw,
            Some(HeadTensors { weight, .. }) => {
                gradients.add(HEAD[0], &d_raw.t()?.matmul(pooled)?)?;
                gradients.add(HEAD[1], &d_raw.sum(0)?)?;
                d_raw.matmul(weight)?
            }
        };
        let width = self.pooling.states() * hidden;
        let spread = readouts.weights.t()?.contiguous()?;
        let at_exit = |(index, states): (usize, &Tensor)| {
            let part = d_pooled.narrow(D::Minus1, index * width, width)?.contiguous()?;
            let part = part.reshape((b, readouts.reads * self.pooling.states(), hidden))?;
            let d_states = spread.matmul(&part)?.reshape((b * t, hidden))?;
            ops::rms_norm(states, &self.ones, RMS_EPSILON, &d_states)
        };
        pass.exits.iter().enumerate().map(at_exit).collect()
    }
}
