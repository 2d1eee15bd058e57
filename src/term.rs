//! The terminal as the commands use it: which stream what goes to, progress, colours. What text may
//! hold and how numbers are told is `tui-text`'s; the full screen is `tui`'s.

pub(crate) mod download;
pub(crate) mod progress;
pub(crate) mod streams;
pub(crate) mod style;
