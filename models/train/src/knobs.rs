//! The knobs of a run: what to learn from, and how. They are the flags of `fore train` as they stand,
//! for fifty of them would otherwise be written twice; names, defaults and help are here alone.

use std::path::PathBuf;

use clap::ValueEnum;
use models::column::Column;
use models::split::is_held_out;
use models_candle::train::{QueryForm, ReadingRecipe, Recipe, Teaching};

use crate::files::{ADAPTER, EMBEDS};

/// What to learn from, and how. The same command goes on with a run that was interrupted.
#[derive(Debug, clap::Args)]
pub struct Knobs {
    #[command(flatten)]
    pub data: Data,
    #[command(flatten)]
    pub making: Making,
    #[command(flatten)]
    pub learning: Learning,
    #[command(flatten)]
    pub judging: Judging,
    /// Name of the run; decided by what it does unless given.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Forget what an interrupted run of this name did.
    #[arg(long)]
    pub fresh: bool,
    /// Draws samples, thoughts and batches.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

impl Knobs {
    /// Whether rows that come from `origin` are judged on and never learnt from.
    pub(crate) fn holds_out(&self, origin: &str) -> bool {
        is_held_out(origin, self.judging.held_out, self.seed)
    }
}

/// Where data come from; at least one is needed.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Data")]
pub struct Data {
    /// A folder of your own: questions are made up about its passages.
    #[arg(long, value_name = "DIR")]
    pub folder: Vec<PathBuf>,
    /// Rows of query, pos, neg and thought, as JSON lines; a folder stands for its *.jsonl.
    #[arg(long, value_name = "FILE")]
    pub data: Vec<PathBuf>,
    /// A collection in BEIR layout.
    #[arg(long, value_name = "DIR")]
    pub beir: Vec<PathBuf>,
    /// Which judgments of the collections.
    #[arg(long, value_name = "NAME", default_value = "train")]
    pub split: String,
    /// Most rows read of each file of --data, drawn by the seed.
    #[arg(long, value_name = "N")]
    pub rows: Option<usize>,
}

/// How data are made.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Making data")]
pub struct Making {
    /// Questions made up about the folders.
    #[arg(long, value_name = "N", default_value_t = 600)]
    pub questions: usize,
    /// A question is kept if it finds its passage among so many.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub round_trip: usize,
    /// Sentences of the folders that are learnt from as if they were questions.
    #[arg(long, value_name = "N", default_value_t = 400)]
    pub crops: usize,
    /// Where candidate thoughts come from; `none` trains without thoughts.
    #[arg(long, value_name = "SOURCE,SOURCE", value_delimiter = ',',
          default_values = ["query", "extract"])]
    pub sources: Vec<SourceName>,
    /// Rows that thoughts are made for, drawn by the seed; the rest is trained without. All unless
    /// given.
    #[arg(long, value_name = "N")]
    pub thoughtful: Option<usize>,
    /// Candidates of each source that is drawn from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub candidates: usize,
    /// Most tokens of a candidate.
    #[arg(long, value_name = "N", default_value_t = 48)]
    pub thought_tokens: usize,
    /// An OpenAI-compatible endpoint on this machine that writes thoughts too, such as
    /// http://127.0.0.1:8080/v1.
    #[arg(long, value_name = "URL")]
    pub expert_url: Option<String>,
    /// The model to ask for there.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub expert_model: String,
    /// How the committee decides: shares that add up, or one vote each (the paper's majority).
    #[arg(long, value_enum, default_value_t = VoteName::Soft)]
    pub vote: VoteName,
    /// Keep thoughts even if the committee finds none at all better.
    #[arg(long)]
    pub keep_all_thoughts: bool,
    /// Hard negatives mined for each query.
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub mined: usize,
    /// A passage scored above this share of the positive's score may answer too: no negative.
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    pub guard: f32,
    /// Leave all-MiniLM-L6-v2 out of the committee.
    #[arg(long)]
    pub no_teacher: bool,
}

