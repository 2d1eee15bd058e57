//! With vi keys: the line that is typed into, and the list on which letters are keys.

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyModifiers};
use daemon_protocol::{Event, Stage as Ranking};

use super::screens::check_sizes;
use super::{ASK, Stage, ask, draft, reranked, timings};
use crate::keymap::{Keymap, Place};
use crate::keys::Action;
use crate::message::Command;
use crate::model::Focus;

fn with_vi(mut stage: Stage) -> Stage {
    stage.model.settings.keys = Keymap::of(&BTreeMap::new(), true).unwrap();
    stage
}

/// A question that Enter asked, answered.
fn answered() -> Stage {
    let mut stage = with_vi(Stage::new());
    stage.keys("git rebase main<enter>");
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Draft, hits: draft() });
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Final, hits: reranked() });
    stage.hear(Event::Done { id: ASK, timings: timings() });
    stage
}

#[test]
fn letters_are_typed_until_the_line_is_left() {
    let mut stage = with_vi(Stage::new());
    stage.keys("jq/<esc>");
    assert_eq!((stage.model.query.text(), stage.model.on_list), ("jq/", true));
    stage.keys("xx<bs><ctrl-w>");
    assert_eq!(stage.model.query.text(), "jq/", "nothing is typed on the list");
    stage.keys("ix<esc>");
    assert_eq!((stage.model.query.text(), stage.model.on_list), ("jq/x", true));
    stage.keys("/git<enter>");
    assert_eq!(stage.commands.pop(), Some(ask(ASK, "git", None)));
    assert!(stage.model.on_list, "a question that is asked leaves the line");
    stage.keys("q");
    assert_eq!(stage.commands.pop(), Some(Command::Quit));
}

#[test]
fn letters_move_on_the_list() {
    for (keys, selected) in [
        ("gjj", 2),
        ("gjjk", 1),
        ("G", 3),
        ("Ggg", 0),
        ("gj<down>", 2),
        ("g<ctrl-d>", 2),
        ("G<ctrl-u>", 1),
        ("G<home>", 0),
    ] {
        let mut stage = answered();
        // Four results are seen at once.
        stage.screen(120, 16);
        stage.keys(keys);
        assert_eq!(stage.model.selected, selected, "{keys}");
    }
    let mut stage = answered();
    stage.read_preview(300);
    stage.screen(100, 30);
    stage.keys("w<ctrl-d>");
    assert_eq!(stage.model.focus, Focus::Preview);
    let before = stage.screen(100, 30).to_string();
    stage.keys("<ctrl-u>");
    assert_ne!(stage.screen(100, 30).to_string(), before, "half a screen of the preview");
}

#[test]
fn letters_do_what_is_done_to_a_result() {
    let mut stage = answered();
    stage.commands.clear();
    stage.keys("gy");
    assert!(matches!(stage.commands.last(), Some(Command::Copy(_))));
    stage.keys("o");
    assert!(matches!(stage.commands.last(), Some(Command::Open { .. })));
    stage.keys("e");
    assert!(stage.model.explain.is_some());
    stage.keys("<esc>");
    assert_eq!((stage.model.explain, stage.model.on_list), (None, true));
    stage.keys(":ranking before<enter>");
    assert!(stage.model.before, "done from the palette, in which letters are typed");
    stage.keys("?jj");
    assert_eq!(stage.model.help, Some(2), "the help screen moves");
    stage.keys("q");
    assert_eq!(stage.model.help, None, "and is closed, not the program");
    stage.keys("<esc>");
    assert_eq!(stage.model.query.text(), "git rebase main", "the question stays");
}

#[test]
fn letters_can_be_bound() {
    let own = |name: &str, keys: &[&str]| {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        BTreeMap::from([(name.to_owned(), keys)])
    };
    let keymap = Keymap::of(&own("copy", &["j", "J", "F3"]), true).unwrap();
    let on_list = |key: &str| {
        let letter = key.chars().next().unwrap();
        keymap.action(KeyModifiers::NONE, KeyCode::Char(letter), Place::List)
    };
    assert_eq!((on_list("j"), on_list("J")), (Some(Action::Copy), Some(Action::Copy)));
    assert_eq!((on_list("y"), on_list("k")), (None, Some(Action::Previous)));
    assert_eq!(keymap.key(Action::Copy, Place::List), "j");
    assert_eq!(keymap.key(Action::Copy, Place::Line { empty: true }), "F3");
    let row = keymap.rows().find(|row| row.action == Action::Copy).unwrap();
    assert_eq!(row.label, "j, J, F3");
    // Without vi keys there is no list, and what only it does is not told.
    let plain = Keymap::of(&BTreeMap::new(), false).unwrap();
    assert!(plain.rows().all(|row| row.action != Action::Type));
    let bound = Keymap::of(&own("half-down", &["Ctrl-D"]), false).unwrap();
    assert!(bound.rows().any(|row| row.action == Action::HalfDown));
}

#[test]
fn the_list_on_the_screen() {
    let mut stage = answered();
    stage.read_preview(60);
    check_sizes("vi", &mut stage);
    stage.keys("?");
    check_sizes("vi_help", &mut stage);
}
