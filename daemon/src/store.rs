//! What the daemon asks of a store, a store in memory for tests, and the contract both keep.
//!
//! The store is also the manifest: every passage row carries its document's size, modification
//! time and content hash, so what is indexed and what is known to be indexed cannot disagree,
//! whatever moment the process dies at.

pub mod contract;
pub mod memory;

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

pub use daemon_protocol::Place;
use futures::future::BoxFuture;

/// A piece of a document as it is embedded and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Headings above, outermost first, joined by ` > `; empty outside any.
    pub heading: String,
    /// Byte range in the document's text.
    pub bytes: Range<usize>,
    /// First and last line, from 1.
    pub lines: (usize, usize),
    /// The part it begins in, of a document that has parts.
    pub place: Option<Place>,
    pub text: String,
}

/// Identity and state of a document when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    pub bytes: u64,
    /// See [`crate::scan::Seen`].
    pub changed_ns: i64,
    /// See [`crate::scan::Seen`].
    pub written_ns: i64,
    /// BLAKE3 of the content, hex, and behind it the way in which it was read and cut, if that is not the first.
    pub hash: String,
}

/// A document ready to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Absolute path: the key.
    pub path: String,
    pub title: String,
    /// What else it is searched by: words of its file's and folders' names, its tags.
    pub names: String,
    /// What it is tagged with, without a `#`.
    pub tags: Vec<String>,
    pub stamp: Stamp,
    /// Passages in order, each with its unit vector. May be empty: the document is then known,
    /// so that it is not read again, and never found.
    pub passages: Vec<(Passage, Vec<f32>)>,
    /// Digests of what was embedded, in the order of the passages, by which [`Store::vectors`] finds the
    /// vectors again; none where that is of no use.
    pub digests: Vec<String>,
    /// The path that the document had, if it was moved: it is forgotten in the same commit.
    pub moved_from: Option<String>,
}

/// A passage as a search returns it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub path: String,
    pub title: String,
    /// Position within its document, from 0; with `path`, a passage's identity.
    pub ordinal: usize,
    pub passage: Passage,
    /// Cosine or BM25, whichever the search ranks by.
    pub score: f32,
}

/// Documents a search may return passages of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    All,
    /// Just these paths.
    Paths(Vec<String>),
    /// Every path from the first of a run to its last, in the order of their bytes: what a folder of many
    /// documents is found by in a time that does not grow with their number, as a list of them does.
    Runs(Vec<RangeInclusive<String>>),
}

impl Scope {
    /// Whether passages of the document at `path` may be returned.
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        match self {
            Scope::All => true,
            Scope::Paths(paths) => paths.iter().any(|other| other == path),
            Scope::Runs(runs) => {
                runs.iter().any(|run| (run.start().as_str()..=run.end()).contains(&path))
            }
        }
    }

    /// Whether no document is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Scope::All => false,
            Scope::Paths(paths) => paths.is_empty(),
            Scope::Runs(runs) => runs.iter().all(RangeInclusive::is_empty),
        }
    }
}

/// What the store knows of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub stamp: Stamp,
    /// See [`Document::tags`].
    pub tags: Vec<String>,
    pub passages: usize,
}

/// A store failed; the text says at what.
#[derive(Debug, Clone, thiserror::Error)]
#[error("index store: {0}")]
pub struct StoreError(pub String);

/// Result of a store call that can be awaited through a trait object.
pub type Pending<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Passages with vectors of one model. One writer at a time (the indexer); any number of readers.
pub trait Store: Send + Sync {
    /// Makes `documents` the only content of their paths, in one commit for all of them: a reader
    /// or a crash sees, for every document, all of the old passages or all of the new. Paths that they
    /// were moved from have none any more.
    fn replace(&self, documents: Vec<Document>) -> Pending<'_, ()>;

    /// Forgets documents, in one commit. Unknown paths are no error.
    fn remove(&self, paths: Vec<String>) -> Pending<'_, ()>;

    /// Every known document by path.
    fn known(&self) -> Pending<'_, BTreeMap<String, Known>>;

    /// The passages of one document, in order; none of one that is not known.
    fn document(&self, path: String) -> Pending<'_, Vec<Passage>>;

    /// Vectors of the passages of the documents at `paths`, by the digest of what was embedded.
    fn vectors(&self, paths: Vec<String>) -> Pending<'_, BTreeMap<String, Vec<f32>>>;

    /// The passages nearest to `vector` by inner product, best first.
    fn by_vector(&self, vector: Vec<f32>, limit: usize, scope: Scope) -> Pending<'_, Vec<Found>>;

    /// The passages that match words of `text` best by BM25, best first. Any text is a valid
    /// query; there is no query syntax.
    fn by_text(&self, text: String, limit: usize, scope: Scope) -> Pending<'_, Vec<Found>>;

    /// Every known document once more if others have committed something since this or [`Store::known`] was asked last;
    /// from then on searches find it too. For an index that several machines share.
    fn news(&self) -> Pending<'_, Option<BTreeMap<String, Known>>> {
        Box::pin(async { self.known().await.map(Some) })
    }

    /// Compacts what many small commits left behind and brings the indexes up to date.
    fn maintain(&self) -> Pending<'_, ()>;
}
