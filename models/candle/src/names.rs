//! Names in a model file that more than one module asks for.

/// What the keys begin with that only this program knows.
pub(crate) const OURS: &str = "forethought.";
/// Name of the head's matrix, (width, inputs) f32, in a model file.
pub const HEAD_WEIGHT: &str = "forethought.head.weight";
/// Name of the head's offset, (width) f32.
pub const HEAD_BIAS: &str = "forethought.head.bias";
/// Name of the head's table of token vectors, (tokens, any), in a model file that has one.
pub(crate) const TOKEN_TABLE: &str = "forethought.tokens.weight";
/// The norm after the last layer.
pub(crate) const OUTPUT_NORM: &str = "output_norm.weight";
/// How an instruct model is asked; a base model has none.
pub(crate) const CHAT_TEMPLATE: &str = "tokenizer.chat_template";
