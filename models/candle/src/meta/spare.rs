//! Finding four tokens for our markers in a vocabulary that was made without them.

use std::collections::BTreeSet;

use candle_core::quantized::gguf_file::Content;
use models::MindError;

use super::values::{integer, numbers, senseless, value};
use crate::names::CHAT_TEMPLATE;

/// GGUF's token types (llama.cpp's `llama_token_type`).
const CONTROL: usize = 3;
const USER_DEFINED: usize = 4;
const UNUSED: usize = 5;

/// Names of control tokens that chat models speak with, whether or not their template says so.
const SPOKEN: [&str; 11] = [
    "im_start",
    "im_end",
    "begin_of",
    "end_of",
    "endoftext",
    "header_id",
    "eot",
    "eom",
    "think",
    "python_tag",
    "pad",
];

/// Four entries that neither text nor chat makes use of, best first: reserved ones, other control
/// tokens, `<...>` entries that users defined, rows that are only padding.
///
/// # Errors
/// [`MindError::Model`] if there are fewer, or the vocabulary does not tell its types.
pub(super) fn tokens(content: &Content) -> Result<[u32; 4], MindError> {
    let tokens = value(content, "tokenizer.ggml.tokens")?
        .to_vec()
        .map_err(|_| senseless("tokenizer.ggml.tokens"))?;
    let types = numbers(content, "tokenizer.ggml.token_type")?;
    let spoken_ids: BTreeSet<usize> = content
        .metadata
        .iter()
        .filter(|(key, _)| key.starts_with("tokenizer.ggml.") && key.ends_with("_token_id"))
        .filter_map(|(_, value)| integer(value))
        .collect();
    let template = content.metadata.get(CHAT_TEMPLATE);
    let template = template.and_then(|value| value.to_string().ok()).map_or("", String::as_str);
    let mut spare: Vec<(u8, u32)> = (0u32..)
        .zip(tokens.iter().zip(&types))
        .filter(|(id, _)| !spoken_ids.contains(&(*id as usize)))
        .filter_map(|(id, (text, kind))| {
            let text = text.to_string().ok()?;
            let said = template.contains(text.as_str());
            let spoken = said || SPOKEN.iter().any(|word| text.to_lowercase().contains(word));
            let marker = text.starts_with('<') && text.ends_with('>');
            let rank = match *kind {
                UNUSED => 3,
                _ if spoken => return None,
                CONTROL if text.contains("reserved") || text.contains("unused") => 0,
                CONTROL => 1,
                USER_DEFINED if marker => 2,
                _ => return None,
            };
            Some((rank, id))
        })
        .collect();
    spare.sort_unstable();
    match *spare.as_slice() {
        [(_, a), (_, b), (_, c), (_, d), ..] => Ok([a, b, c, d]),
        _ => Err(MindError::Model(format!(
            "its vocabulary has {} spare special tokens and four are needed; use a model with reserved tokens, such as SmolLM2, Llama 3 or Qwen",
            spare.len()
        ))),
    }
}
