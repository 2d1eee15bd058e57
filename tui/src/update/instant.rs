//! Results while a question is typed: searching alone, which takes milliseconds. One is asked for at a
//! time; when its answer is there and the line has changed meanwhile, the line is asked for as it is.

use daemon_protocol::{Ask, Hit, Request};

use crate::message::Command;
use crate::model::{Asking, Instant, Model, Moved, Row};
use crate::update::results;

/// The line has changed.
pub(super) fn typed(model: &mut Model) -> Vec<Command> {
    model.recall = None;
    look(model)
}

/// Asks for the line as it is, unless an answer is on its way or the person waits for another.
pub(super) fn look(model: &mut Model) -> Vec<Command> {
    let text = model.query.text().trim();
    let thinks = model.asking.as_ref().is_some_and(|asking| asking.busy());
    if !model.settings.instant || !model.up() || thinks || text.is_empty() {
        return Vec::new();
    }
    if model.kept.as_ref().is_some_and(|answer| is_of(answer.asking.as_ref(), text)) {
        return restore(model);
    }
    let there = is_of(model.asking.as_ref(), text);
    let asked = model.instant.text == text;
    if model.instant.pending.is_some() || there || asked {
        return Vec::new();
    }
    let id = model.instant.next_id;
    let text = text.to_owned();
    model.instant = Instant { pending: Some(id), next_id: id + 1, text: text.clone() };
    let limit = model.settings.limit;
    let ask =
        Ask { id, text, limit, thoughts: Some(0), read_ms: Some(0), path: None, given: Vec::new() };
    vec![Command::Send(Request::Ask(ask))]
}

/// The results of what was typed.
pub(super) fn rank(model: &mut Model, hits: Vec<Hit>) -> Vec<Command> {
    // The answer comes back with its question.
    match model.like.take() {
        Some(like) if like.of.is_some() => {
            let of_question = like.back.filter(|answer| answer.asking.is_some());
            model.kept = of_question.or(model.kept.take());
        }
        _ if model.asking.is_some() => model.kept = Some(results::lay_aside(model)),
        _ => {}
    }
    model.aside.clear();
    model.before = false;
    model.touched = false;
    model.selected = 0;
    model.rows = hits.into_iter().map(|hit| Row::new(hit, Moved::Unknown)).collect();
    results::words(model);
    results::want_preview(model)
}

/// An answer has ended, well or not: nobody asked for it, so nobody is told what went wrong.
pub(super) fn over(model: &mut Model) -> Vec<Command> {
    model.instant.pending = None;
    look(model)
}

/// The line is again what the answer before is of.
fn restore(model: &mut Model) -> Vec<Command> {
    let Some(answer) = model.kept.take() else { return Vec::new() };
    model.instant.text.clear();
    // Its answer would be of another line.
    model.instant.pending = None;
    model.like = None;
    results::lay_back(model, answer)
}

fn is_of(asking: Option<&Asking>, text: &str) -> bool {
    asking.is_some_and(|asking| asking.ask.text == text)
}
