//! Base and adapter -> one model file, which mistral.rs and the encoder load as any other.
//!
//! W' = W + s·B·A is worked out in f32 and quantised once more, to Q8_0 or f16; the head and the markers'
//! rows go in as they were trained. [`check`] holds the result against base and adapter.

use std::path::Path;
use std::sync::Arc;

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{D, DType, Device, Result, Tensor, bail};
use models::{MindError, OnToken, Sampling, prompt};

use super::adapter::Adapter;
use super::network::{HEAD, MARKERS, Network};
use super::recipe::Recipe;
use super::table::TABLE;
use crate::author::{Author, Manner, Task};
use crate::decoder::Config;
use crate::gguf::{self, convert};
use crate::head::Head;
use crate::meta::{Meta, Roles, SHIPPED_BARE_WEIGHT, Style};
use crate::names::CHAT_TEMPLATE;
use crate::think::{Thinker, ThinkerOptions};
use crate::tokens::Vocabulary;

/// What the model file is to say of itself besides what the base says.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    pub name: String,
    /// Weight of the thought-free query vector; see [`models::combine`].
    pub bare_weight: f32,
    /// Whether it was trained to think; else it goes on thinking as the base does.
    pub thinks: bool,
    /// Whether its thoughts were trained on what a first search found.
    pub grounded: bool,
    /// So many of the lowest layers are kept in 16 bits: twice as large, and no rounding to speak of,
    /// but mistral.rs decodes them at two thirds of the speed.
    pub half: usize,
}

impl Named {
    /// Whether a file that says `meta` of itself was merged under this name.
    pub fn describes(&self, meta: &Meta) -> bool {
        let Named { name, bare_weight, thinks, grounded, half: _ } = self;
        meta.name == *name
            && meta.bare_weight == *bare_weight
            && meta.grounded == *grounded
            && (meta.style == Style::Trained) == *thinks
    }
}

/// The adapter that ships with this program, and what its model says of itself.
///
/// # Errors
/// [`MindError::Model`] if it cannot be read, which is a mistake in the build.
pub fn shipped() -> std::result::Result<(Adapter, Named), MindError> {
    let bytes = include_bytes!("../../../o1-embedder.safetensors");
    let adapter = Adapter::from_bytes(bytes, "the shipped adapter")?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(bytes).update(&SHIPPED_HALF.to_le_bytes());
    let named = Named {
        // The digest tells what one version of this program merges from what the next does.
        name: format!("O1 Embedder SmolLM2-135M {}", &hasher.finalize().to_hex()[..8]),
        bare_weight: SHIPPED_BARE_WEIGHT,
        thinks: true,
        grounded: adapter.about.recipe.grounded > 0.0,
        half: SHIPPED_HALF,
    };
    Ok((adapter, named))
}

/// Writes `out` from the model at `base` and an adapter trained on it. `out` appears whole or not
/// at all; the same inputs give the same bytes.
///
/// # Errors
/// [`MindError::Model`] if the adapter is not for this base, or a file cannot be read or written.
pub fn merge(
    base: &Path,
    adapter: &Adapter,
    named: &Named,
    out: &Path,
    progress: &mut dyn FnMut(f32),
) -> std::result::Result<(), MindError> {
    let mut file = gguf::open(base)?;
    let wrong = |error: candle_core::Error| {
        MindError::Model(format!("the adapter does not fit {}: {error}", base.display()))
    };
    let config = Config::read(&file.content).map_err(wrong)?;
    let meta = meta(&file.meta, named);
    let mut head = head(adapter).map_err(wrong)?;
    if let Some(head) = &mut head
        && head.table.is_none()
    {
        // A table that was not trained stays as it is.
        head.table = file.head()?.and_then(|head| head.table);
    }
    drop(file);
    let merger = Merger { adapter, config, roles: meta.roles, half: named.half };
    let mut adjust = |name: &str, tensor: &QTensor| merger.adjusted(name, tensor);
    convert::rewrite(base, head.as_ref(), &meta, &mut adjust, out, progress)
}

/// What a merged model says of itself.
pub fn meta(base: &Meta, named: &Named) -> Meta {
    Meta {
        name: named.name.clone(),
        bare_weight: named.bare_weight,
        style: if named.thinks { Style::Trained } else { base.style },
        grounded: named.grounded,
        ..base.clone()
    }
}

fn head(adapter: &Adapter) -> Result<Option<Head>> {
    let [Some(weight), Some(bias)] = HEAD.map(|name| adapter.tensors.get(name)) else {
        return Ok(None);
    };
    let (width, inputs) = weight.dims2()?;
    let values = |tensor: &Tensor| tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1();
    let (weight, bias, table) = (values(weight)?, values(bias)?, adapter.table()?);
    Ok(Some(Head { weight, bias, width, inputs, table }))
}

