//! Readings remembered between runs, passage by passage: several columns, and the next run, read the
//! same ones.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use daemon::mind::{MindHandle, ReadOrder};
use serde::{Deserialize, Serialize};

use super::log::Log;
use super::{EvalError, Reading};

/// Hex digits of the hash that stands for a passage: enough that two of a collection never share one.
const HASH_SHOWN: usize = 24;

/// A line of the file.
#[derive(Clone, Serialize, Deserialize)]
struct Line {
    question: String,
    window: usize,
    /// Of the passage's text.
    hash: String,
    /// Mean log-probability of the question's tokens.
    value: f32,
    /// Its share of the time that reading took.
    ms: f64,
}

/// What reading some passages gave.
#[derive(Debug, Clone, Default)]
pub(super) struct Read {
    /// In the passages' order.
    pub(super) values: Vec<f32>,
    pub(super) ms: f64,
}

/// See the module.
pub(super) struct ReadLog {
    log: Log,
    /// Value and milliseconds.
    lines: HashMap<(String, usize, String), (f32, f64)>,
}

impl ReadLog {
    /// Opens, or makes, the file of the model with `fingerprint` in `folder`.
    pub(super) fn open(folder: &Path, fingerprint: &str) -> Result<ReadLog, EvalError> {
        let (log, lines) = Log::open::<Line>(folder, fingerprint, ".readings")?;
        let known = |line: Line| ((line.question, line.window, line.hash), (line.value, line.ms));
        Ok(ReadLog { log, lines: lines.into_iter().map(known).collect() })
    }

    /// Reads `passages` for `question` as `reading` says, those apart that it remembers.
    pub(super) async fn read(
        &mut self,
        mind: &MindHandle,
        question: &str,
        passages: &[String],
        reading: Reading,
    ) -> Result<Read, EvalError> {
        let window = reading.window;
        let keys: Vec<(String, usize, String)> =
            passages.iter().map(|text| (question.to_owned(), window, hash(text))).collect();
        let unread: Vec<usize> =
            (0..keys.len()).filter(|index| !self.lines.contains_key(&keys[*index])).collect();
        if !unread.is_empty() {
            let order = ReadOrder {
                question: question.to_owned(),
                passages: unread.iter().map(|index| passages[*index].clone()).collect(),
                window,
                time: Duration::MAX,
            };
            let (values, took) = mind.read(order)?.values().await?;
            let ms = took.as_secs_f64() * 1000.0 / values.len() as f64;
            for (index, value) in unread.into_iter().zip(values) {
                let (question, window, hash) = keys[index].clone();
                self.log.note(&Line { question, window, hash, value, ms })?;
                self.lines.insert(keys[index].clone(), (value, ms));
            }
        }
        let mut read = Read::default();
        for (value, ms) in keys.iter().filter_map(|key| self.lines.get(key)) {
            read.values.push(*value);
            read.ms += ms;
        }
        Ok(read)
    }
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..HASH_SHOWN].to_owned()
}
