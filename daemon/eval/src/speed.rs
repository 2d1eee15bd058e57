//! How fast this machine is: what `fore bench` tells. The very service, on files that are written for it, so that the
//! figures are those that a person meets; encoding and thinking also by themselves.

mod alone;
mod served;
mod told;

use std::path::Path;
use std::sync::Arc;

use daemon::Backend;
use serde::Serialize;

use crate::report::percentile;
use crate::{EvalError, OnProgress};

pub use told::{lines, value};

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// Files that are indexed, of one to three passages each.
    pub files: usize,
    /// Batches that are encoded by themselves.
    pub batches: usize,
    pub thoughts: usize,
    pub searches: usize,
    pub saves: usize,
}

impl Default for Amount {
    /// About a minute on two cores.
    fn default() -> Amount {
        Amount { files: 200, batches: 16, thoughts: 5, searches: 50, saves: 20 }
    }
}

/// Median and 95th percentile, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    pub p50_ms: f64,
    pub p95_ms: f64,
}

impl Spread {
    /// Of times in milliseconds; zeros of none.
    fn of(mut times: Vec<f64>) -> Spread {
        times.sort_by(f64::total_cmp);
        Spread { p50_ms: percentile(&times, 50), p95_ms: percentile(&times, 95) }
    }
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Speed {
    pub model: String,
    pub device: String,
    /// Tokens of passages encoded in a second, by itself.
    pub encode_tokens_per_s: f64,
    /// From the question to the first token of a thought, median, milliseconds.
    pub first_token_ms: f64,
    /// Tokens of a thought in a second, from the second on.
    pub think_tokens_per_s: f64,
    pub files: usize,
    pub passages: usize,
    /// From a folder's being added until all of it is indexed: seconds, and passages in each.
    pub index_s: f64,
    pub index_passages_per_s: f64,
    /// A question without thought or reading, until its last hits.
    pub search: Spread,
    /// From a file's being saved until its words are found.
    pub save_to_found: Spread,
}

/// Measures `backend`'s parts. Everything that is written is below `folder`, which is empty and whose path is short
/// enough for a socket.
///
/// # Errors
/// [`EvalError`] if the model, the store or the folder cannot be used.
pub async fn measure(
    backend: Arc<dyn Backend>,
    folder: &Path,
    amount: Amount,
    progress: &mut OnProgress<'_>,
) -> Result<Speed, EvalError> {
    let alone = alone::measure(&backend, amount, progress).await?;
    let served = served::measure(backend, folder, amount, progress).await?;
    Ok(Speed {
        model: alone.model,
        device: alone.device,
        encode_tokens_per_s: alone.encode_tokens_per_s,
        first_token_ms: alone.first_token_ms,
        think_tokens_per_s: alone.think_tokens_per_s,
        files: amount.files,
        passages: served.passages,
        index_s: served.index_s,
        index_passages_per_s: served.passages as f64 / served.index_s,
        search: Spread::of(served.searches),
        save_to_found: Spread::of(served.saves),
    })
}

/// Words of made-up texts: what a model makes of them does not matter, how long they are does.
const WORDS: [&str; 24] = [
    "anchor", "bell", "compass", "deck", "engine", "fog", "galley", "harbour", "island", "jetty",
    "keel", "lamp", "mast", "net", "oar", "port", "quay", "rudder", "sail", "tide", "valve",
    "wave", "yard", "the",
];

/// `count` words, other ones for each `seed`.
fn text(seed: usize, count: usize) -> String {
    // Steps of a linear congruence: the same texts on every machine.
    let mut state = seed as u64;
    let mut words = Vec::with_capacity(count);
    for _ in 0..count {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        words.push(WORDS[(state >> 33) as usize % WORDS.len()]);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests;
