//! The committee of Refinement (paper B2): BM25, all-MiniLM-L6-v2 and the model's own encoder, over
//! one corpus. It ranks passages for a query, which is how negatives are mined and questions
//! filtered, and judges candidate thoughts.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use candle_core::Device;
use models::bm25::Bm25;
use models::negatives::Ranking;
use models::refine::Opinion;
use models::{Embedding, MindError, Thought, prompt};
use rayon::prelude::*;

use crate::encoder::{Encoder, Exits};
use crate::gguf;
use crate::teacher::Teacher;
use crate::tokens::Vocabulary;
use crate::vectors::TextVectors;

/// Names of the members, in the order of rankings and opinions.
const BM25: &str = "bm25";
const TEACHER: &str = "all-MiniLM-L6-v2";
const OWN: &str = "own";
/// Cosines are scored in hundredths, as in the paper's code: a gap of 0.01 then counts 1 in the
/// softmax of a vote.
const COSINE_SCALE: f32 = 100.0;
/// BM25 scores differ by about so much more between a good candidate and a bad one.
const BM25_SCALE: f32 = 0.5;

/// Told what is embedded, how much of it is done, and of how much; `Break` ends it with an error.
pub type OnProgress<'a> = dyn FnMut(&str, usize, usize) -> ControlFlow<()> + 'a;

/// See the module.
pub struct Committee {
    bm25: Bm25,
    dense: Vec<Dense>,
}

/// A member that compares vectors.
struct Dense {
    name: &'static str,
    embedder: Embedder,
    vectors: TextVectors,
    /// Row-major, by passage.
    matrix: Vec<f32>,
    width: usize,
}

enum Embedder {
    Teacher(Box<Teacher>),
    Own { encoder: Box<Encoder>, vocabulary: Arc<Vocabulary> },
}

/// A query and what may be said about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case<'a> {
    pub query: &'a str,
    /// Index of the passage that answers it.
    pub positive: usize,
    /// What is judged in its place: the passage without the sentences that candidates are.
    pub rest: Option<&'a str>,
    /// Indexes of passages that do not.
    pub negatives: &'a [usize],
    pub candidates: &'a [String],
}

impl Committee {
    /// Seats the members over `passages`: the model at `model`, the teacher in `teacher` if there
    /// is to be one. Vectors are remembered in `folder`.
    ///
    /// # Errors
    /// [`MindError`] if a model cannot be loaded or run, or a file not be written.
    pub fn seat(
        model: &Path,
        teacher: Option<&Path>,
        passages: &[String],
        folder: &Path,
        device: &Device,
        progress: &mut OnProgress<'_>,
    ) -> Result<Committee, MindError> {
        let bm25 = Bm25::new(passages.iter().map(String::as_str));
        let mut dense = Vec::new();
        if let Some(teacher) = teacher {
            let teacher = Teacher::open(teacher)?;
            let width = teacher.width();
            let vectors = TextVectors::open(&folder.join("teacher.vectors"), width)?;
            dense.push((TEACHER, Embedder::Teacher(Box::new(teacher)), vectors, width));
        }
        let file = gguf::open(model)?;
        let meta = &file.meta;
        let exits = Exits { layers: meta.exit_layers.clone(), pooling: meta.pooling };
        let encoder = Box::new(Encoder::open(model, exits, meta.sequence_tokens_max(), device)?);
        let name = format!("own-{}.vectors", gguf::fingerprint(model)?);
        let vectors = TextVectors::open(&folder.join(name), meta.width)?;
        let vocabulary = Arc::clone(&file.vocabulary);
        dense.push((OWN, Embedder::Own { encoder, vocabulary }, vectors, meta.width));
        let mut seated = Vec::new();
        for (name, embedder, vectors, width) in dense {
            let matrix = Vec::new();
            let mut member = Dense { name, embedder, vectors, matrix, width };
            member.read(passages, &mut |done, total| {
                progress(&format!("reading passages with {name}"), done, total)
            })?;
            seated.push(member);
        }
        Ok(Committee { bm25, dense: seated })
    }

