//! The wheel and clicks: what is under the pointer is what they mean.

use ratatui::layout::{Position, Rect};

use crate::layout::{self, Panes};
use crate::message::Command;
use crate::model::{Focus, Model};
use crate::update::{preview, results};

/// Rows of the preview a turn of the wheel moves.
const WHEEL_ROWS: isize = 3;

/// A turn of the wheel over a cell, down if `by` is positive.
pub(super) fn wheel(model: &mut Model, at: Position, by: isize) -> Vec<Command> {
    if let Some(top) = model.help {
        let below = layout::help(screen(model), &model.settings.keys).below;
        model.help = Some(top.saturating_add_signed(by).min(below));
        return Vec::new();
    }
    let Panes { results, preview, .. } = layout::of(model);
    if preview.is_some_and(|pane| pane.contains(at)) {
        preview::scroll(model, by * WHEEL_ROWS);
    } else if results.is_some_and(|pane| pane.contains(at)) && !model.rows.is_empty() {
        return results::step(model, by);
    }
    Vec::new()
}

/// A click selects a result, or has the keys move the preview.
pub(super) fn click(model: &mut Model, at: Position) -> Vec<Command> {
    let closed = model.help.take().is_some() | model.palette.take().is_some();
    if closed | model.finding.take().is_some() {
        return Vec::new();
    }
    let Panes { results, preview, .. } = layout::of(model);
    if preview.is_some_and(|pane| pane.contains(at)) && model.preview.is_some() {
        model.focus = Focus::Preview;
    }
    let Some(pane) = results.filter(|pane| pane.contains(at)) else { return Vec::new() };
    model.focus = Focus::Results;
    // Its first row is the title.
    let (height, _) = layout::results(pane.height.saturating_sub(1));
    let Some(row) = at.y.checked_sub(pane.y + 1) else { return Vec::new() };
    let index = model.top + usize::from(row / height);
    if index < model.rows.len() { results::to(model, index) } else { Vec::new() }
}

fn screen(model: &Model) -> Rect {
    let (width, height) = model.size;
    Rect::new(0, 0, width, height)
}
