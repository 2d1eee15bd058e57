//! Names of the files in a run's folder that others look for.

/// What was trained, without the base.
pub const ADAPTER: &str = "adapter.safetensors";
/// The same before it got a table of token vectors.
pub(crate) const LEARNT: &str = "learnt.safetensors";
/// The same before it learnt to read.
pub(crate) const EMBEDS: &str = "embeds.safetensors";
/// Base and adapter, merged.
pub const MODEL: &str = "model.gguf";
