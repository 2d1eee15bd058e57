//! Keys that are bound otherwise, and what is offered while a filter is typed.

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyModifiers};

use super::{Stage, draft};
use crate::complete;
use crate::keymap::{Keymap, OwnKeys, Place};
use crate::keys::{Action, Judge};

fn own(bound: &[(&str, &[&str])]) -> OwnKeys {
    let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
    bound.iter().map(|(name, keys)| ((*name).to_owned(), owned(keys))).collect()
}

#[test]
fn a_persons_own_table_takes_keys_from_where_they_were() {
    let keymap = Keymap::of(
        &own(&[("next-result", &["ctrl-j", "Down"]), ("explain", &["Ctrl-N"]), ("copy", &[])]),
        false,
    )
    .unwrap();
    let typing = Place::Line { empty: false };
    let action = |modifiers, code| keymap.action(modifiers, code, typing);
    let ctrl = KeyModifiers::CONTROL;
    assert_eq!(action(ctrl, KeyCode::Char('j')), Some(Action::Next));
    assert_eq!(action(KeyModifiers::NONE, KeyCode::Down), Some(Action::Next));
    assert_eq!(action(ctrl, KeyCode::Char('n')), Some(Action::Judge(Judge::Explain)));
    assert_eq!(action(KeyModifiers::NONE, KeyCode::F(2)), None);
    assert_eq!(action(ctrl, KeyCode::Char('y')), None);
    assert_eq!(keymap.key(Action::Next, typing), "Ctrl-J");
    assert_eq!(
        (keymap.key(Action::Copy, typing), keymap.key(Action::Quit, typing)),
        (String::new(), "Ctrl-C".to_owned())
    );
    let label = keymap.rows().find(|row| row.action == Action::Next);
    assert_eq!(label.map(|row| row.label.as_str()), Some("Ctrl-J, Down"));
}

#[test]
fn what_is_wrong_with_a_table_is_said() {
    for (bound, expected) in [
        (own(&[("next", &["F3"])]), "there is no action \"next\"; there is next-result, next-here"),
        (own(&[("xyzzy", &["F3"])]), "there is no action \"xyzzy\""),
        (own(&[("copy", &["Hyper-X"])]), "copy: \"Hyper-X\" is no key"),
        (own(&[("copy", &["F13"])]), "copy: \"F13\" is no key"),
        (own(&[("copy", &[""])]), "copy: \"\" is no key"),
        (own(&[("copy", &["x"])]), "copy: \"x\" is typed into the line"),
        (own(&[("copy", &["F3"]), ("quote", &["f3"])]), "F3 is both copy and quote"),
        (own(&[("quit", &[])]), "quit needs a key"),
        (own(&[("copy", &["ctrl-c"])]), "quit needs a key"),
    ] {
        let error = Keymap::of(&bound, false).unwrap_err();
        assert!(error.starts_with("keys: ") && error.contains(expected), "{error}");
    }
}

#[test]
fn every_key_is_written_as_it_is_read() {
    let rows = Keymap::of(&BTreeMap::new(), false).unwrap();
    let all = rows.rows().map(|row| {
        let keys = row.label.split(", ").map(str::to_owned).collect();
        (row.name.to_owned(), keys)
    });
    let own: BTreeMap<String, Vec<String>> = all.collect();
    let again = Keymap::of(&own, false).unwrap();
    for (before, after) in rows.rows().zip(again.rows()) {
        assert_eq!((before.name, &before.label), (after.name, &after.label));
    }
    for (name, keys) in [("copy", "Ctrl-Alt-Space"), ("copy", "Alt--"), ("copy", "Ctrl-F12")] {
        let bound = own_one(name, keys);
        let keymap = Keymap::of(&bound, false).unwrap();
        assert_eq!(keymap.key(Action::Copy, Place::Line { empty: false }), keys);
    }
}

fn own_one(name: &str, key: &str) -> OwnKeys {
    own(&[(name, &[key])])
}

#[test]
fn a_rebound_key_is_the_one_that_is_told() {
    let mut stage = Stage::answered();
    stage.model.settings.keys = Keymap::of(&own(&[("before", &["F6"])]), false).unwrap();
    stage.keys("<ctrl-k>ranking before<enter>");
    assert!(stage.screen(80, 24).to_string().contains("F6: after"));
}

#[test]
fn filters_are_offered_where_they_are_typed() {
    let mut stage = Stage::new();
    stage.model.rows = draft()
        .into_iter()
        .map(|hit| crate::model::Row::new(hit, crate::model::Moved::Unknown))
        .collect();
    for (typed, offered) in [
        ("git t", None),
        ("git ty", Some("pe:")),
        ("ty", Some("pe:")),
        ("git -pa", Some("th:")),
        ("git type:", Some("md")),
        ("git type:p", Some("df")),
        ("lang:ru", Some("st")),
        ("after:", Some("7d")),
        ("before:yes", Some("terday")),
        ("path:no", Some("tes/")),
        ("path:wo", Some("rk/")),
        ("path:nowhere", None),
        ("tag:x", None),
        ("http:x", None),
        ("type:pdf", None),
        ("type:pdf ", None),
    ] {
        stage.model.query.clear();
        stage.model.query.insert(typed);
        assert_eq!(complete::offer(&stage.model).as_deref(), offered, "{typed}");
    }
    let mut stage = Stage::new();
    stage.keys("git ty");
    assert!(stage.screen(40, 10).to_string().contains("› git type:"));
    stage.keys("<right><right>");
    assert_eq!(stage.model.query.text(), "git type:md");
    stage.keys("<left><right><right>");
    assert_eq!(stage.model.query.text(), "git type:md", "within the line it moves");
}
