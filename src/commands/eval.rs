//! `fore eval`: measures retrieval on test collections or on the user's own index.
//!
//! All input is read and checked before anything is measured ([`daemon_eval::sections`]).
//! `daemon-eval` does the measuring; each table is printed as soon as it is known ([`render`]), and
//! `--out` writes the figures for other programs. Ctrl-C ends the process as it would any: documents
//! and thoughts are kept as they come, and the next run goes on from them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use daemon::Backend;
use daemon_eval::measured::{BASELINE, Measured, Settings};
use daemon_eval::sections::{self, Section, Source, Wanted};
use daemon_eval::told::{explain, render};
use daemon_eval::{self as eval, Backends, EvalError, Reading, Report, each_once, files};
use models::Sampling;
use models::column::{Column, Encoder, Thinking};
use models::files::Lock;

use crate::backend::{PeerBackend, RealBackend};
use crate::cli::thoughts;
use crate::config::Config;
use crate::error::AppError;
use crate::private;
use crate::runtime;
use crate::term::progress::Progress;
use crate::term::streams::{self, Stdout};

/// Measure how well questions find what answers them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folders in BEIR layout: corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv.
    #[arg(value_name = "COLLECTION", required_unless_present = "judgments")]
    collections: Vec<PathBuf>,
    /// Judge the index of your watched folders; a line is {"question": "...", "paths": ["..."]}.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["collections", "split", "peer", "sample_docs", "also_full", "chunk"]
    )]
    judgments: Option<PathBuf>,
    /// Which judgments of a collection.
    #[arg(long, value_name = "NAME", default_value = "test")]
    split: String,
    /// Ways to answer, such as `bm25,dense,hybrid+sampled`; all unless given.
    #[arg(long, value_name = "COLUMN,COLUMN", value_delimiter = ',')]
    columns: Vec<Column>,
    /// Leave out the columns of the peer, all-MiniLM-L6-v2.
    #[arg(long, conflicts_with = "peer")]
    no_peer: bool,
    /// Folder of the peer; the pulled teacher unless given.
    #[arg(long, value_name = "DIR")]
    peer: Option<PathBuf>,
    /// How many thoughts the sampled and grounded columns think.
    #[arg(long, value_name = "N", value_parser = thoughts)]
    thoughts: Option<usize>,
    /// How many passages the reading columns read.
    #[arg(
        long,
        value_name = "N",
        value_parser = at_least_one,
        default_value_t = Reading::default().passages
    )]
    read: usize,
    /// Most tokens of a passage that is read.
    #[arg(
        long,
        value_name = "TOKENS",
        value_parser = at_least_one,
        default_value_t = Reading::default().window
    )]
    window: usize,
    /// Ask only so many of the queries.
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    limit_queries: Option<usize>,
    /// Search only so many of the documents; every judged one is kept.
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    sample_docs: Option<usize>,
    /// Columns to measure once more with all queries and all documents.
    #[arg(long, value_name = "COLUMN,COLUMN", value_delimiter = ',')]
    also_full: Vec<Column>,
    /// Cut documents into passages as files are; else each is one passage.
    #[arg(long)]
    chunk: bool,
    /// The column that the others are compared with, query by query; bm25 unless given.
    #[arg(long, value_name = "COLUMN")]
    baseline: Option<Column>,
    /// Draws the sample, the thoughts and the bootstrap.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Write TREC run files, figures by query and report.json there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the report as JSON in place of the tables.
    #[arg(long)]
    json: bool,
    /// Tell of this one query what its thoughts moved.
    #[arg(long, value_name = "QUERY_ID", conflicts_with_all = ["json", "out", "also_full", "baseline"])]
    explain: Option<String>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("a number from 1 on is allowed".to_owned()),
    }
}

