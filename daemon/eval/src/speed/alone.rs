//! Encoding and thinking by themselves, with nothing else to do.

use std::sync::Arc;
use std::time::Instant;

use daemon::Backend;
use daemon::limits::{BATCH_PASSAGES_MAX, BATCH_TOKENS_MAX};
use daemon::mind::{self, Loaded, Threads};
use models::Sampling;
use tokio::sync::mpsc;

use super::{Amount, Spread, text};
use crate::{EvalError, OnProgress};

pub(super) struct Alone {
    pub(super) model: String,
    pub(super) device: String,
    pub(super) encode_tokens_per_s: f64,
    pub(super) first_token_ms: f64,
    pub(super) think_tokens_per_s: f64,
}

/// Measures on a thread of the mind's own, which has ended then.
pub(super) async fn measure(
    backend: &Arc<dyn Backend>,
    amount: Amount,
    progress: &mut OnProgress<'_>,
) -> Result<Alone, EvalError> {
    // A panic of the thread is an error of the jobs.
    let (fatal, _failures) = mpsc::channel(1);
    let threads = Threads::default();
    let loaded = mind::start(Arc::clone(backend), None, fatal, &threads).await?;
    let encode_tokens_per_s = encoding(&loaded, amount.batches, progress).await?;
    let (first_token_ms, think_tokens_per_s) = thinking(&loaded, amount.thoughts, progress).await?;
    let (model, device) = (loaded.card.name.clone(), loaded.card.device.clone());
    drop(loaded);
    let ended = tokio::task::spawn_blocking(move || threads.join()).await;
    if !matches!(ended, Ok(true)) {
        return Err(daemon::Critical::Panicked("model's thread").into());
    }
    Ok(Alone { model, device, encode_tokens_per_s, first_token_ms, think_tokens_per_s })
}

/// Tokens a second, in batches as the indexer makes them, after one that loads what is needed.
async fn encoding(
    loaded: &Loaded,
    batches: usize,
    progress: &mut OnProgress<'_>,
) -> Result<f64, EvalError> {
    let (mut tokens, mut seconds) = (0, 0.0);
    for number in 0..=batches {
        progress("encoding", number, batches + 1);
        let batch = batch(loaded, number);
        let count: usize = batch.iter().map(|text| loaded.counter.count(text)).sum();
        let begun = Instant::now();
        loaded.handle.embed_passages(batch).await?;
        if number > 0 {
            tokens += count;
            seconds += begun.elapsed().as_secs_f64();
        }
    }
    Ok(if seconds > 0.0 { tokens as f64 / seconds } else { 0.0 })
}

/// As many passages of like length as a batch takes.
fn batch(loaded: &Loaded, number: usize) -> Vec<String> {
    let length = BATCH_TOKENS_MAX / BATCH_PASSAGES_MAX;
    let passage = |at: usize| {
        let words = text(number * BATCH_PASSAGES_MAX + at, length);
        // A word may be several tokens.
        let count = loaded.counter.count(&words).max(1);
        let kept = length * length / count;
        words.split(' ').take(kept.clamp(1, length)).collect::<Vec<_>>().join(" ")
    };
    (0..BATCH_PASSAGES_MAX).map(passage).collect()
}

/// Median milliseconds to the first token, and tokens a second from the second on, after one thought that loads what
/// is needed.
async fn thinking(
    loaded: &Loaded,
    thoughts: usize,
    progress: &mut OnProgress<'_>,
) -> Result<(f64, f64), EvalError> {
    let (mut firsts, mut tokens, mut seconds) = (Vec::new(), 0, 0.0);
    for number in 0..=thoughts {
        progress("thinking", number, thoughts + 1);
        let sampling = Sampling { thoughts: 1, seed: number as u64, ..Sampling::default() };
        let question = format!("why does the {} stand still", text(number, 1));
        let begun = Instant::now();
        let mut thinking = loaded.handle.think(&question, "", &sampling)?;
        let (mut first, mut last, mut count) = (None, begun, 0_usize);
        while thinking.deltas.recv().await.is_some() {
            last = Instant::now();
            first.get_or_insert(last);
            count += 1;
        }
        thinking.thoughts().await?;
        if let Some(first) = first.filter(|_| number > 0) {
            firsts.push((first - begun).as_secs_f64() * 1_000.0);
            tokens += count - 1;
            seconds += (last - first).as_secs_f64();
        }
    }
    let rate = if seconds > 0.0 { tokens as f64 / seconds } else { 0.0 };
    Ok((Spread::of(firsts).p50_ms, rate))
}
