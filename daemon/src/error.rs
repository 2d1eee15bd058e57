//! What ends the service, and how a failed request is told. Everything else that goes wrong is a
//! `Problem` in the status or a line in the log, and the service goes on.

use std::path::PathBuf;

use daemon_protocol::{ErrorKind, Failure};

use crate::store::StoreError;

/// The service cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Critical {
    #[error("{0}")]
    Mind(#[from] models::MindError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The list of watched folders is there and cannot be understood; guessing would lose it.
    #[error(
        "the list of folders {path} cannot be used: {reason}; mend the file, or delete it and add \
         the folders again",
        path = path.display()
    )]
    FoldersFile { path: PathBuf, reason: String },
    #[error("starting a thread: {0}")]
    Thread(std::io::Error),
    /// A programming error; the log holds the panic's message.
    #[error("the {0} stopped unexpectedly; its log says why")]
    Panicked(&'static str),
    #[error("the {0} did not end in time")]
    Deadline(&'static str),
}

/// A request that makes no sense, and what would.
pub(crate) fn invalid(message: impl Into<String>, hint: impl Into<String>) -> Failure {
    Failure { kind: ErrorKind::Invalid, message: message.into(), hint: Some(hint.into()) }
}

/// The daemon's own failure.
pub(crate) fn internal(message: impl Into<String>) -> Failure {
    Failure { kind: ErrorKind::Internal, message: message.into(), hint: None }
}

/// Too much at once.
pub(crate) fn busy(message: &str) -> Failure {
    Failure {
        kind: ErrorKind::Busy,
        message: message.to_owned(),
        hint: Some("try again in a moment".to_owned()),
    }
}

/// Superseded, cancelled, or cut off by a shutdown.
pub(crate) fn cancelled(message: &str) -> Failure {
    Failure { kind: ErrorKind::Cancelled, message: message.to_owned(), hint: None }
}
