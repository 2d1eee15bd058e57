//! Keys and events in, screens and commands out. `pure`, `asking`, `steering`, `moving`, `meaning`, `connecting`,
//! `keeping`, `keymapping`, `saving`, `painting`, `picturing` and `vi` look at functions, `drawing` at the process
//! that draws a page, `screens` at what is drawn (snapshots), `live` at the whole loop against a daemon's socket
//! (`world`), `tty` and `shell` at the real terminal. `session` is a whole session as a picture,
//! which `svg` draws.

mod asking;
mod connecting;
mod drawing;
mod keeping;
mod keymapping;
mod live;
mod meaning;
mod moving;
mod painting;
mod picturing;
mod pure;
mod saving;
mod screens;
mod session;
mod shell;
mod steering;
mod svg;
mod tty;
mod vi;
mod world;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use daemon_protocol::{
    Ask, DaemonStatus, ErrorKind, Event, Failure, Folder, Hit, IndexStatus, Phase, Ranks, Request,
    Scores, Stage as Ranking, Timings, TrainingStatus,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::keymap::Keymap;
use crate::look::{Colors, Look};
use crate::message::{Command, Message};
use crate::model::{ASK_ID_FIRST, Model, STATUS_ID, Settings};
use crate::preview::Preview;
use crate::update::update;
use crate::view;

const LOOK: Look = Look { colors: Colors::Ansi, light: false, still: false, mouse: true };
/// The id of a test's first question.
const ASK: u64 = ASK_ID_FIRST;

/// A model that keys and events are played to.
struct Stage {
    model: Model,
    /// Everything asked for so far.
    commands: Vec<Command>,
    /// The questions that were to be kept.
    kept: Vec<String>,
}

impl Stage {
    fn new() -> Stage {
        let settings = Settings {
            limit: 10,
            thoughts: None,
            look: LOOK,
            instant: false,
            paints: false,
            draws: false,
            keys: plain_keys(),
            home: Some(PathBuf::from("/home/me")),
            cwd: PathBuf::from("/home/me/work"),
        };
        let mut stage = Stage::of(Model::new(settings, (100, 30)));
        stage.hear(status(IndexStatus { documents: 171, passages: 904, ..Default::default() }));
        stage
    }

    /// The model with a fresh connection.
    fn of(model: Model) -> Stage {
        let mut stage = Stage { model, commands: Vec::new(), kept: Vec::new() };
        stage.say(Message::Connected);
        stage.commands.clear();
        stage
    }

    /// A stage that shows results while a question is typed.
    fn instant() -> Stage {
        let mut stage = Stage::new();
        stage.model.settings.instant = true;
        stage
    }

    /// A stage whose person has asked about git.
    fn asked() -> Stage {
        let mut stage = Stage::new();
        stage.keys("git rebase main<enter>");
        stage
    }

    /// The same, with three draft hits.
    fn drafted() -> Stage {
        let mut stage = Stage::asked();
        stage.hear(Event::Hits { id: ASK, stage: Ranking::Draft, hits: draft() });
        stage
    }

    /// The same, thought about and answered.
    fn answered() -> Stage {
        let mut stage = Stage::drafted();
        stage.think(0, "Rebasing replays commits on another base.");
        stage.think(1, "A note on git would mention fetch first.");
        stage.hear(Event::Hits { id: ASK, stage: Ranking::Final, hits: reranked() });
        stage.hear(Event::Done { id: ASK, timings: timings() });
        stage
    }

    fn say(&mut self, message: Message) {
        for command in update(&mut self.model, message) {
            match command {
                Command::Keep(question) => self.kept.push(question),
                other => self.commands.push(other),
            }
        }
    }

    fn hear(&mut self, event: Event) {
        self.say(Message::Daemon(Box::new(event)));
    }

    fn think(&mut self, index: usize, delta: &str) {
        self.hear(Event::Thought { id: ASK, index, delta: delta.to_owned() });
    }

