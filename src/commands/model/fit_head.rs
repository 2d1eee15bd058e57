//! `fore model fit-head`: fits the linear head that ships in `models/head.safetensors`.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use models::dataset::{self, Pair};
use models_candle::encoder::Exits;
use models_candle::fit::{self, Lesson, Options};
use models_candle::teacher::Teacher;
use models_candle::{gguf, meta};

use crate::config::Config;
use crate::error::AppError;
use crate::term::progress::Progress;
use crate::term::streams;

/// Pairs of every fit that are only judged on.
const HELD_OUT_PAIRS: usize = 500;
/// Chosen once, so that the shipped head can be made again.
const SEED: u64 = 20_250_211;

/// Fit the embedding head that ships with the program; for its maintainers.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder with the training texts.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder of the teacher model; the pulled one unless given.
    #[arg(long, value_name = "DIR")]
    teacher: Option<PathBuf>,
    /// Layers whose states the head reads, such as `8,16,24`.
    #[arg(long, value_name = "N,N", value_delimiter = ',', required = true)]
    layers: Vec<usize>,
    /// Which states of those layers.
    #[arg(long, value_enum, default_value_t = Pooling::Mean)]
    pooling: Pooling,
    /// How many texts to fit on.
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    texts: usize,
    /// Where to write the head; without it, the fit is only reported.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Which states of a sequence become its vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Pooling {
    /// The state at `<emb>`.
    Emb,
    /// The mean over the text.
    Mean,
    /// Both, joined.
    Both,
}

impl From<Pooling> for meta::Pooling {
    fn from(pooling: Pooling) -> Self {
        match pooling {
            Pooling::Emb => meta::Pooling::Emb,
            Pooling::Mean => meta::Pooling::Mean,
            Pooling::Both => meta::Pooling::Both,
        }
    }
}

/// Fits, prints the held-out report on stdout, and writes the head if `--out` names a file.
///
/// # Errors
/// If the data, the model or the teacher cannot be read, or the fit has no solution.
pub(crate) fn run(args: &Args, config: &Config) -> Result<(), AppError> {
    let model = config.paths.base_model.clone();
    let vocabulary = gguf::open(&model)?.vocabulary;
    let teacher_dir = args.teacher.clone().unwrap_or_else(|| config.teacher_dir());
    let teacher = Teacher::open(&teacher_dir)?;
    let options = Options {
        pairs: args.texts / 2,
        held_out: HELD_OUT_PAIRS,
        lambda: fit::LAMBDA,
        seed: SEED,
    };
    let mut bar = Progress::new(config.quiet);
    let mut progress = |what: &str, done: usize, total: usize| bar.update(what, done, total);
    let lesson = Lesson::prepare(read_pairs(&args.data)?, &teacher, &options, &mut progress)?;
    let exits = Exits { layers: args.layers.clone(), pooling: args.pooling.into() };
    let (fitted, reports) =
        fit::fit(&model, &vocabulary, &exits, &lesson, &options, &mut progress)?;
    bar.finish();
    if let Some(out) = &args.out {
        fitted.save(out)?;
    }
    for report in reports {
        streams::line(&format!(
            "{} texts, layers {:?} {:?}: held-out cosine {:.3}, MRR@10 {:.3} (teacher {:.3})",
            2 * options.pairs,
            report.layers,
            exits.pooling,
            report.cosine,
            report.mrr,
            report.teacher_mrr,
        ))?;
    }
    Ok(())
}

/// Pairs of all `*.jsonl` files in `folder`, in the order of their names.
fn read_pairs(folder: &Path) -> Result<Vec<Pair>, AppError> {
    let mut pairs = Vec::new();
    for path in dataset::files(folder)? {
        let text = std::fs::read_to_string(&path).map_err(|e| AppError::reading(&path, &e))?;
        let (good, bad) = dataset::parse(&text);
        for row in &bad {
            streams::diagnostic(&format!("{}: {row}; skipped", path.display()));
        }
        pairs.extend(good);
    }
    Ok(pairs)
}
