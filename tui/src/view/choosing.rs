//! A list that is searched by typing, over everything but the status.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};
use unicode_width::UnicodeWidthStr;

use super::{Theme, titled};
use crate::keymap::Place;
use crate::keys::{Action, Judge};
use crate::model::{Finding, Model, Of};
use tui_text as text;

/// The questions asked before, or those that are saved.
pub(super) fn history(
    frame: &mut Frame<'_>,
    area: Rect,
    model: &Model,
    finding: &Finding,
    theme: Theme,
) {
    let found = model.found();
    let count = text::counted(found.len(), "question");
    let remove = model.settings.keys.key(Action::Judge(Judge::Wrong), Place::Line { empty: false });
    let (sign, more) = match finding.of {
        Of::Asked => ("asked before › ", String::new()),
        Of::Saved if remove.is_empty() => ("saved › ", String::new()),
        Of::Saved => ("saved › ", format!(" {remove} removes,")),
    };
    let title = format!(" {count} · Enter asks, Tab edits,{more} Esc leaves ");
    let rows = found.into_iter().map(|found| match found.name {
        Some(name) => (name.to_owned(), text::cells(found.question)),
        None => (found.question.to_owned(), String::new()),
    });
    draw(frame, area, (sign, title), finding, rows.collect(), theme);
}

/// What can be done.
pub(super) fn palette(
    frame: &mut Frame<'_>,
    area: Rect,
    model: &Model,
    palette: &Finding,
    theme: Theme,
) {
    let offered = model.offered();
    let title = format!(" {} · Enter does it, Esc leaves ", text::counted(offered.len(), "action"));
    let rows = offered.into_iter().map(|bound| (bound.does.to_owned(), bound.label.clone()));
    draw(frame, area, ("do › ", title), palette, rows.collect(), theme);
}

/// `rows` as text and, at the right, a note.
fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    (sign, title): (&'static str, String),
    finding: &Finding,
    rows: Vec<(String, String)>,
    theme: Theme,
) {
    let [prompt, list, _status] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)])
            .areas(area);
    frame.render_widget(Clear, prompt);
    frame.render_widget(Clear, list);
    let sign_cells = u16::try_from(sign.width()).unwrap_or(0);
    let room = prompt.width.saturating_sub(sign_cells);
    let (visible, column) = finding.pattern.window(usize::from(room));
    let line = Line::from(vec![Span::styled(sign, theme.accent()), Span::raw(visible)]);
    frame.render_widget(line, prompt);
    if room > 0 && prompt.height > 0 {
        let column = u16::try_from(column).unwrap_or(room);
        frame.set_cursor_position(Position::new(prompt.x + sign_cells + column, prompt.y));
    }
    let inner = titled(frame, list, Line::styled(title, theme.strong()), theme.dim());
    let height = usize::from(inner.height);
    let first = (finding.selected + 1).saturating_sub(height);
    let width = usize::from(inner.width).saturating_sub(2);
    let rows = rows.iter().enumerate().skip(first).take(height).map(|(index, (said, note))| {
        let selected = index == finding.selected;
        // The note gives way first.
        let said = text::cells(said);
        let note = text::fit_end(note, width.saturating_sub(said.width() + 1));
        let said = text::fit_end(&said, width);
        let gap = " ".repeat(width.saturating_sub(said.width() + note.width()));
        let (bar, style) = if selected { ("▌ ", theme.accent()) } else { ("  ", theme.dim()) };
        let style_text = if selected { theme.strong() } else { Style::new() };
        Line::from(vec![
            Span::styled(bar, style),
            Span::styled(said, style_text),
            Span::raw(gap),
            Span::styled(note, theme.dim()),
        ])
    });
    frame.render_widget(Paragraph::new(rows.collect::<Vec<_>>()), inner);
}
