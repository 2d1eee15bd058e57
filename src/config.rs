//! Settings file, environment and flags become one immutable [`Config`]; every path of the
//! program is decided here. The environment is an argument, so that tests can bring their own.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon::Manners;
use daemon_host::settings::{self, Settings};
use models::{Sampling, UserError};
use serde::{Deserialize, Serialize};

use crate::cli::{Color, Device, Global};
use crate::error::{AppError, Kind};

/// Folder name below each of the XDG base directories.
const PROGRAM_DIR: &str = "forethought";
/// Names of the model files that `fore model pull` makes: what is downloaded, and what is trained of
/// it.
const BASE_MODEL: &str = "smollm2-135m-instruct-q8_0.gguf";
const DEFAULT_MODEL: &str = "o1-embedder-135m.gguf";
/// Name of the folder of the teacher model, beside the model files.
const TEACHER_DIR: &str = "all-MiniLM-L6-v2";
/// Longest socket path in bytes that every platform takes: macOS has room for 104, one of them
/// the closing zero.
const SOCKET_PATH_BYTES_MAX: usize = 103;

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    pub(crate) paths: Paths,
    pub(crate) device: Device,
    /// Whether the device was named for this very call, rather than in the settings file.
    pub(crate) device_named: bool,
    /// The flags that a daemon started by this call must get to decide as this call did.
    pub(crate) daemon_flags: Vec<OsString>,
    pub(crate) sampling: Sampling,
    pub(crate) grounded: Option<bool>,
    pub(crate) reading_time: Duration,
    pub(crate) rescan_every: Duration,
    pub(crate) unload_after: Option<Duration>,
    pub(crate) manners: Manners,
    /// Where the index is that machines share; in [`Paths::index`] if there is none.
    pub(crate) store: Option<String>,
    /// Of the full-screen view.
    pub(crate) keys: tui::OwnKeys,
    pub(crate) vi: bool,
    pub(crate) quiet: bool,
    /// Never, unless it was asked for, if `NO_COLOR` is set or the terminal is dumb.
    pub(crate) color: Color,
    /// Whether a terminal may be given links: not a dumb one, nor where there are no colours.
    pub(crate) links: bool,
    /// `$VISUAL` or `$EDITOR`.
    pub(crate) editor: Option<String>,
    /// `$FORETHOUGHT_LOG`: a filter as `tracing` writes them.
    pub(crate) log_filter: Option<String>,
    /// The working directory, which relative paths on the command line and on screen start at.
    pub(crate) working_dir: PathBuf,
    /// Paths below it are shown with `~` on the full screen.
    pub(crate) home: Option<PathBuf>,
}

/// Where everything lies. All absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paths {
    /// The settings file, which need not exist.
    pub(crate) config: PathBuf,
    /// List of watched folders.
    pub(crate) folders: PathBuf,
    /// What is remembered of files that could not be read.
    pub(crate) refused: PathBuf,
    /// What people said of answers.
    pub(crate) marks: PathBuf,
    /// Searches that are saved under a name.
    pub(crate) saved: PathBuf,
    /// Whether indexing is paused; absent while it is not.
    pub(crate) paused: PathBuf,
    /// What is remembered of files that were touched.
    pub(crate) touched: PathBuf,
    /// The LanceDB directory.
    pub(crate) index: PathBuf,
    /// Which model is used: a [`ModelChoice`]; absent until one is chosen.
    pub(crate) model_choice: PathBuf,
    /// Which model's table answers: a [`crate::backend::Served`].
    pub(crate) served: PathBuf,
    /// Runs of `fore train`, a folder each.
    pub(crate) runs: PathBuf,
    /// How far a run of `fore train` is, for whoever watches; absent while none runs.
    pub(crate) training: PathBuf,
    /// Indexes and thoughts of `fore eval`: a cache too.
    pub(crate) eval: PathBuf,
    /// Cache of model files.
    pub(crate) models: PathBuf,
    /// The base model, which the shipped adapter is merged into.
    pub(crate) base_model: PathBuf,
    /// What `fore model pull` makes of it, and what is used unless another model is chosen.
    pub(crate) default_model: PathBuf,
    pub(crate) log: PathBuf,
    /// Folders of what is made of people's own texts; see [`crate::private`].
    pub(crate) private: [PathBuf; 3],
    /// Locked by the daemon as long as it lives; holds its process id and its socket's path. Beside
    /// what it writes, so that there is one daemon for it whatever the runtime directory.
    pub(crate) lock: PathBuf,
    /// Locked by whoever starts a daemon, so that ten clients start one.
    pub(crate) startup_lock: PathBuf,
    /// Directory of the socket; ours alone, mode 0700.
    pub(crate) runtime: PathBuf,
    /// Where a daemon that is started now listens.
    pub(crate) socket: PathBuf,
}

