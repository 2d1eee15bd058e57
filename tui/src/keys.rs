//! What keys mean by default: one table. The help screen, the palette and the lists in the READMEs are made from
//! it, and a person's own table (`keymap`) is by its names. A new key is a row and an action here and the
//! action's arm in `update`.

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
    /// All actions, to be searched.
    Palette,
    Next,
    Previous,
    First,
    Last,
    PageDown,
    PageUp,
    Focus,
    /// The preview as its file is written, or as it is meant.
    Raw,
    Copy,
    Quote,
    ToggleThinking,
    Steer(Steer),
    Judge(Judge),
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

/// What a person does about a thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Steer {
    /// What has been thought shall do.
    Enough,
    Edit,
    /// Keep it for the next questions, or not any more.
    Pin,
    /// One more, besides those there are.
    Another,
}

/// What a person does about the selected result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judge {
    Explain,
    Right,
    Wrong,
    /// More like it.
    Like,
}

/// One row of the table.
pub(crate) struct Binding {
    /// What a person's own table calls it.
    pub(crate) name: &'static str,
    pub(crate) keys: &'static [(KeyModifiers, KeyCode)],
    /// What it does, as the help screen says it.
    pub(crate) does: &'static str,
    pub(crate) action: Action,
    /// Nobody gets by without it.
    pub(crate) essential: bool,
}

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;
const ALT: KeyModifiers = KeyModifiers::ALT;

const fn ctrl(letter: char) -> (KeyModifiers, KeyCode) {
    (CTRL, KeyCode::Char(letter))
}

const fn alt(letter: char) -> (KeyModifiers, KeyCode) {
    (ALT, KeyCode::Char(letter))
}

const fn plain(code: KeyCode) -> (KeyModifiers, KeyCode) {
    (NONE, code)
}

const fn bind(
    name: &'static str,
    keys: &'static [(KeyModifiers, KeyCode)],
    does: &'static str,
    action: Action,
) -> Binding {
    Binding { name, keys, does, action, essential: false }
}

const fn first(binding: Binding) -> Binding {
    Binding { essential: true, ..binding }
}

