//! Rows that cost no author anything: a sentence of a passage as the query that finds it.
//!
//! What such a row asks is easy; what it is for is the teacher's view of the passages around it, of
//! which made-up questions alone show too few (inverse cloze, arXiv 1906.00300, with the sentence
//! left in place since the teacher has read the passage whole).

use std::collections::HashSet;

use models::{explore, schedule};

use crate::inputs::{Inputs, Row};
use crate::knobs::Knobs;

/// At most `--crops` rows, each of another passage of the folders, of none that is judged on.
pub(crate) fn crops(inputs: &Inputs, held_out: &[Row], args: &Knobs) -> Vec<Row> {
    let answers: HashSet<&str> =
        held_out.iter().flat_map(|row| &row.pair.pos).map(String::as_str).collect();
    let held = |place: usize| {
        args.holds_out(&inputs.origins[place]) || answers.contains(inputs.passages[place].as_str())
    };
    drawn(inputs, args.making.crops, &held, args.seed)
}

fn drawn(inputs: &Inputs, most: usize, held: &dyn Fn(usize) -> bool, seed: u64) -> Vec<Row> {
    let places: Vec<usize> =
        inputs.unasked.iter().filter(|place| !held(**place)).copied().collect();
    let crop = |place: usize| {
        let sentences = explore::queries(&inputs.passages[place]);
        let first = schedule::order(sentences.len(), place as u64, seed).first().copied()?;
        Some(inputs.asked(place, sentences[first].to_owned()))
    };
    let order = schedule::order(places.len(), 1, seed);
    order.into_iter().filter_map(|index| crop(places[index])).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_passage_gives_one_of_its_sentences_unless_it_is_judged_on() {
        let texts = [
            "The wick is trimmed twice a night. A wick that is too long smokes.",
            "Too short.",
            "What is judged on is not learnt from.",
            "This came with a question of its own.",
        ];
        let mut inputs = Inputs::default();
        inputs.passages.extend(texts.map(str::to_owned));
        inputs.origins.extend(["a", "b", "held", "row"].map(str::to_owned));
        inputs.unasked.extend([0, 1, 2]);
        let held = |place: usize| place == 2;
        for seed in 0..8 {
            let rows = drawn(&inputs, 9, &held, seed);
            assert_eq!(rows.len(), 1);
            assert!(explore::queries(texts[0]).contains(&rows[0].pair.query.as_str()));
            assert_eq!((rows[0].positive, &rows[0].pair.pos[0]), (0, &inputs.passages[0]));
        }
        assert!(drawn(&inputs, 0, &held, 0).is_empty());
    }
}
