//! Fusion against figures worked by hand.

use std::collections::HashMap;

use super::{Fused, fuse, spread};
use crate::store::{Found, Passage};

fn list(names: &[(&str, usize)]) -> Vec<Found> {
    let found = |(path, ordinal): &(&str, usize)| Found {
        path: (*path).to_owned(),
        title: String::new(),
        ordinal: *ordinal,
        passage: Passage {
            heading: String::new(),
            bytes: 0..0,
            lines: (1, 1),
            text: String::new(),
        },
        score: 0.5,
    };
    names.iter().map(found).collect()
}

fn names(fused: &[Fused]) -> Vec<(&str, usize)> {
    fused.iter().map(|fused| (fused.found.path.as_str(), fused.found.ordinal)).collect()
}

#[test]
fn ranks_add_up_by_weight() {
    let vector = list(&[("a", 0), ("b", 0), ("c", 0)]);
    let text = list(&[("c", 0), ("a", 1)]);
    let fused = fuse(&[(1.0, &vector), (0.5, &text)], 10);
    assert_eq!(names(&fused), [("c", 0), ("a", 0), ("b", 0), ("a", 1)]);
    assert_eq!(fused[0].ranks, [Some(3), Some(1)]);
    assert_eq!(fused[1].ranks, [Some(1), None]);
    assert!((fused[0].score - (1.0 / 63.0 + 0.5 / 61.0)).abs() < 1e-7);
    assert!((fused[3].score - 0.5 / 62.0).abs() < 1e-7);
}

#[test]
fn ties_are_settled_by_rank_then_name() {
    let (x, y) = (list(&[("b", 1), ("a", 0)]), list(&[("b", 0), ("a", 0)]));
    let same = fuse(&[(1.0, &x), (0.0, &y)], 10);
    assert_eq!(names(&same), [("b", 1), ("a", 0), ("b", 0)]);
    let (x, y) = (list(&[("b", 1)]), list(&[("b", 0)]));
    assert_eq!(names(&fuse(&[(1.0, &x), (1.0, &y)], 10)), [("b", 0), ("b", 1)]);
    assert_eq!(fuse(&[(1.0, &x), (1.0, &y)], 1).len(), 1);
}

#[test]
fn nothing_and_repeats_are_fine() {
    assert!(fuse(&[], 5).is_empty());
    assert!(fuse(&[(1.0, &[])], 5).is_empty());
    let twice = list(&[("a", 0), ("b", 0), ("a", 0)]);
    let fused = fuse(&[(1.0, &twice)], 5);
    assert_eq!(names(&fused), [("a", 0), ("b", 0)]);
    assert_eq!(fused[0].ranks, [Some(1)]);
    assert!(fuse(&[(1.0, &twice)], 0).is_empty());
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
        let places: Vec<(&str, usize)> = places.iter().map(|(a, b)| (a.as_str(), *b)).collect();
        let fused = fuse(&[(1.0, &list(&places))], places.len());
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
