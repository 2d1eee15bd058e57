//! The connection: from nothing to a daemon that hears us, and back.

use daemon_protocol::Request;

use crate::message::Command;
use crate::model::{AskPhase, Connection, Model, Notice, STATUS_ID, SUBSCRIBE_ID};
use crate::update::instant;

/// What is to be done once the first frame is drawn.
pub(crate) fn opening() -> Vec<Command> {
    vec![Command::Connect]
}

pub(super) fn connect(model: &mut Model) -> Vec<Command> {
    model.connection = Connection::Connecting { again: false };
    model.notice = None;
    vec![Command::Connect]
}

/// A connection stands: it is asked what a fresh one is, and the question that waited for it.
pub(super) fn connected(model: &mut Model) -> Vec<Command> {
    let again = matches!(model.connection, Connection::Connecting { again: true });
    model.connection = Connection::Up { heard: false };
    // A question that broke off is not asked by itself: it may be why the daemon went.
    let broken = model.asking.as_ref().is_some_and(|asking| asking.phase == AskPhase::Failed);
    let rest = if broken { "; F5 asks again" } else { "" };
    model.notice = again.then(|| Notice::note(format!("the daemon answers again{rest}")));
    let mut commands = vec![
        Command::Send(Request::Subscribe { id: SUBSCRIBE_ID }),
        Command::Send(Request::Status { id: STATUS_ID }),
    ];
    if let Some(asking) = model.asking.as_mut().filter(|asking| asking.phase == AskPhase::Waiting) {
        asking.phase = AskPhase::Running;
        commands.push(Command::Send(Request::Ask(asking.ask.clone())));
    }
    // What was typed meanwhile.
    commands.extend(instant::look(model));
    commands
}

pub(super) fn failed(model: &mut Model, reason: String) -> Vec<Command> {
    if let Some(asking) = model.asking.as_mut().filter(|asking| asking.busy()) {
        asking.phase = AskPhase::Failed;
    }
    model.connection = Connection::Lost;
    model.notice = Some(Notice::error(reason, Some("F5 tries again".to_owned())));
    Vec::new()
}

/// The daemon has said something.
pub(super) fn heard(model: &mut Model) {
    if let Connection::Up { heard } = &mut model.connection {
        *heard = true;
    }
}

/// The daemon ends because it was told to: it is not started again behind the back of whoever did.
pub(super) fn closing(model: &mut Model, reason: &str) {
    if lose(model).is_some() {
        model.notice = Some(gone(reason, "F5 or the next question starts it again"));
    }
}

/// The connection has broken. A daemon that worked is called again at once.
pub(super) fn lost(model: &mut Model, reason: &str) -> Vec<Command> {
    match lose(model) {
        Some(true) => {
            model.connection = Connection::Connecting { again: true };
            model.notice = Some(gone(reason, "calling it again"));
            vec![Command::Connect]
        }
        Some(false) => {
            model.notice = Some(gone(reason, "F5 or the next question starts it again"));
            Vec::new()
        }
        // The first reason is the one that tells.
        None => Vec::new(),
    }
}

fn gone(reason: &str, hint: &str) -> Notice {
    Notice::error(format!("the daemon is gone: {reason}"), Some(hint.to_owned()))
}

/// What was under way failed, and what the daemon told is not known any more. Whether it had told
/// anything; absent if the connection was lost before.
fn lose(model: &mut Model) -> Option<bool> {
    let Connection::Up { heard } = model.connection else { return None };
    if let Some(asking) = model.asking.as_mut().filter(|asking| asking.phase == AskPhase::Running) {
        asking.phase = AskPhase::Failed;
    }
    model.connection = Connection::Lost;
    model.reading = None;
    model.instant.pending = None;
    model.instant.text.clear();
    // All of it may go on, but nobody would say when it has ended.
    model.training = None;
    model.index = None;
    model.daemon = None;
    Some(heard)
}
