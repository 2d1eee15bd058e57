//! The query line and the cursor in it; or the thought that is edited.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::Theme;
use crate::complete;
use crate::model::Model;
use tui_text as text;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: Theme) {
    let (sign, line) = match &model.editing {
        Some(editing) => ("thought › ", &editing.line),
        None => ("› ", &model.query),
    };
    let sign_cells = u16::try_from(sign.width()).unwrap_or(0);
    let room = area.width.saturating_sub(sign_cells);
    let (visible, column) = line.window(usize::from(room));
    let mut spans = vec![Span::styled(sign, theme.accent())];
    if line.text().is_empty() && room > 0 {
        let hint = match model.editing {
            Some(_) => "what would an answer say? Enter searches with it",
            None => "ask your folders anything",
        };
        spans.push(Span::styled(text::fit_end(hint, usize::from(room)), theme.dim()));
    } else {
        let left = usize::from(room).saturating_sub(visible.width());
        spans.push(Span::raw(visible));
        // What Right would add.
        let offer = complete::offer(model).unwrap_or_default();
        spans.push(Span::styled(text::fit_end(&text::cells(&offer), left), theme.dim()));
    }
    frame.render_widget(Line::from(spans), area);
    let is_covered = model.help.is_some() || model.finding.is_some() || model.palette.is_some();
    if room > 0 && area.height > 0 && !is_covered {
        let column = u16::try_from(column).unwrap_or(room);
        frame.set_cursor_position(Position::new(area.x + sign_cells + column, area.y));
    }
}
