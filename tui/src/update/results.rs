//! The ranking: what it is made of, what of it is selected, and what is done with that.

use daemon_protocol::{Hit, Request, Stage};

use crate::layout;
use crate::message::Command;
use crate::model::{Model, Moved, Notice, Row};
use crate::preview::{Passage, Preview};
use tui_text as text;

/// The hits of question number `id`, after `stage`.
pub(super) fn rank(model: &mut Model, id: u64, stage: Stage, hits: Vec<Hit>) -> Vec<Command> {
    let Some(asking) = model.running(id) else { return Vec::new() };
    let again = asking.stage.is_some();
    let moves = again && stage != Stage::Draft;
    asking.stage = Some(stage);
    // What is selected is a passage: Enter opens what the person saw there before the rows moved.
    let selected = model.selected_hit().filter(|_| again).map(Passage::of);
    let row = |(index, hit): (usize, Hit)| {
        let moved = match (moves, hit.ranks.draft) {
            (false, _) => Moved::Unknown,
            (true, None) => Moved::New,
            (true, Some(draft)) if draft > index + 1 => Moved::Up(draft - index - 1),
            (true, Some(draft)) if draft < index + 1 => Moved::Down(index + 1 - draft),
            (true, Some(_)) => Moved::Kept,
        };
        Row::new(hit, moved)
    };
    model.rows = hits.into_iter().enumerate().map(row).collect();
    let found = model.rows.iter().position(|row| selected == Some(Passage::of(&row.hit)));
    model.selected = found.unwrap_or(0);
    want_preview(model)
}

pub(super) fn step(model: &mut Model, by: isize) -> Vec<Command> {
    let last = model.rows.len().saturating_sub(1);
    model.selected = model.selected.saturating_add_signed(by).min(last);
    want_preview(model)
}

/// To the first or the last result.
pub(super) fn go(model: &mut Model, last: bool) -> Vec<Command> {
    model.selected = if last { model.rows.len().saturating_sub(1) } else { 0 };
    want_preview(model)
}

/// Shows the selection, and as much below it as there is.
pub(super) fn settle(model: &mut Model) {
    let panes = layout::of(model);
    let pane = panes.results.or(panes.preview).unwrap_or_default();
    let (_, fitting) = layout::results(pane.height.saturating_sub(1));
    let below = (model.selected + 1).saturating_sub(fitting);
    let last = model.rows.len().saturating_sub(fitting);
    model.top = model.top.min(last).clamp(below, model.selected.max(below));
}

/// Opens the selected passage.
pub(super) fn open(model: &mut Model) -> Vec<Command> {
    let Some(hit) = model.selected_hit() else {
        return Vec::new();
    };
    if hit.converted {
        let path = hit.path.clone();
        model.notice = Some(Notice::note("opened beside this".to_owned()));
        return vec![Command::View { path }];
    }
    vec![Command::Open { path: hit.path.clone(), line: hit.line }]
}

pub(super) fn copy(model: &mut Model) -> Vec<Command> {
    let Some(hit) = model.selected_hit() else {
        return Vec::new();
    };
    let place = hit.located(&hit.path);
    let short = text::short_path(&place, &model.settings.cwd, model.settings.home.as_deref());
    model.notice = Some(Notice::note(format!("copied {short}")));
    vec![Command::Copy(place)]
}

/// Asks for the selected hit's preview unless it is the one already asked for.
pub(super) fn want_preview(model: &mut Model) -> Vec<Command> {
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
    model.preview.get_or_insert_with(|| Preview::of_snippet(&hit, None));
    if hit.converted {
        // What was read from the file is in the index alone.
        model.preview = Some(Preview::of_snippet(&hit, None));
        let id = model.next_id;
        model.next_id += 1;
        model.reading = Some(id);
        return vec![Command::Send(Request::Read { id, path, byte_start })];
    }
    vec![Command::Preview(Box::new(hit))]
}
