//! Model files: opening with every check that can be made without running the model, and making
//! ours from a base model ([`convert()`]), and others' from ours ([`plain()`]).

pub(crate) mod convert;
#[cfg(test)]
pub(crate) mod draft;
mod plain;
mod scan;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::quantized::gguf_file::{Content, TensorInfo, Value};
use models::{MindError, prompt};

use crate::decoder::{Config, ROPE_FACTORS};
use crate::head::{FittedHead, Head, Table};
use crate::meta::Meta;
use crate::names::{CHAT_TEMPLATE, OUTPUT_NORM, TOKEN_TABLE};
use crate::pooling::Pooling;
use crate::tokens::Vocabulary;

pub use crate::names::{HEAD_BIAS, HEAD_WEIGHT};
pub use convert::convert;
pub use plain::plain;

/// An opened model file that passed all checks.
pub struct Gguf {
    pub path: PathBuf,
    /// Size of the file.
    pub bytes: u64,
    pub content: Content,
    pub meta: Meta,
    pub vocabulary: Arc<Vocabulary>,
    /// At an unspecified position.
    pub file: BufReader<File>,
}

/// Opens the file at `path` and checks that it is whole and that this program can use it: header,
/// architecture, tokenizer, our metadata or what stands in for it, and the name, shape and place
/// of every tensor needed.
///
/// # Errors
/// [`MindError::Model`] with the file's name, what is wrong and what to do.
pub fn open(path: &Path) -> Result<Gguf, MindError> {
    let wrong = |what: String| {
        MindError::Model(format!(
            "{}: {what}; use another GGUF file (fore model use FILE) or make the usual one again (fore model pull --force)",
            path.display()
        ))
    };
    let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
    let stat = file.metadata().map_err(|error| wrong(error.to_string()))?;
    if !stat.is_file() {
        return Err(wrong("it is not a regular file".to_owned()));
    }
    let bytes = stat.len();
    let mut file = BufReader::new(file);
    scan::scan(&mut file, bytes).map_err(wrong)?;
    file.rewind().map_err(|error| wrong(error.to_string()))?;
    let content = Content::read(&mut file).map_err(|error| wrong(error.to_string()))?;
    let vocabulary = check(&content, bytes).map_err(wrong)?;
    let meta = vocabulary.meta().clone();
    Ok(Gguf { path: path.to_owned(), bytes, content, meta, vocabulary: Arc::new(vocabulary), file })
}

/// Metadata that decides no passage's vector, besides `general.*`: how it thinks, and what questions are.
const NOT_OF_PASSAGES: [&str; 6] = [
    CHAT_TEMPLATE,
    "forethought.bare_weight",
    "forethought.grounded",
    "forethought.query_tokens_max",
    "forethought.think_style",
    "forethought.thought_tokens_max",
];
/// Hex digits of a digest: 64 bits tell apart all models that one person will ever have, and keep table
/// names short.
const DIGEST_SHOWN: usize = 16;

/// Hex digest of the whole file and of the prompts.
///
/// # Errors
/// [`MindError::Model`] if the file cannot be read.
pub fn fingerprint(path: &Path) -> Result<String, MindError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&prompt::VERSION.to_le_bytes());
    File::open(path)
        .and_then(|file| hasher.update_reader(file).map(|_| ()))
        .map_err(|error| MindError::Model(format!("{}: {error}", path.display())))?;
    Ok(hasher.finalize().to_hex()[..DIGEST_SHOWN].to_owned())
}

