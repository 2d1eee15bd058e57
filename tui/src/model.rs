//! Model: everything that can be on the screen. Plain data; `update` changes it, `view` draws it.

mod searching;

use std::collections::BTreeSet;
use std::path::PathBuf;

use daemon_protocol::{Ask, DaemonStatus, Hit, IndexStatus, Stage, Timings, TrainingStatus};

use crate::growing::Growing;
use crate::keymap::{Keymap, Place};
use crate::keys::Action;
use crate::line::Line;
use crate::look::Look;
use crate::memo::Memo;
use crate::page::Shown;
use crate::preview::{Passage, Preview};
use crate::snippet;
use tui_saved::Search;

pub(crate) use searching::{Finding, Of, Recall};

/// Ids of the two requests that are made once; asks and reads count on from [`ASK_ID_FIRST`].
pub(crate) const SUBSCRIBE_ID: u64 = 1;
pub(crate) const STATUS_ID: u64 = 2;
pub(crate) const ASK_ID_FIRST: u64 = 3;
/// Those of questions that nobody has pressed Enter for are far above.
pub(crate) const INSTANT_ID_FIRST: u64 = 1 << 32;
/// Bytes of one thought that are kept; the daemon cuts thoughts long before this.
pub(crate) const THOUGHT_BYTES_MAX: usize = 64 << 10;

/// What the caller decided; does not change.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) limit: usize,
    pub(crate) thoughts: Option<usize>,
    pub(crate) look: Look,
    /// Whether results are asked for while a question is typed.
    pub(crate) instant: bool,
    /// Whether code is painted.
    pub(crate) paints: bool,
    /// Whether there is something that draws pages.
    pub(crate) draws: bool,
    pub(crate) keys: Keymap,
    pub(crate) home: Option<PathBuf>,
    pub(crate) cwd: PathBuf,
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) settings: Settings,
    /// Width and height in cells.
    pub(crate) size: (u16, u16),
    pub(crate) query: Line,
    /// With vi keys: the keys are the list's, and nothing is typed.
    pub(crate) on_list: bool,
    /// Whether the next question is thought about.
    pub(crate) thinking: bool,
    /// Questions asked before, the newest last.
    pub(crate) history: Vec<String>,
    /// Which of them the line shows.
    pub(crate) recall: Option<Recall>,
    /// They are being searched.
    pub(crate) finding: Option<Finding>,
    /// What can be done is being searched.
    pub(crate) palette: Option<Finding>,
    /// Searches that are saved under a name.
    pub(crate) saved: Vec<Search>,
    /// The name that the question is to be saved under, as it is typed.
    pub(crate) naming: Option<Line>,
    /// A thought is being edited, in the place of the question.
    pub(crate) editing: Option<Editing>,
    /// Thoughts that go with the next questions too.
    pub(crate) pinned: Vec<String>,
    /// The newest question that was asked, running or over; absent while what is shown is of the line as it
    /// is typed.
    pub(crate) asking: Option<Asking>,
    pub(crate) instant: Instant,
    /// What is to be seen again if the line becomes what it was.
    pub(crate) kept: Option<Answer>,
    /// What is shown, or asked for, is like a passage, not found for a question.
    pub(crate) like: Option<Like>,
    /// The newest mark, whose refusal is to be heard.
    pub(crate) marking: Option<Marking>,
    /// How many rows of the explanation are above what is shown, while it is in the preview's place.
    pub(crate) explain: Option<usize>,
    /// Whether previews are shown as their files are written.
    pub(crate) raw: bool,
    pub(crate) pages: Shown,
    pub(crate) rows: Vec<Row>,
    /// The other ranking: before reading and thinking while `rows` are after it, or the other way round.
    pub(crate) aside: Vec<Row>,
    /// Whether `rows` are the draft although there is a later ranking.
    pub(crate) before: bool,
    /// Whether the person has moved in these rows.
    pub(crate) touched: bool,
    /// Words that the hits were found by, in small letters.
    pub(crate) words: BTreeSet<String>,
    /// Index into `rows`. When they are ranked anew, it follows the passage.
    pub(crate) selected: usize,
    /// Index of the first row that is shown.
    pub(crate) top: usize,
    /// The passage whose preview is wanted; the one shown may still be the one before.
    pub(crate) wanted: Option<Passage>,
    pub(crate) preview: Option<Preview>,
    pub(crate) focus: Focus,
    pub(crate) index: Option<IndexStatus>,
    pub(crate) daemon: Option<DaemonStatus>,
    /// The run of `fore train` under way. Not what `daemon` says of it, which ages.
    pub(crate) training: Option<TrainingStatus>,
    pub(crate) connection: Connection,
    pub(crate) notice: Option<Notice>,
    /// The help screen, and how many of its rows are above what is shown.
    pub(crate) help: Option<usize>,
    /// Turns of the spinner, wrapping.
    pub(crate) spin: usize,
    pub(crate) next_id: u64,
    /// The newest `read`, whose answer alone counts.
    pub(crate) reading: Option<u64>,
}

