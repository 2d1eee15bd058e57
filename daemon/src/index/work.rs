//! Documents on their way through the model, batch by batch. Pure: it is told what came back.

use std::collections::VecDeque;

use models::Embedding;

use super::progress::Tally;
use super::queue::{Suspect, Urgency};
use crate::limits::{BATCH_PASSAGES_MAX, BATCH_TOKENS_MAX};
use crate::mind::JobError;
use crate::prepare::Prepared;
use crate::scan::Seen;
use crate::store::Document;

/// A passage: which document of the work, and which passage of that.
type Place = (usize, usize);

/// Passages that are embedded in one job.
pub(super) type Batch = Vec<Place>;

struct Entry {
    prepared: Prepared,
    vectors: Vec<Vec<f32>>,
    /// The file's size when it was queued, by which progress is counted.
    bytes: u64,
    failure: Option<String>,
}

/// See the module.
pub(super) struct Work {
    /// `None` once abandoned.
    entries: Vec<Option<Entry>>,
    batches: VecDeque<Batch>,
    pub(super) urgency: Urgency,
}

/// What a work came to.
pub(super) struct Finished {
    pub(super) documents: Vec<Document>,
    /// Paths that could not be embedded, and why.
    pub(super) failures: Vec<(String, String)>,
}

impl Work {
    /// Plans the batches for files that were read, each with its size when it was queued.
    pub(super) fn new(gathered: Vec<(Prepared, u64)>, urgency: Urgency) -> Work {
        let mut places: Vec<(usize, Place)> = Vec::new();
        let mut entries = Vec::new();
        for (document, (prepared, bytes)) in gathered.into_iter().enumerate() {
            let tokens = prepared.texts.iter().map(|(_, tokens)| *tokens);
            places.extend(tokens.enumerate().map(|(passage, count)| (count, (document, passage))));
            let vectors = vec![Vec::new(); prepared.passages.len()];
            entries.push(Some(Entry { prepared, vectors, bytes, failure: None }));
        }
        // Passages of like length share a batch, so that little of it is padding.
        places.sort_unstable();
        Work { entries, batches: batches(&places), urgency }
    }

    /// The next passages to embed.
    pub(super) fn next_batch(&mut self) -> Option<Batch> {
        loop {
            let mut batch = self.batches.pop_front()?;
            let entries = &self.entries;
            batch.retain(|(document, _)| {
                entries[*document].as_ref().is_some_and(|entry| entry.failure.is_none())
            });
            if !batch.is_empty() {
                return Some(batch);
            }
        }
    }

    /// What the model reads for `batch`.
    pub(super) fn texts(&self, batch: &Batch) -> Vec<String> {
        let text = |(document, passage): &Place| {
            let entry = self.entries[*document].as_ref();
            entry.map(|entry| entry.prepared.texts[*passage].0.clone()).unwrap_or_default()
        };
        batch.iter().map(text).collect()
    }

    /// Takes the vectors of `batch`, each of which must have `width` values.
    pub(super) fn embedded(&mut self, batch: &Batch, vectors: Vec<Embedding>, width: usize) {
        let whole = vectors.len() == batch.len()
            && vectors.iter().all(|vector| vector.as_slice().len() == width);
        if !whole {
            let reason = format!("the model gave vectors that are not {width} wide, one a passage");
            return self.blame(batch, &reason);
        }
        for ((document, passage), vector) in batch.iter().zip(vectors) {
            if let Some(entry) = &mut self.entries[*document] {
                entry.vectors[*passage] = vector.into_vec();
            }
        }
    }

    /// The model failed at `batch`: its passages are tried one by one, and one that fails alone
    /// is to blame.
    pub(super) fn failed(&mut self, batch: &Batch, error: &JobError) {
        if batch.len() == 1 {
            self.blame(batch, &error.to_string());
        } else {
            for place in batch {
                self.batches.push_front(vec![*place]);
            }
        }
    }

    fn blame(&mut self, batch: &Batch, reason: &str) {
        for (document, _) in batch {
            if let Some(entry) = &mut self.entries[*document] {
                entry.failure = Some(format!("cannot be embedded: {reason}"));
            }
        }
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = String> {
        self.entries.iter().flatten().map(|entry| entry.prepared.path.clone())
    }

    /// Whether `path` is in work as it is on disk now.
    pub(super) fn holds(&self, path: &str, seen: Seen) -> bool {
        self.entries.iter().flatten().any(|entry| {
            let stamp = &entry.prepared.stamp;
            entry.prepared.path == path
                && stamp.bytes == seen.bytes
                && stamp.changed_ns == seen.changed_ns
        })
    }

    /// Drops `path` from the work, if it is there.
    pub(super) fn abandon(&mut self, path: &str) {
        for entry in &mut self.entries {
            entry.take_if(|entry| entry.prepared.path == path);
        }
    }

    /// How much is still in the work.
    pub(super) fn tally(&self) -> Tally {
        self.entries.iter().flatten().map(|entry| Tally::of(entry.bytes)).sum()
    }

    /// What is still in the work, whatever has been embedded of it, to be queued as it was.
    pub(super) fn into_suspects(self) -> impl Iterator<Item = Suspect> {
        let entries = self.entries.into_iter().flatten();
        entries.map(|entry| Suspect { path: entry.prepared.path, bytes: entry.bytes })
    }

    /// The documents, all their passages embedded.
    pub(super) fn finish(self) -> Finished {
        let mut finished = Finished { documents: vec![], failures: vec![] };
        for Entry { prepared, vectors, failure, .. } in self.entries.into_iter().flatten() {
            let Prepared { path, title, names, tags, stamp, passages, texts: _ } = prepared;
            match failure {
                Some(reason) => finished.failures.push((path, reason)),
                None => finished.documents.push(Document {
                    path,
                    title,
                    names,
                    tags,
                    stamp,
                    passages: passages.into_iter().zip(vectors).collect(),
                }),
            }
        }
        finished
    }
}

/// Cuts places, sorted by their number of tokens, into batches within the limits.
fn batches(places: &[(usize, Place)]) -> VecDeque<Batch> {
    let mut batches: VecDeque<Batch> = VecDeque::new();
    for (tokens, place) in places {
        match batches.back_mut() {
            // Shorter ones are padded to the longest, which is this one.
            Some(batch)
                if batch.len() < BATCH_PASSAGES_MAX
                    && (batch.len() + 1) * tokens <= BATCH_TOKENS_MAX =>
            {
                batch.push(*place);
            }
            _ => batches.push_back(vec![*place]),
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::batches;

    #[test]
    fn batches_keep_both_limits() {
        let check = |tokens: &[usize], expected: &[usize]| {
            let places: Vec<_> = tokens.iter().map(|count| (*count, (0, 0))).collect();
            let sizes: Vec<usize> = batches(&places).iter().map(Vec::len).collect();
            assert_eq!(sizes, expected, "{tokens:?}");
        };
        check(&[], &[]);
        check(&[9000], &[1]);
        check(&[0; 17], &[8, 8, 1]);
        check(&[10, 200, 200, 256, 256, 257], &[2, 2, 1, 1]);
    }
}
