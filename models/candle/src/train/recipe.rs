//! How a run trains: every knob, with the paper's value beside ours where they differ.

use serde::{Deserialize, Serialize};

/// How a query is embedded in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueryForm {
    /// Both vectors of every query, without and with its thought (two `<emb>`, the paper's figure).
    Both,
    /// One of them, drawn for each query and step (the paper's code: thought with p = 0.9).
    Dropout,
}

/// What is taken from the teacher.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Teaching {
    /// Weight of the soft cross-entropy towards the teacher's scores of the batch.
    pub scores: f64,
    /// Temperature of the teacher's scores.
    pub temperature: f64,
    /// Weight of the divergence from the teacher's rankings of all that is learnt from: of all passages
    /// for a query, of all queries for a passage.
    #[serde(default)]
    pub ranking: f64,
    /// Weight of 1 − cosine to the teacher's vectors, where the widths agree.
    pub vectors: f64,
}

/// How reading is learnt: the passage that answers is to be told from the others by how likely the
/// question is after it. Ours; the paper does not read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReadingRecipe {
    /// The first layer, from 1, that learns to read; those below stay as they are, so that vectors do.
    pub first_layer: usize,
    /// What a nat of a question's mean log-probability is worth in the softmax over a row's passages.
    pub sharpness: f64,
    /// Weight of the question's likelihood after the passage that answers it.
    pub likelihood: f64,
    /// Most tokens of a passage.
    pub window: usize,
    /// Rows with a thought in a step, beside those that are read: without them thoughts would drift.
    pub thoughts: usize,
}

impl Default for ReadingRecipe {
    /// As in the notebook that showed it to work, where the sharpness was learnt.
    fn default() -> Self {
        ReadingRecipe { first_layer: 21, sharpness: 4.0, likelihood: 0.1, window: 96, thoughts: 2 }
    }
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Rank of the low-rank parts; 32 in the paper's script. 16 keeps an adapter below 20 MB.
    pub rank: usize,
    /// The low-rank part is scaled by alpha / rank; twice the rank, as in the paper's script.
    pub alpha: f64,
    /// Of the low-rank parts' inputs; 0.1 in the paper's code.
    pub dropout: f32,
    /// First and last layer with a low-rank part, from 1.
    pub layers: (usize, usize),
    /// Peak of the learning rate; 1e-4 in the paper.
    pub rate: f64,
    /// The head's rate, relative to that of the rest: its weights, fitted in closed form, are some
    /// hundredths, and would be others after thirty steps of the full rate.
    pub head_rate: f64,
    /// Share of the steps that warm up; 0.1 in the paper.
    pub warmup: f64,
    pub weight_decay: f32,
    /// Longest gradient; longer ones are scaled down to it.
    pub clip: f32,
    pub epochs: usize,
    /// Most steps, if the epochs are more.
    pub steps_max: Option<usize>,
    /// Queries in a step; 64 over 8 GPUs in the paper.
    pub batch: usize,
    /// Mined negatives of each query in a step; 15 in the paper.
    pub negatives: usize,
    /// λ: weight of retrieval, against 1 − λ of generation; 0.8 in the paper. 1 leaves the layers
    /// above the last exit out of the step, which is most of its cost.
    pub lambda: f64,
    /// τ of InfoNCE; 0.02 in the paper.
    pub temperature: f64,
    pub teaching: Teaching,
    pub query_form: QueryForm,
    /// Probability of the thought in [`QueryForm::Dropout`].
    pub thought_kept: f64,
    /// Share of the thoughts that are trained after what a first search found, of those that it tells
    /// ([`models::ground::tells`]): the others keep the model able to think by itself. Ours; 0 is the
    /// paper.
    #[serde(default)]
    pub grounded: f64,
    pub seed: u64,
    /// Tokens of a passage that are read in training; 192 in the paper.
    pub passage_tokens_max: usize,
    /// Padded tokens whose layers' states are kept for the backward pass at a time. A batch with
    /// more is embedded twice (GradCache, arXiv 2101.06983). 35 KB a token and layer for SmolLM2.
    pub kept_tokens_max: usize,
    /// Learns to read in place of learning to embed, if there.
    #[serde(default)]
    pub reading: Option<ReadingRecipe>,
}

impl Default for Recipe {
    fn default() -> Self {
        Recipe {
            rank: 16,
            alpha: 32.0,
            dropout: 0.0,
            layers: (1, usize::MAX),
            rate: 2e-4,
            head_rate: 0.03,
            warmup: 0.1,
            weight_decay: 0.0,
            clip: 1.0,
            epochs: 1,
            steps_max: None,
            batch: 32,
            negatives: 3,
            lambda: 0.8,
            temperature: 0.02,
            teaching: Teaching { scores: 0.0, temperature: 0.05, ranking: 0.0, vectors: 0.0 },
            query_form: QueryForm::Both,
            thought_kept: 0.9,
            grounded: 0.0,
            seed: 0,
            passage_tokens_max: 192,
            kept_tokens_max: 4096,
            reading: None,
        }
    }
}

impl Recipe {
    /// What makes no sense in it, in words.
    ///
    /// # Errors
    /// Naming the setting and what is allowed.
    pub fn check(&self) -> Result<(), String> {
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let weight = |value: f64| value.is_finite() && value >= 0.0;
        let teaching = &self.teaching;
        let rules = [
            (self.rank > 0, "the rank must be at least 1"),
            (positive(self.alpha), "alpha must be above 0"),
            ((0.0..1.0).contains(&self.dropout), "dropout must be from 0 to less than 1"),
            (
                self.layers.0 >= 1 && self.layers.0 <= self.layers.1,
                "layers count from 1, first to last",
            ),
            (positive(self.rate), "the learning rate must be above 0"),
            (weight(self.head_rate), "the head's rate must not be negative"),
            (share(self.warmup), "warm-up is a share from 0 to 1"),
            (weight(f64::from(self.weight_decay)), "weight decay must not be negative"),
            (positive(f64::from(self.clip)), "the longest gradient must be above 0"),
            (self.epochs > 0, "at least one epoch is needed"),
            (self.batch > 1, "a batch needs at least 2 queries, to tell them apart"),
            (share(self.lambda), "lambda must be from 0 to 1"),
            (positive(self.temperature), "the temperature must be above 0"),
            (positive(teaching.temperature), "the teacher's temperature must be above 0"),
            (
                [teaching.scores, teaching.ranking, teaching.vectors].into_iter().all(weight),
                "weights must not be negative",
            ),
            (share(self.thought_kept), "the share of thoughts kept must be from 0 to 1"),
            (share(self.grounded), "the share of grounded thoughts must be from 0 to 1"),
            (self.passage_tokens_max > 0, "some tokens of a passage must be read"),
            (self.kept_tokens_max > 0, "some tokens must be kept"),
            (
                self.reading.is_none_or(|reading| reading.first_layer > 0),
                "layers that learn to read count from 1",
            ),
            (
                self.reading.is_none_or(|reading| positive(reading.sharpness)),
                "the sharpness of reading must be above 0",
            ),
            (
                self.reading.is_none_or(|reading| reading.window > 0 && weight(reading.likelihood)),
                "reading needs a window, and a likelihood that is not negative",
            ),
        ];
        rules.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, rule)| Err((*rule).to_owned()))
    }
}
