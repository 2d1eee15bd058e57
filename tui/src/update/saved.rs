//! Searches under a name: given one, and taken away. That they are listed and asked is `history`'s.

use tui_saved::Search;

use crate::keys::Action;
use crate::line::Line;
use crate::message::Command;
use crate::model::{Model, Notice};

/// Has the question in the line named, as it was if it is saved already.
pub(super) fn begin(model: &mut Model) {
    let question = model.query.text().trim();
    if question.is_empty() {
        model.notice = Some(Notice::note("there is no question to save; type one first"));
        return;
    }
    let known = model.saved.iter().find(|search| search.question == question);
    model.naming = Some(Line::of(known.map_or("", |search| &search.name)));
}

/// Keys while its name is typed.
pub(super) fn name(model: &mut Model, action: Action) -> Vec<Command> {
    let Some(line) = &mut model.naming else { return Vec::new() };
    match action {
        Action::Edit(edit) => line.edit(edit),
        Action::Enter => {
            let name = line.text().trim().to_owned();
            model.naming = None;
            if name.is_empty() {
                return Vec::new();
            }
            model.notice = Some(Notice::note(format!("saved as {name}")));
            let question = model.query.text().trim().to_owned();
            return vec![Command::Save(Search { name, question })];
        }
        _ => model.naming = None,
    }
    Vec::new()
}

/// Takes away the search that is selected in the list.
pub(super) fn remove(model: &mut Model) -> Vec<Command> {
    let found = model.found();
    let selected = model.finding.as_ref().map_or(0, |finding| finding.selected);
    let Some(name) = found.get(selected).and_then(|found| found.name) else { return Vec::new() };
    let name = name.to_owned();
    let last = found.len().saturating_sub(2);
    // Off the screen at once; the file says so soon.
    model.saved.retain(|search| search.name != name);
    if let Some(finding) = &mut model.finding {
        finding.selected = selected.min(last);
    }
    vec![Command::Unsave(name)]
}
