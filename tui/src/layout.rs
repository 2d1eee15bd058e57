//! Which part of the screen is whose. Pure; `view` draws into it, and `update` asks it how far a page is.

use ratatui::layout::{Constraint, Layout, Rect, Size};

use crate::keymap::Keymap;
use crate::model::{Asking, Focus, Model, Notice, NoticeKind};
use crate::page::{self, Leaf, Sheet};
use tui_text as text;
use unicode_width::UnicodeWidthStr;

/// Below this many columns or rows there is no room for a preview beside the results: it takes their
/// place while it has the focus.
const PREVIEW_WIDTH_MIN: u16 = 80;
const PREVIEW_HEIGHT_MIN: u16 = 24;
/// From this many columns on the preview is right of the results, else below them.
const BESIDE_WIDTH_MIN: u16 = 100;
/// From this many rows on a snippet gets two.
const ROOMY_HEIGHT_MIN: u16 = 15;
/// Rows a notice may take.
const NOTICE_ROWS_MAX: usize = 3;
/// Cells left of a preview's text: line number, bar, blank.
pub(crate) const GUTTER_CELLS: usize = 7;
/// Columns of the help screen, its frame included.
const HELP_WIDTH: u16 = 80;
/// Least cells of its key column, the gap included.
const HELP_KEYS_CELLS_MIN: usize = 17;

/// Where each pane is, its title included; absent are those that are not shown.
pub(crate) struct Panes {
    pub(crate) prompt: Rect,
    /// Of height 0 unless the newest question is thought about.
    pub(crate) thought: Rect,
    pub(crate) results: Option<Rect>,
    pub(crate) preview: Option<Rect>,
    pub(crate) status: Rect,
}

/// Shares out a screen.
pub(crate) fn panes(model: &Model, screen: Rect) -> Panes {
    let together = screen.width >= PREVIEW_WIDTH_MIN && screen.height >= PREVIEW_HEIGHT_MIN;
    let alone = !together && model.focus == Focus::Preview;
    let thinks = model.asking.as_ref().is_some_and(Asking::thinks);
    let thought = if thinks && !alone { (screen.height / 5).clamp(2, 8) } else { 0 };
    let notice = model.notice.as_ref().map_or(0, |notice| notice_rows(notice, screen.width).len());
    let status = 1 + u16::try_from(notice).unwrap_or(0);
    let [prompt, thought, middle, status] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(thought),
        Constraint::Fill(1),
        Constraint::Length(status),
    ])
    .areas(screen);
    let halves = [Constraint::Fill(1), Constraint::Fill(1)];
    let (results, preview) = if alone {
        (None, Some(middle))
    } else if !together {
        (Some(middle), None)
    } else if screen.width >= BESIDE_WIDTH_MIN {
        let [left, right] = Layout::horizontal(halves).spacing(1).areas(middle);
        (Some(left), Some(right))
    } else {
        let [above, below] = Layout::vertical(halves).areas(middle);
        (Some(above), Some(below))
    };
    Panes { prompt, thought, results, preview, status }
}

/// The same for the model's own screen.
pub(crate) fn of(model: &Model) -> Panes {
    let (width, height) = model.size;
    panes(model, Rect::new(0, 0, width, height))
}

/// Rows of a result in a pane with so many rows below its title, and how many results it holds.
pub(crate) fn results(height: u16) -> (u16, usize) {
    let row = if height >= ROOMY_HEIGHT_MIN { 3 } else { 2 };
    (row, usize::from(height / row).max(1))
}

/// How many results are seen at once, or would be.
pub(crate) fn results_seen(model: &Model) -> usize {
    let panes = of(model);
    let pane = panes.results.or(panes.preview).unwrap_or_default();
    results(pane.height.saturating_sub(1)).1
}

