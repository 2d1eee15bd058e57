//! What the keys do to the preview, and what is read for it.

use crate::explain;
use crate::layout;
use crate::message::Command;
use crate::model::{Focus, Model, Notice};
use crate::preview::{Passage, Preview};

/// Up and Down move the other pane from now on.
pub(super) fn focus(model: &mut Model) {
    model.focus = match model.focus {
        // An empty pane has nothing to move.
        Focus::Results if model.preview.is_some() => Focus::Preview,
        Focus::Results | Focus::Preview => Focus::Results,
    };
}

/// Shows previews as their files are written, or as they are meant.
pub(super) fn toggle_raw(model: &mut Model) {
    model.raw = !model.raw;
    let told = if model.raw { "as it is written" } else { "as it is meant" };
    model.notice = Some(Notice::note(format!("the preview is {told}")));
    if let Some(preview) = &mut model.preview {
        preview.show_raw(model.raw);
    }
}

/// Moves the preview by so many rows of the screen.
pub(super) fn scroll(model: &mut Model, rows: isize) {
    let size = layout::preview_size(model);
    if let Some(top) = model.explain {
        model.explain = Some(top.saturating_add_signed(rows).min(explain::last_top(model)));
        return;
    }
    if let Some(preview) = &mut model.preview {
        preview.scroll(rows, size);
    }
}

/// Moves it by what is seen, but for a row that is seen again.
pub(super) fn page(model: &mut Model, direction: isize) {
    let (_, height) = layout::preview_size(model);
    let rows = isize::try_from(height.saturating_sub(1)).unwrap_or(1).max(1);
    scroll(model, direction * rows);
}

/// To its first or last row.
pub(super) fn go(model: &mut Model, last: bool) {
    let size = layout::preview_size(model);
    if model.explain.is_some() {
        model.explain = Some(if last { explain::last_top(model) } else { 0 });
        return;
    }
    if let Some(preview) = &mut model.preview {
        preview.scroll_to_end(last, size);
    }
}

/// The daemon's passages around the one that is wanted.
pub(super) fn heard(model: &mut Model, passages: &[daemon_protocol::Passage]) {
    let wanted = model.wanted.clone();
    let preview = wanted.and_then(|wanted| Preview::passages(wanted, passages));
    model.preview = preview.or(model.preview.take());
}

/// The file of `passage` takes its time: meanwhile its snippet is better than the file before.
pub(super) fn late(model: &mut Model, passage: &Passage) {
    let read = |preview: &Preview| preview.passage == *passage && !preview.snippet;
    if model.wanted.as_ref() != Some(passage) || model.preview.as_ref().is_some_and(read) {
        return;
    }
    let problem = Some("its file takes long to be read".to_owned());
    model.preview = model.selected_hit().map(|hit| Preview::of_snippet(hit, problem));
}

/// Has code painted that is seen and is not painted yet.
pub(super) fn want_paint(model: &mut Model) -> Option<Command> {
    if !model.settings.paints {
        return None;
    }
    let (width, height) = layout::preview_size(model);
    let preview = model.preview.as_mut()?;
    let part = preview.unpainted(width, height)?;
    let id = model.next_id;
    model.next_id += 1;
    Some(Command::Paint(preview.begin_painting(part, id)))
}
