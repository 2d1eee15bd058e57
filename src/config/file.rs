//! The text of `config.toml` becomes checked settings (pure). Unknown keys and values out of
//! range are errors that name the line and what is allowed.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use models::Sampling;
use serde::Deserialize;
use toml::Spanned;

use crate::args::Device;

/// A thought longer than this is an essay: at 50 tokens/s it would take ten seconds.
const THOUGHT_TOKENS_MAX: usize = 512;
/// The watcher sees changes at once; a rescan is the safety net, and one a day is its least.
const RESCAN_MINUTES_MAX: u64 = 24 * 60;
const RESCAN_MINUTES_DEFAULT: u64 = 30;

/// What the file may set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    pub(crate) device: Option<Device>,
    pub(crate) sampling: Sampling,
    pub(crate) rescan_every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            device: None,
            sampling: Sampling::default(),
            rescan_every: Duration::from_secs(RESCAN_MINUTES_DEFAULT * 60),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    device: Option<Device>,
    thoughts: Option<Spanned<usize>>,
    temperature: Option<Spanned<f64>>,
    top_p: Option<Spanned<f64>>,
    thought_tokens_max: Option<Spanned<usize>>,
    seed: Option<u64>,
    rescan_minutes: Option<Spanned<u64>>,
}

/// Settings from the text of the file; the error is `line: what is wrong`.
pub(crate) fn parse(text: &str) -> Result<Settings, String> {
    let keys: Keys = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        format!("{line}: {}", error.message())
    })?;
    let default = Settings::default();
    let sampling = default.sampling;
    let thoughts = 0..=daemon_protocol::THOUGHTS_MAX;
    let top_p = f64::MIN_POSITIVE..=1.0;
    let minutes = checked(text, "rescan_minutes", keys.rescan_minutes, 1..=RESCAN_MINUTES_MAX, "")?;
    Ok(Settings {
        device: keys.device,
        sampling: Sampling {
            thoughts: checked(text, "thoughts", keys.thoughts, thoughts, "")?
                .unwrap_or(sampling.thoughts),
            temperature: checked(text, "temperature", keys.temperature, 0.0..=2.0, "")?
                .unwrap_or(sampling.temperature),
            top_p: checked(text, "top_p", keys.top_p, top_p, "more than 0 and at most 1")?
                .unwrap_or(sampling.top_p),
            tokens_max: checked(
                text,
                "thought_tokens_max",
                keys.thought_tokens_max,
                1..=THOUGHT_TOKENS_MAX,
                "",
            )?
            .unwrap_or(sampling.tokens_max),
            seed: keys.seed.unwrap_or(sampling.seed),
        },
        rescan_every: minutes.map_or(default.rescan_every, |m| Duration::from_secs(m * 60)),
    })
}

/// The value if it lies in `range`; `words` describe the range where its ends do not.
fn checked<T: PartialOrd + Display>(
    text: &str,
    key: &str,
    value: Option<Spanned<T>>,
    range: RangeInclusive<T>,
    words: &str,
) -> Result<Option<T>, String> {
    let Some(value) = value else { return Ok(None) };
    if range.contains(value.get_ref()) {
        return Ok(Some(value.into_inner()));
    }
    let line = line_of(text, value.span().start);
    let allowed = match words {
        "" => format!("{} to {}", range.start(), range.end()),
        words => words.to_owned(),
    };
    Err(format!("{line}: {key} = {}: {allowed} is allowed", value.get_ref()))
}

/// Line, from 1, of a byte offset.
fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}
