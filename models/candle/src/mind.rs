//! One decoder LM with all three functions: it thinks, embeds and reads.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use candle_core::Device;
use models::{
    Embedding, Mind, MindError, ModelCard, OnRead, OnToken, Part, Sampling, Thought, TokenCounter,
    combine, prompt,
};

use crate::decoder::Decoder;
use crate::device::DeviceChoice;
use crate::encoder::{Encoder, Exits};
use crate::gguf;
use crate::map::Numbers;
use crate::reader::Reader;
use crate::think::{Thinker, ThinkerOptions};
use crate::tokens::Vocabulary;

/// How often what thinks is let go of. Each time leaves a thread behind, which mistral.rs has to log
/// its speed, which does not, and which cannot be ended; it wakes up every five seconds.
const THINKERS_RELEASED_MAX: usize = 24;

/// Opens the GGUF at `path` for thinking, embedding and reading, each of which is loaded when it is first asked for.
///
/// # Errors
/// [`MindError::Model`] if the file is no usable model, [`MindError::Device`] if the device asked
/// for is not there.
pub fn open(path: &Path, device: DeviceChoice) -> Result<Box<dyn Mind>, MindError> {
    let (device, words) = device.open()?;
    let mut file = gguf::open(path)?;
    let vectors = file.vectors()?;
    let gguf::Gguf { meta, vocabulary, .. } = file;
    let card = ModelCard {
        name: meta.name.clone(),
        fingerprint: gguf::fingerprint(path)?,
        vectors,
        width: meta.width,
        passage_tokens_max: meta.passage_tokens_max,
        grounded: meta.grounded,
        device: words,
    };
    let fingerprint = card.fingerprint.clone();
    let source = Source { path: path.to_owned(), stamp: Stamp::of(path)?, fingerprint, device };
    let (encoder, thinker, coming, reader) = (None, None, None, None);
    Ok(Box::new(O1Mind { card, vocabulary, source, encoder, thinker, coming, reader, released: 0 }))
}

/// See the module. What is not there is loaded when it is asked for.
struct O1Mind {
    card: ModelCard,
    vocabulary: Arc<Vocabulary>,
    source: Source,
    encoder: Option<Encoder>,
    thinker: Option<Thinker>,
    /// Loads it, while others are asked for other things.
    coming: Option<JoinHandle<Result<Thinker, MindError>>>,
    reader: Option<Reader>,
    /// How often a thinker was let go of.
    released: usize,
}

/// Where the parts come from.
struct Source {
    path: PathBuf,
    stamp: Stamp,
    fingerprint: String,
    device: Device,
}

/// What a file that is another one differs in.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> Result<Stamp, MindError> {
        let data = fs::metadata(path);
        let data =
            data.map_err(|error| MindError::Model(format!("{}: {error}", path.display())))?;
        Ok(Stamp {
            device: data.dev(),
            inode: data.ino(),
            bytes: data.len(),
            changed: (data.ctime(), data.ctime_nsec()),
        })
    }
}

impl Source {
    /// What `part` holds, which is loaded if it was not there.
    fn ready<'a, T>(
        &mut self,
        part: &'a mut Option<T>,
        load: impl FnOnce(&Source) -> Result<T, MindError>,
    ) -> Result<&'a mut T, MindError> {
        match part {
            Some(part) => Ok(part),
            missing => {
                self.check()?;
                Ok(missing.insert(load(self)?))
            }
        }
    }

    /// Makes sure that the file is the one that was loaded: what comes of another would be mixed with
    /// the vectors and the words of this one.
    fn check(&mut self) -> Result<(), MindError> {
        let stamp = Stamp::of(&self.path)?;
        if stamp != self.stamp && gguf::fingerprint(&self.path)? != self.fingerprint {
            return Err(MindError::Model(format!(
                "{} has become another model while this one rested; run: fore daemon stop, and ask again",
                self.path.display()
            )));
        }
        self.stamp = stamp;
        Ok(())
    }

    fn encoder(&self, vocabulary: &Vocabulary) -> Result<Encoder, MindError> {
        let meta = vocabulary.meta();
        let exits = Exits { layers: meta.exit_layers.clone(), pooling: meta.pooling };
        let (tokens_max, numbers) = (meta.sequence_tokens_max(), Numbers::fastest(&self.device));
        Encoder::load(&self.path, exits, tokens_max, numbers, &self.device)
    }

    fn thinker(&self, vocabulary: &Vocabulary) -> ThinkerOptions {
        let meta = vocabulary.meta();
        ThinkerOptions {
            path: self.path.clone(),
            device: self.device.clone(),
            markers: meta.roles,
            style: meta.style,
            question_tokens_max: meta.query_tokens_max,
        }
    }
}

