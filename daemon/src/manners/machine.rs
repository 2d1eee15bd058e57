//! What the system tells of the battery and of other programs: Linux's `/proc` and `/sys`. Where these are not,
//! nothing is known, and nobody waited for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What was seen; `None` where there is no telling.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// How full the battery is, while the machine runs on it.
    pub battery_percent: Option<u32>,
    /// How much of all processors other programs have used since the look before.
    pub others_percent: Option<u32>,
}

/// The machine; a test has one of its own.
pub trait Machine: Send + Sync {
    /// May block for a moment.
    fn look(&self) -> Seen;
}

/// The machine that this runs on.
#[derive(Debug)]
pub struct System {
    /// `/`; a test has a folder.
    root: PathBuf,
    last: Mutex<Option<Times>>,
}

/// Time of processors so far, in ticks of whatever length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    /// Of all programs, but for those of low priority, which wait for others themselves.
    busy: u64,
    /// What of it is ours.
    ours: u64,
    all: u64,
}

impl System {
    /// Reads below `root`, which is `/`.
    pub fn at(root: &Path) -> System {
        System { root: root.to_owned(), last: Mutex::default() }
    }

    fn times(&self) -> Option<Times> {
        let all = fs::read_to_string(self.root.join("proc/stat")).ok()?;
        let ours = fs::read_to_string(self.root.join("proc/self/stat")).ok()?;
        times(&all, &ours)
    }

    fn battery(&self) -> Option<u32> {
        let supplies = fs::read_dir(self.root.join("sys/class/power_supply")).ok()?;
        let texts =
            supplies.filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("uevent")).ok());
        battery(&texts.map(|text| fields(&text)).collect::<Vec<_>>())
    }
}

impl Machine for System {
    fn look(&self) -> Seen {
        let now = self.times();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *last, now);
        drop(last);
        let others_percent = before.zip(now).and_then(|(before, now)| others(before, now));
        Seen { battery_percent: self.battery(), others_percent }
    }
}

/// From the texts of `/proc/stat` and `/proc/self/stat`. The load that the system tells would not do: the indexer
/// itself is most of it, and so it is of the time that programs wait for a processor.
fn times(all: &str, ours: &str) -> Option<Times> {
    let line = all.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line.split_whitespace().map_while(|field| field.parse().ok()).collect();
    // What guests use, in the last two columns, is in the first two already.
    let [user, nice, system, idle, iowait, irq, softirq, steal] = *ticks.first_chunk()?;
    let busy = user + system + irq + softirq;
    let all = busy + nice + idle + iowait + steal;
    // Behind the program's name, which may hold blanks and brackets.
    let fields: Vec<&str> = ours.rsplit(')').next()?.split_whitespace().collect();
    let tick = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Times { busy, ours: tick(11)? + tick(12)?, all })
}

fn others(before: Times, now: Times) -> Option<u32> {
    let since = |of: fn(Times) -> u64| of(now).saturating_sub(of(before));
    let others = since(|times| times.busy).saturating_sub(since(|times| times.ours));
    let percent = (others * 100).checked_div(since(|times| times.all))?;
    u32::try_from(percent).ok()
}

type Supply = BTreeMap<String, String>;

/// `POWER_SUPPLY_TYPE=Battery` and so on, one a line.
fn fields(uevent: &str) -> Supply {
    let lines = uevent.lines().filter_map(|line| line.strip_prefix("POWER_SUPPLY_"));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// How full the fullest battery is while one is being used up. What is in a mouse or a phone is no battery of the
/// machine; and one on mains may be used up a little too.
fn battery(supplies: &[Supply]) -> Option<u32> {
    let is = |supply: &Supply, name: &str, value: &str| {
        supply.get(name).is_some_and(|held| held == value)
    };
    if supplies.iter().any(|supply| is(supply, "TYPE", "Mains") && is(supply, "ONLINE", "1")) {
        return None;
    }
    let is_own = |supply: &&Supply| is(supply, "TYPE", "Battery") && !is(supply, "SCOPE", "Device");
    let own = || supplies.iter().filter(is_own);
    own().find(|supply| is(supply, "STATUS", "Discharging"))?;
    own().filter_map(|supply| supply.get("CAPACITY")?.parse().ok()).max()
}
