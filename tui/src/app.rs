//! The loop: waits for the next thing, has `update` look at it, carries out the commands, draws.
//! Decides nothing of what a message means.

use std::future::{Future, pending, ready};
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::Event as Input;
use daemon_protocol::client::{Client, Receiver, Sender};
use daemon_protocol::{Hit, Request};
use futures::StreamExt;
use futures::future::BoxFuture;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use crate::drawing::Drawing;
use crate::history::{Files, History};
use crate::keymap::Keymap;
use crate::look::Colors;
use crate::message::{Command, Message};
use crate::model::{Model, Settings};
use crate::page::Canvas;
use crate::painting::Painting;
use crate::preview::Preview;
use crate::readers::Readers;
use crate::signals::{Heard, Signals};
use crate::terminal::{Keys, Screen};
use crate::{Connect, Options, Outcome, TuiError, editor, update, viewer};

/// Messages handled before a draw although more are ready: a flood must not stop the screen.
const MESSAGES_PER_DRAW_MAX: usize = 64;
/// One turn of the spinner; it turns only while something is waited for.
pub(crate) const SPIN_MS: u64 = 150;
/// How long a request may take to be written; a daemon that reads nothing for so long is gone.
const SEND_MS_MAX: u64 = 1_000;

/// The loop and all it owns.
pub(crate) struct App<S> {
    model: Model,
    screen: S,
    /// Absent while another program has the terminal.
    keys: Option<Keys>,
    /// Absent while disconnected.
    sender: Option<Sender>,
    receiver: Option<Receiver>,
    connect: Connect,
    connecting: Option<BoxFuture<'static, Result<Client, String>>>,
    readers: Readers,
    painting: Painting,
    drawing: Drawing,
    /// The terminal is being asked whether it shows pictures; it answers where keys are read.
    asking: Option<BoxFuture<'static, Option<Arc<dyn Canvas>>>>,
    history: History,
    editor: Option<String>,
    editing: Option<BoxFuture<'static, Result<(), String>>>,
    /// Whether the shell has the terminal, because this process was stopped.
    stopped: bool,
    signals: Signals,
    spinner: Interval,
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
    /// `read` reads the preview of a hit, and may take as long as it likes.
    pub(crate) fn new(
        options: Options,
        mut screen: S,
        signals: Signals,
        read: fn(&Hit) -> Preview,
    ) -> Result<App<S>, TuiError> {
        let settings = Settings {
            limit: options.limit,
            thoughts: options.thoughts,
            look: options.look,
            instant: options.instant,
            paints: options.painter.is_some(),
            // Without colours there are no pictures either: kitty's are told apart by one.
            draws: options.pages.is_some() && options.look.colors != Colors::None,
            keys: Keymap::of(&options.keys, options.vi).map_err(TuiError::Keys)?,
            home: options.home,
            cwd: options.cwd,
        };
        let mut spinner = interval(Duration::from_millis(SPIN_MS));
        spinner.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(App {
            model: Model::new(settings, screen.size()?),
            keys: Some(screen.keys()),
            screen,
            sender: None,
            receiver: None,
            connect: options.connect,
            connecting: None,
            readers: Readers::new(read),
            painting: Painting::new(options.painter),
            drawing: Drawing::new(options.pages),
            asking: None,
            history: History::open(Files { questions: options.history, saved: options.saved }),
            editor: options.editor,
            editing: None,
            stopped: false,
            signals,
            spinner,
        })
    }

    pub(crate) async fn run(mut self) -> Result<Outcome, TuiError> {
        let outcome = self.turns().await;
        // The terminal is the shell's again before anything is waited for.
        let App { history, screen, .. } = self;
        drop(screen);
        history.close().await;
        outcome
    }

    async fn turns(&mut self) -> Result<Outcome, TuiError> {
        // The first frame waits for nothing, least of all for the daemon.
        self.screen.draw(&self.model)?;
        for command in update::opening() {
            self.obey(command).await?;
        }
        // Counts messages not yet drawn.
        let mut undrawn = 0;
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
        let shown = self.editing.is_none() && !self.stopped;
        if shown && undrawn >= MESSAGES_PER_DRAW_MAX {
            return Ok(Turn::Draw);
        }
        let turning = shown && self.model.busy() && !self.model.settings.look.still;
        Ok(tokio::select! {
            biased;
            Some(heard) = self.signals.next() => self.heed(heard)?,
            input = next_input(&mut self.keys) => match input? {
                Some(input) => {
                    understand(input, &self.model).map_or(Turn::Nothing, Turn::Hear)
                }
                // The terminal is gone, and whoever sat there with it.
                None => Turn::Leave(Outcome::HungUp),
            },
            result = finished(&mut self.editing) => {
                self.take_back()?;
                Turn::Hear(Message::EditorClosed(result))
            }
            message = next_event(&mut self.receiver) => Turn::Hear(message),
            result = finished(&mut self.connecting) => Turn::Hear(match result {
                Ok(client) => {
                    self.sender = Some(client.sender);
                    self.receiver = Some(client.receiver);
                    Message::Connected
                }
                Err(reason) => Message::ConnectFailed(reason),
            }),
            message = self.readers.next() => Turn::Hear(message),
            message = self.painting.next() => Turn::Hear(message),
            canvas = finished(&mut self.asking) => Turn::Hear(self.answered(canvas)),
            message = self.drawing.next() => Turn::Hear(message),
            message = self.history.next() => Turn::Hear(message),
            _ = self.spinner.tick(), if turning => Turn::Hear(Message::Tick),
            () = ready(()), if shown && undrawn > 0 => Turn::Draw,
        })
    }

