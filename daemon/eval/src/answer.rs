//! One query, answered in every column. What several columns share is done once, and each is
//! charged for it: a column's time is what a user would have waited.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use models::beir::Grades;
use models::{Embedding, Sampling, Thought, ground, metrics};

use super::thoughts::{Remembered, ThoughtLog};
use models::column::{Column, Search, Thinking};

use super::{Answer, EvalError, Milliseconds, Plan};
use daemon::engine::Engine;
use daemon::fuse::{fuse, grounds};
use daemon::limits::CANDIDATES;
use daemon::store::{Found, Scope};

/// Documents of a ranking that are kept: as deep as the deepest metric looks.
const DEPTH: usize = 100;

/// What answering needs.
pub(super) struct Bench<'a> {
    pub(super) engine: &'a Engine,
    pub(super) plan: &'a Plan,
    /// The columns of this engine.
    pub(super) columns: &'a [Column],
    pub(super) log: ThoughtLog,
}

/// A query's thoughts and its answers.
pub(super) struct Trace {
    pub(super) greedy: Vec<String>,
    pub(super) sampled: Vec<String>,
    pub(super) grounded: Vec<String>,
    pub(super) answers: Vec<Answer>,
}

/// A search's passages and how long it took, milliseconds.
struct Searched {
    found: Vec<Found>,
    ms: f64,
}

/// All that one way of thinking leads to.
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
}

impl Bench<'_> {
    /// Answers `question` in every column and scores it by its `grades`.
    pub(super) async fn answer(
        &mut self,
        question: &str,
        grades: &Grades,
    ) -> Result<Trace, EvalError> {
        let asked = self.by_text(question.to_owned()).await?;
        let bare = match self.columns.iter().any(|column| column.search != Search::Bm25) {
            true => Some(self.embed(question, &[]).await?),
            false => None,
        };
        let mut lines = HashMap::new();
        let kinds = [Thinking::None, Thinking::Greedy, Thinking::Sampled, Thinking::Grounded];
        for thinking in kinds {
            let columns: Vec<Column> =
                self.columns.iter().copied().filter(|c| c.thinking == thinking).collect();
            if !columns.is_empty() {
                let context = match (thinking, &bare) {
                    (Thinking::Grounded, Some((bare, _))) => {
                        self.context(question, &asked, bare).await?
                    }
                    _ => String::new(),
                };
                let how = (thinking, context.as_str());
                let line = self.line(question, how, &columns, bare.as_ref()).await?;
                lines.insert(thinking, line);
            }
        }
        let answers = self
            .columns
            .iter()
            .map(|column| self.scored(*column, &asked, &lines[&column.thinking], grades))
            .collect();
        let mut texts = |thinking| -> Vec<String> {
            let line = lines.remove(&thinking);
            line.map_or_else(Vec::new, |line| line.thoughts.into_iter().map(|t| t.text).collect())
        };
        Ok(Trace {
            greedy: texts(Thinking::Greedy),
            sampled: texts(Thinking::Sampled),
            grounded: texts(Thinking::Grounded),
            answers,
        })
    }

    /// What a grounded thought is shown: as users get it, the draft's best sentences.
    async fn context(
        &self,
        question: &str,
        asked: &Searched,
        bare: &Embedding,
    ) -> Result<String, EvalError> {
        let near = self.by_vector(bare.clone()).await?;
        Ok(grounds(question, &fuse(&asked.found, &near.found, ground::PASSAGES)))
    }

    /// Thinks, embeds and searches as `columns` need it, which all think alike.
    async fn line(
        &mut self,
        question: &str,
        (thinking, context): (Thinking, &str),
        columns: &[Column],
        bare: Option<&(Embedding, f64)>,
    ) -> Result<Line, EvalError> {
        let wants = |search: Search| columns.iter().any(|column| column.search == search);
        let Remembered { thoughts, ms: think_ms, drawn: thought_tokens } =
            self.think(question, context, thinking).await?;
        let mut line = Line {
            thoughts,
            think_ms,
            thought_tokens,
            embed_ms: 0.0,
            cosine: None,
            near: None,
            worded: None,
        };
        if wants(Search::Bm25) && !line.thoughts.is_empty() {
            let words = line.thoughts.iter().map(|thought| thought.text.as_str());
            let words: Vec<&str> = std::iter::once(question).chain(words).collect();
            line.worded = Some(self.by_text(words.join(" ")).await?);
        }
        if let Some((bare, bare_ms)) = bare
            && (wants(Search::Dense) || wants(Search::Hybrid))
        {
            let (vector, ms) = match line.thoughts.is_empty() {
                true => (bare.clone(), *bare_ms),
                false => self.embed(question, &line.thoughts).await?,
            };
            line.embed_ms = ms;
            line.cosine = (thinking != Thinking::None).then(|| f64::from(vector.dot(bare)));
            line.near = Some(self.by_vector(vector).await?);
        }
        Ok(line)
    }

    /// Thinks all that the columns want to be thought about `question`.
    pub(super) async fn think_ahead(&mut self, question: &str) -> Result<(), EvalError> {
        for thinking in [Thinking::Greedy, Thinking::Sampled, Thinking::Grounded] {
            if !self.columns.iter().any(|column| column.thinking == thinking) {
                continue;
            }
            let mut context = String::new();
            if thinking == Thinking::Grounded {
                let asked = self.by_text(question.to_owned()).await?;
                let (bare, _) = self.embed(question, &[]).await?;
                context = self.context(question, &asked, &bare).await?;
            }
            self.think(question, &context, thinking).await?;
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
            Thinking::None => return Ok(Remembered::default()),
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

    /// The ranking of one column. As in a served answer, the text ranking of a hybrid is the bare
    /// question's: only the vector thinks.
    fn scored(&self, column: Column, asked: &Searched, line: &Line, grades: &Grades) -> Answer {
        let worded = line.worded.as_ref().unwrap_or(asked);
        let none = Searched { found: Vec::new(), ms: 0.0 };
        let near = line.near.as_ref().unwrap_or(&none);
        let scored = |found: &[Found]| documents(found.iter().map(|f| (f.path.as_str(), f.score)));
        let (ranking, search_ms) = match column.search {
            Search::Bm25 => (scored(&worded.found), worded.ms),
            Search::Dense => (scored(&near.found), near.ms),
            Search::Hybrid => {
                let all = asked.found.len() + near.found.len();
                let fused = fuse(&asked.found, &near.found, all);
                let mut last = f32::INFINITY;
                let passages = fused.iter().map(|one| {
                    // Scores may be equal. Scored as served, not in another order.
                    last = one.score.min(last.next_down());
                    (one.found.path.as_str(), last)
                });
                (documents(passages), asked.ms + near.ms)
            }
        };
        let by_vector = column.search != Search::Bm25;
        Answer {
            column,
            scores: metrics::score(&ranking, grades),
            ranking,
            ms: Milliseconds {
                think: line.think_ms,
                embed: if by_vector { line.embed_ms } else { 0.0 },
                search: search_ms,
            },
            thought_tokens: line.thought_tokens,
            cosine: if by_vector { line.cosine } else { None },
        }
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
