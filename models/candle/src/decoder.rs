//! The decoder's forward pass to its hidden states: llama, qwen2 and qwen3, from a GGUF.
//!
//! candle-transformers' quantized models return logits only and keep a cache per token; encoding
//! wants the states of some layers for whole batches. Weights are dequantised once, to floats or to the
//! bytes of [`crate::narrow`]: candle's quantized products take a batch row by row, and both are several
//! times faster there.
//! Only layers up to the last exit are read, so an early exit saves memory as well as time.

mod config;

use std::fs::File;
use std::io::BufReader;

use candle_core::quantized::gguf_file::Content;
use candle_core::{D, DType, Device, Module, Result, Tensor, bail};
use candle_nn::{RmsNorm, rotary_emb};

use crate::attention::Heads;
use crate::map::{Map, Numbers};
use crate::names::OUTPUT_NORM;
use crate::ops;
use crate::stored::{Rows, Stored};

pub(crate) use config::Config;

/// Divisors of the rotation's frequencies, (head_dim / 2), which Llama 3.1 and its successors have.
///
/// mistral.rs 0.8.1 does not apply them: the vectors of such a model are exact, its thoughts come
/// from angles that are too large for distant tokens.
pub(crate) const ROPE_FACTORS: &str = "rope_freqs.weight";

/// The table of the tokens' embeddings, which may be the output layer's matrix too.
const EMBEDDINGS: &str = "token_embd.weight";

/// One layer. Matrices that read the same input are one: q ‖ k ‖ v, and gate ‖ up.
pub(crate) struct Block {
    pub attention_norm: RmsNorm,
    pub qkv: Map,
    /// qwen3 normalises each head's query and key.
    pub head_norms: Option<(RmsNorm, RmsNorm)>,
    pub output: Map,
    pub ffn_norm: RmsNorm,
    pub gate_up: Map,
    pub down: Map,
}

/// States after the last block -> logits.
pub(crate) struct Output {
    pub norm: RmsNorm,
    /// (.., hidden) -> (.., tokens).
    pub map: Map,
}

impl Output {
    /// The output layer of the model that `decoder` is the beginning of; its matrix may be that of
    /// the embedding.
    ///
    /// # Errors
    /// If a tensor is missing or of the wrong shape.
    pub(crate) fn load(
        content: &Content,
        file: &mut BufReader<File>,
        decoder: &Decoder,
        numbers: Numbers,
    ) -> Result<Output> {
        let mut loader = Loader { content, file, numbers, device: &decoder.device };
        let own = "output.weight";
        let name = if content.tensor_infos.contains_key(own) { own } else { EMBEDDINGS };
        let norm = RmsNorm::new(loader.tensor(OUTPUT_NORM)?, decoder.config.norm_eps);
        // Floats that encoding has loaded are not loaded again.
        let map = match decoder.embedding.loaded() {
            Ok(embeddings) if name == EMBEDDINGS => {
                Map::new(embeddings.to_dtype(numbers.dtype())?, None, numbers)?
            }
            _ => loader.map(&[name.to_owned()], None, numbers)?,
        };
        Ok(Output { norm, map })
    }

    /// (n, hidden) states -> (n, tokens) logits.
    ///
    /// # Errors
    /// If the sizes do not agree.
    pub(crate) fn logits(&self, states: &Tensor) -> Result<Tensor> {
        self.map.apply(&self.norm.forward(&states.contiguous()?)?)
    }
}

/// See the module.
pub(crate) struct Decoder {
    pub config: Config,
    pub embedding: Rows,
    pub blocks: Vec<Block>,
    /// (tokens_max, head_dim / 2), as `sin`.
    pub cos: Tensor,
    pub sin: Tensor,
    pub device: Device,
}

impl Decoder {
    /// Reads the embedding table and the first `depth` blocks; sequences have at most
    /// `tokens_max` tokens.
    ///
    /// # Errors
    /// If a tensor is missing or of the wrong shape.
    pub(crate) fn load(
        content: &Content,
        file: &mut BufReader<File>,
        depth: usize,
        tokens_max: usize,
        numbers: Numbers,
        device: &Device,
    ) -> Result<Decoder> {
        let config = Config::read(content)?;
        if depth > config.layers {
            bail!("exit layer {depth} is beyond the model's {} layers", config.layers);
        }
        let form = (numbers == Numbers::Bytes, numbers.dtype());
        let embedding = Rows::find(content, file, EMBEDDINGS, form, device)?;
        let mut loader = Loader { content, file, numbers, device };
        let blocks =
            (0..depth).map(|index| loader.block(&config, index)).collect::<Result<Vec<_>>>()?;
        let factors = loader.rope_factors(config.head_dim / 2)?;
        let (cos, sin) = rotations(&config, &factors, tokens_max, numbers.dtype(), device)?;
        Ok(Decoder { config, embedding, blocks, cos, sin, device: device.clone() })
    }

