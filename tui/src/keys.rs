//! Key to message: one table. The help screen is drawn from it and the lists in the READMEs are
//! compared with it, so none can be out of date. A new key is a row and an action here
//! and the action's arm in `update`.

use crossterm::event::{KeyCode, KeyModifiers};

use crate::line::Edit;

/// What a key can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Edit(Edit),
    Enter,
    /// Asks, or connects, although that has been done.
    Again,
    Escape,
    Quit,
    Suspend,
    Help,
    Next,
    Previous,
    First,
    Last,
    PageDown,
    PageUp,
    Focus,
    Copy,
    Quote,
    ToggleThinking,
    /// The next passage of the same document.
    NextHere,
    PreviousHere,
    /// The ranking before reading and thinking, or the one after.
    Before,
    /// The question asked before.
    Older,
    Newer,
    /// Search the questions asked before.
    Find,
}

/// One row of the table.
pub(crate) struct Binding {
    keys: &'static [(KeyModifiers, KeyCode)],
    /// Bound only while the query line is empty, because it is also a character.
    only_empty: bool,
    /// The keys as the help screen names them.
    pub(crate) label: &'static str,
    /// What they do, as the help screen says it.
    pub(crate) does: &'static str,
    action: Action,
    /// Nobody gets by without it.
    pub(crate) essential: bool,
}

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;
const ALT: KeyModifiers = KeyModifiers::ALT;

const fn bind(
    keys: &'static [(KeyModifiers, KeyCode)],
    label: &'static str,
    does: &'static str,
    action: Action,
) -> Binding {
    Binding { keys, only_empty: false, label, does, action, essential: false }
}

const fn first(binding: Binding) -> Binding {
    Binding { essential: true, ..binding }
}

/// Every key with a meaning; all other characters are typed.
pub(crate) const TABLE: &[Binding] = &[
    first(bind(
        &[(NONE, KeyCode::Enter)],
        "Enter",
        "ask; once it is answered, open the selected result",
        Action::Enter,
    )),
    bind(&[(NONE, KeyCode::F(5))], "F5", "ask again, or connect again", Action::Again),
    first(bind(
        &[(NONE, KeyCode::Esc)],
        "Esc",
        "stop the question and keep what there is, or clear the line",
        Action::Escape,
    )),
    first(bind(
        &[(NONE, KeyCode::Down), (CTRL, KeyCode::Char('n'))],
        "Down, Ctrl-N",
        "next result",
        Action::Next,
    )),
    first(bind(
        &[(NONE, KeyCode::Up), (CTRL, KeyCode::Char('p'))],
        "Up, Ctrl-P",
        "previous result",
        Action::Previous,
    )),
    bind(
        &[(CTRL, KeyCode::Home), (ALT, KeyCode::Char('<'))],
        "Ctrl-Home, Alt-<",
        "first result; so does Home at the line's start",
        Action::First,
    ),
    bind(
        &[(CTRL, KeyCode::End), (ALT, KeyCode::Char('>'))],
        "Ctrl-End, Alt->",
        "last result; so does End at the line's end",
        Action::Last,
    ),
    bind(&[(NONE, KeyCode::PageDown)], "PgDn", "preview: forward", Action::PageDown),
    bind(&[(NONE, KeyCode::PageUp)], "PgUp", "preview: back", Action::PageUp),
    first(bind(
        &[(NONE, KeyCode::Tab)],
        "Tab",
        "move the results or the preview; on small screens, see it",
        Action::Focus,
    )),
    bind(
        &[(CTRL, KeyCode::Char('b'))],
        "Ctrl-B",
        "the ranking before reading and thinking, or after",
        Action::Before,
    ),
    bind(
        &[(ALT, KeyCode::Down)],
        "Alt-Down",
        "next passage found in the same document",
        Action::NextHere,
    ),
    bind(
        &[(ALT, KeyCode::Up)],
        "Alt-Up",
        "previous passage found in the same document",
        Action::PreviousHere,
    ),
    bind(&[(CTRL, KeyCode::Char('y'))], "Ctrl-Y", "copy path:line", Action::Copy),
    bind(
        &[(ALT, KeyCode::Char('y'))],
        "Alt-Y",
        "copy the passage as a Markdown quotation",
        Action::Quote,
    ),
    bind(
        &[(CTRL, KeyCode::Up)],
        "Ctrl-Up",
        "the question asked before; so does Up without results",
        Action::Older,
    ),
    bind(&[(CTRL, KeyCode::Down)], "Ctrl-Down", "the question asked after it", Action::Newer),
    first(bind(
        &[(CTRL, KeyCode::Char('r'))],
        "Ctrl-R",
        "search the questions asked before",
        Action::Find,
    )),
    first(bind(
        &[(CTRL, KeyCode::Char('t'))],
        "Ctrl-T",
        "thinking off or on",
        Action::ToggleThinking,
    )),
    bind(&[(NONE, KeyCode::Left)], "Left", "cursor left", Action::Edit(Edit::Left)),
    bind(&[(NONE, KeyCode::Right)], "Right", "cursor right", Action::Edit(Edit::Right)),
    bind(
        &[(NONE, KeyCode::Home), (CTRL, KeyCode::Char('a'))],
        "Home, Ctrl-A",
        "to the start of the line",
        Action::Edit(Edit::Home),
    ),
    bind(
        &[(NONE, KeyCode::End), (CTRL, KeyCode::Char('e'))],
        "End, Ctrl-E",
        "to the end of the line",
        Action::Edit(Edit::End),
    ),
    bind(
        // Some terminals send Ctrl-H for the backspace key.
        &[(NONE, KeyCode::Backspace), (CTRL, KeyCode::Char('h'))],
        "Backspace",
        "delete before the cursor",
        Action::Edit(Edit::Backspace),
    ),
    bind(&[(NONE, KeyCode::Delete)], "Delete", "delete after it", Action::Edit(Edit::Delete)),
    bind(
        &[(CTRL, KeyCode::Char('w'))],
        "Ctrl-W",
        "delete the word before it",
        Action::Edit(Edit::WordBack),
    ),
    bind(
        &[(CTRL, KeyCode::Char('u'))],
        "Ctrl-U",
        "delete all before it",
        Action::Edit(Edit::ToStart),
    ),
    first(bind(&[(NONE, KeyCode::F(1))], "F1", "these keys", Action::Help)),
    Binding {
        keys: &[(NONE, KeyCode::Char('?'))],
        only_empty: true,
        label: "?",
        does: "these keys, on an empty line",
        action: Action::Help,
        essential: false,
    },
    bind(&[(CTRL, KeyCode::Char('z'))], "Ctrl-Z", "to the shell; fg comes back", Action::Suspend),
    first(bind(&[(CTRL, KeyCode::Char('c'))], "Ctrl-C", "quit", Action::Quit)),
];

/// The row of a press of `code` with `modifiers`, if it has one.
pub(crate) fn action(modifiers: KeyModifiers, code: KeyCode, query_empty: bool) -> Option<Action> {
    let bound = TABLE.iter().find(|binding| {
        (query_empty || !binding.only_empty) && binding.keys.contains(&(modifiers, code))
    });
    bound.map(|binding| binding.action)
}
