//! The full-screen view in a real terminal: tmux draws it, types into it and tells what it shows.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use rustix::process::Signal;

use crate::process::{PATIENCE, run, wait_until};
use crate::sandbox::{Sandbox, signal};

/// A shell in a terminal of its own, ended with its sandbox.
struct Terminal<'a> {
    sandbox: &'a Sandbox,
    /// Name of its tmux.
    name: String,
    /// How many command lines have been run.
    commands: Cell<usize>,
}

impl<'a> Terminal<'a> {
    fn open(sandbox: &'a Sandbox) -> Terminal<'a> {
        Terminal::sized(sandbox, 120, 40)
    }

    /// One with so many columns and rows.
    fn sized(sandbox: &'a Sandbox, width: u16, height: u16) -> Terminal<'a> {
        let name = format!("fore{width}");
        let terminal = Terminal { sandbox, name, commands: Cell::new(0) };
        let editor = sandbox.home().join("nano");
        fs::write(&editor, "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$HOME/edited\"\n").unwrap();
        fs::set_permissions(&editor, fs::Permissions::from_mode(0o700)).unwrap();
        let (width, height) = (width.to_string(), height.to_string());
        let mut tmux = terminal.tmux(&["new-session", "-d", "-x", &width, "-y", &height]);
        tmux.arg("exec env PS1='ready> ' sh");
        tmux.env("EDITOR", &editor).env("TERM", "xterm-256color").env("SHELL", "/bin/sh");
        run(&mut tmux).exits(0);
        terminal.shows("a prompt", |screen| screen.contains("ready>"));
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> Command {
        let mut tmux = self.sandbox.program("tmux");
        tmux.args(["-u", "-L", &self.name, "-f", "/dev/null"]).args(arguments);
        tmux.env("TMUX_TMPDIR", self.sandbox.home().join("run"));
        tmux
    }

    /// Types text as it is.
    fn types(&self, text: &str) {
        run(&mut self.tmux(&["send-keys", "-l", "--", text])).exits(0);
    }

    /// Presses keys by tmux's names.
    fn press(&self, keys: &[&str]) {
        run(self.tmux(&["send-keys"]).args(keys)).exits(0);
    }

    fn screen(&self) -> String {
        run(&mut self.tmux(&["capture-pane", "-p"])).exits(0).stdout
    }

    /// The screen with its colours.
    fn colours(&self) -> String {
        run(&mut self.tmux(&["capture-pane", "-p", "-e"])).exits(0).stdout
    }

    /// What tmux knows of the terminal's state.
    fn state(&self, format: &str) -> String {
        run(&mut self.tmux(&["display-message", "-p", format])).exits(0).stdout
    }

    /// Waits for a screen that `right` accepts.
    #[track_caller]
    fn shows(&self, what: &str, mut right: impl FnMut(&str) -> bool) -> String {
        wait_until(what, PATIENCE, || {
            let screen = self.screen();
            if right(&screen) { Ok(screen) } else { Err(format!("\n{screen}")) }
        })
    }

    /// Runs a command line in the shell and returns the screen once it has ended.
    #[track_caller]
    fn runs(&self, line: &str) -> String {
        self.commands.set(self.commands.get() + 1);
        // Quoted, so that the command line itself on the screen is not taken for its end.
        let (mark, quoted) = ("finished", "finish''ed");
        let number = self.commands.get();
        self.types(&format!("clear; {line}; echo {quoted} {number}"));
        self.press(&["Enter"]);
        let end = format!("{mark} {number}\nready>");
        let screen = self.shows("the end of a command", |screen| screen.contains(&end));
        screen.split(&end).next().unwrap_or_default().to_owned()
    }
}

fn library() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(
        "lamp.md",
        "# Light\n\nFor dark evenings.\n\n## Paraffin\n\nWhen the lamp starts to smoke, the wick is too \
         high: turn it down and trim it.\n",
    );
    sandbox.write("bread.md", "# Bread\n\nKnead the dough for ten minutes, then let it rest.\n");
    sandbox.write("tide.txt", "Low tide is at noon on Friday.\n");
    sandbox.add_notes();
    sandbox
}

/// The lines of the thought pane, between its title and that of the results.
fn thought(screen: &str) -> Option<String> {
    let mut lines = screen.lines().skip_while(|line| !line.contains("thinking ·")).skip(1);
    let inside: Vec<&str> =
        lines.by_ref().take_while(|line| !line.starts_with('─')).map(str::trim).collect();
    let text = inside.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Whether the first result is of file `name`. What is selected is the draft's first, wherever it went.
fn first_is(screen: &str, name: &str) -> bool {
    let place = format!("{name}:");
    let first = |line| str::strip_prefix(line, "▌ 1 ").or_else(|| line.strip_prefix("  1 "));
    screen.lines().filter_map(first).any(|head| {
        // How far it has moved since the draft may come first: `↑2 lamp.md:5`.
        head.split(' ').take(2).any(|word| word.starts_with(&place))
    })
}

#[test]
fn type_watch_open_leave() {
    let sandbox = library();
    let terminal = Terminal::open(&sandbox);
    let modes = "stty -a | tr ' ;' '\\n\\n' | grep -xE -e '-?(icanon|echo|isig|icrnl|opost)'";
    let before = terminal.runs(modes);
    assert!(before.contains("icanon"), "{before}");

    terminal.types("fore");
    terminal.press(&["Enter"]);
    terminal.shows("the query line", |screen| screen.contains("ask your folders anything"));
    assert_eq!(terminal.state("#{alternate_on}"), "1\n");
    terminal.shows("the index", |screen| screen.contains("3 documents"));

    terminal.types("why does my lamp smoke");
    terminal.shows("what is typed", |screen| screen.contains("› why does my lamp smoke"));
    terminal.shows("what is found as it is typed", |screen| {
        screen.contains("4 results as you type") && first_is(screen, "lamp.md")
    });
    terminal.press(&["Enter"]);
    let mut thoughts = Vec::new();
    let mut drafts = false;
    let done = terminal.shows("the answer", |screen| {
        thoughts.extend(thought(screen));
        thoughts.dedup();
        // The draft, or what reading has made of it by the time that one looks.
        drafts |= screen.contains(", still thinking") && screen.contains("lamp.md");
        screen.contains("1 thought ·") && screen.contains("4 results")
    });
    assert!(thoughts.len() >= 2, "the thought did not stream: {thoughts:#?}\n{done}");
    assert!(drafts, "no result was shown while thinking\n{done}");
    assert!(!done.contains(", still thinking"), "{done}");
    assert!(first_is(&done, "lamp.md"), "{done}");
    assert!(done.contains("the wick is too high"), "{done}");

    // To the start of the line, and on to the first result.
    terminal.press(&["Home", "Home", "Enter"]);
    let edited = sandbox.home().join("edited");
    let arguments = wait_until("the editor", PATIENCE, || {
        let text = fs::read_to_string(&edited).unwrap_or_default();
        if text.ends_with(".md\n") { Ok(text) } else { Err(text) }
    });
    let (line, path) = arguments.trim().split_once('\n').unwrap();
    assert_eq!(path, sandbox.notes().join("lamp.md").to_str().unwrap());
    assert!(["+5", "+6", "+7"].contains(&line), "{line}");
    let back = terminal.shows("the results again", |screen| screen.contains("4 results"));
    assert!(back.contains("why does my lamp smoke"), "{back}");

    terminal.press(&["C-n"]);
    terminal.shows("the second result selected", |screen| {
        screen.lines().any(|line| line.starts_with("▌ 2 "))
    });
    terminal.press(&["Up"]);
    terminal.shows("the first result selected", |screen| {
        screen.lines().any(|line| line.starts_with("▌ 1 "))
    });

    terminal.press(&["C-c"]);
    terminal.shows("the prompt", |screen| screen.trim_end().ends_with("ready>"));
    assert_eq!(terminal.state("#{alternate_on} #{cursor_flag} #{mouse_any_flag}"), "0 1 0\n");
    assert_eq!(terminal.runs(modes), before, "the terminal is left in another mode");
    let questions = sandbox.home().join("state/forethought/questions");
    assert_eq!(fs::read_to_string(&questions).unwrap(), "why does my lamp smoke\n");
    assert_eq!(fs::metadata(&questions).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_newest_question_wins_and_escape_cancels() {
    let sandbox = library();
    let terminal = Terminal::open(&sandbox);
    terminal.types("fore");
    terminal.press(&["Enter"]);
    terminal.shows("the query line", |screen| screen.contains("ask your folders anything"));
    terminal.types("why does my lamp smoke");
    terminal.press(&["Enter"]);
    terminal.shows("a thought", |screen| thought(screen).is_some());
    terminal.press(&["Escape"]);
    terminal.shows("that it was cancelled", |screen| screen.contains("thinking was cancelled"));

    terminal.press(&["C-u"]);
    terminal.types("how is bread made");
    terminal.press(&["Enter"]);
    terminal.shows("a thought", |screen| thought(screen).is_some());
    terminal.press(&["C-u"]);
    terminal.types("low tide on Friday");
    terminal.press(&["Enter"]);
    let answer = terminal.shows("the newest answer", |screen| {
        screen.contains("1 thought ·") && screen.contains("4 results")
    });
    assert!(first_is(&answer, "tide.txt"), "{answer}");

    // A daemon that dies is no reason to leave: another is started.
    signal(sandbox.daemon_pid(), Signal::KILL);
    terminal.shows("another daemon", |screen| screen.contains("the daemon answers again"));
    terminal.press(&["C-t", "C-u"]);
    terminal.types("kneading dough");
    terminal.press(&["Enter"]);
    // The last answer stays on the screen until there is another.
    terminal.shows("another answer", |screen| first_is(screen, "bread.md"));
    terminal.press(&["C-c"]);
    terminal.shows("the prompt", |screen| screen.trim_end().ends_with("ready>"));
}

#[test]
fn the_shell_and_other_programs_can_stop_and_end_it() {
    let sandbox = library();
    let terminal = Terminal::open(&sandbox);
    let modes = "stty -a | tr ' ;' '\\n\\n' | grep -xE -e '-?(icanon|echo|isig|icrnl|opost)'";
    let before = terminal.runs(modes);
    let tell = |told| {
        let pid = fs::read_to_string(sandbox.home().join("pid")).unwrap();
        signal(pid.trim().parse().unwrap(), told);
    };
    let prompt = || terminal.shows("a prompt", |screen| screen.trim_end().ends_with("ready>"));
    for (end, status) in [(Signal::TERM, "ended with 143"), (Signal::HUP, "ended with 129")] {
        // The first frame is there before the daemon is.
        sandbox.kill_daemon();
        terminal.types("clear; sh -c 'echo $$ > \"$HOME/pid\"; exec fore'");
        terminal.press(&["Enter"]);
        terminal.shows("the first frame", |screen| screen.contains("connecting to the daemon"));
        terminal.types("lamp");
        terminal.shows("the index", |screen| {
            screen.contains("3 documents") && screen.contains("› lamp")
        });
        terminal.press(&["C-z"]);
        prompt();
        assert_eq!(terminal.state("#{alternate_on} #{cursor_flag}"), "0 1\n");
        assert_eq!(terminal.runs(modes), before, "the terminal is left in another mode");
        terminal.types("fg");
        terminal.press(&["Enter"]);
        terminal.shows("all of it again", |screen| screen.contains("› lamp"));
        tell(Signal::TSTP);
        prompt();
        assert_eq!(terminal.runs(modes), before, "the terminal is left in another mode");
        terminal.types("fg");
        terminal.press(&["Enter"]);
        terminal.shows("all of it again", |screen| screen.contains("› lamp"));
        tell(end);
        prompt();
        terminal.types("echo ended with $?");
        terminal.press(&["Enter"]);
        terminal.shows("the exit status", |screen| screen.contains(status));
        assert_eq!(terminal.runs(modes), before, "the terminal is left in another mode");
    }
}

/// What can be done with an answer, on the least screen, an old one and a large one: with vi keys, which are letters.
#[test]
fn all_of_it_at_every_size() {
    let sandbox = library();
    sandbox.think_briefly();
    sandbox.fore(&["config", "set", "keymap", "vi"]).exits(0);
    sandbox.fore(&["saved", "add", "tides", "low tide on Friday"]).exits(0);
    for (width, height) in [(40, 10), (80, 24), (200, 60)] {
        let terminal = Terminal::sized(&sandbox, width, height);
        terminal.types("fore");
        terminal.press(&["Enter"]);
        terminal.shows("the index", |screen| screen.contains("3 documents"));
        terminal.types("why does my lamp smoke");
        terminal.press(&["Enter"]);
        terminal.shows("the answer", |screen| {
            screen.contains("i: type")
                && screen.contains("4 results")
                && !screen.contains("still thinking")
        });
        // Whatever was selected when the ranking changed.
        terminal.types("g");
        terminal.shows("the best", |screen| first_is(screen, "lamp.md") && screen.contains("▌ 1 "));
        terminal.types("+");
        terminal.shows("a mark", |screen| screen.contains('✓'));
        terminal.types("+");
        terminal.shows("no mark", |screen| !screen.contains('✓'));
        terminal.types("w");
        terminal.shows("the file", |screen| screen.contains("▎ When the lamp"));
        terminal.types("we");
        terminal.shows("why it is there", |screen| screen.contains("BM25"));
        // Not Escape: with the letter behind it that would be Alt's.
        terminal.types("em");
        terminal.shows("more like it", |screen| screen.contains("like lamp.md"));
        terminal.press(&["Escape"]);
        terminal.shows("the answer again", |screen| first_is(screen, "lamp.md"));
        terminal.types(":thinking off");
        terminal.shows("what can be done", |screen| screen.contains("1 action"));
        terminal.press(&["Enter"]);
        terminal.types("?");
        terminal.shows("the keys", |screen| screen.contains("o, Enter"));
        terminal.types("q");
        terminal.types("'tid");
        terminal.shows("what is saved", |screen| screen.contains("tides"));
        terminal.press(&["Enter"]);
        terminal.shows("another answer", |screen| {
            screen.contains("low tide on Friday") && screen.contains("4 results")
        });
        terminal.types("g");
        terminal.shows("its best", |screen| first_is(screen, "tide.txt"));
        terminal.press(&["C-r"]);
        terminal.shows("what was asked", |screen| screen.contains("why does my lamp smoke"));
        terminal.press(&["Escape"]);
        terminal.shows("that answer again", |screen| !screen.contains("why does my lamp smoke"));
        terminal.types("q");
        terminal.shows("the prompt", |screen| screen.trim_end().ends_with("ready>"));
    }
}

#[test]
fn colours_on_a_terminal_unless_unwanted() {
    let sandbox = library();
    let terminal = Terminal::open(&sandbox);
    let ask = "fore ask --no-think lamp smoke";
    let table = [("", true), ("NO_COLOR=1 ", false), ("TERM=dumb ", false)];
    for (environment, coloured) in table {
        let plain = terminal.runs(&format!("{environment}{ask}"));
        assert!(plain.contains("lamp.md:"), "{plain}");
        let colours = terminal.colours();
        assert_eq!(colours.contains("\x1b["), coloured, "`{environment}`: {colours:?}");
    }
    let piped = terminal.runs(&format!("{ask} | cat"));
    assert!(piped.contains("lamp.md:") && !terminal.colours().contains("\x1b["), "{piped}");
}

/// How many of `total` files are done, if `line` is the bar: `indexing ███░░░ 32/100 4s`.
fn done_of(line: &str, total: usize) -> Option<usize> {
    let mut parts = line.strip_prefix("indexing ")?.split(' ');
    let bar = parts.next()?;
    if bar.is_empty() || !bar.trim_start_matches('█').trim_start_matches('░').is_empty() {
        return None;
    }
    let done = parts.next()?.strip_suffix(&format!("/{total}"))?;
    done.parse().ok()
}

#[test]
fn a_long_round_shows_a_bar() {
    let sandbox = Sandbox::new();
    let total = 100;
    for number in 0..total {
        let text = format!("On shelf {number} a rake waits for repair.\n");
        sandbox.write(&format!("shelf{number}.md"), text);
    }
    let terminal = Terminal::open(&sandbox);
    terminal.types("fore add .");
    terminal.press(&["Enter"]);
    let bar = |screen: &str| screen.lines().find_map(|line| done_of(line, total));
    terminal.shows("a bar on its way", |screen| {
        bar(screen).is_some_and(|done| (1..total).contains(&done))
    });
    let end = terminal.shows("the end", |screen| screen.trim_end().ends_with("ready>"));
    assert!(end.contains("indexed: 100 documents, 100 passages\n"), "{end}");
    assert_eq!(bar(&end), None, "the bar is left behind\n{end}");
}

#[test]
fn without_a_terminal_it_says_so() {
    let sandbox = library();
    let failure = sandbox.fore(&[]).fails_saying(&["terminal", "fore ask"]);
    assert!(!failure.stderr.contains('\x1b'), "{:?}", failure.stderr);
}
