//! The file of questions, and what the surroundings say of the terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tui_saved::Search;

use crate::history::{self, Files, History, QUESTIONS_MAX};
use crate::look::{Colors, Look};
use crate::message::Message;

#[test]
fn questions_are_kept_in_a_file_for_one_person() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state/forethought/questions");
    assert_eq!(history::load(&path).unwrap(), [""; 0], "no file is no error");
    for question in ["a", "b", "a"] {
        history::add(&path, question).unwrap();
    }
    assert_eq!(history::load(&path).unwrap(), ["b", "a"]);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    // What is no question is passed over, and half a line at the end is one.
    fs::write(&path, b"one\n\n \n\xff two\nthree").unwrap();
    assert_eq!(history::load(&path).unwrap(), ["one", "\u{fffd} two", "three"]);
}

#[test]
fn the_file_of_questions_is_bounded() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("questions");
    let lines = |count: usize| (0..count).map(|n| format!("{n}\n")).collect::<String>();
    for (text, first, rewritten) in [
        (lines(2 * QUESTIONS_MAX), QUESTIONS_MAX, false),
        (lines(2 * QUESTIONS_MAX + 1), QUESTIONS_MAX + 1, true),
    ] {
        fs::write(&path, &text).unwrap();
        let questions = history::load(&path).unwrap();
        assert_eq!((questions.len(), questions[0].as_str()), (QUESTIONS_MAX, &*first.to_string()));
        assert_eq!(fs::read_to_string(&path).unwrap() != text, rewritten);
    }
    assert_eq!(history::load(&path).unwrap().len(), QUESTIONS_MAX, "what was written is read");
    let long = format!("{}\nnewest\n", "x".repeat(2 << 20));
    fs::write(&path, &long).unwrap();
    assert_eq!(history::load(&path).unwrap(), ["newest"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "newest\n");
}

#[tokio::test]
async fn the_last_question_is_written_before_the_end() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("questions");
    fs::write(&path, "old\n").unwrap();
    let at = |path: &std::path::Path| Files { questions: Some(path.to_owned()), saved: None };
    let mut history = History::open(at(&path));
    assert!(matches!(history.next().await, Message::History(old) if old == ["old"]));
    history.keep("new".to_owned());
    history.close().await;
    assert_eq!(fs::read_to_string(&path).unwrap(), "old\nnew\n");
    // One that cannot be written is told of.
    let mut history = History::open(at(home.path()));
    assert!(matches!(history.next().await, Message::Unkept(_)));
    history.keep("new".to_owned());
    assert!(matches!(history.next().await, Message::Unkept(_)));
}

#[tokio::test]
async fn searches_are_saved_and_taken_away_in_their_file() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("data/saved");
    let mut history = History::open(Files { questions: None, saved: Some(path.clone()) });
    assert!(matches!(history.next().await, Message::Saved(none) if none.is_empty()));
    let search = Search { name: "lamp".to_owned(), question: "smoke type:md".to_owned() };
    history.save(search.clone());
    assert!(matches!(history.next().await, Message::Saved(all) if all == [search]));
    assert_eq!(fs::read_to_string(&path).unwrap(), "lamp\tsmoke type:md\n");
    // By another program meanwhile.
    tui_saved::remove(&path, "lamp").unwrap();
    history.unsave("lamp".to_owned());
    let told = history.next().await;
    assert!(matches!(told, Message::Unkept(why) if why.contains("no search is saved as")));
}

#[test]
fn the_surroundings_say_how_the_terminal_may_be_used() {
    let look = |set: &[(&str, &str)]| {
        let value = |name: &str| set.iter().find(|(other, _)| *other == name);
        Look::of(&|name| value(name).map(|(_, value)| (*value).to_owned()))
    };
    let plain = Look { colors: Colors::Ansi, light: false, still: false, mouse: true };
    for (set, expected) in [
        (&[][..], plain),
        (&[("NO_COLOR", "")], plain),
        (&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")], Look { colors: Colors::None, ..plain }),
        (&[("TERM", "dumb")], Look { colors: Colors::None, ..plain }),
        (&[("COLORTERM", "24bit")], Look { colors: Colors::True, ..plain }),
        (&[("COLORFGBG", "0;15")], Look { light: true, ..plain }),
        (&[("COLORFGBG", "15;default;0")], plain),
        (&[("COLORFGBG", "0;15"), ("FORETHOUGHT_THEME", "dark")], plain),
        (&[("FORETHOUGHT_THEME", "light")], Look { light: true, ..plain }),
        (&[("NO_MOTION", "1")], Look { still: true, ..plain }),
        (&[("FORETHOUGHT_MOUSE", "off")], Look { mouse: false, ..plain }),
    ] {
        assert_eq!(look(set), expected, "{set:?}");
    }
}
