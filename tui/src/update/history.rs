//! Questions asked before: one after the other in the line, or searched.

use crate::history;
use crate::keys::{Action, Judge};
use crate::line::Line;
use crate::message::Command;
use crate::model::{Finding, Model, Notice, Of, Recall};
use crate::update::{ask, instant, saved};

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

/// Begins to search them, or those that are saved.
pub(super) fn find(model: &mut Model, of: Of) {
    model.finding = Some(Finding { of, ..Finding::default() });
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
        Action::Next | Action::Find | Action::Saved | Action::Older => {
            finding.selected = (finding.selected + 1).min(last);
        }
        Action::Previous | Action::Newer => finding.selected = finding.selected.saturating_sub(1),
        Action::First | Action::PageUp => finding.selected = 0,
        Action::Last | Action::PageDown => finding.selected = last,
        Action::Judge(Judge::Wrong) => return saved::remove(model),
        Action::Enter => {
            if take(model) {
                model.on_list = model.settings.keys.vi;
                return ask::ask(model);
            }
        }
        Action::Focus => {
            take(model);
            model.on_list = false;
            return instant::typed(model);
        }
        _ => model.finding = None,
    }
    Vec::new()
}

/// Puts what is selected into the line; false if nothing is found.
fn take(model: &mut Model) -> bool {
    let selected = model.finding.as_ref().map_or(0, |finding| finding.selected);
    let text = model.found().get(selected).map(|found| found.question.to_owned());
    model.finding = None;
    let Some(text) = text else { return false };
    model.query = Line::of(&text);
    true
}
