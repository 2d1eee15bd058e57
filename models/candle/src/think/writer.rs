//! Sampled token ids -> streamed text, and where a thought ends (pure).
//!
//! A thought is one paragraph. It ends at a special token, at a blank line, at its length, or where
//! it starts to repeat itself. What is streamed never has to be taken back, but for a loop: that
//! shows only after it was written.

use std::collections::HashSet;
use std::sync::Arc;

use models::MindError;
use models::thought::{self, Thought};
use tokenizers::Tokenizer;

/// What becomes of a sampled token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// It added this text, and the thought goes on.
    More(String),
    /// It added this text, and the thought is complete.
    Last(String),
    /// It is no part of the thought, which is complete without it.
    End,
}

/// Writes one thought.
pub(crate) struct Writer {
    tokenizer: Arc<Tokenizer>,
    /// Special tokens, any of which ends the thought.
    ends: Arc<HashSet<u32>>,
    tokens: Vec<u32>,
    /// Tokens that may still be sampled.
    left: usize,
    /// Bytes of the text that were streamed.
    streamed: usize,
}

impl Writer {
    pub(crate) fn new(
        tokenizer: Arc<Tokenizer>,
        ends: Arc<HashSet<u32>>,
        tokens_max: usize,
    ) -> Writer {
        Writer { tokenizer, ends, tokens: Vec::new(), left: tokens_max, streamed: 0 }
    }

    /// An ordinary token of whole characters.
    ///
    /// # Errors
    /// [`MindError::Model`] if the vocabulary has none.
    pub(crate) fn filler(&self) -> Result<u32, MindError> {
        let encoding = self.tokenizer.encode_fast("a", false);
        let filler = encoding.ok().and_then(|encoding| encoding.get_ids().first().copied());
        filler
            .filter(|id| !self.ends.contains(id))
            .ok_or_else(|| MindError::Model("its vocabulary cannot spell the letter a".to_owned()))
    }

    /// Takes the next sampled token.
    ///
    /// # Errors
    /// The tokenizer's, in words.
    pub(crate) fn push(&mut self, token: u32) -> Result<Step, String> {
        if self.ends.contains(&token) || self.left == 0 {
            return Ok(Step::End);
        }
        self.left -= 1;
        self.tokens.push(token);
        if let Some(keep) = thought::loop_start(&self.tokens) {
            self.tokens.truncate(keep);
            return Ok(Step::End);
        }
        let text = self.text(self.tokens.len())?;
        if text.is_empty() {
            // White space before the first word is no part of the thought.
            self.tokens.clear();
        }
        let (paragraph, complete) = match paragraph_end(&text) {
            Some(end) => (&text[..end], true),
            None => (text.as_str(), self.left == 0),
        };
        // White space and half characters wait for what follows them.
        let settled = settled(paragraph);
        let delta = settled.get(self.streamed..).unwrap_or_default().to_owned();
        self.streamed = self.streamed.max(settled.len());
        Ok(match (complete, delta.is_empty()) {
            (false, _) => Step::More(delta),
            (true, false) => Step::Last(delta),
            (true, true) => Step::End,
        })
    }

    /// The thought so far: its text, and the fewest sampled ids that spell it.
    ///
    /// # Errors
    /// As [`Writer::push`].
    pub(crate) fn finish(&mut self) -> Result<Thought, String> {
        let text = self.settled_text(self.tokens.len())?;
        let mut length = self.tokens.len();
        while length > 0 && self.settled_text(length - 1)? == text {
            length -= 1;
        }
        self.tokens.truncate(length);
        Ok(Thought { text, tokens: std::mem::take(&mut self.tokens), ..Thought::default() })
    }

    /// The text of the first `length` tokens without white space before it.
    fn text(&self, length: usize) -> Result<String, String> {
        let text = self.tokenizer.decode(&self.tokens[..length], false);
        Ok(text.map_err(|error| format!("tokenizer: {error}"))?.trim_start().to_owned())
    }

    fn settled_text(&self, length: usize) -> Result<String, String> {
        let text = self.text(length)?;
        let end = paragraph_end(&text).unwrap_or(text.len());
        Ok(settled(&text[..end]).to_owned())
    }
}

/// `text` without white space and half characters at its end.
fn settled(text: &str) -> &str {
    text.trim_end_matches(|c: char| c == char::REPLACEMENT_CHARACTER || c.is_whitespace())
}

/// Where the first blank line begins: a line feed, then nothing but blanks up to another.
fn paragraph_end(text: &str) -> Option<usize> {
    text.match_indices('\n')
        .map(|(at, _)| at)
        .find(|at| text[at + 1..].trim_start_matches([' ', '\t', '\r']).starts_with('\n'))
}
