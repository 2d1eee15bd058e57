//! `fore model list`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use models_candle::gguf;
use models_candle::meta::Meta;
use models_train::files;
use serde_json::json;
use tui_text::bytes as size;

use crate::config::Config;
use crate::error::{AppError, NOTHING};
use crate::term::streams::Stdout;

/// Show the model files in the cache and which one is used.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    json: bool,
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

pub(crate) fn run(args: &Args, config: &Config) -> Result<(), AppError> {
    let in_use = config.model_file()?;
    let listed: Vec<Listed> =
        model_files(config, &in_use)?.into_iter().map(|path| inspect(path, &in_use)).collect();
    if listed.is_empty() && !args.json {
        let models = config.paths.models.display();
        return Err(AppError::new(format!("no model in {models}"))
            .hint("run: fore model pull")
            .exiting(NOTHING));
    }
    let text = if args.json {
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
