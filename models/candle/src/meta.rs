//! What a model file says about itself in `forethought.*` keys, and what is assumed of one that
//! says nothing.
//!
//! Reads and writes metadata only; whether the tensors agree with it is [`crate::gguf`]'s to check.

mod spare;
mod values;

use std::collections::BTreeSet;

use candle_core::quantized::gguf_file::{Content, Value};
use models::{MindError, prompt};

use crate::decoder::Config;
use crate::head::FittedHead;
use crate::names::OURS;
use values::{named, number, numbers, real, token};

pub use crate::pooling::Pooling;

/// Version of the `forethought.*` keys. A file of another version is refused, not guessed at.
pub const VERSION: u32 = 1;

/// Budgets of files that name none, in tokens. The teacher of the shipped head reads 256 tokens of
/// a passage; 128 is the paper's cap on a thought; longer questions are pasted text.
const QUERY_TOKENS_MAX: usize = 128;
const THOUGHT_TOKENS_MAX: usize = 128;
const PASSAGE_TOKENS_MAX: usize = 256;
/// The one key that a file may lack.
const GROUNDED: &str = "forethought.grounded";
/// Markers around the texts of the longest query form: `<query> </query> <thought> eos <emb>`.
const QUERY_MARKERS: usize = 5;
/// Weight of the thought-free query for the shipped head, which was fitted without thoughts, and the
/// shipped model (models/TRAINING.md). Over 58 questions a raw thought took nDCG@10 from .58 to .30
/// as the whole query vector of the former, and left it at .58 when mixed in lightly.
pub(crate) const SHIPPED_BARE_WEIGHT: f32 = 0.9;

/// Token ids of our markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    pub query_open: u32,
    pub query_close: u32,
    pub thought: u32,
    pub emb: u32,
    /// The model's own end of sequence.
    pub eos: u32,
}

impl Roles {
    fn distinct(self) -> bool {
        let ids = [self.query_open, self.query_close, self.thought, self.emb, self.eos];
        BTreeSet::from(ids).len() == ids.len()
    }
}

/// How the model is asked to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A base model, through its chat template.
    Chat,
    /// A model trained on our markers.
    Trained,
}

impl Style {
    fn name(self) -> &'static str {
        match self {
            Style::Chat => "chat",
            Style::Trained => "trained",
        }
    }
}

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Meta {
    pub version: u32,
    pub name: String,
    pub architecture: String,
    pub roles: Roles,
    pub pooling: Pooling,
    /// Layers after which the state is read, from 1, ascending.
    pub exit_layers: Vec<usize>,
    /// Values in an embedding.
    pub width: usize,
    /// Weight of the thought-free query vector, 0 to 1; see [`models::combine`].
    pub bare_weight: f32,
    pub query_tokens_max: usize,
    pub thought_tokens_max: usize,
    pub passage_tokens_max: usize,
    pub style: Style,
    /// Whether it was trained to think about what a first search found.
    pub grounded: bool,
}

impl Meta {
    /// What the file says, or [`Meta::for_foreign`] if it has none of our keys.
    ///
    /// # Errors
    /// As the two.
    pub fn read_or_foreign(content: &Content) -> Result<Meta, MindError> {
        if content.metadata.keys().any(|key| key.starts_with(OURS)) {
            Meta::read(content)
        } else {
            Meta::for_foreign(content)
        }
    }

    /// Reads our keys.
    ///
    /// # Errors
    /// [`MindError::Model`] naming the key that is missing or makes no sense.
    pub fn read(content: &Content) -> Result<Meta, MindError> {
        let config = config(content)?;
        let version = number(content, "forethought.version")?;
        if version != VERSION as usize {
            return Err(MindError::Model(format!(
                "its forethought.version is {version} and this program reads {VERSION}; make it again with: fore model pull"
            )));
        }
        let role = |name: &str| token(content, &format!("forethought.role.{name}"));
        let meta = Meta {
            version: VERSION,
            name: name(content),
            roles: Roles {
                query_open: role("query_open")?,
                query_close: role("query_close")?,
                thought: role("thought")?,
                emb: role("emb")?,
                eos: token(content, "tokenizer.ggml.eos_token_id")?,
            },
            pooling: named(content, "forethought.pooling", Pooling::from_name)?,
            exit_layers: numbers(content, "forethought.exit_layers")?,
            width: number(content, "forethought.width")?,
            bare_weight: real(content, "forethought.bare_weight")?,
            query_tokens_max: number(content, "forethought.query_tokens_max")?,
            thought_tokens_max: number(content, "forethought.thought_tokens_max")?,
            passage_tokens_max: number(content, "forethought.passage_tokens_max")?,
            style: named(content, "forethought.think_style", |name| {
                [Style::Chat, Style::Trained].into_iter().find(|style| style.name() == name)
            })?,
            // Files of before there was such a thing do not say.
            grounded: matches!(content.metadata.get(GROUNDED), Some(Value::Bool(true))),
            architecture: config.architecture.clone(),
        };
        meta.check(&config)?;
        Ok(meta)
    }