/// Columns and rows for a preview's text, in the pane it has, or would have.
pub(crate) fn preview_size(model: &Model) -> (usize, usize) {
    let panes = of(model);
    let pane = panes.preview.or(panes.results).unwrap_or_default();
    let problem = model.preview.as_ref().is_some_and(|preview| preview.problem.is_some());
    let undrawn = matches!(leaf(model).map(|leaf| &leaf.drawn), Some(Some(Err(_))));
    let above = 1 + usize::from(problem || undrawn);
    let height = usize::from(pane.height).saturating_sub(above).max(1);
    (usize::from(pane.width).saturating_sub(GUTTER_CELLS).max(1), height)
}

/// The page that is to be seen as a picture, and the room for it below its title; none where it is not wanted, or
/// something is in its place or over it, for text cannot lie over a picture on all terminals.
pub(crate) fn sheet(model: &Model) -> Option<Sheet> {
    let covered = model.help.is_some() || model.palette.is_some() || model.finding.is_some();
    if !model.pages.wanted || model.explain.is_some() || covered {
        return None;
    }
    let hit = model.selected_hit()?;
    let (path, page) = (hit.path.clone(), page::of(hit)?);
    let pane = of(model).preview?;
    let cells = Size::new(pane.width, pane.height.saturating_sub(1));
    (cells.width > 0 && cells.height > 0).then_some(Sheet { path, page, cells })
}

/// The same as far as it has come.
pub(crate) fn leaf(model: &Model) -> Option<&Leaf> {
    let sheet = sheet(model)?;
    model.pages.newest.as_ref().filter(|leaf| leaf.sheet == sheet)
}

/// Columns and rows for an explanation, in the pane that it has, or would have.
pub(crate) fn explain_size(model: &Model) -> (usize, usize) {
    let panes = of(model);
    let pane = panes.preview.or(panes.results).unwrap_or_default();
    (usize::from(pane.width), usize::from(pane.height).saturating_sub(1).max(1))
}

/// The help screen as it is laid out: its place, and its rows, keys first, of which some may not fit.
pub(crate) struct Help {
    pub(crate) popup: Rect,
    pub(crate) rows: Vec<HelpRow>,
    /// Cells of the keys, the gap included.
    pub(crate) keys_cells: usize,
    /// How many of them are below what it can show.
    pub(crate) below: usize,
}

/// Keys, on the first row of what they do; and that.
pub(crate) struct HelpRow {
    pub(crate) keys: String,
    pub(crate) essential: bool,
    pub(crate) does: String,
}

pub(crate) fn help(screen: Rect, keymap: &Keymap) -> Help {
    let width = screen.width.min(HELP_WIDTH);
    let longest = keymap.rows().map(|bound| bound.label.width() + 1).max().unwrap_or(0);
    let keys_cells = longest.max(HELP_KEYS_CELLS_MIN);
    let room = usize::from(width).saturating_sub(keys_cells + 3);
    let mut rows = Vec::new();
    for bound in keymap.rows() {
        let does = text::wrap(bound.does, room).into_iter().enumerate();
        rows.extend(does.map(|(row, does)| HelpRow {
            keys: if row == 0 { bound.label.clone() } else { String::new() },
            essential: bound.essential,
            does,
        }));
    }
    let height = u16::try_from(rows.len() + 2).unwrap_or(u16::MAX);
    let popup = screen.centered(Constraint::Max(HELP_WIDTH), Constraint::Max(height));
    let below = usize::from(height.saturating_sub(popup.height));
    Help { popup, rows, keys_cells, below }
}

/// A notice as it is told in `width` cells.
pub(crate) fn notice_rows(notice: &Notice, width: u16) -> Vec<String> {
    let mark = if notice.kind == NoticeKind::Error { "error: " } else { "" };
    let hint = notice.hint.as_ref().map_or(String::new(), |hint| format!(" · {hint}"));
    let text = text::cells(&format!("{mark}{}{hint}", notice.text)).replace('\n', " ");
    let mut rows = text::wrap(&text, usize::from(width));
    rows.truncate(NOTICE_ROWS_MAX);
    rows
}
