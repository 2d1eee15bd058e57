//! The text of `config.toml` becomes checked settings (pure). Unknown keys, and values of the wrong
//! type or out of range, are errors that name the line, the key and what is allowed. What each key is
//! called and says of itself, and changing one, is in `document.rs`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use daemon::Manners;
use models::Sampling;
use serde::Deserialize;
use toml::{Spanned, Value};

mod document;

pub use document::{defaults, get, set};

/// Where the model runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// The GPU this program was built for if there is one, else the CPU.
    Auto,
    Cpu,
    Cuda,
    Metal,
}

impl Device {
    /// All of them.
    pub const ALL: [Device; 4] = [Device::Auto, Device::Cpu, Device::Cuda, Device::Metal];

    /// The word for it, in settings, on the command line and at the start of a status's device.
    pub fn name(self) -> &'static str {
        match self {
            Device::Auto => "auto",
            Device::Cpu => "cpu",
            Device::Cuda => "cuda",
            Device::Metal => "metal",
        }
    }
}

/// A thought longer than this is an essay: at 50 tokens/s it would take ten seconds.
const THOUGHT_TOKENS_MAX: usize = 512;
/// Enough for ten passages on two cores, and no longer than people wait for a page.
const READ_MS_DEFAULT: u64 = 1_000;
/// The watcher sees changes at once; a rescan is the safety net, and one a day is its least.
const RESCAN_MINUTES_MAX: u64 = 24 * 60;
const RESCAN_MINUTES_DEFAULT: u64 = 30;
const UNLOAD_MINUTES_DEFAULT: u64 = 10;
/// A week.
const UNLOAD_MINUTES_MAX: u64 = 7 * 24 * 60;
/// Numbers of this format have a sign.
const SEED_MAX: u64 = i64::MAX as u64;

/// What the file may set.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub device: Option<Device>,
    pub sampling: Sampling,
    /// As the model was trained unless set.
    pub grounded: Option<bool>,
    /// Zero leaves reading out.
    pub reading_time: Duration,
    pub rescan_every: Duration,
    /// For ever if `None`.
    pub unload_after: Option<Duration>,
    pub manners: Manners,
    /// Where the index is that machines share, as `s3://bucket/folder`; on this machine if there is none.
    pub store: Option<String>,
    /// The table `[keys]`: keys of actions of the full-screen view, as written; the view says what is wrong with it.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Whether letters are keys of that view, as in vi, while nothing is typed.
    pub vi: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            device: None,
            sampling: Sampling::default(),
            grounded: None,
            reading_time: Duration::from_millis(READ_MS_DEFAULT),
            rescan_every: Duration::from_secs(RESCAN_MINUTES_DEFAULT * 60),
            unload_after: Some(Duration::from_secs(UNLOAD_MINUTES_DEFAULT * 60)),
            manners: Manners::default(),
            store: None,
            keys: BTreeMap::new(),
            vi: false,
        }
    }
}

/// Values of any type, so that one of the wrong type is told like one out of range.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    device: Option<Spanned<Value>>,
    thoughts: Option<Spanned<Value>>,
    temperature: Option<Spanned<Value>>,
    top_p: Option<Spanned<Value>>,
    thought_tokens_max: Option<Spanned<Value>>,
    seed: Option<Spanned<Value>>,
    grounded: Option<Spanned<Value>>,
    read_ms: Option<Spanned<Value>>,
    rescan_minutes: Option<Spanned<Value>>,
    unload_minutes: Option<Spanned<Value>>,
    index_cpu_percent: Option<Spanned<Value>>,
    index_others_percent: Option<Spanned<Value>>,
    index_battery_percent: Option<Spanned<Value>>,
    keymap: Option<Spanned<Value>>,
    #[serde(default)]
    store: StoreKeys,
    #[serde(default)]
    keys: BTreeMap<String, Vec<String>>,
}

/// The table `[store]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreKeys {
    uri: Option<Spanned<Value>>,
}