/// A thought in the line, and which of all.
#[derive(Debug)]
pub(crate) struct Editing {
    pub(crate) line: Line,
    pub(crate) thought: usize,
}

/// More like a passage.
#[derive(Debug)]
pub(crate) struct Like {
    /// The newest request, and where its passage is.
    pub(crate) id: u64,
    pub(crate) asked: String,
    /// Where the passage is that what is shown is like; absent until there is something.
    pub(crate) of: Option<String>,
    /// What is to be seen again.
    pub(crate) back: Option<Answer>,
}

/// A mark on its way, and what was there before it.
#[derive(Debug)]
pub(crate) struct Marking {
    pub(crate) id: u64,
    pub(crate) passage: Passage,
    pub(crate) before: Option<bool>,
}

/// Asking while typing.
#[derive(Debug)]
pub(crate) struct Instant {
    /// The question that has no answer yet.
    pub(crate) pending: Option<u64>,
    pub(crate) next_id: u64,
    /// What was asked last.
    pub(crate) text: String,
}

/// All that is shown of a question.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Absent if it was only typed.
    pub(crate) asking: Option<Asking>,
    pub(crate) rows: Vec<Row>,
    pub(crate) aside: Vec<Row>,
    pub(crate) before: bool,
    pub(crate) selected: usize,
}

/// A question and how far it got.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) ask: Ask,
    /// How many thoughts were wanted, and which were pinned, by then; `ask` may be another, steered by hand.
    pub(crate) wanted: (Option<usize>, Vec<String>),
    /// What has been thought shall do.
    pub(crate) enough: bool,
    pub(crate) phase: AskPhase,
    /// Which ranking is on the screen.
    pub(crate) stage: Option<Stage>,
    pub(crate) thoughts: Vec<Thought>,
    /// The thought that grew last.
    pub(crate) current: usize,
}

/// A thought as far as it has come.
#[derive(Debug, Default)]
pub(crate) struct Thought {
    pub(crate) text: String,
    pub(crate) rows: Growing,
}

impl Thought {
    pub(crate) fn of(text: &str) -> Thought {
        Thought { text: text.to_owned(), rows: Growing::default() }
    }
}

/// How far an ask got.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AskPhase {
    /// Waits for a connection.
    Waiting,
    Running,
    Done(Timings),
    Cancelled,
    Failed,
}

/// One result.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) hit: Hit,
    pub(crate) moved: Moved,
    /// Its snippet in so many rows of so many cells.
    pub(crate) snippet: Memo<(usize, usize), Vec<snippet::Cut>>,
}

/// Where reading and the thought moved a hit, against the draft; or will move it, in the draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    /// There is no draft to compare with.
    Unknown,
    Up(usize),
    Down(usize),
    Kept,
    New,
    /// To this rank.
    To(usize),
    Gone,
}

/// Which pane Up and Down move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Focus {
    Results,
    Preview,
}

/// Whether the daemon hears us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Connection {
    /// The caller is at it: finding the daemon, or starting one, which loads a model.
    Connecting {
        /// Whether there was a connection, which broke.
        again: bool,
    },
    Up {
        /// Whether it has said anything. One that goes without a word would go again.
        heard: bool,
    },
    Lost,
}

