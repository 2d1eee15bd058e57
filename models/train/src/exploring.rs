//! Candidate thoughts for every row, from every source.

use std::collections::HashMap;

use models::explore::{self, Source};
use models::schedule;
use models_candle::author::{Author, Manner, Task};
use serde::{Deserialize, Serialize};

use crate::Split;
use crate::error::TrainError;
use crate::expert::Expert;
use crate::inputs::Row;
use crate::journal::Journal;
use crate::knobs::{Knobs, SourceName};
use crate::run::Run;
use crate::world::Stop;

/// Candidates written between two saves: what an interruption costs.
const AT_ONCE: usize = 32;
/// Examples shown to a model that was not trained to think; the paper shows three of whole
/// passages to a model of 70 billion.
const EXAMPLES: usize = 2;
/// High, so that candidates of one source differ.
const TEMPERATURE: f64 = 0.8;
const TOP_P: f64 = 0.9;

/// One candidate; empty if what was written is of no use.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Candidate {
    /// The row's query and passage, as a digest: rows are found again whatever their order.
    row: String,
    source: String,
    number: usize,
    thought: String,
}

/// Adds candidates to all rows that have no thought of their own.
pub(crate) fn explore(split: &mut Split, run: &Run, args: &Knobs) -> Result<(), TrainError> {
    let mut journal: Journal<Candidate> = Journal::open(&run.file("explored.jsonl"))?;
    let mut explorer = Explorer { run, args, author: None };
    let all: Vec<Row> = split.train.iter().chain(&split.held_out).cloned().collect();
    let rows = chosen(&all, split.train.len(), args);
    let open: Vec<&Row> = rows.iter().filter(|row| row.pair.thought.trim().is_empty()).collect();
    for source in sources(args) {
        for number in 0..args.making.candidates {
            // An extract is always the same.
            if source == Source::Extract && number > 0 {
                continue;
            }
            explorer.source(source, number, &open, &mut journal)?;
        }
    }
    let mut by_row: HashMap<String, Vec<Candidate>> = HashMap::new();
    for candidate in journal.rows {
        by_row.entry(candidate.row.clone()).or_default().push(candidate);
    }
    for row in split.train.iter_mut().chain(&mut split.held_out) {
        let found = by_row.remove(&key(row)).unwrap_or_default();
        for candidate in found.into_iter().filter(|candidate| !candidate.thought.is_empty()) {
            if !row.pair.all_thought.contains(&candidate.thought) {
                row.pair.sources.resize(row.pair.all_thought.len(), "data".to_owned());
                row.pair.all_thought.push(candidate.thought);
                row.pair.sources.push(candidate.source);
            }
        }
    }
    Ok(())
}

/// The rows that thoughts are made for: of those learnt from as many as are wanted, of the others
/// no more than are judged on.
fn chosen(all: &[Row], learnt_from: usize, args: &Knobs) -> Vec<Row> {
    let (train, held_out) = all.split_at(learnt_from);
    let mut order = schedule::order(train.len(), 2, args.seed);
    order.truncate(args.making.thoughtful.unwrap_or(usize::MAX));
    order.sort_unstable();
    let judged = held_out.iter().take(args.judging.judged);
    order.into_iter().map(|index| &train[index]).chain(judged).cloned().collect()
}

fn sources(args: &Knobs) -> Vec<Source> {
    let named = |name: &SourceName| match name {
        SourceName::Query => Some(Source::Query),
        SourceName::Passage => Some(Source::Passage),
        SourceName::Extract => Some(Source::Extract),
        SourceName::None => None,
    };
    if args.making.sources.contains(&SourceName::None) {
        return Vec::new();
    }
    let mut sources: Vec<Source> = args.making.sources.iter().filter_map(named).collect();
    if args.making.expert_url.is_some() {
        sources.push(Source::Expert);
    }
    sources
}

fn key(row: &Row) -> String {
    let text = format!("{}\0{}", row.pair.query, row.pair.pos[0]);
    models_candle::vectors::digest(&text)
}

struct Explorer<'a> {
    run: &'a Run,
    args: &'a Knobs,
    author: Option<Author>,
}