    /// What is assumed of someone else's model: markers from its spare vocabulary entries, the
    /// mean of the middle layer's states, which serve retrieval better than the top ones do, and
    /// thoughts that are shown but kept out of the vector.
    ///
    /// # Errors
    /// [`MindError::Model`] if the architecture is not supported or four entries are not spare.
    pub fn for_foreign(content: &Content) -> Result<Meta, MindError> {
        let config = config(content)?;
        let [query_open, query_close, thought, emb] = spare::tokens(content)?;
        let meta = Meta {
            version: VERSION,
            name: name(content),
            roles: Roles {
                query_open,
                query_close,
                thought,
                emb,
                eos: token(content, "tokenizer.ggml.eos_token_id")?,
            },
            pooling: Pooling::Mean,
            exit_layers: vec![config.layers.div_ceil(2)],
            width: config.hidden,
            bare_weight: 1.0,
            query_tokens_max: QUERY_TOKENS_MAX.min(config.context / 4),
            thought_tokens_max: THOUGHT_TOKENS_MAX.min(config.context / 4),
            passage_tokens_max: PASSAGE_TOKENS_MAX.min(config.context / 2),
            style: Style::Chat,
            grounded: false,
            architecture: config.architecture.clone(),
        };
        meta.check(&config)?;
        Ok(meta)
    }

    /// The base model with the head that ships with this program.
    ///
    /// # Errors
    /// As [`Meta::fitted`].
    pub fn shipped(content: &Content, head: &FittedHead) -> Result<Meta, MindError> {
        Ok(Meta { name: "SmolLM2-135M-Instruct".to_owned(), ..Meta::fitted(content, head)? })
    }

    /// Someone else's model with a head that was fitted for it.
    ///
    /// # Errors
    /// As [`Meta::for_foreign`], or if the head is not for this model.
    pub fn fitted(content: &Content, head: &FittedHead) -> Result<Meta, MindError> {
        let meta = Meta {
            pooling: head.pooling,
            exit_layers: head.exit_layers.clone(),
            width: head.head.width,
            bare_weight: SHIPPED_BARE_WEIGHT,
            ..Meta::for_foreign(content)?
        };
        let config = config(content)?;
        meta.check(&config)?;
        if meta.inputs(config.hidden) != head.head.inputs {
            return Err(MindError::Model(format!(
                "the embedding head reads {} values and this model has {}",
                head.head.inputs,
                meta.inputs(config.hidden)
            )));
        }
        Ok(meta)
    }

    /// Most tokens, markers included, that one input to the encoder can have.
    pub fn sequence_tokens_max(&self) -> usize {
        self.ungrounded_tokens_max() + prompt::CONTEXT_TOKENS_MAX
    }

    /// The same where nothing was found: what must fit the model, which reads a little beyond its
    /// context where a tiny one has not room for both.
    fn ungrounded_tokens_max(&self) -> usize {
        let query = self.query_tokens_max + self.thought_tokens_max + QUERY_MARKERS;
        query.max(self.passage_tokens_max + 1)
    }

    /// Values in the pooled states of a model with `hidden` values in a state.
    pub fn inputs(&self, hidden: usize) -> usize {
        self.exit_layers.len() * self.pooling.states() * hidden
    }

    /// The keys that [`Meta::read`] reads, but for the end of sequence and the architecture, which
    /// are the base model's own.
    pub fn to_metadata(&self) -> Vec<(String, Value)> {
        let count = |value: usize| Value::U32(u32::try_from(value).unwrap_or(u32::MAX));
        let layers = self.exit_layers.iter().map(|layer| count(*layer)).collect();
        let keys = [
            ("version", Value::U32(self.version)),
            ("role.query_open", Value::U32(self.roles.query_open)),
            ("role.query_close", Value::U32(self.roles.query_close)),
            ("role.thought", Value::U32(self.roles.thought)),
            ("role.emb", Value::U32(self.roles.emb)),
            ("pooling", Value::String(self.pooling.name().to_owned())),
            ("exit_layers", Value::Array(layers)),
            ("width", count(self.width)),
            ("bare_weight", Value::F32(self.bare_weight)),
            ("query_tokens_max", count(self.query_tokens_max)),
            ("thought_tokens_max", count(self.thought_tokens_max)),
            ("passage_tokens_max", count(self.passage_tokens_max)),
            ("think_style", Value::String(self.style.name().to_owned())),
        ];
        let ours = keys.into_iter().map(|(key, value)| (format!("forethought.{key}"), value));
        let name = ("general.name".to_owned(), Value::String(self.name.clone()));
        let grounded = self.grounded.then(|| (GROUNDED.to_owned(), Value::Bool(true)));
        std::iter::once(name).chain(ours).chain(grounded).collect()
    }

    fn check(&self, config: &Config) -> Result<(), MindError> {
        let exits = &self.exit_layers;
        let ascending = exits.windows(2).all(|pair| pair[0] < pair[1]);
        let in_model = exits.iter().all(|layer| (1..=config.layers).contains(layer));
        let budgets = [self.query_tokens_max, self.thought_tokens_max, self.passage_tokens_max];
        let fits = |tokens: &usize| (1..=config.context).contains(tokens);
        let complaint = if exits.is_empty() || !ascending || !in_model {
            format!("exit layers {exits:?} do not fit its {} layers", config.layers)
        } else if !budgets.iter().all(fits) || !fits(&self.ungrounded_tokens_max()) {
            format!("token budgets {budgets:?} do not fit its context of {}", config.context)
        } else if !(0.0..=1.0).contains(&self.bare_weight) {
            format!("bare_weight {} is not from 0 to 1", self.bare_weight)
        } else if !self.roles.distinct() {
            format!("two of its markers share a token: {:?}", self.roles)
        } else if self.width == 0 {
            "its embedding width is 0".to_owned()
        } else {
            return Ok(());
        };
        Err(MindError::Model(complaint))
    }
}

fn config(content: &Content) -> Result<Config, MindError> {
    Config::read(content).map_err(|error| MindError::Model(error.to_string()))
}

fn name(content: &Content) -> String {
    let name = content.metadata.get("general.name").and_then(|value| value.to_string().ok());
    name.map_or_else(|| "unnamed model".to_owned(), Clone::clone)
}
