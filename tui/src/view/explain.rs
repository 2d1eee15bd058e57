//! Why the selected result stands where it does, in the place of the preview.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use super::{Theme, titled};
use crate::explain::{self, LABEL_CELLS, Told, Tone};
use crate::keys::{Action, Judge};
use crate::model::Model;
use tui_text as text;

/// From row `top` on.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, top: usize, theme: Theme) {
    let of = model.selected_hit().map_or_else(String::new, |hit| {
        let path = hit.located(&hit.path);
        text::short_path(&path, &model.settings.cwd, model.settings.home.as_deref())
    });
    let back = format!("· {}: back ", model.key(Action::Judge(Judge::Explain)));
    let room = usize::from(area.width).saturating_sub(6 + back.width());
    let title = format!(" why {} {back}", text::fit_start(&of, room));
    let inner = titled(frame, area, Line::styled(title, theme.accent()), theme.dim());
    let rows = explain::rows(model, usize::from(inner.width));
    let top = top.min(rows.len().saturating_sub(usize::from(inner.height)));
    let line = |Told { about, said, tone }: Told| {
        let style = match tone {
            Tone::Plain => Style::new(),
            Tone::Good => theme.good(),
            Tone::Bad => theme.bad(),
        };
        let about = Span::styled(format!("{about:<LABEL_CELLS$}"), theme.dim());
        Line::from(vec![about, Span::styled(said, style)])
    };
    let lines: Vec<Line<'_>> = rows.into_iter().skip(top).map(line).collect();
    frame.render_widget(Paragraph::new(lines), inner);
}
