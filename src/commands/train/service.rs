//! The parts of the service that a run needs: the index's way of cutting folders into passages, and
//! answers as users get them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use daemon::Backend;
use daemon::chunk;
use daemon::prepare::Tools;
use daemon_eval::{Backends, Plan, Reading, corpus};
use models::{TokenCounter, UserError};
use models_train::TrainError;
use models_train::world::{Exam, Folder, Service, Stop};

use crate::backend::{self, RealBackend};
use crate::config::Config;
use crate::error::AppError;
use crate::runtime;

/// How often it is asked whether to stop while a model is measured.
const STOP_POLLED: Duration = Duration::from_millis(200);

/// See the module.
pub(super) struct Parts {
    config: Arc<Config>,
}

impl Parts {
    pub(super) fn new(config: Arc<Config>) -> Parts {
        Parts { config }
    }
}

impl Service for Parts {
    fn model_in_use(&self) -> Result<PathBuf, UserError> {
        RealBackend::new(Arc::clone(&self.config)).model_file()
    }

    fn read_folder(&self, folder: &Path, tokens_max: usize, counter: &dyn TokenCounter) -> Folder {
        let (convert, roots) = (backend::readers(), [folder.to_owned()]);
        let tools = Tools { tokens_max, counter, convert: &convert, roots: &roots };
        let found = corpus::read_folder(folder, tools);
        let passages = found.passages.into_iter().map(|passage| (passage.path, passage.text));
        Folder { passages: passages.collect(), problems: found.problems }
    }

    fn embedded_text(&self, title: &str, text: &str) -> String {
        chunk::embedded_text(title, "", text)
    }

    fn examine(
        &self,
        exam: &Exam<'_>,
        stop: &Stop,
        progress: &mut dyn FnMut(&str, usize, usize),
    ) -> Result<Vec<Vec<f64>>, TrainError> {
        let plan = Plan {
            columns: exam.columns.to_vec(),
            sampling: exam.sampling.clone(),
            reading: Reading::default(),
            chunked: false,
        };
        let (config, model) = (Arc::clone(&self.config), exam.model.to_owned());
        let own: Arc<dyn Backend> =
            Arc::new(RealBackend::with_model(config, model, exam.index.clone()));
        let backends = Backends { own, peer: None };
        let report =
            daemon_eval::collection(exam.collection, &plan, &backends, &exam.thoughts, progress);
        let stopped = async {
            while !stop.asked() {
                tokio::time::sleep(STOP_POLLED).await;
            }
        };
        let runtime = runtime::of_many_threads().map_err(UserError::from)?;
        let report = runtime.block_on(async {
            tokio::select! {
                report = report => {
                    report.map_err(|error| UserError::from(AppError::from(error)).into())
                }
                () = stopped => Err(TrainError::Stopped),
            }
        })?;
        let column = |at: usize| {
            report.queries.iter().map(|query| query.answers[at].scores.ndcg_10).collect()
        };
        Ok((0..report.columns.len()).map(column).collect())
    }
}
