//! The watched folders: how they and their index are told, and waiting until they are indexed.

use std::path::Path;
use std::process::ExitCode;

use daemon_protocol::{Event, Folder, IndexStatus, Phase, Request};
use tokio::signal::unix::{SignalKind, signal};
use tui_text::{counted, harmless, one_line};

use crate::config::Config;
use crate::conversation::Conversation;
use crate::error::{AppError, INTERRUPTED};
use crate::term::progress::Progress;
use crate::term::streams;

/// `path  3 documents, 9 passages`.
pub(crate) fn folder_line(folder: &Folder) -> String {
    let problem = folder.problem.as_ref().map(|why| format!("  ({})", harmless(why)));
    format!(
        "{}  {}, {}{}",
        harmless(&folder.path).replace('\n', "\u{FFFD}"),
        counted(folder.documents, "document"),
        counted(folder.passages, "passage"),
        problem.unwrap_or_default()
    )
}

/// What the indexer does, in a word.
pub(crate) fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Idle => "up to date",
        Phase::Scanning => "looking for changes",
        Phase::Encoding => "indexing",
    }
}

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

/// That the index cannot be written, if it cannot.
pub(crate) fn unwritten(status: &IndexStatus) -> Option<String> {
    let why = one_line(status.storing.as_ref()?);
    Some(format!("the index cannot be written: {why}; what was found before still is"))
}

/// What is indexed, and a line for each file that is not.
fn summary(status: &IndexStatus) -> String {
    let documents = counted(status.documents, "document");
    let passages = counted(status.passages, "passage");
    let mut lines = vec![format!("indexed: {documents}, {passages}")];
    lines.extend(problem_lines(status));
    let waiting = status.waiting.as_ref();
    lines.extend(waiting.map(|why| format!("not all is indexed yet: {}", one_line(why))));
    lines.join("\n")
}

/// A line for each file that could not be indexed, as far as the status names them.
pub(crate) fn problem_lines(status: &IndexStatus) -> Vec<String> {
    let mut lines: Vec<String> = status
        .problems
        .iter()
        .map(|problem| {
            format!("not indexed: {}: {}", harmless(&problem.path), harmless(&problem.reason))
        })
        .collect();
    let unnamed = status.problem_count.saturating_sub(status.problems.len());
    if unnamed > 0 {
        lines.push(format!("not indexed: {unnamed} more; the daemon's log names them"));
    }
    lines
}

/// The wire carries text, so a path that is none cannot be watched.
pub(crate) fn text(path: &Path) -> Result<String, AppError> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        AppError::new(format!("{} is not valid UTF-8", path.display()))
            .hint("rename the folder, or add the one above it")
    })
}
