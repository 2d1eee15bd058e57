//! What the committee's rankings say of each row: whether a made-up question finds its own passage
//! again, which passages are hard to tell from the answer, and what a grounded thought is shown.

use std::collections::HashSet;

use models::dataset::Pair;
use models::negatives::{self, hard_negatives};
use models::{ground, schedule};
use models_candle::committee::Committee;

use crate::Split;
use crate::error::TrainError;
use crate::inputs::{Inputs, Row};
use crate::knobs::{Knobs, SourceName};
use crate::run::Run;

/// Passages of each member's ranking that are looked at: the guard must reach below the positive.
const DEPTH: usize = 100;
/// Queries ranked at a time.
const AT_ONCE: usize = 64;
/// Tells this order from others of the same seed.
const HELD_OUT_ORDER: u64 = 3;

/// Whether rankings are asked for at all: for negatives, for what a thought is shown, for votes on
/// thoughts, or to tell whether a made-up question comes back.
pub(crate) fn ranks(inputs: &Inputs, rows: &[Row], args: &Knobs) -> bool {
    let thinks = |row: &Row| !row.pair.thought.is_empty() || !row.pair.all_thought.is_empty();
    args.making.mined > 0
        || !args.making.sources.contains(&SourceName::None)
        || !inputs.unasked.is_empty()
        || rows.iter().any(thinks)
}

/// Splits the rows, drops questions that do not come back, and adds negatives.
pub(crate) fn mine(
    inputs: &Inputs,
    rows: Vec<Row>,
    committee: &mut Committee,
    run: &Run,
    args: &Knobs,
) -> Result<Split, TrainError> {
    let total = rows.len();
    let ranked = ranks(inputs, &rows, args);
    let held = |origin: &str| args.holds_out(origin);
    let judged = rows.iter().filter(|row| held(&row.origin)).flat_map(|row| &row.pair.pos);
    let judged: HashSet<String> = judged.cloned().collect();
    let mut split = Split { train: Vec::new(), held_out: Vec::new() };
    let (mut done, mut lost) = (0, 0);
    for rows in rows.chunks(AT_ONCE) {
        run.progress("mining", done, total);
        run.world.stop.check()?;
        done += rows.len();
        let queries: Vec<(&str, usize)> =
            rows.iter().map(|row| (row.pair.query.as_str(), row.positive)).collect();
        let rankings =
            if ranked { committee.rank(&queries, DEPTH)? } else { vec![Vec::new(); rows.len()] };
        for (row, rankings) in rows.iter().zip(rankings) {
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
                    || (!is_held
                        && (held(&inputs.origins[place])
                            || judged.contains(&inputs.passages[place])))
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
    let shared = separate(&mut split, args.seed);
    if shared > 0 {
        run.note(&format!(
            "{shared} held-out rows share a passage or question with what is learnt and are left out"
        ));
    }
    if lost > 0 {
        run.note(&format!(
            "{lost} of {total} questions do not find their passage among {} and are dropped",
            args.making.round_trip
        ));
    }
    run.note(&format!(
        "{} rows to learn from, {} held out",
        split.train.len(),
        split.held_out.len()
    ));
    Ok(split)
}

/// Takes from the held-out rows those that share a positive or a question with one that is learnt
/// from, which proves nothing, and shuffles the others: the first of them are looked at. How many it took.
fn separate(split: &mut Split, seed: u64) -> usize {
    let learnt: HashSet<&str> = split
        .train
        .iter()
        .flat_map(|row| row.pair.pos.iter().chain([&row.pair.query]))
        .map(String::as_str)
        .collect();
    let before = split.held_out.len();
    let is_new = |row: &Row| {
        let Pair { query, pos, .. } = &row.pair;
        !pos.iter().chain([query]).any(|text| learnt.contains(text.as_str()))
    };
    let fresh: Vec<Row> = split.held_out.drain(..).filter(is_new).collect();
    let order = schedule::order(fresh.len(), HELD_OUT_ORDER, seed);
    split.held_out = order.into_iter().map(|index| fresh[index].clone()).collect();
    before - split.held_out.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_judged_on_was_never_learnt_from() {
        let row = |query: &str, pos: &[&str]| {
            let pos: Vec<String> = pos.iter().map(|text| (*text).to_owned()).collect();
            let pair = Pair { query: query.to_owned(), pos, ..Pair::default() };
            Row { pair, positive: 0, origin: String::new() }
        };
        let train = vec![row("why", &["a", "b"]), row("when", &["c"])];
        let judged = [row("who", &["b"]), row("why", &["d"]), row("how", &["e", "c"])];
        let fresh: Vec<Row> = (0..20).map(|n| row(&format!("q{n}"), &["f"])).collect();
        let held_out = judged.into_iter().chain(fresh.clone()).collect();
        let mut split = Split { train, held_out };
        assert_eq!(separate(&mut split, 0), 3);
        assert_ne!(split.held_out, fresh, "in another order");
        split.held_out.sort_by_key(|row| row.pair.query[1..].parse::<usize>().unwrap());
        assert_eq!(split.held_out, fresh);
    }
}
