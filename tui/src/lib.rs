//! The face of `fore`: questions, thoughts, results and previews on a terminal.
//!
//! Elm in shape: [`run`] is one loop that turns keys, daemon events and finished work into
//! messages; `update` turns a message into a changed model and commands; `view` draws the model.
//! All IO is in this file, `terminal`, `preview::read` and `editor::run`. Nothing here knows how
//! a daemon is started: the caller connects, and connects again when asked to.

mod editor;
mod keys;
mod line;
mod message;
mod model;
mod preview;
mod terminal;
mod update;
mod view;

use std::future::{Future, pending, ready};
use std::io;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::Event as Input;
use daemon_protocol::client::{Client, Receiver, Sender};
use daemon_protocol::{Hit, Request};
use futures::StreamExt;
use futures::future::BoxFuture;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use crate::message::{Command, Message};
use crate::model::{Model, Settings};
use crate::preview::Preview;
use crate::terminal::{Keys, Screen, Tty};

/// Connects to the daemon again, starting it if need be; the error is shown as it is.
pub type Reconnect = Box<dyn FnMut() -> BoxFuture<'static, Result<Client, String>> + Send>;

/// What the caller decides.
pub struct Options {
    /// Most hits per question.
    pub limit: usize,
    /// Thoughts per question; 0 starts with thinking off, absent is the daemon's setting.
    pub thoughts: Option<usize>,
    /// What `$VISUAL` or `$EDITOR` says; may carry arguments.
    pub editor: Option<String>,
    /// Whether colours may be used; without them bold and underline must do.
    pub color: bool,
    /// Paths below it are shown with `~`.
    pub home: Option<PathBuf>,
    /// Paths below it are shown without it.
    pub cwd: PathBuf,
    /// Called for the next question after the connection was lost.
    pub reconnect: Reconnect,
}

/// How the screen was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// By the person.
    Quit,
    /// By SIGINT, SIGTERM or SIGHUP from outside.
    Signalled,
}

/// Why the screen cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    #[error("standard input and output are not a terminal; use `fore ask QUESTION` in pipes")]
    NoTerminal,
    #[error("using the terminal: {0}")]
    Terminal(#[from] io::Error),
    #[error("the terminal was closed")]
    Closed,
}

/// Messages handled before a draw although more are ready: a flood must not stop the screen.
const MESSAGES_PER_DRAW_MAX: usize = 64;
/// One turn of the spinner; it turns only while a question is under way.
const SPIN_MS: u64 = 150;
/// How long a request may take to be written; a daemon that reads nothing for so long is gone.
const SEND_MS_MAX: u64 = 1_000;

/// Shows the screen until the person leaves it. The terminal is restored on every way out,
/// panics included.
///
/// # Errors
/// [`TuiError`]. A lost daemon is not one: it is shown, and `options.reconnect` is called for the
/// next question.
pub async fn run(client: Client, options: Options) -> Result<Outcome, TuiError> {
    let screen = Tty::enter()?.ok_or(TuiError::NoTerminal)?;
    App::new(client, options, screen)?.run().await
}

/// The loop and all it owns.
struct App<S> {
    model: Model,
    screen: S,
    /// Absent while the editor has the terminal.
    keys: Option<Keys>,
    /// Absent while disconnected.
    sender: Option<Sender>,
    receiver: Option<Receiver>,
    reconnect: Reconnect,
    reconnecting: Option<BoxFuture<'static, Result<Client, String>>>,
    previews: Previews,
    editor: String,
    editing: Option<BoxFuture<'static, Result<(), String>>>,
    signals: Signals,
    spinner: Interval,
}

/// The signals that end the program from outside.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

/// Reads one preview at a time. While one is read, only the newest wish waits.
#[derive(Default)]
struct Previews {
    reading: Option<JoinHandle<Preview>>,
    next: Option<Box<Hit>>,
}

/// What the loop does next.
enum Turn {
    Hear(Message),
    /// Input without a meaning.
    Nothing,
    Draw,
    Leave(Outcome),
}

impl<S: Screen> App<S> {
    fn new(client: Client, options: Options, mut screen: S) -> Result<App<S>, TuiError> {
        let editor = options.editor.unwrap_or_default();
        let settings = Settings {
            limit: options.limit,
            thoughts: options.thoughts,
            editor: !editor.trim().is_empty(),
            color: options.color,
            home: options.home,
            cwd: options.cwd,
        };
        let mut spinner = interval(Duration::from_millis(SPIN_MS));
        spinner.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(App {
            model: Model::new(settings, screen.size()?),
            keys: Some(screen.keys()),
            screen,
            sender: Some(client.sender),
            receiver: Some(client.receiver),
            reconnect: options.reconnect,
            reconnecting: None,
            previews: Previews::default(),
            editor,
            editing: None,
            signals: Signals {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                hangup: signal(SignalKind::hangup())?,
            },
            spinner,
        })
    }

    async fn run(mut self) -> Result<Outcome, TuiError> {
        for command in update::greeting() {
            self.obey(command).await?;
        }
        // Counts messages not yet drawn; the first frame is due at once.
        let mut undrawn = 1;
        loop {
            match self.turn(undrawn).await? {
                Turn::Hear(message) => {
                    undrawn += 1;
                    for command in update::update(&mut self.model, message) {
                        if command == Command::Quit {
                            return Ok(Outcome::Quit);
                        }
                        self.obey(command).await?;
                    }
                }
                Turn::Nothing => {}
                Turn::Draw => {
                    self.screen.draw(&self.model)?;
                    undrawn = 0;
                }
                Turn::Leave(outcome) => return Ok(outcome),
            }
        }
    }

