//! Running a program to its end, or to something it prints, with a deadline. No sleeps: output and
//! exit are events, and [`wait_until`] is for what has none.

use std::fmt::Display;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Longest wait for anything on a machine that is busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What a program printed and how it ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// Fails with everything that was printed unless the exit status is `code`.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit status; {self:#?}");
        self
    }

    /// Fails unless it ended as errors do: status 2, a message with `words` and nothing on stdout.
    #[track_caller]
    pub(crate) fn fails_saying(self, words: &[&str]) -> Self {
        let finished = self.exits(2);
        assert_eq!(finished.stdout, "", "an error belongs on stderr");
        let told = finished.stderr.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(told, 1, "one error is told once: {}", finished.stderr);
        finished.says(words)
    }

    /// Fails unless stderr has every one of `words`, whatever their case.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        let said = self.stderr.to_lowercase();
        for word in words {
            assert!(said.contains(&word.to_lowercase()), "`{word}` is not in: {}", self.stderr);
        }
        assert!(!said.contains("panicked"), "{}", self.stderr);
        self
    }

    /// The JSON that was printed.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}; {self:#?}"))
    }
}

enum Piece {
    Out(Vec<u8>),
    Err(Vec<u8>),
}

/// A program that runs, and what it has printed so far.
pub(crate) struct Running {
    child: Child,
    pieces: Receiver<Piece>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// How many times something new came on stderr.
    pub(crate) stderr_pieces: usize,
}

impl Running {
    /// Starts `command` with both outputs piped and nothing to read.
    pub(crate) fn start(command: &mut Command) -> Running {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let (sender, pieces) = channel();
        forward(child.stdout.take().expect("stdout is piped"), sender.clone(), Piece::Out);
        forward(child.stderr.take().expect("stderr is piped"), sender, Piece::Err);
        Running { child, pieces, stdout: Vec::new(), stderr: Vec::new(), stderr_pieces: 0 }
    }

    /// Process id, for signals.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Data printed so far.
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Everything else printed so far.
    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Reads until `enough`; fails if the output ends or time runs out before.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, mut enough: impl FnMut(&Running) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !enough(self) {
            let open = self.read_before(deadline, what);
            assert!(open, "the program ended before {what}; {}{}", self.stdout(), self.stderr());
        }
    }

    /// Reads to the end of both outputs and waits for the exit status.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Finished {
        let deadline = Instant::now() + PATIENCE;
        while self.read_before(deadline, "the end of its output") {}
        let status = self.child.wait().expect("a child can be waited for");
        Finished { code: status.code(), stdout: self.stdout(), stderr: self.stderr() }
    }

    /// Takes one piece of output; false at the end of both.
    #[track_caller]
    fn read_before(&mut self, deadline: Instant, what: &str) -> bool {
        match self.pieces.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Piece::Out(bytes)) => self.stdout.extend(bytes),
            Ok(Piece::Err(bytes)) => {
                self.stderr.extend(bytes);
                self.stderr_pieces += 1;
            }
            Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => {
                self.child.kill().ok();
                panic!("waited too long for {what}; {}{}", self.stdout(), self.stderr());
            }
        }
        true
    }
}

fn forward(
    mut from: impl Read + Send + 'static,
    to: Sender<Piece>,
    piece: impl Fn(Vec<u8>) -> Piece + Send + 'static,
) {
    thread::spawn(move || {
        let mut chunk = [0; 8192];
        while let Ok(count @ 1..) = from.read(&mut chunk) {
            if to.send(piece(chunk[..count].to_vec())).is_err() {
                return;
            }
        }
    });
}

/// Runs `command` to its end.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Finished {
    Running::start(command).finish()
}

/// Tries `check` again and again until it yields a value, for things that announce nothing. Its
/// error says what is there instead. A value that comes too late is a failure too.
#[track_caller]
pub(crate) fn wait_until<T, E: Display>(
    what: &str,
    patience: Duration,
    mut check: impl FnMut() -> Result<T, E>,
) -> T {
    let deadline = Instant::now() + patience;
    // Nobody ever sends on it: the wait is only a way to let others have the processor.
    let (_keep, never) = channel::<()>();
    loop {
        let checked = check();
        let late = Instant::now() > deadline;
        match checked {
            Ok(value) if !late => return value,
            Ok(_) => panic!("{what} took longer than {patience:?}"),
            Err(instead) if late => panic!("waited {patience:?} for {what}; instead: {instead}"),
            Err(_) => never.recv_timeout(Duration::from_millis(20)).ok(),
        };
    }
}
