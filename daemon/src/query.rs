//! The ask job: draft -> read -> think -> embed -> search -> final.
//!
//! It is cancelled by being dropped. What needs the model degrades to what does not: without a
//! thought or a reading the ranking before it stands, without a vector the text ranking does, and
//! `done` says why.

mod copies;
pub mod filter;
mod reading;
pub mod scope;
mod search;
mod select;
pub(crate) mod trace;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use daemon_protocol::{
    Ask, Event, Failure, Hit, LIMIT_MAX, QUESTION_CHARS_MAX, READ_MS_MAX, Ranks, Stage,
    THOUGHTS_MAX, Timings,
};
use models::{Sampling, Thought};
use tokio::sync::mpsc;

use self::copies::{Folded, fold};
use self::filter::Parsed;
use self::search::Sieve;
use self::select::{Selection, select};
use crate::engine::Engine;
use crate::error::{busy, cancelled, internal, invalid};
use crate::extract::is_converted;
use crate::fuse::{Fused, Place, Readings, fuse, grounds, spread};
use crate::limits::{LABEL_CHARS_MAX, PASSAGES_PER_DOCUMENT, SNIPPET_CHARS_MAX, THINK_MAX};
use crate::mind::{JobError, Thinking};
use crate::reading::Portion;
use crate::shared::Shared;
use crate::snippet::snippet;
use crate::store::{Found, Scope, StoreError};

/// Events on their way to the client. Sending waits for a slow one.
pub(crate) type Outbox = mpsc::Sender<Event>;

/// An ask that makes sense.
struct Question {
    id: u64,
    /// Without its filters.
    text: String,
    limit: usize,
    sampling: Sampling,
    /// How long the first passages may be read; zero leaves it out.
    reading_time: Duration,
    scope: Scope,
    sieve: Sieve,
    /// Folders watched when it was asked.
    roots: Vec<PathBuf>,
    /// Whether thoughts are shown what the draft found.
    grounded: bool,
}

/// Answers `ask` with events to `out`, all but the closing `failed`, which is the error.
pub(crate) async fn answer(shared: &Shared, ask: Ask, out: &Outbox) -> Result<(), Failure> {
    let started = Instant::now();
    let engine = shared.generations.serving();
    let question = check(shared, &engine, ask)?;
    let _attention = engine.mind.attend();
    let (timings, portion) = (Timings::default(), Portion::default());
    let run = Run { engine, question, out: Some(out), started, timings, portion };
    run.answer().await
}

fn check(shared: &Shared, engine: &Engine, ask: Ask) -> Result<Question, Failure> {
    if ask.text.trim().is_empty() {
        return Err(invalid("the question is empty", "ask something"));
    }
    let characters = ask.text.chars().count();
    if characters > QUESTION_CHARS_MAX {
        return Err(invalid(
            format!("the question has {characters} characters, {QUESTION_CHARS_MAX} are the most"),
            "ask for its gist; long texts belong into a folder that is searched",
        ));
    }
    if ask.limit == 0 || ask.limit > LIMIT_MAX {
        return Err(invalid(
            format!("{} hits cannot be asked for", ask.limit),
            format!("choose a limit from 1 to {LIMIT_MAX}"),
        ));
    }
    let mut sampling = shared.settings.sampling.clone();
    sampling.thoughts = ask.thoughts.unwrap_or(sampling.thoughts);
    if sampling.thoughts > THOUGHTS_MAX {
        return Err(invalid(
            format!("{} thoughts cannot be asked for", sampling.thoughts),
            format!("{THOUGHTS_MAX} are the most, 0 is a search without thinking"),
        ));
    }
    if ask.read_ms.is_some_and(|ms| ms > READ_MS_MAX) {
        return Err(invalid(
            "more than a minute of reading cannot be asked for",
            format!("{READ_MS_MAX} milliseconds are the most, 0 is a search without reading"),
        ));
    }
    let reading_time = ask.read_ms.map_or(shared.settings.reading_time, Duration::from_millis);
    let roots = shared.folders.roots();
    let Parsed { words, filters } = parsed(&ask.text);
    let known = engine.catalogue.read();
    let selecting = |conditions| select(ask.path.as_deref(), conditions, &roots, &known);
    let (text, selected) = match selecting(&filters.documents) {
        Ok(selected) if words.is_empty() => (ask.text.trim().to_owned(), selected),
        // Nothing but what looks like filters, and there is nothing of the kind: they are words.
        Err(_) if words.is_empty() => (ask.text.trim().to_owned(), selecting(&[])?),
        selected => (words, selected?),
    };
    drop(known);
    let Selection { scope, left_out } = selected;
    let sieve = Sieve { phrases: filters.phrases, without: filters.without, left_out };
    let grounded = shared.settings.grounded.unwrap_or(engine.card.grounded);
    let Ask { id, limit, .. } = ask;
    Ok(Question { id, text, limit, sampling, reading_time, scope, sieve, roots, grounded })
}