    /// Reads the blocks after the decoder's own, up to the last: what an early exit has left out.
    ///
    /// # Errors
    /// If a tensor is missing or of the wrong shape.
    pub(crate) fn rest(
        &self,
        content: &Content,
        file: &mut BufReader<File>,
        numbers: Numbers,
    ) -> Result<Vec<Block>> {
        let mut loader = Loader { content, file, numbers, device: &self.device };
        let layers = self.blocks.len()..self.config.layers;
        layers.map(|index| loader.block(&self.config, index)).collect()
    }

    /// Runs (b, t) right-padded token ids through the blocks, hands `visit` the (b, t, hidden) states
    /// after each, counted from 1, and returns the last. The attention is causal, so padding on the right changes
    /// no state left of it and needs no mask.
    ///
    /// # Errors
    /// If a row is longer than the table of rotations, or an operation fails.
    pub(crate) fn forward(
        &self,
        ids: &[u32],
        shape: (usize, usize),
        visit: &mut dyn FnMut(usize, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        let (b, t) = shape;
        let states = self.embedding.of(&Tensor::from_slice(ids, shape, &self.device)?)?;
        let states = states.to_dtype(self.cos.dtype())?.reshape((b, t, self.config.hidden))?;
        self.through(&self.blocks, states, visit)
    }

    /// (b, t, hidden) `states` after `blocks`, which may be others than the decoder's own; `visit`
    /// counts them from 1.
    ///
    /// # Errors
    /// As [`Decoder::forward`].
    pub(crate) fn through(
        &self,
        blocks: &[Block],
        mut states: Tensor,
        visit: &mut dyn FnMut(usize, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        for (index, block) in blocks.iter().enumerate() {
            let attended = self.attention(block, &block.attention_norm.forward(&states)?)?;
            states = (states + attended)?;
            let gate_up = block.gate_up.apply(&block.ffn_norm.forward(&states)?)?;
            states = (states + block.down.apply(&ops::swiglu(&gate_up)?)?)?;
            visit(index + 1, &states)?;
        }
        Ok(states)
    }

    fn attention(&self, block: &Block, x: &Tensor) -> Result<Tensor> {
        let Config { heads, kv_heads, head_dim, .. } = self.config;
        let (b, t, _) = x.dims3()?;
        let qkv = block.qkv.apply(x)?;
        // Heads that are normalised by themselves (qwen3) go by candle's operations, as on a GPU.
        if block.head_norms.is_none() && Heads::takes(&qkv) {
            let neighbours = self.config.neighbours();
            let (cos, sin) = (self.cos.narrow(0, 0, t)?, self.sin.narrow(0, 0, t)?);
            let mixed = Heads { heads, kv_heads, head_dim, neighbours }.attend(&qkv, &cos, &sin)?;
            return block.output.apply(&mixed);
        }
        let part = |start: usize, count: usize| -> Result<Tensor> {
            qkv.narrow(D::Minus1, start * head_dim, count * head_dim)?
                .reshape((b, t, count, head_dim))
        };
        let (mut q, mut k) = (part(0, heads)?, part(heads, kv_heads)?);
        if let Some((q_norm, k_norm)) = &block.head_norms {
            q = q_norm.forward(&q.contiguous()?)?;
            k = k_norm.forward(&k.contiguous()?)?;
        }
        let q = self.rotate(&q.transpose(1, 2)?.contiguous()?, t)?;
        let k = self.rotate(&k.transpose(1, 2)?.contiguous()?, t)?;
        let v = part(heads + kv_heads, kv_heads)?.transpose(1, 2)?.contiguous()?;
        // The query heads of one key head are stacked as rows, so keys are never copied.
        let q = q.reshape((b, kv_heads, heads / kv_heads * t, head_dim))?;
        let scores = q.matmul(&k.t()?)?;
        let weights = ops::causal_softmax(&scores, 1.0 / (head_dim as f32).sqrt())?;
        let mixed = weights.matmul(&v)?.reshape((b, heads, t, head_dim))?;
        block.output.apply(&mixed.transpose(1, 2)?.reshape((b, t, heads * head_dim))?)
    }

    fn rotate(&self, x: &Tensor, t: usize) -> Result<Tensor> {
        let (cos, sin) = (self.cos.narrow(0, 0, t)?, self.sin.narrow(0, 0, t)?);
        if self.config.neighbours() {
            rotary_emb::rope_i(x, &cos, &sin)
        } else {
            rotary_emb::rope(x, &cos, &sin)
        }
    }
}

/// (tokens_max, head_dim / 2) cosines and sines of the rotary position embedding.
fn rotations(
    config: &Config,
    factors: &[f32],
    tokens_max: usize,
    dtype: DType,
    device: &Device,
) -> Result<(Tensor, Tensor)> {
    let half = config.head_dim / 2;
    let angles: Vec<f32> = (0..tokens_max)
        .flat_map(|position| {
            factors.iter().enumerate().map(move |(i, factor)| {
                let exponent = 2.0 * i as f32 / config.head_dim as f32;
                position as f32 / config.rope_base.powf(exponent) / factor
            })
        })
        .collect();
    let angles = Tensor::from_vec(angles, (tokens_max, half), device)?;
    Ok((angles.cos()?.to_dtype(dtype)?, angles.sin()?.to_dtype(dtype)?))
}

struct Loader<'a> {
    content: &'a Content,
    file: &'a mut BufReader<File>,
    numbers: Numbers,
    device: &'a Device,
}

impl Loader<'_> {
    fn tensor(&mut self, name: &str) -> Result<Tensor> {
        let quantized = self.content.tensor(self.file, name, self.device)?;
        quantized.dequantize(self.device)?.to_dtype(self.numbers.dtype())
    }

