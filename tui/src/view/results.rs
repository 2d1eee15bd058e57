//! The ranked passages: place, heading, score, and a snippet with the matching words marked.

use daemon_protocol::{Hit, Phase, Stage};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Paragraph, Wrap};
use unicode_width::UnicodeWidthStr;

use super::{Theme, titled};
use crate::model::{AskPhase, Connection, Focus, Model, Moved, Row};
use tui_text as text;

/// From this many rows on a snippet gets two.
const ROOMY_HEIGHT_MIN: u16 = 15;
/// Cells left of a result: the selection's bar.
const BAR_CELLS: u16 = 2;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: Theme) {
    let style = if model.focus == Focus::Results { theme.strong() } else { theme.dim() };
    let inner = titled(frame, area, Line::styled(title(model), style), theme.dim());
    if model.rows.is_empty() {
        let text = Paragraph::new(Line::styled(empty(model), theme.dim()));
        return frame.render_widget(text.wrap(Wrap { trim: true }), inner);
    }
    let snippet_rows = if inner.height >= ROOMY_HEIGHT_MIN { 2 } else { 1 };
    let row_height = 1 + snippet_rows;
    let fitting = usize::from(inner.height / row_height).max(1);
    // The page turns by single results, just as far as the selection needs.
    let first = (model.selected + 1).saturating_sub(fitting);
    let areas = Layout::vertical(vec![Constraint::Length(row_height); fitting]).split(inner);
    for ((index, row), area) in model.rows.iter().enumerate().skip(first).zip(areas.iter()) {
        draw_row(frame, *area, model, theme, index, row);
    }
}

fn title(model: &Model) -> String {
    let stage = model.asking.as_ref().and_then(|asking| asking.stage.map(|stage| (stage, asking)));
    let Some((stage, asking)) = stage else { return " results ".to_owned() };
    let count = text::counted(model.rows.len(), "result");
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
    let unwatched = model.daemon.as_ref().is_some_and(|daemon| daemon.folders.is_empty());
    match phase {
        Some(AskPhase::Waiting | AskPhase::Running) => "searching…",
        Some(AskPhase::Failed) => "there was no answer; Enter asks again",
        Some(AskPhase::Cancelled) => "cancelled; Enter asks again",
        _ if unwatched => "no folder is watched yet; run: fore add DIR",
        Some(AskPhase::Done(_)) if indexing => "nothing found so far; indexing is still under way",
        Some(AskPhase::Done(_)) => "nothing found",
        None if matches!(model.connection, Connection::Up) => "type a question and press Enter",
        None => "the daemon is gone; a question starts it again",
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
    let [head, snippet] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(body);
    frame.render_widget(head_line(model, theme, index, row, head.width), head);
    let room = usize::from(snippet.width) * usize::from(snippet.height);
    let text = Paragraph::new(Line::from(snippet_spans(&row.hit, theme, room)));
    frame.render_widget(text.wrap(Wrap { trim: true }), snippet);
}

/// `1 ↑2 notes/git.md:14  Git > Rebase      0.031`; the heading gives way first.
fn head_line(model: &Model, theme: Theme, index: usize, row: &Row, width: u16) -> Line<'static> {
    let hit = &row.hit;
    let rank = format!("{} ", index + 1);
    let (moved, moved_style) = match row.moved {
        Moved::Unknown | Moved::Kept => (String::new(), Style::new()),
        Moved::Up(by) => (format!("↑{by} "), theme.good()),
        Moved::Down(by) => (format!("↓{by} "), theme.bad()),
        Moved::New => ("new ".to_owned(), theme.accent()),
    };
    let score = format!(" {:.3}", hit.score);
    let fixed = rank.width() + moved.width() + score.width();
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
        Span::styled(place, place_style),
        Span::styled(heading, theme.dim()),
        Span::raw(gap),
        Span::styled(score, theme.dim()),
    ])
}

/// The snippet on one line, its matches marked, begun late if else the first one were not seen
/// within `room` cells.
fn snippet_spans(hit: &Hit, theme: Theme, room: usize) -> Vec<Span<'static>> {
    let snippet = hit.snippet.as_str();
    let start = snippet_start(hit, room);
    let mut spans = Vec::new();
    if start > 0 {
        spans.push(Span::styled("… ", theme.dim()));
    }
    let mut at = start;
    for &(from, to) in &hit.highlights {
        // Ranges come over the wire: only those that cut the text at characters count.
        if let (Some(plain), Some(matched)) = (snippet.get(at..from), snippet.get(from..to)) {
            spans.push(Span::raw(flow(plain)));
            spans.push(Span::styled(flow(matched), theme.matched()));
            at = to;
        }
    }
    spans.push(Span::raw(flow(snippet.get(at..).unwrap_or_default())));
    spans
}

/// Where the snippet is to begin: at its start, or a few words before the first match.
fn snippet_start(hit: &Hit, room: usize) -> usize {
    let Some(&(first, end)) = hit.highlights.first() else { return 0 };
    let Some(before) = hit.snippet.get(..first) else { return 0 };
    // Wrapping wastes the ends of rows, hence the slack of a third.
    if hit.snippet.get(..end).unwrap_or(before).width() <= room * 2 / 3 {
        return 0;
    }
    let lead = before.char_indices().rev().take(room / 4).last().map_or(first, |(at, _)| at);
    before[lead..].find(char::is_whitespace).map_or(lead, |blank| lead + blank + 1)
}

/// Text as one line: every run of blanks and line ends is one space.
fn flow(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text::cells(text).chars() {
        match character {
            blank if blank.is_whitespace() => {
                if !line.ends_with(' ') {
                    line.push(' ');
                }
            }
            other => line.push(other),
        }
    }
    line
}
