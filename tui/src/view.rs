//! view: the model as cells. A file for each pane, and here the few styles they share. Pure.

mod choosing;
mod explain;
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

use crate::face::Faces;
use crate::layout;
use crate::look::{Colors, Look};
use crate::model::Model;

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model) {
    let area = frame.area();
    let theme = Theme { look: model.settings.look };
    let panes = layout::panes(model, area);
    prompt::draw(frame, panes.prompt, model, theme);
    thought::draw(frame, panes.thought, model, theme);
    if let Some(results) = panes.results {
        results::draw(frame, results, model, theme);
    }
    match (panes.preview, model.explain) {
        (Some(pane), Some(top)) => explain::draw(frame, pane, model, top, theme),
        (Some(pane), None) => preview::draw(frame, pane, model, theme, panes.results.is_none()),
        (None, _) => {}
    }
    status::draw(frame, panes.status, model, theme);
    if let Some(finding) = &model.finding {
        choosing::history(frame, area, model, finding, theme);
    }
    if let Some(palette) = &model.palette {
        choosing::palette(frame, area, model, palette, theme);
    }
    if let Some(top) = model.help {
        help::draw(frame, area, model, top, theme);
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
    look: Look,
}

/// A colour of the sixteen on a dark and on a light background, and the same in true colour.
struct Tint {
    ansi: [Color; 2],
    rgb: [u32; 2],
}

const ACCENT: Tint = Tint { ansi: [Color::Cyan, Color::Blue], rgb: [0x5f_d7_ff, 0x00_5f_af] };
const MATCHED: Tint = Tint { ansi: [Color::Yellow, Color::Magenta], rgb: [0xff_d7_5f, 0x87_4b_00] };
const GOOD: Tint = Tint { ansi: [Color::Green, Color::Green], rgb: [0x87_d7_87, 0x00_6b_2d] };
const BAD: Tint = Tint { ansi: [Color::Red, Color::Red], rgb: [0xff_87_87, 0xb0_00_20] };
/// Of code; what matched has a colour that none of them has.
const KEYWORD: Tint = Tint { ansi: [Color::Magenta, Color::Blue], rgb: [0xd7_87_ff, 0x6a_1b_9a] };
const NUMBER: Tint = Tint { ansi: [Color::LightRed, Color::Red], rgb: [0xff_af_87, 0x9c_3a_00] };
const FUNCTION: Tint =
    Tint { ansi: [Color::LightBlue, Color::Cyan], rgb: [0x87_af_ff, 0x1f_4f_b0] };
const TYPE: Tint = Tint { ansi: [Color::Cyan, Color::Cyan], rgb: [0x5f_d7_d7, 0x00_5f_5f] };

impl Theme {
    fn tinted(self, tint: &Tint, modifier: Modifier) -> Style {
        let style = Style::new().add_modifier(modifier);
        let which = usize::from(self.look.light);
        match self.look.colors {
            Colors::None => style,
            Colors::Ansi => style.fg(tint.ansi[which]),
            Colors::True => style.fg(Color::from_u32(tint.rgb[which])),
        }
    }

    fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What the eye should find first: the prompt sign, the selection, the live thought.
    fn accent(self) -> Style {
        self.tinted(&ACCENT, Modifier::BOLD)
    }

    /// Words and lines that match.
    fn matched(self) -> Style {
        let plain = self.look.colors == Colors::None;
        self.tinted(&MATCHED, if plain { Modifier::UNDERLINED } else { Modifier::BOLD })
    }

    fn good(self) -> Style {
        self.tinted(&GOOD, Modifier::empty())
    }

    fn bad(self) -> Style {
        self.tinted(&BAD, Modifier::empty())
    }

    /// A piece of code. Without colours, comments step back and keywords stand out.
    fn code(self, ink: Faces) -> Style {
        let plain = self.look.colors == Colors::None;
        match ink {
            Faces::COMMENT => self.dim(),
            Faces::KEYWORD if plain => self.strong(),
            Faces::KEYWORD => self.tinted(&KEYWORD, Modifier::empty()),
            Faces::TEXT => self.good(),
            Faces::NUMBER => self.tinted(&NUMBER, Modifier::empty()),
            Faces::FUNCTION => self.tinted(&FUNCTION, Modifier::empty()),
            Faces::TYPE => self.tinted(&TYPE, Modifier::empty()),
            _ => Style::new(),
        }
    }

    /// The spinner's face after `spin` turns.
    fn spinner(self, spin: usize) -> char {
        const FACES: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
        if self.look.still { '…' } else { FACES[spin % FACES.len()] }
    }
}
