//! The page's picture in the place of its text: when it is asked for, and what becomes of the answer.

use std::sync::Arc;

use crate::keys::Action;
use crate::layout;
use crate::message::Command;
use crate::model::{Model, Notice};
use crate::page::{self, Canvas, Leaf, Picture, Terminal};

/// Shows pages as pictures, or as text again. The terminal is asked when the first is wanted.
pub(super) fn toggle(model: &mut Model) -> Vec<Command> {
    if model.pages.wanted {
        model.pages.wanted = false;
        model.pages.newest = None;
        model.notice = Some(Notice::note("the preview is text"));
        return Vec::new();
    }
    if model.selected_hit().and_then(page::of).is_none() {
        model.notice = Some(Notice::note("only a passage of a PDF has a page to be seen"));
        return Vec::new();
    }
    if !model.settings.draws || matches!(model.pages.terminal, Terminal::Blind) {
        blind(model);
        return Vec::new();
    }
    model.pages.wanted = true;
    model.notice = None;
    if !matches!(model.pages.terminal, Terminal::Unasked) {
        return Vec::new();
    }
    model.pages.terminal = Terminal::Asked;
    vec![Command::AskTerminal]
}

fn blind(model: &mut Model) {
    let key = model.key(Action::Enter);
    let hint = (!key.is_empty()).then(|| format!("{key} opens the file in its viewer"));
    let text = "this terminal shows no pictures".to_owned();
    model.notice = Some(Notice { hint, ..Notice::note(text) });
}

/// What the terminal said.
pub(super) fn answered(model: &mut Model, canvas: Option<Arc<dyn Canvas>>) {
    match canvas {
        Some(canvas) => model.pages.terminal = Terminal::Shows(canvas),
        None => {
            model.pages.terminal = Terminal::Blind;
            model.pages.wanted = false;
            blind(model);
        }
    }
}

pub(super) fn drawn(model: &mut Model, id: u64, picture: Result<Arc<dyn Picture>, String>) {
    if let Some(leaf) = model.pages.newest.as_mut().filter(|leaf| leaf.id == id) {
        leaf.drawn = Some(picture);
    }
}

/// Has the page that is to be seen drawn, unless that has been done for the room there is.
pub(super) fn want(model: &mut Model) -> Option<Command> {
    let Terminal::Shows(canvas) = &model.pages.terminal else { return None };
    let sheet = layout::sheet(model)?;
    if model.pages.newest.as_ref().is_some_and(|leaf| leaf.sheet == sheet) {
        return None;
    }
    let order = sheet.order(model.next_id, canvas.as_ref());
    model.pages.newest = Some(Leaf { id: model.next_id, sheet, drawn: None });
    model.next_id += 1;
    Some(Command::Draw(order))
}
