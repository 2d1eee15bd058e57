//! Documents on their way through the model, batch by batch. Pure: it is told what came back.

use std::collections::{BTreeMap, VecDeque};

use models::{Embedding, MindError};

use super::progress::Tally;
use super::queue::{Suspect, Urgency};
use super::refusal::Again;
use crate::limits::{BATCH_PASSAGES_MAX, BATCH_TOKENS_MAX};
use crate::mind::JobError;
use crate::prepare::Prepared;
use crate::scan::Seen;
use crate::store::Document;

/// A passage: which document of the work, and which passage of that.
type Place = (usize, usize);

/// Passages that are embedded in one job.
pub(super) type Batch = Vec<Place>;

/// A document that was read.
pub(super) struct Gathered {
    prepared: Prepared,
    /// One for each passage; empty where it is to be embedded.
    vectors: Vec<Vec<f32>>,
    /// The file's size when it was queued, by which progress is counted.
    bytes: u64,
    /// The path under which all of it is indexed, and where it is no longer.
    moved_from: Option<String>,
}

impl Gathered {
    /// With the vectors that are `held` of the texts with these digests.
    pub(super) fn new(
        prepared: Prepared,
        bytes: u64,
        moved_from: Option<String>,
        held: &BTreeMap<String, Vec<f32>>,
    ) -> Gathered {
        let vector = |digest| held.get(digest).cloned().unwrap_or_default();
        let vectors = prepared.digests.iter().map(vector).collect();
        Gathered { prepared, vectors, bytes, moved_from }
    }

    /// How many passages are to be embedded.
    pub(super) fn missing(&self) -> usize {
        self.vectors.iter().filter(|vector| vector.is_empty()).count()
    }
}

struct Entry {
    gathered: Gathered,
    failure: Option<Failure>,
}

impl Entry {
    fn path(&self) -> &String {
        &self.gathered.prepared.path
    }
}

struct Failure {
    reason: String,
    again: Again,
}

/// See the module.
pub(super) struct Work {
    /// `None` once abandoned.
    entries: Vec<Option<Entry>>,
    batches: VecDeque<Batch>,
    pub(super) urgency: Urgency,
}

/// A document that could not be embedded.
pub(super) struct Unembedded {
    pub(super) path: String,
    pub(super) again: Again,
    pub(super) moved_from: Option<String>,
    pub(super) reason: String,
}

/// What a work came to.
pub(super) struct Finished {
    pub(super) documents: Vec<Document>,
    pub(super) failures: Vec<Unembedded>,
}

impl Work {
    /// Plans the batches for files that were read.
    pub(super) fn new(gathered: Vec<Gathered>, urgency: Urgency) -> Work {
        let mut places: Vec<(usize, Place)> = Vec::new();
        let mut entries = Vec::new();
        for (document, gathered) in gathered.into_iter().enumerate() {
            let texts = gathered.prepared.texts.iter().zip(&gathered.vectors).enumerate();
            let missing = texts.filter(|(_, (_, vector))| vector.is_empty());
            places.extend(missing.map(|(passage, ((_, count), _))| (*count, (document, passage))));
            entries.push(Some(Entry { gathered, failure: None }));
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
            entry.map(|entry| entry.gathered.prepared.texts[*passage].0.clone()).unwrap_or_default()
        };
        batch.iter().map(text).collect()
    }

    /// Takes the vectors of `batch`, each of which must have `width` values.
    pub(super) fn embedded(&mut self, batch: &Batch, vectors: Vec<Embedding>, width: usize) {
        let whole = vectors.len() == batch.len()
            && vectors.iter().all(|vector| vector.as_slice().len() == width);
        if !whole {
            let reason = format!("the model gave vectors that are not {width} wide, one a passage");
            return self.blame(batch, &reason, Again::Looked);
        }
        for ((document, passage), vector) in batch.iter().zip(vectors) {
            if let Some(entry) = &mut self.entries[*document] {
                entry.gathered.vectors[*passage] = vector.into_vec();
            }
        }
    }

    /// The model failed at `batch`: its passages are tried one by one, and one that fails alone
    /// is to blame.
    pub(super) fn failed(&mut self, batch: &Batch, error: &JobError) {
        if batch.len() == 1 {
            let again = match error {
                // The text is why.
                JobError::Mind(MindError::Numeric(_) | MindError::Inference(_)) => Again::Looked,
                // The model's file is no longer there, or another.
                _ => Again::Passed,
            };
            self.blame(batch, &error.to_string(), again);
        } else {
            for place in batch {
                self.batches.push_front(vec![*place]);
            }
        }
    }

    fn blame(&mut self, batch: &Batch, reason: &str, again: Again) {
        for (document, _) in batch {
            if let Some(entry) = &mut self.entries[*document] {
                let reason = format!("cannot be embedded: {reason}");
                entry.failure = Some(Failure { reason, again });
            }
        }
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = String> {
        self.entries.iter().flatten().map(|entry| entry.path().clone())
    }

    /// Whether `path` is in work as it is on disk now.
    pub(super) fn holds(&self, path: &str, seen: Seen) -> bool {
        self.entries.iter().flatten().any(|entry| {
            let stamp = &entry.gathered.prepared.stamp;
            entry.path() == path && stamp.bytes == seen.bytes && stamp.changed_ns == seen.changed_ns
        })
    }

    /// Drops `path` from the work, if it is there; where it is still indexed, if it was moved.
    pub(super) fn abandon(&mut self, path: &str) -> Option<String> {
        let of_path = |entry: &mut Option<Entry>| entry.take_if(|entry| entry.path() == path);
        self.entries.iter_mut().find_map(of_path)?.gathered.moved_from
    }

    /// Where documents of the work are still indexed that were moved.
    pub(super) fn moved_from(&self) -> impl Iterator<Item = &String> {
        self.entries.iter().flatten().filter_map(|entry| entry.gathered.moved_from.as_ref())
    }

    /// How much is still in the work.
    pub(super) fn tally(&self) -> Tally {
        self.entries.iter().flatten().map(|entry| Tally::of(entry.gathered.bytes)).sum()
    }

    /// What is still in the work, whatever has been embedded of it, to be queued as it was; each with
    /// where it is still indexed, if it was moved.
    pub(super) fn into_suspects(self) -> impl Iterator<Item = (Suspect, Option<String>)> {
        self.entries.into_iter().flatten().map(|Entry { gathered, .. }| {
            let Gathered { prepared, bytes, moved_from, .. } = gathered;
            (Suspect { path: prepared.path, bytes }, moved_from)
        })
    }

    /// The documents, all their passages embedded.
    pub(super) fn finish(self) -> Finished {
        let mut finished = Finished { documents: vec![], failures: vec![] };
        for Entry { gathered, failure } in self.entries.into_iter().flatten() {
            let Gathered { prepared, vectors, moved_from, .. } = gathered;
            let Prepared { path, title, names, tags, stamp, passages, digests, texts: _ } =
                prepared;
            match failure {
                Some(Failure { reason, again }) => {
                    finished.failures.push(Unembedded { path, again, moved_from, reason });
                }
                None => finished.documents.push(Document {
                    path,
                    title,
                    names,
                    tags,
                    stamp,
                    passages: passages.into_iter().zip(vectors).collect(),
                    digests,
                    moved_from,
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
