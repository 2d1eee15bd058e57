//! Who watches a run: the terminal, and the file that the daemon looks at.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use daemon_protocol::TrainingStatus;
use models::files::write_atomically;
use models_train::world::{Status, Watcher};

use crate::term::progress::Progress;
use crate::term::streams;

/// How often others are told how far a run is.
const TOLD_EVERY: Duration = Duration::from_millis(1_000);

/// See the module.
pub(super) struct Console {
    file: PathBuf,
    bar: RefCell<Progress>,
    at: RefCell<Option<Instant>>,
}

impl Console {
    /// Tells others by `file`, and the terminal unless it is to be quiet.
    pub(super) fn new(quiet: bool, file: PathBuf) -> Console {
        let bar = RefCell::new(Progress::new(quiet));
        Console { file, bar, at: RefCell::default() }
    }
}

impl Watcher for Console {
    fn note(&self, line: &str) {
        streams::diagnostic(line);
    }

    fn told(&self, status: &Status) {
        self.bar.borrow_mut().update(&shown(status), status.done, status.total);
        let at = &mut *self.at.borrow_mut();
        if at.is_none_or(|at| at.elapsed() >= TOLD_EVERY) {
            *at = Some(Instant::now());
            // Nobody may be watching; a run does not fail for it.
            if let Ok(json) = serde_json::to_vec(&for_others(status)) {
                write_atomically(&self.file, &json).ok();
            }
        }
    }

    fn finished(&self) {
        self.bar.borrow_mut().finish();
        fs::remove_file(&self.file).ok();
    }
}

fn for_others(status: &Status) -> TrainingStatus {
    TrainingStatus {
        pid: std::process::id(),
        run: status.run.clone(),
        stage: status.stage.clone(),
        done: status.done,
        total: status.total,
        eta_s: status.eta_s,
        loss: status.loss,
        tokens_per_s: status.tokens_per_s,
        ndcg_10: status.ndcg_10,
    }
}

/// A stage as the bar's text.
fn shown(status: &Status) -> String {
    let mut text = status.stage.clone();
    if let Some(loss) = status.loss {
        text.push_str(&format!(" · loss {loss:.3}"));
    }
    if let Some(rate) = status.tokens_per_s {
        text.push_str(&format!(" · {rate:.0} tokens/s"));
    }
    if let Some(ndcg) = status.ndcg_10 {
        text.push_str(&format!(" · held-out nDCG@10 {ndcg:.3}"));
    }
    text
}