    fn heed(&mut self, heard: Heard) -> Result<Turn, TuiError> {
        Ok(match heard {
            // In the editor, Ctrl-C reaches this process too and is not meant for it.
            Heard::Interrupt if self.editing.is_some() => Turn::Nothing,
            Heard::Interrupt => Turn::Leave(Outcome::Interrupted),
            Heard::Terminate => Turn::Leave(Outcome::Terminated),
            Heard::HangUp => Turn::Leave(Outcome::HungUp),
            Heard::Stop => {
                self.stop()?;
                Turn::Nothing
            }
            // The editor has the terminal and draws itself.
            Heard::Continue if self.editing.is_some() => Turn::Nothing,
            Heard::Continue => {
                if !self.stopped {
                    // By SIGSTOP, which nobody hears: the shell has set the terminal as it likes.
                    self.hand_over()?;
                }
                self.stopped = false;
                self.take_back()?;
                Turn::Hear(Message::resized(self.screen.size()?))
            }
        })
    }

    /// Stops this process; the shell has the terminal until SIGCONT.
    fn stop(&mut self) -> Result<(), TuiError> {
        if self.editing.is_none() && !self.stopped {
            self.hand_over()?;
            self.stopped = true;
        }
        // The editor's own process has been told like this one.
        Ok(self.screen.stop(self.editing.is_none())?)
    }

    fn hand_over(&mut self) -> Result<(), TuiError> {
        // The stream would take the other program's keys.
        self.keys = None;
        Ok(self.screen.suspend()?)
    }

    fn take_back(&mut self) -> Result<(), TuiError> {
        self.screen.resume()?;
        self.keys = self.asking.is_none().then(|| self.screen.keys());
        self.model.size = self.screen.size()?;
        // The terminal was told to forget the picture.
        self.model.pages.newest = None;
        Ok(())
    }

    /// What the terminal says of pictures; keys are heard again.
    fn answered(&mut self, canvas: Option<Arc<dyn Canvas>>) -> Message {
        if !self.stopped {
            self.keys = Some(self.screen.keys());
        }
        self.drawing.on(canvas.clone());
        self.screen.part_with(canvas.as_ref().map_or("", |canvas| canvas.farewell()));
        Message::Canvas(canvas)
    }

    async fn obey(&mut self, command: Command) -> Result<(), TuiError> {
        match command {
            Command::Send(request) => self.send(&request).await,
            Command::Connect => {
                self.sender = None;
                self.receiver = None;
                self.connecting = Some((self.connect)());
            }
            Command::Preview(hit) => self.readers.want(hit),
            Command::Paint(job) => self.painting.want(job),
            Command::AskTerminal => {
                if let Some(asking) = self.drawing.ask() {
                    self.keys = None;
                    self.asking = Some(asking);
                }
            }
            Command::Draw(order) => self.drawing.want(order),
            Command::View { path, page } => {
                if let Err(problem) = viewer::view(&path, page) {
                    update::update(&mut self.model, Message::EditorClosed(Err(problem)));
                }
            }
            Command::Keep(question) => self.history.keep(question),
            Command::Save(search) => self.history.save(search),
            Command::Unsave(name) => self.history.unsave(name),
            Command::Copy(text) => self.screen.copy(&text)?,
            Command::Open { path, line } => {
                match editor::choices(self.editor.as_deref(), &path, line) {
                    Ok(choices) => {
                        self.hand_over()?;
                        self.editing = Some(Box::pin(editor::run(choices)));
                    }
                    Err(problem) => {
                        update::update(&mut self.model, Message::EditorClosed(Err(problem)));
                    }
                }
            }
            Command::Stop if self.screen.stoppable() => self.stop()?,
            Command::Stop => {
                update::update(&mut self.model, Message::Unstoppable);
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
        for command in update::update(&mut self.model, Message::Lost(reason)) {
            if command == Command::Connect {
                self.connecting = Some((self.connect)());
            }
        }
    }
}

/// The next input, none once the terminal is closed; nothing to hear for as long as there is no stream.
async fn next_input(keys: &mut Option<Keys>) -> Result<Option<Input>, TuiError> {
    match keys {
        None => pending().await,
        Some(stream) => Ok(stream.next().await.transpose()?),
    }
}

/// What an input means to the model.
fn understand(input: Input, model: &Model) -> Option<Message> {
    match input {
        Input::Key(key) => Message::of_key(key, &model.settings.keys, model.place()),
        Input::Paste(text) => Some(Message::Insert(text)),
        Input::Resize(width, height) => Some(Message::resized((width, height))),
        Input::Mouse(mouse) => Message::of_mouse(mouse),
        Input::FocusGained | Input::FocusLost => None,
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
