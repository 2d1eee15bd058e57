//! What thinking and embedding mean, without the means to do either.
//!
//! A [`Mind`] is one decoder language model with two functions (O1 Embedder, arXiv 2502.07555,
//! section 3): it *thinks* (samples short thoughts about a query) and it *embeds* (a text becomes
//! a unit vector). Beyond the paper it *reads*: how likely is the question after a passage?
//! `models-candle` implements it on real weights; [`scripted::ScriptedMind`] is a small deterministic
//! one for tests of everything around it.
//!
//! Beside them lies what all rooms above share and what is no mind's: test collections and how well
//! they are answered ([`beir`], [`mod@column`], [`metrics`], [`paired`]), an error that says what to do
//! ([`UserError`]), files that are whole ([`files`]). Those three and [`process`] are all that touches
//! the disk.
//!
//! Deliberately not here: tensors, devices, clocks.

pub mod beir;
pub mod bm25;
pub mod column;
pub mod dataset;
pub mod explore;
pub mod files;
pub mod ground;
mod jsonl;
pub mod metrics;
pub mod negatives;
pub mod paired;
pub mod process;
pub mod prompt;
pub mod refine;
pub mod schedule;
pub mod scripted;
pub mod split;
pub mod stem;
pub mod thought;
mod user_error;
pub mod window;

use std::ops::ControlFlow;
use std::sync::Arc;

pub use thought::Thought;
pub use user_error::UserError;

/// How thoughts are sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// Thoughts per query, k in the paper.
    pub thoughts: usize,
    /// Softmax temperature; 0 is greedy.
    pub temperature: f64,
    /// Nucleus mass in (0, 1].
    pub top_p: f64,
    /// Most tokens one thought may have.
    pub tokens_max: usize,
    /// Thought `i` of a query is drawn from the stream seeded with `seed + i`.
    pub seed: u64,
}

impl Default for Sampling {
    /// Top-p 0.9 is the paper's code (`eval.sh`). Its k = 3 takes three times as long as one thought,
    /// which moves what people get as little (`MODEL_CARD.md`); its temperature of 0.1 makes k thoughts
    /// nearly identical and its cap of 128 tokens costs seconds on a CPU. So all three differ.
    fn default() -> Self {
        Sampling { thoughts: 1, temperature: 0.7, top_p: 0.9, tokens_max: 48, seed: 0 }
    }
}

/// One step of thinking, streamed as it is sampled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThoughtDelta<'a> {
    /// Which of the k thoughts, from 0.
    pub index: usize,
    /// The text that this token adds; may be empty while a multi-byte character is incomplete.
    pub text: &'a str,
}

/// Called for every sampled token; `Break` stops thinking before the next one.
pub type OnToken<'a> = dyn FnMut(ThoughtDelta<'_>) -> ControlFlow<()> + 'a;

/// Told, batch by batch, what reading makes of the passages so far, from the first one on; `Break`
/// stops it before the next batch.
pub type OnRead<'a> = dyn FnMut(&[f32]) -> ControlFlow<()> + 'a;

/// A unit-length vector, as wide as the model's card says.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(Vec<f32>);

impl AsRef<[f32]> for Embedding {
    fn as_ref(&self) -> &[f32] {
        &self.0
    }
}

impl Embedding {
    /// Normalises `values` to unit length (L2).
    ///
    /// # Errors
    /// [`MindError::Numeric`] if a value is not finite or all are zero.
    pub fn normalised(mut values: Vec<f32>) -> Result<Self, MindError> {
        let norm = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        if !norm.is_finite() || norm <= f64::from(f32::MIN_POSITIVE) {
            return Err(MindError::Numeric(format!("an embedding of norm {norm}")));
        }
        for value in &mut values {
            *value = (f64::from(*value) / norm) as f32;
        }
        Ok(Embedding(values))
    }

    /// The values, `width` of them.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// The values, owned.
    pub fn into_vec(self) -> Vec<f32> {
        self.0
    }

    /// Inner product, which for unit vectors is the cosine.
    pub fn dot(&self, other: &Embedding) -> f32 {
        self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum()
    }
}

/// The query vector: `(1 - w) · mean_i embed(query ⊕ thought_i) + w · embed(query)`, normalised.
///
/// The paper's query vector is the mean alone (w = 0, section 3.1); a model that was not trained
/// to embed its thoughts needs a high w, which its metadata names.
///
/// # Errors
/// [`MindError::Numeric`] if the vectors cancel out.
pub fn combine(
    bare: &Embedding,
    with_thought: &[Embedding],
    bare_weight: f32,
) -> Result<Embedding, MindError> {
    if with_thought.is_empty() {
        return Ok(bare.clone());
    }
    let share = (1.0 - bare_weight) / with_thought.len() as f32;
    let mut sum: Vec<f32> = bare.as_slice().iter().map(|v| v * bare_weight).collect();
    for embedding in with_thought {
        for (total, value) in sum.iter_mut().zip(embedding.as_slice()) {
            *total += share * value;
        }
    }
    Embedding::normalised(sum)
}

