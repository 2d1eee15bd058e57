//! The committee chooses a thought for each row, or none.

use models::explore::{self, Source};
use models::refine::{self, Tally, Vote};
use models_candle::committee::{Case, Committee};

use crate::Split;
use crate::error::TrainError;
use crate::inputs::{Inputs, Row};
use crate::knobs::{Knobs, VoteName};
use crate::run::Run;

/// Rows judged at a time.
const AT_ONCE: usize = 32;

/// Votes on every row's candidates; scores, winner and the report are kept.
pub(crate) fn refine(
    split: &mut Split,
    inputs: &Inputs,
    committee: &mut Committee,
    run: &Run,
    args: &Knobs,
) -> Result<(), TrainError> {
    let vote = match args.making.vote {
        VoteName::Soft => Vote::Soft,
        VoteName::Hard => Vote::Hard,
    };
    let mut tally = Tally::default();
    let mut rows: Vec<&mut Row> = split
        .train
        .iter_mut()
        .chain(&mut split.held_out)
        .filter(|row| row.pair.thought.trim().is_empty() && !row.pair.all_thought.is_empty())
        .collect();
    let total = rows.len();
    let mut done = 0;
    for rows in rows.chunks_mut(AT_ONCE) {
        run.progress("refining", done, total);
        run.world.stop.check()?;
        done += rows.len();
        let negatives: Vec<Vec<usize>> = rows
            .iter()
            .map(|row| row.pair.neg.iter().filter_map(|text| inputs.find(text)).collect())
            .collect();
        let words = args.making.extract_words();
        let rest = |row: &&mut Row| {
            let extracted = row.pair.sources.iter().any(|name| name == Source::Extract.name());
            extracted.then(|| explore::rest(&row.pair.query, &row.pair.pos[0], words)).flatten()
        };
        let rests: Vec<Option<String>> = rows.iter().map(rest).collect();
        let cases: Vec<Case<'_>> = rows
            .iter()
            .zip(&negatives)
            .zip(&rests)
            .map(|((row, negatives), rest)| Case {
                query: &row.pair.query,
                positive: row.positive,
                rest: rest.as_deref(),
                negatives,
                candidates: &row.pair.all_thought,
            })
            .collect();
        let judged = committee.judge(&cases)?;
        for (row, opinions) in rows.iter_mut().zip(judged) {
            let verdict = refine::vote(&opinions, vote);
            let pair = &mut row.pair;
            tally.add(&opinions, &pair.sources, verdict.as_ref());
            if let Some(verdict) = verdict
                && (verdict.beats_none() || args.making.keep_all_thoughts)
            {
                pair.thought.clone_from(&pair.all_thought[verdict.winner]);
            }
            for opinion in opinions {
                pair.none_scores.insert(opinion.member.clone(), opinion.none);
                pair.model2scores.insert(opinion.member, opinion.scores);
            }
        }
    }
    let report = tally.summary();
    run.write("refinement.txt", &report.to_string())?;
    let json = serde_json::to_string_pretty(&report);
    run.write("refinement.json", &json.map_err(|error| TrainError::new(error.to_string()))?)
}
