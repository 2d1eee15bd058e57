//! A run: the network, what is trained of it, and the steps one after another.

mod read;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use models::dataset::{self, Pair};
use models::schedule::{Batches, Schedule};
use models::{Embedding, MindError, Thought, prompt};

use super::adam::{self, AdamW};
use super::adapter::Adapter;
use super::bank::Bank;
use super::batch::{Batch, Item, Read, passage_item};
use super::checkpoint;
use super::network::{HEAD, Network};
use super::parameters::{Gradients, Parameters};
use super::recipe::Recipe;
use super::step;
use crate::gguf;
use crate::reader::Frame;
use crate::tokens::Vocabulary;
use crate::vectors::TextVectors;

pub use read::ReadReport;

/// What became of one step.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct StepReport {
    /// From 1.
    pub step: usize,
    /// λ·retrieval + (1 − λ)·generation.
    pub loss: f64,
    pub contrast: f64,
    /// Distillation of the teacher's scores, before its weight.
    pub scores: f64,
    /// Divergence from the teacher's rankings of all that is learnt from, before its weight.
    pub ranking: f64,
    /// 1 − cosine to the teacher's vectors, before its weight.
    pub vectors: f64,
    pub generation: f64,
    /// Length of the gradient before it was cut.
    pub gradient: f32,
    pub rate: f64,
    /// Tokens of the batch, padding not counted.
    pub tokens: usize,
}

/// See the module.
pub struct Trainer {
    network: Network,
    vocabulary: Arc<Vocabulary>,
    frame: Frame,
    recipe: Recipe,
    pairs: Vec<Pair>,
    batches: Batches,
    parameters: Parameters,
    /// What else the adapter had that it began with. It stays as it is.
    others: HashMap<String, Tensor>,
    adam: AdamW,
    schedule: Schedule,
    key: [u8; 32],
    /// Made in the first step that a teacher ranks in.
    bank: Option<Bank>,
}

impl Trainer {
    /// Loads the model at `base` to train it on `pairs`, beginning with what the adapter `before` has
    /// learnt of it.
    ///
    /// # Errors
    /// [`MindError::Model`] if the recipe, the data, the model or the adapter cannot be used.
    pub fn open(
        base: &Path,
        recipe: Recipe,
        pairs: Vec<Pair>,
        before: Option<&Adapter>,
        device: &Device,
    ) -> Result<Trainer, MindError> {
        let wrong = |why: String| MindError::Model(format!("{}: {why}", base.display()));
        recipe.check().map_err(MindError::Model)?;
        if pairs.len() < 2 {
            return Err(MindError::Model(format!(
                "{} rows cannot be trained on; at least 2 are needed",
                pairs.len()
            )));
        }
        let mut file = gguf::open(base)?;
        let tokens_max = file.meta.sequence_tokens_max();
        let (content, meta) = (&file.content, &file.meta);
        let network = Network::load(content, &mut file.file, meta, &recipe, tokens_max, device);
        let mut network = network.map_err(|error| wrong(error.to_string()))?;
        let mut parameters =
            network.parameters(&recipe).map_err(|error| wrong(error.to_string()))?;
        let mut others = HashMap::new();
        if let Some(adapter) = before {
            others = adapter
                .begin(&mut network, &mut parameters, &recipe)
                .map_err(|error| wrong(format!("the adapter does not fit: {error}")))?;
        }
        network.apply(&parameters, &recipe).map_err(|error| wrong(error.to_string()))?;
        let adam = AdamW::new(parameters.values.len(), recipe.weight_decay);
        let sets = pairs.iter().map(|pair| pair.set.clone()).collect();
        let batches = Batches::new(sets, recipe.batch, recipe.seed);
        let total = batches.per_epoch() * recipe.epochs;
        let total = recipe.steps_max.map_or(total, |most| total.min(most));
        let warmup = (recipe.warmup * total as f64).ceil() as usize;
        let schedule = Schedule { peak: recipe.rate, warmup, total };
        let key = key(&gguf::fingerprint(base)?, &recipe, &pairs, &parameters.values);
        let vocabulary = Arc::clone(&file.vocabulary);
        let frame = Frame::of(&file.content, &vocabulary)?;
        Ok(Trainer {
            network,
            vocabulary,
            frame,
            recipe,
            pairs,
            batches,
            parameters,
            others,
            adam,
            schedule,
            key,
            bank: None,
        })
    }

    /// Steps of the whole run.
    pub fn steps(&self) -> usize {
        self.schedule.total
    }

    /// Steps taken.
    pub fn taken(&self) -> usize {
        usize::try_from(self.adam.steps).unwrap_or(usize::MAX)
    }

