//! Passages like one that was found: by the vector that the index has of it, so that nothing is embedded or thought.

use std::collections::BTreeMap;
use std::time::Instant;

use daemon_protocol::{Event, Failure, Hit, Ranks, Scores, Stage, Timings};

use super::copies::fold;
use super::hit::Sight;
use super::{check_limit, store_failure};
use crate::around::{document, moved, title, unknown};
use crate::chunk::embedded_text;
use crate::error::internal;
use crate::fuse::{Fused, fuse, spread};
use crate::limits::{CANDIDATES, PASSAGES_PER_DOCUMENT};
use crate::marks::Marked;
use crate::prepare::digest;
use crate::shared::Shared;
use crate::snippet::asked::AskedWords;
use crate::store::{Found, Passage, Scope};

/// Answers a `similar`.
pub(crate) async fn similar(
    shared: &Shared,
    id: u64,
    path: String,
    byte_start: usize,
    limit: usize,
) -> Result<Vec<Event>, Failure> {
    let started = Instant::now();
    check_limit(limit)?;
    let engine = shared.generations.serving();
    let passages = document(&engine, &path).await?;
    if passages.is_empty() {
        return Err(unknown(&path));
    }
    let ordinal = passages.iter().position(|passage| passage.bytes.start == byte_start);
    let ordinal = ordinal.ok_or_else(|| moved(&path, byte_start))?;
    let title = title(&engine, &path).await?;
    let vectors = engine.store.vectors(vec![path.clone()]).await.map_err(store_failure)?;
    let vector = own(&passages, ordinal, &title, vectors)
        .ok_or_else(|| internal(format!("the index has no vector of that passage of {path}")))?;
    let near = engine.store.by_vector(vector, CANDIDATES, Scope::All).await;
    let mut near = near.map_err(store_failure)?;
    let view = shared.view();
    near.retain(|found| view.has(&found.path));
    let passage = passages[ordinal].clone();
    let hits = like(Found { path, title, ordinal, passage, score: 1.0 }, near, limit);
    let total_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let timings = Timings { total_ms, ..Timings::default() };
    Ok(vec![Event::Hits { id, stage: Stage::Final, hits }, Event::Done { id, timings }])
}

/// The vector of passage number `ordinal` among those of its document, by the digest of what was embedded.
fn own(
    passages: &[Passage],
    ordinal: usize,
    title: &str,
    mut vectors: BTreeMap<String, Vec<f32>>,
) -> Option<Vec<f32>> {
    let digest_of =
        |passage: &Passage| digest(&embedded_text(title, &passage.heading, &passage.text));
    if let Some(vector) = vectors.remove(&digest_of(&passages[ordinal])) {
        return Some(vector);
    }
    // What is behind front matter was embedded without it: its vector is the one that is no other passage's.
    for passage in passages {
        vectors.remove(&digest_of(passage));
    }
    let mut left = vectors.into_values();
    left.next().filter(|_| left.next().is_none())
}

/// The best of `near` as hits, less `first`, which they are like, and its copies.
fn like(first: Found, near: Vec<Found>, limit: usize) -> Vec<Hit> {
    let is_first = |found: &Found| (&found.path, found.ordinal) == (&first.path, first.ordinal);
    let others: Vec<Found> = near.into_iter().filter(|found| !is_first(found)).collect();
    let count = others.len();
    let mut ranked = fuse(&[], &others, count);
    for one in &mut ranked {
        // Beside nothing but vectors, a cosine says more than how far above the last one it is.
        one.score = one.found.score;
        one.fused = one.found.score;
    }
    let own: Vec<Fused> = fuse(&[], &[first], 1);
    // As the first of all it takes its copies upon itself.
    let all: Vec<Fused> = own.into_iter().chain(spread(ranked, PASSAGES_PER_DOCUMENT)).collect();
    let (words, marked) = (AskedWords::default(), Marked::default());
    let sight = Sight { text: "", phrases: &[], words: &words, marked: &marked };
    let folded = fold(&all, limit.saturating_add(1)).into_iter().skip(1);
    folded
        .map(|folded| {
            let (rank, cosine) = (folded.fused.ranks[1], folded.fused.scores[1]);
            let ranks = Ranks { vector: rank, ..Ranks::default() };
            let scores = Scores { vector: cosine, ..Scores::default() };
            sight.hit(folded, (ranks, scores))
        })
        .collect()
}
