//! What `fore status` and `fore daemon status` tell: whether a daemon runs, on what, how far the index
//! is, and how far a `fore train`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::process::ExitCode;

use daemon_protocol::{DaemonStatus, IndexStatus, NextModel, Phase, Problem, TrainingStatus};
use serde_json::json;
use tui_text::{counted, harmless, one_line, seconds};

use crate::config::Config;
use crate::error::{AppError, NOTHING};
use crate::launch;
use crate::term::streams::Stdout;
use crate::watched::{folder_line, phase_word, problem_lines, unwritten};

/// Kinds of files that are named; the others are counted together.
const KINDS_SHOWN: usize = 8;

/// Prints the status; starts nothing. Exit status 1 if no daemon runs.
pub(crate) async fn print(as_json: bool, config: &Config) -> Result<ExitCode, AppError> {
    let status = match launch::running(config).await? {
        Some(mut conversation) => Some(conversation.status().await?),
        None => None,
    };
    let text = match (as_json, &status) {
        (true, Some(status)) => format!("{}\n", running_value(status)),
        (false, Some(status)) => lines(status),
        // A run needs no daemon: where none runs, what it tells is read here.
        (true, None) => format!("{}\n", idle_value(training(config).as_ref())),
        (false, None) => idle_lines(training(config).as_ref()),
    };
    Stdout::lock().print(&text)?;
    Ok(if status.is_some() { ExitCode::SUCCESS } else { ExitCode::from(NOTHING) })
}

fn training(config: &Config) -> Option<TrainingStatus> {
    daemon_protocol::training::read(&config.paths.training)
}

/// `{"running": true, ...}` with the fields of the status.
fn running_value(status: &DaemonStatus) -> serde_json::Value {
    let mut value = json!({"running": true});
    if let (Some(object), serde_json::Value::Object(fields)) =
        (value.as_object_mut(), json!(status))
    {
        object.extend(fields);
    }
    value
}

/// `{"running": false}`, and the run if there is one, as in [`running_value`].
fn idle_value(training: Option<&TrainingStatus>) -> serde_json::Value {
    match training {
        Some(training) => json!({"running": false, "training": training}),
        None => json!({"running": false}),
    }
}

fn idle_lines(training: Option<&TrainingStatus>) -> String {
    let mut lines = vec!["daemon   not running".to_owned()];
    lines.extend(training.map(training_line));
    lines.push(String::new());
    lines.join("\n")
}

fn lines(status: &DaemonStatus) -> String {
    let mut lines = vec![
        format!(
            "daemon   running, pid {}, up {}, version {}",
            status.pid,
            seconds(status.uptime_s),
            status.version
        ),
        format!("model    {} ({})", harmless(&status.model), status.fingerprint),
        format!("device   {}", status.device),
        format!(
            "memory   {}, at most {}",
            megabytes(status.memory_bytes),
            megabytes(status.memory_peak_bytes)
        ),
        format!("index    {}", index_line(&status.index)),
    ];
    lines.extend(status.index.waiting.as_ref().map(|why| format!("waiting  {}", one_line(why))));
    lines.extend(status.index.next.as_ref().map(next_line));
    lines.extend(kinds("kinds   ", &status.kinds));
    lines.extend(kinds("left out", &status.left_out));
    lines.extend(status.training.as_ref().map(training_line));
    lines.extend(status.folders.iter().map(|folder| format!("folder   {}", folder_line(folder))));
    if status.folders.is_empty() {
        lines.push("folder   none; add one with: fore add DIR".to_owned());
    }
    lines.extend(unwritten(&status.index).map(|why| format!("problem  {why}")));
    lines.extend(problem_lines(&status.index).iter().map(|line| format!("problem  {line}")));
    lines.push(String::new());
    lines.join("\n")
}

/// `3 documents, 9 passages; indexing 1 of 4, about 12 s left`.
fn index_line(index: &IndexStatus) -> String {
    let phase = match (index.phase, &index.storing) {
        (Phase::Idle, Some(_)) => "cannot be written",
        (phase, _) => phase_word(phase),
    };
    let mut line = format!(
        "{}, {}; {phase}",
        counted(index.documents, "document"),
        counted(index.passages, "passage"),
    );
    if index.phase != Phase::Idle && index.round_total > 0 {
        line.push_str(&format!(" {} of {}", index.round_done, index.round_total));
    }
    if let Some(left) = index.eta_s {
        line.push_str(&format!(", about {} left", seconds(left)));
    }
    line
}

/// `next     smol-2: 812 documents so far; it serves once it has all`.
fn next_line(next: &NextModel) -> String {
    let NextModel { model, documents, lacks } = next;
    let waits = match lacks {
        None => "it serves once it has all".to_owned(),
        Some(Problem { path, reason }) => {
            format!("it waits for {}: {}", one_line(path), one_line(reason))
        }
    };
    format!("next     {}: {} so far; {waits}", one_line(model), counted(*documents, "document"))
}

/// `kinds    812 md, 40 pdf, 3 others`, the most first; none of none.
fn kinds(label: &str, counts: &BTreeMap<String, usize>) -> Option<String> {
    let mut counts: Vec<(&str, usize)> =
        counts.iter().map(|(kind, n)| (kind.as_str(), *n)).collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    let mut others: usize =
        counts.extract_if(.., |(kind, _)| *kind == "…").map(|(_, count)| count).sum();
    others += counts.iter().skip(KINDS_SHOWN).map(|(_, count)| count).sum::<usize>();
    let named = |(kind, count): &(&str, usize)| match *kind {
        "" => format!("{count} without an ending"),
        kind => format!("{count} {}", one_line(kind)),
    };
    let mut words: Vec<String> = counts.iter().take(KINDS_SHOWN).map(named).collect();
    words.extend((others > 0).then(|| format!("{others} others")));
    (!words.is_empty()).then(|| format!("{label} {}", words.join(", ")))
}

/// `training 3fa9c1d2, pid 9: training 120 of 400, loss 0.831, about 5 min 0 s left`.
fn training_line(training: &TrainingStatus) -> String {
    let mut line = format!(
        "training {}, pid {}: {}",
        one_line(&training.run),
        training.pid,
        one_line(&training.stage)
    );
    if training.total > 0 {
        line.push_str(&format!(" {} of {}", training.done, training.total));
    }
    if let Some(loss) = training.loss {
        line.push_str(&format!(", loss {loss:.3}"));
    }
    if let Some(ndcg) = training.ndcg_10 {
        line.push_str(&format!(", held-out nDCG@10 {ndcg:.3}"));
    }
    if let Some(rate) = training.tokens_per_s {
        line.push_str(&format!(", {rate:.0} tokens/s"));
    }
    if let Some(left) = training.eta_s {
        line.push_str(&format!(", about {} left", seconds(left)));
    }
    line
}

/// In whole megabytes: a live figure whose tenths are noise.
fn megabytes(bytes: u64) -> String {
    match bytes {
        0 => "unknown".to_owned(),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

#[cfg(test)]
mod tests;
