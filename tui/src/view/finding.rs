//! The questions asked before, searched: over everything but the status.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::{Theme, titled};
use crate::model::{Finding, Model};
use tui_text as text;

const SIGN: &str = "asked before › ";
const SIGN_CELLS: u16 = 15;

pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    model: &Model,
    finding: &Finding,
    theme: Theme,
) {
    let [prompt, list, _status] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)])
            .areas(area);
    frame.render_widget(Clear, prompt);
    frame.render_widget(Clear, list);
    let room = prompt.width.saturating_sub(SIGN_CELLS);
    let (visible, column) = finding.pattern.window(usize::from(room));
    let line = Line::from(vec![Span::styled(SIGN, theme.accent()), Span::raw(visible)]);
    frame.render_widget(line, prompt);
    if room > 0 && prompt.height > 0 {
        let column = u16::try_from(column).unwrap_or(room);
        frame.set_cursor_position(Position::new(prompt.x + SIGN_CELLS + column, prompt.y));
    }
    let found = model.found();
    let count = text::counted(found.len(), "question");
    let title = format!(" {count} · Enter asks, Tab edits, Esc leaves ");
    let inner = titled(frame, list, Line::styled(title, theme.strong()), theme.dim());
    let height = usize::from(inner.height);
    let first = (finding.selected + 1).saturating_sub(height);
    let rows = found.iter().enumerate().skip(first).take(height).map(|(index, question)| {
        let selected = index == finding.selected;
        let question = text::fit_end(&text::cells(question), usize::from(inner.width).max(2) - 2);
        let (bar, style) = if selected { ("▌ ", theme.accent()) } else { ("  ", theme.dim()) };
        let style_text = if selected { theme.strong() } else { ratatui::style::Style::new() };
        Line::from(vec![Span::styled(bar, style), Span::styled(question, style_text)])
    });
    frame.render_widget(Paragraph::new(rows.collect::<Vec<_>>()), inner);
}
