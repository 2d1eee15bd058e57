use std::os::unix::fs::PermissionsExt;
use std::thread;

use super::*;

fn named(searches: &[Search]) -> Vec<(&str, &str)> {
    searches.iter().map(|search| (search.name.as_str(), search.question.as_str())).collect()
}

#[test]
fn searches_are_kept_found_changed_and_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data/saved");
    assert_eq!(load(&path).unwrap(), []);
    keep(&path, " lamp ", "why does it smoke type:md").unwrap();
    keep(&path, "tide", "low tide\n after:7d").unwrap();
    let all = keep(&path, "lamp", "paraffin").unwrap();
    assert_eq!(named(&all), [("lamp", "paraffin"), ("tide", "low tide  after:7d")]);
    assert_eq!(load(&path).unwrap(), all);
    assert_eq!(find(&path, "tide").unwrap(), "low tide  after:7d");
    assert_eq!(named(&remove(&path, "lamp").unwrap()), [("tide", "low tide  after:7d")]);
    for error in [find(&path, "lamp").unwrap_err(), remove(&path, "lamp").unwrap_err()] {
        assert_eq!(error.to_string(), "no search is saved as \"lamp\"");
    }
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
}

#[test]
fn what_is_no_search_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("saved");
    let long = "x".repeat(NAME_CHARS_MAX + 1);
    for (name, question) in [(" ", "lamp"), (&long, "lamp"), ("lamp", " \n ")] {
        keep(&path, name, question).unwrap_err();
    }
    assert!(!path.exists());
    let full: String = (0..SEARCHES_MAX).map(|n| format!("{n}\tlamp\n")).collect();
    fs::write(&path, full).unwrap();
    assert_eq!(keep(&path, "7", "wick").unwrap().len(), SEARCHES_MAX);
    assert!(matches!(keep(&path, "more", "wick"), Err(SavedError::Full)));
}

#[test]
fn a_file_written_by_hand_is_read_as_far_as_it_can_be() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("saved");
    fs::write(&path, b"# mine\n\nlamp\twick \xff\nlamp\tagain\r\n\tno name\ntide\tlow\x1b[31m\n")
        .unwrap();
    let all = load(&path).unwrap();
    assert_eq!(named(&all), [("lamp", "wick \u{fffd}"), ("tide", "low [31m")]);
    assert_eq!(list(&all), "lamp  wick \u{fffd}\ntide  low [31m\n");
}

#[test]
fn two_who_write_at_once_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("saved");
    thread::scope(|scope| {
        for writer in 0..4 {
            let path = &path;
            scope.spawn(move || {
                for n in 0..10 {
                    keep(path, &format!("{writer}-{n}"), "lamp").unwrap();
                }
            });
        }
    });
    assert_eq!(load(&path).unwrap().len(), 40);
}
