//! The file around the selected passage, whose lines carry a bar.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{Theme, titled};
use crate::model::{Focus, Model};
use tui_text as text;

/// Cells left of the text: line number, bar, blank.
const GUTTER_CELLS: usize = 7;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: Theme) {
    let style = if model.focus == Focus::Preview { theme.strong() } else { theme.dim() };
    let Some(preview) = &model.preview else {
        titled(frame, area, Line::styled(" preview ", style), theme.dim());
        return;
    };
    let home = model.settings.home.as_deref();
    let path = text::short_path(&preview.passage.path, &model.settings.cwd, home);
    let title = format!(" {} ", text::fit_start(&path, usize::from(area.width).saturating_sub(2)));
    let inner = titled(frame, area, Line::styled(title, style), theme.dim());
    let height = usize::from(inner.height);
    let width = usize::from(inner.width).saturating_sub(GUTTER_CELLS);
    let mut rows: Vec<Line<'_>> = Vec::with_capacity(height);
    if let Some(problem) = &preview.problem {
        let told = format!("only the snippet: {}", text::cells(problem));
        rows.push(Line::styled(text::fit_end(&told, usize::from(inner.width)), theme.bad()));
    }
    for line in preview.lines.iter().skip(preview.top) {
        if rows.len() >= height {
            break;
        }
        let bar = if line.matched { "▎ " } else { "  " };
        for (part, text) in text::wrap(&line.text, width).into_iter().enumerate() {
            let number = line.number.filter(|_| part == 0);
            let number = number.map_or(String::new(), |number| number.to_string());
            rows.push(Line::from(vec![
                Span::styled(format!("{number:>5}"), theme.dim()),
                Span::styled(bar, theme.matched()),
                Span::styled(text, if line.matched { theme.strong() } else { Style::new() }),
            ]));
        }
    }
    rows.truncate(height);
    frame.render_widget(Paragraph::new(rows), inner);
}