    /// Plays keys written as `git<enter><ctrl-n>`.
    fn keys(&mut self, written: &str) {
        for key in parse(written) {
            let place = self.model.place();
            if let Some(message) = Message::of_key(key, &self.model.settings.keys, place) {
                self.say(message);
            }
        }
    }

    /// Answers the newest wish for a preview with a file of `lines` lines.
    fn read_preview(&mut self, lines: usize) {
        let wish = self.commands.iter().rev().find_map(|command| match command {
            Command::Preview(hit) => Some(hit.clone()),
            _ => None,
        });
        let hit = wish.expect("a preview was asked for");
        let text: String = (1..=lines).map(|line| format!("this is line {line:03}\n")).collect();
        self.say(Message::Preview(Box::new(Preview::cut(&hit, text.as_bytes(), 0))));
    }

    /// The screen of a terminal that has just become that large.
    fn screen(&mut self, width: u16, height: u16) -> TestBackend {
        self.say(Message::Resized { width, height });
        self.drawn((width, height))
    }

    /// The screen as it is, of that size.
    fn drawn(&self, (width, height): (u16, u16)) -> TestBackend {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test backend");
        terminal.draw(|frame| view::draw(frame, &self.model)).expect("draws");
        terminal.backend().clone()
    }

    /// The paths of the results, in order, and the selected one.
    fn results(&self) -> (Vec<&str>, Option<&str>) {
        let rows = self.model.rows.iter().map(|row| row.hit.path.as_str()).collect();
        (rows, self.model.selected_hit().map(|hit| hit.path.as_str()))
    }
}

/// The keys as they are by default.
fn plain_keys() -> Keymap {
    Keymap::of(&BTreeMap::new(), false).unwrap()
}

fn ask(id: u64, text: &str, thoughts: Option<usize>) -> Command {
    Command::Send(Request::Ask(Ask {
        id,
        text: text.to_owned(),
        limit: 10,
        thoughts,
        read_ms: None,
        path: None,
        given: Vec::new(),
    }))
}

fn failed(id: u64, kind: ErrorKind) -> Event {
    Event::Failed { id, error: Failure { kind, message: "no".to_owned(), hint: None } }
}

fn parse(written: &str) -> Vec<KeyEvent> {
    let mut keys = Vec::new();
    let mut rest = written;
    while let Some(first) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        if let Some((name, after)) = named {
            keys.push(named_key(name));
            rest = after;
        } else {
            keys.push(KeyEvent::new(KeyCode::Char(first), KeyModifiers::NONE));
            rest = &rest[first.len_utf8()..];
        }
    }
    keys
}

fn named_key(name: &str) -> KeyEvent {
    let (modifiers, name) = match name.split_once('-') {
        Some(("ctrl", name)) => (KeyModifiers::CONTROL, name),
        Some(("alt", name)) => (KeyModifiers::ALT, name),
        _ => (KeyModifiers::NONE, name),
    };
    let mut letters = name.chars();
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "tab" => KeyCode::Tab,
        "bs" => KeyCode::Backspace,
        "del" => KeyCode::Delete,
        "pgdn" => KeyCode::PageDown,
        "pgup" => KeyCode::PageUp,
        "f1" => KeyCode::F(1),
        "f2" => KeyCode::F(2),
        "f5" => KeyCode::F(5),
        "lt" => KeyCode::Char('<'),
        "gt" => KeyCode::Char('>'),
        _ => match (letters.next(), letters.next()) {
            (Some(letter), None) => KeyCode::Char(letter),
            _ => panic!("no key is named {name}"),
        },
    };
    KeyEvent::new(code, modifiers)
}

