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
    /// The page's picture in the place of its text, or the text again.
    Picture,
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
    /// Keep the question under a name.
    Save,
    /// Search those that are kept so.
    Saved,
    /// Half of what is seen of the results or the preview, down or up.
    HalfDown,
    HalfUp,
    /// From the list back to the line.
    Type,
    /// The same, to another question.
    TypeNew,
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
    /// Those that do it with vi keys while nothing is typed, before `keys`.
    pub(crate) list: &'static [(KeyModifiers, KeyCode)],
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
    Binding { name, keys, list: &[], does, action, essential: false }
}

const fn key(letter: char) -> (KeyModifiers, KeyCode) {
    (NONE, KeyCode::Char(letter))
}

impl Binding {
    /// With vi keys, `list` do it while nothing is typed.
    const fn vi(self, list: &'static [(KeyModifiers, KeyCode)]) -> Binding {
        Binding { list, ..self }
    }
}

const fn first(binding: Binding) -> Binding {
    Binding { essential: true, ..binding }
}

/// Every key with a meaning; all other characters are typed. A character without Ctrl or Alt counts on an empty line
/// only, or with vi keys on the list.
pub(crate) const TABLE: &[Binding] = &[
    first(
        bind(
            "enter",
            &[plain(KeyCode::Enter)],
            "ask; once it is answered, open the selected result",
            Action::Enter,
        )
        .vi(&[key('o')]),
    ),
    bind("ask-again", &[plain(KeyCode::F(5))], "ask again, or connect again", Action::Again)
        .vi(&[key('R')]),
    first(bind(
        "escape",
        &[plain(KeyCode::Esc)],
        "stop the question and keep what there is, or clear the line",
        Action::Escape,
    )),
    bind("type", &[], "type at the question again; Esc comes back", Action::Type).vi(&[key('i')]),
    bind("type-new", &[], "type another question", Action::TypeNew).vi(&[key('/')]),
    first(
        bind("next-result", &[plain(KeyCode::Down), ctrl('n')], "next result", Action::Next)
            .vi(&[key('j')]),
    ),
    first(
        bind(
            "previous-result",
            &[plain(KeyCode::Up), ctrl('p')],
            "previous result",
            Action::Previous,
        )
        .vi(&[key('k')]),
    ),
    bind(
        "first-result",
        &[(CTRL, KeyCode::Home), alt('<')],
        "first result; so does Home at the line's start",
        Action::First,
    )
    .vi(&[key('g')]),
    bind(
        "last-result",
        &[(CTRL, KeyCode::End), alt('>')],
        "last result; so does End at the line's end",
        Action::Last,
    )
    .vi(&[key('G')]),
    bind(
        "explain",
        &[plain(KeyCode::F(2)), alt('e')],
        "why the selected result stands where it does",
        Action::Judge(Judge::Explain),
    )
    .vi(&[key('e')]),
    bind(
        "mark-right",
        &[ctrl('g'), alt('+')],
        "mark the result as right for the question; again takes it back",
        Action::Judge(Judge::Right),
    )
    .vi(&[key('+')]),
    bind(
        "mark-wrong",
        &[ctrl('x'), alt('-')],
        "mark it as wrong; again takes it back",
        Action::Judge(Judge::Wrong),
    )
    .vi(&[key('-')]),
    bind(
        "more-like-this",
        &[ctrl('l')],
        "more like the selected result; Esc goes back",
        Action::Judge(Judge::Like),
    )
    .vi(&[key('m')]),
    bind(
        "enough",
        &[ctrl('s')],
        "stop thinking, and rank by what has been thought",
        Action::Steer(Steer::Enough),
    )
    .vi(&[key('s')]),
    bind(
        "edit-thought",
        &[ctrl('o')],
        "edit the thought, and search with it",
        Action::Steer(Steer::Edit),
    )
    .vi(&[key('c')]),
    bind(
        "pin-thought",
        &[alt('p')],
        "keep the thought for the next questions, or not any more",
        Action::Steer(Steer::Pin),
    )
    .vi(&[key('p')]),
    bind(
        "another-thought",
        &[alt('a')],
        "one more thought, besides those there are",
        Action::Steer(Steer::Another),
    )
    .vi(&[key('a')]),
    first(
        bind("toggle-thinking", &[ctrl('t')], "thinking off or on", Action::ToggleThinking)
            .vi(&[key('t')]),
    ),
    bind("page-down", &[plain(KeyCode::PageDown)], "preview: forward", Action::PageDown)
        .vi(&[ctrl('f'), key(' ')]),
    bind("page-up", &[plain(KeyCode::PageUp)], "preview: back", Action::PageUp).vi(&[ctrl('b')]),
    first(
        bind(
            "focus",
            &[plain(KeyCode::Tab)],
            "move the results or the preview; on small screens, see it",
            Action::Focus,
        )
        .vi(&[key('w')]),
    ),
    bind("half-down", &[], "half a screen down, of the results or the preview", Action::HalfDown)
        .vi(&[ctrl('d')]),
    bind("half-up", &[], "half a screen up", Action::HalfUp).vi(&[ctrl('u')]),
    bind("raw", &[alt('r')], "preview: as the file is written, or as it is meant", Action::Raw)
        .vi(&[key('r')]),
    bind(
        "picture",
        &[alt('v')],
        "preview of a PDF: the page's picture, or its text",
        Action::Picture,
    )
    .vi(&[key('v')]),
    bind(
        "before",
        &[ctrl('b')],
        "the ranking before reading and thinking, or after",
        Action::Before,
    )
    .vi(&[key('b')]),
    bind(
        "next-here",
        &[(ALT, KeyCode::Down)],
        "next passage found in the same document",
        Action::NextHere,
    )
    .vi(&[key('n')]),
    bind(
        "previous-here",
        &[(ALT, KeyCode::Up)],
        "previous passage found in the same document",
        Action::PreviousHere,
    )
    .vi(&[key('N')]),
    bind("copy", &[ctrl('y')], "copy path:line", Action::Copy).vi(&[key('y')]),
    bind("quote", &[alt('y')], "copy the passage as a Markdown quotation", Action::Quote)
        .vi(&[key('Y')]),
    bind(
        "older-question",
        &[(CTRL, KeyCode::Up)],
        "the question asked before; so does Up without results",
        Action::Older,
    )
    .vi(&[key('[')]),
    bind("newer-question", &[(CTRL, KeyCode::Down)], "the question asked after it", Action::Newer)
        .vi(&[key(']')]),
    first(bind("find-question", &[ctrl('r')], "search the questions asked before", Action::Find)),
    bind("save-question", &[alt('s')], "save the question under a name", Action::Save)
        .vi(&[key('S')]),
    bind(
        "saved-questions",
        &[alt('f')],
        "search the saved questions; Ctrl-X there takes one away",
        Action::Saved,
    )
    .vi(&[key('\'')]),
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
    bind("palette", &[ctrl('k')], "search all that can be done, and do it", Action::Palette)
        .vi(&[key(':')]),
    first(bind("help", &[plain(KeyCode::F(1))], "these keys", Action::Help)),
    bind("help-sign", &[plain(KeyCode::Char('?'))], "these keys, on an empty line", Action::Help)
        .vi(&[key('?')]),
    bind("suspend", &[ctrl('z')], "to the shell; fg comes back", Action::Suspend),
    first(bind("quit", &[ctrl('c')], "quit", Action::Quit).vi(&[key('q')])),
];
