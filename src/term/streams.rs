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

/// Prints one line of data.
pub(crate) fn line(text: &str) -> Result<(), AppError> {
    Stdout::lock().print(&format!("{text}\n"))
}

/// Writes a line to standard error. A failure to write there cannot be told to anyone.
pub(crate) fn diagnostic(line: &str) {
    partial_diagnostic(&format!("{line}\n"));
}

/// The same unless the person asked for quiet.
pub(crate) fn note(quiet: bool, line: &str) {
    if !quiet {
        diagnostic(line);
    }
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
