//! Thoughts as they come.

use std::fmt::Write;

use tui_text::harmless;

use crate::style::Style;

/// Turns pieces of thoughts into text for a terminal, as they come.
pub struct ThoughtStream {
    style: Style,
    /// The thought whose line is open, and whether anything of it was shown.
    open: Option<(usize, bool)>,
}

impl ThoughtStream {
    /// Nothing was shown yet.
    pub fn new(style: Style) -> Self {
        ThoughtStream { style, open: None }
    }

    /// What to write for the next piece of thought number `index`, from 0.
    pub fn push(&mut self, index: usize, delta: &str) -> String {
        let Style { dim, reset, .. } = self.style;
        let mut text = String::new();
        if self.open.is_none_or(|(open, _)| open != index) {
            text.push_str(&self.end());
            write!(text, "{dim}thinking {}:{reset}", index + 1).ok();
            self.open = Some((index, false));
        }
        for (number, line) in harmless(delta).split('\n').enumerate() {
            let begun = self.open.is_some_and(|(_, begun)| begun);
            if number > 0 && begun {
                text.push('\n');
                write!(text, "{dim}thinking {}:{reset}", index + 1).ok();
                self.open = Some((index, false));
            }
            let begun = self.open.is_some_and(|(_, begun)| begun);
            let line = if begun { line } else { line.trim_start() };
            if !line.is_empty() {
                let space = if begun { "" } else { " " };
                write!(text, "{space}{dim}{line}{reset}").ok();
                self.open = Some((index, true));
            }
        }
        text
    }

    /// What to write when nothing more comes, or something else is to be written.
    pub fn end(&mut self) -> String {
        if self.open.take().is_some() { "\n".to_owned() } else { String::new() }
    }
}
