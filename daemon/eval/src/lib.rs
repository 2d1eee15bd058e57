//! Measures retrieval with the very parts that serve users: the mind's thread, the chunker, the
//! store, the fusion.
//!
//! A [`Column`] is one way to answer; documents go into an index of their own (`encode`), which is
//! kept, as are thoughts (`thoughts`), so that a run that was interrupted goes on where it was;
//! every query is answered in every column (`answer`); the [`Report`] holds what came out. Before that
//! [`sections`] reads and checks what is to be measured, after it [`measured`] and [`files`] write it
//! down for other programs, and [`told`] for people. Two more instruments are [`corpus`], a folder's passages without an
//! index, and [`speed`], how fast all of it is on this machine.
//!
//! Deliberately not here: which models there are and where anything lies (`src/`).

mod answer;
pub mod corpus;
pub mod effort;
mod encode;
pub mod files;
mod log;
pub mod measured;
mod readings;
mod report;
pub mod sections;
pub mod speed;
mod thoughts;
pub mod told;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use models::Sampling;
use models::beir::{Collection, Grades, Query};
use models::column::{Column, Encoder, Search, Thinking};
use tokio::sync::mpsc;

pub use report::{Answer, Encoding, Milliseconds, QueryReport, Report, Summary};

use answer::{Bench, Trace};
use daemon::engine::Engine;
use daemon::mind::{self, JobError, Loaded, Threads};
use daemon::store::StoreError;
use daemon::{Backend, Critical};
use readings::ReadLog;
use thoughts::ThoughtLog;

/// Kept vectors and thoughts hold for this number, for a model's fingerprint and for a device. To
/// be raised with any change of how documents are cut, embedded or pooled, or how thoughts are
/// written, which the fingerprint does not show; what an older number kept is not used then.
pub const CACHE_VERSION: u32 = 2;

/// What to measure.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Columns of the table, in its order.
    pub columns: Vec<Column>,
    /// How the sampled columns think; the greedy ones differ in number and temperature alone.
    pub sampling: Sampling,
    /// How much the reading columns read.
    pub reading: Reading,
    /// Whether documents are cut into passages as files are, or are one passage each.
    pub chunked: bool,
}

/// How much is read for a question. What serves goes by the time it takes; what is measured must be
/// the same on every machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// How many passages, from the first on.
    pub passages: usize,
    /// Most tokens of each.
    pub window: usize,
}

impl Default for Reading {
    /// What two cores read in a second.
    fn default() -> Self {
        Reading { passages: 10, window: 64 }
    }
}

/// Where models and their indexes come from.
#[derive(Clone)]
pub struct Backends {
    pub own: Arc<dyn Backend>,
    /// Needed if a column is the peer's.
    pub peer: Option<Arc<dyn Backend>>,
}

/// Told what is being done, how much of it is done, and of how much.
pub type OnProgress<'a> = dyn FnMut(&str, usize, usize) + 'a;

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    #[error(transparent)]
    Start(#[from] Critical),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Model(String),
    /// What a measured service said, or why there is none.
    #[error("{0}")]
    Service(String),
    #[error("remembering thoughts and readings in {path}: {source}", path = path.display())]
    Thoughts { path: PathBuf, source: io::Error },
    #[error("column {0} needs the peer's model")]
    NoPeer(Column),
    #[error("nothing is indexed")]
    NothingIndexed,
    /// A judged path that the index does not hold.
    #[error("query {query} judges {path}, which is not indexed")]
    NotIndexed { query: String, path: String },
}

impl From<JobError> for EvalError {
    fn from(error: JobError) -> Self {
        EvalError::Model(error.to_string())
    }
}

