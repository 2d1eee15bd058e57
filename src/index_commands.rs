//! `fore add | remove | list | sync`: the watched folders, and waiting until they are indexed.

use std::fs;
use std::io;
use std::path::{self, Path};
use std::process::ExitCode;

use daemon_protocol::{Event, Folder, IndexStatus, Phase, Request};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::conversation::Conversation;
use crate::error::{AppError, INTERRUPTED};
use crate::launch;
use crate::output::{self, Progress, Stdout, count, inert};

/// Watches a folder and, unless told not to, waits until it is indexed.
pub(crate) async fn add(dir: &Path, no_wait: bool, config: &Config) -> Result<ExitCode, AppError> {
    let found = fs::canonicalize(dir).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => AppError::new(format!("{} does not exist", dir.display())),
        _ => AppError::io(dir.display(), &error),
    })?;
    if !found.is_dir() {
        return Err(AppError::new(format!("{} is not a folder", dir.display()))
            .hint("add the folder it is in"));
    }
    let path = text(&found)?;
    let mut conversation = launch::connect(config).await?;
    conversation.folders(|id| Request::Add { id, path: path.clone() }).await?;
    if no_wait {
        if !config.quiet {
            output::diagnostic(&format!("{path} is watched; see its progress with: fore status"));
        }
        return Ok(ExitCode::SUCCESS);
    }
    wait(&mut conversation, config).await
}

/// Stops watching a folder, which need not exist any more.
pub(crate) async fn remove(dir: &Path, config: &Config) -> Result<ExitCode, AppError> {
    let path = fs::canonicalize(dir)
        .or_else(|_| path::absolute(dir))
        .map_err(|error| AppError::io(dir.display(), &error))?;
    let path = text(&path)?;
    let mut conversation = launch::connect(config).await?;
    conversation.folders(|id| Request::Remove { id, path: path.clone() }).await?;
    if !config.quiet {
        output::diagnostic(&format!("{} is no longer watched", inert(&path)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the watched folders.
pub(crate) async fn list(as_json: bool, config: &Config) -> Result<ExitCode, AppError> {
    let mut conversation = launch::connect(config).await?;
    let folders = conversation.folders(|id| Request::List { id }).await?;
    if folders.is_empty() && !config.quiet {
        output::diagnostic("no folder is watched; add one with: fore add DIR");
    }
    let text = match as_json {
        true => format!("{}\n", serde_json::json!(folders)),
        false => folders.iter().map(|folder| format!("{}\n", folder_line(folder))).collect(),
    };
    Stdout::lock().print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Looks at everything again and waits until the index is up to date.
pub(crate) async fn sync(config: &Config) -> Result<ExitCode, AppError> {
    wait(&mut launch::connect(config).await?, config).await
}

/// `path  3 documents, 9 passages`.
pub(crate) fn folder_line(folder: &Folder) -> String {
    let problem = folder.problem.as_ref().map(|why| format!("  ({})", inert(why)));
    format!(
        "{}  {}, {}{}",
        inert(&folder.path),
        count(folder.documents, "document"),
        count(folder.passages, "passage"),
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

async fn wait(conversation: &mut Conversation, config: &Config) -> Result<ExitCode, AppError> {
    let mut interrupt = signal(SignalKind::interrupt())
        .map_err(|error| AppError::io("watching for Ctrl-C", &error))?;
    let asked = conversation.send(|id| Request::Sync { id }).await?;
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
            output::diagnostic("indexing goes on in the background; see: fore status");
        }
        return Ok(ExitCode::from(INTERRUPTED));
    };
    if !config.quiet {
        output::diagnostic(&summary(&status));
    }
    Ok(ExitCode::SUCCESS)
}

/// What is indexed, and a line for each file that is not.
fn summary(status: &IndexStatus) -> String {
    let documents = count(status.documents, "document");
    let passages = count(status.passages, "passage");
    let mut lines = vec![format!("indexed: {documents}, {passages}")];
    lines.extend(problem_lines(status));
    lines.join("\n")
}

/// A line for each file that could not be indexed, as far as the status names them.
pub(crate) fn problem_lines(status: &IndexStatus) -> Vec<String> {
    let mut lines: Vec<String> = status
        .problems
        .iter()
        .map(|problem| format!("not indexed: {}: {}", inert(&problem.path), inert(&problem.reason)))
        .collect();
    let unnamed = status.problem_count.saturating_sub(status.problems.len());
    if unnamed > 0 {
        lines.push(format!("not indexed: {unnamed} more; the daemon's log names them"));
    }
    lines
}

/// The wire carries text, so a path that is none cannot be watched.
fn text(path: &Path) -> Result<String, AppError> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        AppError::new(format!("{} is not valid UTF-8", path.display()))
            .hint("rename the folder, or add the one above it")
    })
}
