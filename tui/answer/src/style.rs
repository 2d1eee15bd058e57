//! How hits for people look.

/// What is written besides the hits themselves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    pub style: Style,
    /// Whether paths are links (OSC 8), which a terminal opens at a click.
    pub links: bool,
    /// Whether each hit says why it stands where it does.
    pub explained: bool,
}

/// ANSI styles, all empty where colours are not wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    pub path: &'static str,
    pub line: &'static str,
    pub dim: &'static str,
    pub matched: &'static str,
    pub reset: &'static str,
}

impl Style {
    /// Colours if `wanted`, else plain text.
    pub fn when(wanted: bool) -> Self {
        if !wanted {
            return Style::default();
        }
        Style {
            path: "\x1b[35m",
            line: "\x1b[32m",
            dim: "\x1b[2m",
            matched: "\x1b[1;31m",
            reset: "\x1b[0m",
        }
    }
}