/// How the model learns.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Learning")]
pub struct Learning {
    /// The model to start from; the one in use unless given.
    #[arg(long, value_name = "FILE")]
    pub base: Option<PathBuf>,
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub epochs: usize,
    /// Most steps, if the epochs are more.
    #[arg(long, value_name = "N")]
    pub steps: Option<usize>,
    /// Queries in a step.
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub batch: usize,
    /// Mined negatives of each query in a step.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub negatives: usize,
    /// Peak of the learning rate.
    #[arg(long, value_name = "RATE", default_value_t = 5e-4)]
    pub rate: f64,
    /// The head's rate, relative to that.
    #[arg(long, value_name = "SHARE", default_value_t = 0.03)]
    pub head_rate: f64,
    /// Begin with what this adapter has learnt; with --steps 0 it is all that the model learns.
    #[arg(long, value_name = "FILE")]
    pub adapter: Option<PathBuf>,
    /// Give the head a table of token vectors (static embeddings), so wide, which is learnt from all
    /// rows after the model's own steps; 0 for none. A model that has one keeps it, and an adapter's
    /// learns on.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub token_table: usize,
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub table_epochs: usize,
    /// Rows in a step of the table: the more there are to tell apart, the better it ranks.
    #[arg(long, value_name = "N", default_value_t = 2048)]
    pub table_batch: usize,
    /// Peak of the table's learning rate.
    #[arg(long, value_name = "RATE", default_value_t = 3e-3)]
    pub table_rate: f64,
    /// Share of the steps that warm up.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub warmup: f64,
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub weight_decay: f32,
    /// Rank of the low-rank parts.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub rank: usize,
    /// Their scale is alpha / rank.
    #[arg(long, value_name = "N", default_value_t = 32.0)]
    pub alpha: f64,
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub dropout: f32,
    /// First and last layer that learn, such as 1-30.
    #[arg(long, value_name = "A-B", value_parser = layers)]
    pub layers: Option<(usize, usize)>,
    /// Weight of retrieval against generation; 1 leaves thoughts as they are.
    #[arg(long, value_name = "SHARE", default_value_t = 0.8)]
    pub lambda: f64,
    /// τ of InfoNCE.
    #[arg(long, value_name = "T", default_value_t = 0.03)]
    pub temperature: f64,
    /// Weight of the teacher's scores.
    #[arg(long, value_name = "W", default_value_t = 1.0)]
    pub distill: f64,
    /// Temperature of the teacher's scores.
    #[arg(long, value_name = "T", default_value_t = 0.03)]
    pub distill_temperature: f64,
    /// Weight of the teacher's rankings of all that is learnt from: all passages for a question, all
    /// questions for a passage.
    #[arg(long, value_name = "W", default_value_t = 0.0)]
    pub rank_all: f64,
    /// Weight of the cosine to the teacher's vectors, whose pull is not divided by a temperature.
    #[arg(long, value_name = "W", default_value_t = 50.0)]
    pub align: f64,
    /// How a query is embedded: without and with its thought (`both`), or one of them (`dropout`).
    #[arg(long, value_enum, default_value_t = FormName::Both)]
    pub query_form: FormName,
    /// Share of the thoughts that are trained after what a first search found.
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    pub grounded: f64,
    /// Tokens of a passage that are read in training.
    #[arg(long, value_name = "N", default_value_t = 192)]
    pub passage_tokens: usize,
    /// Tokens whose states are kept in memory at a time; more are embedded twice.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub kept_tokens: usize,
    /// Steps in which the upper layers learn to read after all else, which changes no vector; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub read_steps: usize,
    /// Rows in such a step, each with its mined negatives.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub read_batch: usize,
    /// Mined negatives of each of these rows.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub read_negatives: usize,
    /// Peak of the learning rate of reading.
    #[arg(long, value_name = "RATE", default_value_t = 4e-4)]
    pub read_rate: f64,
    /// The first layer that learns to read; it must be above the last that vectors are read from.
    #[arg(long, value_name = "N", default_value_t = 21)]
    pub read_from: usize,
    /// Steps between two looks at the held-out questions.
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub look_every: usize,
}

