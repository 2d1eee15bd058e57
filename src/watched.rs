//! The watched folders: how they and their index are told, and waiting until they are indexed.

use std::path::Path;
use std::process::ExitCode;

use daemon_protocol::{Event, Request};
use tokio::signal::unix::{SignalKind, signal};
use tui_answer::status::{folder_line, phase_word, summary, unwritten};

use crate::config::Config;
use crate::conversation::Conversation;
use crate::error::{AppError, INTERRUPTED};
use crate::term::progress::Progress;
use crate::term::streams;

/// Has everything looked at again and waits until the index is up to date; Ctrl-C ends the waiting alone.
/// A `full` look reads each file.
pub(crate) async fn wait(
    conversation: &mut Conversation,
    full: bool,
    config: &Config,
) -> Result<ExitCode, AppError> {
    let mut interrupt = signal(SignalKind::interrupt())
        .map_err(|error| AppError::io("watching for Ctrl-C", &error))?;
    let asked = conversation.send(|id| Request::Sync { id, full }).await?;
    let mut progress = Progress::new(config.quiet);
    let ended = loop {
        let event = tokio::select! {
            event = conversation.next() => event,
            _ = interrupt.recv() => break None,
        };
        match event? {
            Event::Indexing { status } => {
                progress.update(phase_word(status.phase), status.round_done, status.round_total);
            }
            Event::Synced { id, status } if id == asked => break Some(status),
            Event::Failed { id, error } if id == asked => return Err(error.into()),
            _ => {}
        }
    };
    progress.finish();
    let Some(status) = ended else {
        if !config.quiet {
            streams::diagnostic("indexing goes on in the background; see: fore status");
        }
        return Ok(ExitCode::from(INTERRUPTED));
    };
    streams::note(config.quiet, &summary(&status));
    let folders = conversation.folders(|id| Request::List { id }).await?;
    for folder in folders.iter().filter(|folder| folder.problem.is_some()) {
        streams::note(config.quiet, &folder_line(folder));
    }
    match unwritten(&status) {
        None => Ok(ExitCode::SUCCESS),
        Some(why) => Err(AppError::new(why)
            .hint("make room where the index is; the daemon tries again every minute")
            .hint("see: fore status")),
    }
}

/// The wire carries text, so a path that is none cannot be watched.
pub(crate) fn text(path: &Path) -> Result<String, AppError> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        AppError::new(format!("{} is not valid UTF-8", path.display()))
            .hint("rename the folder, or add the one above it")
    })
}
