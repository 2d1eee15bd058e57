//! Metrics against pytrec_eval's figures and by hand.

use serde_json::Value;

use super::{Grades, Scores, score, sort};

#[test]
fn the_figures_are_those_of_pytrec_eval() {
    let mut compared = 0;
    for line in include_str!("../../../fixtures/eval/reference.jsonl").lines() {
        let row: Value = serde_json::from_str(line).expect("a row");
        let found = row["run"].as_object().expect("a ranking");
        let mut ranking: Vec<(String, f32)> = found
            .iter()
            .map(|(id, score)| (id.clone(), score.as_f64().expect("a score") as f32))
            .collect();
        sort(&mut ranking);
        let grades: Grades = serde_json::from_value(row["grades"].clone()).expect("grades");
        let ours = serde_json::to_value(score(&ranking, &grades)).expect("a map");
        for (measure, expected) in row["scores"].as_object().expect("figures") {
            let (ours, expected) = (ours[measure].as_f64(), expected.as_f64().expect("a figure"));
            let apart = (ours.expect("a figure") - expected).abs();
            assert!(apart < 1e-6, "{measure}: {ours:?}, pytrec_eval {expected}, of {line}");
            compared += 1;
        }
    }
    assert_eq!(compared, 60 * 5);
}

#[test]
fn small_rankings_by_hand() {
    let grades = Grades::from([("a".to_owned(), 2), ("b".to_owned(), 1), ("c".to_owned(), 0)]);
    let ranked = |ids: &str| -> Vec<(String, f32)> {
        (0u8..).zip(ids.split(' ')).map(|(at, id)| (id.to_owned(), -f32::from(at))).collect()
    };
    let ideal = 2.0 + 1.0 / 3f64.log2();
    let cases = [
        ("a b c", 1.0, 1.0, 1.0, 1.0),
        ("c b a", (1.0 / 3f64.log2() + 2.0 / 2.0) / ideal, 0.5, 1.0, (0.5 + 2.0 / 3.0) / 2.0),
        ("x y", 0.0, 0.0, 0.0, 0.0),
        ("x1 x2 x3 x4 x5 x6 x7 x8 x9 x10 a", 0.0, 0.0, 0.0, 1.0 / 11.0 / 2.0),
    ];
    for (ids, ndcg_10, mrr_10, recall_10, map) in cases {
        let found = score(&ranked(ids), &grades);
        let pairs = [
            (found.ndcg_10, ndcg_10),
            (found.mrr_10, mrr_10),
            (found.recall_10, recall_10),
            (found.map, map),
        ];
        for (ours, expected) in pairs {
            assert!((ours - expected).abs() < 1e-12, "{ids}: {found:?}");
        }
    }
    let mean = Scores::mean([&score(&ranked("a b"), &grades), &score(&ranked("x"), &grades)]);
    assert_eq!((mean.mrr_10, mean.recall_100), (0.5, 0.5));
    assert_eq!(Scores::mean([]), Scores::default());
}