    /// Goes on from `checkpoint` if it is there and of this very run; whether it was.
    ///
    /// # Errors
    /// [`MindError::Model`] if it cannot be read.
    pub fn resume(&mut self, checkpoint: &Path) -> Result<bool, MindError> {
        let wrong = |error: candle_core::Error| {
            MindError::Model(format!(
                "{}: {error}; remove the file to begin the run again",
                checkpoint.display()
            ))
        };
        let found = checkpoint::load(checkpoint, &self.key, &mut self.parameters, &mut self.adam);
        let found = found.map_err(wrong)?;
        if found {
            self.network.apply(&self.parameters, &self.recipe).map_err(wrong)?;
        }
        Ok(found)
    }

    /// Writes where the run stands.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the file cannot be written.
    pub fn save(&self, checkpoint: &Path) -> Result<(), MindError> {
        checkpoint::save(checkpoint, &self.key, &self.parameters, &self.adam).map_err(|error| {
            MindError::Inference(format!("writing {}: {error}", checkpoint.display()))
        })
    }

    /// Takes the next step. Without `teacher` nothing is distilled but scores that the rows carry.
    ///
    /// # Errors
    /// [`MindError::Numeric`] if the loss or the gradient is not finite: nothing is changed then,
    /// and the rows are in `bad_batch`. [`MindError::Inference`] if an operation fails.
    pub fn step(
        &mut self,
        teacher: Option<&TextVectors>,
        bad_batch: &Path,
    ) -> Result<StepReport, MindError> {
        let taken = self.taken();
        let rows: Vec<&Pair> = self.batches.at(taken).iter().map(|row| &self.pairs[*row]).collect();
        let mut batch = Batch::draw(&rows, &self.vocabulary, &self.recipe, taken)?;
        if let Some(teacher) = teacher {
            let width = self.vocabulary.meta().width;
            teach(&mut batch, teacher, width);
            if self.bank.is_none() && self.recipe.teaching.ranking > 0.0 {
                let (seed, device) = (self.recipe.seed, self.network.device());
                let bank = Bank::of(&self.pairs, teacher, width, seed, device);
                self.bank = Some(bank.map_err(|error| MindError::Model(error.to_string()))?);
            }
        }
        let seed = self.recipe.seed.wrapping_add(taken as u64 * 0x1_0000_0000);
        let (network, parameters, bank) = (&self.network, &self.parameters, self.bank.as_ref());
        let (losses, gradients) =
            step::gradients(network, parameters, &batch, bank, &self.recipe, seed)
                .map_err(inference)?;
        let (length, rate) = self.descend(losses.total, gradients, bad_batch)?;
        Ok(StepReport {
            step: taken + 1,
            loss: losses.total,
            contrast: losses.retrieval.contrast,
            scores: losses.retrieval.scores,
            ranking: losses.retrieval.ranking,
            vectors: losses.retrieval.vectors,
            generation: losses.generation,
            gradient: length,
            rate,
            tokens: batch.tokens(),
        })
    }

    /// Moves what is trained against `gradients` of a loss of `total`; the length of the gradient
    /// before it was cut, and the rate.
    fn descend(
        &mut self,
        total: f64,
        mut gradients: Gradients,
        bad_batch: &Path,
    ) -> Result<(f32, f64), MindError> {
        let taken = self.taken();
        let length = adam::clip(&mut gradients.values, self.recipe.clip);
        if !total.is_finite() || !length.is_finite() {
            let rows = self.batches.at(taken);
            let rows = rows.iter().map(|row| &self.pairs[*row]);
            return Err(refuse(rows, taken, total, length, bad_batch));
        }
        let rate = self.schedule.rate(taken);
        // The head is the last of what is trained.
        let head = self.parameters.start(HEAD[0]);
        let head_rate = (rate * self.recipe.head_rate) as f32;
        let values = &mut self.parameters.values;
        self.adam.step(values, &gradients.values, rate as f32, (head, head_rate));
        self.network.apply(&self.parameters, &self.recipe).map_err(inference)?;
        Ok((length, rate))
    }

    /// Vectors of passages with what was trained so far.
    ///
    /// # Errors
    /// [`MindError`] as [`models::Mind::embed_passages`].
    pub fn embed_passages(&self, passages: &[&str]) -> Result<Vec<Embedding>, MindError> {
        let tokens_max = self.vocabulary.meta().passage_tokens_max;
        let item = |text: &&str| passage_item(text, &self.vocabulary, tokens_max);
        let items = passages.iter().map(item);
        self.embed(&items.collect::<Result<Vec<_>, _>>()?)
    }

