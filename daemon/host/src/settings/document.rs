//! The settings file as people read and change it: every key with its default, unit and meaning, and one
//! value changed in a text that keeps everything else, comments and order included. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::parse;

/// A key, as a person is told of it.
struct Key {
    name: &'static str,
    /// As the file writes it; for a key whose default is no value, an example.
    value: &'static str,
    /// Whether `value` is only an example.
    unset: bool,
    /// What it does, its unit, and what is allowed.
    about: &'static str,
}

const KEYS: [Key; 15] = [
    Key {
        name: "device",
        value: "\"auto\"",
        unset: false,
        about: "Where the model runs: auto, cpu, cuda or metal. Auto is the GPU this program was built for, if there is one.",
    },
    Key {
        name: "thoughts",
        value: "1",
        unset: false,
        about: "Thoughts per question, 0 to 16; 0 searches without thinking.",
    },
    Key {
        name: "temperature",
        value: "0.7",
        unset: false,
        about: "How freely thoughts are sampled, 0 to 2; 0 takes the likeliest token each time.",
    },
    Key {
        name: "top_p",
        value: "0.9",
        unset: false,
        about: "Share of the likeliest tokens that are sampled from, more than 0 and at most 1.",
    },
    Key {
        name: "thought_tokens_max",
        value: "48",
        unset: false,
        about: "Longest thought, tokens, 1 to 512.",
    },
    Key {
        name: "seed",
        value: "0",
        unset: false,
        about: "Draws the thoughts: the same seed, question and index give the same ones.",
    },
    Key {
        name: "grounded",
        value: "true",
        unset: true,
        about: "Whether thoughts are shown what a first search found, true or false; unset: as the model was trained.",
    },
    Key {
        name: "read_ms",
        value: "1000",
        unset: false,
        about: "How long the first passages may be read before they are ranked, milliseconds, 0 to 60000; 0: not at all.",
    },
    Key {
        name: "rescan_minutes",
        value: "30",
        unset: false,
        about: "How often all files are looked at again, minutes, 1 to 1440. Changes are seen at once besides.",
    },
    Key {
        name: "unload_minutes",
        value: "10",
        unset: false,
        about: "After so long without work the model is let go of, minutes, 0 to 10080; 0: never.",
    },
    Key {
        name: "index_cpu_percent",
        value: "100",
        unset: false,
        about: "Share of the time in which files are read and embedded, percent, 1 to 100.",
    },
    Key {
        name: "index_others_percent",
        value: "50",
        unset: false,
        about: "While other programs use more of all processors, indexing takes a tenth of the time, percent, 1 to 100; 100: never.",
    },
    Key {
        name: "index_battery_percent",
        value: "30",
        unset: false,
        about: "Indexing waits on a battery that has less, percent, 0 to 100; 0: never.",
    },
    Key {
        name: "keymap",
        value: "\"plain\"",
        unset: false,
        about: "Keys of the full-screen view: plain or vi, in which Esc leaves the line and letters are keys of the list.",
    },
    Key {
        name: "store.uri",
        value: "\"s3://bucket/folder\"",
        unset: true,
        about: "Where the index is, if several machines share one; unset: on this machine. Only in a program built with --features s3.",
    },
];

/// A settings file in which every key stands with its default, commented out.
pub fn defaults() -> String {
    let mut text = "# Settings of forethought, with their defaults: take the `#` away to change one. A daemon that runs\n\
                    # has read this when it started; after a change: fore daemon stop.\n"
        .to_owned();
    for Key { name, value, about, .. } in &KEYS {
        text.push_str(&format!("\n# {about}\n# {name} = {value}\n"));
    }
    text.push_str(
        "\n# Keys of the full-screen view, by action; F1 there, or Ctrl-K, names all of them.\n# [keys]\n\
         # explain = [\"F2\"]\n",
    );
    text
}

/// The value of `key`, a text without its quotes: the one in `text`, else its default, else `unset`.
///
/// # Errors
/// If there is no such key, or `text` is no settings file.
pub fn get(text: &str, key: &str) -> Result<String, String> {
    let known = known(key)?;
    parse(text)?;
    let default = if known.unset { "unset" } else { known.value.trim_matches('"') };
    Ok(match written(text)?.remove(known.name).map(Spanned::into_inner) {
        None => default.to_owned(),
        Some(Value::String(text)) => text,
        Some(value) => value.to_string(),
    })
}

/// `text` with `key` set to `value`, which is TOML or a bare word, and all else as it was. A line that
/// is commented out is used; a key that is nowhere comes last, before any table.
///
/// # Errors
/// If there is no such key, the value is not allowed, or `text` is no settings file.
pub fn set(text: &str, key: &str, value: &str) -> Result<String, String> {
    let known = known(key)?;
    parse(text)?;
    let value = match toml::from_str::<BTreeMap<String, Value>>(&format!("x = {value}")) {
        Ok(mut read) if read.len() == 1 => read.remove("x").unwrap_or_else(|| value.into()),
        _ => Value::from(value),
    };
    let line = format!("{} = {value}", known.name);
    let changed = match written(text)?.remove(known.name) {
        Some(old) => {
            let span = old.span();
            format!("{}{value}{}", &text[..span.start], &text[span.end..])
        }
        None => match commented_out(text, known.name) {
            Some((start, end)) => format!("{}{line}{}", &text[..start], &text[end..]),
            None => {
                // What comes behind the head of a table is the table's.
                let (before, tables) = text.split_at(first_table(text));
                let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
                format!("{before}{end}{line}\n{tables}")
            }
        },
    };
    // The value may be one that is not allowed; its line is of no interest in what was never a file.
    parse(&changed).map_err(|problem| {
        problem.split_once(": ").map_or(problem.clone(), |(_, told)| told.to_owned())
    })?;
    Ok(changed)
}

fn known(key: &str) -> Result<&'static Key, String> {
    KEYS.iter().find(|known| known.name == key).ok_or_else(|| {
        let names = KEYS.each_ref().map(|known| known.name).join(", ");
        format!("there is no setting {key:?}; there are {names}")
    })
}

/// The values in the file, with where they stand; those of the table `[store]` by both names.
fn written(text: &str) -> Result<BTreeMap<String, Spanned<Value>>, String> {
    #[derive(Deserialize)]
    struct Tables {
        #[serde(default)]
        store: BTreeMap<String, Spanned<Value>>,
    }
    let told = |error: toml::de::Error| error.message().to_owned();
    let mut values: BTreeMap<String, Spanned<Value>> = toml::from_str(text).map_err(told)?;
    let Tables { store } = toml::from_str(text).map_err(told)?;
    values.extend(store.into_iter().map(|(key, value)| (format!("store.{key}"), value)));
    Ok(values)
}

/// Where a line `# key = ...` stands, without its end.
fn commented_out(text: &str, key: &str) -> Option<(usize, usize)> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let name = content.trim_start().strip_prefix('#').and_then(|rest| rest.split_once('='));
        if name.is_some_and(|(name, _)| name.trim() == key) {
            return Some((start, start + content.len()));
        }
        start += line.len();
    }
    None
}

/// Where the first table's head stands, or the end.
fn first_table(text: &str) -> usize {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('[') {
            return start;
        }
        start += line.len();
    }
    start
}

#[cfg(test)]
mod tests;
