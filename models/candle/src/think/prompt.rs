//! The question -> the ids that the model thinks after.
//!
//! Special tokens come from the model's own chat template or from our markers, never from the
//! question: its text is tokenised with them switched off, so `<|im_end|>` in it is ten characters.

use std::collections::HashSet;
use std::sync::Arc;

use models::{MindError, prompt};
use tokenizers::Tokenizer;

use super::engine::Engine;
use crate::meta::Roles;

/// Stands for the question while the chat template is rendered. A plain word, so that the template
/// and the tokenizer leave it alone.
const PLACE: &str = "THEQUESTIONGOESHERE";
/// A question is cut to this many bytes per token of its budget before it is tokenised, so that a
/// megabyte of it costs no more than what is kept.
const BYTES_PER_TOKEN_MAX: usize = 16;

/// A prompt with a gap for the question.
pub(crate) struct Template {
    /// Ids up to and with the last special token before the question.
    head: Vec<u32>,
    /// Plain text between `head` and the question, tokenised together with it.
    lead: String,
    tail: Vec<u32>,
    /// Parses no special tokens.
    tokenizer: Arc<Tokenizer>,
    question_tokens_max: usize,
}

impl Template {
    /// `<query>` question `</query><thought>`, for a model trained on it.
    pub(crate) fn trained(roles: &Roles, tokenizer: Arc<Tokenizer>, budget: usize) -> Template {
        Template {
            head: vec![roles.query_open],
            lead: String::new(),
            tail: vec![roles.query_close, roles.thought],
            tokenizer,
            question_tokens_max: budget,
        }
    }

    /// The model's own chat template, rendered by the engine.
    ///
    /// # Errors
    /// [`MindError::Model`] if the template does not render or does not show the question once.
    pub(crate) fn chat(
        engine: &Engine,
        ends: &HashSet<u32>,
        tokenizer: Arc<Tokenizer>,
        budget: usize,
    ) -> Result<Template, MindError> {
        let (system, user) = prompt::base_chat(PLACE);
        Template::conversation(engine, (&system, &user), ends, tokenizer, budget)
    }

    /// The same for any user message of at most `budget` tokens after the given system message.
    ///
    /// # Errors
    /// As [`Template::chat`].
    pub(crate) fn any_chat(
        engine: &Engine,
        system: &str,
        ends: &HashSet<u32>,
        tokenizer: Arc<Tokenizer>,
        budget: usize,
    ) -> Result<Template, MindError> {
        Template::conversation(engine, (system, PLACE), ends, tokenizer, budget)
    }

    /// A (system, user) conversation whose user message holds [`PLACE`].
    fn conversation(
        engine: &Engine,
        (system, user): (&str, &str),
        ends: &HashSet<u32>,
        tokenizer: Arc<Tokenizer>,
        budget: usize,
    ) -> Result<Template, MindError> {
        let messages = [("system", system), ("user", user)];
        let rendered = match engine.render(&messages) {
            Ok(rendered) => rendered,
            // Some templates know no system message.
            Err(_) => engine.render(&[("user", &format!("{system}\n\n{user}"))])?,
        };
        match rendered.split_once(PLACE) {
            Some((before, after)) if !after.contains(PLACE) => {
                Template::around(before, after, ends, tokenizer, budget)
            }
            _ => Err(MindError::Model(
                "its chat template does not show the user's message once".to_owned(),
            )),
        }
    }

    /// The paper's blocks as plain text (its `gen_gpt.py`), for a model without a chat template.
    ///
    /// # Errors
    /// As [`Template::around`].
    pub(crate) fn plain(
        ends: &HashSet<u32>,
        tokenizer: Arc<Tokenizer>,
        budget: usize,
    ) -> Result<Template, MindError> {
        let before = format!("Task: {}\nQuery: ", prompt::TASK);
        Template::around(&before, "\nResponse:", ends, tokenizer, budget)
    }

    /// A question between two trusted texts, in which special tokens are parsed.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the tokenizer fails.
    fn around(
        before: &str,
        after: &str,
        ends: &HashSet<u32>,
        tokenizer: Arc<Tokenizer>,
        budget: usize,
    ) -> Result<Template, MindError> {
        let mut parsing = Tokenizer::clone(&tokenizer);
        parsing.set_encode_special_tokens(false);
        let encoding = parsing.encode(before, false).map_err(tokenizer_error)?;
        let last = encoding.get_ids().iter().rposition(|id| ends.contains(id));
        let (head, lead) = match last {
            Some(at) => (&encoding.get_ids()[..=at], &before[encoding.get_offsets()[at].1..]),
            None => (&[][..], before),
        };
        let tail = parsing.encode(after, false).map_err(tokenizer_error)?;
        Ok(Template {
            head: head.to_vec(),
            lead: lead.to_owned(),
            tail: tail.get_ids().to_vec(),
            tokenizer,
            question_tokens_max: budget,
        })
    }

    /// The ids that all prompts of this template begin with, as good as.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the tokenizer fails.
    pub(crate) fn shared(&self) -> Result<Vec<u32>, MindError> {
        let mut ids = self.head.clone();
        ids.extend(self.encode(self.lead.trim_end())?);
        Ok(ids)
    }

    /// The prompt for `question`, which is cut to its budget, and what was found for it, which is
    /// cut to its own and may be empty.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the tokenizer fails.
    pub(crate) fn fill(&self, question: &str, context: &str) -> Result<Vec<u32>, MindError> {
        let question = question.trim();
        let bytes_max = self.question_tokens_max.saturating_mul(BYTES_PER_TOKEN_MAX);
        let end = question.floor_char_boundary(bytes_max);
        let mut text = self.encode(&format!("{}{}", self.lead, &question[..end]))?;
        // A space at the end of the lead becomes part of the question's first token.
        let lead_tokens = self.encode(self.lead.trim_end())?.len();
        text.truncate(lead_tokens + self.question_tokens_max);
        if !context.is_empty() {
            let mut found = self.encode(&prompt::context_text(context))?;
            found.truncate(prompt::CONTEXT_TOKENS_MAX);
            text.extend(found);
        }
        Ok([&self.head, &text, &self.tail].into_iter().flatten().copied().collect())
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>, MindError> {
        let encoding = self.tokenizer.encode_fast(text, false).map_err(tokenizer_error)?;
        Ok(encoding.get_ids().to_vec())
    }
}

fn tokenizer_error(error: tokenizers::Error) -> MindError {
    MindError::Inference(format!("tokenizer: {error}"))
}
