//! The thoughts as they come: side by side where there is room, each scrolled to its end.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Theme, titled};
use crate::keys::{Action, Steer};
use crate::model::{AskPhase, Asking, Model, Thought};
use tui_text as text;

/// Narrower columns would break most lines after three words.
const COLUMN_CELLS_MIN: usize = 26;
/// Cells of the number before a thought.
const NUMBER_CELLS: usize = 3;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: Theme) {
    let Some(asking) = model.asking.as_ref().filter(|asking| asking.thinks()) else {
        return;
    };
    let busy = asking.busy();
    let style = if busy { theme.accent() } else { theme.dim() };
    let title = Line::styled(title(model, asking, theme.spinner(model.spin)), style);
    let inner = titled(frame, area, title, theme.dim());
    // A pane for the thoughts announced, so that the columns stand still, or for those there are.
    let announced = asking.ask.thoughts.unwrap_or(0) + asking.ask.given.len();
    let count = asking.thoughts.len().max(announced);
    let beside = count > 0 && usize::from(inner.width) / count >= COLUMN_CELLS_MIN;
    // Rows are too few to stack thoughts in: the current one gets them all.
    let shown = if beside { 0..count } else { asking.current..asking.current + 1 };
    let columns =
        Layout::horizontal(shown.clone().map(|_| Constraint::Fill(1))).spacing(1).split(inner);
    for (index, column) in shown.zip(columns.iter()) {
        let Some(thought) = asking.thoughts.get(index) else { continue };
        let current = busy && index == asking.current;
        let style = if current { Style::new() } else { theme.dim() };
        let kept = model.pinned.iter().any(|pinned| pinned == thought.text.trim());
        draw_one(frame, *column, (index, kept), thought, style);
    }
}

fn draw_one(
    frame: &mut Frame<'_>,
    area: Rect,
    (index, kept): (usize, bool),
    thought: &Thought,
    style: Style,
) {
    let width = usize::from(area.width).saturating_sub(NUMBER_CELLS);
    let rows = thought.rows.end(&thought.text, width, usize::from(area.height));
    let lines: Vec<Line<'_>> = rows
        .into_iter()
        .enumerate()
        .map(|(row, text)| {
            let number = if row == 0 {
                format!(
                    "{:<NUMBER_CELLS$}",
                    format!("{}{}", index + 1, if kept { "•" } else { "" })
                )
            } else {
                " ".repeat(NUMBER_CELLS)
            };
            Line::from(vec![Span::raw(number), Span::raw(text)]).style(style)
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), area);
}

fn title(model: &Model, asking: &Asking, spinner: char) -> String {
    let count = asking.thoughts.len();
    let enough = format!("{}: enough", model.key(Action::Steer(Steer::Enough)));
    match &asking.phase {
        AskPhase::Waiting => format!(" {spinner} waiting for the daemon "),
        AskPhase::Running if asking.enough => {
            format!(" {spinner} that is enough; ranking by what there is ")
        }
        AskPhase::Running if count == asking.ask.given.len() => {
            format!(" {spinner} thinking · {enough} ")
        }
        AskPhase::Running => {
            format!(" {spinner} thinking · thought {} · {enough} ", asking.current + 1)
        }
        AskPhase::Done(_) if count == 0 => " no thoughts ".to_owned(),
        AskPhase::Done(timings) if timings.thought_tokens == 0 => {
            format!(" {}, given ", text::counted(count, "thought"))
        }
        AskPhase::Done(timings) => format!(
            " {} · {} in {} ",
            text::counted(count, "thought"),
            text::counted(timings.thought_tokens, "token"),
            text::milliseconds(timings.think_ms)
        ),
        AskPhase::Cancelled => " thinking was cancelled ".to_owned(),
        AskPhase::Failed => " thinking was interrupted ".to_owned(),
    }
}
