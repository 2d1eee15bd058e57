//! One query, answered in every column. What several columns share is done once, and each is
//! charged for it: a column's time is what a user would have waited.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::time::Instant;

use models::beir::Grades;
use models::{Embedding, Sampling, Thought, ground, metrics};

use super::readings::ReadLog;
use super::thoughts::{Remembered, ThoughtLog};
use models::column::{Column, Search, Thinking};

use super::{Answer, EvalError, Milliseconds, Plan};
use daemon::engine::Engine;
use daemon::fuse::{Fused, READING_WEIGHT, Readings, fuse, grounds, heed};
use daemon::limits::CANDIDATES;
use daemon::mind::{JobError, MindHandle};
use daemon::store::{Found, Scope};

/// Documents of a ranking that are kept: as deep as the deepest metric looks.
const DEPTH: usize = 100;
/// Of the question's own vector in Rocchio's feedback: the usual 1 to .75.
const ROCCHIO_BARE_WEIGHT: f32 = 1.0 / 1.75;

/// What answering needs.
pub(super) struct Bench<'a> {
    pub(super) engine: &'a Engine,
    pub(super) plan: &'a Plan,
    /// The columns of this engine.
    pub(super) columns: &'a [Column],
    pub(super) log: ThoughtLog,
    /// Who reads, and what was read; there if a column reads.
    pub(super) reader: Option<(&'a MindHandle, ReadLog)>,
}

/// A query's thoughts and its answers.
pub(super) struct Trace {
    pub(super) greedy: Vec<String>,
    pub(super) sampled: Vec<String>,
    pub(super) grounded: Vec<String>,
    pub(super) answers: Vec<Answer>,
}

/// A search's passages and how long it took, milliseconds.
#[derive(Clone)]
struct Searched {
    found: Vec<Found>,
    ms: f64,
}

/// What is known of a question before anything is thought.
struct Asked<'a> {
    question: &'a str,
    words: Searched,
    bare: Option<Bare>,
}

/// The question's own vector, what embedding it took, and what is near it.
struct Bare {
    vector: Embedding,
    ms: f64,
    near: Searched,
}

/// All that one way of thinking leads to, with or without reading.
#[derive(Default)]
struct Line {
    thoughts: Vec<Thought>,
    think_ms: f64,
    thought_tokens: usize,
    /// Only where a column searches by vector.
    embed_ms: f64,
    cosine: Option<f64>,
    near: Option<Searched>,
    /// By the words of the question and the thoughts; only where a column asks for it.
    worded: Option<Searched>,
    /// Words and vector, and what was read; only where a column asks for it.
    fused: Vec<Fused>,
    read_ms: f64,
}

