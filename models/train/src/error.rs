//! Why a run did not come to its end.

use std::fmt;
use std::io;
use std::path::Path;

use models::{MindError, UserError};

/// See the module.
#[derive(Debug)]
pub enum TrainError {
    /// Someone asked for it; nothing is lost.
    Stopped,
    Failed(UserError),
}

impl TrainError {
    pub(crate) fn new(message: impl Into<String>) -> TrainError {
        UserError::new(message).into()
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> TrainError {
        match self {
            TrainError::Stopped => TrainError::Stopped,
            TrainError::Failed(error) => error.hint(hint).into(),
        }
    }

    pub(crate) fn io(doing: impl fmt::Display, source: &io::Error) -> TrainError {
        UserError::io(doing, source).into()
    }

    pub(crate) fn reading(path: &Path, source: &io::Error) -> TrainError {
        UserError::reading(path, source).into()
    }

    pub(crate) fn writing(path: &Path, source: &io::Error) -> TrainError {
        UserError::writing(path, source).into()
    }
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrainError::Stopped => f.write_str("stopped"),
            TrainError::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TrainError {}

impl From<UserError> for TrainError {
    fn from(error: UserError) -> Self {
        TrainError::Failed(error)
    }
}

impl From<MindError> for TrainError {
    fn from(error: MindError) -> Self {
        UserError::from(error).into()
    }
}
