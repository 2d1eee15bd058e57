//! `fore model`: the model file that everything else reads. Which one that is is [`choice`]'s.

pub(crate) mod choice;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use models_candle::gguf;
use models_candle::head::FittedHead;
use models_candle::meta::Meta;
use models_candle::train::merge;
use serde_json::json;

use crate::args::ModelCommand;
use crate::config::Config;
use crate::daemon_command;
use crate::error::{AppError, NOTHING};
use crate::output::{self, Stdout};
use crate::pull::report::{Console, Report, size};
use crate::pull::{self, BASE, Sources, TEACHER, Turn};
use crate::train_command::files;

/// Below the models' folder: what was downloaded to make a model of, removed once it is made.
const SOURCE_FOLDER: &str = "source";

/// Runs one of the model commands.
pub(crate) fn run(command: &ModelCommand, config: &Config) -> Result<(), AppError> {
    match command {
        ModelCommand::Pull { from_file, force, teacher } => {
            let mut report = Console::new(config.quiet);
            let _turn = Turn::take(&config.paths.models)?;
            let made = pull_model(from_file.as_deref(), *force, config, &mut report)?;
            let in_use = config.model_file()?;
            if in_use != config.paths.default_model {
                report.note(&format!(
                    "{} stays in use; to use this: fore model use default",
                    in_use.display()
                ));
            } else if made {
                tell_daemon(config)?;
            }
            if *teacher { pull_teacher(config, &mut report) } else { Ok(()) }
        }
        ModelCommand::Use { path } => choice::use_model(path, config),
        ModelCommand::Rollback => choice::rollback(config),
        ModelCommand::Export { file, run } => choice::export(file, run.as_deref(), config),
        ModelCommand::List { json } => list(*json, config),
        ModelCommand::FitHead(args) => crate::fit_command::run(args, config),
    }
}

fn sources() -> Sources {
    Sources::decide(&|name| std::env::var(name).ok())
}

/// Makes the usual model file, base and adapter merged, or finds that there is nothing to do; whether
/// the file is another one now.
fn pull_model(
    from_file: Option<&Path>,
    force: bool,
    config: &Config,
    report: &mut dyn Report,
) -> Result<bool, AppError> {
    let (base, out) = (&config.paths.base_model, &config.paths.default_model);
    let (adapter, named) = merge::shipped()?;
    pull_base(base, from_file, force, config, report)?;
    if !force && out.exists() {
        match gguf::open(out) {
            Ok(file) if named.describes(&file.meta) => {
                report.note(&format!("{} is there already; nothing to do", out.display()));
                return Ok(false);
            }
            Ok(_) => report.note(&format!("{}: renewing it", out.display())),
            Err(error) => report.note(&format!("{error}; making it again")),
        }
    }
    if adapter.about.notes.get("base") != Some(&gguf::fingerprint(base)?) {
        return Err(AppError::new(format!(
            "{} is not what the adapter was trained on",
            base.display()
        ))
        .hint("make it again: fore model pull --force"));
    }
    let bytes = fs::metadata(base).map_or(0, |stat| stat.len());
    let mut progress = |share: f32| {
        report.progress("merging the adapter", (f64::from(share) * bytes as f64) as u64, bytes);
    };
    merge::merge(base, &adapter, &named, out, &mut progress)?;
    let made = fs::metadata(out).map_or(0, |stat| stat.len());
    report.note(&format!("made {} ({})", out.display(), size(made)));
    Ok(true)
}

/// Makes the base model's file, or brings its head up to date, or finds that there is nothing to do.
fn pull_base(
    out: &Path,
    from_file: Option<&Path>,
    force: bool,
    config: &Config,
    report: &mut dyn Report,
) -> Result<(), AppError> {
    let shipped = FittedHead::shipped()?;
    if !force && out.exists() {
        match gguf::open(out).and_then(|mut file| file.carries(&shipped)) {
            Ok(true) => return Ok(()),
            Ok(false) => {
                report.note(&format!("{}: renewing its head", out.display()));
                return make(out, out, &shipped, report);
            }
            Err(error) => report.note(&format!("{error}; making it again")),
        }
    }
    if let Some(file) = from_file {
        check_source(file)?;
        return make(file, out, &shipped, report);
    }
    let folder = config.paths.models.join(SOURCE_FOLDER);
    pull::fetch(&BASE, &folder, &sources(), report)?;
    make(&folder.join(BASE.parts[0].file), out, &shipped, report)?;
    fs::remove_dir_all(&folder)
        .map_err(|error| AppError::io(format_args!("removing {}", folder.display()), &error))
}

/// A file that a person brought must be the one that the sources have.
fn check_source(file: &Path) -> Result<(), AppError> {
    pull::verify(file, &BASE.parts[0]).map_err(|mismatch| {
        AppError::new(format!("{}: {mismatch}", file.display()))
            .hint(format!("expected is {} of {}", BASE.parts[0].file, BASE.hub_repo))
            .hint(format!("to use another model: fore model use {}", file.display()))
    })
}