/// Every key with a meaning; all other characters are typed. A character without Ctrl or Alt counts on an empty line
/// only.
pub(crate) const TABLE: &[Binding] = &[
    first(bind(
        "enter",
        &[plain(KeyCode::Enter)],
        "ask; once it is answered, open the selected result",
        Action::Enter,
    )),
    bind("ask-again", &[plain(KeyCode::F(5))], "ask again, or connect again", Action::Again),
    first(bind(
        "escape",
        &[plain(KeyCode::Esc)],
        "stop the question and keep what there is, or clear the line",
        Action::Escape,
    )),
    first(bind("next-result", &[plain(KeyCode::Down), ctrl('n')], "next result", Action::Next)),
    first(bind(
        "previous-result",
        &[plain(KeyCode::Up), ctrl('p')],
        "previous result",
        Action::Previous,
    )),
    bind(
        "first-result",
        &[(CTRL, KeyCode::Home), alt('<')],
        "first result; so does Home at the line's start",
        Action::First,
    ),
    bind(
        "last-result",
        &[(CTRL, KeyCode::End), alt('>')],
        "last result; so does End at the line's end",
        Action::Last,
    ),
    bind(
        "explain",
        &[plain(KeyCode::F(2)), alt('e')],
        "why the selected result stands where it does",
        Action::Judge(Judge::Explain),
    ),
    bind(
        "mark-right",
        &[ctrl('g'), alt('+')],
        "mark the result as right for the question; again takes it back",
        Action::Judge(Judge::Right),
    ),
    bind(
        "mark-wrong",
        &[ctrl('x'), alt('-')],
        "mark it as wrong; again takes it back",
        Action::Judge(Judge::Wrong),
    ),
    bind(
        "more-like-this",
        &[ctrl('l')],
        "more like the selected result; Esc goes back",
        Action::Judge(Judge::Like),
    ),
    bind(
        "enough",
        &[ctrl('s')],
        "stop thinking, and rank by what has been thought",
        Action::Steer(Steer::Enough),
    ),
    bind(
        "edit-thought",
        &[ctrl('o')],
        "edit the thought, and search with it",
        Action::Steer(Steer::Edit),
    ),
    bind(
        "pin-thought",
        &[alt('p')],
        "keep the thought for the next questions, or not any more",
        Action::Steer(Steer::Pin),
    ),
    bind(
        "another-thought",
        &[alt('a')],
        "one more thought, besides those there are",
        Action::Steer(Steer::Another),
    ),
    first(bind("toggle-thinking", &[ctrl('t')], "thinking off or on", Action::ToggleThinking)),
    bind("page-down", &[plain(KeyCode::PageDown)], "preview: forward", Action::PageDown),
    bind("page-up", &[plain(KeyCode::PageUp)], "preview: back", Action::PageUp),
    first(bind(
        "focus",
        &[plain(KeyCode::Tab)],
        "move the results or the preview; on small screens, see it",
        Action::Focus,
    )),
    bind("raw", &[alt('r')], "preview: as the file is written, or as it is meant", Action::Raw),
    bind(
        "before",
        &[ctrl('b')],
        "the ranking before reading and thinking, or after",
        Action::Before,
    ),
    bind(
        "next-here",
        &[(ALT, KeyCode::Down)],
        "next passage found in the same document",
        Action::NextHere,
    ),
    bind(
        "previous-here",
        &[(ALT, KeyCode::Up)],
        "previous passage found in the same document",
        Action::PreviousHere,
    ),
    bind("copy", &[ctrl('y')], "copy path:line", Action::Copy),
    bind("quote", &[alt('y')], "copy the passage as a Markdown quotation", Action::Quote),
    bind(
        "older-question",
        &[(CTRL, KeyCode::Up)],
        "the question asked before; so does Up without results",
        Action::Older,
    ),
    bind("newer-question", &[(CTRL, KeyCode::Down)], "the question asked after it", Action::Newer),
    first(bind("find-question", &[ctrl('r')], "search the questions asked before", Action::Find)),
    bind("left", &[plain(KeyCode::Left)], "cursor left", Action::Edit(Edit::Left)),
    bind(
        "right",
        &[plain(KeyCode::Right)],
        "cursor right; at the end of the line, take what is offered",
        Action::Edit(Edit::Right),
    ),
    bind(
        "line-start",
        &[plain(KeyCode::Home), ctrl('a')],
        "to the start of the line",
        Action::Edit(Edit::Home),
    ),
    bind(
        "line-end",
        &[plain(KeyCode::End), ctrl('e')],
        "to the end of the line",
        Action::Edit(Edit::End),
    ),
    bind(
        "backspace",
        &[
            // Some terminals send Ctrl-H for it.
            plain(KeyCode::Backspace),
            ctrl('h'),
        ],
        "delete before the cursor",
        Action::Edit(Edit::Backspace),
    ),
    bind("delete", &[plain(KeyCode::Delete)], "delete after it", Action::Edit(Edit::Delete)),
    bind("delete-word", &[ctrl('w')], "delete the word before it", Action::Edit(Edit::WordBack)),
    bind("delete-line", &[ctrl('u')], "delete all before it", Action::Edit(Edit::ToStart)),
    bind("palette", &[ctrl('k')], "search all that can be done, and do it", Action::Palette),
    first(bind("help", &[plain(KeyCode::F(1))], "these keys", Action::Help)),
    bind("help-sign", &[plain(KeyCode::Char('?'))], "these keys, on an empty line", Action::Help),
    bind("suspend", &[ctrl('z')], "to the shell; fg comes back", Action::Suspend),
    first(bind("quit", &[ctrl('c')], "quit", Action::Quit)),
];
