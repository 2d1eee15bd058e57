//! Titles and headings as they are told.

use crate::limits::LABEL_CHARS_MAX;

/// Cut to what a screen shows, and without characters that would drive a terminal.
pub(crate) fn label(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LABEL_CHARS_MAX).collect()
}