/// Encodes what is new of a collection and answers its queries. Thoughts are remembered below the
/// folder `thoughts`.
///
/// # Errors
/// [`EvalError`] if a model or an index cannot be used.
pub async fn collection(
    collection: &Collection,
    plan: &Plan,
    backends: &Backends,
    thoughts: &Path,
    progress: &mut OnProgress<'_>,
) -> Result<Report, EvalError> {
    let mut parts = Vec::new();
    let mut encodings = Vec::new();
    for (encoder, columns) in shares(plan) {
        let backend = match (encoder, &backends.peer) {
            (Encoder::Own, _) => &backends.own,
            (Encoder::Peer, Some(peer)) => peer,
            (Encoder::Peer, None) => return Err(EvalError::NoPeer(columns[0])),
        };
        let reads = encoder == Encoder::Peer && columns.iter().any(|column| column.read);
        let session = Session::open(backend, reads.then_some(&backends.own)).await?;
        let documents = &collection.documents;
        encodings.push(encode::encode(&session.engine, documents, plan.chunked, progress).await?);
        let part = session
            .answer(&collection.queries, &collection.qrels, &columns, plan, thoughts, progress)
            .await?;
        parts.push(part);
        session.close()?;
    }
    Ok(assemble(&collection.queries, &plan.columns, parts, encodings))
}

/// Answers queries on an index as it is: the user's own. Document ids are paths.
///
/// # Errors
/// [`EvalError::NothingIndexed`] and [`EvalError::NotIndexed`] if the judgments do not fit it.
pub async fn index(
    queries: &[Query],
    qrels: &BTreeMap<String, Grades>,
    plan: &Plan,
    own: &Arc<dyn Backend>,
    thoughts: &Path,
    progress: &mut OnProgress<'_>,
) -> Result<Report, EvalError> {
    if let Some(column) = plan.columns.iter().find(|column| column.encoder == Encoder::Peer) {
        return Err(EvalError::NoPeer(*column));
    }
    let session = Session::open(own, None).await?;
    let known = session.engine.store.known().await?;
    if known.is_empty() {
        return Err(EvalError::NothingIndexed);
    }
    for query in queries {
        let judged = qrels.get(&query.id).into_iter().flat_map(BTreeMap::keys);
        if let Some(path) = judged.into_iter().find(|path| !known.contains_key(*path)) {
            return Err(EvalError::NotIndexed { query: query.id.clone(), path: path.clone() });
        }
    }
    // A store is read as it was when it was opened, and a daemon at work clears away what is some
    // minutes old. Thinking takes longer than that, so it comes first and the store is opened anew.
    session.think_ahead(queries, plan, thoughts, progress).await?;
    session.close()?;
    let session = Session::open(own, None).await?;
    let part = session.answer(queries, qrels, &plan.columns, plan, thoughts, progress).await?;
    let card = &session.engine.card;
    let encoding = Encoding {
        model: card.name.clone(),
        fingerprint: card.fingerprint.clone(),
        device: card.device.clone(),
        documents: known.len(),
        passages: known.values().map(|document| document.passages).sum(),
        encoded: 0,
        tokens: 0,
        seconds: 0.0,
    };
    session.close()?;
    Ok(assemble(queries, &plan.columns, vec![part], vec![encoding]))
}

/// The columns, each where it is named first.
pub fn each_once(columns: &[Column]) -> Vec<Column> {
    let mut once = Vec::new();
    for column in columns {
        if !once.contains(column) {
            once.push(*column);
        }
    }
    once
}

/// The models that measuring `plan` loads.
pub fn encoders(plan: &Plan) -> impl Iterator<Item = Encoder> {
    shares(plan).into_iter().map(|(encoder, _)| encoder)
}

/// Which encoder answers which columns. Words alone need no vector, so the peer's index answers
/// them where nothing else would need our own model; not if documents are cut, as its passages
/// are others then.
fn shares(plan: &Plan) -> Vec<(Encoder, Vec<Column>)> {
    let words =
        |column: &Column| column.search == Search::Bm25 && column.thinking == Thinking::None;
    let (mut peers, mut own): (Vec<Column>, Vec<Column>) =
        plan.columns.iter().partition(|column| column.encoder == Encoder::Peer);
    if !peers.is_empty() && !plan.chunked && own.iter().all(words) {
        peers.append(&mut own);
    }
    let shares = [(Encoder::Peer, peers), (Encoder::Own, own)];
    shares.into_iter().filter(|(_, columns)| !columns.is_empty()).collect()
}

/// A loaded model on its index, with what must be ended.
struct Session {
    engine: Engine,
    /// The model that reads, if it is another.
    reader: Option<Loaded>,
    threads: Threads,
    /// Where the model's thread would report its panic; its jobs fail then too.
    _fatal: mpsc::Receiver<Critical>,
}

