//! The terminal as the commands use it: which stream what goes to, and progress. What text may hold
//! and how numbers are told is `tui-text`'s, what an answer looks like `tui-answer`'s; the full screen is `tui`'s.

pub(crate) mod download;
pub(crate) mod progress;
pub(crate) mod streams;
