//! Marks on disk, and how passages are known again.

use std::os::unix::fs::PermissionsExt;

use super::*;

const LONG: &str = "The keeper trims the lamp at dusk and writes the hour into the log.";

fn pointed(question: &str, path: &str, text: &str) -> Pointed {
    Pointed {
        question: question.to_owned(),
        words: question.split(" type:").next().unwrap().to_owned(),
        path: path.to_owned(),
        byte_start: 0,
        byte_end: text.len(),
        indexed: Some(("Lamp".to_owned(), text.to_owned())),
    }
}

fn all(marks: &Marks) -> Vec<(String, bool)> {
    let lists = marks.list().unwrap().into_iter().flatten();
    lists.map(|mark| (mark.question, mark.right)).collect()
}

#[test]
fn marks_outlive_the_process_and_are_nobody_elses() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("data/marks.json");
    let marks = Marks::load(&file);
    assert!(all(&marks).is_empty() && !file.exists());
    let mark = marks.set(pointed("who keeps it", "/a.md", LONG), Some(true)).unwrap().unwrap();
    assert_eq!((mark.title.as_str(), mark.opening.as_str(), mark.right), ("Lamp", LONG, true));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let marks = Marks::load(&file);
    assert_eq!(all(&marks), [("who keeps it".to_owned(), true)]);
    assert_eq!(marks.of("who keeps it").of("/a.md", LONG), Some(true));

    // A second word takes the first one's place, and can be taken back.
    marks.set(pointed("Who keeps  it", "/a.md", LONG), Some(false)).unwrap();
    assert_eq!(all(&Marks::load(&file)), [("Who keeps  it".to_owned(), false)]);
    assert_eq!(marks.set(pointed("who keeps it", "/a.md", LONG), None).unwrap(), None);
    assert!(all(&Marks::load(&file)).is_empty());
    // Twice is no error.
    assert_eq!(marks.set(pointed("who keeps it", "/a.md", LONG), None).unwrap(), None);
}

#[test]
fn a_passage_is_known_by_its_words() {
    let dir = tempfile::tempdir().unwrap();
    let marks = Marks::load(&dir.path().join("marks.json"));
    marks.set(pointed("who keeps it type:md", "/a.md", LONG), Some(true)).unwrap();
    marks.set(pointed("who keeps it", "/b.md", "See above."), Some(false)).unwrap();
    let long = format!("{LONG} {}", "more and more ".repeat(20));
    marks.set(pointed("who keeps it", "/c.md", &long), Some(false)).unwrap();
    let grown = long.clone() + "at the end";
    let cases = [
        ("who keeps it", "/a.md", LONG, Some(true)),
        ("WHO  keeps it", "/a.md", LONG, Some(true)),
        ("who keeps", "/a.md", LONG, None),
        // Cut anew, or in a copy, or where it was moved to.
        ("who keeps it", "/a.md", &LONG.replace(' ', "\n"), Some(true)),
        ("who keeps it", "/moved.md", LONG, Some(true)),
        ("who keeps it", "/b.md", "See above.", Some(false)),
        ("who keeps it", "/moved.md", "See above.", None),
        // Changed behind its first words.
        ("who keeps it", "/c.md", &grown, Some(false)),
        ("who keeps it", "/moved.md", &grown, None),
        ("who keeps it", "/a.md", "Another text.", None),
    ];
    for (question, path, text, expected) in cases {
        assert_eq!(marks.of(question).of(path, text), expected, "{question} {path} {text}");
    }
    // Of what is not indexed any more, the place is known.
    let gone = Pointed { indexed: None, ..pointed("who keeps it", "/a.md", LONG) };
    assert_eq!(marks.set(gone, None).unwrap(), None);
    assert_eq!(marks.of("who keeps it").of("/a.md", LONG), None);
}

#[test]
fn what_is_damaged_is_set_aside() {
    for odd in ["", "{", "{\"version\":9,\"marks\":[]}", "[]"] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("marks.json");
        fs::write(&file, odd).unwrap();
        let marks = Marks::load(&file);
        assert!(all(&marks).is_empty());
        marks.set(pointed("q", "/a.md", LONG), Some(true)).unwrap();
        let aside = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let aside = aside.filter(|path| *path != file).collect::<Vec<_>>();
        let [aside] = &aside[..] else { panic!("{aside:?}") };
        assert!(aside.to_str().unwrap().contains("marks.json.damaged-"), "{aside:?}");
        assert_eq!(fs::read_to_string(aside).unwrap(), odd);
    }
    // What cannot even be read is not written over.
    let dir = tempfile::tempdir().unwrap();
    let marks = Marks::load(dir.path());
    assert!(marks.set(pointed("q", "/a.md", LONG), Some(true)).is_err() && marks.list().is_err());
    assert_eq!(marks.of("q").of("/a.md", LONG), None);
}

#[test]
fn the_oldest_goes_when_there_are_too_many_and_lists_fit_frames() {
    let dir = tempfile::tempdir().unwrap();
    let marks = Marks::load(&dir.path().join("marks.json"));
    let kept = |number: usize| {
        let question = format!("question {number}");
        let mark = Mark {
            question: question.clone(),
            path: format!("/{}", "x".repeat(400)),
            byte_start: 0,
            byte_end: 1,
            right: true,
            title: String::new(),
            opening: String::new(),
            made_s: 0,
        };
        Kept { mark, hash: String::new(), words: question }
    };
    *marks.page() = Ok((0..MARKS_MAX).map(kept).collect());
    marks.set(pointed("the last", "/a.md", LONG), Some(true)).unwrap();
    let lists = marks.list().unwrap();
    assert!(lists.len() > 1 && lists.iter().all(|list| !list.is_empty()));
    let all: Vec<&Mark> = lists.iter().flatten().collect();
    assert_eq!((all.len(), all[0].question.as_str()), (MARKS_MAX, "question 1"));
    assert_eq!(all[MARKS_MAX - 1].question, "the last");
}
