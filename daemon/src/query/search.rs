//! What the store finds for a question, less what its filters leave out.

use std::collections::HashSet;

use daemon_protocol::Failure;

use super::{Run, store_failure};
use crate::limits::{CANDIDATES, SIFTED_DEPTHS};
use crate::phrase::{occurrences, plain};
use crate::store::{Found, Scope};

/// What found passages are held to; each of the words is [`plain`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sieve {
    /// They stand in it.
    pub(super) phrases: Vec<String>,
    /// They do not.
    pub(super) without: Vec<String>,
    /// It is not of these documents.
    pub(super) left_out: HashSet<String>,
}

impl Sieve {
    /// Whether it keeps everything.
    fn is_open(&self) -> bool {
        self.left_out.is_empty() && self.phrases.is_empty() && self.without.is_empty()
    }

    fn keeps(&self, found: &Found) -> bool {
        if self.left_out.contains(&found.path) {
            return false;
        }
        if self.phrases.is_empty() && self.without.is_empty() {
            return true;
        }
        let parts =
            [&found.title, &found.passage.heading, &found.passage.text].map(|part| plain(part));
        let holds =
            |phrase: &String| parts.iter().any(|part| occurrences(part, phrase).next().is_some());
        self.phrases.iter().all(holds) && !self.without.iter().any(holds)
    }
}

/// What a search is for.
#[derive(Debug, Clone)]
enum Sought<'a> {
    Text(&'a str),
    Vector(&'a [f32]),
}

impl Run<'_> {
    /// The best passages by words. What only a phrase's own words find comes behind: it has fewer of the
    /// question's, or it would have been among them, and its score is no more than its share of theirs.
    pub(super) async fn by_text(&self) -> Result<Vec<Found>, Failure> {
        let mut found = self.sift(Sought::Text(&self.question.text)).await?;
        let mut behind = Vec::new();
        let missing = found.len() < CANDIDATES;
        for phrase in self.question.sieve.phrases.iter().filter(|_| missing) {
            behind.extend(self.sift(Sought::Text(phrase)).await?);
        }
        behind.sort_by(|a: &Found, b: &Found| b.score.total_cmp(&a.score));
        let is_same = |a: &Found, b: &Found| a.path == b.path && a.ordinal == b.ordinal;
        for one in behind {
            if found.len() < CANDIDATES && !found.iter().any(|other| is_same(other, &one)) {
                found.push(one);
            }
        }
        Ok(found)
    }

    pub(super) async fn by_vector(&self, vector: Option<Vec<f32>>) -> Result<Vec<Found>, Failure> {
        match vector {
            None => Ok(Vec::new()),
            Some(vector) => self.sift(Sought::Vector(&vector)).await,
        }
    }

    /// The best that the sieve keeps. It is searched ever deeper until that is enough, or all there is.
    async fn sift(&self, sought: Sought<'_>) -> Result<Vec<Found>, Failure> {
        let (sieve, scope) = (&self.question.sieve, &self.question.scope);
        if sieve.is_open() {
            return self.search(&sought, CANDIDATES, scope.clone()).await;
        }
        let everywhere = if sieve.left_out.is_empty() { scope } else { &Scope::All };
        let mut kept = Vec::new();
        for depth in SIFTED_DEPTHS {
            kept = self.search(&sought, depth, everywhere.clone()).await?;
            let is_all = kept.len() < depth;
            kept.retain(|found| sieve.keeps(found));
            if is_all || kept.len() >= CANDIDATES {
                kept.truncate(CANDIDATES);
                return Ok(kept);
            }
        }
        let [.., deepest] = SIFTED_DEPTHS;
        if !sieve.left_out.is_empty() {
            // Left out is little of all, and yet most of what is nearest.
            kept = self.search(&sought, deepest, scope.clone()).await?;
            kept.retain(|found| sieve.keeps(found));
            kept.truncate(CANDIDATES);
        }
        Ok(kept)
    }

    async fn search(
        &self,
        sought: &Sought<'_>,
        depth: usize,
        scope: Scope,
    ) -> Result<Vec<Found>, Failure> {
        let store = &self.engine.store;
        let found = match sought {
            Sought::Text(text) => store.by_text((*text).to_owned(), depth, scope),
            Sought::Vector(vector) => store.by_vector(vector.to_vec(), depth, scope),
        };
        found.await.map_err(store_failure)
    }
}
