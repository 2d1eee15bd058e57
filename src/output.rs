//! Writing to the two streams: data to stdout, everything else to stderr.
//!
//! Rust ignores SIGPIPE, so a reader that went away shows as an error of the write; it ends the
//! program quietly on stdout and is of no interest on stderr.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};

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

/// How far a long piece of work is, on standard error: a bar on a terminal, else a line for every
/// tenth, else nothing.
pub(crate) enum Progress {
    Quiet,
    Bar(ProgressBar),
    Lines {
        /// What the last line was about, and its tenth.
        told: Option<(String, usize)>,
    },
}

impl Progress {
    /// What suits the standard error there is.
    pub(crate) fn new(quiet: bool) -> Self {
        match (quiet, stderr_is_terminal()) {
            (true, _) => Progress::Quiet,
            (false, true) => Progress::Bar(ProgressBar::no_length()),
            (false, false) => Progress::Lines { told: None },
        }
    }

    /// `done` of `total` pieces of `what` are done; a total of 0 is one that is not known yet.
    pub(crate) fn update(&mut self, what: &str, done: usize, total: usize) {
        match self {
            Progress::Quiet => {}
            Progress::Bar(bar) => {
                let template = match total {
                    0 => "{msg}",
                    _ => "{msg} {wide_bar} {pos}/{len} {eta}",
                };
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style);
                }
                bar.set_message(what.to_owned());
                bar.set_length(total as u64);
                bar.set_position(done as u64);
            }
            Progress::Lines { told } => {
                let tenth = (10 * done).checked_div(total).unwrap_or(0);
                let news = Some((what.to_owned(), tenth));
                if *told == news {
                    return;
                }
                *told = news;
                match total {
                    0 => diagnostic(what),
                    _ => diagnostic(&format!("{what}: {done} of {total}")),
                }
            }
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&mut self) {
        if let Progress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
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

/// `1 document`, `2 documents`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// `text` with control characters other than newline and tab made visible, so that a file's
/// content cannot drive the terminal.
pub(crate) fn inert(text: &str) -> String {
    let harmless = |c: char| c == '\n' || c == '\t' || !c.is_control();
    text.chars().map(|c| if harmless(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}
