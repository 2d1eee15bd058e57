//! `fore status`: whether a daemon runs, on what, and how far the index is.

use std::process::ExitCode;

use daemon_protocol::{DaemonStatus, IndexStatus, Phase};
use serde_json::json;

use crate::config::Config;
use crate::error::{AppError, NOTHING};
use crate::index_commands::{folder_line, phase_word, problem_lines};
use crate::launch;
use crate::output::{Stdout, count, inert};

/// Prints the status; starts nothing. Exit status 1 if no daemon runs.
pub(crate) async fn run(as_json: bool, config: &Config) -> Result<ExitCode, AppError> {
    let status = match launch::running(config).await? {
        Some(mut conversation) => Some(conversation.status().await?),
        None => None,
    };
    let text = match (as_json, &status) {
        (true, status) => format!("{}\n", as_value(status.as_ref())),
        (false, Some(status)) => lines(status),
        (false, None) => "daemon   not running\n".to_owned(),
    };
    Stdout::lock().print(&text)?;
    Ok(if status.is_some() { ExitCode::SUCCESS } else { ExitCode::from(NOTHING) })
}

/// `{"running": true, ...}` with the fields of the status.
fn as_value(status: Option<&DaemonStatus>) -> serde_json::Value {
    let mut value = json!({"running": status.is_some()});
    if let (Some(object), Some(serde_json::Value::Object(fields))) =
        (value.as_object_mut(), status.map(|status| json!(status)))
    {
        object.extend(fields);
    }
    value
}

fn lines(status: &DaemonStatus) -> String {
    let mut lines = vec![
        format!(
            "daemon   running, pid {}, up {}, version {}",
            status.pid,
            duration(status.uptime_s),
            status.version
        ),
        format!("model    {} ({})", inert(&status.model), status.fingerprint),
        format!("device   {}", status.device),
        format!(
            "memory   {}, at most {}",
            megabytes(status.memory_bytes),
            megabytes(status.memory_peak_bytes)
        ),
        format!("index    {}", index_line(&status.index)),
    ];
    lines.extend(status.folders.iter().map(|folder| format!("folder   {}", folder_line(folder))));
    if status.folders.is_empty() {
        lines.push("folder   none; add one with: fore add DIR".to_owned());
    }
    lines.extend(problem_lines(&status.index).iter().map(|line| format!("problem  {line}")));
    lines.push(String::new());
    lines.join("\n")
}

/// `3 documents, 9 passages; indexing 1 of 4, about 12 s left`.
fn index_line(index: &IndexStatus) -> String {
    let mut line = format!(
        "{}, {}; {}",
        count(index.documents, "document"),
        count(index.passages, "passage"),
        phase_word(index.phase)
    );
    if index.phase != Phase::Idle && index.round_total > 0 {
        line.push_str(&format!(" {} of {}", index.round_done, index.round_total));
    }
    if let Some(seconds) = index.eta_s {
        line.push_str(&format!(", about {} left", duration(seconds)));
    }
    line
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

fn megabytes(bytes: u64) -> String {
    match bytes {
        0 => "unknown".to_owned(),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

#[cfg(test)]
mod tests;
