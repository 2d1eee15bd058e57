//! Which key does what: the table of `keys`, with what a person has bound otherwise. Pure.

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyModifiers};

use crate::keys::{Action, Binding, TABLE};

/// A key with what is held down beside it, Shift apart: a typed character is its shifted form already.
type Key = (KeyModifiers, KeyCode);

/// Keys that have names; the others are their characters.
const NAMED: [(&str, KeyCode); 14] = [
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
];

/// The highest key of the row above the digits that terminals know.
const FUNCTION_KEYS: u8 = 12;

/// Actions by the names of `TABLE`, with the keys that are to do them; none takes an action's keys away.
pub type OwnKeys = BTreeMap<String, Vec<String>>;

/// All keys: a row for each of the table's.
#[derive(Debug)]
pub(crate) struct Keymap {
    rows: Vec<Bound>,
    /// Whether letters are keys while nothing is typed.
    pub(crate) vi: bool,
}

/// Where a key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the line that is typed into.
    Line { empty: bool },
    /// With vi keys, on the list: nothing is typed.
    List,
}

/// What an action is called, and which keys do it.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) name: &'static str,
    keys: Vec<Key>,
    /// Those that do it on the list, besides.
    list: Vec<Key>,
    /// All of them as the help screen names them, those of the list first.
    pub(crate) label: String,
    pub(crate) does: &'static str,
    pub(crate) action: Action,
    pub(crate) essential: bool,
}

impl Keymap {
    /// The table as it is.
    fn table(vi: bool) -> Keymap {
        let bound = TABLE.iter().map(|row| Bound {
            name: row.name,
            keys: row.keys.to_vec(),
            list: if vi { row.list.to_vec() } else { Vec::new() },
            label: String::new(),
            does: row.does,
            action: row.action,
            essential: row.essential,
        });
        Keymap { rows: bound.collect(), vi }
    }

    /// The table's keys, with those of the list if `vi`, but for those that `own` binds; a key that was another
    /// action's is taken from it.
    ///
    /// # Errors
    /// What is wrong with `own`, for the person who wrote it.
    pub(crate) fn of(own: &OwnKeys, vi: bool) -> Result<Keymap, String> {
        let mut keymap = Keymap::table(vi);
        let mut taken: BTreeMap<String, &str> = BTreeMap::new();
        for (name, written) in own {
            let row = TABLE.iter().position(|row| row.name == name);
            let row =
                row.ok_or_else(|| format!("keys: there is no action {name:?}{}", like(name)))?;
            let keys: Result<Vec<Key>, String> = written.iter().map(|key| parse(key, vi)).collect();
            let keys = keys.map_err(|error| format!("keys: {name}: {error}"))?;
            for key in &keys {
                if let Some(other) = taken.insert(named(*key), name) {
                    return Err(format!("keys: {} is both {other} and {name}", named(*key)));
                }
                for bound in &mut keymap.rows {
                    bound.keys.retain(|other| other != key);
                    bound.list.retain(|other| other != key);
                }
            }
            let bound = &mut keymap.rows[row];
            bound.list = keys.iter().filter(|key| vi && is_typed(**key)).copied().collect();
            bound.keys = keys.into_iter().filter(|key| !is_letter(*key)).collect();
        }
        // Whatever else is bound, there is a way out.
        if keymap.rows.iter().any(|bound| bound.action == Action::Quit && bound.keys.is_empty()) {
            return Err("keys: quit needs a key".to_owned());
        }
        for bound in &mut keymap.rows {
            bound.label = bound.labelled();
        }
        Ok(keymap)
    }

    /// Those that can be had: what only a key of the list does is not to be had without them.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Bound> {
        let had = |row: &&Binding, bound: &Bound| {
            self.vi || !row.keys.is_empty() || !bound.keys.is_empty()
        };
        let rows = TABLE.iter().zip(&self.rows);
        rows.filter(move |(row, bound)| had(row, bound)).map(|(_, bound)| bound)
    }

    /// What a press of `code` with `modifiers` means, if anything.
    pub(crate) fn action(
        &self,
        modifiers: KeyModifiers,
        code: KeyCode,
        place: Place,
    ) -> Option<Action> {
        let key = (modifiers, code);
        let on_list = self.rows.iter().find(|bound| bound.list.contains(&key));
        let in_line = || self.rows.iter().find(|bound| bound.keys.contains(&key));
        let bound = match place {
            Place::Line { empty } if is_typed(key) && !empty => None,
            Place::Line { .. } => in_line(),
            Place::List if is_typed(key) => on_list,
            Place::List => on_list.or_else(in_line),
        };
        bound.map(|bound| bound.action)
    }

    /// The first of the keys that do it, as a hint says it; empty if none does.
    pub(crate) fn key(&self, action: Action, place: Place) -> String {
        let bound = self.rows.iter().find(|bound| bound.action == action);
        let key = bound.and_then(|bound| match place {
            Place::List => bound.list.first().or(bound.keys.first()),
            Place::Line { .. } => bound.keys.first(),
        });
        key.map_or_else(String::new, |key| named(*key))
    }
}

