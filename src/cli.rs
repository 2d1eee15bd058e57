//! Flags that every command takes, and what more than one takes. Types only: no defaults that depend
//! on the machine, no effects.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;
use daemon_protocol::THOUGHTS_MAX;

/// Flags that every command takes.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Global {
    /// Where the model runs; a device that is not there is an error.
    #[arg(long, global = true, value_enum)]
    pub(crate) device: Option<Device>,
    /// Settings file to read in place of the usual config.toml.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print results and errors only: no thoughts, no progress, no notes.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// Where the model runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Device {
    /// The GPU this program was built for if there is one, else the CPU.
    Auto,
    Cpu,
    Cuda,
    Metal,
}

impl Device {
    /// The word for it, on the command line and at the start of a status's device.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Device::Auto => "auto",
            Device::Cpu => "cpu",
            Device::Cuda => "cuda",
            Device::Metal => "metal",
        }
    }
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