/// The content of [`Paths::model_choice`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModelChoice {
    pub(crate) path: PathBuf,
    /// What was used before, the newest last: where `fore model rollback` goes.
    #[serde(default)]
    pub(crate) before: Vec<PathBuf>,
}

/// What the outside tells a program: environment variables, user and working directory.
pub(crate) struct Surroundings<'a> {
    pub(crate) variable: &'a dyn Fn(&str) -> Option<OsString>,
    pub(crate) user_id: u32,
    pub(crate) working_dir: PathBuf,
}

impl Config {
    /// Reads the settings file, if there is one, and lays environment and flags over it. Of a file that
    /// is wrong nothing counts, and what is wrong comes with it: a command may be there to mend that.
    pub(crate) fn load(
        flags: &Global,
        outside: &Surroundings<'_>,
    ) -> Result<(Config, Option<AppError>), AppError> {
        let paths = Paths::decide(flags, outside)?;
        let (settings, wrong) = match read_settings(&paths.config, flags.config.is_some()) {
            Ok(settings) => (settings, None),
            Err(error) => (Settings::default(), Some(error)),
        };
        let text = |name: &str| non_empty(outside, name)?.into_string().ok();
        let named = match (flags.device, text("FORETHOUGHT_DEVICE")) {
            (Some(device), _) => Some(device),
            (None, Some(name)) => Some(device_called(&name)?),
            (None, None) => None,
        };
        let dumb = text("TERM").as_deref() == Some("dumb");
        let color = match flags.color {
            Color::Auto if dumb || text("NO_COLOR").is_some() => Color::Never,
            color => color,
        };
        let config = Config {
            device: named.or(settings.device).unwrap_or(Device::Auto),
            device_named: named.is_some(),
            sampling: settings.sampling,
            grounded: settings.grounded,
            reading_time: settings.reading_time,
            rescan_every: settings.rescan_every,
            unload_after: settings.unload_after,
            manners: settings.manners,
            store: settings.store,
            keys: settings.keys,
            vi: settings.vi,
            quiet: flags.quiet,
            color,
            links: color != Color::Never && !dumb,
            editor: text("VISUAL").or_else(|| text("EDITOR")),
            log_filter: text("FORETHOUGHT_LOG"),
            working_dir: outside.working_dir.clone(),
            home: absolute(outside, "HOME"),
            daemon_flags: daemon_flags(flags, &paths),
            paths,
        };
        Ok((config, wrong))
    }

    /// Whether what goes to a stream that is a terminal, or is not, is coloured.
    pub(crate) fn colored(&self, is_terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal,
        }
    }

    /// Where `fore model pull --teacher` puts the teacher of the embedding head.
    pub(crate) fn teacher_dir(&self) -> PathBuf {
        self.paths.models.join(TEACHER_DIR)
    }

    /// The model file in use: the chosen one, else the one that `fore model pull` makes. Asked
    /// for at every load, since the choice may change while the daemon runs.
    pub(crate) fn model_file(&self) -> Result<PathBuf, UserError> {
        self.model_choice().map(|choice| choice.path)
    }

    /// The choice as it stands.
    pub(crate) fn model_choice(&self) -> Result<ModelChoice, UserError> {
        let choice = &self.paths.model_choice;
        match fs::read(choice) {
            Ok(json) => serde_json::from_slice(&json).map_err(|error| {
                UserError::new(format!("{}: {error}", choice.display()))
                    .hint("run: fore model use PATH")
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(ModelChoice { path: self.paths.default_model.clone(), before: Vec::new() })
            }
            Err(error) => Err(UserError::reading(choice, &error)),
        }
    }
}

