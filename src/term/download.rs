//! What a person sees of a pull: a bar on a terminal, a line for every tenth otherwise.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use models_pull::Report;

use crate::term::streams;

/// Standard error, as it is.
pub(crate) enum Console {
    Quiet,
    Terminal { bar: Option<(String, ProgressBar)> },
    Lines { what: String, tenths: u64 },
}

impl Console {
    /// What suits the standard error there is.
    pub(crate) fn new(quiet: bool) -> Console {
        if quiet {
            Console::Quiet
        } else if streams::stderr_is_terminal() {
            Console::Terminal { bar: None }
        } else {
            Console::Lines { what: String::new(), tenths: 0 }
        }
    }
}

impl Report for Console {
    fn note(&mut self, line: &str) {
        match self {
            Console::Quiet => {}
            Console::Terminal { bar: Some((_, bar)) } if !bar.is_finished() => {
                bar.suspend(|| streams::diagnostic(line));
            }
            Console::Terminal { .. } | Console::Lines { .. } => streams::diagnostic(line),
        }
    }

    fn progress(&mut self, what: &str, done: u64, total: u64) {
        match self {
            Console::Quiet => {}
            Console::Terminal { bar } => {
                if bar.as_ref().is_none_or(|(shown, _)| shown != what) {
                    *bar = Some((what.to_owned(), new_bar(what, total)));
                }
                if let Some((_, bar)) = bar {
                    bar.set_position(done);
                    if done >= total && !bar.is_finished() {
                        bar.finish();
                    }
                }
            }
            Console::Lines { what: shown, tenths } => {
                let now = done.saturating_mul(10) / total.max(1);
                if shown != what {
                    (*shown, *tenths) = (what.to_owned(), 0);
                }
                if now > *tenths {
                    *tenths = now;
                    streams::diagnostic(&format!("{what}: {}%", now * 10));
                }
            }
        }
    }

    fn is_terminal(&self) -> bool {
        matches!(self, Console::Terminal { .. })
    }
}

fn new_bar(what: &str, total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let template = "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.with_message(what.to_owned())
}