struct Merger<'a> {
    adapter: &'a Adapter,
    config: Config,
    roles: Roles,
    half: usize,
}

impl Merger<'_> {
    /// The new values of a tensor of the model file and their type, if the adapter changes it.
    fn adjusted(&self, name: &str, tensor: &QTensor) -> Result<Option<(Tensor, GgmlDType)>> {
        let change = self.change(name, tensor.shape().dims()).map_err(|error| {
            candle_core::Error::Msg(format!("the adapter does not fit: {name}: {error}"))
        })?;
        // Embeddings stay as they are: four rows changed, and the output layer reads them all.
        let layer = name.strip_prefix("blk.").and_then(|rest| rest.split('.').next());
        let layer = layer.and_then(|layer| layer.parse::<usize>().ok());
        let half = layer.is_some_and(|layer| layer < self.half);
        let values = || tensor.dequantize(&Device::Cpu);
        Ok(match change {
            Some(change) => {
                let kind = if half { GgmlDType::F16 } else { GgmlDType::Q8_0 };
                Some(((values()? + change)?, kind))
            }
            // A base that was kept in 16 bits is not rounded where nothing changed.
            None if half && tensor.dtype() == GgmlDType::F16 => Some((values()?, GgmlDType::F16)),
            None => None,
        })
    }

    fn change(&self, name: &str, dims: &[usize]) -> Result<Option<Tensor>> {
        if name == "token_embd.weight" {
            return self.marker_change(dims);
        }
        let Some((block, part)) = name.strip_suffix(".weight").and_then(|n| n.rsplit_once('.'))
        else {
            return Ok(None);
        };
        let Config { heads, kv_heads, head_dim, .. } = self.config;
        let (queries, keys) = (heads * head_dim, kv_heads * head_dim);
        let (site, start) = match part {
            "attn_q" => ("attn_qkv", 0),
            "attn_k" => ("attn_qkv", queries),
            "attn_v" => ("attn_qkv", queries + keys),
            "ffn_gate" => ("ffn_gate_up", 0),
            "ffn_up" => ("ffn_gate_up", dims[0]),
            other => (other, 0),
        };
        let part = |part: &str| self.adapter.tensors.get(&format!("{block}.{site}.{part}"));
        let Some((a, b)) = part("a").zip(part("b")) else { return Ok(None) };
        let (a, b) = (a.to_dtype(DType::F32)?, b.to_dtype(DType::F32)?);
        let recipe = &self.adapter.about.recipe;
        let rows = b.narrow(0, start, dims[0])?;
        let change = (rows.matmul(&a)? * (recipe.alpha / recipe.rank as f64))?;
        if change.dims() != dims {
            bail!(
                "the adapter does not fit: {name} is {dims:?} and its change {:?}",
                change.dims()
            );
        }
        Ok(Some(change))
    }

    fn marker_change(&self, dims: &[usize]) -> Result<Option<Tensor>> {
        let Some(rows) = self.adapter.tensors.get(MARKERS) else { return Ok(None) };
        let Roles { query_open, query_close, thought, emb, .. } = self.roles;
        let ids = Tensor::new(&[query_open, query_close, thought, emb], &Device::Cpu)?;
        let zeros = Tensor::zeros(dims, DType::F32, &Device::Cpu)?;
        zeros.index_add(&ids, &rows.to_dtype(DType::F32)?, 0).map(Some)
    }
}

/// The layers that its vectors are read from, which 8 bits would move.
const SHIPPED_HALF: usize = 8;

/// How a merged file compares with what it was made of.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Fidelity {
    /// Mean cosine between hidden states, over texts, tokens and the last exit and top layers.
    pub cosine: f32,
    /// The least of them: some token's, which rounding to 8 bits moved most.
    pub least: f32,
    /// Greedy tokens of mistral.rs on the merged file, and how many of them candle chooses too.
    pub tokens: usize,
    pub equal: usize,
}

