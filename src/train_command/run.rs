//! The folder of a run, how far it is for those who watch, and when it has to stop.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use daemon_protocol::TrainingStatus;
use models_candle::device::DeviceChoice;
use models_candle::gguf;
use sha2::{Digest, Sha256};

use super::files;
use crate::args::train::{Judging, Train};
use crate::config::Config;
use crate::error::{AppError, INTERRUPTED};
use crate::model_command::write_atomically;
use crate::output::{self, Progress};
use crate::runtime_dir::Lock;

/// Characters of the digest that names a run.
const NAME_DIGITS: usize = 8;
/// How often others are told how far a run is.
const TOLD_EVERY: Duration = Duration::from_millis(1_000);

/// Whether to stop at the next good moment.
#[derive(Clone)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Set by Ctrl-C or SIGTERM. A second Ctrl-C ends the process as it always did.
    fn on_signals() -> Result<Stop, AppError> {
        use tokio::signal::unix::{SignalKind, signal};
        let stop = Stop(Arc::new(AtomicBool::new(false)));
        let asked = stop.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| AppError::io("starting the runtime", &error))?;
        std::thread::spawn(move || {
            runtime.block_on(async {
                let (Ok(mut interrupt), Ok(mut terminate)) =
                    (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
                else {
                    return;
                };
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
                asked.0.store(true, Ordering::Relaxed);
                output::diagnostic("stopping; once more to stop at once");
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
                std::process::exit(i32::from(INTERRUPTED));
            });
        });
        Ok(stop)
    }

    /// Whether to stop.
    pub(crate) fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// # Errors
    /// If it is time to stop.
    pub(crate) fn check(&self) -> Result<(), AppError> {
        if !self.asked() {
            return Ok(());
        }
        Err(AppError::new("stopped; nothing is lost")
            .hint("the same command goes on from here")
            .exiting(INTERRUPTED))
    }
}

/// See the module.
pub(super) struct Run {
    pub(super) name: String,
    pub(super) folder: PathBuf,
    /// The model file that it starts from.
    pub(super) base: PathBuf,
    pub(super) config: Arc<Config>,
    pub(super) stop: Stop,
    told: RefCell<Told>,
    _alone: Lock,
}

/// What was told last, and to whom.
struct Told {
    bar: Progress,
    status: TrainingStatus,
    at: Option<Instant>,
    since: Instant,
    first: usize,
}

