//! Single values of a model file's metadata, and how each is told to be missing or senseless.

use candle_core::quantized::gguf_file::{Content, Value};
use models::MindError;

pub(super) fn value<'a>(content: &'a Content, key: &str) -> Result<&'a Value, MindError> {
    let missing = || MindError::Model(format!("its metadata key {key} is missing"));
    content.metadata.get(key).ok_or_else(missing)
}

pub(super) fn senseless(key: &str) -> MindError {
    MindError::Model(format!("its metadata key {key} has a value that makes no sense"))
}

/// Any of GGUF's integer types, for writers differ in which they choose.
pub(super) fn integer(value: &Value) -> Option<usize> {
    match value {
        Value::I8(v) => usize::try_from(*v).ok(),
        Value::I16(v) => usize::try_from(*v).ok(),
        Value::I32(v) => usize::try_from(*v).ok(),
        Value::I64(v) => usize::try_from(*v).ok(),
        Value::Bool(_) => None,
        other => other.to_u64().ok().and_then(|v| usize::try_from(v).ok()),
    }
}

pub(super) fn number(content: &Content, key: &str) -> Result<usize, MindError> {
    integer(value(content, key)?).ok_or_else(|| senseless(key))
}

pub(super) fn numbers(content: &Content, key: &str) -> Result<Vec<usize>, MindError> {
    let values = value(content, key)?.to_vec().map_err(|_| senseless(key))?;
    values.iter().map(|value| integer(value).ok_or_else(|| senseless(key))).collect()
}

pub(super) fn real(content: &Content, key: &str) -> Result<f32, MindError> {
    value(content, key)?.to_f32().map_err(|_| senseless(key))
}

pub(super) fn named<T>(
    content: &Content,
    key: &str,
    find: impl Fn(&str) -> Option<T>,
) -> Result<T, MindError> {
    let name = value(content, key)?.to_string().map_err(|_| senseless(key))?;
    find(name).ok_or_else(|| senseless(key))
}

/// A token id that the vocabulary has.
pub(super) fn token(content: &Content, key: &str) -> Result<u32, MindError> {
    let vocabulary = value(content, "tokenizer.ggml.tokens")?.to_vec();
    let size = vocabulary.map_err(|_| senseless("tokenizer.ggml.tokens"))?.len();
    let id = number(content, key)?;
    u32::try_from(id).ok().filter(|_| id < size).ok_or_else(|| senseless(key))
}
