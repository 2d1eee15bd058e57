//! view: the model as cells. Layout of the panes below, and the few styles they share. Pure.

mod help;
mod preview;
mod prompt;
mod results;
mod status;
mod thought;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders};

use crate::model::Model;

/// Below this many columns or rows there is no preview.
const PREVIEW_WIDTH_MIN: u16 = 80;
const PREVIEW_HEIGHT_MIN: u16 = 24;
/// From this many columns on the preview is right of the results, else below them.
const BESIDE_WIDTH_MIN: u16 = 100;

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model) {
    let area = frame.area();
    let theme = Theme { color: model.settings.color };
    let [prompt, thought, middle, status] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(thought::rows(model, area)),
        Constraint::Fill(1),
        Constraint::Length(status::rows(model, area)),
    ])
    .areas(area);
    prompt::draw(frame, prompt, model, theme);
    thought::draw(frame, thought, model, theme);
    let (results, preview) = split(middle, area);
    results::draw(frame, results, model, theme);
    if let Some(preview) = preview {
        preview::draw(frame, preview, model, theme);
    }
    status::draw(frame, status, model, theme);
    if model.help {
        help::draw(frame, area, theme);
    }
}

fn split(middle: Rect, screen: Rect) -> (Rect, Option<Rect>) {
    if screen.width < PREVIEW_WIDTH_MIN || screen.height < PREVIEW_HEIGHT_MIN {
        return (middle, None);
    }
    let halves = [Constraint::Fill(1), Constraint::Fill(1)];
    let [results, preview] = if screen.width >= BESIDE_WIDTH_MIN {
        Layout::horizontal(halves).spacing(1).areas(middle)
    } else {
        Layout::vertical(halves).areas(middle)
    };
    (results, Some(preview))
}

/// A pane's rule with its title in it; what is left is the pane's.
fn titled(frame: &mut Frame<'_>, area: Rect, title: Line<'_>, style: Style) -> Rect {
    let block = Block::new().borders(Borders::TOP).border_style(style).title(title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

/// Styles by meaning. Without colour, weight and underline tell the same.
#[derive(Clone, Copy)]
struct Theme {
    color: bool,
}

impl Theme {
    fn tinted(self, color: Color, modifier: Modifier) -> Style {
        let style = Style::new().add_modifier(modifier);
        if self.color { style.fg(color) } else { style }
    }

    fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What the eye should find first: the prompt sign, the selection, the live thought.
    fn accent(self) -> Style {
        self.tinted(Color::Cyan, Modifier::BOLD)
    }

    /// Words and lines that match.
    fn matched(self) -> Style {
        let modifier = if self.color { Modifier::BOLD } else { Modifier::UNDERLINED };
        self.tinted(Color::Yellow, modifier)
    }

    fn good(self) -> Style {
        self.tinted(Color::Green, Modifier::empty())
    }

    fn bad(self) -> Style {
        self.tinted(Color::Red, Modifier::empty())
    }
}

/// The spinner's face after `spin` turns.
fn spinner(spin: usize) -> char {
    const FACES: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
    FACES[spin % FACES.len()]
}
