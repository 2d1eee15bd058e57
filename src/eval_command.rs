//! `fore eval`: measures retrieval on test collections or on the user's own index.
//!
//! All input is read and checked before anything is measured ([`sections`]). `daemon::eval` does
//! the measuring; each table is printed as soon as it is known ([`render`]), and [`files`] writes
//! the figures for other programs. Ctrl-C ends the process as it would any: documents and thoughts
//! are kept as they come, and the next run goes on from them.

mod effort;
mod explain;
mod files;
mod render;
pub(crate) mod sections;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use daemon::Backend;
use daemon::eval::{
    self, Backends, Column, Encoder, Encoding, EvalError, Plan, Report, Search, Summary, Thinking,
};
use models::Sampling;

use crate::args::Eval;
use crate::backend::{PeerBackend, RealBackend};
use crate::config::Config;
use crate::error::AppError;
use crate::output::{Progress, Stdout};
use crate::runtime_dir::Lock;
use effort::Effort;
use sections::{Section, Size, Source};

/// What others are compared with unless something else is named: what needs no model at all.
const BASELINE: Column =
    Column { encoder: Encoder::Own, search: Search::Bm25, thinking: Thinking::None };

/// What holds for all tables of a run.
#[derive(Debug, Clone)]
struct Settings {
    /// As it would be typed again.
    command: String,
    sampling: Sampling,
    chunked: bool,
    baseline: Column,
    /// Of the sample and the bootstrap; the sampling has it too.
    seed: u64,
    /// Folder of the peer's model.
    peer: PathBuf,
}

/// A section's figures, without the rankings that they come from.
#[derive(Debug, Clone)]
struct Measured {
    name: String,
    /// Whether this is the second look, at everything.
    full: bool,
    size: Size,
    /// The column that the others are compared with.
    baseline: Column,
    encodings: Vec<(Encoding, Effort)>,
    summaries: Vec<Summary>,
    /// Peak resident bytes of the process so far.
    memory_peak: u64,
}

/// Measures what `args` asks for; `words` are the command line without the program's name.
///
/// # Errors
/// If something to read is not there or malformed, a model is missing, or measuring fails.
pub(crate) fn run(
    args: &Eval,
    config: Config,
    words: impl Iterator<Item = OsString>,
) -> Result<ExitCode, AppError> {
    let columns = columns(args)?;
    let mut sections = sections::read(args, &columns, &config)?;
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
        chunked: args.chunk,
        baseline: args.baseline.unwrap_or(BASELINE),
        seed: args.seed,
        peer: args.peer.clone().unwrap_or_else(|| config.teacher_dir()),
    };
    check(&sections, &settings, &config)?;
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder)
            .map_err(|error| AppError::io(format_args!("making {}", folder.display()), &error))?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| AppError::io("starting the runtime", &error))?;
    runtime.block_on(async {
        match (&args.explain, &sections[..]) {
            (Some(_), [section]) => tell(section, &settings, &config).await,
            _ => measure_all(&sections, args, &settings, &config).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The columns of the main tables: those asked for, each once, and what an explanation needs.
fn columns(args: &Eval) -> Result<Vec<Column>, AppError> {
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

fn each_once(columns: &[Column]) -> Vec<Column> {
    let mut once = Vec::new();
    for column in columns {
        if !once.contains(column) {
            once.push(*column);
        }
    }
    once
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
    args: &Eval,
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
    let thoughts = sections::cache(config).join("thoughts");
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
            let own: Arc<dyn Backend> = Arc::new(RealBackend::new(Arc::clone(config)));
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

impl Settings {
    fn plan(&self, section: &Section) -> Plan {
        Plan {
            columns: section.columns.clone(),
            sampling: self.sampling.clone(),
            chunked: self.chunked,
        }
    }
}

impl Measured {
    fn new(section: &Section, report: &Report, settings: &Settings) -> Result<Measured, AppError> {
        let mut size = section.size;
        let mut encodings = Vec::new();
        for encoding in report.encodings.iter().cloned() {
            let effort = match &section.source {
                Source::Folder { index } => Effort::with_earlier(&encoding, index)?,
                Source::OwnIndex { .. } => {
                    (size.documents, size.documents_all) = (encoding.documents, encoding.documents);
                    Effort::default()
                }
            };
            encodings.push((encoding, effort));
        }
        // A section that lacks the usual baseline is compared with its own first column.
        let first = section.columns.first().copied().unwrap_or(settings.baseline);
        let usual = section.columns.contains(&settings.baseline);
        let baseline = if usual { settings.baseline } else { first };
        Ok(Measured {
            name: section.name.clone(),
            full: section.full,
            size,
            baseline,
            encodings,
            summaries: report.summaries(baseline, settings.seed),
            memory_peak: daemon::process_memory().1,
        })
    }
}

#[cfg(test)]
mod tests;
