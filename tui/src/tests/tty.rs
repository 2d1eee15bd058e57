//! The real terminal: tmux draws one, and the test, run again in it, takes it over. Here it panics in it;
//! `shell` has the rest.

use std::env;
use std::fs;
use std::io::{self, Read};
use std::process::{self, Command};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::terminal::Tty;

/// Far longer than any of it takes, even on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);
/// As the test harness calls the only test in here.
const TEST: &str = "tests::tty::a_panic_gives_the_terminal_back";
/// In the environment of the process that panics: in which thread it does.
const PANICS: &str = "FORETHOUGHT_TEST_PANICS";
const LAST_WORDS: &str = "the lamp went out";
/// What tmux knows of the other screen and the cursor.
const STATE: [&str; 3] = ["display-message", "-p", "#{alternate_on} #{cursor_flag}"];
pub(super) const SCREEN: [&str; 2] = ["capture-pane", "-p"];

/// A terminal in which a test runs again. Ended with the test.
pub(super) struct Terminal {
    pub(super) dir: TempDir,
}

impl Terminal {
    /// One with so many columns and rows, in which the shell runs `script`. `$PROGRAM` is this program.
    pub(super) fn open(
        (width, height): (u16, u16),
        script: &str,
        env: &[(&str, &str)],
    ) -> Terminal {
        // Not the temporary directory of the environment: a socket's path is 107 bytes at most.
        let dir = tempfile::Builder::new().prefix("fore-").tempdir_in("/tmp").unwrap();
        let terminal = Terminal { dir };
        let (width, height) = (width.to_string(), height.to_string());
        let mut start = terminal.tmux(&["new-session", "-d", "-x", &width, "-y", &height, script]);
        start.envs(env.iter().copied()).env("PROGRAM", env::current_exe().unwrap());
        run(&mut start);
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> Command {
        let mut tmux = Command::new("tmux");
        tmux.args(["-u", "-L", "tui", "-f", "/dev/null"]).args(arguments);
        tmux.current_dir(self.dir.path()).env_clear().env("PATH", env::var_os("PATH").unwrap());
        tmux.env("TMUX_TMPDIR", self.dir.path()).env("HOME", self.dir.path());
        tmux.env("TERM", "xterm-256color").env("SHELL", "/bin/sh").env("LANG", "C.UTF-8");
        tmux
    }

    pub(super) fn told(&self, arguments: &[&str]) -> String {
        run(&mut self.tmux(arguments))
    }

    /// Waits until tmux tells what is `wanted`. To ask it again is all the pause there is.
    #[track_caller]
    pub(super) fn wait(
        &self,
        what: &str,
        arguments: &[&str],
        wanted: impl Fn(&str) -> bool,
    ) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let told = self.told(arguments);
            let in_time = Instant::now() < deadline;
            assert!(in_time, "waited for {what}; instead: {told}\n{}", self.told(&SCREEN));
            if wanted(&told) {
                return told;
            }
        }
    }

    /// Waits until the screen says `text`.
    #[track_caller]
    pub(super) fn shows(&self, text: &str) -> String {
        self.wait(text, &SCREEN, |screen| screen.contains(text))
    }

    /// Waits until the program has the terminal, or the shell.
    #[track_caller]
    pub(super) fn is_taken(&self, taken: bool) {
        let state = if taken { "1 " } else { "0 1" };
        self.wait("the other screen", &STATE, |told| told.starts_with(state));
    }

    /// What `stty` wrote into the file `name`.
    pub(super) fn modes(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]).output().ok();
    }
}

#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().expect("these tests need tmux");
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Takes the terminal over and panics at the first key.
fn take_and_panic(elsewhere: bool) {
    let tty = Tty::enter(true).unwrap();
    assert!(tty.is_some(), "there is no terminal to take");
    io::stdin().read_exact(&mut [0]).unwrap();
    if elsewhere {
        thread::spawn(|| panic!("{LAST_WORDS}")).join().unwrap_err();
        // The guard is never dropped: the hook alone must have done it.
        process::exit(1);
    }
    panic!("{LAST_WORDS}");
}

#[test]
fn a_panic_gives_the_terminal_back() {
    if let Some(thread) = env::var_os(PANICS) {
        return take_and_panic(thread == "another");
    }
    let script = format!(
        "stty -a > before; \"$PROGRAM\" --exact {TEST} --nocapture; stty -a > after; \
         echo all is over; exec cat"
    );
    for thread in ["its own", "another"] {
        let terminal = Terminal::open((120, 40), &script, &[(PANICS, thread)]);
        terminal.is_taken(true);
        terminal.told(&["send-keys", "x"]);
        let screen = terminal.shows("all is over");
        assert!(screen.contains(LAST_WORDS), "panic in {thread} thread:\n{screen}");
        assert_eq!(terminal.told(&STATE), "0 1\n", "panic in {thread} thread:\n{screen}");
        let before = terminal.modes("before");
        assert!(before.contains(" icanon"), "{before}");
        assert_eq!(terminal.modes("after"), before, "panic in {thread} thread:\n{screen}");
    }
}
