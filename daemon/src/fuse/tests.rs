//! Fusion against figures worked by hand.

use std::collections::HashMap;

use super::{Fused, Readings, fuse, heed, spread};
use crate::limits::CANDIDATES;
use crate::store::{Found, Passage};

fn list(given: &[(&str, usize, f32)]) -> Vec<Found> {
    let found = |(path, ordinal, score): &(&str, usize, f32)| Found {
        path: (*path).to_owned(),
        title: String::new(),
        ordinal: *ordinal,
        passage: Passage {
            heading: String::new(),
            bytes: 0..0,
            lines: (1, 1),
            place: None,
            text: String::new(),
        },
        score: *score,
    };
    given.iter().map(found).collect()
}

fn names(fused: &[Fused]) -> Vec<(&str, usize)> {
    fused.iter().map(|fused| (fused.found.path.as_str(), fused.found.ordinal)).collect()
}

fn names_of(fused: &[Fused], first: usize) -> Vec<&str> {
    fused.iter().take(first).map(|fused| fused.found.path.as_str()).collect()
}

#[test]
fn scores_add_up() {
    let words = list(&[("c", 0, 8.0), ("a", 1, 6.0)]);
    let near = list(&[("a", 0, 0.7), ("b", 0, 0.5), ("c", 0, 0.4)]);
    let fused = fuse(&words, &near, 10);
    // By hand: c 8/8 + 2·0, a1 6/8, a0 2·(.7 − .4), b 2·(.5 − .4).
    assert_eq!(names(&fused), [("c", 0), ("a", 1), ("a", 0), ("b", 0)]);
    for (fused, score) in fused.iter().zip([1.0, 0.75, 0.6, 0.2]) {
        assert!((fused.score - score).abs() < 1e-6, "{fused:?}");
    }
    assert_eq!((fused[0].ranks, fused[0].scores), ([Some(1), Some(3)], [Some(8.0), Some(0.4)]));
    assert_eq!((fused[1].ranks, fused[1].scores), ([Some(2), None], [Some(6.0), None]));
    assert_eq!((fused[2].ranks, fused[2].scores), ([None, Some(1)], [None, Some(0.7)]));
}

#[test]
fn what_a_cut_list_leaves_out_is_like_its_last() {
    let names: Vec<String> = (0..CANDIDATES).map(|number| format!("w{number:03}")).collect();
    let falling = |number: usize| 10.0 - number as f32 * 0.01;
    let given: Vec<(&str, usize, f32)> = names
        .iter()
        .enumerate()
        .map(|(number, name)| (name.as_str(), 0, falling(number)))
        .collect();
    let near = list(&[("x", 0, 0.45), ("y", 0, 0.25)]);
    // By hand: the first word is worth (10 − 9.01) / 10 = .099, the last nothing, x 2·(.45 − .25) = .4.
    let fused = fuse(&list(&given), &near, 200);
    assert_eq!(names_of(&fused, 3), ["x", "w000", "w001"]);
    assert!((fused[1].score - 0.099).abs() < 1e-5, "{}", fused[1].score);
    // One fewer, and all that has the words was found: 10 / 10 is more than x.
    let fused = fuse(&list(&given[..CANDIDATES - 1]), &near, 200);
    assert_eq!(names_of(&fused, 2), ["w000", "w001"]);
}

#[test]
fn vectors_that_tell_nothing_apart_leave_the_words_their_order() {
    let words = list(&[("a", 0, 3.0), ("b", 0, 2.9)]);
    let near = list(&[("b", 0, 0.91), ("c", 0, 0.90), ("a", 0, 0.89)]);
    assert_eq!(names(&fuse(&words, &near, 10)), [("b", 0), ("a", 0), ("c", 0)]);
    let near = list(&[("b", 0, 0.901), ("c", 0, 0.9), ("a", 0, 0.899)]);
    assert_eq!(names(&fuse(&words, &near, 10)), [("a", 0), ("b", 0), ("c", 0)]);
}

#[test]
fn ties_are_settled_by_rank_then_name() {
    let near = list(&[("b", 1, 0.5), ("a", 0, 0.5), ("b", 0, 0.5)]);
    assert_eq!(names(&fuse(&[], &near, 10)), [("b", 1), ("a", 0), ("b", 0)]);
    let (words, near) = (list(&[("b", 1, 1.0)]), list(&[("b", 0, 0.75), ("a", 0, 0.25)]));
    assert_eq!(names(&fuse(&words, &near, 10)), [("b", 0), ("b", 1), ("a", 0)]);
    assert_eq!(fuse(&words, &near, 1).len(), 1);
}

