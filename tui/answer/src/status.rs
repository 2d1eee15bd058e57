//! What a status tells, of the service and of what is indexed, as lines or JSON.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use daemon_protocol::{
    DaemonStatus, Folder, IndexStatus, NextModel, Phase, Problem, TrainingStatus,
};
use serde_json::json;
use tui_text::{counted, harmless, one_line, seconds};

/// Kinds of files that are named; the others are counted together.
const KINDS_SHOWN: usize = 8;

/// `path  3 documents, 9 passages`.
pub fn folder_line(folder: &Folder) -> String {
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
pub fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Idle => "up to date",
        Phase::Scanning => "looking for changes",
        Phase::Encoding => "indexing",
    }
}

/// That the index cannot be written, if it cannot.
pub fn unwritten(status: &IndexStatus) -> Option<String> {
    let why = one_line(status.storing.as_ref()?);
    Some(format!("the index cannot be written: {why}; what was found before still is"))
}

/// What is indexed, and a line for each file that is not.
pub fn summary(status: &IndexStatus) -> String {
    let documents = counted(status.documents, "document");
    let passages = counted(status.passages, "passage");
    let mut lines = vec![format!("indexed: {documents}, {passages}")];
    lines.extend(problem_lines(status));
    let waiting = status.waiting.as_ref();
    lines.extend(waiting.map(|why| format!("not all is indexed yet: {}", one_line(why))));
    lines.join("\n")
}

/// A line for each file that could not be indexed, as far as the status names them.
pub fn problem_lines(status: &IndexStatus) -> Vec<String> {
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

/// `{"running": true, ...}` with the fields of the status.
pub fn running_value(status: &DaemonStatus) -> serde_json::Value {
    let mut value = json!({"running": true});
    if let (Some(object), serde_json::Value::Object(fields)) =
        (value.as_object_mut(), json!(status))
    {
        object.extend(fields);
    }
    value
}

/// `{"running": false}`, and the run if there is one, as in [`running_value`].
pub fn idle_value(training: Option<&TrainingStatus>) -> serde_json::Value {
    match training {
        Some(training) => json!({"running": false, "training": training}),
        None => json!({"running": false}),
    }
}

/// The lines of a status without a daemon.
pub fn idle_lines(training: Option<&TrainingStatus>) -> String {
    let mut lines = vec!["daemon   not running".to_owned()];
    lines.extend(training.map(training_line));
    lines.push(String::new());
    lines.join("\n")
}

/// The lines of a status.
pub fn running_lines(status: &DaemonStatus) -> String {
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
