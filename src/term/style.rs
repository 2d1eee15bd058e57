//! Colours of plain output.

/// ANSI styles, all empty where colours are not wanted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Style {
    pub(crate) path: &'static str,
    pub(crate) line: &'static str,
    pub(crate) dim: &'static str,
    pub(crate) matched: &'static str,
    pub(crate) reset: &'static str,
}

impl Style {
    /// Colours if `wanted`, else plain text.
    pub(crate) fn when(wanted: bool) -> Self {
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