/// What `text` asks for and where.
fn parsed(text: &str) -> Parsed {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    filter::parse(text, i64::try_from(now.as_nanos()).unwrap_or(i64::MAX))
}

/// An answer under way.
struct Run<'a> {
    engine: Arc<Engine>,
    question: Question,
    /// Absent where nobody waits for hits and thoughts.
    out: Option<&'a Outbox>,
    started: Instant,
    timings: Timings,
    /// What there was time to read.
    portion: Portion,
}

impl Run<'_> {
    async fn answer(mut self) -> Result<(), Failure> {
        let Question { sampling, reading_time, grounded, .. } = &self.question;
        let (wants_thought, wants_reading) = (sampling.thoughts > 0, !reading_time.is_zero());
        let grounded = *grounded;
        let embedded = self.engine.mind.embed_query(&self.question.text, Vec::new());
        let (text, bare) = tokio::join!(self.by_text(), embedded);
        let text = text?;
        let bare = self.usable(bare)?;
        let (thinks, reads) = (bare.is_some() && wants_thought, bare.is_some() && wants_reading);
        // Thinking begins before the store has answered, unless it comes after what is found or
        // read; its first tokens wait in the channel.
        let early = thinks && !grounded && !reads;
        let mut thinking = if early { self.begin_thinking("")? } else { None };
        let near = self.by_vector(bare.map(models::Embedding::into_vec)).await?;
        let draft = self.fuse(&text, &near);
        self.timings.draft_ms = ms(self.started);
        if !reads && !thinks {
            return self.finish(draft, None).await;
        }
        self.send_hits(Stage::Draft, &draft, None).await?;
        let places = places(&draft);
        let mut readings = Readings::new();
        let mut ranked = draft;
        if reads {
            let reading = Instant::now();
            ranked = self.read(ranked, &places, &mut readings).await?;
            self.timings.read_ms = ms(reading);
        }
        if thinks && !early {
            let context = match grounded {
                true => grounds(&self.question.text, &ranked),
                false => String::new(),
            };
            thinking = self.begin_thinking(&context)?;
        }
        let Some(thinking) = thinking else {
            return self.finish(ranked, Some(&places)).await;
        };
        let thoughts = self.think(thinking).await?;
        let ranking = Instant::now();
        if let Some(vector) = self.embed_thoughts(thoughts).await? {
            let near = self.by_vector(Some(vector)).await?;
            ranked = self.fuse(&text, &near);
            if reads {
                ranked = self.read_rest(ranked, &mut readings).await?;
            }
        }
        self.timings.rank_ms = ms(ranking);
        self.finish(ranked, Some(&places)).await
    }

    fn begin_thinking(&mut self, context: &str) -> Result<Option<Thinking>, Failure> {
        let Question { text, sampling, .. } = &self.question;
        let thinking = self.engine.mind.think(text, context, sampling);
        self.usable(thinking)
    }

    async fn finish(mut self, ranking: Vec<Fused>, draft: Option<&Places>) -> Result<(), Failure> {
        self.send_hits(Stage::Final, &ranking, draft).await?;
        self.timings.total_ms = ms(self.started);
        let done = Event::Done { id: self.question.id, timings: self.timings.clone() };
        self.send(done).await
    }

    /// A vector, or the reason why there is none; too many askers is no reason to answer worse.
    fn usable<T>(&mut self, result: Result<T, JobError>) -> Result<Option<T>, Failure> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error @ JobError::Busy) => Err(busy(&error.to_string())),
            Err(error @ (JobError::Gone | JobError::Mind(_))) => {
                tracing::warn!(%error, "an answer without the model");
                self.timings.degraded = Some(error.to_string());
                Ok(None)
            }
        }
    }

    /// Streams the thoughts; none if thinking failed or took too long.
    async fn think(&mut self, mut thinking: Thinking) -> Result<Vec<Thought>, Failure> {
        let thinking_since = Instant::now();
        let deadline = tokio::time::Instant::now() + THINK_MAX;
        let id = self.question.id;
        while let Ok(next) = tokio::time::timeout_at(deadline, thinking.deltas.recv()).await {
            let Some(delta) = next else {
                self.timings.think_ms = ms(thinking_since);
                let thoughts = thinking.thoughts().await;
                return Ok(self.usable(thoughts)?.unwrap_or_default());
            };
            self.timings.thought_tokens += 1;
            self.timings.first_token_ms.get_or_insert_with(|| ms(self.started));
            if !delta.text.is_empty() {
                self.send(Event::Thought { id, index: delta.index, delta: delta.text }).await?;
            }
        }
        self.timings.think_ms = ms(thinking_since);
        self.timings.degraded = Some(format!("no thought within {} s", THINK_MAX.as_secs()));
        Ok(Vec::new())
    }

    async fn embed_thoughts(
        &mut self,
        thoughts: Vec<Thought>,
    ) -> Result<Option<Vec<f32>>, Failure> {
        if thoughts.is_empty() {
            let empty = || "the model had no usable thought".to_owned();
            self.timings.degraded.get_or_insert_with(empty);
            return Ok(None);
        }
        let vector = self.engine.mind.embed_query(&self.question.text, thoughts).await;
        Ok(self.usable(vector)?.map(models::Embedding::into_vec))
    }

    fn fuse(&self, text: &[Found], near: &[Found]) -> Vec<Fused> {
        let mut fused = fuse(text, near, text.len() + near.len());
        // A folder that was removed is out of sight at once, however long forgetting it takes.
        let roots = &self.question.roots;
        fused.retain(|one| roots.iter().any(|root| Path::new(&one.found.path).starts_with(root)));
        spread(fused, PASSAGES_PER_DOCUMENT)
    }

    async fn send_hits(
        &self,
        stage: Stage,
        ranking: &[Fused],
        draft: Option<&Places>,
    ) -> Result<(), Failure> {
        let question = &self.question;
        let hits = fold(ranking, question.limit)
            .into_iter()
            .map(|folded| {
                let draft = draft.and_then(|draft| draft.get(&folded.fused.place()).copied());
                hit(question, folded, draft)
            })
            .collect();
        self.send(Event::Hits { id: question.id, stage, hits }).await
    }

    async fn send(&self, event: Event) -> Result<(), Failure> {
        let Some(out) = self.out else { return Ok(()) };
        out.send(event).await.map_err(|_| cancelled("the client has left"))
    }
}

