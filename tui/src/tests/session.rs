//! A recorded conversation with the real daemon, played to the screen: the picture in the README
//! at the root. Every test run draws it anew and compares it with `session.svg`, so that it cannot
//! show a program that is no more.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use daemon_protocol::frame::Decoder;
use daemon_protocol::{Ask, Event, Hit, Request, Stage as Ranking};

use super::svg::{self, Shot};
use super::{LOOK, Stage};
use crate::app::SPIN_MS;
use crate::message::{Command, Message};
use crate::model::{Model, Settings};
use crate::preview::{self, Passage, Preview};

const WIDTH: u16 = 100;
const HEIGHT: u16 = 28;
/// Where the recording says the corpus lies.
const NOTES: &str = "/home/me/notes";
/// The daemon's times are recorded, the person's are not: how long it takes to see the empty screen,
const START_MS: u64 = 1_200;
/// to find a key,
const KEY_MS: u64 = 65;
/// to press Enter,
const TYPED_MS: u64 = 500;
/// to read the answer,
const ANSWER_MS: u64 = 4_000;
/// and to read what is around the next result.
const NEXT_MS: u64 = 4_500;
/// A picture at the top of a page is to be there at once.
const PICTURE_BYTES_MAX: usize = 80 << 10;

/// What `fixtures/record-session.py` wrote.
struct Recording {
    ask: Ask,
    /// Milliseconds since the question, below zero before it, and what was heard then.
    heard: Vec<(i64, Event)>,
}

impl Recording {
    fn read() -> Recording {
        let mut lines = Decoder::default();
        lines.push(&fs::read(fixture("session.jsonl")).expect("a recording"));
        let Some(Ok((0, Request::Ask(ask)))) = lines.take::<(i64, Request)>() else {
            panic!("the first line of a recording is the question");
        };
        let heard = std::iter::from_fn(|| lines.take());
        Recording { ask, heard: heard.map(|line| line.expect("an event")).collect() }
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

/// A stage that is filmed.
struct Film {
    stage: Stage,
    shots: Vec<Shot>,
    now_ms: u64,
}

impl Film {
    fn of(ask: &Ask) -> Film {
        let settings = Settings {
            limit: ask.limit,
            thoughts: ask.thoughts,
            look: LOOK,
            instant: false,
            paints: false,
            draws: false,
            keys: super::plain_keys(),
            home: Some(PathBuf::from("/home/me")),
            cwd: PathBuf::from(NOTES),
        };
        let model = Model::new(settings, (WIDTH, HEIGHT));
        let stage = Stage::of(model);
        Film { stage, shots: Vec::new(), now_ms: 0 }
    }

    /// Takes the screen, with the preview that was asked for.
    fn shoot(&mut self) {
        for command in std::mem::take(&mut self.stage.commands) {
            if let Command::Preview(hit) = command {
                self.stage.say(Message::Preview(Box::new(read_preview(&hit))));
            }
        }
        let screen = self.stage.screen(WIDTH, HEIGHT);
        self.shots.push(Shot { at_ms: self.now_ms, screen });
    }

    /// Types the question and asks it.
    fn ask(&mut self, ask: Ask) {
        self.shoot();
        self.now_ms += START_MS;
        for key in ask.text.chars() {
            self.stage.keys(&key.to_string());
            self.shoot();
            self.now_ms += KEY_MS;
        }
        self.now_ms += TYPED_MS;
        self.stage.keys("<enter>");
        let sent = Command::Send(Request::Ask(ask));
        assert_eq!(self.stage.commands, [sent], "the recording is of another question");
        self.shoot();
    }

    /// Hears the answer at its own pace. The screen is taken at every turn of the spinner, and when
    /// results come.
    fn hear(&mut self, answer: Vec<(u64, Event)>) {
        let asked_ms = self.now_ms;
        let mut turn_ms = SPIN_MS;
        for (ms, event) in answer {
            while turn_ms <= ms {
                self.now_ms = asked_ms + turn_ms;
                self.stage.say(Message::Tick);
                self.shoot();
                turn_ms += SPIN_MS;
            }
            self.now_ms = asked_ms + ms;
            // The final results come together with `done`.
            let shows = matches!(event, Event::Hits { stage: Ranking::Draft, .. })
                || matches!(event, Event::Done { .. });
            self.stage.hear(event);
            if shows {
                self.shoot();
            }
        }
    }
}

/// The lines around `hit` as the program reads them, from where the corpus really is.
fn read_preview(hit: &Hit) -> Preview {
    let below = Path::new(&hit.path).strip_prefix(NOTES).expect("a hit in the corpus");
    let path = fixture("corpus").join(below).display().to_string();
    let mut preview = preview::read(&Hit { path, ..hit.clone() });
    assert_eq!(preview.problem, None, "{}: make the recording again", hit.path);
    preview.passage = Passage::of(hit);
    preview
}

/// The person asks, reads the answer and moves to the next result.
fn play(Recording { ask, heard }: Recording) -> (Vec<Shot>, u64) {
    let mut film = Film::of(&ask);
    let (before, answer): (Vec<_>, Vec<_>) = heard.into_iter().partition(|(ms, _)| *ms < 0);
    before.into_iter().for_each(|(_, event)| film.stage.hear(event));
    film.ask(ask);
    film.hear(answer.into_iter().map(|(ms, event)| (ms.unsigned_abs(), event)).collect());
    film.now_ms += ANSWER_MS;
    film.stage.keys("<down>");
    film.shoot();
    (film.shots, film.now_ms + NEXT_MS)
}

#[test]
fn the_picture_in_the_readme_is_of_this_program() {
    let recording = Recording::read();
    let title = format!("fore answers: {}", recording.ask.text);
    let (shots, end_ms) = play(recording);
    let drawn = svg::film(&title, &shots, end_ms);
    assert!(drawn.len() < PICTURE_BYTES_MAX, "{} bytes", drawn.len());

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("session.svg");
    // It is a snapshot like those of insta, so it is made like them.
    if env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        fs::write(&path, &drawn).expect("writes");
    }
    assert!(
        fs::read_to_string(&path).is_ok_and(|kept| kept == drawn),
        "tui/session.svg is not what the program shows now. Draw it again, and look at it:\n\
         INSTA_UPDATE=always cargo test --release -p tui session"
    );
}
