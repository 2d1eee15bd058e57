//! Many thoughts at a time: batched sampling in candle, for making training data.
//!
//! mistral.rs serves one person; its quantized products take a batch row by row, so sixteen
//! thoughts cost it sixteen times one, and a prompt of 200 tokens two seconds. With the weights
//! dequantised once, a batch reads them once a step. Prompts are padded on the left and share
//! their positions, which rotary embeddings allow: they know differences only.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use candle_core::{D, DType, Device, Module, Result, Tensor};
use candle_nn::kv_cache::KvCache;
use candle_nn::rotary_emb;
use models::{MindError, Thought};
use tokenizers::Tokenizer;

use crate::decoder::{Block, Config, Decoder, Output};
use crate::map::Numbers;
use crate::think::draw::Draw;
use crate::think::writer::{Step, Writer};
use crate::{gguf, ops, think};

/// Texts that are written together. More rows were measured to add nothing on two cores: the
/// products are bound by computing from here on.
const BATCH: usize = 16;
/// Padded tokens of the prompts that are read together, which bounds memory.
const PROMPT_TOKENS_MAX: usize = 8192;

/// Writes texts in batches.
pub struct Generator {
    decoder: Decoder,
    output: Output,
    tokenizer: Arc<Tokenizer>,
    ends: Arc<HashSet<u32>>,
    tokens_max: usize,
}

/// A text to be written.
#[derive(Debug, Clone)]
pub struct Order {
    /// Ids to go on from.
    pub prompt: Vec<u32>,
    /// Most tokens of the text.
    pub tokens_max: usize,
    /// 0 is greedy.
    pub temperature: f64,
    pub top_p: f64,
    pub seed: u64,
}

/// A draft of training data is to be the same on every machine.
const FLOATS: Numbers = Numbers::Floats(DType::F32);

impl Generator {
    /// Loads the model at `path`; prompt and text have at most `tokens_max` tokens.
    ///
    /// # Errors
    /// [`MindError::Model`] naming the file.
    pub fn open(
        path: &Path,
        tokens_max: usize,
        device: &Device,
    ) -> std::result::Result<Generator, MindError> {
        let mut file = gguf::open(path)?;
        let tokenizer = file.vocabulary.tokenizer();
        let ends = Arc::new(think::special_tokens(&tokenizer, &file.meta.roles));
        let mut load = || -> Result<Generator> {
            let (content, reader) = (&file.content, &mut file.file);
            let depth = Config::read(content)?.layers;
            let decoder = Decoder::load(content, reader, depth, tokens_max, FLOATS, device)?;
            let output = Output::load(content, reader, &decoder, FLOATS)?;
            let (tokenizer, ends) = (Arc::clone(&tokenizer), Arc::clone(&ends));
            Ok(Generator { decoder, output, tokenizer, ends, tokens_max })
        };
        load().map_err(|error| MindError::Model(format!("{}: {error}", path.display())))
    }

    /// One text for each order, in order; `done` is told how many there are so far. A prompt that
    /// leaves no room is answered by nothing.
    ///
    /// # Errors
    /// [`MindError::Inference`] if an operation fails, [`MindError::Numeric`] if it computes what
    /// are no numbers.
    pub fn write(
        &self,
        orders: &[Order],
        done: &mut dyn FnMut(usize),
    ) -> std::result::Result<Vec<Thought>, MindError> {
        let mut texts = vec![Thought::default(); orders.len()];
        let mut sorted: Vec<usize> = (0..orders.len()).collect();
        sorted.sort_by_key(|index| orders[*index].prompt.len());
        let mut start = 0;
        while start < sorted.len() {
            let mut end = start + 1;
            while end < sorted.len()
                && end - start < BATCH
                && (end - start + 1) * orders[sorted[end]].prompt.len() <= PROMPT_TOKENS_MAX
            {
                end += 1;
            }
            let batch: Vec<&Order> = sorted[start..end].iter().map(|i| &orders[*i]).collect();
            for (index, text) in sorted[start..end].iter().zip(self.batch(&batch)?) {
                texts[*index] = text;
            }
            start = end;
            done(end);
        }
        Ok(texts)
    }

