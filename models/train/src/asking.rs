//! Questions about the folders' passages, made up by the model.

use models::{explore, schedule};
use models_candle::author::{Author, Manner, Task};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::inputs::{Inputs, Row};
use crate::journal::Journal;
use crate::knobs::Knobs;
use crate::run::Run;

/// Questions asked between two writes: what an interruption costs.
const AT_ONCE: usize = 32;
/// Characters of a passage that can be asked about; less is a heading or a scrap.
const PASSAGE_CHARS_MIN: usize = 160;
const QUESTION_TOKENS_MAX: usize = 40;
/// Low, for a question has to be about its passage before it may be original.
const TEMPERATURE: f64 = 0.5;
const TOP_P: f64 = 0.9;

/// What was made of one passage.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    passage: usize,
    /// Empty if what the model wrote was no question.
    question: String,
}

/// The questions, each once.
pub(crate) fn questions(inputs: &Inputs, run: &Run, args: &Knobs) -> Result<Vec<Row>, TrainError> {
    if inputs.unasked.is_empty() {
        return Ok(Vec::new());
    }
    let long = |place: &&usize| inputs.passages[**place].chars().count() >= PASSAGE_CHARS_MIN;
    let places: Vec<usize> = inputs.unasked.iter().filter(long).copied().collect();
    let order = schedule::order(places.len(), 0, args.seed);
    let chosen: Vec<usize> = order.into_iter().map(|index| places[index]).collect();
    let mut journal: Journal<Asked> = Journal::open(&run.file("asked.jsonl"))?;
    let good = |journal: &Journal<Asked>| {
        journal.rows.iter().filter(|asked| !asked.question.is_empty()).count()
    };
    let wanted = args.making.questions;
    let mut author = None;
    while good(&journal) < wanted && journal.rows.len() < chosen.len() {
        let done = good(&journal);
        run.progress("asking", done, wanted);
        run.world.stop.check()?;
        let author = match &author {
            Some(author) => author,
            None => author.insert(Author::open(&run.base, &run.device()?)?),
        };
        let start = journal.rows.len();
        let places = &chosen[start..chosen.len().min(start + AT_ONCE)];
        let task = |place: &usize| Task::Question {
            passage: &inputs.passages[*place],
            opening: explore::OPENINGS[place % explore::OPENINGS.len()],
        };
        let tasks: Vec<Task<'_>> = places.iter().map(task).collect();
        let manner = Manner {
            tokens_max: QUESTION_TOKENS_MAX,
            temperature: TEMPERATURE,
            top_p: TOP_P,
            seed: args.seed.wrapping_add(start as u64),
        };
        let written = author.write(&tasks, &manner, &mut |_| {})?;
        let asked = |(passage, text): (&usize, String)| Asked {
            passage: *passage,
            question: explore::question(&text).unwrap_or_default(),
        };
        journal.add(places.iter().zip(written).map(asked).collect())?;
    }
    let mut seen = std::collections::HashSet::new();
    let rows: Vec<Row> = journal
        .rows
        .iter()
        .filter(|asked| !asked.question.is_empty() && seen.insert(asked.question.to_lowercase()))
        .take(wanted)
        .map(|asked| inputs.asked(asked.passage, asked.question.clone()))
        .collect();
    run.note(&format!(
        "{} questions about {} passages ({} answers were none)",
        rows.len(),
        inputs.unasked.len(),
        journal.rows.len() - good(&journal)
    ));
    Ok(rows)
}