fn hit(path: &str, line: usize, heading: &str, snippet: &str, marked: &str, score: f32) -> Hit {
    let highlights = snippet.match_indices(marked).map(|(at, word)| (at, at + word.len()));
    Hit {
        path: path.to_owned(),
        title: heading.to_owned(),
        heading: heading.to_owned(),
        line_start: line,
        line_end: line + 2,
        line: line + 1,
        // Lines of the files that `read_preview` invents have 17 bytes.
        byte_start: (line - 1) * 17,
        byte_end: (line + 2) * 17,
        converted: false,
        place: None,
        score,
        snippet: snippet.to_owned(),
        highlights: highlights.collect(),
        ranks: Ranks::default(),
        reading: None,
        also: Vec::new(),
        scores: Scores::default(),
        words: Vec::new(),
        missing: Vec::new(),
        marked: None,
    }
}

fn git() -> Hit {
    let snippet = "Run git fetch, then\ngit rebase main: your commits are replayed.";
    hit("/home/me/work/notes/git.md", 14, "Git > Rebase", snippet, "git", 0.0328)
}

fn tea() -> Hit {
    let snippet = "Green tea wants water at 70 °C; black tea stands boiling water.";
    hit("/home/me/tea.md", 3, "Tea", snippet, "main", 0.0161)
}

fn code() -> Hit {
    let snippet = "fn rebase(branch: &str) -> Result<(), Error> {\n\tfetch(branch)?;";
    hit("/srv/code/src/rebase.rs", 120, "", snippet, "rebase", 0.0317)
}

fn japanese() -> Hit {
    let snippet = "リベースは、コミットを別の土台の上に置き直す。rebase の前に fetch する。";
    hit("/home/me/work/ノート/ギット.md", 8, "ギット > リベース", snippet, "rebase", 0.0302)
}

fn draft() -> Vec<Hit> {
    vec![tea(), code(), git()]
}

/// What thinking made of [`draft`].
fn reranked() -> Vec<Hit> {
    let from = |hit: Hit, draft: Option<usize>| Hit {
        ranks: Ranks { text: Some(1), vector: Some(2), draft, ..Ranks::default() },
        ..hit
    };
    vec![from(git(), Some(3)), from(code(), Some(2)), from(japanese(), None), from(tea(), Some(1))]
}

fn timings() -> Timings {
    Timings {
        draft_ms: 40,
        read_ms: 900,
        passages_read: 10,
        first_token_ms: Some(1_110),
        think_ms: 1_830,
        thought_tokens: 71,
        rank_ms: 60,
        total_ms: 2_890,
        degraded: None,
        notes: Vec::new(),
    }
}

fn status(index: IndexStatus) -> Event {
    Event::Status {
        id: STATUS_ID,
        status: Box::new(DaemonStatus {
            version: "0.1.0".to_owned(),
            pid: 4242,
            uptime_s: 60,
            model: "SmolLM2-135M".to_owned(),
            fingerprint: "00ff".to_owned(),
            device: "cpu".to_owned(),
            memory_bytes: 1,
            memory_peak_bytes: 2,
            folders: vec![Folder {
                path: "/home/me/work".to_owned(),
                documents: 171,
                passages: 904,
                problem: None,
            }],
            kinds: BTreeMap::from([("md".to_owned(), 3)]),
            left_out: BTreeMap::new(),
            index,
            training: None,
        }),
    }
}

fn indexing() -> Event {
    Event::Indexing {
        status: IndexStatus {
            phase: Phase::Encoding,
            documents: 120,
            passages: 640,
            round_total: 904,
            round_done: 120,
            eta_s: Some(95),
            problems: Vec::new(),
            problem_count: 3,
            next: None,
            storing: None,
            waiting: None,
        },
    }
}

fn training(stage: &str) -> TrainingStatus {
    TrainingStatus {
        pid: 4300,
        run: "3fa9c1d2".to_owned(),
        stage: stage.to_owned(),
        done: 120,
        total: 400,
        eta_s: Some(299),
        loss: Some(0.8312),
        tokens_per_s: Some(912.5),
        ndcg_10: Some(0.612),
    }
}
