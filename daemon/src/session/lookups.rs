//! Requests that look something up, or write something down, and answer it in one go.

use std::path::Path;
use std::sync::Arc;

use daemon_protocol::{Event, Failure, MARK_QUESTION_CHARS_MAX};

use super::Session;
use crate::around::{self, document, moved, title};
use crate::error::{internal, invalid};
use crate::marks::Pointed;
use crate::patience::{Errand, Pulse};
use crate::prepare::Tools;
use crate::query::similar::similar;
use crate::query::{trace, words_of};
use crate::scan::root_of;
use crate::shared::Shared;
use crate::why;

/// What a [`daemon_protocol::Request::Mark`] says.
pub(super) struct Said {
    pub(super) question: String,
    pub(super) path: String,
    pub(super) byte_start: usize,
    pub(super) byte_end: usize,
    pub(super) right: Option<bool>,
}

impl Session {
    /// Has `work` done beside other requests, and the client told what comes of it.
    async fn look_up<F>(&mut self, id: u64, work: impl FnOnce(Arc<Shared>) -> F)
    where
        F: Future<Output = Result<Vec<Event>, Failure>> + Send + 'static,
    {
        if !self.has_room(id).await {
            return;
        }
        let (work, out) = (work(Arc::clone(&self.shared)), self.out.clone());
        self.jobs.spawn(async move {
            let events = work.await.unwrap_or_else(|error| vec![Event::Failed { id, error }]);
            for event in events {
                if out.send(event).await.is_err() {
                    return;
                }
            }
        });
    }

    pub(super) async fn document(&mut self, id: u64, path: String, byte_start: usize) {
        let read = |shared: Arc<Shared>| async move {
            Ok(vec![around::read(&shared, id, path, byte_start).await?])
        };
        self.look_up(id, read).await;
    }

    pub(super) async fn similar(&mut self, id: u64, path: String, byte_start: usize, limit: usize) {
        let look = |shared: Arc<Shared>| async move {
            similar(&shared, id, path, byte_start, limit).await
        };
        self.look_up(id, look).await;
    }

    pub(super) async fn mark(&mut self, id: u64, said: Said) {
        // Not beside others: a mark and its taking back come in the order in which they were sent.
        let marked = mark(Arc::clone(&self.shared), id, said).await;
        let event = marked.unwrap_or_else(|error| Event::Failed { id, error });
        self.send(event).await;
    }

    pub(super) async fn marks(&mut self, id: u64) {
        let list = |shared: Arc<Shared>| async move {
            let lists = shared.marks.list()?;
            let last = lists.len().saturating_sub(1);
            let event = |(index, marks)| Event::Marks { id, marks, more: index < last };
            Ok(lists.into_iter().enumerate().map(event).collect())
        };
        self.look_up(id, list).await;
    }

    pub(super) async fn why_not(&mut self, id: u64, path: String, question: Option<String>) {
        let look = |shared: Arc<Shared>| async move {
            let roots = shared.folders.roots();
            let root = root_of(&roots, Path::new(&path)).unwrap_or(Path::new("/")).to_owned();
            let look = {
                let (shared, path) = (Arc::clone(&shared), path.clone());
                move |pulse: &Pulse| why_not(&shared, &path, pulse)
            };
            let told = shared.patience.run(&root, Path::new(&path), Errand::Ask, look).await;
            let (mut reason, indexed) =
                told.unwrap_or_else(|silence| (format!("it {silence}"), None));
            if let (Some(path), Some(question)) = (indexed, question) {
                let stages = trace::trace(&shared, &path, &question).await?;
                reason.push_str(&format!("\n{stages}"));
            }
            Ok(vec![Event::Why { id, reason }])
        };
        self.look_up(id, look).await;
    }
}

/// Writes down what was said of a passage. It is known by what is indexed; only to take a mark back its document need
/// not be there any more.
async fn mark(shared: Arc<Shared>, id: u64, said: Said) -> Result<Event, Failure> {
    let Said { question, path, byte_start, byte_end, right } = said;
    let words = words_of(&question);
    if words.is_empty() {
        return Err(invalid("the question is empty", "say what the passage answers"));
    }
    if question.chars().count() > MARK_QUESTION_CHARS_MAX {
        return Err(invalid(
            format!("questions of more than {MARK_QUESTION_CHARS_MAX} characters have no marks"),
            "ask for its gist",
        ));
    }
    let engine = shared.generations.serving();
    let mut passages = document(&engine, &path).await?.into_iter();
    let is_it = |bytes: &std::ops::Range<usize>| *bytes == (byte_start..byte_end);
    let passage = passages.find(|passage| is_it(&passage.bytes));
    let indexed = match (passage, right) {
        (Some(passage), _) => Some((title(&engine, &path).await?, passage.text)),
        (None, None) => None,
        (None, Some(_)) => return Err(moved(&path, byte_start)),
    };
    let pointed = Pointed { question, words, path, byte_start, byte_end, indexed };
    let written = tokio::task::spawn_blocking(move || shared.marks.set(pointed, right)).await;
    let mark = written.map_err(|_| internal("writing the marks panicked"))??;
    Ok(Event::Marked { id, mark })
}

/// One line about a file, for [`daemon_protocol::Request::WhyNot`], and its path if it is indexed. Blocks.
fn why_not(shared: &Shared, path: &str, pulse: &Pulse) -> (String, Option<String>) {
    if let Err(error) = pulse.at(Path::new(path)) {
        return (format!("it cannot be looked at: {error}"), None);
    }
    let (engine, roots) = (shared.generations.serving(), shared.folders.roots());
    let path = why::resolved(path);
    let known = path.to_str().and_then(|path| engine.catalogue.read().get(path).cloned());
    let tools = Tools {
        tokens_max: engine.card.passage_tokens_max,
        counter: engine.counter.as_ref(),
        convert: shared.converter.as_ref(),
        roots: &roots,
    };
    // What the indexer has just found is newer than what is read now, and need not be read again.
    let refused = shared.status.borrow().problems.iter().rev().find_map(|problem| {
        (path == Path::new(&problem.path)).then(|| why::refused(&problem.reason, known.is_some()))
    });
    let reason = refused.unwrap_or_else(|| why::why(&path, known.as_ref(), tools, pulse));
    // An indexer that has files to read starts another process; nobody else would end this one.
    shared.converter.rest();
    (reason, known.and_then(|_| path.to_str().map(str::to_owned)))
}
