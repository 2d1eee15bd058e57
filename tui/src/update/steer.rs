//! What a person does about thoughts: stop them, edit one, keep one, have another.

use daemon_protocol::{Request, THOUGHTS_MAX};

use crate::keys::{Action, Steer};
use crate::line::Line;
use crate::message::Command;
use crate::model::{AskPhase, Asking, Editing, Model, Notice};
use crate::update::ask;

pub(super) fn act(model: &mut Model, steer: Steer) -> Vec<Command> {
    match steer {
        Steer::Enough => return enough(model),
        Steer::Edit => begin(model),
        Steer::Pin => pin(model),
        Steer::Another => return another(model),
    }
    Vec::new()
}

/// What has been read and thought shall do.
fn enough(model: &mut Model) -> Vec<Command> {
    let running = |asking: &&mut Asking| asking.phase == AskPhase::Running && !asking.enough;
    let Some(asking) = model.asking.as_mut().filter(running) else {
        model.notice = Some(Notice::note("nothing is being thought"));
        return Vec::new();
    };
    asking.enough = true;
    vec![Command::Send(Request::Enough { id: asking.ask.id })]
}

/// Puts the thought that grew last into the line; an empty one where there is none.
fn begin(model: &mut Model) {
    if model.query.text().trim().is_empty() {
        model.notice = Some(Notice::note("a thought goes with a question; type one first"));
        return;
    }
    let thought = model.asking.as_ref().map_or(0, |asking| asking.current);
    show(model, thought);
}

fn show(model: &mut Model, thought: usize) {
    let text = thoughts(model).get(thought).cloned().unwrap_or_default();
    model.editing = Some(Editing { line: Line::of(text.trim()), thought });
}

/// Keys while a thought is edited.
pub(super) fn edit(model: &mut Model, action: Action) -> Vec<Command> {
    let last = thoughts(model).len().saturating_sub(1);
    let Some(Editing { line, thought }) = &mut model.editing else { return Vec::new() };
    let thought = *thought;
    match action {
        Action::Edit(edit) => line.edit(edit),
        Action::Enter => return search(model),
        Action::Next => show(model, (thought + 1).min(last)),
        Action::Previous => show(model, thought.saturating_sub(1)),
        Action::Steer(Steer::Edit) => show(model, if thought < last { thought + 1 } else { 0 }),
        _ => model.editing = None,
    }
    Vec::new()
}

/// Asks again with the thoughts as they are now; one that is empty is left out.
fn search(model: &mut Model) -> Vec<Command> {
    let mut given = thoughts(model);
    let Some(Editing { line, thought }) = model.editing.take() else { return Vec::new() };
    given.resize(given.len().max(thought + 1), String::new());
    given[thought] = line.text().to_owned();
    given.retain(|text| text.contains(char::is_alphanumeric));
    ask::ask_with(model, Some(0), given)
}

/// Keeps the thought that grew last for the next questions, or lets go of it.
fn pin(model: &mut Model) {
    let current = model.asking.as_ref().map_or(0, |asking| asking.current);
    let text = thoughts(model).get(current).map(|text| text.trim().to_owned());
    let Some(text) = text.filter(|text| text.contains(char::is_alphanumeric)) else {
        model.notice = Some(Notice::note("there is no thought to keep"));
        return;
    };
    let pinned = model.pinned.iter().position(|other| *other == text);
    let told = match pinned {
        Some(at) => {
            model.pinned.remove(at);
            "the thought goes with no further question"
        }
        // Room is left for one that is thought.
        None if model.pinned.len() + 1 >= THOUGHTS_MAX => "no more thoughts can be kept",
        None => {
            model.pinned.push(text);
            "the thought goes with the next questions too"
        }
    };
    model.notice = Some(Notice::note(told));
}

/// Asks again with the thoughts there are, and one more.
fn another(model: &mut Model) -> Vec<Command> {
    if model.query.text().trim().is_empty() {
        model.notice = Some(Notice::note("a thought goes with a question; type one first"));
        return Vec::new();
    }
    let mut given = thoughts(model);
    given.retain(|text| text.contains(char::is_alphanumeric));
    if given.len() >= THOUGHTS_MAX {
        model.notice = Some(Notice::note(format!("{THOUGHTS_MAX} thoughts are the most")));
        return Vec::new();
    }
    ask::ask_with(model, Some(1), given)
}

/// What has been thought about the question in the line.
fn thoughts(model: &Model) -> Vec<String> {
    let text = model.query.text().trim();
    let asking = model.asking.as_ref().filter(|asking| asking.ask.text == text);
    let thoughts = asking.map_or(&[][..], |asking| &asking.thoughts);
    thoughts.iter().map(|thought| thought.text.clone()).collect()
}