/// Compares hidden states of the file at `merged` with those of base and adapter on `texts`, and
/// greedy thoughts of mistral.rs about them with candle's.
///
/// # Errors
/// [`MindError`] if one of the models cannot run.
pub fn check(
    base: &Path,
    adapter: &Adapter,
    merged: &Path,
    texts: &[&str],
    device: &Device,
) -> std::result::Result<Fidelity, MindError> {
    let inference = |error: candle_core::Error| MindError::Inference(error.to_string());
    let recipe = Recipe { dropout: 0.0, lambda: 0.5, ..adapter.about.recipe.clone() };
    let (mut ours, vocabulary) = network(base, &recipe, device)?;
    let mut parameters = ours.parameters(&recipe).map_err(inference)?;
    // A run without generation trained no upper layers: their parts stay at nothing. States are
    // compared, which the head does not change.
    let is_head = |name: &str| HEAD.contains(&name) || name == TABLE;
    let trained = |name: &str| adapter.tensors.contains_key(name) && !is_head(name);
    parameters.places.retain(|place| trained(&place.name));
    parameters.set(&adapter.tensors, "").map_err(inference)?;
    ours.apply(&parameters, &recipe).map_err(inference)?;
    let (theirs, _) = network(merged, &recipe, device)?;
    let mut cosines = Vec::new();
    for text in texts {
        let ids = vocabulary.assemble(&prompt::query(text, None))?.ids;
        for depth in [ours.exit(), ours.depth()] {
            let of = |network: &Network| states(network, &ids, depth);
            let (a, b) = (of(&ours).map_err(inference)?, of(&theirs).map_err(inference)?);
            cosines.extend(cosines_of(&a, &b).map_err(inference)?);
        }
    }
    drop((ours, theirs));
    let (tokens, equal) = greedy(merged, texts, device)?;
    let cosine = cosines.iter().sum::<f32>() / cosines.len().max(1) as f32;
    let least = cosines.into_iter().fold(1.0, f32::min);
    Ok(Fidelity { cosine, least, tokens, equal })
}

fn network(
    path: &Path,
    recipe: &Recipe,
    device: &Device,
) -> std::result::Result<(Network, Arc<Vocabulary>), MindError> {
    let mut file = gguf::open(path)?;
    let tokens_max = file.meta.sequence_tokens_max();
    let network =
        Network::load(&file.content, &mut file.file, &file.meta, recipe, tokens_max, device)
            .map_err(|error| MindError::Model(format!("{}: {error}", path.display())))?;
    Ok((network, file.vocabulary))
}

fn states(network: &Network, ids: &[u32], depth: usize) -> Result<Tensor> {
    let mut pass = network.begin(ids, (1, ids.len()), None)?;
    network.advance(&mut pass, depth, false)?;
    Ok(pass.states)
}

/// Row by row.
fn cosines_of(a: &Tensor, b: &Tensor) -> Result<Vec<f32>> {
    let dot = (a * b)?.sum(D::Minus1)?;
    let lengths = (a.sqr()?.sum(D::Minus1)? * b.sqr()?.sum(D::Minus1)?)?.sqrt()?;
    (dot / lengths)?.to_vec1()
}

/// Greedy tokens of mistral.rs about each of `texts`, and how many candle writes too, up to the
/// first that differs.
pub(crate) fn greedy(
    path: &Path,
    texts: &[&str],
    device: &Device,
) -> std::result::Result<(usize, usize), MindError> {
    const TOKENS: usize = 24;
    let file = gguf::open(path)?;
    if !file.content.metadata.contains_key(CHAT_TEMPLATE) {
        // candle writes through the template alone; there is nothing to compare.
        return Ok((0, 0));
    }
    let options = ThinkerOptions {
        path: path.to_owned(),
        device: device.clone(),
        markers: file.meta.roles,
        style: file.meta.style,
        question_tokens_max: file.meta.query_tokens_max,
    };
    let sampling =
        Sampling { thoughts: 1, temperature: 0.0, tokens_max: TOKENS, ..Sampling::default() };
    let mut thinker = Thinker::open(options, file.vocabulary.tokenizer())?;
    let on_token: &mut OnToken<'_> = &mut |_| std::ops::ControlFlow::Continue(());
    let thoughts = texts
        .iter()
        .map(|text| thinker.think(text, "", &sampling, on_token))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    drop(thinker);
    let author = Author::open(path, device)?;
    let tasks: Vec<Task<'_>> =
        texts.iter().map(|query| Task::Thought { query, examples: Vec::new() }).collect();
    let manner = Manner { tokens_max: TOKENS, temperature: 0.0, top_p: 1.0, seed: 0 };
    let own = author.thoughts(&tasks, &manner, &mut |_| {})?;
    let (mut tokens, mut equal) = (0, 0);
    for (theirs, own) in thoughts.iter().zip(&own) {
        let theirs = theirs.first().map_or(&[][..], |thought| &thought.tokens);
        tokens += theirs.len();
        equal += theirs.iter().zip(&own.tokens).take_while(|(a, b)| a == b).count();
    }
    Ok((tokens, equal))
}
