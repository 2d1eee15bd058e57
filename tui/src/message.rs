//! Message: everything that can happen. Command: everything the screen can ask for.

use std::sync::Arc;

use crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use daemon_protocol::{Event, Hit, Request};
use ratatui::layout::Position;
use tui_saved::Search;

use crate::ink::{Inked, Job};
use crate::keymap::{Keymap, Place};
use crate::keys::Action;
use crate::page::{Canvas, Order, Picture};
use crate::preview::{Passage, Preview};

/// Something happened.
#[derive(Debug)]
pub(crate) enum Message {
    /// A key with a meaning of its own.
    Act(Action),
    /// Text typed or pasted.
    Insert(String),
    /// The terminal's new size in cells.
    Resized {
        width: u16,
        height: u16,
    },
    Daemon(Box<Event>),
    /// The connection is gone, and why.
    Lost(String),
    /// A connection stands.
    Connected,
    /// No connection could be had, and why.
    ConnectFailed(String),
    /// A preview has been read.
    Preview(Box<Preview>),
    /// What is what in number `part` of a preview's lines, as it was asked for with `id`.
    Painted {
        id: u64,
        part: usize,
        inked: Vec<Inked>,
    },
    /// What the terminal shows pictures with, if it does.
    Canvas(Option<Arc<dyn Canvas>>),
    /// A page as a picture, as it was asked for with `id`; or why there is none.
    Drawn {
        id: u64,
        picture: Result<Arc<dyn Picture>, String>,
    },
    /// The file of this passage has not been read yet.
    Late(Passage),
    /// Questions asked before, as they were kept, the newest last.
    History(Vec<String>),
    /// They could not be read or written, and why.
    Unkept(String),
    /// All searches that are saved under a name.
    Saved(Vec<Search>),
    /// The wheel has turned over a cell, down if `by` is positive.
    Wheel {
        at: Position,
        by: isize,
    },
    /// A cell was clicked.
    Click(Position),
    /// The editor has ended; what went wrong, if anything did.
    EditorClosed(Result<(), String>),
    /// There is no shell that could bring a stopped program back.
    Unstoppable,
    /// Time to turn the spinner.
    Tick,
}

impl Message {
    /// The terminal's new size, columns first.
    pub(crate) fn resized((width, height): (u16, u16)) -> Message {
        Message::Resized { width, height }
    }

    /// What the mouse means; nothing for most of what it does.
    pub(crate) fn of_mouse(mouse: MouseEvent) -> Option<Message> {
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::ScrollDown => Some(Message::Wheel { at, by: 1 }),
            MouseEventKind::ScrollUp => Some(Message::Wheel { at, by: -1 }),
            MouseEventKind::Down(MouseButton::Left) => Some(Message::Click(at)),
            _ => None,
        }
    }

    /// What a key press means at `place`; nothing for keys without a meaning and for releases.
    pub(crate) fn of_key(key: KeyEvent, keys: &Keymap, place: Place) -> Option<Message> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        // A typed character already is its shifted form.
        let modifiers = key.modifiers.difference(KeyModifiers::SHIFT);
        let action = keys.action(modifiers, key.code, place);
        match (action, key.code, place) {
            (Some(action), ..) => Some(Message::Act(action)),
            (None, KeyCode::Char(character), Place::Line { .. }) if modifiers.is_empty() => {
                Some(Message::Insert(character.to_string()))
            }
            _ => None,
        }
    }
}

/// Something the loop is to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Send(Request),
    /// Get a connection from the caller.
    Connect,
    /// Read the lines around this hit.
    Preview(Box<Hit>),
    /// Find out what is what in lines of code.
    Paint(Job),
    /// Ask the terminal whether it shows pictures.
    AskTerminal,
    /// Draw a page.
    Draw(Order),
    /// Open the editor at `line`, counted from 1.
    Open {
        path: String,
        line: usize,
    },
    /// Open what no editor can with the system's own program for it, at the page of a PDF.
    View {
        path: String,
        page: Option<u32>,
    },
    /// Put the text on the terminal's clipboard.
    Copy(String),
    /// Add a question to those that are kept.
    Keep(String),
    /// Save a search under its name.
    Save(Search),
    /// Take away the search of this name.
    Unsave(String),
    /// Stop this process until the shell makes it go on.
    Stop,
    Quit,
}
