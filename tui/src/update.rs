//! update: one message changes the model and may ask for commands. Pure: no IO and no clock.

use daemon_protocol::{Ask, ErrorKind, Event, Failure, Hit, Phase, Request, Stage, THOUGHTS_MAX};

use crate::keys::Action;
use crate::message::{Command, Message};
use crate::model::{
    AskPhase, Asking, Connection, Focus, Model, Moved, Notice, Row, STATUS_ID, SUBSCRIBE_ID,
    THOUGHT_BYTES_MAX,
};
use crate::preview::{Passage, Preview};
use tui_text as text;

/// What a fresh connection is asked for.
pub(crate) fn greeting() -> Vec<Command> {
    vec![
        Command::Send(Request::Subscribe { id: SUBSCRIBE_ID }),
        Command::Send(Request::Status { id: STATUS_ID }),
    ]
}

/// Applies `message`; the commands are to be carried out in order.
pub(crate) fn update(model: &mut Model, message: Message) -> Vec<Command> {
    match message {
        Message::Act(action) => act(model, action),
        Message::Insert(text) => {
            model.help = false;
            let cut = model.query.insert(&text);
            if cut > 0 {
                let cut = text::counted(cut, "character");
                model.notice = Some(Notice::note(format!("the question is full: {cut} left out")));
            }
            Vec::new()
        }
        Message::Resized { width, height } => {
            model.size = (width, height);
            Vec::new()
        }
        Message::Daemon(event) => hear(model, *event),
        Message::Lost(reason) => {
            lose(model, reason);
            Vec::new()
        }
        Message::Connected => connected(model),
        Message::ConnectFailed(reason) => {
            if let Some(asking) = model.asking.as_mut().filter(|asking| asking.busy()) {
                asking.phase = AskPhase::Failed;
            }
            model.connection = Connection::Lost(reason.clone());
            model.notice = Some(Notice::error(reason, Some("Enter tries again".to_owned())));
            Vec::new()
        }
        Message::Preview(preview) => {
            if model.wanted.as_ref() == Some(&preview.passage) {
                model.preview = Some(*preview);
            }
            Vec::new()
        }
        Message::EditorClosed(result) => {
            model.notice = result.err().map(|error| Notice::error(error, None));
            // What was shown may have been edited.
            model
                .selected_hit()
                .cloned()
                .map(|hit| Command::Preview(Box::new(hit)))
                .into_iter()
                .collect()
        }
        Message::Tick => {
            model.spin = model.spin.wrapping_add(1);
            Vec::new()
        }
    }
}

fn act(model: &mut Model, action: Action) -> Vec<Command> {
    // The help screen lies over everything: any key but the ones that leave takes it away.
    if model.help && action != Action::Quit {
        model.help = false;
        return Vec::new();
    }
    match action {
        Action::Edit(edit) => model.query.edit(edit),
        Action::Enter => return enter(model),
        Action::Escape => return escape(model),
        Action::Quit => return vec![Command::Quit],
        Action::Help => model.help = true,
        Action::Next => return step(model, 1),
        Action::Previous => return step(model, -1),
        Action::PageDown => page(model, 1),
        Action::PageUp => page(model, -1),
        Action::Focus => {
            model.focus = match model.focus {
                Focus::Results => Focus::Preview,
                Focus::Preview => Focus::Results,
            };
        }
        Action::Copy => return copy(model),
        Action::ToggleThinking => {
            model.thinking = !model.thinking;
            let now = if model.thinking { "on" } else { "off" };
            model.notice = Some(Notice::note(format!("thinking is {now} for the next question")));
        }
    }
    Vec::new()
}

