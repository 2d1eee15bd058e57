//! What a run needs of the program around it: parts of the service, someone who watches, and where
//! things lie. Nothing here is done; the program brings it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use models::beir::Collection;
use models::column::Column;
use models::{Sampling, TokenCounter, UserError};
use models_candle::device::DeviceChoice;

use crate::error::TrainError;

/// All of it.
pub struct World {
    pub service: Box<dyn Service>,
    pub watcher: Box<dyn Watcher>,
    pub stop: Stop,
    /// Relative paths begin here.
    pub working_dir: PathBuf,
    /// Folders of runs, one each.
    pub runs: PathBuf,
    /// Folder of the teacher's model.
    pub teacher: PathBuf,
    pub device: DeviceChoice,
    /// How users' questions are thought about.
    pub sampling: Sampling,
    /// Whether their thoughts are grounded; as the model was trained if absent.
    pub grounded: Option<bool>,
    /// Of the program, for the manifest.
    pub version: &'static str,
}

/// What a folder holds, as the index would cut it.
#[derive(Debug, Default)]
pub struct Folder {
    /// (absolute path of its file, what is embedded of it), in order.
    pub passages: Vec<(String, String)>,
    /// What could not be read, with the reason.
    pub problems: Vec<(String, String)>,
}

/// Held-out questions, and how they are to be answered.
pub struct Exam<'a> {
    pub model: &'a Path,
    pub columns: &'a [Column],
    pub collection: &'a Collection,
    pub sampling: Sampling,
    /// Folders of the run's own, kept from one start to the next.
    pub index: PathBuf,
    pub thoughts: PathBuf,
}

/// The parts that serve users, without the service.
pub trait Service {
    /// The model in use, which is there.
    ///
    /// # Errors
    /// If it is not, with what to do.
    fn model_in_use(&self) -> Result<PathBuf, UserError>;

    /// Reads `folder` as the indexer would, into passages of at most `tokens_max` tokens.
    fn read_folder(&self, folder: &Path, tokens_max: usize, counter: &dyn TokenCounter) -> Folder;

    /// What is embedded of a document that is one passage.
    fn embedded_text(&self, title: &str, text: &str) -> String;

    /// nDCG@10 by column, and in each by query. Ends soon after `stop` is asked for.
    ///
    /// # Errors
    /// If a model or an index cannot be used, or it was stopped.
    fn examine(
        &self,
        exam: &Exam<'_>,
        stop: &Stop,
        progress: &mut dyn FnMut(&str, usize, usize),
    ) -> Result<Vec<Vec<f64>>, TrainError>;
}

/// Where a run is.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Name of the run.
    pub run: String,
    pub stage: String,
    pub done: usize,
    /// 0 if it is not known.
    pub total: usize,
    pub eta_s: Option<u64>,
    pub loss: Option<f32>,
    pub tokens_per_s: Option<f32>,
    /// Held-out, of the last look.
    pub ndcg_10: Option<f32>,
}

/// Is told what happens.
pub trait Watcher {
    /// A line.
    fn note(&self, line: &str);
    /// Where the run is now.
    fn told(&self, status: &Status);
    /// Nothing more will be told.
    fn finished(&self);
}

/// Whether to stop at the next good moment.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks for it.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether to stop.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// # Errors
    /// [`TrainError::Stopped`] if it is time to stop.
    pub fn check(&self) -> Result<(), TrainError> {
        if self.asked() { Err(TrainError::Stopped) } else { Ok(()) }
    }
}
