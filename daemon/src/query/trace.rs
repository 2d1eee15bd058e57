//! Where a document drops out of the answer to a question. Thoughts are left out of it: they are others each time.

use daemon_protocol::{Ask, Failure, LIMIT_MAX};
use tokio_util::sync::CancellationToken;

use super::copies::fold;
use super::{Run, check, store_failure};
use crate::engine::Engine;
use crate::fuse::{Fused, Readings};
use crate::limits::{CANDIDATES, SIFTED_DEPTHS};
use crate::reading::Portion;
use crate::shared::Shared;
use crate::store::{Found, Scope};

/// A line for each stage, of the best of the passages of the document `path`.
pub(crate) async fn trace(shared: &Shared, path: &str, text: &str) -> Result<String, Failure> {
    let engine = shared.generations.serving();
    let (text, limit) = (text.to_owned(), LIMIT_MAX);
    let (thoughts, read_ms, given) = (Some(0), None, Vec::new());
    let ask = Ask { id: 0, text, limit, thoughts, read_ms, path: None, given };
    let question = check(shared, &engine, ask)?;
    if !question.scope.holds(path) {
        return Ok("the question's filters leave it out".to_owned());
    }
    let run = Run::new(engine, question, CancellationToken::new(), None);
    Ok(run.trace(path).await?.join("\n"))
}

impl Run<'_> {
    async fn trace(mut self, path: &str) -> Result<Vec<String>, Failure> {
        let words = self.by_text().await?;
        let vector = self.engine.mind.embed_query(&self.question.text, Vec::new()).await;
        let vector = self.usable(vector)?.map(models::Embedding::into_vec);
        let near = self.by_vector(vector.clone()).await?;
        let draft = self.fuse(&words, &near);
        let mut lines = vec![self.words(path, &words).await?];
        lines.push(match &vector {
            Some(vector) => self.vector(path, &near, vector).await?,
            None => {
                let why = self.timings.degraded.as_deref().unwrap_or("there is no vector");
                format!("by vector: not searched, since {why}")
            }
        });
        let Some(rank) = rank(&draft, path) else {
            lines.push(match rank_of(&words, path).or(rank_of(&near, path)) {
                Some(_) => "no watched folder holds it any more".to_owned(),
                None => "so it is in neither, and in no answer".to_owned(),
            });
            return Ok(lines);
        };
        lines.push(format!("by both: rank {rank} of {}", draft.len()));
        let mut ranked = draft;
        if vector.is_some() && !self.question.reading_time.is_zero() {
            let mut readings = Readings::new();
            ranked = self.read(ranked, &mut readings).await?;
            lines.push(read(path, &ranked, self.portion));
        }
        lines.push(shown(path, &ranked));
        Ok(lines)
    }

    async fn words(&self, path: &str, words: &[Found]) -> Result<String, Failure> {
        if let Some(rank) = rank_of(words, path) {
            return Ok(format!("by words: rank {rank}"));
        }
        let text = &self.question.text;
        let alone = Scope::Paths(vec![path.to_owned()]);
        let Engine { store, .. } = &*self.engine;
        if store.by_text(text.clone(), 1, alone).await.map_err(store_failure)?.is_empty() {
            return Ok("by words: it has none of the question's".to_owned());
        }
        let deep = store.by_text(text.clone(), depth(), self.question.scope.clone()).await;
        Ok(format!("by words: {}", beyond(rank_of(&deep.map_err(store_failure)?, path))))
    }

    async fn vector(&self, path: &str, near: &[Found], vector: &[f32]) -> Result<String, Failure> {
        let Engine { store, .. } = &*self.engine;
        let alone = Scope::Paths(vec![path.to_owned()]);
        let own = store.by_vector(vector.to_vec(), 1, alone).await.map_err(store_failure)?;
        let Some(Found { score, .. }) = own.first() else {
            return Ok("by vector: it has no passage".to_owned());
        };
        let rank = match rank_of(near, path) {
            Some(rank) => format!("rank {rank}"),
            None => {
                let scope = self.question.scope.clone();
                let deep = store.by_vector(vector.to_vec(), depth(), scope).await;
                beyond(rank_of(&deep.map_err(store_failure)?, path))
            }
        };
        Ok(format!("by vector: cosine {score:.3}, {rank}"))
    }
}

/// How deep is looked for what is not among the candidates.
fn depth() -> usize {
    let [.., deepest] = SIFTED_DEPTHS;
    deepest
}

fn beyond(rank: Option<usize>) -> String {
    match rank {
        // A filter for words or phrases lets others come before.
        Some(rank) if rank <= CANDIDATES => {
            format!("rank {rank}, left out by the question's filters")
        }
        Some(rank) => format!("rank {rank}, and the first {CANDIDATES} are taken"),
        None => format!("beyond rank {}, and the first {CANDIDATES} are taken", depth()),
    }
}

/// What reading made of it.
fn read(path: &str, ranked: &[Fused], portion: Portion) -> String {
    let read = ranked.iter().filter(|one| one.reading.is_some()).count();
    if read == 0 {
        return "by reading: nothing was read".to_owned();
    }
    let own = ranked.iter().filter(|one| one.found.path == path).filter_map(|one| one.reading);
    let Some(best) = own.reduce(f32::max) else {
        let Portion { passages, .. } = portion;
        return format!("by reading: not read, since only the first {passages} are");
    };
    format!("by reading: {best:.2} nats below the best of the {read} passages that were read")
}

/// Where it stands in the end.
fn shown(path: &str, ranked: &[Fused]) -> String {
    let folded = fold(ranked, LIMIT_MAX);
    let names = |other: &String| other == path;
    let own = folded.iter().position(|one| one.fused.found.path == path);
    let copy = folded.iter().position(|one| one.also.iter().any(names));
    match (own, copy) {
        (Some(own), copy) if copy.is_none_or(|copy| own < copy) => {
            format!("so without a thought it is hit {}", own + 1)
        }
        (_, Some(copy)) => {
            let (hit, first) = (copy + 1, &folded[copy].fused.found.path);
            format!("so without a thought it is named by hit {hit} as a copy of {first}")
        }
        _ => format!("so without a thought it is none of {LIMIT_MAX} hits"),
    }
}

/// Rank from 1 of the best passage of `path`.
fn rank_of(found: &[Found], path: &str) -> Option<usize> {
    found.iter().position(|one| one.path == path).map(|index| index + 1)
}

fn rank(ranked: &[Fused], path: &str) -> Option<usize> {
    ranked.iter().position(|one| one.found.path == path).map(|index| index + 1)
}