/// How a run is judged.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Judging")]
pub struct Judging {
    /// Share of the rows held out.
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub held_out: f64,
    /// Most held-out questions that the old and the new model answer at the end.
    #[arg(long, value_name = "N", default_value_t = 150)]
    pub judged: usize,
    /// What has to be better for the new model to be used; dense unless given, with the thoughts that
    /// each of the two models was trained for, grounded or sampled, and hybrid+read where nothing but
    /// reading is trained. What people get, hybrid+read with such thoughts, must not be worse.
    #[arg(long, value_name = "COLUMN")]
    pub gate: Option<Column>,
    /// Weight of the question without thought in a query's vector. With less, thoughts help the vector
    /// more, and hybrid less: it knows the words already that a grounded thought brings.
    #[arg(long, value_name = "SHARE", default_value_t = 0.9)]
    pub bare_weight: f32,
    /// Keep the new model and go on using the old one.
    #[arg(long)]
    pub no_promote: bool,
}

/// A source of candidate thoughts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SourceName {
    /// The model, told the query alone.
    Query,
    /// The model, told the answering passage too.
    Passage,
    /// Sentences of the passage.
    Extract,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VoteName {
    Soft,
    Hard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormName {
    Both,
    Dropout,
}

/// English has about 0.75 words a token of these vocabularies.
const WORDS_A_TOKEN: f64 = 0.75;

impl Making {
    /// Most words of an extract.
    pub(crate) fn extract_words(&self) -> usize {
        (self.thought_tokens as f64 * WORDS_A_TOKEN) as usize
    }
}

impl Learning {
    /// The recipe that the flags make.
    pub(crate) fn recipe(&self, seed: u64) -> Recipe {
        Recipe {
            rank: self.rank,
            alpha: self.alpha,
            dropout: self.dropout,
            layers: self.layers.unwrap_or(Recipe::default().layers),
            rate: self.rate,
            head_rate: self.head_rate,
            warmup: self.warmup,
            weight_decay: self.weight_decay,
            epochs: self.epochs,
            steps_max: self.steps,
            batch: self.batch,
            negatives: self.negatives,
            lambda: self.lambda,
            temperature: self.temperature,
            teaching: Teaching {
                scores: self.distill,
                temperature: self.distill_temperature,
                ranking: self.rank_all,
                vectors: self.align,
            },
            query_form: match self.query_form {
                FormName::Both => QueryForm::Both,
                FormName::Dropout => QueryForm::Dropout,
            },
            grounded: self.grounded,
            passage_tokens_max: self.passage_tokens,
            kept_tokens_max: self.kept_tokens,
            seed,
            ..Recipe::default()
        }
    }
}

impl Learning {
    /// The file of what embeds: all of the adapter, unless it learns to read as well.
    pub(crate) fn embeds(&self) -> &'static str {
        if self.read_steps > 0 { EMBEDS } else { ADAPTER }
    }

    /// The recipe of reading, for parts of the kind that `embeds` has.
    pub(crate) fn reading(&self, embeds: &Recipe, seed: u64) -> Recipe {
        let reading = ReadingRecipe { first_layer: self.read_from, ..ReadingRecipe::default() };
        Recipe {
            layers: Recipe::default().layers,
            rate: self.read_rate,
            warmup: 0.05,
            epochs: self.read_steps,
            steps_max: Some(self.read_steps),
            batch: self.read_batch,
            negatives: self.read_negatives,
            reading: Some(reading),
            seed,
            ..embeds.clone()
        }
    }
}

fn layers(text: &str) -> Result<(usize, usize), String> {
    let range = text.split_once('-').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    match range {
        Some((first, last)) if 1 <= first && first <= last => Ok((first, last)),
        _ => Err("layers count from 1: FIRST-LAST, such as 1-30".to_owned()),
    }
}