impl Run {
    /// The run that these arguments describe, new or interrupted.
    pub(super) fn open(args: &Train, config: &Arc<Config>) -> Result<Run, AppError> {
        let base = match &args.learning.base {
            Some(base) => config.working_dir.join(base),
            None => config.model_file()?,
        };
        let plan = plan(args, config, &base)?;
        let digest = format!("{:x}", Sha256::digest(plan.as_bytes()));
        let name = args.name.clone().unwrap_or_else(|| digest[..NAME_DIGITS].to_owned());
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) {
            return Err(AppError::new(format!("--name {name:?} cannot name a folder")));
        }
        let folder = config.paths.runs.join(&name);
        let making = |error| AppError::io(format_args!("making {}", folder.display()), &error);
        fs::create_dir_all(&folder).map_err(making)?;
        let alone = Lock::try_take(&folder.join("lock"))?.ok_or_else(|| {
            AppError::new(format!("another fore train is at {}", folder.display()))
                .hint("wait until it has ended, or give this one a --name of its own")
        })?;
        if args.fresh {
            spared(&folder, &[&base, &config.model_choice()?.path])?;
            empty(&folder)?;
        }
        let planned = folder.join("plan.txt");
        match fs::read_to_string(&planned) {
            Ok(before) if before != plan => {
                return Err(AppError::new(format!("{} holds another run", folder.display()))
                    .hint("begin it again: --fresh, or choose another --name")
                    .hint(format!("what it does is in {}", planned.display())));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write_atomically(&planned, plan.as_bytes())?;
            }
            Err(error) => return Err(AppError::reading(&planned, &error)),
        }
        let told = Told {
            bar: Progress::new(config.quiet),
            status: TrainingStatus {
                pid: std::process::id(),
                run: name.clone(),
                stage: "starting".to_owned(),
                done: 0,
                total: 0,
                eta_s: None,
                loss: None,
                tokens_per_s: None,
                ndcg_10: None,
            },
            at: None,
            since: Instant::now(),
            first: 0,
        };
        let (config, told) = (Arc::clone(config), RefCell::new(told));
        output::diagnostic(&format!("run {name} in {}", folder.display()));
        Ok(Run { name, folder, base, config, stop: Stop::on_signals()?, told, _alone: alone })
    }

    /// A file of the run.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The merged model.
    pub(super) fn model(&self) -> PathBuf {
        self.file(files::MODEL)
    }

    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), AppError> {
        write_atomically(&self.file(name), text.as_bytes())
    }

    pub(super) fn device(&self) -> Result<models_candle::device::Device, AppError> {
        Ok(DeviceChoice::from(self.config.device).open()?.0)
    }

    /// Tells the terminal, and the file that the daemon looks at, how far `stage` is.
    pub(super) fn progress(&self, stage: &str, done: usize, total: usize) {
        self.tell(stage, done, total, &|_| {});
    }

    /// The same with what else there is to know.
    pub(super) fn tell(
        &self,
        stage: &str,
        done: usize,
        total: usize,
        more: &dyn Fn(&mut TrainingStatus),
    ) {
        let told = &mut *self.told.borrow_mut();
        if told.status.stage != stage {
            (told.since, told.first) = (Instant::now(), done);
            // They belong to the stage before.
            (told.status.loss, told.status.tokens_per_s) = (None, None);
        }
        let status = &mut told.status;
        (status.stage, status.done, status.total) = (stage.to_owned(), done, total);
        let news = done.saturating_sub(told.first);
        let pace = told.since.elapsed().as_secs_f64() / news.max(1) as f64;
        let left = total.saturating_sub(done) as f64 * pace;
        status.eta_s = (news > 0).then_some(left as u64);
        more(status);
        told.bar.update(&shown(status), done, total);
        if told.at.is_none_or(|at| at.elapsed() >= TOLD_EVERY) {
            told.at = Some(Instant::now());
            // Nobody may be watching; a run does not fail for it.
            if let Ok(json) = serde_json::to_vec(&told.status) {
                write_atomically(&self.config.paths.training, &json).ok();
            }
        }
    }

    /// Nothing more will be told.
    pub(super) fn finish(&self) {
        self.told.borrow_mut().bar.finish();
        fs::remove_file(&self.config.paths.training).ok();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.finish();
    }
}

/// A stage as the bar's text.
fn shown(status: &TrainingStatus) -> String {
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

/// All that decides what a run does, as text: the arguments but for those that only say how to go
/// about it, and the model it starts from.
fn plan(args: &Train, config: &Config, base: &Path) -> Result<String, AppError> {
    let Train { data, making, learning, judging, seed, name: _, fresh: _ } = args;
    let mut data = data.clone();
    // The same words mean another folder elsewhere.
    for path in data.folder.iter_mut().chain(&mut data.data).chain(&mut data.beir) {
        let absolute = config.working_dir.join(&*path).canonicalize();
        *path = absolute.map_err(|error| AppError::reading(path, &error))?;
    }
    let judging = Judging { no_promote: false, ..judging.clone() };
    let base = gguf::fingerprint(base)?;
    let mut plan =
        format!("{data:#?}\n{making:#?}\n{learning:#?}\n{judging:#?}\nseed {seed}\nbase {base}\n");
    if let Some(adapter) = &learning.adapter {
        // A file of this name may be another one tomorrow.
        let path = config.working_dir.join(adapter);
        let bytes = fs::read(&path).map_err(|error| AppError::reading(&path, &error))?;
        plan.push_str(&format!("adapter {:x}\n", Sha256::digest(&bytes)));
    }
    Ok(plan)
}

/// # Errors
/// If one of the `models` lies in `folder`, which is about to be emptied.
fn spared(folder: &Path, models: &[&Path]) -> Result<(), AppError> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    match models.iter().find(|model| real(model).starts_with(real(folder))) {
        None => Ok(()),
        Some(model) => Err(AppError::new(format!("{} is in use", model.display()))
            .hint("begin a run beside it: --name NAME")
            .hint("or go back to the model before: fore model rollback")),
    }
}

/// Removes everything but the lock.
fn empty(folder: &Path) -> Result<(), AppError> {
    let failed = |error| AppError::io(format_args!("emptying {}", folder.display()), &error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.file_name().is_some_and(|name| name == "lock") {
            continue;
        }
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(failed)?;
    }
    Ok(())
}
