//! Flags that every command takes, what more than one takes, and which words are no flags: no defaults that depend
//! on the machine, no effects.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use daemon::query::filter::{self, Clock};
pub(crate) use daemon_host::settings::Device;
use daemon_protocol::THOUGHTS_MAX;

/// Flags that every command takes.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Global {
    /// Where the model runs; a device that is not there is an error.
    #[arg(long, global = true, value_parser = device())]
    pub(crate) device: Option<Device>,
    /// Settings file to read in place of the usual config.toml.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// When to colour what is printed, and to make links of paths; auto: on terminals, unless NO_COLOR is set.
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    pub(crate) color: Color,
    /// Print results and errors only: no thoughts, no progress, no notes.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// The words of a command line in which a filter that leaves out, as `-type:pdf`, is no flag: a blank before it makes a
/// word of it, and is none of the question's.
pub(crate) fn unflagged(words: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let mut is_open = true;
    words.map(move |word| {
        is_open &= word != "--";
        match word.to_str().filter(|word| is_open && word.starts_with('-')) {
            Some(filter) if is_filter(filter) => OsString::from(format!(" {filter}")),
            _ => word,
        }
    })
}

fn is_filter(word: &str) -> bool {
    let filter::Parsed { filters, notes, .. } = filter::parse(word, Clock::local());
    !filters.documents.is_empty() || !notes.is_empty()
}

/// When colours are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// Reads a device by its name, and knows all of them for help and completions.
fn device() -> impl TypedValueParser<Value = Device> {
    let names = Device::ALL.map(Device::name);
    PossibleValuesParser::new(names).map(|name| {
        let named = Device::ALL.into_iter().find(|device| device.name() == name);
        // Only the names of devices get here.
        named.unwrap_or(Device::Auto)
    })
}

/// How many thoughts are thought about a question.
pub(crate) fn thoughts(text: &str) -> Result<usize, String> {
    number_in(text, 0, THOUGHTS_MAX)
}

/// A number of that range.
pub(crate) fn number_in<T: FromStr + PartialOrd + Copy + Display>(
    text: &str,
    least: T,
    most: T,
) -> Result<T, String> {
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("a number from {least} to {most} is allowed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_no_flags() {
        let words = [
            "fore",
            "ask",
            "-type:md",
            "-l",
            "--json",
            "-path:my notes",
            "-after:x",
            "-0",
            "--",
            "-tag:x",
        ];
        let expected = [
            "fore",
            "ask",
            " -type:md",
            "-l",
            "--json",
            " -path:my notes",
            " -after:x",
            "-0",
            "--",
            "-tag:x",
        ];
        let words: Vec<OsString> = unflagged(words.iter().map(OsString::from)).collect();
        assert_eq!(words, expected);
    }
}
