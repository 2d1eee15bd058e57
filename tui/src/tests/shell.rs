//! The whole program in a real terminal, below a shell: its daemon is the test's, in another process.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process;
use std::thread;

use daemon_protocol::client::Client;
use daemon_protocol::{Event, Hello, IndexStatus, PROTOCOL, Request, Stage as Ranking, frame};
use rustix::process::{Pid, Signal, kill_process};

use super::tty::{SCREEN, Terminal};
use super::{LOOK, hit, timings};
use crate::{Options, OwnKeys};

/// As the test harness calls the tests in here.
const TEST: &str = "tests::shell::stops_and_goes_on_and_ends_as_a_shell_expects";
const VI_TEST: &str = "tests::shell::letters_are_keys_once_the_line_is_left";
/// In the environment of the process that is the program: where its daemon listens.
const SOCKET: &str = "FORETHOUGHT_TEST_SOCKET";
/// There, too: whether it has vi keys.
const VI: &str = "FORETHOUGHT_TEST_VI";
const SIZES: [(u16, u16); 3] = [(40, 10), (80, 24), (200, 60)];

/// Is the program, in the terminal of this process, to its end.
fn be_the_program(socket: PathBuf) -> ! {
    let options = Options {
        limit: 10,
        thoughts: None,
        editor: env::var("EDITOR").ok(),
        look: LOOK,
        instant: false,
        history: None,
        painter: None,
        pages: None,
        saved: env::var_os("HOME").map(|home| PathBuf::from(home).join("saved")),
        keys: OwnKeys::new(),
        vi: env::var_os(VI).is_some(),
        home: None,
        cwd: env::current_dir().unwrap(),
        connect: Box::new(move || {
            let socket = socket.clone();
            Box::pin(async move {
                Client::connect(&socket, "test").await.map_err(|error| error.to_string())
            })
        }),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(crate::run(options)).unwrap();
    process::exit(outcome.exit_status().into());
}

/// A shell in a terminal of that size, in which this program runs as the program, with a daemon that knows `lamp.md`.
fn start(size: (u16, u16), test: &str, more: &[(&str, &str)]) -> Terminal {
    let shell = "exec env PS1='ready> ' sh";
    let env = [&[(SOCKET, "socket"), ("EDITOR", "false")], more].concat();
    let terminal = Terminal::open(size, shell, &env);
    let dir = terminal.dir.path().to_owned();
    let file = dir.join("lamp.md");
    std::fs::write(&file, "one\ntwo\na lamp\n").unwrap();
    let listener = UnixListener::bind(dir.join("socket")).unwrap();
    thread::spawn(move || be_the_daemon(&listener, &file));
    terminal.shows("ready>");
    terminal.line("stty -a > before");
    terminal.line(&format!(
        "clear; sh -c 'echo $$ > pid; exec \"$PROGRAM\" --exact {test} --nocapture'"
    ));
    terminal.shows("3 documents");
    terminal
}

/// Answers whoever connects to `listener`: one client after another, each question with one hit in `file`.
fn be_the_daemon(listener: &UnixListener, file: &Path) {
    for stream in listener.incoming() {
        // A client that is killed leaves half a conversation.
        answer(stream.unwrap(), file).ok();
    }
}

fn answer(mut stream: UnixStream, file: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    lines.next().expect("a hello")?;
    let hello = Hello { protocol: PROTOCOL, version: "test".to_owned(), pid: process::id() };
    stream.write_all(&frame::encode(&hello).unwrap())?;
    let mut decoder = frame::Decoder::default();
    for line in lines {
        decoder.push(format!("{}\n", line?).as_bytes());
        let request: Request = decoder.take().expect("a line").unwrap();
        let events = match request {
            Request::Subscribe { .. } => {
                let status = IndexStatus { documents: 3, ..Default::default() };
                vec![Event::Indexing { status }]
            }
            Request::Ask(ask) => {
                let found = hit(&file.display().to_string(), 2, "", "a lamp", "lamp", 0.1);
                let stage = Ranking::Final;
                let hits = Event::Hits { id: ask.id, stage, hits: vec![found] };
                vec![hits, Event::Done { id: ask.id, timings: timings() }]
            }
            _ => Vec::new(),
        };
        for event in events {
            stream.write_all(&frame::encode(&event).unwrap())?;
        }
    }
    Ok(())
}

impl Terminal {
    fn types(&self, text: &str) {
        self.told(&["send-keys", "-l", "--", text]);
    }

    fn press(&self, key: &str) {
        self.told(&["send-keys", key]);
    }

    fn line(&self, text: &str) {
        self.types(text);
        self.press("Enter");
    }

    /// A signal to the program from outside.
    fn tell(&self, signal: Signal) {
        let pid = self.modes("pid").trim().parse().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Waits until the shell has the terminal, as it was before.
    #[track_caller]
    fn is_the_shells(&self, what: &str) {
        self.is_taken(false);
        self.line(&format!("stty -a > after; echo shell{what}''again"));
        self.shows(&format!("shell{what}again"));
        assert_eq!(self.modes("after"), self.modes("before"), "after {what}");
    }
}

#[test]
fn stops_and_goes_on_and_ends_as_a_shell_expects() {
    if let Some(socket) = env::var_os(SOCKET) {
        be_the_program(socket.into());
    }
    for size in SIZES {
        let terminal = start(size, TEST, &[]);
        terminal.types("lamp");
        terminal.shows("› lamp");

        terminal.press("C-z");
        terminal.is_the_shells("key");
        terminal.line("fg");
        terminal.is_taken(true);
        terminal.shows("› lamp");
        terminal.tell(Signal::TSTP);
        terminal.is_the_shells("signal");
        terminal.line("fg");
        terminal.is_taken(true);
        terminal.shows("› lamp");
        // Without a word before.
        terminal.tell(Signal::STOP);
        terminal.shows("ready>");
        // The terminal is raw: Enter would be no line's end.
        terminal.types("fg");
        terminal.press("C-j");
        terminal.wait("all of it drawn anew", &SCREEN, |screen| {
            screen.contains("› lamp") && !screen.contains("ready>")
        });

        terminal.press("Enter");
        terminal.shows("lamp.md:3");
        // Below 80 columns or 24 rows it takes the results' place.
        terminal.press("Tab");
        terminal.shows("3▎ a lamp");
        terminal.press("Tab");
        terminal.press("Enter");
        terminal.shows("error: false ended with exit status: 1");

        terminal.tell(Signal::TERM);
        terminal.is_taken(false);
        terminal.line("echo ended with $?");
        terminal.shows("ended with 143");
        terminal.is_the_shells("end");
    }
}

/// And what is saved under a name is there the next time.
#[test]
fn letters_are_keys_once_the_line_is_left() {
    if let Some(socket) = env::var_os(SOCKET) {
        be_the_program(socket.into());
    }
    for size in SIZES {
        let terminal = start(size, VI_TEST, &[(VI, "1")]);
        terminal.types("jlamp");
        terminal.shows("› jlamp");
        terminal.press("Escape");
        terminal.wait("the list", &SCREEN, |screen| {
            screen.contains("  jlamp") && screen.contains("i: type")
        });
        terminal.types("/lamp");
        terminal.press("Enter");
        // A question that is asked leaves the line, and `w` is a key.
        terminal.shows("lamp.md:3");
        terminal.types("w");
        terminal.shows("3▎ a lamp");
        terminal.types("w?");
        terminal.shows("o, Enter");
        terminal.types("jjq");
        terminal.wait("the help's end", &SCREEN, |screen| {
            screen.contains("lamp.md:3") && !screen.contains("o, Enter")
        });
        terminal.types("Slight");
        terminal.shows("save as › light");
        terminal.press("Enter");
        terminal.shows("saved as light");
        terminal.types("'");
        terminal.wait("the list of what is saved", &SCREEN, |screen| {
            screen.contains("saved ›") && screen.contains("light") && screen.contains("1 question")
        });
        terminal.press("Escape");
        terminal.shows("lamp.md:3");
        terminal.types("q");
        terminal.is_the_shells("end");
        assert_eq!(terminal.modes("saved"), "light\tlamp\n");
    }
}
