//! The whole loop: a daemon's socket on one side, keys and a screen on the other.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::Event as Input;
use daemon_protocol::client::{Client, FrameReader};
use daemon_protocol::{Event, Hello, Hit, PROTOCOL, Request, Stage as Ranking, frame};
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

use super::{hit, indexing, parse, timings};
use crate::model::Model;
use crate::terminal::{Keys, Screen};
use crate::{App, Options, Outcome, TuiError, view};

/// Far longer than the slowest play takes, far shorter than a person's patience with CI.
const PATIENCE: Duration = Duration::from_secs(60);

/// A screen whose frames the test can wait for.
struct Glass {
    terminal: Terminal<TestBackend>,
    keys: Arc<Mutex<mpsc::Receiver<Input>>>,
    shown: watch::Sender<String>,
    told: watch::Sender<Told>,
}

/// What the loop told the terminal.
#[derive(Default)]
struct Told {
    /// Whether another program has the terminal.
    lent: bool,
    /// How often another program had it. The state alone would not do: a quick editor is back
    /// before anyone looks.
    loans: usize,
    clipboard: String,
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
}

/// The person in front of the glass.
struct Person {
    keys: mpsc::Sender<Input>,
    shown: watch::Receiver<String>,
    told: watch::Receiver<Told>,
}

impl Person {
    async fn types(&self, written: &str) {
        for key in parse(written) {
            self.keys.send(Input::Key(key)).await.expect("the loop listens");
        }
    }

    /// Waits until the screen says `text`.
    async fn sees(&mut self, text: &str) {
        self.shown.wait_for(|screen| screen.contains(text)).await.expect("the loop draws");
    }
}

/// The daemon's end of one connection.
struct Daemon {
    read: FrameReader,
    write: OwnedWriteHalf,
}

impl Daemon {
    async fn accept(listener: &UnixListener) -> Daemon {
        let (stream, _) = listener.accept().await.expect("a client");
        let (read, write) = stream.into_split();
        let mut daemon = Daemon { read: FrameReader::new(read), write };
        daemon.read.read::<Hello>().await.expect("a hello").expect("a hello");
        let hello = Hello { protocol: PROTOCOL, version: "test".to_owned(), pid: 1 };
        daemon.write.write_all(&frame::encode(&hello).expect("small")).await.expect("writes");
        daemon
    }

    async fn hears(&mut self) -> Request {
        self.read.read().await.expect("a request").expect("a request")
    }

    /// The next question's id and text.
    async fn asked(&mut self) -> (u64, String) {
        loop {
            if let Request::Ask(ask) = self.hears().await {
                return (ask.id, ask.text);
            }
        }
    }

    async fn says(&mut self, event: Event) {
        self.write.write_all(&frame::encode(&event).expect("small")).await.expect("writes");
    }
}

/// A folder with a socket and a file, the loop, and both its partners.
struct World {
    home: TempDir,
    listener: UnixListener,
    daemon: Daemon,
    person: Person,
    app: App<Glass>,
}

impl World {
    async fn new() -> World {
        let home = tempfile::tempdir().expect("a folder");
        let socket = home.path().join("daemon.sock");
        let listener = UnixListener::bind(&socket).expect("binds");
        let greeting =
            async { tokio::join!(Client::connect(&socket, "test"), Daemon::accept(&listener)) };
        let (client, daemon) = within(greeting).await;
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
            color: true,
            home: None,
            cwd: home.path().to_owned(),
            reconnect: Box::new(move || {
                let socket = socket.clone();
                Box::pin(async move {
                    Client::connect(&socket, "test").await.map_err(|error| error.to_string())
                })
            }),
        };
        std::fs::write(home.path().join("git.md"), "# Git\n\nRun git rebase.\n").expect("writes");
        let app = App::new(client.expect("connects"), options, glass).expect("starts");
        World { home, listener, daemon, person: Person { keys, shown: screen, told: heard }, app }
    }

    /// The hit in `git.md`.
    fn hit(&self) -> Hit {
        let path = self.home.path().join("git.md").display().to_string();
        let mut hit = hit(&path, 3, "Git", "Run git rebase.", "git", 0.03);
        (hit.line, hit.byte_start, hit.byte_end) = (3, 7, 22);
        hit
    }
}

/// An "editor" that writes down its arguments and appends a line to the file.
fn editor(home: &TempDir) -> PathBuf {
    let path = home.path().join("vim");
    let script = "#!/bin/sh\nprintf '%s %s' \"$1\" \"${2##*/}\" > \"$(dirname \"$0\")/arguments\"\n\
                  echo 'a line added' >> \"$2\"\n";
    std::fs::write(&path, script).expect("writes");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("executable");
    path
}