fn make(
    source: &Path,
    out: &Path,
    shipped: &FittedHead,
    report: &mut dyn Report,
) -> Result<(), AppError> {
    let base = gguf::open(source)?;
    let meta = Meta::shipped(&base.content, shipped)?;
    let bytes = base.bytes;
    drop(base);
    let mut progress = |share: f32| {
        report.progress("re-quantising to Q8_0", (f64::from(share) * bytes as f64) as u64, bytes);
    };
    gguf::convert(source, Some(&shipped.head), &meta, out, &mut progress)?;
    let made = fs::metadata(out).map_or(0, |stat| stat.len());
    report.note(&format!("made {} ({})", out.display(), size(made)));
    Ok(())
}

fn pull_teacher(config: &Config, report: &mut dyn Report) -> Result<(), AppError> {
    let folder = config.teacher_dir();
    pull::fetch(&TEACHER, &folder, &sources(), report)?;
    report.note(&format!("the teacher is in {}", folder.display()));
    Ok(())
}

fn tell_daemon(config: &Config) -> Result<(), AppError> {
    crate::wait_for(daemon_command::reload(config)).map(|_| ())
}

fn note(config: &Config, line: &str) {
    if !config.quiet {
        output::diagnostic(line);
    }
}

/// Makes `bytes` the content of the file, at once and for good; makes its folder if need be.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), AppError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|error| AppError::io(format_args!("writing {}", path.display()), &error))
}

/// A model file as `fore model list` shows it.
struct Listed {
    path: PathBuf,
    in_use: bool,
    bytes: u64,
    /// Or why it cannot be used.
    state: Result<Known, String>,
}

struct Known {
    meta: Meta,
    fingerprint: String,
}

fn list(as_json: bool, config: &Config) -> Result<(), AppError> {
    let in_use = config.model_file()?;
    let listed: Vec<Listed> =
        model_files(config, &in_use)?.into_iter().map(|path| inspect(path, &in_use)).collect();
    if listed.is_empty() && !as_json {
        let models = config.paths.models.display();
        return Err(AppError::new(format!("no model in {models}"))
            .hint("run: fore model pull")
            .exiting(NOTHING));
    }
    let text = if as_json {
        format!("{}\n", serde_json::Value::Array(listed.iter().map(Listed::json).collect()))
    } else {
        listed.iter().map(Listed::line).collect()
    };
    Stdout::lock().print(&text)
}

/// GGUF files of the cache and of the runs by name, and the one in use wherever it lies.
fn model_files(config: &Config, in_use: &Path) -> Result<Vec<PathBuf>, AppError> {
    let mut files = entries(&config.paths.models)?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "gguf"));
    let runs = entries(&config.paths.runs)?.into_iter().map(|run| run.join(files::MODEL));
    files.extend(runs.filter(|model| model.is_file()));
    let chosen = in_use != config.paths.default_model;
    if chosen && !files.iter().any(|path| path == in_use) {
        files.push(in_use.to_owned());
    }
    files.sort();
    Ok(files)
}

/// What is in a folder; nothing if it is not there.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, AppError> {
    match fs::read_dir(folder) {
        Ok(entries) => {
            Ok(entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(AppError::io(format_args!("reading {}", folder.display()), &error)),
    }
}

fn inspect(path: PathBuf, in_use: &Path) -> Listed {
    let state = gguf::open(&path)
        .and_then(|file| Ok(Known { fingerprint: gguf::fingerprint(&path)?, meta: file.meta }));
    Listed {
        in_use: path == in_use,
        bytes: fs::metadata(&path).map_or(0, |stat| stat.len()),
        state: state.map_err(|error| error.to_string()),
        path,
    }
}

impl Listed {
    fn line(&self) -> String {
        let mark = if self.in_use { '*' } else { ' ' };
        match &self.state {
            Ok(Known { meta, fingerprint }) => format!(
                "{mark} {}  {}  {} ({})  {} wide  {fingerprint}\n",
                self.path.display(),
                size(self.bytes),
                meta.name,
                meta.architecture,
                meta.width
            ),
            Err(why) => format!("{mark} unusable: {why}\n"),
        }
    }

    fn json(&self) -> serde_json::Value {
        let path = self.path.display().to_string();
        match &self.state {
            Ok(Known { meta, fingerprint }) => json!({
                "path": path,
                "in_use": self.in_use,
                "bytes": self.bytes,
                "name": meta.name,
                "architecture": meta.architecture,
                "width": meta.width,
                "fingerprint": fingerprint,
            }),
            Err(why) => {
                json!({"path": path, "in_use": self.in_use, "bytes": self.bytes, "error": why})
            }
        }
    }
}
