//! The service: owns requests, watching and indexing. This comment is its map.
//!
//! [`run`] (`server`) accepts clients; each gets a `session`, which answers requests and runs one
//! `query` at a time. An `engine` is one model's generation: the `mind` thread that owns the
//! model, the [`store`] of its vectors, and what that store is known to hold. `generations` knows
//! which of them answers questions and which one is filled. The `index` task makes the store of the
//! latter equal to the folders on disk: `watch` says what may have changed, `scan` finds what did,
//! `prepare` reads it through [`extract`] (with [`convert`] where it is no text) and [`chunk`]; [`patience`] is how
//! long a drive is waited for, [`manners`] when indexing waits for others. [`reading`] says how much is read for a
//! question. `folders` is the list of what is watched, `training` the newest of what a `fore train` tells of itself,
//! `marks` what people said of answers, `sharing` who writes an index that several machines have, `shared` what all of
//! these share, `limits` every bound.
//!
//! Deliberately not here: model weights (`models-candle`), LanceDB (`daemon-lance`), where files
//! live and how the process is started (`src/`).

mod around;
pub mod chunk;
pub mod convert;
pub mod document;
mod edition;
pub mod engine;
mod error;
pub mod extract;
mod folders;
pub mod fuse;
mod generations;
mod index;
mod label;
pub mod limits;
mod mailbox;
pub mod manners;
mod marks;
pub mod mind;
pub mod patience;
mod phrase;
pub mod prepare;
pub mod query;
pub mod reading;
pub mod scan;
mod server;
mod session;
mod shared;
mod sharing;
pub mod snippet;
pub mod store;
mod touched;
mod training;
mod walked;
mod watch;
mod why;
pub mod words;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use models::{Part, Sampling};

pub use error::Critical;
pub use manners::Manners;
pub use server::run;
pub use sharing::Standing;

/// Where the service gets its model and its store from.
pub trait Backend: Send + Sync + 'static {
    /// Loads the model that is configured now. Called on the thread that will own the mind, at
    /// start and at every `reload`.
    ///
    /// # Errors
    /// [`models::MindError`], whose text a person will read.
    fn load_mind(&self) -> Result<Box<dyn models::Mind>, models::MindError>;

    /// Loads the model that served last, if its vectors are others than those of `card`, the one that is
    /// configured now: it goes on serving while that one's store is filled. `None` too where it is gone.
    fn load_former(&self, card: &models::ModelCard) -> Option<Box<dyn models::Mind>> {
        let _ = card;
        None
    }

    /// Remembers beyond the end of the process that the model `card` describes serves.
    fn note_serving(&self, card: &models::ModelCard) {
        let _ = card;
    }

    /// Opens, or creates, the store that holds vectors of the model `card` describes.
    ///
    /// # Errors
    /// [`store::StoreError`] if it cannot be opened.
    fn open_store<'a>(
        &'a self,
        card: &'a models::ModelCard,
    ) -> store::Pending<'a, Arc<dyn store::Store>>;

    /// The drives that watched folders are on.
    fn drives(&self) -> Arc<dyn patience::Drives> {
        Arc::new(patience::Machine)
    }

    /// The battery and other programs, which indexing waits for.
    fn machine(&self) -> Arc<dyn manners::Machine> {
        Arc::new(manners::System::at(std::path::Path::new("/")))
    }

    /// Whether this process may write its stores, told at every change, where other machines write them too; asked once
    /// the store is open. `None` where they are this process's own.
    fn shares(&self) -> Option<tokio::sync::watch::Receiver<Standing>> {
        None
    }

    /// Lets others write what this process wrote, which has ended doing so.
    fn let_go(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// What reads files that are no text.
    fn converter(&self) -> Arc<dyn convert::Convert>;

    /// Deletes the stores of all models but those whose vectors are in `keep`; a backend that
    /// never serves has none to delete.
    ///
    /// # Errors
    /// [`store::StoreError`] if one cannot be deleted.
    fn keep_stores(&self, keep: Vec<String>) -> store::Pending<'_, ()> {
        drop(keep);
        Box::pin(async { Ok(()) })
    }
}

/// What the program decides for the service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The list of watched folders, JSON; made when the first folder is added.
    pub folders_file: PathBuf,
    /// What is remembered of files that could not be converted, JSON; made when there is one.
    pub refused_file: PathBuf,
    /// What people said of answers, JSON; made with the first mark.
    pub marks_file: PathBuf,
    /// Whether indexing is paused, JSON; there only while it is, or was until a time.
    pub paused_file: PathBuf,
    /// What is remembered of touched files, JSON; made when there is one.
    pub touched_file: PathBuf,
    /// When indexing waits for others.
    pub manners: Manners,
    /// What a `fore train` writes of its progress; there only while one runs.
    pub training_file: PathBuf,
    /// How questions are thought about when an ask does not say.
    pub sampling: Sampling,
    /// Whether thoughts are shown what a first search found; as the model was trained if `None`.
    pub grounded: Option<bool>,
    /// How long the first passages may be read before they are ranked when an ask does not say; zero
    /// leaves it out.
    pub reading_time: Duration,
    /// Program version, for the hello and the status.
    pub version: String,
    /// How often all folders are walked although nothing was reported.
    pub rescan_every: Duration,
    /// How long the model stays in memory without work; for ever if `None`.
    pub unload_after: Option<Duration>,
}

impl Settings {
    /// What an ask that says nothing else needs of the model, in the order that it needs it.
    fn parts(&self) -> impl Iterator<Item = Part> {
        let reads = (!self.reading_time.is_zero()).then_some(Part::Reading);
        let thinks = (self.sampling.thoughts > 0).then_some(Part::Thinking);
        [Some(Part::Embedding), reads, thinks].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests;
