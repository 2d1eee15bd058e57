//! The author of training data: the model itself, asked for questions and thoughts in batches.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use candle_core::Device;
use models::explore::{self, Chat};
use models::{MindError, Thought};

use crate::generate::{Generator, Order};
use crate::gguf;
use crate::meta::Style;
use crate::names::CHAT_TEMPLATE;
use crate::think::engine::Engine;
use crate::think::prompt::Template;
use crate::think::{special_tokens, without_special_tokens};
use crate::tokens::Vocabulary;

/// Most tokens of what is asked, a passage and some examples included; the rest is cut.
const PROMPT_TOKENS_MAX: usize = 640;
/// Most tokens of the markers and role names of a chat template around it.
const FRAME_TOKENS_MAX: usize = 128;
/// Most tokens that a question opens with.
const OPENING_TOKENS_MAX: usize = 8;

/// Something to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Task<'a> {
    /// A question that the passage answers, beginning with these words.
    Question { passage: &'a str, opening: &'a str },
    /// A thought about the query alone, with `(query, passage)` examples for a model that was not
    /// trained to think.
    Thought { query: &'a str, examples: Vec<(&'a str, &'a str)> },
    /// A thought about the query by someone who has read the passage.
    Informed { query: &'a str, passage: &'a str },
}

/// How much is written, and how freely.
#[derive(Debug, Clone, PartialEq)]
pub struct Manner {
    pub tokens_max: usize,
    /// 0 is greedy.
    pub temperature: f64,
    pub top_p: f64,
    /// Text `i` is drawn from the stream seeded with `seed + i`.
    pub seed: u64,
}

/// See the module.
pub struct Author {
    generator: Generator,
    vocabulary: Arc<Vocabulary>,
    /// By system message.
    chats: HashMap<String, Template>,
    /// A model that was trained to think is asked in its own way.
    trained: Option<Template>,
}

impl Author {
    /// Loads the model at `path`.
    ///
    /// # Errors
    /// [`MindError::Model`] if it cannot be used or has no chat template to ask it with.
    pub fn open(path: &Path, device: &Device) -> Result<Author, MindError> {
        let file = gguf::open(path)?;
        let tokenizer = file.vocabulary.tokenizer();
        let plain = without_special_tokens(&tokenizer);
        let ends = special_tokens(&tokenizer, &file.meta.roles);
        let template = file.content.metadata.get(CHAT_TEMPLATE);
        let Some(template) = template.and_then(|template| template.to_string().ok()) else {
            return Err(MindError::Model(format!(
                "{}: it has no chat template, so it cannot be asked for questions; use an instruct model",
                path.display()
            )));
        };
        // Only to fill its chat template; gone before the weights are loaded a second time.
        let engine = Engine::open(path, Some(template), &Device::Cpu)?;
        let mut chats = HashMap::new();
        let systems = [
            explore::question_chat(""),
            explore::thought_chat("", &[]),
            explore::informed_chat("", ""),
        ];
        for (system, _) in systems {
            let plain = Arc::clone(&plain);
            let chat = Template::any_chat(&engine, &system, &ends, plain, PROMPT_TOKENS_MAX)?;
            chats.insert(system, chat);
        }
        drop(engine);
        let meta = &file.meta;
        let trained = (meta.style == Style::Trained)
            .then(|| Template::trained(&meta.roles, plain, meta.query_tokens_max));
        let tokens_max = PROMPT_TOKENS_MAX + FRAME_TOKENS_MAX + meta.thought_tokens_max;
        let generator = Generator::open(path, tokens_max, device)?;
        let vocabulary = Arc::clone(&file.vocabulary);
        Ok(Author { generator, vocabulary, chats, trained })
    }

    /// One text for each task, in order; `done` is told how many there are.
    ///
    /// # Errors
    /// As [`Generator::write`].
    pub fn write(
        &self,
        tasks: &[Task<'_>],
        manner: &Manner,
        done: &mut dyn FnMut(usize),
    ) -> Result<Vec<String>, MindError> {
        let written = self.thoughts(tasks, manner, done)?;
        let whole = |(task, Thought { text, .. }): (&Task<'_>, Thought)| match task {
            Task::Question { opening, .. } => format!("{opening} {text}"),
            _ => text,
        };
        Ok(tasks.iter().zip(written).map(whole).collect())
    }

    /// The same with the ids that were sampled, and without what questions open with.
    pub(crate) fn thoughts(
        &self,
        tasks: &[Task<'_>],
        manner: &Manner,
        done: &mut dyn FnMut(usize),
    ) -> Result<Vec<Thought>, MindError> {
        let order = |(index, task): (usize, &Task<'_>)| {
            Ok(Order {
                prompt: self.prompt(task)?,
                tokens_max: manner.tokens_max,
                temperature: manner.temperature,
                top_p: manner.top_p,
                seed: manner.seed.wrapping_add(index as u64),
            })
        };
        let orders = tasks.iter().enumerate().map(order).collect::<Result<Vec<_>, MindError>>()?;
        self.generator.write(&orders, done)
    }

    fn prompt(&self, task: &Task<'_>) -> Result<Vec<u32>, MindError> {
        let (system, user): Chat = match task {
            Task::Question { passage, opening } => {
                let (system, user) = explore::question_chat(passage);
                let mut prompt = self.chat(&system, &user)?;
                prompt.extend(self.vocabulary.encode(opening, OPENING_TOKENS_MAX)?);
                return Ok(prompt);
            }
            Task::Thought { query, examples } => match &self.trained {
                Some(template) => return template.fill(query, ""),
                None => explore::thought_chat(query, examples),
            },
            Task::Informed { query, passage } => explore::informed_chat(query, passage),
        };
        self.chat(&system, &user)
    }

    fn chat(&self, system: &str, user: &str) -> Result<Vec<u32>, MindError> {
        let chat = self.chats.get(system);
        let chat = chat.ok_or_else(|| MindError::Inference("an unknown system message".into()))?;
        chat.fill(user, "")
    }
}
