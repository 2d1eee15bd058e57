//! The key table, over everything else.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::Theme;
use crate::keys::TABLE;

/// Cells of the key column, its gap included.
const KEYS_CELLS: usize = 14;
/// Cells of the whole screen, its frame included.
const WIDTH: u16 = 57;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, theme: Theme) {
    let row = |binding: &crate::keys::Binding| {
        Line::from(vec![
            Span::styled(format!(" {:<KEYS_CELLS$}", binding.label), theme.strong()),
            Span::raw(binding.does),
        ])
    };
    let rows: Vec<Line<'_>> = TABLE.iter().map(row).collect();
    let height = u16::try_from(rows.len() + 2).unwrap_or(u16::MAX);
    let popup = area.centered(Constraint::Max(WIDTH), Constraint::Max(height));
    let block = Block::bordered().title(" keys · any key closes ").border_style(theme.accent());
    frame.render_widget(Clear, popup);
    frame.render_widget(Paragraph::new(rows).block(block), popup);
}
