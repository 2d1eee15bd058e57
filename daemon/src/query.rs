//! The ask job: draft -> read -> think -> embed -> search -> final.
//!
//! It is cancelled by being dropped. What needs the model degrades to what does not: without a
//! thought or a reading the ranking before it stands, without a vector the text ranking does, and
//! `done` says why.

mod before;
mod copies;
pub mod filter;
mod hit;
mod reading;
pub mod scope;
mod search;
mod select;
pub(crate) mod similar;
mod thinking;
pub(crate) mod trace;

use std::sync::Arc;
use std::time::{Duration, Instant};

use daemon_protocol::{
    Ask, Event, Failure, GIVEN_CHARS_MAX, Hit, LIMIT_MAX, QUESTION_CHARS_MAX, READ_MS_MAX, Stage,
    THOUGHTS_MAX, Timings,
};
use models::{Part, Sampling};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::before::Before;
use self::copies::fold;
use self::filter::{Filters, Parsed};
use self::hit::Sight;
use self::search::Sieve;
use self::select::{Selection, select};
use crate::engine::Engine;
use crate::error::{busy, cancelled, internal, invalid};
use crate::folders::View;
use crate::fuse::{Fused, Readings, fuse, spread};
use crate::limits::PASSAGES_PER_DOCUMENT;
use crate::marks::Marked;
use crate::mind::JobError;
use crate::reading::Portion;
use crate::shared::Shared;
use crate::snippet::asked::AskedWords;
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
    /// Thoughts that the client gave.
    given: Vec<String>,
    /// How long the first passages may be read; zero leaves it out.
    reading_time: Duration,
    scope: Scope,
    sieve: Sieve,
    /// What was to be found when it was asked.
    view: View,
    /// Whether thoughts are shown what the draft found.
    grounded: bool,
    /// What its words are, and what was said of answers to it.
    words: AskedWords,
    marked: Marked,
    /// What the person is to be told of how it was understood.
    notes: Vec<String>,
}

/// Answers `ask` with events to `out`, all but the closing `failed`, which is the error. Once `enough` is
/// cancelled, by what has been read and thought so far.
pub(crate) async fn answer(
    shared: &Shared,
    ask: Ask,
    enough: CancellationToken,
    out: &Outbox,
) -> Result<(), Failure> {
    let engine = shared.generations.serving();
    let question = check(shared, &engine, ask)?;
    let _attention = engine.mind.attend();
    Run::new(engine, question, enough, Some(out)).answer().await
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
    check_limit(ask.limit)?;
    let sampling = sampling(&shared.settings.sampling, &ask)?;
    if ask.read_ms.is_some_and(|ms| ms > READ_MS_MAX) {
        return Err(invalid(
            "more than a minute of reading cannot be asked for",
            format!("{READ_MS_MAX} milliseconds are the most, 0 is a search without reading"),
        ));
    }
    let reading_time = ask.read_ms.map_or(shared.settings.reading_time, Duration::from_millis);
    let roots = shared.folders.roots();
    let Parsed { words, filters, mut notes } = parsed(&ask.text);
    if filters == Filters::default() && !says(&words) {
        return Err(invalid(
            "the question has no word in it",
            "what is in quotes is looked for as it stands: \"->\"",
        ));
    }
    let known = engine.catalogue.read();
    let selecting = |conditions| select(ask.path.as_deref(), conditions, &roots, &known);
    let (text, selected) = match selecting(&filters.documents) {
        Ok(selected) if words.is_empty() => (ask.text.trim().to_owned(), selected),
        // Nothing but what looks like filters, and there is nothing of the kind: they are words.
        Err(Failure { message, .. }) if words.is_empty() => {
            notes.push(format!("{message}, so it is searched for as words"));
            (ask.text.trim().to_owned(), selecting(&[])?)
        }
        selected => (words, selected?),
    };
    drop(known);
    let Selection { scope, left_out } = selected;
    let sieve = Sieve { phrases: filters.phrases, without: filters.without, left_out };
    let grounded = shared.settings.grounded.unwrap_or(engine.card.grounded);
    let Ask { id, limit, given, .. } = ask;
    let (words, marked) = (AskedWords::of(&text), shared.marks.of(&text));
    Ok(Question {
        id,
        text,
        limit,
        sampling,
        given,
        reading_time,
        scope,
        sieve,
        view: shared.view(),
        grounded,
        words,
        marked,
        notes,
    })
}

/// Whether there is something to search for: letters, digits or a picture, and not only marks.
fn says(text: &str) -> bool {
    let is_mark = |c: char| matches!(c, '\0'..='\u{bf}' | '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}');
    text.chars().any(|c| c.is_alphanumeric() || !is_mark(c))
}

/// Refuses a number of hits that cannot be asked for.
fn check_limit(limit: usize) -> Result<(), Failure> {
    if limit == 0 || limit > LIMIT_MAX {
        let hint = format!("choose a limit from 1 to {LIMIT_MAX}");
        return Err(invalid(format!("{limit} hits cannot be asked for"), hint));
    }
    Ok(())
}