impl Bound {
    fn labelled(&self) -> String {
        let keys: Vec<Key> = self.list.iter().chain(&self.keys).copied().collect();
        let again = |at: usize, key: &Key| keys[..at].contains(key);
        let once = keys.iter().enumerate().filter(|(at, key)| !again(*at, key));
        label(once.map(|(_, key)| *key))
    }
}

/// A row of the table for the README and the manual page.
pub struct KeyRow {
    /// The keys in the line, and everywhere without vi keys.
    pub keys: String,
    /// Those on the list, with vi keys.
    pub list: String,
    pub does: &'static str,
    /// Nobody gets by without it.
    pub essential: bool,
}

/// All keys as they are by default.
pub fn default_keys() -> impl Iterator<Item = KeyRow> {
    TABLE.iter().map(|row| KeyRow {
        keys: label(row.keys.iter().copied()),
        list: label(row.list.iter().copied()),
        does: row.does,
        essential: row.essential,
    })
}

/// Whether a key is a character that the line would take.
fn is_typed((modifiers, code): Key) -> bool {
    modifiers.is_empty() && matches!(code, KeyCode::Char(_))
}

/// Whether it is one that questions begin with, and so never a key there.
fn is_letter((modifiers, code): Key) -> bool {
    modifiers.is_empty() && matches!(code, KeyCode::Char(letter) if letter.is_alphanumeric())
}

/// An action whose name is nearly `name`, as a part of a message.
fn like(name: &str) -> String {
    let shares = |row: &&str| row.split('-').any(|part| name.contains(part));
    let near: Vec<&str> = TABLE.iter().map(|row| row.name).filter(shares).collect();
    match near.as_slice() {
        [] => String::new(),
        near => format!("; there is {}", near.join(", ")),
    }
}

fn label(keys: impl Iterator<Item = Key>) -> String {
    keys.map(named).collect::<Vec<_>>().join(", ")
}

/// `Ctrl-N`, `Alt-<`, `F1`, `PgDn`, `?`.
fn named((modifiers, code): Key) -> String {
    let mut name = String::new();
    if modifiers.contains(KeyModifiers::CONTROL) {
        name.push_str("Ctrl-");
    }
    if modifiers.contains(KeyModifiers::ALT) {
        name.push_str("Alt-");
    }
    match code {
        KeyCode::F(number) => name.push_str(&format!("F{number}")),
        KeyCode::Char(' ') => name.push_str("Space"),
        KeyCode::Char(letter) if modifiers.is_empty() => name.push(letter),
        KeyCode::Char(letter) => name.extend(letter.to_uppercase()),
        code => {
            let known = NAMED.iter().find(|(_, other)| *other == code);
            name.push_str(known.map_or("?", |(name, _)| name));
        }
    }
    name
}

/// A key as [`named`] writes it, in capitals or not; a letter alone is one with `vi` only, and as it is written.
fn parse(written: &str, vi: bool) -> Result<Key, String> {
    let mut modifiers = KeyModifiers::NONE;
    let mut rest = written;
    loop {
        let held = [("ctrl-", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT)];
        let found = held.into_iter().find(|(prefix, _)| {
            let head = rest.get(..prefix.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(prefix)) && rest.len() > prefix.len()
        });
        let Some((prefix, modifier)) = found else { break };
        modifiers |= modifier;
        rest = &rest[prefix.len()..];
    }
    let odd = || format!("{written:?} is no key; keys are written as Ctrl-N, Alt-Up, F2 or PgDn");
    let named = NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(rest));
    if let Some((_, code)) = named {
        return Ok((modifiers, *code));
    }
    if rest.eq_ignore_ascii_case("space") {
        return Ok((modifiers, KeyCode::Char(' ')));
    }
    let number = rest.strip_prefix(['F', 'f']).and_then(|number| number.parse().ok());
    if let Some(number @ 1..=FUNCTION_KEYS) = number {
        return Ok((modifiers, KeyCode::F(number)));
    }
    let mut letters = rest.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if !vi && is_letter((modifiers, KeyCode::Char(letter))) => {
            Err(format!("{written:?} is typed into the line; hold Ctrl or Alt with it"))
        }
        (Some(letter), None) => {
            let small = letter.to_lowercase().next().unwrap_or(letter);
            let letter = if modifiers.is_empty() { letter } else { small };
            Ok((modifiers, KeyCode::Char(letter)))
        }
        _ => Err(odd()),
    }
}