    fn batch(&self, orders: &[&Order]) -> std::result::Result<Vec<Thought>, MindError> {
        let failed = |error: candle_core::Error| MindError::Inference(error.to_string());
        let mut rows: Vec<Row> = orders.iter().map(|order| self.row(order)).collect();
        let longest = orders.iter().map(|order| order.prompt.len()).max().unwrap_or(0);
        let new = rows.iter().map(|row| row.room).max().unwrap_or(0);
        let mut caches: Vec<KvCache> =
            self.decoder.blocks.iter().map(|_| KvCache::new(2, longest + new)).collect();
        let starts: Vec<usize> = orders.iter().map(|order| longest - order.prompt.len()).collect();
        let mut ids = Vec::with_capacity(longest * orders.len());
        for (order, start) in orders.iter().zip(&starts) {
            ids.resize(ids.len() + start, 0);
            ids.extend_from_slice(&order.prompt);
        }
        let (mut at, mut length) = (0, longest);
        for _ in 0..new {
            let logits = self.logits(&ids, length, at, &starts, &mut caches).map_err(failed)?;
            at += length;
            length = 1;
            ids.clear();
            for (row, logits) in rows.iter_mut().zip(logits) {
                ids.push(row.take(&logits)?);
            }
            if rows.iter().all(|row| row.over) {
                break;
            }
        }
        let finish = |mut row: Row| row.writer.finish().map_err(MindError::Inference);
        rows.into_iter().map(finish).collect()
    }

    fn row(&self, order: &Order) -> Row {
        let room = self.tokens_max.saturating_sub(order.prompt.len()).min(order.tokens_max);
        Row {
            draw: Draw::new(order.seed, order.temperature, order.top_p),
            writer: Writer::new(Arc::clone(&self.tokenizer), Arc::clone(&self.ends), room),
            over: room == 0 || order.prompt.is_empty(),
            room,
        }
    }

    /// Logits of the last of `length` new positions of each row, which begin at position `at`.
    fn logits(
        &self,
        ids: &[u32],
        length: usize,
        at: usize,
        starts: &[usize],
        caches: &mut [KvCache],
    ) -> Result<Vec<Vec<f32>>> {
        let b = starts.len();
        let ids = Tensor::from_slice(ids, (b, length), &self.decoder.device)?;
        let states = self.decoder.embedding.of(&ids)?;
        let mut states = states.reshape((b, length, self.decoder.config.hidden))?;
        for (block, cache) in self.decoder.blocks.iter().zip(caches) {
            let normed = block.attention_norm.forward(&states)?;
            states = (states + self.attention(block, &normed, at, starts, cache)?)?;
            let gate_up = block.gate_up.apply(&block.ffn_norm.forward(&states)?)?;
            states = (states + block.down.apply(&ops::swiglu(&gate_up)?)?)?;
        }
        self.output.logits(&states.narrow(1, length - 1, 1)?.squeeze(1)?)?.to_vec2()
    }

    fn attention(
        &self,
        block: &Block,
        x: &Tensor,
        at: usize,
        starts: &[usize],
        cache: &mut KvCache,
    ) -> Result<Tensor> {
        let Config { heads, kv_heads, head_dim, .. } = self.decoder.config;
        let (b, t, _) = x.dims3()?;
        let qkv = block.qkv.apply(x)?;
        let part = |start: usize, count: usize| -> Result<Tensor> {
            let part = qkv.narrow(D::Minus1, start * head_dim, count * head_dim)?;
            part.reshape((b, t, count, head_dim))?.transpose(1, 2)?.contiguous()
        };
        let (mut q, mut k) = (part(0, heads)?, part(heads, kv_heads)?);
        if let Some((q_norm, k_norm)) = &block.head_norms {
            q = q_norm.forward(&q)?;
            k = k_norm.forward(&k)?;
        }
        let (q, k) = (self.rotate(&q, at)?, self.rotate(&k, at)?);
        let (k, v) = cache.append(&k, &part(heads + kv_heads, kv_heads)?)?;
        let q = q.reshape((b, kv_heads, heads / kv_heads * t, head_dim))?;
        let scale = 1.0 / (head_dim as f32).sqrt();
        let shares = ops::cached_softmax(&q.matmul(&k.t()?)?, scale, t, starts)?;
        let mixed = shares.matmul(&v)?.reshape((b, heads, t, head_dim))?;
        block.output.apply(&mixed.transpose(1, 2)?.reshape((b, t, heads * head_dim))?)
    }

    fn rotate(&self, x: &Tensor, at: usize) -> Result<Tensor> {
        let t = x.dim(2)?;
        let (cos, sin) = (self.decoder.cos.narrow(0, at, t)?, self.decoder.sin.narrow(0, at, t)?);
        if self.decoder.config.neighbours() {
            rotary_emb::rope_i(x, &cos, &sin)
        } else {
            rotary_emb::rope(x, &cos, &sin)
        }
    }
}

/// A text in the making.
struct Row {
    draw: Draw,
    writer: Writer,
    room: usize,
    over: bool,
}

impl Row {
    /// Chooses the next token; what a row that is over says is nothing anyone reads.
    fn take(&mut self, logits: &[f32]) -> std::result::Result<u32, MindError> {
        if self.over {
            return Ok(0);
        }
        let token = self.draw.pick(logits);
        let token = token.ok_or_else(|| MindError::Numeric("logits that are no numbers".into()))?;
        match self.writer.push(token).map_err(MindError::Inference)? {
            Step::More(_) => {}
            Step::Last(_) | Step::End => self.over = true,
        }
        Ok(token)
    }
}
