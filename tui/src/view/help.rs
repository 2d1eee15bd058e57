//! The key table, over everything else.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::Theme;
use crate::layout::{self, Help, HelpRow};
use crate::model::Model;

/// The table from row `top` on.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, top: usize, theme: Theme) {
    let Help { popup, rows, keys_cells, below } = layout::help(area, &model.settings.keys);
    let top = top.min(below);
    let row = |HelpRow { keys, essential, does }| {
        let style = if essential { theme.accent() } else { theme.strong() };
        let keys = Span::styled(format!(" {keys:<keys_cells$}"), style);
        Line::from(vec![keys, Span::raw(does)])
    };
    let rows: Vec<Line<'_>> = rows.into_iter().skip(top).map(row).collect();
    let title = match below {
        0 if model.settings.keys.vi => " keys · Esc closes ".to_owned(),
        0 => " keys · any key closes ".to_owned(),
        _ => format!(" keys {}/{} · Up, Down; others close ", top + 1, below + 1),
    };
    let block = Block::bordered().title(title).border_style(theme.accent());
    frame.render_widget(Clear, popup);
    frame.render_widget(Paragraph::new(rows).block(block), popup);
}