impl O1Mind {
    fn encoder(&mut self) -> Result<&Encoder, MindError> {
        let load = |source: &Source| source.encoder(&self.vocabulary);
        Ok(self.source.ready(&mut self.encoder, load)?)
    }

    fn thinker(&mut self) -> Result<&mut Thinker, MindError> {
        let O1Mind { source, vocabulary, thinker, coming, .. } = self;
        source.ready(thinker, |source| match coming.take() {
            Some(coming) => joined(coming),
            None => Thinker::open(source.thinker(vocabulary), vocabulary.tokenizer()),
        })
    }

    /// Has what thinks loaded by a thread of its own, unless it is there or on its way.
    fn fetch_thinker(&mut self) -> Result<(), MindError> {
        if self.thinker.is_some() || self.coming.is_some() {
            return Ok(());
        }
        self.source.check()?;
        let (options, tokenizer) =
            (self.source.thinker(&self.vocabulary), self.vocabulary.tokenizer());
        let loading = thread::Builder::new().name("thinker".to_owned());
        let loading = loading.spawn(move || Thinker::open(options, tokenizer));
        // Without a thread it is loaded when it is asked for.
        self.coming = loading.ok();
        Ok(())
    }

    /// What reads, and the layers below it.
    fn reader(&mut self) -> Result<(&Reader, &Decoder, &Vocabulary), MindError> {
        let O1Mind { source, vocabulary, encoder, reader, .. } = self;
        let decoder = source.ready(encoder, |source| source.encoder(vocabulary))?.decoder();
        let reader = source.ready(reader, |source| {
            let numbers = Numbers::fastest(&source.device);
            Reader::open(&source.path, decoder, vocabulary, numbers)
        })?;
        Ok((reader, decoder, vocabulary))
    }
}

impl Drop for O1Mind {
    fn drop(&mut self) {
        let ended = self.coming.take().map(JoinHandle::join);
        if let Some(Err(_)) = ended {
            tracing::error!("what loads what thinks has panicked");
        }
    }
}

/// What `coming` loads, once it has; a panic of it goes on here.
fn joined(coming: JoinHandle<Result<Thinker, MindError>>) -> Result<Thinker, MindError> {
    coming.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
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
        self.thinker()?.think(question, context, sampling, on_token)
    }

    fn embed_passages(&mut self, passages: &[String]) -> Result<Vec<Embedding>, MindError> {
        let sequences = passages
            .iter()
            .map(|text| self.vocabulary.assemble(&prompt::passage(text)))
            .collect::<Result<Vec<_>, _>>()?;
        self.encoder()?.embed(&sequences)
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
        let mut vectors = self.encoder()?.embed(&sequences)?;
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
        let (reader, decoder, vocabulary) = self.reader()?;
        let window = window.min(vocabulary.meta().passage_tokens_max);
        reader.read(decoder, vocabulary, (question, passages), window, on_read)
    }

    fn rest(&mut self) {
        (self.reader, self.encoder) = (None, None);
        if let Some(coming) = self.coming.take() {
            self.thinker = joined(coming).ok();
        }
        if self.released < THINKERS_RELEASED_MAX && self.thinker.take().is_some() {
            self.released += 1;
        }
    }

    fn wake(&mut self, part: Part) -> Result<(), MindError> {
        match part {
            Part::Embedding => self.encoder().map(|_| ()),
            Part::Reading => self.reader().map(|_| ()),
            Part::Thinking => self.fetch_thinker(),
        }
    }
}