    /// Waits for the next thing to do; signals and keys go first, drawing last.
    async fn turn(&mut self, undrawn: usize) -> Result<Turn, TuiError> {
        let shown = self.editing.is_none();
        if shown && undrawn >= MESSAGES_PER_DRAW_MAX {
            return Ok(Turn::Draw);
        }
        let busy = shown && self.model.busy();
        Ok(tokio::select! {
            biased;
            // In the editor, Ctrl-C reaches this process too and is not meant for it.
            Some(()) = self.signals.interrupt.recv() => {
                if shown { Turn::Leave(Outcome::Signalled) } else { Turn::Nothing }
            }
            Some(()) = self.signals.terminate.recv() => Turn::Leave(Outcome::Signalled),
            Some(()) = self.signals.hangup.recv() => Turn::Leave(Outcome::Signalled),
            input = next_input(&mut self.keys) => {
                let query_empty = self.model.query.text().is_empty();
                input?.and_then(|input| understand(input, query_empty))
                    .map_or(Turn::Nothing, Turn::Hear)
            }
            result = finished(&mut self.editing) => {
                self.screen.resume()?;
                self.keys = Some(self.screen.keys());
                let (width, height) = self.screen.size()?;
                self.model.size = (width, height);
                Turn::Hear(Message::EditorClosed(result))
            }
            message = next_event(&mut self.receiver) => Turn::Hear(message),
            result = finished(&mut self.reconnecting) => Turn::Hear(match result {
                Ok(client) => {
                    self.sender = Some(client.sender);
                    self.receiver = Some(client.receiver);
                    Message::Connected
                }
                Err(reason) => Message::ConnectFailed(reason),
            }),
            preview = self.previews.next() => Turn::Hear(Message::Preview(Box::new(preview))),
            _ = self.spinner.tick(), if busy => Turn::Hear(Message::Tick),
            () = ready(()), if shown && undrawn > 0 => Turn::Draw,
        })
    }

    async fn obey(&mut self, command: Command) -> Result<(), TuiError> {
        match command {
            Command::Send(request) => self.send(&request).await,
            Command::Reconnect => {
                self.sender = None;
                self.receiver = None;
                self.reconnecting = Some((self.reconnect)());
            }
            Command::Preview(hit) => self.previews.want(hit),
            Command::View { path } => {
                if let Err(problem) = editor::view(&path) {
                    update::update(&mut self.model, Message::EditorClosed(Err(problem)));
                }
            }
            Command::Copy(text) => self.screen.copy(&text)?,
            Command::Open { path, line } => {
                let words = editor::arguments(&self.editor, &path, line).unwrap_or_default();
                // The stream would take the editor's keys.
                self.keys = None;
                self.screen.suspend()?;
                self.editing = Some(Box::pin(editor::run(words)));
            }
            // The loop itself leaves.
            Command::Quit => {}
        }
        Ok(())
    }

    async fn send(&mut self, request: &Request) {
        let Some(sender) = &mut self.sender else { return };
        let reason = match timeout(Duration::from_millis(SEND_MS_MAX), sender.send(request)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it takes no requests".to_owned(),
        };
        // Half a request may have been written: this connection is of no more use.
        self.sender = None;
        self.receiver = None;
        update::update(&mut self.model, Message::Lost(reason));
    }
}

/// The next input; nothing to hear for as long as there is no stream.
async fn next_input(keys: &mut Option<Keys>) -> Result<Option<Input>, TuiError> {
    match keys {
        None => pending().await,
        Some(stream) => match stream.next().await {
            Some(input) => Ok(Some(input?)),
            None => Err(TuiError::Closed),
        },
    }
}

/// What an input means to the model.
fn understand(input: Input, query_empty: bool) -> Option<Message> {
    match input {
        Input::Key(key) => Message::of_key(key, query_empty),
        Input::Paste(text) => Some(Message::Insert(text)),
        Input::Resize(width, height) => Some(Message::Resized { width, height }),
        Input::FocusGained | Input::FocusLost | Input::Mouse(_) => None,
    }
}

/// The next event, or that there will be none. Cancel-safe, as the receiver is.
async fn next_event(receiver: &mut Option<Receiver>) -> Message {
    let Some(open) = receiver else { return pending().await };
    let reason = match open.next().await {
        Ok(Some(event)) => return Message::Daemon(Box::new(event)),
        Ok(None) => "it closed the connection".to_owned(),
        Err(error) => error.to_string(),
    };
    *receiver = None;
    Message::Lost(reason)
}

/// The output of the work in `slot`, which is then empty; never, if there is none. Cancel-safe.
async fn finished<F: Future + Unpin>(slot: &mut Option<F>) -> F::Output {
    let Some(work) = slot else { return pending().await };
    let output = work.await;
    *slot = None;
    output
}

impl Previews {
    fn want(&mut self, hit: Box<Hit>) {
        if self.reading.is_some() {
            self.next = Some(hit);
        } else {
            self.reading = Some(tokio::task::spawn_blocking(move || preview::read(&hit)));
        }
    }

    /// The next preview read; never, if none is wanted. Cancel-safe.
    async fn next(&mut self) -> Preview {
        let result = finished(&mut self.reading).await;
        if let Some(hit) = self.next.take() {
            self.want(hit);
        }
        // The only other way a blocking task ends is with the runtime, and this loop before it.
        result.unwrap_or_else(|error| resume_unwind(error.into_panic()))
    }
}

#[cfg(test)]
mod tests;
