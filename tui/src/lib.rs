//! The face of `fore`: questions, thoughts, results and previews on a terminal.
//!
//! Elm in shape: [`run`] is one loop that turns keys, daemon events and finished work into
//! messages; `update` turns a message into a changed model and commands; `view` draws the model.
//! All IO is in `app`, `terminal`, `signals`, `readers`, `preview::read`, `drawing`, `history`, `editor` and
//! `viewer`.
//! Nothing here knows how a daemon is started: the caller connects, at the start and when asked to.

mod app;
mod complete;
mod drawing;
mod editor;
mod explain;
mod face;
mod growing;
mod history;
mod ink;
mod keymap;
mod keys;
mod layout;
mod line;
mod look;
mod markdown;
mod memo;
mod message;
mod model;
mod page;
mod painting;
mod preview;
mod readers;
mod signals;
mod snippet;
mod terminal;
mod update;
mod view;
mod viewer;

use std::io;
use std::path::PathBuf;

use daemon_protocol::client::Client;
use futures::future::BoxFuture;

use crate::app::App;
use crate::terminal::Tty;

pub use crate::ink::{Ink, Inked, Painter};
pub use crate::keymap::{KeyRow, OwnKeys, default_keys};
pub use crate::look::{Colors, Look};
pub use crate::page::{Canvas, Pages, Picture, Pixels};

/// Connects to the daemon, starting it if need be; the error is shown as it is.
pub type Connect = Box<dyn FnMut() -> BoxFuture<'static, Result<Client, String>> + Send>;

/// What the caller decides.
pub struct Options {
    /// Most hits per question.
    pub limit: usize,
    /// Thoughts per question; 0 starts with thinking off, absent is the daemon's setting.
    pub thoughts: Option<usize>,
    /// What `$VISUAL` or `$EDITOR` says; may carry arguments.
    pub editor: Option<String>,
    /// How the terminal may be used.
    pub look: Look,
    /// Whether results are shown while a question is typed.
    pub instant: bool,
    /// What has code in colours; without it, code is plain.
    pub painter: Option<Painter>,
    /// What has pages of documents as pictures; without it, they are text.
    pub pages: Option<Pages>,
    /// The file of questions asked before; without one, they are forgotten with the screen.
    pub history: Option<PathBuf>,
    /// The file of searches that are saved under a name; without one, they cannot be.
    pub saved: Option<PathBuf>,
    /// Keys that are bound otherwise than by default.
    pub keys: OwnKeys,
    /// Whether letters are keys, as in vi, while nothing is typed.
    pub vi: bool,
    /// Paths below it are shown with `~`.
    pub home: Option<PathBuf>,
    /// Paths below it are shown without it.
    pub cwd: PathBuf,
    /// Called once the first frame is drawn, and again whenever the connection was lost.
    pub connect: Connect,
}

/// How the screen was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// By the person.
    Quit,
    /// By SIGINT from outside.
    Interrupted,
    /// By SIGTERM.
    Terminated,
    /// By SIGHUP, or with the terminal.
    HungUp,
}

impl Outcome {
    /// Exit status of the program, as shells have it: 128 and the number of the signal.
    pub fn exit_status(self) -> u8 {
        match self {
            Outcome::Quit => 0,
            Outcome::HungUp => 128 + 1,
            Outcome::Interrupted => 128 + 2,
            Outcome::Terminated => 128 + 15,
        }
    }
}

/// Why the screen cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    #[error("standard input and output are not a terminal; use `fore ask QUESTION` in pipes")]
    NoTerminal,
    /// What is wrong with [`Options::keys`].
    #[error("{0}")]
    Keys(String),
    #[error("using the terminal: {0}")]
    Terminal(#[from] io::Error),
}

/// Shows the screen until the person leaves it. The terminal is restored on every way out,
/// panics included.
///
/// # Errors
/// [`TuiError`]. A daemon that cannot be had, or is lost, is not one: it is shown, and
/// `options.connect` is called again when the person asks for it.
pub async fn run(options: Options) -> Result<Outcome, TuiError> {
    let screen = Tty::enter(options.look.mouse)?.ok_or(TuiError::NoTerminal)?;
    App::new(options, screen, signals::listen()?, preview::read)?.run().await
}

#[cfg(test)]
mod tests;