    /// The members whose scores tell whether a passage may answer too: the teacher if it sits, else
    /// the model itself.
    pub fn judges(&self) -> [usize; 1] {
        [1]
    }

    /// Each member's best `depth` passages for each `(query, positive)`.
    ///
    /// # Errors
    /// [`MindError`] if a model cannot run.
    pub fn rank(
        &mut self,
        queries: &[(&str, usize)],
        depth: usize,
    ) -> Result<Vec<Vec<Ranking>>, MindError> {
        let texts: Vec<&str> = queries.iter().map(|(query, _)| *query).collect();
        let vectors = self
            .dense
            .iter_mut()
            .map(|member| member.embedder.questions(&texts))
            .collect::<Result<Vec<_>, _>>()?;
        let ranked = queries.par_iter().enumerate().map(|(index, (query, positive))| {
            let words = Ranking {
                hits: self.bm25.search(query, depth),
                positive: self.bm25.score(query, *positive),
            };
            let near =
                self.dense.iter().zip(&vectors).map(|(member, vectors)| {
                    member.rank(vectors[index].as_slice(), *positive, depth)
                });
            std::iter::once(words).chain(near).collect()
        });
        Ok(ranked.collect())
    }

    /// What each member makes of each case's candidates.
    ///
    /// A candidate is judged by how well query and thought together find the positive: its score
    /// less that of the best negative. The paper's code scores the thought alone against the
    /// positive alone; so scored, "no thought" could not be compared with, and a thought that
    /// draws every passage near would win.
    ///
    /// # Errors
    /// [`MindError`] if a model cannot run.
    pub fn judge(&self, cases: &[Case<'_>]) -> Result<Vec<Vec<Opinion>>, MindError> {
        let mut opinions: Vec<Vec<Opinion>> =
            cases.iter().map(|case| vec![self.words(case)]).collect();
        for member in &self.dense {
            for (opinions, opinion) in opinions.iter_mut().zip(member.judge(cases)?) {
                opinions.push(opinion);
            }
        }
        Ok(opinions)
    }

    fn words(&self, case: &Case<'_>) -> Opinion {
        let score = |text: &str| {
            let best = case.negatives.iter().map(|other| self.bm25.score(text, *other));
            let best = best.fold(0f32, f32::max);
            let own = case.rest.map(|rest| self.bm25.score_of(text, rest));
            BM25_SCALE * (own.unwrap_or_else(|| self.bm25.score(text, case.positive)) - best)
        };
        Opinion {
            member: BM25.to_owned(),
            scores: case
                .candidates
                .iter()
                .map(|thought| score(&prompt::plain(case.query, thought)))
                .collect(),
            none: score(case.query),
        }
    }

    /// The teacher's vectors, for distillation, after adding those of `texts`.
    ///
    /// # Errors
    /// [`MindError`] if it cannot run.
    pub fn taught(
        self,
        texts: &[&str],
        progress: &mut OnProgress<'_>,
    ) -> Result<Option<TextVectors>, MindError> {
        let teacher = self.dense.into_iter().find(|member| member.name == TEACHER);
        let Some(Dense { embedder, mut vectors, .. }) = teacher else { return Ok(None) };
        vectors.complete(texts, &mut |texts| embedder.passages(texts), &mut |done, total| {
            progress("reading texts with the teacher", done, total)
        })?;
        Ok(Some(vectors))
    }
}

impl Dense {
    /// Embeds the passages.
    fn read(
        &mut self,
        passages: &[String],
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<(), MindError> {
        let texts: Vec<&str> = passages.iter().map(String::as_str).collect();
        let embedder = &self.embedder;
        self.vectors.complete(&texts, &mut |texts| embedder.passages(texts), progress)?;
        self.matrix.reserve(texts.len() * self.width);
        for text in texts {
            let vector = self.vectors.get(text);
            let missing = || MindError::Inference("a passage without a vector".to_owned());
            self.matrix.extend_from_slice(vector.ok_or_else(missing)?);
        }
        Ok(())
    }

    fn passage(&self, index: usize) -> &[f32] {
        &self.matrix[index * self.width..(index + 1) * self.width]
    }

    fn rank(&self, query: &[f32], positive: usize, depth: usize) -> Ranking {
        let mut hits: Vec<(usize, f32)> = self
            .matrix
            .chunks_exact(self.width)
            .enumerate()
            .map(|(index, passage)| (index, dot(query, passage)))
            .collect();
        let order = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if hits.len() > depth {
            hits.select_nth_unstable_by(depth, order);
            hits.truncate(depth);
        }
        hits.sort_unstable_by(order);
        Ranking { hits, positive: dot(query, self.passage(positive)) }
    }

    fn judge(&self, cases: &[Case<'_>]) -> Result<Vec<Opinion>, MindError> {
        let texts = cases.iter().flat_map(|case| {
            let with = case.candidates.iter().map(|thought| (case.query, thought.as_str()));
            std::iter::once((case.query, "")).chain(with)
        });
        let mut queries = self.embedder.thoughtful(&texts.collect::<Vec<_>>())?.into_iter();
        let rests: Vec<&str> = cases.iter().filter_map(|case| case.rest).collect();
        let mut rests = self.embedder.passages(&rests)?.into_iter();
        let opinion = |case: &Case<'_>| {
            let rest = case.rest.and_then(|_| rests.next());
            let positive = match &rest {
                Some(rest) => rest.as_slice(),
                None => self.passage(case.positive),
            };
            let mut scores = queries.by_ref().take(1 + case.candidates.len()).map(|query| {
                let query = query.as_slice();
                let best = case.negatives.iter().map(|other| dot(query, self.passage(*other)));
                let best = best.fold(f32::NEG_INFINITY, f32::max).max(-1.0);
                COSINE_SCALE * (dot(query, positive) - best)
            });
            let none = scores.next().unwrap_or(f32::NEG_INFINITY);
            Opinion { member: self.name.to_owned(), scores: scores.collect(), none }
        };
        Ok(cases.iter().map(opinion).collect())
    }
}

impl Embedder {
    fn passages(&self, texts: &[&str]) -> Result<Vec<Embedding>, MindError> {
        match self {
            Embedder::Teacher(teacher) => teacher.embed(texts, &mut |_| {}),
            Embedder::Own { encoder, vocabulary } => {
                let sequences =
                    texts.iter().map(|text| vocabulary.assemble(&prompt::passage(text)));
                encoder.embed(&sequences.collect::<Result<Vec<_>, _>>()?)
            }
        }
    }

    fn questions(&self, texts: &[&str]) -> Result<Vec<Embedding>, MindError> {
        self.thoughtful(&texts.iter().map(|text| (*text, "")).collect::<Vec<_>>())
    }

    /// Queries with their thoughts, or without where the thought is empty.
    fn thoughtful(&self, texts: &[(&str, &str)]) -> Result<Vec<Embedding>, MindError> {
        match self {
            Embedder::Teacher(teacher) => {
                let joined: Vec<String> =
                    texts.iter().map(|(query, thought)| prompt::plain(query, thought)).collect();
                let joined: Vec<&str> = joined.iter().map(String::as_str).collect();
                teacher.embed(&joined, &mut |_| {})
            }
            Embedder::Own { encoder, vocabulary } => {
                let sequence = |(query, thought): &(&str, &str)| {
                    let thought = Thought { text: (*thought).to_owned(), ..Thought::default() };
                    let thought = (!thought.text.is_empty()).then_some(&thought);
                    vocabulary.assemble(&prompt::query(query, thought))
                };
                encoder.embed(&texts.iter().map(sequence).collect::<Result<Vec<_>, _>>()?)
            }
        }
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
