//! A quick look at the held-out questions while a run goes on: nDCG@10 among some hundred passages,
//! by vector alone. What decides is measured at the end, with everything that serves users.

use std::collections::{BTreeMap, HashSet};

use models::metrics::{Grades, Scores, score, sort};
use models::{Embedding, combine, schedule};
use models_candle::train::Trainer;
use serde::Serialize;

use crate::error::TrainError;
use crate::inputs::{Inputs, Row};
use crate::world::Stop;

/// Questions and passages that are looked at: a look takes some 15 s on two cores.
const QUESTIONS_MAX: usize = 100;
const PASSAGES_MAX: usize = 400;
/// Passages embedded between two looks at whether to stop.
const AT_ONCE: usize = 64;

/// See the module.
pub(crate) struct Probe<'a> {
    rows: Vec<&'a Row>,
    passages: Vec<&'a str>,
    bare_weight: f32,
    stop: &'a Stop,
}

/// Mean nDCG@10 of the questions alone, and with their chosen thoughts.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Look {
    pub(crate) bare: f64,
    pub(crate) thought: f64,
}

impl<'a> Probe<'a> {
    /// The first questions and their passages, filled up with others.
    pub(crate) fn new(
        held_out: &'a [Row],
        inputs: &'a Inputs,
        bare_weight: f32,
        stop: &'a Stop,
    ) -> Probe<'a> {
        let rows: Vec<&Row> = held_out.iter().take(QUESTIONS_MAX).collect();
        let mut passages: Vec<&str> = rows.iter().map(|row| row.pair.pos[0].as_str()).collect();
        let order = schedule::order(inputs.passages.len(), 0, 0);
        passages.extend(order.into_iter().map(|index| inputs.passages[index].as_str()));
        let mut seen = HashSet::new();
        passages.retain(|text| seen.insert(*text));
        passages.truncate(PASSAGES_MAX.max(rows.len()));
        Probe { rows, passages, bare_weight, stop }
    }

    /// Embeds with what was trained so far, and ranks.
    pub(crate) fn look(&self, trainer: &Trainer) -> Result<Look, TrainError> {
        let mut vectors: Vec<Embedding> = Vec::with_capacity(self.passages.len());
        for passages in self.passages.chunks(AT_ONCE) {
            self.stop.check()?;
            vectors.extend(trainer.embed_passages(passages)?);
        }
        let bare: Vec<(&str, &str)> =
            self.rows.iter().map(|row| (row.pair.query.as_str(), "")).collect();
        let thoughtful: Vec<(&str, &str)> = self
            .rows
            .iter()
            .map(|row| (row.pair.query.as_str(), row.pair.thought.as_str()))
            .collect();
        let bare = trainer.embed_questions(&bare)?;
        let thoughtful = trainer.embed_questions(&thoughtful)?;
        let mixed = bare
            .iter()
            .zip(&thoughtful)
            .map(|(bare, with)| combine(bare, std::slice::from_ref(with), self.bare_weight))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Look { bare: self.ndcg(&bare, &vectors), thought: self.ndcg(&mixed, &vectors) })
    }

    fn ndcg(&self, questions: &[Embedding], passages: &[Embedding]) -> f64 {
        let scores: Vec<Scores> = self
            .rows
            .iter()
            .zip(questions)
            .map(|(row, question)| {
                let mut ranking: Vec<(String, f32)> = passages
                    .iter()
                    .enumerate()
                    .map(|(index, passage)| (index.to_string(), question.dot(passage)))
                    .collect();
                sort(&mut ranking);
                score(&ranking, &self.grades(row))
            })
            .collect();
        Scores::mean(&scores).ndcg_10
    }

    fn grades(&self, row: &Row) -> Grades {
        let answers = |(_, text): &(usize, &&str)| row.pair.pos.iter().any(|pos| pos == **text);
        let found = self.passages.iter().enumerate().filter(answers);
        found.map(|(index, _)| (index.to_string(), 1)).collect::<BTreeMap<_, _>>()
    }
}
