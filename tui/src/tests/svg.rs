//! Screens, one after another, as an animated picture for pages that run no scripts.
//!
//! A frame is painted over those before it and holds only the rows that changed. So whatever knows
//! no animation, or is asked for none, shows the last screen.

use ratatui::backend::{Backend, TestBackend};
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// A cell in units of the picture; the letters of most fonts of one width are 0.6 times as wide as
/// they are high.
const CELL_WIDTH: usize = 12;
const CELL_HEIGHT: usize = 26;
/// From a cell's top to the line that its letter stands on.
const BASELINE: usize = 19;
/// Left, right and below of the screen, and above it for the window's title.
const MARGIN: usize = 24;
const TITLE_HEIGHT: usize = 52;

/// The classes of [`class`], and those of the window, its title, erased cells and the cursor. Who
/// wants no motion sees every frame, and so the last one.
const STYLE: &str = "\
text{font:20px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}
text,rect{fill:#d1d7e0}rect{shape-rendering:crispEdges}
.b{font-weight:bold}.d{fill:#8b949e}rect.d{fill:#3d444d}
.c{fill:#56d4dd}.g{fill:#56d364}.r{fill:#ff7b72}.y{fill:#e3b341}
.window{fill:#0d1117;stroke:#3d444d;shape-rendering:auto}
.title{fill:#8b949e;text-anchor:middle}.e{fill:#0d1117}.k{fill:#8b949e}
@media(prefers-reduced-motion:reduce){.f{animation:none!important}}
";

/// A screen, and when it is first seen.
pub(super) struct Shot {
    pub(super) at_ms: u64,
    pub(super) screen: TestBackend,
}

/// The picture of `shots`, of which there is one at least; it begins again after `end_ms`.
pub(super) fn film(title: &str, shots: &[Shot], end_ms: u64) -> String {
    let mut style = format!("{STYLE}.f{{animation:{end_ms}ms step-end infinite}}\n");
    let mut frames = String::new();
    let mut seen: Vec<String> = Vec::new();
    for (number, shot) in shots.iter().enumerate() {
        let rows = draw_rows(&shot.screen);
        let changed = rows.iter().enumerate().filter(|(y, row)| seen.get(*y) != Some(row));
        let changed: String = changed.map(|(_, row)| row.as_str()).collect();
        seen = rows;
        if number == 0 {
            frames += &format!("<g>{changed}</g>\n");
        } else if !changed.is_empty() {
            frames += &format!("<g id=\"f{number}\" class=\"f\">{changed}</g>\n");
            let percent = shot.at_ms as f64 / end_ms as f64 * 100.0;
            style += &format!(
                "#f{number}{{animation-name:k{number}}}@keyframes k{number}\
                 {{0%{{visibility:hidden}}{percent:.2}%{{visibility:visible}}}}\n"
            );
        }
    }
    let area = shots[0].screen.buffer().area;
    let width = usize::from(area.width) * CELL_WIDTH + 2 * MARGIN;
    let height = usize::from(area.height) * CELL_HEIGHT + TITLE_HEIGHT + MARGIN;
    let window = window(width, height);
    // Three quarters of the size: letters are then as high as those of the page around them.
    let (shown_width, shown_height) = (width * 3 / 4, height * 3 / 4);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{shown_width}\" \
         height=\"{shown_height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>{}</title>\n<style>\n{style}</style>\n{window}\
         <g transform=\"translate({MARGIN} {TITLE_HEIGHT})\">\n{frames}</g>\n</svg>\n",
        escape(title)
    )
}

/// What is around the screen.
fn window(width: usize, height: usize) -> String {
    let button = |(x, fill): (usize, &str)| {
        format!("<circle cx=\"{x}\" cy=\"26\" r=\"7\" fill=\"{fill}\"/>\n")
    };
    let buttons = [(32, "#ff5f57"), (56, "#febc2e"), (80, "#28c840")];
    format!(
        "<rect class=\"window\" x=\"1\" y=\"1\" width=\"{}\" height=\"{}\" rx=\"14\"/>\n{}\
         <text class=\"title\" x=\"{}\" y=\"33\">fore</text>\n",
        width - 2,
        height - 2,
        buttons.map(button).concat(),
        width / 2
    )
}

/// Every row of the screen, each painting over whatever was there.
fn draw_rows(screen: &TestBackend) -> Vec<String> {
    let cursor = screen.clone().get_cursor_position().expect("a test backend has one");
    let width = usize::from(screen.buffer().area.width);
    let rows = screen.buffer().content().chunks(width).enumerate();
    rows.map(|(y, cells)| {
        let top = y * CELL_HEIGHT;
        let mut row = rect("e", 0, top, width * CELL_WIDTH, CELL_HEIGHT);
        if y == usize::from(cursor.y) {
            row += &rect("k", usize::from(cursor.x) * CELL_WIDTH, top, CELL_WIDTH, CELL_HEIGHT);
        }
        runs(cells).iter().for_each(|run| row += &run.draw(top));
        row
    })
    .collect()
}

/// Words of equal style. Two blanks in a row end it: not every browser keeps them.
struct Run {
    class: String,
    /// First cell, and how many there are.
    at: usize,
    cells: usize,
    text: String,
}

fn runs(cells: &[Cell]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut at = 0;
    while let Some(cell) = cells.get(at) {
        let symbol = cell.symbol();
        // A wide one hides the cell after it.
        let width = symbol.width().max(1);
        let end = at + width;
        match runs.last_mut() {
            _ if symbol == " " => {}
            Some(run) if run.class == class(cell) && run.takes(symbol, at) => {
                run.text += &" ".repeat(at - run.at - run.cells);
                run.text += symbol;
                run.cells = end - run.at;
            }
            _ => runs.push(Run { class: class(cell), at, cells: width, text: symbol.to_owned() }),
        }
        at = end;
    }
    runs
}

/// Whether it is drawn as a shape: as letters, they would not touch those in the cells around them.
fn is_shape(symbol: &str) -> bool {
    symbol.starts_with(['─', '▌', '▎'])
}

impl Run {
    /// Whether `symbol` of the same style, in the cell `at`, belongs to it.
    fn takes(&self, symbol: &str, at: usize) -> bool {
        let blanks = at - self.at - self.cells;
        match (is_shape(&self.text), is_shape(symbol)) {
            (false, false) => blanks < 2,
            (true, true) => blanks == 0 && symbol == "─" && self.text.ends_with('─'),
            _ => false,
        }
    }

    fn draw(&self, top: usize) -> String {
        let (x, width) = (self.at * CELL_WIDTH, self.cells * CELL_WIDTH);
        match self.text.chars().next() {
            Some('─') => rect(&self.class, x, top + CELL_HEIGHT / 2, width, 2),
            Some('▌') => rect(&self.class, x, top, CELL_WIDTH / 2, CELL_HEIGHT),
            Some('▎') => rect(&self.class, x, top, CELL_WIDTH / 4, CELL_HEIGHT),
            _ => format!(
                "<text class=\"{}\" x=\"{x}\" y=\"{}\" textLength=\"{width}\">{}</text>",
                self.class,
                top + BASELINE,
                escape(&self.text)
            ),
        }
    }
}

fn rect(class: &str, x: usize, y: usize, width: usize, height: usize) -> String {
    format!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>")
}

/// The style of a cell as classes of [`STYLE`], which knows what the view uses and no more.
fn class(cell: &Cell) -> String {
    let mut classes = match cell.fg {
        Color::Reset => Vec::new(),
        Color::Cyan => vec!["c"],
        Color::Green => vec!["g"],
        Color::Red => vec!["r"],
        Color::Yellow => vec!["y"],
        other => panic!("the picture has no {other}"),
    };
    let weights = [(Modifier::BOLD, "b"), (Modifier::DIM, "d")];
    let known = weights.iter().fold(Modifier::empty(), |all, (modifier, _)| all | *modifier);
    assert!(
        cell.bg == Color::Reset && known.contains(cell.modifier),
        "the picture has no {:?}",
        cell.style()
    );
    classes.extend(weights.iter().filter(|(m, _)| cell.modifier.contains(*m)).map(|(_, c)| c));
    classes.join(" ")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