/// Asks if the question is not the one last asked or has no answer; else opens the selection.
fn enter(model: &mut Model) -> Vec<Command> {
    let text = model.query.text().trim().to_owned();
    let thoughts = thoughts_wanted(model);
    let failed = model.asking.as_ref().is_some_and(|asking| asking.phase == AskPhase::Failed);
    let asked = model
        .asking
        .as_ref()
        .is_some_and(|asking| asking.ask.text == text && asking.ask.thoughts == thoughts);
    let answered = asked && !failed && (model.busy() || !model.rows.is_empty());
    if answered || text.is_empty() {
        return open(model);
    }
    let (id, limit) = (model.next_id, model.settings.limit);
    let ask = Ask { id, text, limit, thoughts, read_ms: None, path: None };
    model.next_id += 1;
    model.notice = None;
    model.rows.clear();
    model.selected = 0;
    model.wanted = None;
    model.preview = None;
    model.focus = Focus::Results;
    let up = model.connection == Connection::Up;
    model.asking = Some(Asking {
        ask: ask.clone(),
        phase: if up { AskPhase::Running } else { AskPhase::Waiting },
        stage: None,
        thoughts: Vec::new(),
        current: 0,
    });
    match model.connection {
        // The daemon cancels the question before this one by itself.
        Connection::Up => vec![Command::Send(Request::Ask(ask))],
        Connection::Reconnecting => Vec::new(),
        Connection::Lost(_) => {
            model.connection = Connection::Reconnecting;
            vec![Command::Reconnect]
        }
    }
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

fn open(model: &mut Model) -> Vec<Command> {
    let Some(hit) = model.selected_hit() else {
        return Vec::new();
    };
    if hit.converted {
        let path = hit.path.clone();
        model.notice = Some(Notice::note("opened beside this".to_owned()));
        return vec![Command::View { path }];
    }
    if !model.settings.editor {
        let hint = Some("set $VISUAL or $EDITOR".to_owned());
        model.notice = Some(Notice::error("no editor is set", hint));
        return Vec::new();
    }
    vec![Command::Open { path: hit.path.clone(), line: hit.line }]
}

fn escape(model: &mut Model) -> Vec<Command> {
    model.notice = None;
    let Some(asking) = model.asking.as_mut().filter(|asking| asking.busy()) else {
        model.query.clear();
        return Vec::new();
    };
    let sent = asking.phase == AskPhase::Running;
    asking.phase = AskPhase::Cancelled;
    if sent { vec![Command::Send(Request::Cancel { id: asking.ask.id })] } else { Vec::new() }
}

fn step(model: &mut Model, by: isize) -> Vec<Command> {
    if model.focus == Focus::Preview {
        if let Some(preview) = &mut model.preview {
            preview.scroll(by);
        }
        return Vec::new();
    }
    let last = model.rows.len().saturating_sub(1);
    model.selected = model.selected.saturating_add_signed(by).min(last);
    want_preview(model)
}

fn page(model: &mut Model, direction: isize) {
    let lines = isize::try_from(model.size.1 / 3).unwrap_or(1).max(1);
    if let Some(preview) = &mut model.preview {
        preview.scroll(direction * lines);
    }
}

fn copy(model: &mut Model) -> Vec<Command> {
    let Some(hit) = model.selected_hit() else {
        return Vec::new();
    };
    let place = hit.located(&hit.path);
    let short = text::short_path(&place, &model.settings.cwd, model.settings.home.as_deref());
    model.notice = Some(Notice::note(format!("copied {short}")));
    vec![Command::Copy(place)]
}

/// Asks for the selected hit's preview unless it is the one already asked for.
fn want_preview(model: &mut Model) -> Vec<Command> {
    let Some(hit) = model.selected_hit().cloned() else {
        model.wanted = None;
        model.preview = None;
        return Vec::new();
    };
    let passage = Passage::of(&hit);
    if model.wanted.as_ref() == Some(&passage) {
        return Vec::new();
    }
    let (path, byte_start) = (passage.path.clone(), passage.byte_start);
    model.wanted = Some(passage);
    model.reading = None;
    // Until the file is read, the passage before stays on the screen, or else the snippet.
    model.preview.get_or_insert_with(|| Preview::snippet(&hit, None));
    if hit.converted {
        // What was read from the file is in the index alone.
        model.preview = Some(Preview::snippet(&hit, None));
        let id = model.next_id;
        model.next_id += 1;
        model.reading = Some(id);
        return vec![Command::Send(Request::Read { id, path, byte_start })];
    }
    vec![Command::Preview(Box::new(hit))]
}

fn hear(model: &mut Model, event: Event) -> Vec<Command> {
    match event {
        Event::Thought { id, index, delta } => think(model, id, index, &delta),
        Event::Hits { id, stage, hits } => return rank(model, id, stage, hits),
        Event::Done { id, timings } => {
            if let Some(asking) = running(model, id) {
                let degraded = timings.degraded.clone();
                asking.phase = AskPhase::Done(timings);
                model.notice = degraded.map(|reason| {
                    let text = format!("answered with less than was asked for: {reason}");
                    Notice::error(text, None)
                });
            }
        }
        Event::Failed { id, error } => fail(model, id, error),
        Event::Indexing { status } => {
            let was_idle = model.index.as_ref().is_none_or(|index| index.phase == Phase::Idle);
            let settled = !was_idle && status.phase == Phase::Idle;
            model.index = Some(status);
            if settled {
                // Folders may have come or gone.
                return vec![Command::Send(Request::Status { id: STATUS_ID })];
            }
        }
        Event::Status { status, .. } => {
            model.index = Some(status.index.clone());
            model.daemon = Some(*status);
        }
        Event::Text { id, passages, .. } if model.reading == Some(id) => {
            let wanted = model.wanted.clone();
            let preview = wanted.and_then(|wanted| Preview::passages(wanted, &passages));
            model.preview = preview.or(model.preview.take());
        }
        Event::Training { status } => model.training = status,
        Event::Closing { reason } => lose(model, reason),
        // Answers to requests that this client does not make.
        Event::Folders { .. } | Event::Synced { .. } | Event::Why { .. } => {}
        // Of a passage that is no longer selected.
        Event::Text { .. } => {}
    }
    Vec::new()
}

/// The newest ask, if it is number `id` and under way: the events of all others are stale.
fn running(model: &mut Model, id: u64) -> Option<&mut Asking> {
    let asking = model.asking.as_mut()?;
    (asking.ask.id == id && asking.phase == AskPhase::Running).then_some(asking)
}

fn think(model: &mut Model, id: u64, index: usize, delta: &str) {
    let Some(asking) = running(model, id) else { return };
    if index >= THOUGHTS_MAX {
        return;
    }
    if asking.thoughts.len() <= index {
        asking.thoughts.resize(index + 1, String::new());
    }
    asking.current = index;
    if asking.thoughts[index].len() + delta.len() <= THOUGHT_BYTES_MAX {
        asking.thoughts[index].push_str(delta);
    }
}

fn rank(model: &mut Model, id: u64, stage: Stage, hits: Vec<Hit>) -> Vec<Command> {
    let Some(asking) = running(model, id) else { return Vec::new() };
    let moves = asking.stage.is_some() && stage != Stage::Draft;
    asking.stage = Some(stage);
    let selected = model.selected_hit().filter(|_| model.selected > 0).map(Passage::of);
    let row = |(index, hit): (usize, Hit)| {
        let moved = match (moves, hit.ranks.draft) {
            (false, _) => Moved::Unknown,
            (true, None) => Moved::New,
            (true, Some(draft)) if draft > index + 1 => Moved::Up(draft - index - 1),
            (true, Some(draft)) if draft < index + 1 => Moved::Down(index + 1 - draft),
            (true, Some(_)) => Moved::Kept,
        };
        Row { hit, moved }
    };
    model.rows = hits.into_iter().enumerate().map(row).collect();
    // A selection that someone moved stays with its passage; one at the top stays with the best.
    let found = model.rows.iter().position(|row| selected == Some(Passage::of(&row.hit)));
    model.selected = found.unwrap_or(0);
    want_preview(model)
}

fn fail(model: &mut Model, id: u64, error: Failure) {
    if model.reading == Some(id) {
        if let Some(preview) = &mut model.preview {
            preview.problem = Some(error.message);
        }
        return;
    }
    let own = id == SUBSCRIBE_ID || id == STATUS_ID;
    let cancelled = error.kind == ErrorKind::Cancelled;
    if let Some(asking) = running(model, id) {
        asking.phase = if cancelled { AskPhase::Cancelled } else { AskPhase::Failed };
    } else if !own {
        return;
    }
    model.notice = Some(match cancelled {
        true => Notice::note(error.message),
        false => Notice::error(error.message, error.hint),
    });
}

/// The connection is gone: what was under way failed. The first reason is the one that tells.
fn lose(model: &mut Model, reason: String) {
    if let Some(asking) = model.asking.as_mut().filter(|asking| asking.phase == AskPhase::Running) {
        asking.phase = AskPhase::Failed;
    }
    // The run may go on, but nobody would say when it has ended.
    model.training = None;
    if model.connection == Connection::Up {
        let hint = Some("the next question starts it again".to_owned());
        model.notice = Some(Notice::error(format!("the daemon is gone: {reason}"), hint));
        model.connection = Connection::Lost(reason);
    }
}

fn connected(model: &mut Model) -> Vec<Command> {
    model.connection = Connection::Up;
    model.notice = None;
    let mut commands = greeting();
    if let Some(asking) = model.asking.as_mut().filter(|asking| asking.phase == AskPhase::Waiting) {
        asking.phase = AskPhase::Running;
        commands.push(Command::Send(Request::Ask(asking.ask.clone())));
    }
    commands
}
