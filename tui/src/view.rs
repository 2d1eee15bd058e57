//! view: the model as cells. A file for each pane, and here the few styles they share. Pure.

mod help;
mod preview;
mod prompt;
mod results;
mod status;
mod thought;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders};

use crate::layout;
use crate::model::Model;

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model) {
    let area = frame.area();
    let theme = Theme { color: model.settings.color };
    let panes = layout::panes(model, area);
    prompt::draw(frame, panes.prompt, model, theme);
    thought::draw(frame, panes.thought, model, theme);
    if let Some(results) = panes.results {
        results::draw(frame, results, model, theme);
    }
    if let Some(preview) = panes.preview {
        preview::draw(frame, preview, model, theme, panes.results.is_none());
    }
    status::draw(frame, panes.status, model, theme);
    if let Some(top) = model.help {
        help::draw(frame, area, top, theme);
    }
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
