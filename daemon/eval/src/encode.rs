//! Documents of a collection -> an index of their own. The index is the cache: a document whose
//! content it holds already costs nothing, and each commit is one that a later run need not redo.

use std::collections::BTreeMap;
use std::time::Instant;

use models::TokenCounter;
use models::beir::Entry;

use super::{Encoding, EvalError, OnProgress};
use daemon::chunk::{chunk, embedded_text};
use daemon::document::{Extracted, Kind};
use daemon::engine::Engine;
use daemon::store::{Document, Known, Passage, Stamp};

/// Passages embedded and committed at a time: some seconds of work, which is what an interruption
/// costs, and batches of nearly one length.
const COMMIT_PASSAGES: usize = 128;

/// A document that only lacks its vectors.
struct Pending<'a> {
    entry: &'a Entry,
    stamp: Stamp,
    passages: Vec<Passage>,
    texts: Vec<String>,
    /// Of the texts, as far as the model reads them.
    tokens: usize,
}

/// Makes the engine's index hold exactly `documents`.
pub(super) async fn encode(
    engine: &Engine,
    documents: &[Entry],
    chunked: bool,
    progress: &mut OnProgress<'_>,
) -> Result<Encoding, EvalError> {
    let known = engine.store.known().await?;
    forget_others(engine, documents, &known).await?;
    let mut pending: Vec<Pending<'_>> = documents
        .iter()
        .map(|entry| (entry, stamp(entry)))
        .filter(|(entry, stamp)| known.get(&entry.id).is_none_or(|known| known.stamp != *stamp))
        .map(|(entry, stamp)| prepare(entry, stamp, engine, chunked))
        .collect();
    // Like lengths together: a batch is as slow as its longest text.
    pending.sort_by_key(|document| document.tokens);
    let card = &engine.card;
    let doing = format!("encoding with {}", card.name);
    let total: usize = pending.iter().map(|document| document.tokens).sum();
    let (mut encoded, mut tokens, mut seconds) = (0, 0, 0.0);
    let mut pending = pending.into_iter().peekable();
    while pending.peek().is_some() {
        progress(&doing, tokens, total);
        let mut group: Vec<Pending<'_>> = Vec::new();
        let mut passages = 0;
        while let Some(next) = pending
            .next_if(|next| group.is_empty() || passages + next.texts.len() <= COMMIT_PASSAGES)
        {
            passages += next.texts.len();
            group.push(next);
        }
        let texts = group.iter_mut().flat_map(|document| std::mem::take(&mut document.texts));
        let started = Instant::now();
        let vectors = engine.mind.embed_passages(texts.collect()).await?;
        seconds += started.elapsed().as_secs_f64();
        tokens += group.iter().map(|document| document.tokens).sum::<usize>();
        encoded += passages;
        let mut vectors = vectors.into_iter().map(models::Embedding::into_vec);
        let documents = group.into_iter().map(|document| document.with(&mut vectors)).collect();
        engine.store.replace(documents).await?;
    }
    progress(&doing, total, total);
    // Even if nothing is new: a run that was killed may have left it to be done.
    engine.store.maintain().await?;
    let now = engine.store.known().await?;
    Ok(Encoding {
        model: card.name.clone(),
        fingerprint: card.fingerprint.clone(),
        device: card.device.clone(),
        documents: now.len(),
        passages: now.values().map(|document| document.passages).sum(),
        encoded,
        tokens,
        seconds,
    })
}

async fn forget_others(
    engine: &Engine,
    documents: &[Entry],
    known: &BTreeMap<String, Known>,
) -> Result<(), EvalError> {
    let wanted: std::collections::HashSet<&str> =
        documents.iter().map(|entry| entry.id.as_str()).collect();
    let others: Vec<String> =
        known.keys().filter(|id| !wanted.contains(id.as_str())).cloned().collect();
    if !others.is_empty() {
        engine.store.remove(others).await?;
    }
    Ok(())
}

/// Identity of a document's content: no file, so no time.
fn stamp(entry: &Entry) -> Stamp {
    let mut hasher = blake3::Hasher::new();
    // The length keeps apart what a moved border between title and text would confuse.
    hasher.update(&(entry.title.len() as u64).to_le_bytes());
    hasher.update(entry.title.as_bytes());
    hasher.update(entry.text.as_bytes());
    Stamp {
        bytes: (entry.title.len() + entry.text.len()) as u64,
        changed_ns: 0,
        written_ns: 0,
        hash: hasher.finalize().to_hex().to_string(),
    }
}

fn prepare<'a>(entry: &'a Entry, stamp: Stamp, engine: &Engine, chunked: bool) -> Pending<'a> {
    let tokens_max = engine.card.passage_tokens_max;
    let counter: &dyn TokenCounter = engine.counter.as_ref();
    let passages = if chunked {
        let Entry { title, text, .. } = entry.clone();
        let (tags, aliases, marks, outline) = Default::default();
        let kind = Kind::Text;
        let extracted = Extracted { kind, title, tags, aliases, text, marks, outline };
        chunk(&extracted, tokens_max, &|text| counter.count(text))
    } else {
        whole(entry)
    };
    let texts: Vec<String> = passages
        .iter()
        .map(|passage| embedded_text(&entry.title, &passage.heading, &passage.text))
        .collect();
    let tokens = texts.iter().map(|text| counter.count(text).min(tokens_max)).sum();
    Pending { entry, stamp, passages, texts, tokens }
}

/// The document as one passage; none if it says nothing.
fn whole(entry: &Entry) -> Vec<Passage> {
    if entry.title.trim().is_empty() && entry.text.trim().is_empty() {
        return Vec::new();
    }
    vec![Passage {
        heading: String::new(),
        bytes: 0..entry.text.len(),
        lines: (1, entry.text.lines().count().max(1)),
        place: None,
        text: entry.text.clone(),
    }]
}

impl Pending<'_> {
    /// The document, with the next of `vectors` for its passages.
    fn with(self, vectors: &mut impl Iterator<Item = Vec<f32>>) -> Document {
        Document {
            path: self.entry.id.clone(),
            title: self.entry.title.clone(),
            // A collection's ids are no names that anybody would search by.
            names: String::new(),
            tags: Vec::new(),
            stamp: self.stamp,
            passages: self.passages.into_iter().zip(vectors).collect(),
            digests: Vec::new(),
            moved_from: None,
        }
    }
}