/// What is known of a loaded model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelCard {
    /// Name from the file's metadata.
    pub name: String,
    /// Hex digest of its file and of the prompts.
    pub fingerprint: String,
    /// Hex digest of everything that decides a passage's vector: those of different digests never meet.
    /// Models that differ in how they think and read alone have the same, and so share an index.
    pub vectors: String,
    /// Values in an embedding.
    pub width: usize,
    /// Most tokens of a passage that are read; the rest is cut.
    pub passage_tokens_max: usize,
    /// Whether it was trained to think about what a first search found.
    pub grounded: bool,
    /// Device in words, such as `cpu (2 threads, avx2)`.
    pub device: String,
}

/// Counts tokens as the model does. Shared, because the chunker runs off the model's thread.
pub trait TokenCounter: Send + Sync {
    /// Tokens in `text`, no special tokens counted.
    fn count(&self, text: &str) -> usize;
}

/// The two functions of an O1 Embedder, and reading. One thread owns a mind; nothing here is shared.
pub trait Mind: Send {
    /// What is known of the model.
    fn card(&self) -> &ModelCard;

    /// The model's own token counter.
    fn counter(&self) -> Arc<dyn TokenCounter>;

    /// Samples `sampling.thoughts` thoughts about `question`, each streamed token by token; grounded
    /// ones if there is a `context` (see [`ground`]), which each thought carries then.
    ///
    /// A `Break` from `on_token` returns the thoughts finished so far. Degenerate thoughts are
    /// cut (see [`thought::loop_start`]); one with nothing left is dropped, so fewer may come back.
    ///
    /// # Errors
    /// [`MindError`] if the model cannot run.
    fn think(
        &mut self,
        question: &str,
        context: &str,
        sampling: &Sampling,
        on_token: &mut OnToken<'_>,
    ) -> Result<Vec<Thought>, MindError>;

    /// One vector per passage, in order. Passages are embedded without thinking (paper 3.1).
    ///
    /// # Errors
    /// [`MindError`] if the model cannot run or yields a vector that is not finite.
    fn embed_passages(&mut self, passages: &[String]) -> Result<Vec<Embedding>, MindError>;

    /// The query vector of [`combine`]; with no thoughts, the thought-free one.
    ///
    /// # Errors
    /// [`MindError`] as in [`Mind::embed_passages`].
    fn embed_query(&mut self, question: &str, thoughts: &[Thought])
    -> Result<Embedding, MindError>;

    /// How likely `question` is after each of `passages`, in order: the mean log-probability of its
    /// tokens, in nats, after at most `window` tokens of the passage (see [`prompt::READ_BETWEEN`]).
    /// Query likelihood as a reranker is of Sachan et al., arXiv 2204.07496; the paper has no such
    /// thing.
    ///
    /// A `Break` from `on_read` returns what has been read so far, so fewer may come back. Without
    /// passages only that is loaded which reading needs.
    ///
    /// # Errors
    /// [`MindError`] if the model cannot run or yields a value that is not finite.
    fn read(
        &mut self,
        question: &str,
        passages: &[String],
        window: usize,
        on_read: &mut OnRead<'_>,
    ) -> Result<Vec<f32>, MindError>;

    /// Lets go of the weights that the next call can load again: nobody has asked for a while.
    fn rest(&mut self);

    /// Loads what `part` needs and is not there, so that who asks next does not wait for it. What takes seconds goes on
    /// by itself once this has returned, and whoever asks for it meanwhile waits for the rest of it.
    ///
    /// # Errors
    /// [`MindError`] if it cannot be loaded; who asks is told the same.
    fn wake(&mut self, _part: Part) -> Result<(), MindError> {
        Ok(())
    }
}

/// What a mind can do, which is loaded when it is first asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Embedding,
    Reading,
    Thinking,
}

/// Why a mind could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MindError {
    /// The file is not a model this program can use; the text says what is wrong and what to do.
    #[error("{0}")]
    Model(String),
    /// The device asked for is not there.
    #[error("{0}")]
    Device(String),
    /// A computation gave a value that is not finite.
    #[error("the model produced {0}")]
    Numeric(String),
    /// The inference library failed.
    #[error("inference: {0}")]
    Inference(String),
}

#[cfg(test)]
mod tests;
