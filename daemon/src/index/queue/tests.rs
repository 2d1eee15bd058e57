//! The queue alone: what comes first, what comes twice, and how much it is.

use std::cmp::Reverse;

use proptest::prelude::*;

use super::*;

/// A file of so many bytes.
type File = (&'static str, u64);

enum Act {
    Save(&'static [File]),
    Add(&'static [File]),
    /// And what is there, by which what was saved before is judged.
    Replace(&'static [File], &'static [&'static str]),
    /// The first is taken.
    Take(File),
    /// What was taken with the urgency of the last that was, and is put back.
    PutBack(&'static [File]),
    /// The same, as a file that turned out to be long.
    PutBackLong(&'static [File]),
}

use Act::{Add, PutBack, PutBackLong, Replace, Save, Take};

fn suspects(files: &[File]) -> Vec<Suspect> {
    files.iter().map(|(path, bytes)| Suspect { path: (*path).to_owned(), bytes: *bytes }).collect()
}

/// All that waits, the first first.
fn waiting(queue: &Queue) -> Vec<(Urgency, Suspect)> {
    let lanes = queue.lanes.iter().rev();
    lanes.flat_map(|(urgency, lane)| lane.iter().map(|one| (*urgency, one.clone()))).collect()
}

fn check(what: &str, acts: &[(Act, &[File])]) {
    let mut queue = Queue::default();
    let mut last = Urgency::WALKED;
    for (number, (act, expected)) in acts.iter().enumerate() {
        match act {
            Save(files) => queue.save(suspects(files)),
            Add(files) => queue.add(suspects(files)),
            Replace(files, there) => queue.replace(suspects(files), |path| there.contains(&path)),
            Take(file) => {
                last = queue.urgency().unwrap();
                assert_eq!(queue.take(last), suspects(&[*file]).pop(), "{what}, act {number}");
            }
            PutBack(files) => queue.put(last, suspects(files)),
            PutBackLong(files) => queue.put(last.long(), suspects(files)),
        }
        let waiting: Vec<Suspect> = waiting(&queue).into_iter().map(|(_, one)| one).collect();
        assert_eq!(waiting, suspects(expected), "{what}, act {number}");
        let bytes = expected.iter().map(|(_, bytes)| bytes).sum();
        assert_eq!(queue.tally(), Tally { files: expected.len(), bytes }, "{what}, act {number}");
        assert_eq!(queue.is_empty(), expected.is_empty(), "{what}, act {number}");
    }
}

#[test]
fn what_was_saved_last_comes_first_and_what_was_walked_last() {
    check(
        "in the order it came in",
        &[
            (Add(&[("a", 1), ("b", 2)]), &[("a", 1), ("b", 2)]),
            (Save(&[("c", 3), ("d", 4)]), &[("c", 3), ("d", 4), ("a", 1), ("b", 2)]),
            (Save(&[("e", 5)]), &[("e", 5), ("c", 3), ("d", 4), ("a", 1), ("b", 2)]),
            (Add(&[("f", 6)]), &[("e", 5), ("c", 3), ("d", 4), ("f", 6), ("a", 1), ("b", 2)]),
            (Save(&[]), &[("e", 5), ("c", 3), ("d", 4), ("f", 6), ("a", 1), ("b", 2)]),
        ],
    );
    check(
        "a path twice",
        &[
            (Add(&[("a", 1), ("b", 2), ("a", 9)]), &[("a", 1), ("b", 2)]),
            // Saved, it comes first; walked, it stays where it is or comes as it is now.
            (Save(&[("b", 3)]), &[("b", 3), ("a", 1)]),
            (Add(&[("c", 4), ("b", 5), ("a", 6)]), &[("b", 3), ("c", 4), ("a", 6)]),
            (Save(&[("d", 7), ("b", 8)]), &[("d", 7), ("b", 8), ("c", 4), ("a", 6)]),
        ],
    );
}

#[test]
fn a_walk_of_all_folders_replaces_what_was_walked_and_keeps_what_was_saved_and_is_there() {
    check(
        "a rescan",
        &[
            (Add(&[("a", 1), ("b", 2)]), &[("a", 1), ("b", 2)]),
            (Save(&[("c", 3), ("d", 4)]), &[("c", 3), ("d", 4), ("a", 1), ("b", 2)]),
            (
                Replace(&[("b", 5), ("c", 6), ("e", 7)], &["b", "c", "e"]),
                &[("c", 3), ("b", 5), ("e", 7)],
            ),
            (Replace(&[], &["c"]), &[("c", 3)]),
            (Replace(&[], &[]), &[]),
        ],
    );
}

#[test]
fn what_is_put_back_comes_before_others_of_its_urgency() {
    check(
        "of a save, and a long one",
        &[
            (Add(&[("a", 1)]), &[("a", 1)]),
            (Save(&[("b", 2), ("c", 3), ("d", 4)]), &[("b", 2), ("c", 3), ("d", 4), ("a", 1)]),
            (Take(("b", 2)), &[("c", 3), ("d", 4), ("a", 1)]),
            (Take(("c", 3)), &[("d", 4), ("a", 1)]),
            (PutBack(&[("b", 2)]), &[("b", 2), ("d", 4), ("a", 1)]),
            (PutBackLong(&[("c", 3)]), &[("b", 2), ("d", 4), ("c", 3), ("a", 1)]),
        ],
    );
    check(
        "of a walk, when others were saved since",
        &[
            (Add(&[("a", 1), ("b", 2), ("c", 3)]), &[("a", 1), ("b", 2), ("c", 3)]),
            (Take(("a", 1)), &[("b", 2), ("c", 3)]),
            (Save(&[("d", 4)]), &[("d", 4), ("b", 2), ("c", 3)]),
            (PutBack(&[("a", 1), ("d", 5)]), &[("d", 4), ("a", 1), ("b", 2), ("c", 3)]),
        ],
    );
    let mut queue = Queue::default();
    assert_eq!((queue.urgency(), queue.take(Urgency::WALKED)), (None, None));
    queue.save(suspects(&[("a", 1)]));
    assert_eq!(queue.take(Urgency::WALKED), None, "none was walked");
}

/// On paths that are few, so that they often meet.
#[derive(Debug, Clone)]
enum Operation {
    Save(Vec<Suspect>),
    Add(Vec<Suspect>),
    Replace(Vec<Suspect>, Vec<bool>),
    Take,
    /// With the urgency of the last that was taken, or of that as a long one.
    PutBack(Vec<Suspect>, bool),
}

const PATHS: u8 = 6;

fn operation() -> impl Strategy<Value = Operation> {
    let suspect = (0..PATHS, 0_u64..100)
        .prop_map(|(path, bytes)| Suspect { path: path.to_string(), bytes })
        .boxed();
    let some = proptest::collection::vec(suspect, 0..5).boxed();
    let there = proptest::collection::vec(any::<bool>(), usize::from(PATHS));
    prop_oneof![
        some.clone().prop_map(Operation::Save),
        some.clone().prop_map(Operation::Add),
        (some.clone(), there).prop_map(|(found, there)| Operation::Replace(found, there)),
        Just(Operation::Take),
        (some, any::<bool>()).prop_map(|(taken, long)| Operation::PutBack(taken, long)),
    ]
}

/// The order in one sentence: what is new comes before what is held, the more urgent before both,
/// and of a path all but the first goes.
fn ordered(
    urgency: Urgency,
    new: &[Suspect],
    held: Vec<(Urgency, Suspect)>,
) -> Vec<(Urgency, Suspect)> {
    let mut all: Vec<_> = new.iter().map(|one| (urgency, one.clone())).chain(held).collect();
    all.sort_by_key(|(urgency, _)| Reverse(*urgency));
    let mut paths = HashSet::new();
    all.retain(|(_, suspect)| paths.insert(suspect.path.clone()));
    all
}

proptest! {
    #[test]
    fn whatever_is_done_it_is_sorted_has_no_path_twice_and_counts_right(
        operations in proptest::collection::vec(operation(), 0..40),
    ) {
        let mut queue = Queue::default();
        let mut expected = Vec::new();
        let (mut saves, mut last) = (0, Urgency::WALKED);
        for operation in operations {
            match operation {
                Operation::Save(named) => {
                    saves += 1;
                    expected = ordered(Urgency::saved(saves), &named, expected);
                    queue.save(named);
                }
                Operation::Add(found) => {
                    expected = ordered(Urgency::WALKED, &found, expected);
                    queue.add(found);
                }
                Operation::Replace(found, there) => {
                    let is_there = |path: &str| there[path.parse::<usize>().unwrap()];
                    expected.retain(|(urgency, one)| urgency.is_saved() && is_there(&one.path));
                    expected = ordered(Urgency::WALKED, &found, expected);
                    queue.replace(found, is_there);
                }
                Operation::Take if queue.is_empty() => {}
                Operation::Take => {
                    let (urgency, first) = expected.remove(0);
                    last = urgency;
                    prop_assert_eq!(queue.urgency(), Some(urgency));
                    prop_assert_eq!(queue.take(urgency), Some(first));
                }
                Operation::PutBack(taken, long) => {
                    let urgency = if long { last.long() } else { last };
                    expected = ordered(urgency, &taken, expected);
                    queue.put(urgency, taken);
                }
            }
            let held = waiting(&queue);
            prop_assert_eq!(&held, &expected);
            prop_assert!(held.is_sorted_by_key(|(urgency, _)| Reverse(*urgency)));
            let paths: HashSet<&str> = held.iter().map(|(_, one)| one.path.as_str()).collect();
            prop_assert_eq!(paths.len(), held.len());
            let tally: Tally = held.iter().map(|(_, one)| Tally::of(one.bytes)).sum();
            prop_assert_eq!(queue.tally(), tally);
            prop_assert_eq!(queue.is_empty(), held.is_empty());
        }
    }
}

#[test]
fn of_what_a_walk_found_small_files_come_first() {
    let large = SMALL_BYTES + 1;
    let mut queue = Queue::default();
    queue.add(suspects(&[("huge", 9 * large), ("a", 9), ("large", large), ("b", SMALL_BYTES)]));
    let order: Vec<String> = waiting(&queue).into_iter().map(|(_, one)| one.path).collect();
    assert_eq!(order, ["a", "b", "large", "huge"]);
}