/// Rank, from 1, of every passage of a ranking.
type Places = HashMap<Place, usize>;

fn places(ranking: &[Fused]) -> Places {
    ranking.iter().enumerate().map(|(index, fused)| (fused.place(), index + 1)).collect()
}

fn hit(question: &Question, folded: Folded<'_>, draft: Option<usize>) -> Hit {
    let Folded { fused, also } = folded;
    let Found { path, title, passage, .. } = &fused.found;
    let shown = snippet(&question.text, &question.sieve.phrases, passage, SNIPPET_CHARS_MAX);
    Hit {
        path: path.clone(),
        title: label(title),
        heading: label(&passage.heading),
        line_start: passage.lines.0,
        line_end: passage.lines.1,
        line: shown.line,
        byte_start: passage.bytes.start,
        byte_end: passage.bytes.end,
        // A file may be another than its name says.
        converted: is_converted(Path::new(path)) || passage.place.is_some(),
        place: passage.place.clone(),
        score: fused.score,
        snippet: shown.text,
        highlights: shown.highlights,
        reading: fused.reading,
        ranks: Ranks { text: fused.ranks[0], vector: fused.ranks[1], draft },
        also,
    }
}

/// Cut to what a screen shows, and without characters that would drive a terminal.
fn label(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LABEL_CHARS_MAX).collect()
}

fn store_failure(error: StoreError) -> Failure {
    internal(error.to_string())
}

fn ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