/// Settings from the text of the file.
///
/// # Errors
/// `line: what is wrong`.
pub fn parse(text: &str) -> Result<Settings, String> {
    let keys: Keys = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        format!("{line}: {}", error.message())
    })?;
    let default = Settings::default();
    let file = Source(text);
    let sampling = Sampling {
        thoughts: file
            .whole("thoughts", keys.thoughts, 0..=daemon_protocol::THOUGHTS_MAX)?
            .unwrap_or(default.sampling.thoughts),
        temperature: file
            .real("temperature", keys.temperature, 0.0..=2.0, "0 to 2")?
            .unwrap_or(default.sampling.temperature),
        top_p: file
            .real("top_p", keys.top_p, f64::MIN_POSITIVE..=1.0, "more than 0 and at most 1")?
            .unwrap_or(default.sampling.top_p),
        tokens_max: file
            .whole("thought_tokens_max", keys.thought_tokens_max, 1..=THOUGHT_TOKENS_MAX)?
            .unwrap_or(default.sampling.tokens_max),
        seed: file.whole("seed", keys.seed, 0..=SEED_MAX)?.unwrap_or(default.sampling.seed),
    };
    let device = |value: &Value| value.clone().try_into().ok();
    let reading = file.whole("read_ms", keys.read_ms, 0..=daemon_protocol::READ_MS_MAX)?;
    let minutes = file.whole("rescan_minutes", keys.rescan_minutes, 1..=RESCAN_MINUTES_MAX)?;
    let unload = file.whole("unload_minutes", keys.unload_minutes, 0..=UNLOAD_MINUTES_MAX)?;
    let cpu = file.whole("index_cpu_percent", keys.index_cpu_percent, 1..=100)?;
    let others = file.whole("index_others_percent", keys.index_others_percent, 1..=100)?;
    let battery = file.whole("index_battery_percent", keys.index_battery_percent, 0..=100)?;
    let vi = |value: &Value| match value.as_str()? {
        "plain" => Some(false),
        "vi" => Some(true),
        _ => None,
    };
    Ok(Settings {
        keys: keys.keys,
        vi: file.value("keymap", keys.keymap, "plain or vi", vi)?.unwrap_or(default.vi),
        manners: Manners {
            cpu_percent: cpu.unwrap_or(default.manners.cpu_percent),
            others_percent: others.unwrap_or(default.manners.others_percent),
            battery_percent: battery.unwrap_or(default.manners.battery_percent),
        },
        store: file.value("store.uri", keys.store.uri, STORE_ALLOWED, shared)?,
        device: file.value("device", keys.device, "auto, cpu, cuda or metal", device)?,
        sampling,
        grounded: file.value("grounded", keys.grounded, "true or false", Value::as_bool)?,
        reading_time: reading.map_or(default.reading_time, Duration::from_millis),
        rescan_every: minutes.map_or(default.rescan_every, |m| Duration::from_secs(m * 60)),
        unload_after: match unload {
            None => default.unload_after,
            Some(0) => None,
            Some(minutes) => Some(Duration::from_secs(minutes * 60)),
        },
    })
}

/// What `store.uri` may be, as a person is told.
const STORE_ALLOWED: &str = "\"s3://BUCKET\" or \"s3://BUCKET/FOLDER\"";

/// A place on an object store, if the value is one. A bucket's name has 3 to 63 small letters, digits, dots and hyphens;
/// what a URI gives a meaning to (`?`, `#`, `%`), and a folder above, are in no folder of ours.
fn shared(value: &Value) -> Option<String> {
    let place = value.as_str()?.trim_end_matches('/');
    let (bucket, folder) =
        place.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")))?;
    let in_bucket = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
    let in_folder = |c: char| c.is_ascii_alphanumeric() || "._-=".contains(c);
    let is_part =
        |part: &str| !part.is_empty() && part != ".." && part != "." && part.chars().all(in_folder);
    let is_place = (3..=63).contains(&bucket.len())
        && bucket.chars().all(in_bucket)
        && bucket.starts_with(|c: char| c.is_ascii_alphanumeric())
        && (folder.is_empty() || folder.split('/').all(is_part));
    is_place.then(|| place.to_owned())
}

/// The text of the file, which errors quote.
struct Source<'a>(&'a str);

impl Source<'_> {
    /// The value of `key` as `read` understands it, which is only what is `allowed`.
    fn value<T>(
        &self,
        key: &str,
        value: Option<Spanned<Value>>,
        allowed: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(value) = value else { return Ok(None) };
        if let Some(read) = read(value.get_ref()) {
            return Ok(Some(read));
        }
        let line = line_of(self.0, value.span().start);
        let written = self.0.get(value.span()).and_then(|all| all.lines().next());
        Err(format!("{line}: {key} = {}: {allowed} is allowed", written.unwrap_or_default()))
    }

    /// A whole number.
    fn whole<T: TryFrom<i64> + PartialOrd + Display>(
        &self,
        key: &str,
        value: Option<Spanned<Value>>,
        range: RangeInclusive<T>,
    ) -> Result<Option<T>, String> {
        let allowed = format!("{} to {}", range.start(), range.end());
        self.value(key, value, &allowed, |value| {
            let number = T::try_from(value.as_integer()?).ok()?;
            range.contains(&number).then_some(number)
        })
    }

    /// Any number; `allowed` describes the range.
    fn real(
        &self,
        key: &str,
        value: Option<Spanned<Value>>,
        range: RangeInclusive<f64>,
        allowed: &str,
    ) -> Result<Option<f64>, String> {
        self.value(key, value, allowed, |value| {
            let whole = || value.as_integer().map(|whole| whole as f64);
            value.as_float().or_else(whole).filter(|number| range.contains(number))
        })
    }
}

/// Line, from 1, of a byte offset.
fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests;
