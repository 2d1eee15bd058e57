//! How far a long piece of work is: counted pieces, on standard error.

use indicatif::{ProgressBar, ProgressStyle};

use crate::term::streams::{diagnostic, stderr_is_terminal};

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
