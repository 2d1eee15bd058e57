//! The command line, as clap types only: no defaults that depend on the machine, no effects.

mod eval;
pub(crate) mod train;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use daemon_protocol::{LIMIT_MAX, THOUGHTS_MAX};

pub(crate) use eval::Eval;

/// Search your folders by thinking first: a small local model thinks about the question, and
/// the thought helps to find the passages. Without a command, the full-screen view opens.
#[derive(Debug, Parser)]
#[command(name = "fore", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

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

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Answer a question with ranked passages.
    Ask(Ask),
    /// Watch a folder and index what is in it.
    Add {
        /// The folder.
        dir: PathBuf,
        /// Return at once and let the daemon index in the background.
        #[arg(long)]
        no_wait: bool,
    },
    /// Stop watching a folder and forget its passages.
    Remove {
        /// The folder.
        dir: PathBuf,
    },
    /// Show the watched folders.
    List {
        #[arg(long)]
        json: bool,
    },
    /// Look at every watched file again and wait until the index is up to date.
    Sync,
    /// Show the daemon, its model and the index.
    Status {
        #[arg(long)]
        json: bool,
    },
    /// Run, start or stop the background service.
    #[command(subcommand)]
    Daemon(DaemonCommand),
    /// Fetch, choose or make the model file.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Measure how well questions find what answers them.
    Eval(Eval),
    /// Fine-tune the model on your own folders, and use the result if it is better.
    Train(Box<train::Train>),
}

/// A question and how to answer it.
#[derive(Debug, clap::Args)]
pub(crate) struct Ask {
    /// The question; several words need no quotes.
    #[arg(value_name = "QUESTION")]
    pub(crate) question: Vec<String>,
    /// Print one JSON array of hits.
    #[arg(long, conflicts_with = "jsonl")]
    pub(crate) json: bool,
    /// Print one JSON object a line: first the question, thoughts and timings, then the hits.
    #[arg(long)]
    pub(crate) jsonl: bool,
    /// Most hits printed.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = limit)]
    pub(crate) limit: usize,
    /// How many thoughts to think; 0 searches without thinking.
    #[arg(long, value_name = "N", value_parser = thoughts)]
    pub(crate) thoughts: Option<usize>,
    /// Search without thinking.
    #[arg(long, conflicts_with = "thoughts")]
    pub(crate) no_think: bool,
    /// Only documents whose absolute path, or path below its folder, matches.
    #[arg(long, value_name = "GLOB")]
    pub(crate) path: Option<String>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum DaemonCommand {
    /// Run the service in this terminal until Ctrl-C.
    Run,
    /// Start the service in the background; fine if it runs already.
    Start,
    /// Stop the service and wait until it has ended; fine if none runs.
    Stop,
    /// Show whether the service runs, with its model and index.
    Status {
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Make the model file in the cache; later runs work offline.
    Pull {
        /// Make it from this file of the base model; nothing is downloaded.
        #[arg(long, value_name = "FILE")]
        from_file: Option<PathBuf>,
        /// Make it again although it is there.
        #[arg(long)]
        force: bool,
        /// Fetch all-MiniLM-L6-v2 too: the peer of `fore eval`, the teacher of `fore model
        /// fit-head`.
        #[arg(long)]
        teacher: bool,
    },
    /// Use this GGUF file (llama, qwen2 or qwen3 architecture) from now on.
    Use {
        /// The file, the name of a run of `fore train`, or `default`.
        path: PathBuf,
    },
    /// Go back to the model that was used before.
    Rollback,
    /// Copy a model file, to bring it elsewhere.
    Export {
        /// Where to; `*.safetensors` gets the adapter of a run alone.
        file: PathBuf,
        /// The name of a run; the model in use unless given.
        #[arg(long, value_name = "NAME")]
        run: Option<String>,
    },
    /// Show the model files in the cache and which one is used.
    List {
        #[arg(long)]
        json: bool,
    },
    /// Fit the embedding head that ships with the program; for its maintainers.
    FitHead(FitHead),
}

/// How to fit the embedding head.
#[derive(Debug, clap::Args)]
pub(crate) struct FitHead {
    /// Folder with the training texts.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Folder of the teacher model; the pulled one unless given.
    #[arg(long, value_name = "DIR")]
    pub(crate) teacher: Option<PathBuf>,
    /// Layers whose states the head reads, such as `8,16,24`.
    #[arg(long, value_name = "N,N", value_delimiter = ',', required = true)]
    pub(crate) layers: Vec<usize>,
    /// Which states of those layers.
    #[arg(long, value_enum, default_value_t = Pooling::Mean)]
    pub(crate) pooling: Pooling,
    /// How many texts to fit on.
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub(crate) texts: usize,
    /// Where to write the head; without it, the fit is only reported.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Which states of a sequence become its vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pooling {
    /// The state at `<emb>`.
    Emb,
    /// The mean over the text.
    Mean,
    /// Both, joined.
    Both,
}

fn limit(text: &str) -> Result<usize, String> {
    number_in(text, 1, LIMIT_MAX)
}

fn thoughts(text: &str) -> Result<usize, String> {
    number_in(text, 0, THOUGHTS_MAX)
}

fn number_in(text: &str, least: usize, most: usize) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("a number from {least} to {most} is allowed")),
    }
}