impl Gguf {
    /// Hex digest of all that decides a passage's vector: the prompts, the tokenizer, the model's shape,
    /// and its tensors but for the layers above the last one that vectors are read from. Those only think
    /// and read.
    ///
    /// # Errors
    /// [`MindError::Model`] if a tensor cannot be read.
    pub fn vectors(&mut self) -> Result<String, MindError> {
        let exit = self.meta.exit_layers.iter().copied().max().unwrap_or(usize::MAX);
        let decides = |name: &str| {
            let layer = name.strip_prefix("blk.").and_then(|rest| rest.split('.').next());
            layer.and_then(|layer| layer.parse().ok()).is_none_or(|layer: usize| layer < exit)
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update(&prompt::VERSION.to_le_bytes());
        // What a file without our keys is taken to say.
        let Meta { roles, pooling, exit_layers, width, passage_tokens_max, .. } = &self.meta;
        let meant = format!("{roles:?} {pooling:?} {exit_layers:?} {width} {passage_tokens_max}");
        hasher.update(meant.as_bytes());
        let sorted: BTreeMap<&String, &Value> = self.content.metadata.iter().collect();
        for (key, value) in sorted {
            if !key.starts_with("general.") && !NOT_OF_PASSAGES.contains(&key.as_str()) {
                hasher.update(format!("{key}={value:?}\n").as_bytes());
            }
        }
        let sorted: BTreeMap<&String, &TensorInfo> = self.content.tensor_infos.iter().collect();
        for (name, info) in sorted.into_iter().filter(|(name, _)| decides(name)) {
            let TensorInfo { shape, ggml_dtype: kind, offset } = info;
            hasher.update(format!("{name} {shape:?} {kind:?}\n").as_bytes());
            let bytes = shape.elem_count() / kind.block_size() * kind.type_size();
            self.file
                .seek(SeekFrom::Start(self.content.tensor_data_offset + offset))
                .and_then(|_| hasher.update_reader((&mut self.file).take(bytes as u64)).map(|_| ()))
                .map_err(|error| MindError::Model(format!("{}: {error}", self.path.display())))?;
        }
        Ok(hasher.finalize().to_hex()[..DIGEST_SHOWN].to_owned())
    }

    /// Whether the file carries this very head and was made with this very metadata.
    ///
    /// # Errors
    /// [`MindError::Model`] if its head cannot be read.
    pub fn carries(&mut self, shipped: &FittedHead) -> Result<bool, MindError> {
        let wanted = Meta::shipped(&self.content, shipped)?;
        Ok(wanted == self.meta && self.head()?.as_ref() == Some(&shipped.head))
    }

    /// The head in the file, if any.
    ///
    /// # Errors
    /// [`MindError::Model`] if it cannot be read.
    pub fn head(&mut self) -> Result<Option<Head>, MindError> {
        let Some(info) = self.content.tensor_infos.get(HEAD_WEIGHT) else {
            return Ok(None);
        };
        let [width, inputs] = *info.shape.dims() else { return Ok(None) };
        let table_width = self.table_width();
        let mut read = |name: &str| {
            let device = candle_core::Device::Cpu;
            let tensor = self.content.tensor(&mut self.file, name, &device)?.dequantize(&device)?;
            tensor.flatten_all()?.to_vec1::<f32>()
        };
        let mut read_all = || -> candle_core::Result<Head> {
            let table = match table_width {
                Some(width) => Some(Table { rows: read(TOKEN_TABLE)?, width }),
                None => None,
            };
            Ok(Head { weight: read(HEAD_WEIGHT)?, bias: read(HEAD_BIAS)?, width, inputs, table })
        };
        read_all()
            .map(Some)
            .map_err(|error| MindError::Model(format!("{}: {error}", self.path.display())))
    }

    /// Values in a row of the head's table of token vectors, if it has one.
    pub fn table_width(&self) -> Option<usize> {
        self.content.tensor_infos.get(TOKEN_TABLE)?.shape.dims().last().copied()
    }
}

/// Everything that a header can be wrong about, once it has been read.
fn check(content: &Content, bytes: u64) -> Result<Vocabulary, String> {
    if content.metadata.get("split.count").is_some_and(|count| count.to_u64().ok() != Some(1)) {
        return Err("it is one part of a split model; merge the parts first".to_owned());
    }
    let mut end = 0;
    for (name, info) in &content.tensor_infos {
        let size = tensor_bytes(info);
        let start = content.tensor_data_offset.checked_add(info.offset);
        let its_end = start.zip(size).and_then(|(start, size)| start.checked_add(size));
        end = end.max(its_end.ok_or_else(|| format!("it is damaged: no tensor can be as {name}"))?);
    }
    if end > bytes {
        return Err(format!("it is truncated: its tensors end at byte {end} and it has {bytes}"));
    }
    let config = Config::read(content).map_err(|error| error.to_string())?;
    let meta = Meta::read_or_foreign(content).map_err(|error| error.to_string())?;
    check_tensors(content, &config)?;
    check_head(content, &config, &meta)?;
    check_tokenizer(content)?;
    Vocabulary::read(content, meta).map_err(|error| error.to_string())
}

/// mistral.rs indexes its vocabulary with the ids, and takes the types to be i32 and the template
/// to be text.
fn check_tokenizer(content: &Content) -> Result<(), String> {
    let of = |key: &str| content.metadata.get(&format!("tokenizer.ggml.{key}"));
    let length = |key: &str| of(key).and_then(|list| list.to_vec().ok()).map_or(0, Vec::len);
    let tokens = length("tokens");
    for key in ["bos_token_id", "eos_token_id", "unknown_token_id"] {
        let id = of(key).map(|id| id.to_u32().ok().filter(|id| (*id as usize) < tokens));
        if id == Some(None) {
            return Err(format!("it is damaged: tokenizer.ggml.{key} is outside the vocabulary"));
        }
    }
    let types = of("token_type").and_then(|types| types.to_vec().ok());
    if types.is_some_and(|types| types.iter().any(|kind| kind.to_i32().is_err())) {
        return Err("it is damaged: tokenizer.ggml.token_type is no list of i32".to_owned());
    }
    let template = content.metadata.get(CHAT_TEMPLATE);
    if template.is_some_and(|template| template.to_string().is_err()) {
        return Err(format!("it is damaged: {CHAT_TEMPLATE} is no text"));
    }
    Ok(())
}

/// Bytes that a tensor takes up, if that can be said.
fn tensor_bytes(info: &TensorInfo) -> Option<u64> {
    let values = info.shape.dims().iter().try_fold(1usize, |all, dim| all.checked_mul(*dim))?;
    let row = info.shape.dims().last()?;
    let (block, size) = (info.ggml_dtype.block_size(), info.ggml_dtype.type_size());
    (row % block == 0).then(|| (values / block).checked_mul(size)).flatten().map(|size| size as u64)
}

/// The tensors that both mistral.rs and our decoder read, with the shapes they will have to have.
fn check_tensors(content: &Content, config: &Config) -> Result<(), String> {
    let Config { heads, kv_heads, head_dim, hidden, layers, .. } = *config;
    let shape_is_sane = hidden > 0
        && layers > 0
        && head_dim > 0
        && head_dim % 2 == 0
        && kv_heads > 0
        && heads > 0
        && heads % kv_heads == 0;
    let dims = [hidden, layers, head_dim, kv_heads, heads];
    if !shape_is_sane || dims.iter().any(|dim| *dim > u32::MAX as usize) {
        return Err(format!(
            "its shape makes no sense: {layers} layers of {heads} heads ({kv_heads} for keys) of {head_dim}, {hidden} wide"
        ));
    }
    let dims = |name: &str| match content.tensor_infos.get(name) {
        Some(info) => Ok(info.shape.dims()),
        None => Err(format!("tensor {name} is missing")),
    };
    let factors = content.tensor_infos.contains_key(ROPE_FACTORS);
    let factors = factors.then(|| (ROPE_FACTORS.to_owned(), vec![Some(head_dim / 2)]));
    for (name, shape) in expected(config).chain(factors) {
        let dims = dims(&name)?;
        let agrees = dims.len() == shape.len()
            && dims.iter().zip(&shape).all(|(dim, want)| want.is_none_or(|want| *dim == want));
        if !agrees {
            return Err(format!("tensor {name} has the wrong shape {dims:?}"));
        }
    }
    let tokens = tokens(content);
    let rows = dims("token_embd.weight")?[0];
    if rows < tokens {
        return Err(format!("it has {tokens} tokens and embeddings for {rows}"));
    }
    Ok(())
}

/// Names and shapes, where a dimension that nothing fixes is `None`. Lazy, for a damaged header
/// may claim billions of layers, and the first that is missing ends the check.
fn expected(config: &Config) -> impl Iterator<Item = (String, Vec<Option<usize>>)> {
    let Config { heads, kv_heads, head_dim, hidden, layers, .. } = *config;
    let (queries, keys) = (heads * head_dim, kv_heads * head_dim);
    let mut block = vec![
        ("attn_q.weight", vec![Some(queries), Some(hidden)]),
        ("attn_k.weight", vec![Some(keys), Some(hidden)]),
        ("attn_v.weight", vec![Some(keys), Some(hidden)]),
        ("attn_output.weight", vec![Some(hidden), Some(queries)]),
        ("ffn_gate.weight", vec![None, Some(hidden)]),
        ("ffn_up.weight", vec![None, Some(hidden)]),
        ("ffn_down.weight", vec![Some(hidden), None]),
        ("attn_norm.weight", vec![Some(hidden)]),
        ("ffn_norm.weight", vec![Some(hidden)]),
    ];
    block.extend(match config.architecture.as_str() {
        "qwen2" => vec![
            ("attn_q.bias", vec![Some(queries)]),
            ("attn_k.bias", vec![Some(keys)]),
            ("attn_v.bias", vec![Some(keys)]),
        ],
        "qwen3" => vec![
            ("attn_q_norm.weight", vec![Some(head_dim)]),
            ("attn_k_norm.weight", vec![Some(head_dim)]),
        ],
        _ => Vec::new(),
    });
    let ends = [
        ("token_embd.weight".to_owned(), vec![None, Some(hidden)]),
        (OUTPUT_NORM.to_owned(), vec![Some(hidden)]),
    ];
    let blocks = (0..layers).flat_map(move |layer| {
        let named = |(name, shape): &(&str, Vec<_>)| (format!("blk.{layer}.{name}"), shape.clone());
        block.iter().map(named).collect::<Vec<_>>()
    });
    ends.into_iter().chain(blocks)
}

/// How many tokens there are.
fn tokens(content: &Content) -> usize {
    let tokens = content.metadata.get("tokenizer.ggml.tokens");
    tokens.and_then(|tokens| tokens.to_vec().ok()).map_or(0, Vec::len)
}

fn check_head(content: &Content, config: &Config, meta: &Meta) -> Result<(), String> {
    let mut inputs = meta.inputs(config.hidden);
    let dims = |name: &str| content.tensor_infos.get(name).map(|info| info.shape.dims().to_vec());
    if let Some(table) = dims(TOKEN_TABLE) {
        match table.as_slice() {
            [rows, width] if *rows >= tokens(content) && meta.pooling == Pooling::Mean => {
                inputs += width;
            }
            _ => return Err(format!("its table of token vectors does not fit: {table:?}")),
        }
    }
    let fits = match (dims(HEAD_WEIGHT), dims(HEAD_BIAS)) {
        (Some(weight), Some(bias)) => weight == [meta.width, inputs] && bias == [meta.width],
        (None, None) => meta.width == inputs,
        _ => false,
    };
    fits.then_some(()).ok_or_else(|| {
        format!("its embedding head does not turn {inputs} values into {}", meta.width)
    })
}
