//! Embedded documents -> the store. What cannot be stored, as on a full disk, waits, embedded as it is, and is
//! tried again; meanwhile no more is embedded than one commit takes.

use tokio::time::Instant;

use super::side::Side;
use crate::store::{Document, Known, StoreError};

impl Side {
    /// Stores what is embedded, in one commit.
    pub(super) async fn commit(&mut self) {
        if !self.is_paused() {
            let documents = self.group.take();
            self.commit_only(documents).await;
        }
    }

    /// Stores `documents`, in one commit of their own; while nothing can be stored they wait with the others.
    pub(super) async fn commit_only(&mut self, documents: Vec<Document>) {
        if self.is_paused() {
            self.group.add(documents, std::time::Instant::now());
        } else if !documents.is_empty()
            && let Err(error) = self.store(documents.clone()).await
        {
            self.store_singly(documents, error).await;
        }
    }

    /// Whether nothing is to be stored for now.
    pub(super) fn is_paused(&self) -> bool {
        self.storing.retry_at().is_some()
    }

    /// Whether one more document to store would be one too many.
    pub(super) fn is_stuck(&self) -> bool {
        self.is_paused() && self.group.is_full()
    }

    /// Stores `documents`, in one commit.
    pub(super) async fn store(&mut self, documents: Vec<Document>) -> Result<(), StoreError> {
        let entries: Vec<(String, Known)> = documents
            .iter()
            .map(|document| {
                let (stamp, tags) = (document.stamp.clone(), document.tags.clone());
                let passages = document.passages.len();
                (document.path.clone(), Known { stamp, tags, passages })
            })
            .collect();
        let left: Vec<String> = documents.iter().filter_map(|d| d.moved_from.clone()).collect();
        let engine = self.engine();
        let passages = documents.iter().map(|document| document.passages.len()).sum();
        engine.store.replace(documents).await?;
        for (path, _) in &entries {
            self.refused.remove(path);
        }
        let mut known = engine.catalogue.write();
        for path in &left {
            known.remove(path);
        }
        known.extend(entries);
        self.upkeep.want(passages);
        self.storing.works();
        Ok(())
    }

    /// Stores `documents`, which the store refused together with `error`, one by one: it may be that one of
    /// them is why. After two that are refused and none that is not, the store is, and all of them wait.
    pub(super) async fn store_singly(&mut self, documents: Vec<Document>, error: StoreError) {
        let (mut failed, mut stored, mut last) = (Vec::new(), false, error);
        for document in documents {
            let is_hopeless = !stored && failed.len() > 1;
            if is_hopeless {
                failed.push(document);
                continue;
            }
            match self.store(vec![document.clone()]).await {
                Ok(()) => stored = true,
                Err(error) => {
                    failed.push(document);
                    last = error;
                }
            }
        }
        let reason = last.to_string();
        let is_to_blame = |document: &Document| {
            // One that was to blame before says nothing of the store when it comes alone.
            let refused = self.refused.get(&document.path);
            stored || refused.is_some_and(|refusal| refusal.reason == reason)
        };
        let (blamed, waiting): (Vec<_>, Vec<_>) = failed.into_iter().partition(is_to_blame);
        for document in blamed {
            self.refuse(document.path, None, reason.clone());
        }
        if !waiting.is_empty() {
            self.unstorable(&last);
            self.group.add(waiting, std::time::Instant::now());
        }
    }

    /// The store cannot be written: that is told, and tried again.
    pub(super) fn unstorable(&mut self, error: &StoreError) {
        tracing::error!(%error, "the index cannot be written; it is tried again");
        self.storing.fails(error, Instant::now());
    }
}