impl Explorer<'_> {
    fn source(
        &mut self,
        source: Source,
        number: usize,
        rows: &[&Row],
        journal: &mut Journal<Candidate>,
    ) -> Result<(), TrainError> {
        let known: std::collections::HashSet<String> = journal
            .rows
            .iter()
            .filter(|candidate| candidate.source == source.name() && candidate.number == number)
            .map(|candidate| candidate.row.clone())
            .collect();
        let open: Vec<(usize, &Row)> = rows
            .iter()
            .enumerate()
            .filter(|(_, row)| !known.contains(&key(row)))
            .map(|(index, row)| (index, *row))
            .collect();
        // Nobody is shown what is judged on.
        let learnt = rows.iter().filter(|row| !self.args.holds_out(&row.origin));
        let learnt: Vec<&Row> = learnt.copied().collect();
        let mut done = rows.len() - open.len();
        // An expert takes a while for each, and each is kept.
        let at_once = if source == Source::Expert { 1 } else { AT_ONCE };
        for some in open.chunks(at_once) {
            self.run.progress(&format!("exploring: {}", source.name()), done, rows.len());
            self.run.world.stop.check()?;
            let written = self.write(source, number, some, &learnt)?;
            let candidates = some.iter().zip(written).map(|((_, row), text)| Candidate {
                row: key(row),
                source: source.name().to_owned(),
                number,
                thought: explore::thought(&text, &row.pair.query).unwrap_or_default(),
            });
            journal.add(candidates.collect())?;
            done += some.len();
        }
        Ok(())
    }

    fn write(
        &mut self,
        source: Source,
        number: usize,
        some: &[(usize, &Row)],
        learnt: &[&Row],
    ) -> Result<Vec<String>, TrainError> {
        let making = &self.args.making;
        // The same whatever was interrupted: a row's place and the candidate's number decide.
        let seed = self.args.seed.wrapping_add((number as u64) << 32);
        let tasks: Vec<Task<'_>> = match source {
            Source::Extract => {
                let words = making.extract_words();
                let extract = |row: &Row| {
                    explore::extract(&row.pair.query, &row.pair.pos[0], words).unwrap_or_default()
                };
                return Ok(some.iter().map(|(_, row)| extract(row)).collect());
            }
            Source::Expert => return self.expert(some, learnt, seed),
            Source::Query => some
                .iter()
                .map(|(index, row)| Task::Thought {
                    query: &row.pair.query,
                    examples: examples(*index, row, learnt, seed),
                })
                .collect(),
            Source::Passage => some
                .iter()
                .map(|(_, row)| Task::Informed {
                    query: &row.pair.query,
                    passage: &row.pair.pos[0],
                })
                .collect(),
        };
        let author = match &self.author {
            Some(author) => author,
            None => self.author.insert(Author::open(&self.run.base, &self.run.device()?)?),
        };
        let manner = Manner {
            tokens_max: making.thought_tokens,
            temperature: TEMPERATURE,
            top_p: TOP_P,
            seed: seed.wrapping_add(some.first().map_or(0, |(index, _)| *index as u64)),
        };
        Ok(author.write(&tasks, &manner, &mut |_| {})?)
    }

    fn expert(
        &self,
        some: &[(usize, &Row)],
        learnt: &[&Row],
        seed: u64,
    ) -> Result<Vec<String>, TrainError> {
        let making = &self.args.making;
        let url = making.expert_url.as_deref().unwrap_or_default();
        let expert = Expert::new(url, &making.expert_model)?;
        let stop: &Stop = &self.run.world.stop;
        let ask = |(index, row): &(usize, &Row)| {
            stop.check()?;
            let chat = explore::thought_chat(&row.pair.query, &examples(*index, row, learnt, seed));
            let seed = seed.wrapping_add(*index as u64);
            Ok(expert.ask(&chat, making.thought_tokens, seed)?)
        };
        some.iter().map(ask).collect()
    }
}

/// Other rows as in-context examples, drawn anew for each row; never one with the same positive.
fn examples<'a>(index: usize, row: &Row, all: &[&'a Row], seed: u64) -> Vec<(&'a str, &'a str)> {
    /// Rows drawn to find enough that differ.
    const DRAWN: usize = 3 * EXAMPLES;
    let start = schedule::order(all.len().min(1 << 10), index as u64, seed);
    start
        .into_iter()
        .take(DRAWN)
        .map(|other| all[(other + index) % all.len()])
        .filter(|other| !other.pair.pos.iter().any(|text| row.pair.pos.contains(text)))
        .take(EXAMPLES)
        .map(|other| (other.pair.query.as_str(), other.pair.pos[0].as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use models::dataset::Pair;

    use super::*;

    #[test]
    fn examples_are_others_and_never_the_rows_own_positive() {
        let row = |query: usize, passage: usize| Row {
            pair: Pair {
                query: format!("question {query}"),
                pos: vec![format!("passage {passage}")],
                ..Pair::default()
            },
            positive: passage,
            origin: String::new(),
        };
        // Every second row has the same passage.
        let rows: Vec<Row> = (0..40).map(|i| row(i, if i % 2 == 0 { 0 } else { i })).collect();
        let all: Vec<&Row> = rows.iter().collect();
        let mut drawn = std::collections::HashSet::new();
        for (index, row) in rows.iter().enumerate() {
            for (query, passage) in examples(index, row, &all, 3) {
                assert_ne!(passage, row.pair.pos[0], "{query}");
                drawn.insert(query);
            }
        }
        assert!(drawn.len() > 15, "examples are redrawn for every row: {}", drawn.len());
    }
}