#[test]
fn nothing_and_repeats_are_fine() {
    assert!(fuse(&[], &[], 5).is_empty());
    let twice = list(&[("a", 0, 2.0), ("b", 0, 1.0), ("a", 0, 0.5)]);
    for (words, near) in [(&twice[..], &[][..]), (&[], &twice)] {
        let fused = fuse(words, near, 5);
        assert_eq!(names(&fused), [("a", 0), ("b", 0)]);
        assert_eq!(fused[0].ranks.iter().flatten().collect::<Vec<_>>(), [&1]);
        assert!(fuse(words, near, 0).is_empty());
    }
    // What matches no word and lies opposite, as in a store of one passage, is no special case.
    let alone = fuse(&list(&[("a", 0, 0.0)]), &list(&[("a", 0, -1.0)]), 5);
    assert_eq!((alone.len(), alone[0].score), (1, 0.0));
}

#[test]
fn no_document_takes_up_the_list() {
    // A document is a letter; its passages come in the order of their ordinals.
    for (per_document, ranked, expected) in [
        (3, "", ""),
        (3, "abcab", "abcab"),
        (3, "aaab", "aaab"),
        (3, "aaaab", "aaaba"),
        (3, "aaaaaa", "aaaaaa"),
        (3, "aaaabbbbca", "aaabbbcaba"),
        (1, "aababc", "abcaab"),
        (0, "ab", "ab"),
    ] {
        let mut count = HashMap::new();
        let places: Vec<(String, usize)> = ranked
            .chars()
            .map(|letter| {
                let next = count.entry(letter).or_insert(0);
                *next += 1;
                (letter.to_string(), *next - 1)
            })
            .collect();
        let falling = (0..places.len()).map(|place| 1.0 / (place + 1) as f32);
        let places: Vec<(&str, usize, f32)> =
            places.iter().zip(falling).map(|((a, b), score)| (a.as_str(), *b, score)).collect();
        let fused = fuse(&list(&places), &[], places.len());
        let spread = spread(fused.clone(), per_document);
        let letters: String = spread.iter().map(|fused| fused.found.path.as_str()).collect();
        assert_eq!(letters, expected, "{per_document} each of {ranked}");
        // Nothing is lost, changed, or put out of the order it had within its document.
        let of = |letter: &str, list: &[Fused]| -> Vec<Fused> {
            list.iter().filter(|fused| fused.found.path == letter).cloned().collect()
        };
        for letter in ["a", "b", "c"] {
            assert_eq!(of(letter, &spread), of(letter, &fused), "{letter} in {ranked}");
        }
    }
}

#[test]
fn what_was_read_comes_first_in_the_order_of_both() {
    let near = list(&[("a", 0, 0.9), ("b", 0, 0.8), ("c", 0, 0.75), ("d", 0, 0.5), ("e", 0, 0.4)]);
    // By hand, twice the cosine above the last: a 1.0, b .8, c .7, d .2, e 0.
    let ranked = fuse(&[], &near, 10);
    let readings: Readings = [("a", -3.0), ("b", -1.0), ("c", -2.0), ("d", -1.5)]
        .map(|(path, value)| ((path.to_owned(), 0), value))
        .into();
    let check = |depth, weight, expected: [(&str, Option<f32>, f32); 5]| {
        let heeded = heed(ranked.clone(), &readings, depth, weight);
        for (one, (path, reading, score)) in heeded.iter().zip(expected) {
            assert_eq!((one.found.path.as_str(), one.reading), (path, reading));
            assert!((one.score - score).abs() < 1e-6, "{one:?}");
            let before = ranked.iter().find(|other| other.found == one.found);
            assert_eq!(Some(one.fused), before.map(|before| before.score));
        }
    };
    // The best reading is b's: a 1 - .5·2, c .7 - .5·1. What was not read is put below the last of them.
    let read = [("b", Some(0.0), 0.8), ("c", Some(-1.0), 0.2), ("a", Some(-2.0), 0.0)];
    check(3, 0.5, [read[0], read[1], read[2], ("d", None, 0.0), ("e", None, -0.2)]);
    // Without weight nothing moves, and without depth nothing was read.
    check(
        0,
        0.5,
        [("a", None, 1.0), ("b", None, 0.8), ("c", None, 0.7), ("d", None, 0.2), ("e", None, 0.0)],
    );
    let all = [("a", Some(-2.0), 1.0), ("b", Some(0.0), 0.8), ("c", Some(-1.0), 0.7)];
    check(9, 0.0, [all[0], all[1], all[2], ("d", Some(-0.5), 0.2), ("e", None, 0.0)]);
}
