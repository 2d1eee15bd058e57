//! update: one message changes the model and may ask for commands. Pure: no IO and no clock.

mod ask;
mod connection;
mod history;
mod instant;
mod judge;
mod mouse;
mod page;
mod palette;
mod preview;
mod results;
mod saved;
mod steer;

use daemon_protocol::{Event, Phase, Request};
use ratatui::layout::Rect;

use crate::complete;
use crate::keys::Action;
use crate::layout::{self, Help};
use crate::line::Edit;
use crate::message::{Command, Message};
use crate::model::{Focus, Model, Notice, Of, STATUS_ID};
use tui_text as text;

pub(crate) use connection::opening;

/// Applies `message`; the commands are to be carried out in order.
pub(crate) fn update(model: &mut Model, message: Message) -> Vec<Command> {
    let mut commands = match message {
        Message::Act(action) => act(model, action),
        Message::Insert(text) => insert(model, &text),
        Message::Resized { width, height } => {
            model.size = (width, height);
            // A terminal may have lost it.
            model.pages.newest = None;
            Vec::new()
        }
        Message::Daemon(event) => hear(model, *event),
        Message::Lost(reason) => connection::lost(model, &reason),
        Message::Connected => connection::connected(model),
        Message::ConnectFailed(reason) => connection::failed(model, reason),
        Message::Preview(preview) => {
            if model.wanted.as_ref() == Some(&preview.passage) {
                let mut preview = *preview;
                preview.show_raw(model.raw);
                model.preview = Some(preview);
            }
            Vec::new()
        }
        Message::Painted { id, part, inked } => {
            if let Some(preview) = &mut model.preview {
                preview.paint(id, part, inked);
            }
            Vec::new()
        }
        Message::Canvas(canvas) => {
            page::answered(model, canvas);
            Vec::new()
        }
        Message::Drawn { id, picture } => {
            page::drawn(model, id, picture);
            Vec::new()
        }
        Message::Late(passage) => {
            preview::late(model, &passage);
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
        Message::Unstoppable => {
            model.notice = Some(Notice::note("there is no shell here to go back to"));
            Vec::new()
        }
        Message::History(questions) => {
            history::loaded(model, questions);
            Vec::new()
        }
        Message::Unkept(reason) => {
            model.notice = Some(Notice::error(reason, None));
            Vec::new()
        }
        Message::Saved(searches) => {
            model.saved = searches;
            Vec::new()
        }
        Message::Wheel { at, by } => mouse::wheel(model, at, by),
        Message::Click(at) => mouse::click(model, at),
        Message::Tick => {
            model.spin = model.spin.wrapping_add(1);
            Vec::new()
        }
    };
    results::settle(model);
    commands.extend(preview::want_paint(model));
    commands.extend(page::want(model));
    commands
}

fn insert(model: &mut Model, text: &str) -> Vec<Command> {
    model.help = None;
    if palette::typed(model, text) {
        return Vec::new();
    }
    if let Some(editing) = &mut model.editing {
        editing.line.insert(text);
        return Vec::new();
    }
    if let Some(name) = &mut model.naming {
        name.insert(text);
        return Vec::new();
    }
    if let Some(finding) = &mut model.finding {
        finding.pattern.insert(text);
        finding.selected = 0;
        return Vec::new();
    }
    model.on_list = false;
    let cut = model.query.insert(text);
    if cut > 0 {
        let cut = text::counted(cut, "character");
        model.notice = Some(Notice::note(format!("the question is full: {cut} left out")));
    }
    instant::typed(model)
}

fn act(model: &mut Model, action: Action) -> Vec<Command> {
    // With vi keys, `q` there is for the help screen.
    let closes = model.help.is_some() && model.settings.keys.vi;
    let leaves = action == Action::Suspend || action == Action::Quit && !closes;
    if let Some(top) = model.help.filter(|_| !leaves) {
        model.help = scroll_help(model, top, action);
        return Vec::new();
    }
    if model.palette.is_some() && !leaves {
        return palette::act(model, action).map_or_else(Vec::new, |action| act(model, action));
    }
    if model.finding.is_some() && !leaves {
        return history::act(model, action);
    }
    if model.editing.is_some() && !leaves {
        return steer::edit(model, action);
    }
    if model.naming.is_some() && !leaves {
        return saved::name(model, action);
    }
    perform(model, action)
}

fn perform(model: &mut Model, action: Action) -> Vec<Command> {
    match action {
        Action::Edit(Edit::Home) if model.query.at_start() || reads(model) || model.on_list => {
            return go(model, false);
        }
        Action::Edit(Edit::End) if model.query.at_end() || reads(model) || model.on_list => {
            return go(model, true);
        }
        // Nothing is typed there.
        Action::Edit(_) if model.on_list => {}
        Action::Edit(edit) => {
            match complete::offer(model).filter(|_| edit == Edit::Right) {
                Some(rest) => {
                    model.query.insert(&rest);
                }
                None => model.query.edit(edit),
            }
            return instant::typed(model);
        }
        Action::Enter => {
            model.on_list = model.settings.keys.vi;
            return ask::enter(model);
        }
        Action::Again => return ask::again(model),
        Action::Escape => return escape(model),
        Action::Quit => return vec![Command::Quit],
        Action::Suspend => return vec![Command::Stop],
        Action::Help => model.help = Some(0),
        Action::Palette => palette::open(model),
        Action::Steer(steer) => return steer::act(model, steer),
        Action::Judge(judge) => return judge::act(model, judge),
        // With nothing below the line to move through, they move through what was asked before.
        Action::Next if recalls(model) => return history::recall(model, false),
        Action::Previous if recalls(model) => return history::recall(model, true),
        Action::Next => return step(model, 1),
        Action::Previous => return step(model, -1),
        Action::First => return go(model, false),
        Action::Last => return go(model, true),
        Action::NextHere => return results::step_here(model, true),
        Action::PreviousHere => return results::step_here(model, false),
        Action::Before => return results::before(model),
        Action::HalfDown => return half(model, 1),
        Action::HalfUp => return half(model, -1),
        Action::Type => model.on_list = false,
        Action::TypeNew => {
            model.on_list = false;
            model.query.clear();
            return instant::typed(model);
        }
        Action::PageDown => preview::page(model, 1),
        Action::PageUp => preview::page(model, -1),
        Action::Focus => preview::focus(model),
        Action::Raw => preview::toggle_raw(model),
        Action::Picture => return page::toggle(model),
        Action::Older => return history::recall(model, true),
        Action::Newer => return history::recall(model, false),
        Action::Find => history::find(model, Of::Asked),
        Action::Save => saved::begin(model),
        Action::Saved => history::find(model, Of::Saved),
        Action::Copy => return results::copy(model),
        Action::Quote => return results::quote(model),
        Action::ToggleThinking => {
            model.thinking = !model.thinking;
            let now = if model.thinking { "on" } else { "off" };
            model.notice = Some(Notice::note(format!("thinking is {now} for the next question")));
        }
    }
    Vec::new()
}

fn recalls(model: &Model) -> bool {
    model.recall.is_some() || (model.rows.is_empty() && model.focus == Focus::Results)
}

/// The help screen lies over everything: keys that move move it, and any other takes it away.
fn scroll_help(model: &Model, top: usize, action: Action) -> Option<usize> {
    let (width, height) = model.size;
    let screen = Rect::new(0, 0, width, height);
    let Help { popup, below, .. } = layout::help(screen, &model.settings.keys);
    let page = usize::from(popup.height).saturating_sub(2).max(1);
    let moved = match action {
        Action::Next => top + 1,
        Action::Previous => top.saturating_sub(1),
        Action::PageDown => top + page,
        Action::PageUp => top.saturating_sub(page),
        Action::First | Action::Edit(Edit::Home) => 0,
        Action::Last | Action::Edit(Edit::End) => below,
        _ => return None,
    };
    Some(moved.min(below))
}

/// One result on, or one row of the preview.
fn step(model: &mut Model, by: isize) -> Vec<Command> {
    match model.focus {
        Focus::Preview => {
            preview::scroll(model, by);
            Vec::new()
        }
        Focus::Results => results::step(model, by),
    }
}

/// Half of what is seen on, or back.
fn half(model: &mut Model, direction: isize) -> Vec<Command> {
    let seen = match model.focus {
        Focus::Preview => layout::preview_size(model).1,
        Focus::Results => layout::results_seen(model),
    };
    step(model, direction * isize::try_from(seen / 2).unwrap_or(1).max(1))
}

/// Whether the keys that move are the preview's.
fn reads(model: &Model) -> bool {
    model.focus == Focus::Preview
}

/// To the first or last result, or row of the preview.
fn go(model: &mut Model, last: bool) -> Vec<Command> {
    match model.focus {
        Focus::Preview => {
            preview::go(model, last);
            Vec::new()
        }
        Focus::Results => results::go(model, last),
    }
}

/// Takes away what was done last: the preview in the place of the results, the question under way, its
/// words. With vi keys it leaves the line first, and keeps the words.
fn escape(model: &mut Model) -> Vec<Command> {
    model.notice = None;
    let vi = model.settings.keys.vi;
    if vi && !model.on_list {
        model.on_list = true;
        return Vec::new();
    }
    let alone = layout::of(model).results.is_none();
    if alone || model.explain.is_some() {
        model.explain = None;
        model.focus = Focus::Results;
        return Vec::new();
    }
    if let Some(commands) = judge::leave(model).or_else(|| ask::cancel(model)) {
        return commands;
    }
    if vi {
        return Vec::new();
    }
    model.query.clear();
    instant::typed(model)
}

fn hear(model: &mut Model, event: Event) -> Vec<Command> {
    connection::heard(model);
    match event {
        Event::Thought { id, index, delta } => ask::think(model, id, index, &delta),
        Event::Hits { id, hits, .. } if model.instant.pending == Some(id) => {
            return instant::rank(model, hits);
        }
        Event::Done { id, .. } | Event::Failed { id, .. } if model.instant.pending == Some(id) => {
            return instant::over(model);
        }
        Event::Hits { id, hits, .. } if judge::is_like(model, id) => {
            return judge::liked(model, hits);
        }
        Event::Hits { id, stage, hits } => return results::rank(model, id, stage, hits),
        Event::Done { id, timings } => ask::done(model, id, timings),
        Event::Failed { id, error } if model.reading == Some(id) => {
            if let Some(preview) = &mut model.preview {
                preview.problem = Some(error.message);
            }
        }
        Event::Failed { id, error } if judge::refused(model, id, &error) => {}
        Event::Failed { id, error } => ask::fail(model, id, error),
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
            preview::heard(model, &passages);
        }
        Event::Training { status } => model.training = status,
        Event::Closing { reason } => connection::closing(model, &reason),
        // What was marked is seen already.
        Event::Marked { .. } => {}
        // Answers to requests that this client does not make.
        Event::Folders { .. } | Event::Synced { .. } | Event::Why { .. } | Event::Marks { .. } => {}
        // Of a passage that is no longer selected.
        Event::Text { .. } => {}
    }
    Vec::new()
}
