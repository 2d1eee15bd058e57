//! Text and prompt pieces -> token ids.
//!
//! Text never becomes a special token: whatever a note or a question spells, `<emb>` in it is five
//! characters. Pieces are tokenised apart and joined as ids (see `models::prompt`).

use std::sync::Arc;

use candle_core::quantized::gguf_file::Content;
use candle_core::quantized::tokenizer::TokenizerFromGguf;
use models::prompt::{self, Piece, Role};
use models::{MindError, TokenCounter};
use tokenizers::Tokenizer;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence as PreSequence;

use crate::meta::Meta;

/// A text is cut to this many bytes per token of its budget before it is tokenised, so that a
/// megabyte of text costs no more than what is kept of it. No vocabulary here averages more.
const BYTES_PER_TOKEN_MAX: usize = 16;

/// Token ids of one input, and which of them are text rather than markers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sequence {
    pub ids: Vec<u32>,
    /// Same length as `ids`.
    pub content: Vec<bool>,
}

/// The model's tokenizer and budgets.
pub struct Vocabulary {
    tokenizer: Arc<Tokenizer>,
    meta: Meta,
}

impl Vocabulary {
    /// Builds the tokenizer that the GGUF describes.
    ///
    /// # Errors
    /// [`MindError::Model`] if it describes none that is supported.
    pub fn read(content: &Content, meta: Meta) -> Result<Vocabulary, MindError> {
        let mut tokenizer = Tokenizer::from_gguf(content).map_err(|error| {
            MindError::Model(format!("the model file's tokenizer cannot be used: {error}"))
        })?;
        let pre =
            content.metadata.get("tokenizer.ggml.pre").and_then(|value| value.to_string().ok());
        if let Some(pre_tokenizer) = pre_tokenizer(pre.map_or("gpt-2", String::as_str)) {
            tokenizer.with_pre_tokenizer(Some(pre_tokenizer));
        }
        tokenizer.set_encode_special_tokens(true);
        Ok(Vocabulary { tokenizer: Arc::new(tokenizer), meta })
    }

    /// The tokenizer itself, for decoding.
    pub fn tokenizer(&self) -> Arc<Tokenizer> {
        Arc::clone(&self.tokenizer)
    }

    /// What the model's file says of itself.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Every token as text by itself, by id: a space at its side is nothing to a reader of it, and
    /// what is no text, such as half a character, is a placeholder.
    ///
    /// # Errors
    /// As [`Vocabulary::encode`].
    pub fn texts(&self) -> Result<Vec<String>, MindError> {
        let count = u32::try_from(self.tokenizer.get_vocab_size(true)).unwrap_or(u32::MAX);
        let text = |id: u32| {
            let text = self.tokenizer.decode(&[id], false);
            let text = text.map_err(|error| MindError::Inference(format!("tokenizer: {error}")))?;
            Ok(text.trim().to_owned())
        };
        (0..count).map(text).collect()
    }

    /// Ids of `text`, at most `tokens_max`, cut on the right.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the tokenizer fails.
    pub fn encode(&self, text: &str, tokens_max: usize) -> Result<Vec<u32>, MindError> {
        let end = text.floor_char_boundary(tokens_max.saturating_mul(BYTES_PER_TOKEN_MAX));
        let encoding = self
            .tokenizer
            .encode_fast(&text[..end], false)
            .map_err(|error| MindError::Inference(format!("tokenizer: {error}")))?;
        let mut ids = encoding.get_ids().to_vec();
        ids.truncate(tokens_max);
        Ok(ids)
    }

    /// Joins `pieces` as ids, each text cut to its own budget so that no marker is ever cut.
    ///
    /// # Errors
    /// As [`Vocabulary::encode`].
    pub fn assemble(&self, pieces: &[Piece<'_>]) -> Result<Sequence, MindError> {
        let mut sequence = Sequence::default();
        for piece in pieces {
            let (ids, content) = match piece {
                Piece::Marker(role) => (vec![self.marker(*role)], false),
                Piece::Question(text) => {
                    (self.encode(text.trim(), self.meta.query_tokens_max)?, true)
                }
                Piece::Context(text) => {
                    (self.encode(&prompt::context_text(text), prompt::CONTEXT_TOKENS_MAX)?, false)
                }
                Piece::ThoughtText(text) => {
                    (self.encode(text, self.meta.thought_tokens_max)?, true)
                }
                Piece::ThoughtTokens(ids) => {
                    (ids[..ids.len().min(self.meta.thought_tokens_max)].to_vec(), true)
                }
                Piece::Passage(text) => (self.encode(text, self.meta.passage_tokens_max)?, true),
            };
            sequence.content.resize(sequence.content.len() + ids.len(), content);
            sequence.ids.extend(ids);
        }
        Ok(sequence)
    }

    /// A passage's sequence, of at most `tokens_max` tokens besides `<emb>`.
    ///
    /// # Errors
    /// As [`Vocabulary::encode`].
    pub fn assemble_passage(&self, text: &str, tokens_max: usize) -> Result<Sequence, MindError> {
        let Sequence { mut ids, mut content } = self.assemble(&prompt::passage(text))?;
        let cut = tokens_max.min(ids.len() - 1)..ids.len() - 1;
        ids.drain(cut.clone());
        content.drain(cut);
        Ok(Sequence { ids, content })
    }

    fn marker(&self, role: Role) -> u32 {
        let roles = &self.meta.roles;
        match role {
            Role::QueryOpen => roles.query_open,
            Role::QueryClose => roles.query_close,
            Role::Thought => roles.thought,
            Role::Emb => roles.emb,
            Role::Eos => roles.eos,
        }
    }
}

impl TokenCounter for Vocabulary {
    fn count(&self, text: &str) -> usize {
        // An upper bound in place of an error: one token per byte is the most there can be.
        self.tokenizer.encode_fast(text, false).map_or(text.len(), |encoding| encoding.len())
    }
}

/// candle knows the splitting rules of llama3 and qwen2 and adds a leading space for all others,
/// which no byte-level model here was trained with.
fn pre_tokenizer(name: &str) -> Option<PreTokenizerWrapper> {
    let byte_level = ByteLevel::new(false, true, true);
    match name {
        "qwen2" | "smaug-bpe" | "lfm2" | "llama3" | "llama-bpe" => None,
        "smollm" | "starcoder" | "refact" | "command-r" => {
            Some(PreSequence::new(vec![Digits::new(true).into(), byte_level.into()]).into())
        }
        _ => Some(byte_level.into()),
    }
}
