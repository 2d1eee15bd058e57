//! Model: everything that can be on the screen. Plain data; `update` changes it, `view` draws it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use daemon_protocol::{Ask, DaemonStatus, Hit, IndexStatus, Stage, Timings, TrainingStatus};

use crate::growing::Growing;
use crate::history;
use crate::keymap::{Bound, Keymap};
use crate::keys::Action;
use crate::line::Line;
use crate::look::Look;
use crate::memo::Memo;
use crate::preview::{Passage, Preview};
use crate::snippet;

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

/// A question of the history in the line, by its place; and what had been typed there.
#[derive(Debug)]
pub(crate) struct Recall {
    pub(crate) at: usize,
    pub(crate) typed: String,
}

/// What is searched for in the history, and which of what is found is selected.
#[derive(Debug, Default)]
pub(crate) struct Finding {
    pub(crate) pattern: Line,
    pub(crate) selected: usize,
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
            history: Vec::new(),
            recall: None,
            finding: None,
            palette: None,
            editing: None,
            pinned: Vec::new(),
            asking: None,
            instant: Instant { pending: None, next_id: INSTANT_ID_FIRST, text: String::new() },
            kept: None,
            like: None,
            marking: None,
            explain: None,
            raw: false,
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

    /// Whether the line that is typed into is the question's, and empty.
    pub(crate) fn is_line_empty(&self) -> bool {
        let other = self.finding.is_some() || self.palette.is_some() || self.editing.is_some();
        self.query.text().is_empty() && !other
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

    /// What the search of what can be done finds: moving in the line is not worth a name.
    pub(crate) fn offered(&self) -> Vec<&Bound> {
        let pattern = self.palette.as_ref().map_or("", |palette| palette.pattern.text());
        let words: Vec<String> = pattern.split_whitespace().map(str::to_lowercase).collect();
        let said = |bound: &&Bound| {
            let said = format!("{} {} {}", bound.name, bound.does, bound.label).to_lowercase();
            !matches!(bound.action, Action::Edit(_) | Action::Palette)
                && words.iter().all(|word| said.contains(word.as_str()))
        };
        self.settings.keys.rows().iter().filter(said).collect()
    }

    /// What the search of the history finds, the newest first.
    pub(crate) fn found(&self) -> Vec<&str> {
        let pattern = self.finding.as_ref().map(|finding| finding.pattern.text());
        pattern.map_or(Vec::new(), |pattern| history::matches(&self.history, pattern).collect())
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
