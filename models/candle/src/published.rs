//! Embedding models as they are published (Qwen3-Embedding): the state of the last token, after the last
//! norm; a question comes with an instruction, a passage bare, and both end with the end of sequence.
//!
//! Such a model embeds and does nothing else. What thinks and reads is another, beside it; thoughts are
//! shown and kept out of the vector, since it was not trained on any.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::Device;
use candle_core::quantized::gguf_file::Content;
use models::{
    Embedding, Mind, MindError, ModelCard, OnRead, OnToken, Part, Sampling, Thought, TokenCounter,
};

use crate::decoder::Config;
use crate::device::DeviceChoice;
use crate::encoder::{Encoder, Exits};
use crate::gguf::{self, HEAD_WEIGHT};
use crate::map::Numbers;
use crate::mind;
use crate::names::OUTPUT_NORM;
use crate::pooling::Pooling;
use crate::tokens::{Sequence, Vocabulary};

/// llama.cpp's `LLAMA_POOLING_TYPE_LAST`.
const POOLING_LAST: u32 = 3;
/// The published model's own words for searching.
const INSTRUCTION: &str =
    "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:";

/// Whether the file is an embedding model of someone else that reads the last token.
pub fn is_published(content: &Content) -> bool {
    let own = |key: &str| {
        let architecture = content.metadata.get("general.architecture")?.to_string().ok()?;
        content.metadata.get(&format!("{architecture}.{key}"))?.to_u32().ok()
    };
    own("pooling_type") == Some(POOLING_LAST) && !content.tensor_infos.contains_key(HEAD_WEIGHT)
}

/// Opens the model at `path`. If all that it does is embed, the one at `beside` thinks and reads.
///
/// # Errors
/// [`MindError::Model`] if a file is no usable model, [`MindError::Device`] if the device asked for is
/// not there.
pub fn open_beside(
    path: &Path,
    beside: &Path,
    device: DeviceChoice,
) -> Result<Box<dyn Mind>, MindError> {
    let file = gguf::open(path)?;
    if !is_published(&file.content) {
        return mind::open(path, device);
    }
    if !beside.exists() {
        return Err(MindError::Model(format!(
            "{} embeds and does not think, and {} is not there to think beside it; run: fore model pull",
            path.display(),
            beside.display()
        )));
    }
    let base = mind::open(beside, device)?;
    let fingerprint = gguf::fingerprint(path)?;
    let gguf::Gguf { meta, vocabulary, .. } = file;
    let card = ModelCard {
        name: format!("{} with {}", meta.name, base.card().name),
        // Both decide an answer, the published one alone a vector.
        fingerprint: format!("{}{}", &fingerprint[..8], &base.card().fingerprint[..8]),
        vectors: fingerprint,
        width: meta.width,
        passage_tokens_max: meta.passage_tokens_max,
        grounded: base.card().grounded,
        device: base.card().device.clone(),
    };
    let (device, _) = device.open()?;
    let numbers = Numbers::fastest(&device);
    let last = Last { vocabulary, path: path.to_owned(), device, numbers, loaded: None };
    Ok(Box::new(Published { card, last, base }))
}

/// See the module.
struct Published {
    card: ModelCard,
    last: Last,
    base: Box<dyn Mind>,
}

/// Text -> the last token's state. Loaded when it is first asked for.
pub(crate) struct Last {
    vocabulary: Arc<Vocabulary>,
    path: PathBuf,
    device: Device,
    numbers: Numbers,
    loaded: Option<(Encoder, Vec<f32>)>,
}

impl Last {
    /// The model at `path`, of which only the header has been read.
    ///
    /// # Errors
    /// As [`gguf::open`].
    #[cfg(test)]
    pub(crate) fn of(path: &Path, numbers: Numbers) -> Result<Last, MindError> {
        let (vocabulary, device) = (gguf::open(path)?.vocabulary, Device::Cpu);
        Ok(Last { vocabulary, path: path.to_owned(), device, numbers, loaded: None })
    }

