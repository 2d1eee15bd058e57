//! A deterministic mind without weights: hashed bags of words, thoughts that echo the question.
//!
//! It keeps the contract of [`Mind`] (unit vectors, streamed tokens, cancellation between them),
//! so that the daemon and the terminal client can be tested in seconds.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::{
    Embedding, Mind, MindError, ModelCard, OnRead, OnToken, Sampling, Thought, ThoughtDelta,
    TokenCounter,
};

const WIDTH: usize = 64;

/// See the module.
pub struct ScriptedMind {
    card: ModelCard,
    gate: Option<Box<dyn FnMut() + Send>>,
}

impl ScriptedMind {
    /// A mind whose fingerprint is derived from `name`, and its vectors from `name` up to a dash.
    pub fn new(name: &str) -> Self {
        let card = ModelCard {
            name: name.to_owned(),
            fingerprint: format!("{:016x}", hash(name)),
            vectors: format!("{:016x}", hash(name.split('-').next().unwrap_or(name))),
            width: WIDTH,
            passage_tokens_max: 256,
            grounded: false,
            device: "none (scripted)".to_owned(),
        };
        ScriptedMind { card, gate: None }
    }

    /// The same, trained to think about what a first search found if `grounded`.
    #[must_use]
    pub fn grounded(mut self, grounded: bool) -> Self {
        self.card.grounded = grounded;
        self
    }

    /// Calls `gate` before every token, so that a test decides when the next one comes.
    #[must_use]
    pub fn gated(mut self, gate: impl FnMut() + Send + 'static) -> Self {
        self.gate = Some(Box::new(gate));
        self
    }
}

struct Words;

impl TokenCounter for Words {
    fn count(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }
}

impl Mind for ScriptedMind {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn counter(&self) -> Arc<dyn TokenCounter> {
        Arc::new(Words)
    }

    fn think(
        &mut self,
        question: &str,
        context: &str,
        sampling: &Sampling,
        on_token: &mut OnToken<'_>,
    ) -> Result<Vec<Thought>, MindError> {
        let mut thoughts = Vec::new();
        for index in 0..sampling.thoughts {
            let mut text = format!("thought {index} about {question}");
            if !context.is_empty() {
                text.push_str(&format!(" given {context}"));
            }
            for word in text.split_inclusive(' ').take(sampling.tokens_max) {
                if let Some(gate) = &mut self.gate {
                    gate();
                }
                if on_token(ThoughtDelta { index, text: word }).is_break() {
                    return Ok(thoughts);
                }
            }
            thoughts.push(Thought { text, context: context.to_owned(), ..Thought::default() });
        }
        Ok(thoughts)
    }

    fn embed_passages(&mut self, passages: &[String]) -> Result<Vec<Embedding>, MindError> {
        passages.iter().map(|text| embed(text)).collect()
    }

    fn embed_query(
        &mut self,
        question: &str,
        thoughts: &[Thought],
    ) -> Result<Embedding, MindError> {
        let with_thought = thoughts
            .iter()
            .map(|thought| embed(&format!("{question} {}", thought.text)))
            .collect::<Result<Vec<_>, _>>()?;
        crate::combine(&embed(question)?, &with_thought, 0.5)
    }

    /// The cosine of question and passage, below 0 as a log-probability is; passage by passage.
    fn read(
        &mut self,
        question: &str,
        passages: &[String],
        window: usize,
        on_read: &mut OnRead<'_>,
    ) -> Result<Vec<f32>, MindError> {
        let question = embed(question)?;
        let mut read = Vec::new();
        for passage in passages {
            if let Some(gate) = &mut self.gate {
                gate();
            }
            let seen = passage.split_whitespace().take(window).collect::<Vec<_>>().join(" ");
            read.push(question.dot(&embed(&seen)?) - 1.0);
            if on_read(&read).is_break() {
                break;
            }
        }
        Ok(read)
    }

    fn rest(&mut self) {}
}

fn embed(text: &str) -> Result<Embedding, MindError> {
    // A constant component keeps the empty text from being the zero vector.
    let mut values = vec![0.0; WIDTH];
    values[0] = 0.1;
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        values[(hash(&word.to_lowercase()) % (WIDTH as u64 - 1)) as usize + 1] += 1.0;
    }
    Embedding::normalised(values)
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
