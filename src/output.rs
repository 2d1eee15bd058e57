//! Writing to the two streams: data to stdout, everything else to stderr.
//!
//! Rust ignores SIGPIPE, so a reader that went away shows as an error of the write; it ends the
//! program quietly on stdout and is of no interest on stderr.

use std::io::{self, IsTerminal, Write};

use crate::error::AppError;

/// Data for the person or the next program in the pipe.
pub(crate) struct Stdout(io::StdoutLock<'static>);

impl Stdout {
    /// Standard output, locked until dropped.
    pub(crate) fn lock() -> Self {
        Stdout(io::stdout().lock())
    }

    /// Writes and flushes `text`.
    pub(crate) fn print(&mut self, text: &str) -> Result<(), AppError> {
        let written = self.0.write_all(text.as_bytes()).and_then(|()| self.0.flush());
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => AppError::reader_gone(),
            _ => AppError::io("writing to standard output", &error),
        })
    }
}

/// Writes a line to standard error. A failure to write there cannot be told to anyone.
pub(crate) fn diagnostic(line: &str) {
    partial_diagnostic(&format!("{line}\n"));
}

/// Writes text without a line end to standard error.
pub(crate) fn partial_diagnostic(text: &str) {
    let mut stderr = io::stderr().lock();
    stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()).ok();
}

/// Whether results may be coloured.
pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether thoughts may be dimmed and progress drawn.
pub(crate) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

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

/// `text` with control characters other than newline and tab made visible, so that a file's
/// content cannot drive the terminal.
pub(crate) fn inert(text: &str) -> String {
    let harmless = |c: char| c == '\n' || c == '\t' || !c.is_control();
    text.chars().map(|c| if harmless(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}
