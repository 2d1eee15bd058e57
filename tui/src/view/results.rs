//! The ranked passages: place, heading, score, and a snippet with the matching words marked.

use daemon_protocol::{Phase, Stage};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Paragraph, Wrap};
use unicode_width::UnicodeWidthStr;

use super::{Theme, titled};
use crate::keys::Action;
use crate::layout;
use crate::model::{AskPhase, Connection, Focus, Model, Moved, Row};
use crate::snippet::{self, Cut, Piece};
use tui_text as text;

/// Cells left of a result: the selection's bar.
const BAR_CELLS: u16 = 2;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: Theme) {
    let style = if model.focus == Focus::Results { theme.strong() } else { theme.dim() };
    let inner = titled(frame, area, Line::styled(title(model), style), theme.dim());
    if model.rows.is_empty() {
        let text = Paragraph::new(Line::styled(empty(model), theme.dim()));
        return frame.render_widget(text.wrap(Wrap { trim: true }), inner);
    }
    let (row_height, fitting) = layout::results(inner.height);
    let areas = Layout::vertical(vec![Constraint::Length(row_height); fitting]).split(inner);
    for ((index, row), area) in model.rows.iter().enumerate().skip(model.top).zip(areas.iter()) {
        draw_row(frame, *area, model, theme, index, row);
    }
}

fn title(model: &Model) -> String {
    let count = text::counted(model.rows.len(), "result");
    if let Some(of) = model.liked() {
        let back = model.key(Action::Escape);
        return format!(" {count} like {of} · {back}: back ");
    }
    let Some(asking) = &model.asking else {
        return match (model.rows.is_empty(), model.thinking) {
            (true, _) => " results ".to_owned(),
            (false, true) => format!(" {count} as you type · Enter thinks "),
            (false, false) => format!(" {count} as you type "),
        };
    };
    let Some(stage) = asking.stage else {
        return if asking.phase == AskPhase::Running {
            " searching… ".to_owned()
        } else {
            " results ".to_owned()
        };
    };
    if model.before {
        let key = model.key(Action::Before);
        return format!(" {count} · before, by searching alone · {key}: after ");
    }
    match (stage, asking.busy()) {
        (Stage::Final, _) => format!(" {count} "),
        (Stage::Draft, true) if asking.thinks() => format!(" {count} · draft, still thinking… "),
        (Stage::Draft, _) => format!(" {count} · draft "),
        (Stage::Read, true) if asking.thinks() => format!(" {count} · read, still thinking… "),
        (Stage::Read, _) => format!(" {count} · read "),
    }
}

/// What stands in place of results.
fn empty(model: &Model) -> String {
    let indexing = model.index.as_ref().is_some_and(|index| index.phase != Phase::Idle);
    let phase = model.asking.as_ref().map(|asking| &asking.phase);
    let typed =
        phase.is_none() && !model.instant.text.is_empty() && model.instant.pending.is_none();
    let unwatched = model.daemon.as_ref().is_some_and(|daemon| daemon.folders.is_empty());
    if model.liked().is_some() {
        return "there is nothing like it".to_owned();
    }
    match phase {
        Some(AskPhase::Waiting) => "waiting for the daemon…",
        Some(AskPhase::Running) => "searching…",
        Some(AskPhase::Failed) => "there was no answer; Enter asks again",
        Some(AskPhase::Cancelled) => "cancelled; Enter asks again",
        _ if unwatched => "no folder is watched yet; run: fore add DIR",
        Some(AskPhase::Done(_)) if indexing => "nothing found so far; indexing is still under way",
        Some(AskPhase::Done(_)) => "nothing found",
        None if typed => "nothing found as you type; Enter thinks about it",
        None => match model.connection {
            Connection::Up { .. } => "type a question and press Enter",
            Connection::Connecting { .. } => {
                "connecting to the daemon, which may have to load its model; you can type meanwhile"
            }
            Connection::Lost => "no daemon answers; F5 or a question calls it again",
        },
    }
    .to_owned()
}

fn draw_row(
    frame: &mut Frame<'_>,
    area: Rect,
    model: &Model,
    theme: Theme,
    index: usize,
    row: &Row,
) {
    let selected = index == model.selected;
    let [bar, body] =
        Layout::horizontal([Constraint::Length(BAR_CELLS), Constraint::Fill(1)]).areas(area);
    if selected {
        let bars = vec![Line::styled("▌", theme.accent()); usize::from(bar.height)];
        frame.render_widget(Text::from(bars), bar);
    }
    let [head, snippet_area] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(body);
    frame.render_widget(head_line(model, theme, index, row, head.width), head);
    let (width, height) = (usize::from(snippet_area.width), usize::from(snippet_area.height));
    let cuts = row.snippet.get((width, height), || snippet::cut(&row.hit, width, height));
    let style = |piece: &Piece| if piece.matched { theme.matched() } else { Style::new() };
    let spans = |cut: &Cut| -> Line<'static> {
        cut.iter().map(|piece| Span::styled(piece.text.clone(), style(piece))).collect()
    };
    frame.render_widget(Text::from_iter(cuts.iter().map(spans)), snippet_area);
}

/// `1 ▲2 notes/git.md:14  Git > Rebase      0.031`; the heading gives way first.
fn head_line(model: &Model, theme: Theme, index: usize, row: &Row, width: u16) -> Line<'static> {
    let hit = &row.hit;
    let rank = format!("{} ", index + 1);
    let (marked, marked_style) = match hit.marked {
        Some(true) => ("✓ ", theme.good()),
        Some(false) => ("✗ ", theme.bad()),
        None => ("", Style::new()),
    };
    let also = match hit.also.len() {
        0 => String::new(),
        count => format!(" +{count}"),
    };
    let (moved, moved_style) = match row.moved {
        Moved::Unknown | Moved::Kept => (String::new(), Style::new()),
        Moved::Up(by) => (format!("▲{by} "), theme.good()),
        Moved::Down(by) => (format!("▼{by} "), theme.bad()),
        Moved::New => ("new ".to_owned(), theme.accent()),
        Moved::To(rank) if rank <= index => (format!("→{rank} "), theme.good()),
        Moved::To(rank) => (format!("→{rank} "), theme.bad()),
        Moved::Gone => ("gone ".to_owned(), theme.bad()),
    };
    let score = format!(" {:.3}", hit.score);
    let fixed = rank.width() + moved.width() + marked.width() + also.width() + score.width();
    let room = usize::from(width).saturating_sub(fixed);
    let home = model.settings.home.as_deref();
    let path = text::short_path(&hit.path, &model.settings.cwd, home);
    let place = text::fit_start(&text::cells(&hit.located(&path)).replace('\n', " "), room);
    let left = room.saturating_sub(place.width());
    let heading = text::cells(&hit.heading).replace('\n', " ");
    let heading = if heading.is_empty() { heading } else { format!("  {heading}") };
    let heading = text::fit_end(&heading, left);
    let gap = " ".repeat(left.saturating_sub(heading.width()));
    let place_style = if index == model.selected { theme.accent() } else { theme.strong() };
    Line::from(vec![
        Span::styled(rank, theme.dim()),
        Span::styled(moved, moved_style),
        Span::styled(marked, marked_style),
        Span::styled(place, place_style),
        Span::styled(also, theme.accent()),
        Span::styled(heading, theme.dim()),
        Span::raw(gap),
        Span::styled(score, theme.dim()),
    ])
}
