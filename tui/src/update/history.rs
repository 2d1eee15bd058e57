//! Questions asked before: one after the other in the line, or searched.

use crate::history;
use crate::keys::Action;
use crate::line::Line;
use crate::message::Command;
use crate::model::{Finding, Model, Notice, Recall};
use crate::update::{ask, instant};

/// What was kept has been read. Questions asked meanwhile are newer.
pub(super) fn loaded(model: &mut Model, questions: Vec<String>) {
    let meanwhile = std::mem::replace(&mut model.history, questions);
    for question in meanwhile {
        history::push(&mut model.history, question);
    }
}

/// The question before the one in the line, or after it; what was typed comes back after the newest.
pub(super) fn recall(model: &mut Model, older: bool) -> Vec<Command> {
    let (at, typed) = match model.recall.take() {
        Some(Recall { at, typed }) => (at, typed),
        None => (model.history.len(), model.query.text().to_owned()),
    };
    let last = model.history.len();
    let at = if older { at.saturating_sub(1) } else { (at + 1).min(last) };
    let text = model.history.get(at).unwrap_or(&typed).clone();
    model.query = Line::of(&text);
    if at < last {
        model.recall = Some(Recall { at, typed });
    } else if last == 0 {
        model.notice = Some(Notice::note("no question has been asked before"));
    }
    instant::look(model)
}

/// Begins to search them.
pub(super) fn find(model: &mut Model) {
    model.finding = Some(Finding::default());
}

/// Keys while they are searched.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Command> {
    let count = model.found().len();
    let Some(finding) = &mut model.finding else { return Vec::new() };
    let last = count.saturating_sub(1);
    match action {
        Action::Edit(edit) => {
            finding.pattern.edit(edit);
            finding.selected = 0;
        }
        Action::Next | Action::Find | Action::Older => {
            finding.selected = (finding.selected + 1).min(last);
        }
        Action::Previous | Action::Newer => finding.selected = finding.selected.saturating_sub(1),
        Action::First | Action::PageUp => finding.selected = 0,
        Action::Last | Action::PageDown => finding.selected = last,
        Action::Enter => {
            if take(model) {
                return ask::ask(model);
            }
        }
        Action::Focus => {
            take(model);
            return instant::typed(model);
        }
        _ => model.finding = None,
    }
    Vec::new()
}

/// Puts what is selected into the line; false if nothing is found.
fn take(model: &mut Model) -> bool {
    let Some(finding) = model.finding.take() else { return false };
    let text = history::matches(&model.history, finding.pattern.text()).nth(finding.selected);
    let Some(text) = text.map(str::to_owned) else { return false };
    model.query = Line::of(&text);
    true
}