/// Measures what `args` asks for; `words` are the command line without the program's name.
///
/// # Errors
/// If something to read is not there or malformed, a model is missing, or measuring fails.
pub(crate) fn run(
    args: &Args,
    config: Config,
    words: impl Iterator<Item = OsString>,
) -> Result<ExitCode, AppError> {
    let columns = columns(args)?;
    let mut sections = sections::read(&wanted(args, columns, &config), &mut |odd| {
        streams::diagnostic(&format!("warning: {}", odd.message));
    })?;
    if let Some(id) = &args.explain {
        explain::narrow(&mut sections, id)?;
    }
    let config = Arc::new(config);
    let settings = Settings {
        command: render::command_line(words),
        sampling: Sampling {
            thoughts: args.thoughts.unwrap_or(config.sampling.thoughts),
            seed: args.seed,
            ..config.sampling.clone()
        },
        reading: Reading { passages: args.read, window: args.window },
        chunked: args.chunk,
        baseline: args.baseline.unwrap_or(BASELINE),
        seed: args.seed,
        peer: args.peer.clone().unwrap_or_else(|| config.teacher_dir()),
    };
    check(&sections, &settings, &config)?;
    private::keep(&config)?;
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder)
            .map_err(|error| AppError::io(format_args!("making {}", folder.display()), &error))?;
    }
    runtime::of_many_threads()?.block_on(async {
        match (&args.explain, &sections[..]) {
            (Some(_), [section]) => tell(section, &settings, &config).await,
            _ => measure_all(&sections, args, &settings, &config).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn wanted(args: &Args, columns: Vec<Column>, config: &Config) -> Wanted {
    Wanted {
        collections: args.collections.clone(),
        judgments: args.judgments.clone(),
        split: args.split.clone(),
        limit_queries: args.limit_queries,
        sample_docs: args.sample_docs,
        seed: args.seed,
        chunk: args.chunk,
        columns,
        also_full: args.also_full.clone(),
        working_dir: config.working_dir.clone(),
        cache: cache(config),
    }
}

/// Where documents and thoughts are kept.
fn cache(config: &Config) -> PathBuf {
    sections::cache(&config.paths.eval, config.device.name())
}

/// The columns of the main tables: those asked for, each once, and what an explanation needs.
fn columns(args: &Args) -> Result<Vec<Column>, AppError> {
    let alone = match (args.no_peer, &args.judgments) {
        (true, _) => Some("--no-peer leaves the peer out"),
        (false, Some(_)) => Some("your index has no vectors of the peer"),
        (false, None) => None,
    };
    let is_peers = |column: &Column| column.encoder == Encoder::Peer;
    if let Some(why) = alone
        && let Some(column) = args.columns.iter().chain(&args.also_full).find(|c| is_peers(c))
    {
        return Err(AppError::new(format!("{column} cannot be measured: {why}")));
    }
    let mut asked = args.columns.clone();
    if asked.is_empty() {
        asked = Column::all();
        asked.retain(|column| alone.is_none() || !is_peers(column));
    }
    if args.explain.is_some() {
        asked.extend(explain::needed());
    }
    let asked = each_once(&asked);
    match args.baseline.filter(|baseline| !asked.contains(baseline)) {
        Some(missing) => Err(AppError::new(format!("the baseline {missing} is not measured"))
            .hint(format!("name it among the --columns, or choose another of {}", names(&asked)))),
        None => Ok(asked),
    }
}

fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| column.name()).collect::<Vec<_>>().join(", ")
}

/// Finds out now, rather than hours later, that a model or the thoughts are not there.
fn check(sections: &[Section], settings: &Settings, config: &Arc<Config>) -> Result<(), AppError> {
    let mut columns = sections.iter().flat_map(|section| &section.columns);
    let sampled =
        columns.find(|column| matches!(column.thinking, Thinking::Sampled | Thinking::Grounded));
    if let (Some(column), 0) = (sampled, settings.sampling.thoughts) {
        return Err(AppError::new(format!("{column} cannot be measured: no thought is sampled"))
            .hint("say how many are: --thoughts N"));
    }
    let loaded: Vec<Encoder> = sections
        .iter()
        .flat_map(|section| eval::encoders(&settings.plan(section)).collect::<Vec<_>>())
        .collect();
    if loaded.contains(&Encoder::Own) {
        RealBackend::new(Arc::clone(config)).model_file()?;
    }
    let weights = settings.peer.join("model.safetensors");
    if loaded.contains(&Encoder::Peer) && !weights.is_file() {
        return Err(AppError::new(format!("no peer model in {}", settings.peer.display()))
            .hint("run: fore model pull --teacher")
            .hint("or leave its columns out: --no-peer"));
    }
    Ok(())
}

async fn measure_all(
    sections: &[Section],
    args: &Args,
    settings: &Settings,
    config: &Arc<Config>,
) -> Result<(), AppError> {
    let print = |text: &str| if args.json { Ok(()) } else { Stdout::lock().print(text) };
    let mut all = Vec::new();
    for section in sections {
        let report = measure(section, settings, config).await?;
        if let Some(folder) = &args.out {
            files::write_section(folder, section, &report)?;
        }
        let measured = Measured::new(section, &report, settings)?;
        if all.is_empty() {
            print(&render::head(settings))?;
        }
        print(&render::section(&measured, settings))?;
        all.push(measured);
    }
    print(&render::overview(&all))?;
    let report = files::report(settings, &all);
    if let Some(folder) = &args.out {
        files::write_report(folder, &report)?;
    }
    if args.json { Stdout::lock().print(&format!("{report:#}\n")) } else { Ok(()) }
}

/// Measures the one query that `section` is narrowed to, and tells of it.
async fn tell(
    section: &Section,
    settings: &Settings,
    config: &Arc<Config>,
) -> Result<(), AppError> {
    let report = measure(section, settings, config).await?;
    Stdout::lock().print(&explain::text(section, &report))
}

async fn measure(
    section: &Section,
    settings: &Settings,
    config: &Arc<Config>,
) -> Result<Report, AppError> {
    let plan = settings.plan(section);
    let thoughts = cache(config).join("thoughts");
    let mut bar = Progress::new(config.quiet);
    let mut progress = |what: &str, done: usize, total: usize| {
        bar.update(&format!("{}: {what}", section.name), done, total);
    };
    let collection = &section.collection;
    let report = match &section.source {
        Source::Folder { index } => {
            let _alone = alone(index)?;
            let own = RealBackend::with_index(Arc::clone(config), index.clone());
            let peer = PeerBackend { folder: settings.peer.clone(), index: index.clone() };
            let backends = Backends { own: Arc::new(own), peer: Some(Arc::new(peer)) };
            eval::collection(collection, &plan, &backends, &thoughts, &mut progress).await
        }
        Source::OwnIndex { .. } => {
            let own: Arc<dyn Backend> = Arc::new(RealBackend::reading(Arc::clone(config)));
            let (queries, qrels) = (&collection.queries, &collection.qrels);
            eval::index(queries, qrels, &plan, &own, &thoughts, &mut progress).await
        }
    };
    bar.finish();
    report.map_err(|error| placed(error, &section.source))
}

/// An index has one writer: two that encode the same documents would leave each of them twice.
fn alone(index: &Path) -> Result<Lock, AppError> {
    let making = |error| AppError::io(format_args!("making {}", index.display()), &error);
    fs::create_dir_all(index).map_err(making)?;
    let lock = Lock::try_take(&index.with_extension("lock"))?;
    lock.ok_or_else(|| {
        AppError::new("another fore eval is at the same documents").hint("wait until it has ended")
    })
}

/// The error with the line of the file that it is about, if it is about one.
fn placed(error: EvalError, source: &Source) -> AppError {
    let place = match (&error, source) {
        (EvalError::NotIndexed { query, path }, Source::OwnIndex { judgments }) => {
            let line = query.trim_start_matches('q');
            Some(format!("{}:{line}: {path} is not indexed", judgments.display()))
        }
        _ => None,
    };
    let error = AppError::from(error);
    AppError { message: place.unwrap_or(error.message), ..error }
}

#[cfg(test)]
mod tests;
