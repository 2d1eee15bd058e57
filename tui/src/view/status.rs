//! The bottom: what went wrong or was done, and below it how the daemon is.

use daemon_protocol::{IndexStatus, Phase, Timings, TrainingStatus};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use super::Theme;
use crate::keys::Action;
use crate::layout;
use crate::model::{AskPhase, Connection, Model, NoticeKind};
use tui_text as text;

const SEPARATOR: &str = " · ";
/// Cells for why the index cannot be written: the rest of the line is to be seen too.
const STORING_CELLS_MAX: usize = 40;
/// Cells for why indexing waits; the battery's reason has 35.
const WAITING_CELLS_MAX: usize = 60;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, theme: Theme) {
    let [above, bar] = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(area);
    if let Some(notice) = &model.notice {
        let style = match notice.kind {
            NoticeKind::Note => theme.dim(),
            NoticeKind::Error => theme.bad(),
        };
        let rows =
            layout::notice_rows(notice, area.width).into_iter().map(|row| Line::styled(row, style));
        frame.render_widget(Paragraph::new(rows.collect::<Vec<_>>()), above);
    }
    frame.render_widget(bar_line(model, theme, usize::from(bar.width)), bar);
}

/// As many of the parts as fit, the important ones first; one that does not fit is left out.
fn bar_line(model: &Model, theme: Theme, width: usize) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for (part, style) in parts(model, theme) {
        let separator = if used == 0 { "" } else { SEPARATOR };
        let part = if used == 0 { text::fit_end(&part, width) } else { part };
        if used + separator.width() + part.width() > width {
            continue;
        }
        used += separator.width() + part.width();
        spans.push(Span::styled(separator, theme.dim()));
        spans.push(Span::styled(part, style));
    }
    Line::from(spans)
}

fn parts(model: &Model, theme: Theme) -> Vec<(String, Style)> {
    let mut parts = Vec::new();
    match &model.connection {
        Connection::Up { .. } => {}
        Connection::Lost => parts.push(("no daemon".to_owned(), theme.bad())),
        Connection::Connecting { .. } => {
            let connecting = format!("{} connecting to the daemon", theme.spinner(model.spin));
            parts.push((connecting, theme.accent()));
        }
    }
    if model.on_list {
        parts.push((format!("{}: type", model.key(Action::Type)), theme.accent()));
    }
    if let Some(training) = &model.training {
        // Both are to fit beside each other on 80 columns.
        let brief = model.index.as_ref().is_some_and(|index| index.phase != Phase::Idle);
        parts.push((training_text(training, brief), theme.accent()));
    }
    if let Some(why) = model.index.as_ref().and_then(|index| index.storing.as_ref()) {
        let why = text::fit_end(&text::cells(&text::one_line(why)), STORING_CELLS_MAX);
        parts.push((format!("the index cannot be written: {why}"), theme.bad()));
    }
    if let Some(index) = &model.index {
        index_parts(index, theme, &mut parts);
    }
    if let Some(AskPhase::Done(timings)) = model.asking.as_ref().map(|asking| &asking.phase) {
        parts.push((timings_text(timings), Style::new()));
    }
    if !model.thinking {
        parts.push(("thinking off".to_owned(), theme.accent()));
    }
    let help = format!("{} help", model.key(Action::Help));
    parts.push((help, theme.dim()));
    if !model.pinned.is_empty() {
        let pinned = text::counted(model.pinned.len(), "thought");
        parts.push((format!("{pinned} kept"), theme.accent()));
    }
    if let Some(daemon) = &model.daemon {
        let model = text::cells(&daemon.model);
        parts.push((format!("{model} on {}", text::cells(&daemon.device)), theme.dim()));
    }
    parts
}

fn index_parts(index: &IndexStatus, theme: Theme, parts: &mut Vec<(String, Style)>) {
    let progress = format!("{}/{}", index.round_done, index.round_total);
    let eta = index.eta_s.map_or(String::new(), |s| format!(", {}", left(s)));
    match index.phase {
        Phase::Idle => {}
        Phase::Scanning => parts.push(("scanning".to_owned(), theme.accent())),
        Phase::Encoding => parts.push((format!("indexing {progress}{eta}"), theme.accent())),
    }
    // Of a pause it is told while there is nothing to index, too.
    if let Some(why) = &index.waiting {
        let why = text::fit_end(&text::cells(&text::one_line(why)), WAITING_CELLS_MAX);
        parts.push((format!("waiting: {why}"), theme.accent()));
    }
    parts.push((text::counted(index.documents, "document"), theme.dim()));
    if index.problem_count > 0 {
        parts.push((text::counted(index.problem_count, "problem"), theme.bad()));
    }
}

/// `training step 120/400 · loss 0.83 · nDCG .612 · 5 min left`; in brief without what was measured.
/// What comes before and after the training itself is told apart: `train: mining 7/40, 9 s left`.
fn training_text(training: &TrainingStatus, brief: bool) -> String {
    let stage = text::cells(&training.stage).replace('\n', "·");
    let progress = |unit: &str| match training.total {
        0 => String::new(),
        total => format!(" {unit}{}/{total}", training.done),
    };
    if stage != "training" {
        let eta = training.eta_s.map_or(String::new(), |s| format!(", {}", left(s)));
        return format!("train: {stage}{}{eta}", progress(""));
    }
    let ndcg = |ndcg: f32| format!("nDCG {}", format!("{ndcg:.3}").trim_start_matches('0'));
    let said = [
        Some(format!("{stage}{}", progress("step "))),
        training.loss.filter(|_| !brief).map(|loss| format!("loss {loss:.2}")),
        training.ndcg_10.filter(|_| !brief).map(ndcg),
        training.eta_s.map(left),
    ];
    said.into_iter().flatten().collect::<Vec<_>>().join(SEPARATOR)
}

fn left(seconds: u64) -> String {
    match (seconds, seconds.div_ceil(60)) {
        (0..60, _) => format!("{seconds} s left"),
        (_, minutes @ 0..100) => format!("{minutes} min left"),
        (_, minutes) => format!("{} h {} min left", minutes / 60, minutes % 60),
    }
}

fn timings_text(timings: &Timings) -> String {
    let part = |what: &str, ms: u64| format!("{what} {}", text::milliseconds(ms));
    let mut parts = vec![part("draft", timings.draft_ms)];
    if timings.passages_read > 0 {
        parts.push(part("read", timings.read_ms));
    }
    if timings.first_token_ms.is_some() {
        parts.push(part("thought", timings.think_ms));
    }
    // What is left of the whole is ranking.
    format!("{} ({})", text::milliseconds(timings.total_ms), parts.join(", "))
}
