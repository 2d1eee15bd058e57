//! The query line and the cursor in it; or the thought that is edited.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::Theme;
use crate::complete;
use crate::keys::Action;
use crate::model::Model;
use tui_text as text;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: Theme) {
    let (sign, line) = match (&model.editing, &model.naming) {
        (Some(editing), _) => ("thought › ", &editing.line),
        (None, Some(name)) => ("save as › ", name),
        // With vi keys: nothing is typed now.
        (None, None) if model.on_list => ("  ", &model.query),
        (None, None) => ("› ", &model.query),
    };
    let sign_cells = u16::try_from(sign.width()).unwrap_or(0);
    let room = area.width.saturating_sub(sign_cells);
    let (visible, column) = line.window(usize::from(room));
    let mut spans = vec![Span::styled(sign, theme.accent())];
    if line.text().is_empty() && room > 0 {
        let hint = match model.editing {
            Some(_) => "what would an answer say? Enter searches with it".to_owned(),
            None if model.naming.is_some() => "a name; Enter saves the question".to_owned(),
            None if model.on_list => format!("{} asks your folders", model.key(Action::Type)),
            None => "ask your folders anything".to_owned(),
        };
        spans.push(Span::styled(text::fit_end(&hint, usize::from(room)), theme.dim()));
    } else {
        let left = usize::from(room).saturating_sub(visible.width());
        spans.push(Span::raw(visible));
        // What Right would add.
        let offer = complete::offer(model).filter(|_| model.naming.is_none()).unwrap_or_default();
        spans.push(Span::styled(text::fit_end(&text::cells(&offer), left), theme.dim()));
    }
    frame.render_widget(Line::from(spans), area);
    let is_covered = model.help.is_some() || model.finding.is_some() || model.palette.is_some();
    let is_typed = model.editing.is_some() || model.naming.is_some() || !model.on_list;
    if room > 0 && area.height > 0 && !is_covered && is_typed {
        let column = u16::try_from(column).unwrap_or(room);
        frame.set_cursor_position(Position::new(area.x + sign_cells + column, area.y));
    }
}
