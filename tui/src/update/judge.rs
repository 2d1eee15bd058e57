//! What a person does about the selected result: have it explained, mark it, see more like it.

use daemon_protocol::{Failure, Hit, Request};

use crate::keys::Judge;
use crate::layout;
use crate::message::Command;
use crate::model::{AskPhase, Asking, Focus, Like, Marking, Model, Moved, Notice, Row};
use crate::preview::Passage;
use crate::update::{instant, results};
use tui_text as text;

pub(super) fn act(model: &mut Model, judge: Judge) -> Vec<Command> {
    match judge {
        Judge::Explain => explain(model),
        Judge::Right => return mark(model, true),
        Judge::Wrong => return mark(model, false),
        Judge::Like => return like(model),
    }
    Vec::new()
}

/// Shows why the result stands where it does in the place of the preview, or the preview again.
fn explain(model: &mut Model) {
    if model.explain.take().is_some() {
        if layout::of(model).results.is_none() {
            model.focus = Focus::Results;
        }
        return;
    }
    if model.selected_hit().is_none() {
        model.notice = Some(Notice::note("there is no result to explain"));
        return;
    }
    model.explain = Some(0);
    if layout::of(model).preview.is_none() {
        // There is no room for both.
        model.focus = Focus::Preview;
    }
}

/// Marks the selected result for the question; what it is marked as already is taken back.
fn mark(model: &mut Model, right: bool) -> Vec<Command> {
    let Some(question) = model.question().map(str::to_owned) else {
        model.notice = Some(Notice::note("results of a question can be marked"));
        return Vec::new();
    };
    let Some(hit) = model.selected_hit() else { return Vec::new() };
    if !model.up() {
        model.notice = Some(Notice::note("the daemon keeps marks, and is not there"));
        return Vec::new();
    }
    let Hit { path, byte_start, byte_end, marked: before, .. } = hit.clone();
    let after = Some(right).filter(|right| before != Some(*right));
    let passage = Passage { path: path.clone(), byte_start };
    set(model, &passage, after);
    let id = model.next_id;
    model.next_id += 1;
    model.marking = Some(Marking { id, passage, before });
    model.notice = Some(Notice::note(match after {
        Some(true) => "marked as right for this question",
        Some(false) => "marked as wrong for this question",
        None => "the mark is taken back",
    }));
    vec![Command::Send(Request::Mark { id, question, path, byte_start, byte_end, right: after })]
}

/// In all rankings that have the passage.
fn set(model: &mut Model, passage: &Passage, marked: Option<bool>) {
    for row in model.rows.iter_mut().chain(&mut model.aside) {
        if Passage::of(&row.hit) == *passage {
            row.hit.marked = marked;
        }
    }
}

/// A request of this file was refused. Whether it was one.
pub(super) fn refused(model: &mut Model, id: u64, error: &Failure) -> bool {
    if model.marking.as_ref().is_some_and(|marking| marking.id == id) {
        if let Some(Marking { passage, before, .. }) = model.marking.take() {
            set(model, &passage, before);
        }
    } else if is_like(model, id) {
        // What is shown may be like another passage; from there the way back is still to be known.
        model.like = model.like.take().filter(|like| like.of.is_some());
    } else {
        return false;
    }
    model.notice = Some(Notice::error(error.message.clone(), error.hint.clone()));
    true
}

/// Asks for passages like the selected one.
fn like(model: &mut Model) -> Vec<Command> {
    let Some(hit) = model.selected_hit() else {
        model.notice = Some(Notice::note("there is no result yet"));
        return Vec::new();
    };
    if !model.up() {
        model.notice = Some(Notice::note("the daemon is not there"));
        return Vec::new();
    }
    let (path, byte_start) = (hit.path.clone(), hit.byte_start);
    let home = model.settings.home.as_deref();
    let of = text::short_path(&hit.located(&hit.path), &model.settings.cwd, home);
    let id = model.next_id;
    model.next_id += 1;
    // From like to like, the way back leads to the question.
    let shown = model.like.take().map(|like| (like.of, like.back));
    let (before, back) = shown.unwrap_or_default();
    model.like = Some(Like { id, asked: of, of: before, back });
    let limit = model.settings.limit;
    vec![Command::Send(Request::Similar { id, path, byte_start, limit })]
}

/// Whether request number `id` is for the like of something.
pub(super) fn is_like(model: &Model, id: u64) -> bool {
    model.like.as_ref().is_some_and(|like| like.id == id)
}

/// What is like the passage takes the place of the results.
pub(super) fn liked(model: &mut Model, hits: Vec<Hit>) -> Vec<Command> {
    let Some(mut like) = model.like.take() else { return Vec::new() };
    let is_first = like.of.replace(like.asked.clone()).is_none();
    let mut commands = Vec::new();
    if is_first {
        let asking = model.asking.as_mut().filter(|asking| asking.busy());
        if let Some(Asking { ask, phase, .. }) = asking {
            // Its rows would come into these.
            commands.push(Command::Send(Request::Cancel { id: ask.id }));
            *phase = AskPhase::Cancelled;
        }
        like.back = Some(results::lay_aside(model));
    }
    model.like = Some(like);
    model.focus = Focus::Results;
    // Enter opens one of these.
    model.touched = true;
    model.selected = 0;
    model.rows = hits.into_iter().map(|hit| Row::new(hit, Moved::Unknown)).collect();
    results::words(model);
    commands.extend(results::want_preview(model));
    commands
}

/// Back to the results of the question; absent if they are there.
pub(super) fn leave(model: &mut Model) -> Option<Vec<Command>> {
    let like = model.like.take()?;
    let Some(back) = like.back else {
        return Some(Vec::new());
    };
    let mut commands = results::lay_back(model, back);
    commands.extend(instant::look(model));
    Some(commands)
}