impl Bench<'_> {
    /// Answers `question` in every column and scores it by its `grades`.
    pub(super) async fn answer(
        &mut self,
        question: &str,
        grades: &Grades,
    ) -> Result<Trace, EvalError> {
        let asked = self.ask(question).await?;
        let mut lines: HashMap<(Thinking, bool), Line> = HashMap::new();
        for column in self.columns {
            let kind = (column.thinking, column.read);
            if let Entry::Vacant(place) = lines.entry(kind) {
                place.insert(self.line(&asked, kind).await?);
            }
        }
        let answers = self
            .columns
            .iter()
            .map(|column| scored(*column, &asked, &lines[&(column.thinking, column.read)], grades))
            .collect();
        let texts = |thinking| -> Vec<String> {
            let line = lines.get(&(thinking, false)).or_else(|| lines.get(&(thinking, true)));
            line.map_or_else(Vec::new, |line| {
                line.thoughts.iter().map(|t| t.text.clone()).collect()
            })
        };
        Ok(Trace {
            greedy: texts(Thinking::Greedy),
            sampled: texts(Thinking::Sampled),
            grounded: texts(Thinking::Grounded),
            answers,
        })
    }

    async fn ask<'q>(&self, question: &'q str) -> Result<Asked<'q>, EvalError> {
        let words = self.by_text(question.to_owned()).await?;
        let mut bare = None;
        if self.columns.iter().any(|column| column.search != Search::Bm25) {
            let (vector, ms) = self.embed(question, &[]).await?;
            let near = self.by_vector(vector.clone()).await?;
            bare = Some(Bare { vector, ms, near });
        }
        Ok(Asked { question, words, bare })
    }

    /// Reads, thinks, embeds and searches as the columns of one kind need it.
    async fn line(
        &mut self,
        asked: &Asked<'_>,
        (thinking, read): (Thinking, bool),
    ) -> Result<Line, EvalError> {
        let wants = |search: Search| {
            let kind = |c: &&Column| (c.thinking, c.read) == (thinking, read);
            self.columns.iter().filter(kind).any(|column| column.search == search)
        };
        let (words, vectors) = (wants(Search::Bm25), wants(Search::Dense) || wants(Search::Hybrid));
        let mut line = Line::default();
        let mut readings = Readings::new();
        let draft = self.ranked(asked, None, read, &mut readings, &mut line.read_ms).await?;
        let context = match thinking {
            Thinking::Grounded | Thinking::Quoted => grounds(asked.question, &draft),
            _ => String::new(),
        };
        let Remembered { thoughts, ms: think_ms, drawn: thought_tokens } =
            self.think(asked.question, &context, thinking).await?;
        (line.thoughts, line.think_ms, line.thought_tokens) = (thoughts, think_ms, thought_tokens);
        if words && !line.thoughts.is_empty() {
            let words = line.thoughts.iter().map(|thought| thought.text.as_str());
            let words: Vec<&str> = std::iter::once(asked.question).chain(words).collect();
            line.worded = Some(self.by_text(words.join(" ")).await?);
        }
        let Some(bare) = asked.bare.as_ref().filter(|_| vectors) else { return Ok(line) };
        let (vector, embed_ms) = match thinking {
            Thinking::Rocchio => self.fed_back(&bare.vector, &draft).await?,
            _ if line.thoughts.is_empty() => (bare.vector.clone(), bare.ms),
            _ => self.embed(asked.question, &line.thoughts).await?,
        };
        line.embed_ms = embed_ms;
        line.cosine = (thinking != Thinking::None).then(|| f64::from(vector.dot(&bare.vector)));
        let near = match thinking {
            Thinking::None => bare.near.clone(),
            _ => self.by_vector(vector).await?,
        };
        line.fused =
            self.ranked(asked, Some(&near), read, &mut readings, &mut line.read_ms).await?;
        line.near = Some(near);
        Ok(line)
    }

    /// Words and vector fused, `near` or what is near the bare question, and read if `read` says so;
    /// what was read already is in `readings`, and what it takes is added to `ms`.
    async fn ranked(
        &mut self,
        asked: &Asked<'_>,
        near: Option<&Searched>,
        read: bool,
        readings: &mut Readings,
        ms: &mut f64,
    ) -> Result<Vec<Fused>, EvalError> {
        let Some(bare) = &asked.bare else { return Ok(Vec::new()) };
        let near = near.unwrap_or(&bare.near);
        let all = asked.words.found.len() + near.found.len();
        let fused = fuse(&asked.words.found, &near.found, all);
        let Some((mind, log)) = self.reader.as_mut().filter(|_| read) else { return Ok(fused) };
        let depth = self.plan.reading.passages;
        let unread: Vec<&Fused> =
            fused.iter().take(depth).filter(|one| !readings.contains_key(&one.place())).collect();
        let texts: Vec<String> = unread.iter().map(|one| one.text()).collect();
        let read = log.read(mind, asked.question, &texts, self.plan.reading).await?;
        *ms += read.ms;
        readings.extend(unread.iter().map(|one| one.place()).zip(read.values));
        Ok(heed(fused, readings, depth, READING_WEIGHT))
    }

    /// Rocchio's feedback: the question's vector and the mean of the first passages', as much of it.
    async fn fed_back(
        &self,
        bare: &Embedding,
        draft: &[Fused],
    ) -> Result<(Embedding, f64), EvalError> {
        let started = Instant::now();
        let first = draft.iter().take(ground::PASSAGES);
        let texts: Vec<String> = first.map(Fused::text).collect();
        let vectors = self.engine.mind.embed_passages(texts).await?;
        let vector = models::combine(bare, &vectors, ROCCHIO_BARE_WEIGHT);
        Ok((vector.map_err(JobError::from)?, ms(started)))
    }

    /// Thinks and reads all that the columns want of `question`, which is remembered.
    pub(super) async fn think_ahead(&mut self, question: &str) -> Result<(), EvalError> {
        let expensive = |column: &&Column| column.thinking != Thinking::None || column.read;
        if self.columns.iter().any(|column| expensive(&column)) {
            self.answer(question, &Grades::new()).await?;
        }
        Ok(())
    }

    async fn think(
        &mut self,
        question: &str,
        context: &str,
        thinking: Thinking,
    ) -> Result<Remembered, EvalError> {
        let sampling = match thinking {
            Thinking::None | Thinking::Rocchio => return Ok(Remembered::default()),
            Thinking::Quoted => {
                let text = context.replace('\n', " ");
                let thoughts = if text.is_empty() {
                    Vec::new()
                } else {
                    vec![Thought { text, ..Thought::default() }]
                };
                return Ok(Remembered { thoughts, ..Remembered::default() });
            }
            // Nothing is drawn: neither seed nor nucleus may make it a thought of its own.
            Thinking::Greedy => Sampling {
                thoughts: 1,
                temperature: 0.0,
                top_p: 1.0,
                seed: 0,
                ..self.plan.sampling.clone()
            },
            Thinking::Sampled | Thinking::Grounded => self.plan.sampling.clone(),
        };
        if let Some(remembered) = self.log.recall(question, context, &sampling) {
            return Ok(remembered);
        }
        let started = Instant::now();
        let mut thinking = self.engine.mind.think(question, context, &sampling)?;
        let mut drawn = 0;
        while thinking.deltas.recv().await.is_some() {
            drawn += 1;
        }
        let thoughts = thinking.thoughts().await?;
        let remembered = Remembered { thoughts, ms: ms(started), drawn };
        self.log.note(question, context, &sampling, &remembered)?;
        Ok(remembered)
    }

    async fn embed(
        &self,
        question: &str,
        thoughts: &[Thought],
    ) -> Result<(Embedding, f64), EvalError> {
        let started = Instant::now();
        let vector = self.engine.mind.embed_query(question, thoughts.to_vec()).await?;
        Ok((vector, ms(started)))
    }

    async fn by_text(&self, text: String) -> Result<Searched, EvalError> {
        let started = Instant::now();
        let found = self.engine.store.by_text(text, CANDIDATES, Scope::All).await?;
        Ok(Searched { found, ms: ms(started) })
    }

    async fn by_vector(&self, vector: Embedding) -> Result<Searched, EvalError> {
        let started = Instant::now();
        let found = self.engine.store.by_vector(vector.into_vec(), CANDIDATES, Scope::All).await?;
        Ok(Searched { found, ms: ms(started) })
    }
}