    /// Loads all layers, and the norm after them.
    fn ready(&mut self) -> Result<&(Encoder, Vec<f32>), MindError> {
        if self.loaded.is_none() {
            let read = || -> candle_core::Result<(usize, Vec<f32>)> {
                let mut file = BufReader::new(File::open(&self.path)?);
                let content = Content::read(&mut file)?;
                let norm = content.tensor(&mut file, OUTPUT_NORM, &Device::Cpu)?;
                let norm = norm.dequantize(&Device::Cpu)?.to_vec1()?;
                Ok((Config::read(&content)?.layers, norm))
            };
            let (layers, norm) = read()
                .map_err(|error| MindError::Model(format!("{}: {error}", self.path.display())))?;
            let exits = Exits { layers: vec![layers], pooling: Pooling::Emb };
            let tokens_max = self.vocabulary.meta().sequence_tokens_max() + INSTRUCTION.len();
            let (numbers, device) = (self.numbers, &self.device);
            let encoder = Encoder::load(&self.path, exits, tokens_max, numbers, device)?;
            self.loaded = Some((encoder, norm));
        }
        self.loaded.as_ref().ok_or_else(|| MindError::Inference("nothing was loaded".to_owned()))
    }

    /// One unit vector per sequence. The encoder leaves a state at a root mean square of 1, so the last
    /// norm's weights are all that is missing of it.
    ///
    /// # Errors
    /// [`MindError`] if the model cannot be loaded or run.
    pub(crate) fn embed(&mut self, sequences: &[Sequence]) -> Result<Vec<Embedding>, MindError> {
        let (encoder, norm) = self.ready()?;
        let weighed = |state: Vec<f32>| {
            Embedding::normalised(state.iter().zip(norm).map(|(value, by)| value * by).collect())
        };
        encoder.raw(sequences)?.into_iter().map(weighed).collect()
    }

    /// The text and the end of sequence, after `before` if there is any.
    fn sequence(&self, before: &str, text: &str, most: usize) -> Result<Sequence, MindError> {
        let mut ids = Vec::new();
        if !before.is_empty() {
            // Never cut: it is what the model was trained with.
            ids.extend(self.vocabulary.encode(before, before.len())?);
        }
        ids.extend(self.vocabulary.encode(text, most)?);
        ids.push(self.vocabulary.meta().roles.eos);
        let content = vec![true; ids.len()];
        Ok(Sequence { ids, content })
    }

    /// # Errors
    /// [`MindError::Inference`] if the tokenizer fails.
    pub(crate) fn question(&self, question: &str) -> Result<Sequence, MindError> {
        self.sequence(INSTRUCTION, question.trim(), self.vocabulary.meta().query_tokens_max)
    }

    /// # Errors
    /// [`MindError::Inference`] if the tokenizer fails.
    pub(crate) fn passage(&self, passage: &str) -> Result<Sequence, MindError> {
        self.sequence("", passage, self.vocabulary.meta().passage_tokens_max)
    }
}

impl Mind for Published {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn counter(&self) -> Arc<dyn TokenCounter> {
        Arc::clone(&self.last.vocabulary) as Arc<dyn TokenCounter>
    }

    fn think(
        &mut self,
        question: &str,
        context: &str,
        sampling: &Sampling,
        on_token: &mut OnToken<'_>,
    ) -> Result<Vec<Thought>, MindError> {
        self.base.think(question, context, sampling, on_token)
    }

    fn embed_passages(&mut self, passages: &[String]) -> Result<Vec<Embedding>, MindError> {
        let sequences = passages.iter().map(|text| self.last.passage(text));
        let sequences = sequences.collect::<Result<Vec<_>, _>>()?;
        self.last.embed(&sequences)
    }

    fn embed_query(&mut self, question: &str, _: &[Thought]) -> Result<Embedding, MindError> {
        let sequence = self.last.question(question)?;
        let found = self.last.embed(&[sequence])?.pop();
        found.ok_or_else(|| MindError::Inference("a question has no vector".to_owned()))
    }

    fn read(
        &mut self,
        question: &str,
        passages: &[String],
        window: usize,
        on_read: &mut OnRead<'_>,
    ) -> Result<Vec<f32>, MindError> {
        self.base.read(question, passages, window, on_read)
    }

    fn rest(&mut self) {
        self.last.loaded = None;
        self.base.rest();
    }

    fn wake(&mut self, part: Part) -> Result<(), MindError> {
        match part {
            Part::Embedding => self.last.ready().map(|_| ()),
            Part::Reading | Part::Thinking => self.base.wake(part),
        }
    }
}