impl Paths {
    fn decide(flags: &Global, outside: &Surroundings<'_>) -> Result<Paths, AppError> {
        let base = |variable: &str, below_home: &str| base_dir(outside, variable, below_home);
        let data = base("XDG_DATA_HOME", ".local/share")?;
        let cache = base("XDG_CACHE_HOME", ".cache")?;
        let state = base("XDG_STATE_HOME", ".local/state")?;
        let models = cache.join("models");
        let runtime = match absolute(outside, "XDG_RUNTIME_DIR") {
            Some(dir) => dir.join(PROGRAM_DIR),
            None => PathBuf::from(format!("/tmp/{PROGRAM_DIR}-{}", outside.user_id)),
        };
        let socket = runtime.join("daemon.sock");
        if socket.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
            return Err(AppError::new(format!(
                "{} is too long for a socket: {SOCKET_PATH_BYTES_MAX} bytes are allowed",
                socket.display()
            ))
            .hint("set XDG_RUNTIME_DIR to a shorter path"));
        }
        let config = match &flags.config {
            Some(file) => outside.working_dir.join(file),
            None => base("XDG_CONFIG_HOME", ".config")?.join("config.toml"),
        };
        Ok(Paths {
            config,
            folders: data.join("folders.json"),
            refused: data.join("refused.json"),
            marks: data.join("marks.json"),
            saved: data.join("saved"),
            paused: data.join("paused.json"),
            touched: data.join("touched.json"),
            index: data.join("index"),
            model_choice: data.join("model.json"),
            served: data.join("served.json"),
            runs: data.join("runs"),
            training: state.join("training.json"),
            private: [data.clone(), state.clone(), cache.join("eval")],
            lock: data.join("daemon.lock"),
            startup_lock: data.join("startup.lock"),
            eval: cache.join("eval"),
            base_model: models.join(BASE_MODEL),
            default_model: models.join(DEFAULT_MODEL),
            models,
            log: state.join("daemon.log"),
            socket,
            runtime,
        })
    }
}

/// Our folder below a base directory. A relative value is ignored, as the XDG specification says.
fn base_dir(
    outside: &Surroundings<'_>,
    variable: &str,
    below_home: &str,
) -> Result<PathBuf, AppError> {
    let base = absolute(outside, variable)
        .or_else(|| absolute(outside, "HOME").map(|home| home.join(below_home)));
    base.map(|dir| dir.join(PROGRAM_DIR)).ok_or_else(|| {
        AppError::new("the home directory is not known").hint(format!("set HOME or {variable}"))
    })
}

fn absolute(outside: &Surroundings<'_>, variable: &str) -> Option<PathBuf> {
    non_empty(outside, variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

fn non_empty(outside: &Surroundings<'_>, variable: &str) -> Option<OsString> {
    (outside.variable)(variable).filter(|value| !value.is_empty())
}

fn daemon_flags(flags: &Global, paths: &Paths) -> Vec<OsString> {
    let mut list = Vec::new();
    if flags.config.is_some() {
        list.extend(["--config".into(), paths.config.clone().into_os_string()]);
    }
    if let Some(device) = flags.device {
        list.extend(["--device".into(), device.name().into()]);
    }
    list
}

fn device_called(name: &str) -> Result<Device, AppError> {
    Device::ALL.into_iter().find(|device| device.name() == name).ok_or_else(|| {
        AppError::new(format!("FORETHOUGHT_DEVICE={name}: auto, cpu, cuda or metal is allowed"))
            .of(Kind::Invalid)
    })
}

/// The settings in `path`. A file that was `named` on the command line must exist.
fn read_settings(path: &Path, named: bool) -> Result<Settings, AppError> {
    match fs::read_to_string(path) {
        Ok(text) => settings::parse(&text).map_err(|problem| {
            AppError::new(format!("{}:{problem}", path.display())).of(Kind::Invalid)
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !named => Ok(Settings::default()),
        Err(error) => Err(AppError::reading(path, &error)),
    }
}

#[cfg(test)]
mod tests;
