//! Questions: when one is asked, and what is heard of it.

use daemon_protocol::{Ask, ErrorKind, Failure, Request, THOUGHTS_MAX, Timings};

use crate::history;
use crate::message::Command;
use crate::model::{
    AskPhase, Asking, Connection, Focus, Model, Notice, STATUS_ID, SUBSCRIBE_ID, THOUGHT_BYTES_MAX,
    Thought,
};
use crate::update::{connection, results};

/// Thoughts that are had beside those that a person keeps, unless a number was chosen.
const THOUGHTS_BESIDE: usize = 1;

/// Asks, or opens the selection: of an answer to the question in the line, or of results that the person has
/// moved in.
pub(super) fn enter(model: &mut Model) -> Vec<Command> {
    let text = model.query.text().trim();
    let asked = model
        .asking
        .as_ref()
        .filter(|asking| asking.ask.text == text && asking.wanted == wanted(model));
    // A draft is on the screen even if the thought after it failed.
    let answered = asked.is_some_and(|asking| asking.stage.is_some()) && !model.rows.is_empty();
    let chosen = model.touched && model.asking.is_none() && !model.rows.is_empty();
    if answered || chosen {
        return results::open(model);
    }
    if asked.is_some_and(Asking::busy) {
        return Vec::new();
    }
    match text {
        "" if model.connection == Connection::Lost => connection::connect(model),
        "" => results::open(model),
        _ => ask(model),
    }
}

/// Asks the question in the line, whether or not it has been answered; connects if need be.
pub(super) fn again(model: &mut Model) -> Vec<Command> {
    match model.query.text().trim() {
        "" if model.connection == Connection::Lost => connection::connect(model),
        "" => Vec::new(),
        _ => ask(model),
    }
}

/// Asks the question in the line. What is on the screen stays until there is something new.
pub(super) fn ask(model: &mut Model) -> Vec<Command> {
    let (thoughts, given) = wanted(model);
    // Those that are given count as all there are to be, unless others are asked for.
    let thoughts = if given.is_empty() { thoughts } else { thoughts.or(Some(THOUGHTS_BESIDE)) };
    ask_with(model, thoughts, given)
}

/// Asks it with the thoughts `given`, and so many more; absent leaves that to the daemon.
pub(super) fn ask_with(
    model: &mut Model,
    thoughts: Option<usize>,
    given: Vec<String>,
) -> Vec<Command> {
    let ask = Ask {
        id: model.next_id,
        text: model.query.text().trim().to_owned(),
        limit: model.settings.limit,
        thoughts,
        read_ms: None,
        path: None,
        given,
    };
    model.next_id += 1;
    model.notice = None;
    model.recall = None;
    // The daemon cancels it by itself, like the question before this one.
    model.instant.pending = None;
    model.instant.text.clear();
    model.kept = None;
    model.like = None;
    model.focus = Focus::Results;
    model.asking = Some(Asking {
        ask: ask.clone(),
        wanted: wanted(model),
        enough: false,
        phase: if model.up() { AskPhase::Running } else { AskPhase::Waiting },
        stage: None,
        thoughts: ask.given.iter().map(|text| Thought::of(text)).collect(),
        current: ask.given.len().saturating_sub(1),
    });
    let mut commands = keep(model, &ask.text);
    match model.connection {
        Connection::Up { .. } => commands.push(Command::Send(Request::Ask(ask))),
        Connection::Connecting { .. } => {}
        Connection::Lost => commands.extend(connection::connect(model)),
    }
    commands
}

/// Puts a question into the history; one that was typed after a blank is nobody's business, as in shells.
fn keep(model: &mut Model, text: &str) -> Vec<Command> {
    let newest = model.history.last().is_some_and(|newest| newest == text);
    if newest || model.query.text().starts_with(' ') {
        return Vec::new();
    }
    history::push(&mut model.history, text.to_owned());
    vec![Command::Keep(text.to_owned())]
}

/// How many thoughts the next ask wants, and which go with it whatever is thought.
fn wanted(model: &Model) -> (Option<usize>, Vec<String>) {
    (thoughts_wanted(model), model.pinned.clone())
}

/// How many thoughts the next ask wants; absent leaves it to the daemon.
fn thoughts_wanted(model: &Model) -> Option<usize> {
    match (model.thinking, model.settings.thoughts) {
        (false, _) => Some(0),
        // Thinking was switched on by hand although the command line said none.
        (true, Some(0)) => None,
        (true, thoughts) => thoughts,
    }
}

/// Stops the question under way, if there is one; what has come of it stays.
pub(super) fn cancel(model: &mut Model) -> Option<Vec<Command>> {
    let asking = model.asking.as_mut().filter(|asking| asking.busy())?;
    let sent = asking.phase == AskPhase::Running;
    asking.phase = AskPhase::Cancelled;
    let cancel = Command::Send(Request::Cancel { id: asking.ask.id });
    Some(if sent { vec![cancel] } else { Vec::new() })
}

pub(super) fn think(model: &mut Model, id: u64, index: usize, delta: &str) {
    let Some(asking) = model.running(id) else { return };
    if index >= THOUGHTS_MAX {
        return;
    }
    if asking.thoughts.len() <= index {
        asking.thoughts.resize_with(index + 1, Thought::default);
    }
    asking.current = index;
    let text = &mut asking.thoughts[index].text;
    if text.len() + delta.len() <= THOUGHT_BYTES_MAX {
        text.push_str(delta);
    }
}

pub(super) fn done(model: &mut Model, id: u64, timings: Timings) {
    let Some(asking) = model.running(id) else { return };
    let (degraded, notes) = (timings.degraded.clone(), timings.notes.join("; "));
    asking.phase = AskPhase::Done(timings);
    model.notice = match degraded {
        Some(reason) => {
            Some(Notice::error(format!("answered with less than was asked for: {reason}"), None))
        }
        None => (!notes.is_empty()).then(|| Notice::note(notes)),
    };
}

pub(super) fn fail(model: &mut Model, id: u64, error: Failure) {
    let own = id == SUBSCRIBE_ID || id == STATUS_ID;
    let cancelled = error.kind == ErrorKind::Cancelled;
    if let Some(asking) = model.running(id) {
        asking.phase = if cancelled { AskPhase::Cancelled } else { AskPhase::Failed };
    } else if !own {
        return;
    }
    model.notice = Some(match cancelled {
        true => Notice::note(error.message),
        false => Notice::error(error.message, error.hint),
    });
}
