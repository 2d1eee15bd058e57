//! A store in memory: brute force over vectors, BM25 by the book. For tests of the service.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Document, Found, Known, Passage, Pending, Scope, Store, StoreError};
use crate::words::searchable;

/// Robertson's usual parameters, as in Lucene.
const K1: f32 = 1.2;
const B: f32 = 0.75;

/// See the module.
#[derive(Debug, Default)]
pub struct MemoryStore {
    documents: Mutex<BTreeMap<String, Document>>,
    /// Paths that hold the first cannot be written, for the second.
    failing: Mutex<Option<(&'static str, &'static str)>>,
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Document>> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on writing fails for paths that hold `part`, with `reason`; or for none.
    pub fn fail(&self, failing: Option<(&'static str, &'static str)>) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = failing;
    }

    fn written<'a>(&self, mut paths: impl Iterator<Item = &'a String>) -> Result<(), StoreError> {
        match *self.failing.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((part, reason)) if paths.any(|path| path.contains(part)) => {
                Err(StoreError(reason.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Scores every passage in scope, drops those without a score, sorts best first.
    fn rank(
        &self,
        limit: usize,
        scope: &Scope,
        score: impl Fn(&Document, usize) -> Option<f32>,
    ) -> Vec<Found> {
        let documents = self.lock();
        let mut found: Vec<Found> = documents
            .values()
            .filter(|document| scope.holds(&document.path))
            .flat_map(|document| {
                (0..document.passages.len()).map(move |ordinal| (document, ordinal))
            })
            .filter_map(|(document, ordinal)| {
                score(document, ordinal).map(|score| Found {
                    path: document.path.clone(),
                    title: document.title.clone(),
                    ordinal,
                    passage: document.passages[ordinal].0.clone(),
                    score,
                })
            })
            .collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(limit);
        found
    }

    fn bm25(&self, text: &str, limit: usize, scope: &Scope) -> Vec<Found> {
        let bags: HashMap<(String, usize), Vec<String>> = self
            .lock()
            .values()
            .flat_map(|document| {
                document.passages.iter().enumerate().map(|(ordinal, (passage, _))| {
                    let Document { title, names, .. } = document;
                    let Passage { heading, text, .. } = passage;
                    let searched = format!("{names} {title} {heading} {text}");
                    ((document.path.clone(), ordinal), words(&searched))
                })
            })
            .collect();
        let count = bags.len() as f32;
        let mean_length = bags.values().map(Vec::len).sum::<usize>() as f32 / count.max(1.0);
        let terms = words(text);
        let idf: Vec<f32> = terms
            .iter()
            .map(|term| {
                let df = bags.values().filter(|bag| bag.contains(term)).count() as f32;
                (1.0 + (count - df + 0.5) / (df + 0.5)).ln()
            })
            .collect();
        self.rank(limit, scope, |document, ordinal| {
            let bag = bags.get(&(document.path.clone(), ordinal))?;
            let norm = K1 * (1.0 - B + B * bag.len() as f32 / mean_length);
            let score: f32 = terms
                .iter()
                .zip(&idf)
                .map(|(term, idf)| {
                    let tf = bag.iter().filter(|word| *word == term).count() as f32;
                    idf * tf * (K1 + 1.0) / (tf + norm)
                })
                .sum();
            (score > 0.0).then_some(score)
        })
    }
}

fn words(text: &str) -> Vec<String> {
    searchable(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

impl Store for MemoryStore {
    fn replace(&self, documents: Vec<Document>) -> Pending<'_, ()> {
        if let Err(error) = self.written(documents.iter().map(|document| &document.path)) {
            return Box::pin(async { Err(error) });
        }
        let mut held = self.lock();
        for document in documents {
            if let Some(from) = &document.moved_from {
                held.remove(from);
            }
            held.insert(document.path.clone(), document);
        }
        Box::pin(async { Ok(()) })
    }

    fn remove(&self, paths: Vec<String>) -> Pending<'_, ()> {
        if let Err(error) = self.written(paths.iter()) {
            return Box::pin(async { Err(error) });
        }
        self.lock().retain(|path, _| !paths.contains(path));
        Box::pin(async { Ok(()) })
    }

    fn known(&self) -> Pending<'_, BTreeMap<String, Known>> {
        let known = self
            .lock()
            .values()
            .map(|document| {
                let known = Known {
                    stamp: document.stamp.clone(),
                    tags: document.tags.clone(),
                    passages: document.passages.len(),
                };
                (document.path.clone(), known)
            })
            .collect();
        Box::pin(async { Ok(known) })
    }

    fn document(&self, path: String) -> Pending<'_, Vec<Passage>> {
        let held = self.lock();
        let passages = held.get(&path).map_or(&[][..], |document| &document.passages);
        let passages = passages.iter().map(|(passage, _)| passage.clone()).collect();
        Box::pin(async { Ok(passages) })
    }

    fn vectors(&self, paths: Vec<String>) -> Pending<'_, BTreeMap<String, Vec<f32>>> {
        let held = self.lock();
        let of_paths = paths.iter().filter_map(|path| held.get(path));
        let vectors = of_paths.flat_map(|document| {
            let vectors = document.passages.iter().map(|(_, vector)| vector.clone());
            document.digests.iter().cloned().zip(vectors)
        });
        let vectors = vectors.collect();
        Box::pin(async { Ok(vectors) })
    }

    fn by_vector(&self, vector: Vec<f32>, limit: usize, scope: Scope) -> Pending<'_, Vec<Found>> {
        let found = self.rank(limit, &scope, |document, ordinal| {
            Some(document.passages[ordinal].1.iter().zip(&vector).map(|(a, b)| a * b).sum())
        });
        Box::pin(async { Ok(found) })
    }

    fn by_text(&self, text: String, limit: usize, scope: Scope) -> Pending<'_, Vec<Found>> {
        let found = self.bm25(&text, limit, &scope);
        Box::pin(async { Ok(found) })
    }

    fn maintain(&self) -> Pending<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}
