//! What all readers of JSON lines share.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Lines that say something, with their numbers from 1. A byte order mark is not part of the first.
pub(crate) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty())
}

/// serde's words without its position, which is always of line 1.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or(&words);
    format!("{words} (column {})", error.column())
}

/// Some exports write ids that are numbers as numbers.
pub(crate) fn text_or_number<'a, D: Deserializer<'a>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("an id is a string or a number")),
    }
}

/// Some exports write `null` for what is not there.
pub(crate) fn or_nothing<'a, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'a>,
    T: Deserialize<'a> + Default,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}
