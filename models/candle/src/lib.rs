//! The mind on real weights: mistral.rs thinks, candle embeds, from one and the same GGUF.
//!
//! The only crate that names candle, mistral.rs and tokenizers. It reads local files and opens no
//! connection; fetching model files is the program's `model pull`.

mod attention;
pub mod author;
pub mod committee;
mod decoder;
pub mod device;
pub mod encoder;
pub mod fit;
pub mod generate;
pub mod gguf;
pub mod head;
mod map;
pub mod meta;
mod names;
mod narrow;
mod ops;
mod pooling;
mod reader;
pub mod shipped;
pub mod teacher;
pub mod think;
pub mod tokens;
pub mod train;
pub mod vectors;
mod wide;

#[cfg(test)]
mod decoder_tests;
#[cfg(test)]
mod encoder_tests;
#[cfg(test)]
mod generate_tests;
#[cfg(test)]
mod reader_tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use models::{
    Embedding, Mind, MindError, ModelCard, OnRead, OnToken, Sampling, Thought, TokenCounter,
    combine, prompt,
};

use crate::device::DeviceChoice;
use crate::encoder::{Encoder, Exits};
use crate::map::Numbers;
use crate::reader::Reader;
use crate::think::{Thinker, ThinkerOptions};
use crate::tokens::Vocabulary;

/// Loads the GGUF at `path` for thinking and embedding.
///
/// # Errors
/// [`MindError::Model`] if the file is no usable model, [`MindError::Device`] if the device asked
/// for is not there.
pub fn open(path: &Path, device: DeviceChoice) -> Result<Box<dyn Mind>, MindError> {
    let (device, words) = device.open()?;
    let mut file = gguf::open(path)?;
    let vectors = file.vectors()?;
    let gguf::Gguf { meta, vocabulary, .. } = file;
    let exits = Exits { layers: meta.exit_layers.clone(), pooling: meta.pooling };
    let (tokens_max, numbers) = (meta.sequence_tokens_max(), Numbers::fastest(&device));
    let encoder = Encoder::load(path, exits, tokens_max, numbers, &device)?;
    let thinker = Thinker::open(
        ThinkerOptions {
            path: path.to_owned(),
            device,
            markers: meta.roles,
            style: meta.style,
            question_tokens_max: meta.query_tokens_max,
        },
        vocabulary.tokenizer(),
    )?;
    let card = ModelCard {
        name: meta.name.clone(),
        fingerprint: gguf::fingerprint(path)?,
        vectors,
        width: meta.width,
        passage_tokens_max: meta.passage_tokens_max,
        grounded: meta.grounded,
        device: words,
    };
    let path = path.to_owned();
    Ok(Box::new(O1Mind { card, vocabulary, encoder, thinker, path, reader: None }))
}

/// One decoder LM with both functions.
struct O1Mind {
    card: ModelCard,
    vocabulary: Arc<Vocabulary>,
    encoder: Encoder,
    thinker: Thinker,
    path: PathBuf,
    /// Loaded when something is first read.
    reader: Option<Reader>,
}

impl Mind for O1Mind {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn counter(&self) -> Arc<dyn TokenCounter> {
        Arc::clone(&self.vocabulary) as Arc<dyn TokenCounter>
    }

    fn think(
        &mut self,
        question: &str,
        context: &str,
        sampling: &Sampling,
        on_token: &mut OnToken<'_>,
    ) -> Result<Vec<Thought>, MindError> {
        self.thinker.think(question, context, sampling, on_token)
    }

    fn embed_passages(&mut self, passages: &[String]) -> Result<Vec<Embedding>, MindError> {
        let sequences = passages
            .iter()
            .map(|text| self.vocabulary.assemble(&prompt::passage(text)))
            .collect::<Result<Vec<_>, _>>()?;
        self.encoder.embed(&sequences)
    }

    fn embed_query(
        &mut self,
        question: &str,
        thoughts: &[Thought],
    ) -> Result<Embedding, MindError> {
        let mut sequences = vec![self.vocabulary.assemble(&prompt::query(question, None))?];
        for thought in thoughts {
            sequences.push(self.vocabulary.assemble(&prompt::query(question, Some(thought)))?);
        }
        let mut vectors = self.encoder.embed(&sequences)?;
        let with_thought = vectors.split_off(1);
        combine(&vectors[0], &with_thought, self.vocabulary.meta().bare_weight)
    }

    fn read(
        &mut self,
        question: &str,
        passages: &[String],
        window: usize,
        on_read: &mut OnRead<'_>,
    ) -> Result<Vec<f32>, MindError> {
        let (decoder, vocabulary) = (self.encoder.decoder(), &self.vocabulary);
        let reader = match &mut self.reader {
            Some(reader) => reader,
            unread => {
                let numbers = Numbers::fastest(&decoder.device);
                unread.insert(Reader::open(&self.path, decoder, vocabulary, numbers)?)
            }
        };
        let window = window.min(vocabulary.meta().passage_tokens_max);
        reader.read(decoder, vocabulary, (question, passages), window, on_read)
    }
}
