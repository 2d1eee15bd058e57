//! The loop between a daemon's socket and a person: both are the test's.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::Event as Input;
use daemon_protocol::client::{Client, FrameReader};
use daemon_protocol::{Event, Hello, Hit, PROTOCOL, Request, frame};
use futures::StreamExt;
use futures::stream::unfold;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::timeout;

use super::{LOOK, hit, parse};
use crate::app::App;
use crate::model::Model;
use crate::preview::{self, Preview};
use crate::signals::Heard;
use crate::terminal::{Keys, Screen};
use crate::{Options, Outcome, OwnKeys, Pages, view};

/// Far longer than the slowest play takes, far shorter than a person's patience with CI.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A screen whose frames the test can wait for.
pub(super) struct Glass {
    pub(super) terminal: Terminal<TestBackend>,
    pub(super) keys: Arc<Mutex<mpsc::Receiver<Input>>>,
    pub(super) shown: watch::Sender<String>,
    pub(super) told: watch::Sender<Told>,
}

/// What the loop told the terminal.
#[derive(Default)]
pub(super) struct Told {
    /// Whether another program has the terminal.
    pub(super) lent: bool,
    /// How often another program had it. The state alone would not do: a quick editor is back
    /// before anyone looks.
    pub(super) loans: usize,
    /// How often the process was to stop.
    pub(super) stops: usize,
    pub(super) clipboard: String,
    /// What the terminal is told before another program has it.
    pub(super) farewell: String,
}

impl Screen for Glass {
    fn size(&self) -> io::Result<(u16, u16)> {
        Ok((120, 30))
    }

    fn keys(&mut self) -> Keys {
        let next = async |keys: Arc<Mutex<mpsc::Receiver<Input>>>| {
            let key = keys.lock().await.recv().await?;
            Some((Ok(key), keys))
        };
        unfold(Arc::clone(&self.keys), next).boxed()
    }

    fn draw(&mut self, model: &Model) -> io::Result<()> {
        assert!(!self.told.borrow().lent, "the editor has the terminal");
        self.terminal.draw(|frame| view::draw(frame, model)).expect("draws");
        self.shown.send_replace(self.terminal.backend().to_string());
        Ok(())
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.told.send_modify(|told| told.clipboard = text.to_owned());
        Ok(())
    }

    fn part_with(&mut self, farewell: &str) {
        self.told.send_modify(|told| told.farewell = farewell.to_owned());
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.told.send_modify(|told| told.lent = true);
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        self.told.send_modify(|told| {
            told.lent = false;
            told.loans += 1;
        });
        Ok(())
    }

    fn stoppable(&self) -> bool {
        true
    }

    /// The shell's part is the test's.
    fn stop(&mut self, group: bool) -> io::Result<()> {
        assert!(group && self.told.borrow().lent, "the terminal is given back first");
        self.told.send_modify(|told| told.stops += 1);
        Ok(())
    }
}

/// The person in front of the glass.
pub(super) struct Person {
    pub(super) keys: mpsc::Sender<Input>,
    pub(super) signals: mpsc::Sender<Heard>,
    pub(super) shown: watch::Receiver<String>,
    pub(super) told: watch::Receiver<Told>,
}

impl Person {
    pub(super) async fn types(&self, written: &str) {
        for key in parse(written) {
            self.keys.send(Input::Key(key)).await.expect("the loop listens");
        }
    }

    /// Waits until the screen says `text`.
    pub(super) async fn sees(&mut self, text: &str) {
        self.shown.wait_for(|screen| screen.contains(text)).await.expect("the loop draws");
    }
}

/// The daemon's end of one connection.
pub(super) struct Daemon {
    pub(super) read: FrameReader,
    pub(super) write: OwnedWriteHalf,
}

impl Daemon {
    pub(super) async fn accept(listener: &UnixListener) -> Daemon {
        let (stream, _) = listener.accept().await.expect("a client");
        let (read, write) = stream.into_split();
        let mut daemon = Daemon { read: FrameReader::new(read), write };
        daemon.read.read::<Hello>().await.expect("a hello").expect("a hello");
        let hello = Hello { protocol: PROTOCOL, version: "test".to_owned(), pid: 1 };
        daemon.write.write_all(&frame::encode(&hello).expect("small")).await.expect("writes");
        daemon
    }