    /// Vectors of questions, each without a thought or with one; not mixed.
    ///
    /// # Errors
    /// [`MindError`] as [`models::Mind::embed_query`].
    pub fn embed_questions(&self, questions: &[(&str, &str)]) -> Result<Vec<Embedding>, MindError> {
        let item = |(question, thought): &(&str, &str)| {
            let thought = Thought { text: (*thought).to_owned(), ..Thought::default() };
            let thought = (!thought.text.is_empty()).then_some(&thought);
            let sequence = self.vocabulary.assemble(&prompt::query(question, thought))?;
            let read = Read { last: sequence.ids.len() - 1, content: sequence.content };
            Ok(Item { ids: sequence.ids, reads: vec![read], labels: Vec::new() })
        };
        self.embed(&questions.iter().map(item).collect::<Result<Vec<_>, MindError>>()?)
    }

    fn embed(&self, items: &[Item]) -> Result<Vec<Embedding>, MindError> {
        let vectors = step::embed(&self.network, items).map_err(inference)?;
        vectors.into_iter().map(Embedding::normalised).collect()
    }

    /// Mean cross-entropy of the thoughts of `pairs`, a token; NaN-free: 0 without thoughts. `None`
    /// if the run trains no generation and so holds no upper layers.
    ///
    /// # Errors
    /// [`MindError::Inference`] if an operation fails.
    pub fn generation_loss(&self, pairs: &[Pair]) -> Result<Option<f64>, MindError> {
        if self.recipe.lambda >= 1.0 {
            return Ok(None);
        }
        let rows: Vec<&Pair> = pairs.iter().collect();
        // After the question alone: what was found can be copied, which says little of thinking.
        let recipe = Recipe { grounded: 0.0, ..self.recipe.clone() };
        let batch = Batch::draw(&rows, &self.vocabulary, &recipe, 0)?;
        let items = &batch.items[..batch.queries];
        step::generation_loss(&self.network, items).map(Some).map_err(inference)
    }

    /// Writes what was trained: low-rank parts, markers' additions, head, with `about`, and what
    /// else there was in the adapter that the run began with.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the file cannot be written.
    pub fn save_adapter(
        &self,
        path: &Path,
        about: &BTreeMap<String, String>,
    ) -> Result<(), MindError> {
        let write = || -> candle_core::Result<()> {
            let mut tensors = self.parameters.tensors()?;
            tensors.extend(self.others.clone());
            super::adapter::write(path, tensors, &self.recipe, about)
        };
        write().map_err(|error| MindError::Inference(format!("{}: {error}", path.display())))
    }
}

/// What is told of a step that is no number, and its rows kept.
fn refuse<'a>(
    rows: impl Iterator<Item = &'a Pair>,
    taken: usize,
    total: f64,
    length: f32,
    bad_batch: &Path,
) -> MindError {
    let lines: String = rows.map(|pair| dataset::line(pair) + "\n").collect();
    let saved = match std::fs::write(bad_batch, lines) {
        Ok(()) => format!("its rows are in {}", bad_batch.display()),
        Err(error) => format!("its rows could not be saved: {error}"),
    };
    MindError::Numeric(format!(
        "a loss of {total} with a gradient of length {length} in step {}; {saved}; look for empty or damaged texts in them, or lower the learning rate",
        taken + 1
    ))
}

/// Digest of all that decides the steps.
fn key(fingerprint: &str, recipe: &Recipe, pairs: &[Pair], start: &[f32]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(fingerprint.as_bytes());
    hasher.update(format!("{recipe:?}").as_bytes());
    for pair in pairs {
        hasher.update(dataset::line(pair).as_bytes());
        hasher.update(b"\n");
    }
    for value in start {
        hasher.update(&value.to_le_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// Gives the batch the teacher's view of it: its vectors, and its scores of all columns unless the
/// rows carry scores of their own. What the teacher has not seen leaves the batch untaught, and
/// vectors that are not `width` wide teach by their scores alone.
fn teach(batch: &mut Batch, teacher: &TextVectors, width: usize) {
    let vectors: Option<Vec<&[f32]>> = batch.texts.iter().map(|text| teacher.get(text)).collect();
    let Some(vectors) = vectors else { return };
    let lesson = &mut batch.lesson;
    let (rows, columns) = vectors.split_at(lesson.rows);
    if lesson.teacher_scores.is_empty() {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let scores = rows.iter().flat_map(|row| columns.iter().map(|column| dot(row, column)));
        lesson.teacher_scores = scores.collect();
    }
    if vectors.iter().all(|vector| vector.len() == width) {
        lesson.teacher_vectors = vectors.concat();
    }
}

fn inference(error: candle_core::Error) -> MindError {
    MindError::Inference(error.to_string())
}