/// Ends whoever waits for what never comes.
async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("in time")
}

/// The loop and what happens to it, until the person quits.
async fn both(app: App<Glass>, play: impl Future<Output = ()>) {
    let (outcome, ()) = within(async { tokio::join!(app.run(), play) }).await;
    assert_eq!(outcome.expect("ends well"), Outcome::Quit);
}

#[tokio::test]
async fn from_a_question_to_an_edited_file() {
    let world = World::new().await;
    let (draft, mut last) = (world.hit(), world.hit());
    last.ranks.draft = Some(2);
    let World { home, mut daemon, mut person, app, .. } = world;
    let play = async {
        assert!(matches!(daemon.hears().await, Request::Subscribe { .. }));
        assert!(matches!(daemon.hears().await, Request::Status { .. }));
        daemon.says(indexing()).await;
        person.sees("indexing 120/904").await;
        person.types("git").await;
        person.types("?<enter>").await;
        let (id, text) = daemon.asked().await;
        assert_eq!(text, "git?");
        daemon.says(Event::Hits { id, stage: Ranking::Draft, hits: vec![draft] }).await;
        person.sees("draft, still thinking").await;
        person.sees("3▎ Run git rebase.").await;
        for delta in [" Git", " keeps", " history."] {
            daemon.says(Event::Thought { id, index: 0, delta: delta.to_owned() }).await;
            person.sees(delta).await;
        }
        daemon.says(Event::Hits { id, stage: Ranking::Final, hits: vec![last] }).await;
        daemon.says(Event::Done { id, timings: timings() }).await;
        person.sees("↑1 git.md:3").await;
        person.sees("71 tokens").await;
        person.types("<ctrl-y>").await;
        person.told.wait_for(|told| told.clipboard.ends_with("/git.md:3")).await.expect("copied");
        person.types("<enter>").await;
        person.told.wait_for(|told| told.loans == 1).await.expect("the editor ends");
        person.sees("4  a line added").await;
        person.types("<ctrl-c>").await;
    };
    both(app, play).await;
    let arguments = std::fs::read_to_string(home.path().join("arguments")).expect("edited");
    assert_eq!(arguments, "+3 git.md");
}

#[tokio::test]
async fn a_newer_question_silences_the_older() {
    let world = World::new().await;
    let (old, mut new) = (world.hit(), world.hit());
    new.heading = "Newer".to_owned();
    let World { mut daemon, mut person, app, home: _home, .. } = world;
    let play = async {
        person.types("git<enter>").await;
        let (first, _) = daemon.asked().await;
        person.types(" two<enter>").await;
        let (second, text) = daemon.asked().await;
        assert_eq!(text, "git two");
        daemon
            .says(Event::Hits { id: first, stage: Ranking::Final, hits: vec![old.clone(), old] })
            .await;
        daemon.says(Event::Hits { id: second, stage: Ranking::Final, hits: vec![new] }).await;
        person.sees("1 result ").await;
        person.sees("Newer").await;
        person.types("<esc>").await;
        assert_eq!(daemon.hears().await, Request::Cancel { id: second });
        person.types("<ctrl-c>").await;
    };
    both(app, play).await;
}

#[tokio::test]
async fn a_daemon_that_goes_is_called_again() {
    let world = World::new().await;
    let result = world.hit();
    let World { mut daemon, mut person, app, listener, home: _home } = world;
    let play = async {
        person.types("git<enter>").await;
        daemon.asked().await;
        drop(daemon);
        person.sees("error: the daemon is gone: it closed the connection").await;
        person.types("<enter>").await;
        let mut daemon = Daemon::accept(&listener).await;
        assert!(matches!(daemon.hears().await, Request::Subscribe { .. }));
        let (id, text) = daemon.asked().await;
        assert_eq!(text, "git");
        daemon.says(Event::Hits { id, stage: Ranking::Draft, hits: vec![result] }).await;
        person.sees("git.md:3").await;
        // Nonsense breaks the stream; so does a socket without a daemon.
        daemon.write.write_all(b"{}\n").await.expect("writes");
        person.sees("not a message of this protocol").await;
        drop(listener);
        person.types("<enter>").await;
        person.sees("no daemon answers at").await;
        person.types("<ctrl-c>").await;
    };
    both(app, play).await;
}

#[tokio::test]
async fn a_terminal_that_closes_ends_the_loop() {
    let World { person, app, home: _home, daemon: _daemon, .. } = World::new().await;
    drop(person.keys);
    assert!(matches!(within(app.run()).await, Err(TuiError::Closed)));
}
