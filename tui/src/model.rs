//! Model: everything that can be on the screen. Plain data; `update` changes it, `view` draws it.

use std::path::PathBuf;

use daemon_protocol::{Ask, DaemonStatus, Hit, IndexStatus, Stage, Timings, TrainingStatus};

use crate::line::Line;
use crate::memo::Memo;
use crate::preview::{Passage, Preview};
use crate::snippet;

/// Ids of the two requests that are made once; asks and reads count on from [`ASK_ID_FIRST`].
pub(crate) const SUBSCRIBE_ID: u64 = 1;
pub(crate) const STATUS_ID: u64 = 2;
pub(crate) const ASK_ID_FIRST: u64 = 3;
/// Bytes of one thought that are kept; the daemon cuts thoughts long before this.
pub(crate) const THOUGHT_BYTES_MAX: usize = 64 << 10;

/// What the caller decided; does not change.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) limit: usize,
    pub(crate) thoughts: Option<usize>,
    pub(crate) color: bool,
    pub(crate) home: Option<PathBuf>,
    pub(crate) cwd: PathBuf,
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) settings: Settings,
    /// Width and height in cells.
    pub(crate) size: (u16, u16),
    pub(crate) query: Line,
    /// Whether the next question is thought about.
    pub(crate) thinking: bool,
    /// The newest question, running or over.
    pub(crate) asking: Option<Asking>,
    pub(crate) rows: Vec<Row>,
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

/// A question and how far it got.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) ask: Ask,
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
    /// Its rows at a width, and at a length of the text, which only grows.
    pub(crate) rows: Memo<(usize, usize), Vec<String>>,
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

/// Where reading and the thought moved a hit, against the draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    /// There is no draft to compare with.
    Unknown,
    Up(usize),
    Down(usize),
    Kept,
    New,
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
            asking: None,
            rows: Vec::new(),
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
        self.ask.thoughts != Some(0)
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
