//! The key table, over everything else.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::Theme;
use crate::keys::TABLE;
use crate::layout;

/// Cells of the key column, its gap included.
const KEYS_CELLS: usize = 17;

/// The table from row `top` on.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, top: usize, theme: Theme) {
    let row = |binding: &crate::keys::Binding| {
        Line::from(vec![
            Span::styled(format!(" {:<KEYS_CELLS$}", binding.label), theme.strong()),
            Span::raw(binding.does),
        ])
    };
    let (popup, below) = layout::help(area);
    let top = top.min(below);
    let rows: Vec<Line<'_>> = TABLE.iter().skip(top).map(row).collect();
    let title = match below {
        0 => " keys · any key closes ".to_owned(),
        _ => format!(" keys {}/{} · Up, Down; others close ", top + 1, below + 1),
    };
    let block = Block::bordered().title(title).border_style(theme.accent());
    frame.render_widget(Clear, popup);
    frame.render_widget(Paragraph::new(rows).block(block), popup);
}