/// The ranking of one column. As in a served answer, the text ranking of a hybrid is the bare
/// question's: only the vector thinks.
fn scored(column: Column, asked: &Asked<'_>, line: &Line, grades: &Grades) -> Answer {
    let worded = line.worded.as_ref().unwrap_or(&asked.words);
    let none = Searched { found: Vec::new(), ms: 0.0 };
    let near = line.near.as_ref().unwrap_or(&none);
    let scored = |found: &[Found]| documents(found.iter().map(|f| (f.path.as_str(), f.score)));
    let (ranking, search_ms) = match column.search {
        Search::Bm25 => (scored(&worded.found), worded.ms),
        Search::Dense => (scored(&near.found), near.ms),
        Search::Hybrid => {
            let mut last = f32::INFINITY;
            let passages = line.fused.iter().map(|one| {
                // Scores may be equal. Scored as served, not in another order.
                last = one.score.min(last.next_down());
                (one.found.path.as_str(), last)
            });
            (documents(passages), asked.words.ms + near.ms)
        }
    };
    let by_vector = column.search != Search::Bm25;
    Answer {
        column,
        scores: metrics::score(&ranking, grades),
        ranking,
        ms: Milliseconds {
            read: line.read_ms,
            think: line.think_ms,
            embed: if by_vector { line.embed_ms } else { 0.0 },
            search: search_ms,
        },
        thought_tokens: line.thought_tokens,
        cosine: if by_vector { line.cosine } else { None },
    }
}

/// Passages, best first -> documents, each with its best passage's score, in the scoring order.
fn documents<'a>(passages: impl Iterator<Item = (&'a str, f32)>) -> Vec<(String, f32)> {
    let mut seen = HashSet::new();
    let mut ranking: Vec<(String, f32)> = passages
        .filter(|(path, _)| seen.insert(*path))
        .map(|(path, score)| (path.to_owned(), score))
        .collect();
    metrics::sort(&mut ranking);
    ranking.truncate(DEPTH);
    ranking
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
