//! When indexing waits for others: for the person who said so, for the battery, for other programs; and how much of
//! the time it takes where it does not. Pure, but for `machine`, which reads what the system tells, and `nice`.
//!
//! What a question needs is never held back by any of this: the model's thread does passages and questions both, one
//! after the other, so that a thread of low priority would keep a question waiting behind a batch that others let
//! starve. Of low priority are the threads and processes that only look at files; see `patience`.

mod machine;
pub(crate) mod nice;
pub(crate) mod paused;

use std::fmt::{self, Display, Formatter};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::limits::{BUSY_PERCENT, REST_MAX};

pub use machine::{Machine, Seen, System};

/// What a person can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manners {
    /// Percent of the time in which files are read and embedded, from 1 to 100.
    pub cpu_percent: u32,
    /// Percent of all processors; while other programs use more, indexing takes [`BUSY_PERCENT`] of the time. At 100 it
    /// never minds.
    pub others_percent: u32,
    /// Percent of the battery; indexing waits on battery with less. At 0 it never does.
    pub battery_percent: u32,
}

impl Default for Manners {
    /// All the time, where nobody else needs the machine: who adds a folder waits for it. Others that use half of
    /// the processors beside an indexer that takes what it gets would use more without it.
    fn default() -> Manners {
        Manners { cpu_percent: 100, others_percent: 50, battery_percent: 30 }
    }
}

impl Manners {
    /// Waits for nobody.
    pub const NONE: Manners = Manners { cpu_percent: 100, others_percent: 100, battery_percent: 0 };

    /// How long indexing rests after something that `took` so long, with a reason to go slowly or none.
    pub(crate) fn rest(self, took: Duration, why: Option<Why>) -> Duration {
        let is_slow = matches!(why, Some(Why::Others(_)));
        let most = if is_slow { BUSY_PERCENT } else { 100 };
        let percent = self.cpu_percent.clamp(1, most);
        (took * (100 - percent) / percent).min(REST_MAX)
    }

    /// Why `work` is left for now, or goes slowly; `None` if neither.
    pub(crate) fn wait(self, work: Work, seen: Seen, pause: Option<Left>) -> Option<Why> {
        if let Some(left) = pause {
            return Some(Why::Paused(left));
        }
        if matches!(work, Work::Saved | Work::Awaited) {
            return None;
        }
        let battery = seen.battery_percent.filter(|percent| *percent < self.battery_percent);
        let others = seen.others_percent.filter(|percent| *percent > self.others_percent);
        battery.map(Why::Battery).or(others.map(Why::Others))
    }
}

/// For whom something is indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// A few files that someone has just saved, and may search for in a moment.
    Saved,
    /// Someone waits until all is indexed.
    Awaited,
    Background,
}

/// Why nothing is indexed, or little, although there is something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Paused(Left),
    /// On battery, with so many percent left.
    Battery(u32),
    /// Other programs use so many percent of the processors.
    Others(u32),
}

impl Why {
    /// Whether nothing is indexed for it. Beside others something is, so that a machine that is always busy has an index
    /// one day.
    pub(crate) fn stops(self) -> bool {
        !matches!(self, Why::Others(_))
    }
}

impl Display for Why {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Why::Paused(Left::UntilResumed) => write!(f, "paused until it is resumed"),
            Why::Paused(Left::For(left)) => write!(f, "paused for {} more", rough(*left)),
            Why::Battery(percent) => write!(f, "on battery, which has {percent} % left"),
            Why::Others(percent) => {
                write!(f, "slow, since other programs use {percent} % of the processors")
            }
        }
    }
}

/// In minutes, the last one begun counted in full.
fn rough(left: Duration) -> String {
    let minutes = left.as_secs().div_ceil(60).max(1);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// How long a pause still lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    UntilResumed,
    For(Duration),
}

/// What a person has said, with `fore pause`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pause {
    /// Seconds since 1970; absent: until it is resumed.
    until_s: Option<u64>,
}

impl Pause {
    /// From `now` on, for `seconds` or until it is resumed.
    pub(crate) fn of(seconds: Option<u64>, now: SystemTime) -> Pause {
        Pause { until_s: seconds.map(|seconds| since_1970(now).saturating_add(seconds)) }
    }

    /// How long it still lasts; `None` once it is over.
    pub(crate) fn left(self, now: SystemTime) -> Option<Left> {
        match self.until_s.map(|until| until.saturating_sub(since_1970(now))) {
            None => Some(Left::UntilResumed),
            Some(0) => None,
            Some(left) => Some(Left::For(Duration::from_secs(left))),
        }
    }
}

fn since_1970(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests;
