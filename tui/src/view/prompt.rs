//! The query line and the cursor in it.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::Theme;
use crate::model::Model;

const SIGN: &str = "› ";
const SIGN_CELLS: u16 = 2;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: Theme) {
    let room = area.width.saturating_sub(SIGN_CELLS);
    let (visible, column) = model.query.window(usize::from(room));
    let text = if model.query.text().is_empty() && room > 0 {
        Span::styled("ask your folders anything", theme.dim())
    } else {
        Span::raw(visible)
    };
    frame.render_widget(Line::from(vec![Span::styled(SIGN, theme.accent()), text]), area);
    if room > 0 && area.height > 0 && model.help.is_none() && model.finding.is_none() {
        let column = u16::try_from(column).unwrap_or(room);
        frame.set_cursor_position(Position::new(area.x + SIGN_CELLS + column, area.y));
    }
}
