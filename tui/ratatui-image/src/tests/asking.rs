//! Asked of terminals that a test plays, at the other end of `script`.

use std::env;
use std::fs;
use std::io::{Read, Write, stdin};
use std::process::{Command, Stdio};

use crate::ask;

/// As the test harness calls this test, which is the program in the terminal too.
const TEST: &str = "tests::asking::terminals_say_what_they_show";
/// In the environment of that program: the file in which it says what it was told.
const TOLD: &str = "FORETHOUGHT_TEST_TOLD";

const STATE: &str = "\x1b[5n";
const WELL: &str = "\x1b[0n";
const KITTY: &str = "\x1b_Gi=31;OK\x1b\\";
const CELL: &str = "\x1b[6;20;10t";

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// Asks, and says what the terminal is, and the next key.
fn be_the_program(told: &str) {
    let before = threads();
    let canvas = ask();
    // Whatever the library has begun is over before a key comes.
    while threads() > before {
        std::thread::yield_now();
    }
    println!("over");
    let mut key = [0];
    stdin().read_exact(&mut key).unwrap();
    let canvas = canvas.map(|canvas| (canvas.cell(), !canvas.farewell().is_empty()));
    fs::write(told, format!("{canvas:?}, key {}", char::from(key[0]))).unwrap();
}

/// What the program says in a terminal that gives these answers, one after the other, each once it was asked so.
fn told(environment: &[(&str, &str)], answers: &[(&str, String)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let told = dir.path().join("told");
    let line = format!("stty raw -echo; exec \"$PROGRAM\" --exact {TEST} --nocapture");
    let mut script = Command::new("script");
    script.args(["-qfec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    script.env_clear().env("PATH", env::var_os("PATH").unwrap()).env("SHELL", "/bin/sh");
    script.env("TERM", "xterm").env("PROGRAM", env::current_exe().unwrap()).env(TOLD, &told);
    script.envs(environment.iter().copied());
    let mut script = script.spawn().expect("script, of util-linux");
    let (mut keys, mut output) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
    let key = [("over", "k".to_owned())];
    let mut left = answers.iter().chain(&key).peekable();
    let (mut heard, mut chunk) = (String::new(), [0; 4096]);
    while let Ok(count @ 1..) = output.read(&mut chunk) {
        heard += &String::from_utf8_lossy(&chunk[..count]);
        while let Some((question, answer)) = left.peek()
            && let Some(at) = heard.find(question)
        {
            heard.drain(..at + question.len());
            keys.write_all(answer.as_bytes()).unwrap();
            left.next();
        }
    }
    script.wait().unwrap();
    fs::read_to_string(told).unwrap_or_else(|error| panic!("{error}: {heard}"))
}

#[test]
fn terminals_say_what_they_show() {
    if let Ok(told) = env::var(TOLD) {
        return be_the_program(&told);
    }
    let well = || (STATE, WELL.to_owned());
    let says = |what: &str| [well(), (STATE, format!("{what}{CELL}{WELL}"))];
    let (sixels, none) = ("\x1b[?62;4c", "\x1b[?62;22c");
    let iterm = [("TERM_PROGRAM", "iTerm.app")];
    for (name, environment, answers, expected) in [
        ("kitty", &[][..], &says(&format!("{KITTY}{none}"))[..], "Some(((10, 20), true))"),
        ("sixels", &[], &says(sixels), "Some(((10, 20), false))"),
        ("iTerm2", &iterm, &says(none), "Some(((10, 20), false))"),
        ("half blocks", &[], &says(none), "None"),
        (
            "slow, with a key before",
            &[],
            &[(STATE, format!("x{WELL}")), says(sixels)[1].clone()],
            "Some(((10, 20), false))",
        ),
        ("silent", &[], &[], "None"),
        // Asked for the terminal around it, which does not answer; it answers for itself.
        ("tmux", &[("TERM", "tmux")], &[well(), ("\x1b\x1b[5n", String::new()), well()], "None"),
        (
            "kitty in tmux",
            &[("TERM", "tmux")],
            &[well(), ("\x1b\x1b[5n", format!("{KITTY}{none}{CELL}{WELL}"))],
            "Some(((10, 20), true))",
        ),
    ] {
        assert_eq!(told(environment, answers), format!("{expected}, key k"), "{name}");
    }
}
