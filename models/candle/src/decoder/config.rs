//! Shape of a decoder, read from a GGUF's metadata.
//!
//! As strict as mistral.rs, which fails or panics on the same file if a key is missing or of another
//! type (0.8.1: `gguf_metadata.rs`, `quantized_llama.rs`, `quantized_qwen.rs`, `quantized_qwen3.rs`):
//! what `fore model use` accepts, the daemon must be able to load. Nor is anything passed over that
//! would change the numbers.

use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::{Result, bail};

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    pub architecture: String,
    /// Blocks in the file.
    pub layers: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    /// Values in a hidden state.
    pub hidden: usize,
    /// Tokens the model was made to read at most.
    pub context: usize,
    pub norm_eps: f64,
    pub rope_base: f32,
}

impl Config {
    /// Reads `<architecture>.*` keys.
    ///
    /// # Errors
    /// If the architecture is none of llama, qwen2, qwen3, a key is missing or of another type, or
    /// the model computes something that is not computed here.
    pub(crate) fn read(content: &Content) -> Result<Config> {
        let keys = Keys::of(content)?;
        let heads = keys.need("attention.head_count", COUNT)? as usize;
        let hidden = keys.need("embedding_length", COUNT)? as usize;
        let share = hidden / heads.max(1);
        let head_dim = keys.get("attention.key_length", COUNT)?.map_or(share, |n| n as usize);
        let config = Config {
            layers: keys.need("block_count", COUNT)? as usize,
            kv_heads: keys.need("attention.head_count_kv", COUNT)? as usize,
            context: keys.need("context_length", UNSIGNED)? as usize,
            norm_eps: f64::from(keys.need("attention.layer_norm_rms_epsilon", REAL)?),
            rope_base: keys.get("rope.freq_base", REAL)?.unwrap_or(10_000.0),
            architecture: keys.architecture.clone(),
            heads,
            head_dim,
            hidden,
        };
        let values = keys.get("attention.value_length", COUNT)?.map_or(share, |n| n as usize);
        if values != head_dim {
            bail!(
                "its heads have keys of {head_dim} values and values of {values}, which is not supported"
            );
        }
        keys.check_rotation(head_dim)?;
        Ok(config)
    }

    /// Whether neighbouring channels are rotated together: llama GGUFs store queries and keys permuted
    /// for it, the qwen ones do not.
    pub(crate) fn neighbours(&self) -> bool {
        self.architecture == "llama"
    }
}

/// A type of values, and how to read one.
struct Kind<T>(&'static str, fn(&Value) -> Result<T>);

const COUNT: Kind<u32> = Kind("u32", Value::to_u32);
const UNSIGNED: Kind<u64> = Kind("unsigned integer", Value::to_u64);
const REAL: Kind<f32> = Kind("f32", Value::to_f32);
const TEXT: Kind<String> = Kind("text", |value| value.to_string().cloned());

/// The keys of one architecture.
struct Keys<'a> {
    content: &'a Content,
    architecture: String,
}

impl Keys<'_> {
    fn of(content: &Content) -> Result<Keys<'_>> {
        let Some(architecture) = content.metadata.get("general.architecture") else {
            bail!("metadata key general.architecture is missing");
        };
        let architecture = architecture.to_string()?.clone();
        if !matches!(architecture.as_str(), "llama" | "qwen2" | "qwen3") {
            bail!("architecture {architecture} is not supported (llama, qwen2 and qwen3 are)");
        }
        Ok(Keys { content, architecture })
    }

    fn get<T>(&self, name: &str, Kind(kind, read): Kind<T>) -> Result<Option<T>> {
        let key = format!("{}.{name}", self.architecture);
        match self.content.metadata.get(&key).map(read) {
            None => Ok(None),
            Some(Ok(value)) => Ok(Some(value)),
            Some(Err(_)) => bail!("metadata key {key} is no {kind}"),
        }
    }

    fn need<T>(&self, name: &str, kind: Kind<T>) -> Result<T> {
        match self.get(name, kind)? {
            Some(value) => Ok(value),
            None => bail!("metadata key {}.{name} is missing", self.architecture),
        }
    }

    /// All of a head is rotated, by the angles that its position alone gives.
    fn check_rotation(&self, head_dim: usize) -> Result<()> {
        // mistral.rs takes the width from the file for llama only.
        let rotated = if self.architecture == "llama" {
            self.need("rope.dimension_count", COUNT)?
        } else {
            self.get("rope.dimension_count", COUNT)?.unwrap_or(head_dim as u32)
        };
        if rotated as usize != head_dim {
            bail!("it rotates {rotated} of the {head_dim} values of a head, not all of them");
        }
        // llama.cpp's defaults: a factor alone means linear scaling, and one of 0 means none.
        let kind = self.get("rope.scaling.type", TEXT)?.unwrap_or_else(|| "linear".to_owned());
        let factor = match self.get("rope.scaling.factor", REAL)? {
            None => self.get("rope.scale_linear", REAL)?,
            factor => factor,
        };
        let factor = factor.unwrap_or(0.0);
        let scaled = kind != "none" && (kind != "linear" || ![0.0, 1.0].contains(&factor));
        if scaled {
            bail!("its rotary embedding is scaled ({kind} by {factor}), which is not supported");
        }
        Ok(())
    }
}