impl Session {
    async fn open(
        backend: &Arc<dyn Backend>,
        reader: Option<&Arc<dyn Backend>>,
    ) -> Result<Session, EvalError> {
        let (fatal, _fatal) = mpsc::channel(1);
        let threads = Threads::default();
        let loaded = mind::start(Arc::clone(backend), None, fatal.clone(), &threads).await?;
        let reader = match reader {
            Some(reader) => Some(mind::start(Arc::clone(reader), None, fatal, &threads).await?),
            None => None,
        };
        let store = backend.open_store(&loaded.card).await?;
        let engine = Engine::open(loaded, store).await?;
        Ok(Session { engine, reader, threads, _fatal })
    }

    /// All that `columns` need, with what is remembered below `thoughts`.
    fn bench<'a>(
        &'a self,
        plan: &'a Plan,
        columns: &'a [Column],
        thoughts: &Path,
    ) -> Result<Bench<'a>, EvalError> {
        let engine = &self.engine;
        let (card, mind) = match &self.reader {
            Some(reader) => (&reader.card, &reader.handle),
            None => (&engine.card, &engine.mind),
        };
        let reader = match columns.iter().any(|column| column.read) {
            true => Some((mind, ReadLog::open(thoughts, &card.fingerprint)?)),
            false => None,
        };
        let log = ThoughtLog::open(thoughts, &engine.card.fingerprint)?;
        Ok(Bench { engine, plan, columns, log, reader })
    }

    /// Thinks about all queries, which is remembered.
    async fn think_ahead(
        &self,
        queries: &[Query],
        plan: &Plan,
        thoughts: &Path,
        progress: &mut OnProgress<'_>,
    ) -> Result<(), EvalError> {
        let mut bench = self.bench(plan, &plan.columns, thoughts)?;
        let doing = format!("thinking with {}", self.engine.card.name);
        for (done, query) in queries.iter().enumerate() {
            progress(&doing, done, queries.len());
            bench.think_ahead(&query.text).await?;
        }
        Ok(())
    }

    async fn answer(
        &self,
        queries: &[Query],
        qrels: &BTreeMap<String, Grades>,
        columns: &[Column],
        plan: &Plan,
        thoughts: &Path,
        progress: &mut OnProgress<'_>,
    ) -> Result<Vec<Trace>, EvalError> {
        let mut bench = self.bench(plan, columns, thoughts)?;
        let doing = format!("answering with {}", self.engine.card.name);
        let none = Grades::new();
        let mut traces = Vec::with_capacity(queries.len());
        for query in queries {
            progress(&doing, traces.len(), queries.len());
            traces.push(bench.answer(&query.text, qrels.get(&query.id).unwrap_or(&none)).await?);
        }
        progress(&doing, traces.len(), queries.len());
        Ok(traces)
    }

    /// Ends the models' threads, so that no more models are in memory than one session needs.
    fn close(self) -> Result<(), EvalError> {
        drop((self.engine, self.reader));
        if self.threads.join() { Ok(()) } else { Err(Critical::Panicked("model's thread").into()) }
    }
}

/// Puts the answers of the encoders together, in the order of the columns.
fn assemble(
    queries: &[Query],
    columns: &[Column],
    parts: Vec<Vec<Trace>>,
    encodings: Vec<Encoding>,
) -> Report {
    let place = |answer: &Answer| columns.iter().position(|column| *column == answer.column);
    let mut reports: Vec<QueryReport> = queries
        .iter()
        .map(|query| QueryReport {
            id: query.id.clone(),
            text: query.text.clone(),
            greedy: Vec::new(),
            sampled: Vec::new(),
            grounded: Vec::new(),
            answers: Vec::new(),
        })
        .collect();
    for trace in parts {
        for (report, trace) in reports.iter_mut().zip(trace) {
            report.greedy.extend(trace.greedy);
            report.sampled.extend(trace.sampled);
            report.grounded.extend(trace.grounded);
            report.answers.extend(trace.answers);
            report.answers.sort_by_key(place);
        }
    }
    Report { encodings, columns: columns.to_vec(), queries: reports }
}

#[cfg(test)]
mod tests;
