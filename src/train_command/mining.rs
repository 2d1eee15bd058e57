//! What the committee's rankings say of each row: whether a made-up question finds its own passage
//! again, which passages are hard to tell from the answer, and what a grounded thought is shown.

use models::ground;
use models::negatives::{self, hard_negatives};
use models_candle::committee::Committee;

use super::Split;
use super::inputs::{Inputs, Row};
use super::run::Run;
use crate::args::train::Train;
use crate::error::AppError;
use crate::output;

/// Passages of each member's ranking that are looked at: the guard must reach below the positive.
const DEPTH: usize = 100;
/// Queries ranked at a time.
const AT_ONCE: usize = 64;

/// Splits the rows, drops questions that do not come back, and adds negatives.
pub(super) fn mine(
    inputs: &Inputs,
    rows: Vec<Row>,
    committee: &mut Committee,
    run: &Run,
    args: &Train,
) -> Result<Split, AppError> {
    let total = rows.len();
    let held = |origin: &str| args.holds_out(origin);
    let mut split = Split { train: Vec::new(), held_out: Vec::new() };
    let (mut done, mut lost) = (0, 0);
    for rows in rows.chunks(AT_ONCE) {
        run.progress("mining", done, total);
        run.stop.check()?;
        done += rows.len();
        let queries: Vec<(&str, usize)> =
            rows.iter().map(|row| (row.pair.query.as_str(), row.positive)).collect();
        for (row, rankings) in rows.iter().zip(committee.rank(&queries, DEPTH)?) {
            let mut row = row.clone();
            let made_up = inputs.unasked.binary_search(&row.positive).is_ok();
            let rank = negatives::fused_rank(&rankings, row.positive);
            if made_up && rank.is_none_or(|rank| rank > args.making.round_trip) {
                lost += 1;
                continue;
            }
            let is_held = held(&row.origin);
            if row.pair.context.is_empty() {
                let found = negatives::fused(&rankings);
                let found = found.iter().filter(|place| is_held || !held(&inputs.origins[**place]));
                let texts = found.map(|place| inputs.passages[*place].as_str());
                row.pair.context = ground::context(&row.pair.query, texts);
            }
            let pos = &row.pair.pos;
            // A passage that is judged on is nobody's negative, or training would push it away.
            let excluded = |place: usize| {
                pos.contains(&inputs.passages[place])
                    || (made_up && inputs.origins[place] == row.origin)
                    || (!is_held && held(&inputs.origins[place]))
            };
            let judges = committee.judges();
            let mined =
                hard_negatives(&rankings, &judges, &excluded, args.making.guard, args.making.mined);
            let mined = mined.into_iter().map(|place| inputs.passages[place].clone());
            // Negatives that came with a teacher's scores are complete; mined ones have none.
            if row.pair.neg_scores.is_empty() {
                let known = row.pair.neg.clone();
                row.pair.neg.extend(mined.filter(|text| !known.contains(text)));
            }
            if is_held { split.held_out.push(row) } else { split.train.push(row) }
        }
    }
    if lost > 0 {
        output::diagnostic(&format!(
            "{lost} of {total} questions do not find their passage among {} and are dropped",
            args.making.round_trip
        ));
    }
    output::diagnostic(&format!(
        "{} rows to learn from, {} held out",
        split.train.len(),
        split.held_out.len()
    ));
    Ok(split)
}
