//! The file around the selected passage, whose lines carry a bar.

use std::collections::BTreeSet;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use super::{Theme, titled};
use crate::face::Faces;
use crate::keys::Action;
use crate::layout::{self, GUTTER_CELLS};
use crate::model::{Focus, Model};
use crate::page::{Leaf, Picture};
use crate::preview::Preview;
use tui_text as text;

/// `alone` says that it is in the place of the results.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: Theme, alone: bool) {
    let style = if model.focus == Focus::Preview { theme.strong() } else { theme.dim() };
    let leaf = layout::leaf(model);
    let drawn = leaf.and_then(|leaf| leaf.drawn.as_ref());
    let picture = drawn.and_then(|drawn| drawn.as_ref().ok());
    let path = match (leaf.filter(|_| picture.is_some()), &model.preview) {
        (Some(leaf), _) => &leaf.sheet.path,
        (None, Some(preview)) => &preview.passage.path,
        (None, None) => {
            titled(frame, area, Line::styled(" preview ", style), theme.dim());
            return;
        }
    };
    let home = model.settings.home.as_deref();
    let path = text::short_path(path, &model.settings.cwd, home);
    let mut after = match leaf {
        Some(Leaf { drawn: None, sheet, .. }) => format!("· drawing page {} ", sheet.page),
        Some(Leaf { sheet, .. }) => format!("· page {} ", sheet.page),
        None => String::new(),
    };
    let key = model.key(Action::Focus);
    if alone && !key.is_empty() {
        after += &format!("· {key}: results ");
    }
    let room = usize::from(area.width).saturating_sub(2 + after.width());
    let title = format!(" {} {after}", text::fit_start(&path, room));
    let mut inner = titled(frame, area, Line::styled(title, style), theme.dim());
    if let Some(picture) = picture {
        lay(frame, inner, picture.as_ref());
        return;
    }
    let Some(preview) = &model.preview else { return };
    let undrawn = drawn.and_then(|drawn| drawn.as_ref().err());
    let undrawn = undrawn.map(|problem| format!("no picture: {}", text::cells(problem)));
    let only = preview.problem.as_ref();
    let only = only.map(|problem| format!("only the snippet: {}", text::cells(problem)));
    if let Some(told) = undrawn.or(only) {
        let row = Line::styled(text::fit_end(&told, usize::from(inner.width)), theme.bad());
        let [first, rest] =
            Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
        frame.render_widget(row, first);
        inner = rest;
    }
    frame.render_widget(Paragraph::new(rows(preview, inner, &model.words, theme)), inner);
}

/// Draws a picture in the middle, if it fits, as it does unless its terminal has another idea of its size.
fn lay(frame: &mut Frame<'_>, area: Rect, picture: &dyn Picture) {
    let size = picture.size();
    if size.width <= area.width && size.height <= area.height {
        let left = (area.width - size.width) / 2;
        let place = Rect { x: area.x + left, width: size.width, height: size.height, ..area };
        picture.draw(place, frame.buffer_mut());
    }
}

/// The rows that are seen, with the `words` that were searched for marked in them.
fn rows(
    preview: &Preview,
    area: Rect,
    words: &BTreeSet<String>,
    theme: Theme,
) -> Vec<Line<'static>> {
    let height = usize::from(area.height);
    let width = usize::from(area.width).saturating_sub(GUTTER_CELLS);
    let top = preview.top(width);
    let mut rows: Vec<Line<'_>> = Vec::with_capacity(height);
    for (index, line) in preview.lines.iter().enumerate().skip(top.line) {
        if rows.len() >= height {
            break;
        }
        let bar = if line.matched { "▎ " } else { "  " };
        let above = if index == top.line { top.row } else { 0 };
        let (whole, faces) = preview.shown(index);
        let mut at = 0;
        for (part, text) in preview.rows(index, width).iter().enumerate() {
            // Wrapping leaves out blanks between rows and nothing else.
            let start = whole[at..].find(text.as_str()).map_or(at, |offset| at + offset);
            at = start + text.len();
            if part < above {
                continue;
            }
            let number = line.number.filter(|_| part == 0);
            let number = number.map_or(String::new(), |number| number.to_string());
            let mut row = Line::from(vec![
                Span::styled(format!("{number:>5}"), theme.dim()),
                Span::styled(bar, theme.matched()),
            ]);
            let plain = if line.matched { theme.strong() } else { Style::new() };
            for (text, faces) in pieces(text, start, faces) {
                mark(&mut row, text, words, plain.patch(style(faces, theme)), theme.matched());
            }
            rows.push(row);
        }
    }
    rows.truncate(height);
    rows
}

/// A row that begins at byte `start` of its line, cut where it begins to look otherwise.
fn pieces<'a>(
    row: &'a str,
    start: usize,
    faces: &[(usize, usize, Faces)],
) -> Vec<(&'a str, Faces)> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for (from, to, faces) in faces {
        let from = from.saturating_sub(start).clamp(at, row.len());
        let to = to.saturating_sub(start).clamp(from, row.len());
        pieces.push((&row[at..from], Faces::PLAIN));
        pieces.push((&row[from..to], *faces));
        at = to;
    }
    pieces.push((&row[at..], Faces::PLAIN));
    pieces.retain(|(text, _)| !text.is_empty());
    pieces
}

fn style(faces: Faces, theme: Theme) -> Style {
    let mut style = Style::new();
    let modifiers = [
        (Faces::HEADING, Modifier::BOLD),
        (Faces::STRONG, Modifier::BOLD),
        (Faces::EMPHASIS, Modifier::ITALIC),
        (Faces::STRUCK, Modifier::CROSSED_OUT),
        (Faces::LINK, Modifier::UNDERLINED),
        (Faces::ASIDE, Modifier::DIM),
    ];
    for (face, modifier) in modifiers {
        if faces.has(face) {
            style = style.add_modifier(modifier);
        }
    }
    if faces.has(Faces::HEADING) {
        style = style.patch(theme.accent());
    } else if faces.has(Faces::CODE) {
        style = style.patch(theme.good());
    }
    let inks =
        [Faces::COMMENT, Faces::KEYWORD, Faces::TEXT, Faces::NUMBER, Faces::FUNCTION, Faces::TYPE];
    match inks.into_iter().find(|ink| faces.has(*ink)) {
        Some(ink) => style.patch(theme.code(ink)),
        None => style,
    }
}

/// Adds `text` to `row`, in `matched` style where it is one of `words` and `plain` elsewhere.
fn mark(
    row: &mut Line<'static>,
    text: &str,
    words: &BTreeSet<String>,
    plain: Style,
    matched: Style,
) {
    let mut at = 0;
    for (start, word) in text::words(text) {
        if words.contains(&word.to_lowercase()) {
            row.push_span(Span::styled(text[at..start].to_owned(), plain));
            row.push_span(Span::styled(word.to_owned(), matched));
            at = start + word.len();
        }
    }
    row.push_span(Span::styled(text[at..].to_owned(), plain));
}