/// Something to be told once; the next question takes it away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) kind: NoticeKind,
    pub(crate) text: String,
    pub(crate) hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoticeKind {
    Note,
    Error,
}

impl Model {
    pub(crate) fn new(settings: Settings, size: (u16, u16)) -> Model {
        Model {
            thinking: settings.thoughts != Some(0),
            settings,
            size,
            query: Line::default(),
            on_list: false,
            history: Vec::new(),
            recall: None,
            finding: None,
            palette: None,
            saved: Vec::new(),
            naming: None,
            editing: None,
            pinned: Vec::new(),
            asking: None,
            instant: Instant { pending: None, next_id: INSTANT_ID_FIRST, text: String::new() },
            kept: None,
            like: None,
            marking: None,
            explain: None,
            raw: false,
            pages: Shown::default(),
            rows: Vec::new(),
            aside: Vec::new(),
            before: false,
            touched: false,
            words: BTreeSet::new(),
            selected: 0,
            top: 0,
            wanted: None,
            preview: None,
            focus: Focus::Results,
            index: None,
            daemon: None,
            training: None,
            connection: Connection::Connecting { again: false },
            notice: None,
            help: None,
            spin: 0,
            next_id: ASK_ID_FIRST,
            reading: None,
        }
    }

    /// Whether something is waited for, so that the spinner turns.
    pub(crate) fn busy(&self) -> bool {
        matches!(self.connection, Connection::Connecting { .. })
            || self.asking.as_ref().is_some_and(Asking::busy)
    }

    /// The newest ask, if it is number `id` and under way: the events of all others are stale.
    pub(crate) fn running(&mut self, id: u64) -> Option<&mut Asking> {
        let asking = self.asking.as_mut()?;
        (asking.ask.id == id && asking.phase == AskPhase::Running).then_some(asking)
    }

    /// Where a key is pressed now.
    pub(crate) fn place(&self) -> Place {
        let other = self.finding.is_some()
            || self.palette.is_some()
            || self.editing.is_some()
            || self.naming.is_some();
        // The help screen has no line, whatever is below it.
        if self.settings.keys.vi && (self.help.is_some() || self.on_list && !other) {
            return Place::List;
        }
        Place::Line { empty: self.query.text().is_empty() && !other }
    }

    /// The key that does it here, as a hint says it; empty if none does.
    pub(crate) fn key(&self, action: Action) -> String {
        self.settings.keys.key(action, self.place())
    }

    /// Where the passage is that the results are like, if they are like one.
    pub(crate) fn liked(&self) -> Option<&str> {
        self.like.as_ref()?.of.as_deref()
    }

    /// The question that the results are of, if they are of one.
    pub(crate) fn question(&self) -> Option<&str> {
        if self.liked().is_some() {
            return None;
        }
        let asked = self.asking.as_ref().map(|asking| asking.ask.text.as_str());
        asked.or(Some(self.instant.text.as_str()).filter(|text| !text.is_empty()))
    }

    pub(crate) fn up(&self) -> bool {
        matches!(self.connection, Connection::Up { .. })
    }

    pub(crate) fn selected_hit(&self) -> Option<&Hit> {
        self.rows.get(self.selected).map(|row| &row.hit)
    }
}

impl Asking {
    pub(crate) fn busy(&self) -> bool {
        matches!(self.phase, AskPhase::Waiting | AskPhase::Running)
    }

    pub(crate) fn thinks(&self) -> bool {
        self.ask.thoughts != Some(0) || !self.ask.given.is_empty()
    }
}

impl Row {
    pub(crate) fn new(hit: Hit, moved: Moved) -> Row {
        Row { hit, moved, snippet: Memo::default() }
    }
}

impl Notice {
    pub(crate) fn note(text: impl Into<String>) -> Notice {
        Notice { kind: NoticeKind::Note, text: text.into(), hint: None }
    }

    pub(crate) fn error(text: impl Into<String>, hint: Option<String>) -> Notice {
        Notice { kind: NoticeKind::Error, text: text.into(), hint }
    }
}