    fn optional(&mut self, name: &str) -> Result<Option<Tensor>> {
        self.content.tensor_infos.contains_key(name).then(|| self.tensor(name)).transpose()
    }

    /// [`ROPE_FACTORS`] in full precision, or ones.
    fn rope_factors(&mut self, count: usize) -> Result<Vec<f32>> {
        if !self.content.tensor_infos.contains_key(ROPE_FACTORS) {
            return Ok(vec![1.0; count]);
        }
        let factors = self.content.tensor(self.file, ROPE_FACTORS, self.device)?;
        factors.dequantize(self.device)?.to_dtype(DType::F32)?.to_vec1()
    }

    /// One product for several weights that read the same input.
    fn joined(&mut self, prefix: &str, names: &[&str], numbers: Numbers) -> Result<Map> {
        let biases = names
            .iter()
            .filter_map(|name| self.optional(&format!("{prefix}.{name}.bias")).transpose())
            .collect::<Result<Vec<_>>>()?;
        if !biases.is_empty() && biases.len() != names.len() {
            bail!("{prefix} has biases for some of {names:?} only");
        }
        let bias = if biases.is_empty() { None } else { Some(Tensor::cat(&biases, 0)?) };
        let weights: Vec<_> = names.iter().map(|name| format!("{prefix}.{name}.weight")).collect();
        self.map(&weights, bias, numbers)
    }

    /// The matrices of these names, one below the other, as one map.
    fn map(&mut self, names: &[String], bias: Option<Tensor>, numbers: Numbers) -> Result<Map> {
        if numbers == Numbers::Bytes {
            let find = |name: &String| Stored::find(self.content, self.file.get_ref(), name);
            let stored: Option<Vec<_>> = names.iter().map(find).collect::<Result<_>>()?;
            if let Some(stored) = stored {
                return Map::stored(&stored, bias);
            }
        }
        let weights = names.iter().map(|name| self.tensor(name)).collect::<Result<Vec<_>>>()?;
        Map::new(Tensor::cat(&weights, 0)?, bias, numbers)
    }

    fn block(&mut self, config: &Config, index: usize) -> Result<Block> {
        let prefix = format!("blk.{index}");
        let mut norm = |name: &str| -> Result<Option<RmsNorm>> {
            let weight = self.optional(&format!("{prefix}.{name}.weight"))?;
            Ok(weight.map(|weight| RmsNorm::new(weight, config.norm_eps)))
        };
        let (Some(attention_norm), Some(ffn_norm)) = (norm("attn_norm")?, norm("ffn_norm")?) else {
            bail!("{prefix} lacks a norm");
        };
        let head_norms = norm("attn_q_norm")?.zip(norm("attn_k_norm")?);
        Ok(Block {
            attention_norm,
            ffn_norm,
            head_norms,
            qkv: self.joined(&prefix, &["attn_q", "attn_k", "attn_v"], self.numbers.attention())?,
            output: self.joined(&prefix, &["attn_output"], self.numbers)?,
            gate_up: self.joined(&prefix, &["ffn_gate", "ffn_up"], self.numbers)?,
            down: self.joined(&prefix, &["ffn_down"], self.numbers)?,
        })
    }
}