    pub(super) async fn hears(&mut self) -> Request {
        self.read.read().await.expect("a request").expect("a request")
    }

    /// The next question's id and text.
    pub(super) async fn asked(&mut self) -> (u64, String) {
        loop {
            if let Request::Ask(ask) = self.hears().await {
                return (ask.id, ask.text);
            }
        }
    }

    pub(super) async fn says(&mut self, event: Event) {
        self.write.write_all(&frame::encode(&event).expect("small")).await.expect("writes");
    }
}

/// A folder with a socket and a file, the loop, and both its partners.
pub(super) struct World {
    pub(super) home: TempDir,
    pub(super) listener: UnixListener,
    pub(super) person: Person,
    pub(super) app: App<Glass>,
}

impl World {
    pub(super) fn new() -> World {
        World::with(preview::read, None)
    }

    /// A world in which files are read by `read`.
    pub(super) fn reading(read: fn(&Hit) -> Preview) -> World {
        World::with(read, None)
    }

    /// A world in which pages are drawn.
    pub(super) fn drawing(pages: Pages) -> World {
        World::with(preview::read, Some(pages))
    }

    fn with(read: fn(&Hit) -> Preview, pages: Option<Pages>) -> World {
        let home = tempfile::tempdir().expect("a folder");
        let socket = home.path().join("daemon.sock");
        let listener = UnixListener::bind(&socket).expect("binds");
        let (keys, pressed) = mpsc::channel(64);
        let (shown, screen) = watch::channel(String::new());
        let (told, heard) = watch::channel(Told::default());
        let glass = Glass {
            terminal: Terminal::new(TestBackend::new(120, 30)).expect("a test backend"),
            keys: Arc::new(Mutex::new(pressed)),
            shown,
            told,
        };
        let options = Options {
            limit: 10,
            thoughts: Some(1),
            editor: Some(editor(&home).display().to_string()),
            look: LOOK,
            instant: false,
            history: None,
            painter: None,
            pages,
            saved: None,
            keys: OwnKeys::new(),
            vi: false,
            home: None,
            cwd: home.path().to_owned(),
            connect: Box::new(move || {
                let socket = socket.clone();
                Box::pin(async move {
                    Client::connect(&socket, "test").await.map_err(|error| error.to_string())
                })
            }),
        };
        std::fs::write(home.path().join("git.md"), "# Git\n\nRun git rebase.\n").expect("writes");
        let (signals, heard_signals) = mpsc::channel(4);
        let next = async |mut heard: mpsc::Receiver<Heard>| {
            let signal = heard.recv().await?;
            Some((signal, heard))
        };
        let heard_signals = unfold(heard_signals, next).boxed();
        let app = App::new(options, glass, heard_signals, read).expect("starts");
        let person = Person { keys, signals, shown: screen, told: heard };
        World { home, listener, person, app }
    }

    /// The hit in `git.md`.
    pub(super) fn hit(&self) -> Hit {
        let path = self.home.path().join("git.md").display().to_string();
        let mut hit = hit(&path, 3, "Git", "Run git rebase.", "git", 0.03);
        (hit.line, hit.byte_start, hit.byte_end) = (3, 7, 22);
        hit
    }
}

/// An "editor" that writes down its arguments and appends a line to the file.
pub(super) fn editor(home: &TempDir) -> PathBuf {
    let path = home.path().join("vim");
    let script = "#!/bin/sh\nprintf '%s %s' \"$1\" \"${2##*/}\" > \"$(dirname \"$0\")/arguments\"\n\
                  echo 'a line added' >> \"$2\"\n";
    std::fs::write(&path, script).expect("writes");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("executable");
    path
}

/// Ends whoever waits for what never comes.
pub(super) async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("in time")
}

/// The loop and what happens to it, until the person quits.
pub(super) async fn both(app: App<Glass>, play: impl Future<Output = ()>) {
    let (outcome, ()) = within(async { tokio::join!(app.run(), play) }).await;
    assert_eq!(outcome.expect("ends well"), Outcome::Quit);
}
