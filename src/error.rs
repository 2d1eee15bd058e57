//! What a person sees of a failure, and the only table that turns library errors into it.

use std::fmt;
use std::io;
use std::path::Path;

use daemon::Critical;
use daemon_eval::EvalError;
use daemon_protocol::client::ClientError;
use daemon_protocol::{ErrorKind, Failure};
use models::{MindError, UserError};
use models_train::TrainError;
use serde::Serialize;
use serde_json::json;
use tui::TuiError;
use tui_saved::SavedError;

/// Exit status of a search that found nothing, or of asking after a daemon that does not run.
pub(crate) const NOTHING: u8 = 1;
/// Exit status of every error, wrong usage included.
pub(crate) const ERROR: u8 = 2;
/// Exit status after Ctrl-C, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// Classes of failure, for programs that read them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// What was asked makes no sense: a wrong flag, an empty question, a file that is none.
    Invalid,
    /// There is nothing to search yet.
    NothingIndexed,
    /// No daemon answers, or one that speaks another protocol.
    Daemon,
    /// The daemon has too much to do; try again.
    Busy,
    /// Stopped before its end.
    Cancelled,
    /// A file, folder or stream.
    Io,
    /// Everything else.
    #[default]
    Failed,
}

/// A failure as it is shown: `error: <message>`, then a line per hint.
#[derive(Debug)]
pub(crate) struct AppError {
    /// Lower case, no full stop. Empty if there is nobody left to tell: see [`AppError::reader_gone`].
    pub(crate) message: String,
    /// What the person can do about it.
    pub(crate) hints: Vec<String>,
    /// Exit status of the program.
    pub(crate) exit: u8,
    pub(crate) kind: Kind,
}

impl AppError {
    /// A failure with exit status [`ERROR`].
    pub(crate) fn new(message: impl Into<String>) -> Self {
        AppError { message: message.into(), hints: Vec::new(), exit: ERROR, kind: Kind::default() }
    }

    /// The same with one more hint.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same with another exit status.
    pub(crate) fn exiting(mut self, exit: u8) -> Self {
        self.exit = exit;
        self
    }

    /// The same of another kind.
    pub(crate) fn of(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// The message and the hints in one line.
    pub(crate) fn told(&self) -> String {
        let hints = self.hints.iter().map(|hint| format!("; {hint}"));
        format!("{}{}", self.message, hints.collect::<String>())
    }

    /// What a program reads in place of the lines for a person: `{"error": {...}}`.
    pub(crate) fn json(&self) -> String {
        let AppError { message, hints, exit, kind } = self;
        let error = json!({"kind": kind, "message": message, "hints": hints, "exit": exit});
        json!({ "error": error }).to_string()
    }

    /// An input or output error, with what was being done: `reading /a/b`.
    pub(crate) fn io(doing: impl fmt::Display, source: &io::Error) -> Self {
        AppError::from(UserError::io(doing, source)).of(Kind::Io)
    }

    /// A file or folder that cannot be read.
    pub(crate) fn reading(path: &Path, source: &io::Error) -> Self {
        AppError::from(UserError::reading(path, source)).of(Kind::Io)
    }

    /// Whoever read our output has gone (`fore ask ... | head -1`): end without a word.
    pub(crate) fn reader_gone() -> Self {
        AppError { exit: 0, ..AppError::new("") }
    }
}

/// The lines that a person sees, and that a launcher finds in the daemon's log.
impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        self.hints.iter().try_for_each(|hint| write!(f, "\n  hint: {hint}"))
    }
}

impl From<ClientError> for AppError {
    fn from(error: ClientError) -> Self {
        let message = error.to_string();
        let told = match error {
            ClientError::Connect { .. } => AppError::new(message).hint("run: fore daemon start"),
            ClientError::Protocol { .. } => {
                AppError::new(message).hint("run: fore daemon stop && fore daemon start")
            }
            ClientError::Closed => AppError::new("the daemon closed the connection")
                .hint("its log may say why; `fore daemon start` starts it again"),
            ClientError::Io(_) | ClientError::Frame(_) => AppError::new(message),
        };
        told.of(Kind::Daemon)
    }
}

impl From<UserError> for AppError {
    fn from(UserError { message, hints }: UserError) -> Self {
        AppError { hints, ..AppError::new(message) }
    }
}

/// For rooms that do not know how the process ends.
impl From<AppError> for UserError {
    fn from(AppError { message, hints, .. }: AppError) -> Self {
        UserError { message, hints }
    }
}

impl From<TrainError> for AppError {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Failed(error) => error.into(),
            TrainError::Stopped => AppError::new("stopped; nothing is lost")
                .hint("the same command goes on from here")
                .exiting(INTERRUPTED)
                .of(Kind::Cancelled),
        }
    }
}

impl From<MindError> for AppError {
    fn from(error: MindError) -> Self {
        AppError::new(error.to_string())
    }
}

impl From<Critical> for AppError {
    fn from(error: Critical) -> Self {
        AppError::new(error.to_string())
    }
}

impl From<EvalError> for AppError {
    fn from(error: EvalError) -> Self {
        let message = error.to_string();
        match error {
            EvalError::NoPeer(_) => AppError::new(message).hint("leave its columns out: --no-peer"),
            EvalError::NothingIndexed => AppError::new(message).hint("run: fore add DIR"),
            EvalError::NotIndexed { .. } => AppError::new(message)
                .hint("if the file is new: fore sync")
                .hint("if its folder is not watched: fore add DIR"),
            EvalError::Start(_)
            | EvalError::Store(_)
            | EvalError::Model(_)
            | EvalError::Service(_)
            | EvalError::Thoughts { .. } => AppError::new(message),
        }
    }
}

impl From<SavedError> for AppError {
    fn from(error: SavedError) -> Self {
        let told = AppError::new(error.to_string());
        match error {
            SavedError::File(_) => told,
            _ => told.hint("see them all: fore saved").of(Kind::Invalid),
        }
    }
}

impl From<TuiError> for AppError {
    fn from(error: TuiError) -> Self {
        AppError::new(error.to_string())
    }
}

impl From<Failure> for AppError {
    fn from(failure: Failure) -> Self {
        let kind = match failure.kind {
            ErrorKind::Invalid => Kind::Invalid,
            ErrorKind::Busy => Kind::Busy,
            ErrorKind::Cancelled => Kind::Cancelled,
            ErrorKind::Internal => Kind::Failed,
        };
        AppError {
            hints: failure.hint.into_iter().collect(),
            ..AppError::new(failure.message).of(kind)
        }
    }
}

/// A command line that is none, as clap tells it.
impl From<clap::Error> for AppError {
    fn from(error: clap::Error) -> Self {
        let text = error.render().to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let message = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        lines.fold(AppError::new(message).of(Kind::Invalid), AppError::hint)
    }
}

#[cfg(test)]
mod tests;
