//! The folder of a run, and how far it is for those who watch.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use models::files::{Lock, write_atomically};
use models_candle::gguf;
use sha2::{Digest, Sha256};

use crate::error::TrainError;
use crate::files;
use crate::knobs::{Judging, Knobs};
use crate::world::{Status, World};

/// Characters of the digest that names a run.
const NAME_DIGITS: usize = 8;

/// See the module.
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// The model file that it starts from.
    pub(crate) base: PathBuf,
    pub(crate) world: World,
    told: RefCell<Told>,
    _alone: Lock,
}

/// What was told last, and since when and from where the stage goes on.
struct Told {
    status: Status,
    since: Instant,
    first: usize,
}

impl Run {
    /// The run that these arguments describe, new or interrupted.
    pub(crate) fn open(args: &Knobs, world: World) -> Result<Run, TrainError> {
        let base = match &args.learning.base {
            Some(base) => world.working_dir.join(base),
            None => world.service.model_in_use()?,
        };
        let plan = plan(args, &world.working_dir, &base)?;
        let digest = format!("{:x}", Sha256::digest(plan.as_bytes()));
        let name = args.name.clone().unwrap_or_else(|| digest[..NAME_DIGITS].to_owned());
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) {
            return Err(TrainError::new(format!("--name {name:?} cannot name a folder")));
        }
        let folder = world.runs.join(&name);
        let making = |error| TrainError::io(format_args!("making {}", folder.display()), &error);
        fs::create_dir_all(&folder).map_err(making)?;
        let alone = Lock::try_take(&folder.join("lock"))?.ok_or_else(|| {
            TrainError::new(format!("another fore train is at {}", folder.display()))
                .hint("wait until it has ended, or give this one a --name of its own")
        })?;
        if args.fresh {
            let in_use = world.service.model_in_use().ok();
            let spare: Vec<&Path> =
                std::iter::once(&base).chain(&in_use).map(PathBuf::as_path).collect();
            spared(&folder, &spare)?;
            empty(&folder)?;
        }
        let planned = folder.join("plan.txt");
        match fs::read_to_string(&planned) {
            Ok(before) if before != plan => {
                return Err(TrainError::new(format!("{} holds another run", folder.display()))
                    .hint("begin it again: --fresh, or choose another --name")
                    .hint(format!("what it does is in {}", planned.display())));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write_atomically(&planned, plan.as_bytes())?;
            }
            Err(error) => return Err(TrainError::reading(&planned, &error)),
        }
        let status =
            Status { run: name.clone(), stage: "starting".to_owned(), ..Status::default() };
        let told = RefCell::new(Told { status, since: Instant::now(), first: 0 });
        world.watcher.note(&format!("run {name} in {}", folder.display()));
        Ok(Run { name, folder, base, world, told, _alone: alone })
    }

    /// Tells whoever watches a line.
    pub(crate) fn note(&self, line: &str) {
        self.world.watcher.note(line);
    }

    /// A file of the run.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The merged model.
    pub(crate) fn model(&self) -> PathBuf {
        self.file(files::MODEL)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), TrainError> {
        Ok(write_atomically(&self.file(name), text.as_bytes())?)
    }

    pub(crate) fn device(&self) -> Result<models_candle::device::Device, TrainError> {
        Ok(self.world.device.open()?.0)
    }

    /// Tells whoever watches how far `stage` is.
    pub(crate) fn progress(&self, stage: &str, done: usize, total: usize) {
        self.tell(stage, done, total, &|_| {});
    }

    /// The same with what else there is to know.
    pub(crate) fn tell(&self, stage: &str, done: usize, total: usize, more: &dyn Fn(&mut Status)) {
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
        self.world.watcher.told(status);
    }

    /// Nothing more will be told.
    pub(crate) fn finish(&self) {
        self.world.watcher.finished();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.finish();
    }
}

/// All that decides what a run does, as text: the arguments but for those that only say how to go
/// about it, and the model it starts from.
fn plan(args: &Knobs, working_dir: &Path, base: &Path) -> Result<String, TrainError> {
    let Knobs { data, making, learning, judging, seed, name: _, fresh: _ } = args;
    let mut data = data.clone();
    // The same words mean another folder elsewhere.
    for path in data.folder.iter_mut().chain(&mut data.data).chain(&mut data.beir) {
        let absolute = working_dir.join(&*path).canonicalize();
        *path = absolute.map_err(|error| TrainError::reading(path, &error))?;
    }
    let judging = Judging { no_promote: false, ..judging.clone() };
    let base = gguf::fingerprint(base)?;
    let mut plan =
        format!("{data:#?}\n{making:#?}\n{learning:#?}\n{judging:#?}\nseed {seed}\nbase {base}\n");
    if let Some(adapter) = &learning.adapter {
        // A file of this name may be another one tomorrow.
        let path = working_dir.join(adapter);
        let bytes = fs::read(&path).map_err(|error| TrainError::reading(&path, &error))?;
        plan.push_str(&format!("adapter {:x}\n", Sha256::digest(&bytes)));
    }
    Ok(plan)
}

/// # Errors
/// If one of the `models` lies in `folder`, which is about to be emptied.
fn spared(folder: &Path, models: &[&Path]) -> Result<(), TrainError> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    match models.iter().find(|model| real(model).starts_with(real(folder))) {
        None => Ok(()),
        Some(model) => Err(TrainError::new(format!("{} is in use", model.display()))
            .hint("begin a run beside it: --name NAME")
            .hint("or go back to the model before: fore model rollback")),
    }
}

/// Removes everything but the lock.
fn empty(folder: &Path) -> Result<(), TrainError> {
    let failed = |error| TrainError::io(format_args!("emptying {}", folder.display()), &error);
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