/// How many thoughts the model is to have, and how; those that were given are checked.
fn sampling(setting: &Sampling, ask: &Ask) -> Result<Sampling, Failure> {
    let usual = if ask.given.is_empty() { setting.thoughts } else { 0 };
    let thoughts = ask.thoughts.unwrap_or(usual);
    let all = thoughts.saturating_add(ask.given.len());
    if all > THOUGHTS_MAX {
        return Err(invalid(
            format!("{all} thoughts cannot be asked for"),
            format!("{THOUGHTS_MAX} are the most, 0 is a search without thinking"),
        ));
    }
    if ask.given.iter().any(|thought| models::thought::is_empty(thought)) {
        return Err(invalid("a given thought has no word", "leave it out"));
    }
    if ask.given.iter().any(|thought| thought.chars().count() > GIVEN_CHARS_MAX) {
        return Err(invalid(
            format!("a given thought has more than {GIVEN_CHARS_MAX} characters"),
            "give its gist; more would not be embedded",
        ));
    }
    // A thought that was given may be the one that the first seed gives: further ones are to be others.
    let seed = setting.seed.wrapping_add(ask.given.len() as u64);
    Ok(Sampling { thoughts, seed, ..setting.clone() })
}

/// The words of a question as people mean them: without its filters, unless it has nothing else.
pub(crate) fn words_of(text: &str) -> String {
    let Parsed { words, .. } = parsed(text);
    if words.is_empty() { text.trim().to_owned() } else { words }
}

/// What `text` asks for and where.
fn parsed(text: &str) -> Parsed {
    filter::parse(text, filter::Clock::local())
}

/// An answer under way.
struct Run<'a> {
    engine: Arc<Engine>,
    question: Question,
    /// Cancelled once what there is shall do.
    enough: CancellationToken,
    /// Absent where nobody waits for hits and thoughts.
    out: Option<&'a Outbox>,
    started: Instant,
    timings: Timings,
    /// What there was time to read.
    portion: Portion,
    before: Before,
}

impl<'a> Run<'a> {
    fn new(
        engine: Arc<Engine>,
        question: Question,
        enough: CancellationToken,
        out: Option<&'a Outbox>,
    ) -> Run<'a> {
        let (portion, before) = Default::default();
        let timings = Timings { notes: question.notes.clone(), ..Timings::default() };
        Run { engine, question, enough, out, started: Instant::now(), timings, portion, before }
    }

    async fn answer(mut self) -> Result<(), Failure> {
        let Question { sampling, given, reading_time, grounded, .. } = &self.question;
        let samples = sampling.thoughts > 0;
        let (wants_thought, wants_reading) =
            (samples || !given.is_empty(), !reading_time.is_zero());
        let grounded = *grounded;
        let embedded = self.engine.mind.embed_query(&self.question.text, Vec::new());
        if samples {
            // What thinks is loaded, if it is not there, while what comes before thinking is done.
            self.engine.mind.wake([Part::Thinking]);
        }
        let (text, bare) = tokio::join!(self.by_text(), embedded);
        let text = text?;
        let bare = self.usable(bare)?;
        let (thinks, reads) = (bare.is_some() && wants_thought, bare.is_some() && wants_reading);
        // Thinking begins before the store has answered, unless it comes after what is found or
        // read; its first tokens wait in the channel.
        let early = thinks && samples && !grounded && !reads;
        let begun = if early { self.begin_thinking("")? } else { None };
        let near = self.by_vector(bare.map(models::Embedding::into_vec)).await?;
        let draft = self.fuse(&text, &near);
        self.timings.draft_ms = ms(self.started);
        if !reads && !thinks {
            return self.finish(draft).await;
        }
        self.send_hits(Stage::Draft, &draft).await?;
        self.before.drafted(&draft);
        let mut readings = Readings::new();
        let mut ranked = draft;
        if reads {
            let reading = Instant::now();
            ranked = self.read(ranked, &mut readings).await?;
            self.timings.read_ms = ms(reading);
        }
        let thoughts = if thinks { self.thoughts(begun, &ranked).await? } else { Vec::new() };
        if thoughts.is_empty() {
            return self.finish(ranked).await;
        }
        let ranking = Instant::now();
        let vector = self.engine.mind.embed_query(&self.question.text, thoughts).await;
        if let Some(vector) = self.usable(vector)? {
            self.before.thought_about(&ranked);
            let near = self.by_vector(Some(vector.into_vec())).await?;
            ranked = self.fuse(&text, &near);
            if reads {
                ranked = self.read_rest(ranked, &mut readings).await?;
            }
        }
        self.timings.rank_ms = ms(ranking);
        self.finish(ranked).await
    }

    async fn finish(mut self, ranking: Vec<Fused>) -> Result<(), Failure> {
        self.send_hits(Stage::Final, &ranking).await?;
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

    fn fuse(&mut self, text: &[Found], near: &[Found]) -> Vec<Fused> {
        let mut fused = fuse(text, near, text.len() + near.len());
        fused.retain(|one| self.question.view.has(&one.found.path));
        let spread = spread(fused, PASSAGES_PER_DOCUMENT);
        self.before.fused(&spread);
        spread
    }

    async fn send_hits(&self, stage: Stage, ranking: &[Fused]) -> Result<(), Failure> {
        let Question { id, text, limit, sieve, words, marked, .. } = &self.question;
        let sight = Sight { text, phrases: &sieve.phrases, words, marked };
        let folded = fold(ranking, *limit).into_iter();
        let hits: Vec<Hit> = folded
            .map(|folded| {
                let told = self.before.told(folded.fused);
                sight.hit(folded, told)
            })
            .collect();
        self.send(Event::Hits { id: *id, stage, hits }).await
    }

    async fn send(&self, event: Event) -> Result<(), Failure> {
        let Some(out) = self.out else { return Ok(()) };
        out.send(event).await.map_err(|_| cancelled("the client has left"))
    }
}

fn store_failure(error: StoreError) -> Failure {
    internal(error.to_string())
}

fn ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
