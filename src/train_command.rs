//! `fore train`: from texts to a model that is used because it was shown to be better.
//!
//! One run is one folder, and one stage after another leaves a file in it: questions ([`asking`]),
//! hard negatives ([`mining`]), candidate thoughts ([`exploring`]), the chosen ones ([`refining`]),
//! the trained adapter ([`learning`]), the merged model and what it is worth ([`judging`]). A run
//! that was interrupted, by Ctrl-C or by a power cut, goes on where it was when the same command is
//! given again. No daemon takes part until the new model is promoted.

mod asking;
mod cropping;
mod expert;
mod exploring;
pub(crate) mod files;
mod inputs;
mod journal;
mod judging;
mod learning;
mod mining;
mod plot;
mod probe;
mod refining;
mod run;
mod table;

use std::ops::ControlFlow;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use daemon::eval::{Encoder, Search};
use models::TokenCounter;
use models::dataset::Pair;
use models::prompt;
use models_candle::committee::Committee;
use models_candle::gguf;

use crate::args::train::Train;
use crate::backend::RealBackend;
use crate::config::Config;
use crate::error::{AppError, NOTHING};
use crate::output;
use inputs::{Inputs, Row};
use run::Run;

pub(crate) use run::Stop;

/// Fewest held-out questions that can be looked at.
const HELD_OUT_MIN: usize = 5;
/// Written once the new model is in use: who went back from it is not to get it again.
const PROMOTED: &str = "promoted";

/// Rows that are learnt from, and rows that are only judged on.
struct Split {
    train: Vec<Row>,
    held_out: Vec<Row>,
}

/// Runs all stages that are not done yet. The status is success if the new model was shown to be
/// better, and so is used unless `--no-promote` or a person says otherwise; else 1.
///
/// # Errors
/// If the input cannot be read, a model is missing, or a stage fails.
pub(crate) fn run(args: &Train, config: Config) -> Result<ExitCode, AppError> {
    keep_memory();
    let config = Arc::new(config);
    check(args, &config)?;
    let run = Run::open(args, &config)?;
    if let Some(verdict) = judging::Verdict::read(&run)? {
        output::diagnostic(&format!(
            "{} is complete; --fresh begins it again",
            run.folder.display()
        ));
        return conclude(&verdict, &run, args);
    }
    let base = gguf::open(&run.base)?;
    let before = learning::before(&run, args)?;
    if args.learning.rank_all > 0.0 {
        table::as_wide_as_the_teacher(&run, &base, "--rank-all")?;
    }
    let beginning = table::beginning(&run, &base, before.as_ref(), args)?;
    let tokens = beginning.as_ref().map_or(&[][..], table::Beginning::tokens);
    let counter = Arc::clone(&base.vocabulary);
    let counter: (usize, &dyn TokenCounter) = (base.meta.passage_tokens_max, counter.as_ref());
    let inputs = Inputs::of(&run, args, counter)?;
    let mut rows = inputs.rows.clone();
    rows.extend(asking::questions(&inputs, &run, args)?);
    let (split, teacher) = data(&inputs, rows, tokens, &run, args)?;
    let pairs = |rows: &[Row]| rows.iter().map(|row| row.pair.clone()).collect::<Vec<Pair>>();
    let (train, held_out) = (pairs(&split.train), pairs(&split.held_out));
    run.write("train.jsonl", &lines(&train))?;
    run.write("held-out.jsonl", &lines(&held_out))?;
    let lesson = learning::Lesson { train: train.clone(), teacher: teacher.as_ref(), before };
    learning::learn(&run, args, &inputs, &split.held_out, lesson)?;
    if let Some((teacher, beginning)) = teacher.as_ref().zip(beginning.as_ref()) {
        let material = table::Material { beginning, teacher, train: &train, held_out: &held_out };
        table::learn(&run, args, &material)?;
    }
    let verdict = judging::judge(&run, args, &inputs, &split)?;
    conclude(&verdict, &run, args)
}

/// Starts the program anew, as the same process, with an allocator that keeps what is freed. A step
/// frees and asks for the same large blocks; after a second the allocator would return them to the
/// system, which clears each page again: a seventh of a step's time. (Settable in no other way
/// without unsafe code.) If it cannot be started, this one goes on, only slower.
fn keep_memory() {
    /// mimalloc's setting, in milliseconds; -1 is never.
    const DELAY: &str = "MIMALLOC_PURGE_DELAY";
    if std::env::var_os(DELAY).is_none()
        && let Ok(program) = std::env::current_exe()
    {
        let mut again = Command::new(program);
        let error = again.args(std::env::args_os().skip(1)).env(DELAY, "-1").exec();
        tracing::debug!("starting anew: {error}");
    }
}

/// Mines, explores and refines with one committee over the passages.
fn data(
    inputs: &Inputs,
    rows: Vec<Row>,
    tokens: &[String],
    run: &Run,
    args: &Train,
) -> Result<(Split, Option<models_candle::vectors::TextVectors>), AppError> {
    let teacher = run.config.teacher_dir();
    let teacher = (!args.making.no_teacher).then_some(teacher.as_path());
    let device = run.device()?;
    let told = &mut |what: &str, done: usize, total: usize| {
        run.progress(what, done, total);
        if run.stop.asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    // Nobody is asked about passages if nothing is mined, made up or voted on.
    let passages = if mining::ranks(inputs, &rows, args) { &inputs.passages[..] } else { &[] };
    let seated = Committee::seat(&run.base, teacher, passages, &run.folder, &device, told);
    // A stop that was asked for is no failure.
    run.stop.check()?;
    let mut committee = seated?;
    let mut split = mining::mine(inputs, rows, &mut committee, run, args)?;
    if split.train.len() < 2 || split.held_out.len() < HELD_OUT_MIN {
        return Err(AppError::new(format!(
            "{} rows to learn from and {} to judge on are too few",
            split.train.len(),
            split.held_out.len()
        ))
        .hint("add more text (--folder, --data) or ask more questions (--questions N)"));
    }
    if !judging::is_enough(&judging::groups(&split, args)) {
        output::diagnostic(
            "the held-out questions are about too few texts to show anything: the new model will be \
             kept, not used (more text, or a larger --held-out or --judged)",
        );
    }
    exploring::explore(&mut split, run, args)?;
    refining::refine(&mut split, inputs, &mut committee, run, args)?;
    let crops = cropping::crops(inputs, &split.held_out, args);
    split.train.extend(crops);
    let pairs = || split.train.iter().chain(&split.held_out).map(|row| &row.pair);
    // As a batch asks for them.
    let queries: Vec<String> = pairs()
        .flat_map(|pair| ["", &pair.thought].map(|thought| prompt::plain(&pair.query, thought)))
        .collect();
    let texts: Vec<&str> = pairs()
        .flat_map(|pair| pair.pos.iter().chain(&pair.neg))
        .chain(&queries)
        .chain(tokens)
        .map(String::as_str)
        .collect();
    let taught = committee.taught(&texts, told);
    run.stop.check()?;
    Ok((split, taught?))
}

/// Tells the verdict, and has the new model used if it deserves it.
fn conclude(verdict: &judging::Verdict, run: &Run, args: &Train) -> Result<ExitCode, AppError> {
    run.finish();
    output::line(&verdict.report)?;
    if let Some(objection) = &verdict.objection {
        let model = run.model();
        let model = model.display();
        output::diagnostic(&format!("not promoted: {objection}; the model is kept in {model}"));
        return Ok(ExitCode::from(NOTHING));
    }
    if args.judging.no_promote {
        output::diagnostic(&format!("to use it: fore model use {}", run.name));
        return Ok(ExitCode::SUCCESS);
    }
    if run.file(PROMOTED).exists() {
        output::diagnostic(&format!(
            "it was promoted; to use it again: fore model use {}",
            run.name
        ));
        return Ok(ExitCode::SUCCESS);
    }
    crate::model_command::choice::choose(&run.model(), &run.config)?;
    run.write(PROMOTED, "")?;
    output::diagnostic("to go back to the model before: fore model rollback");
    Ok(ExitCode::SUCCESS)
}

/// Finds out now, rather than hours later, that something cannot work.
fn check(args: &Train, config: &Arc<Config>) -> Result<(), AppError> {
    let data = &args.data;
    if data.folder.is_empty() && data.data.is_empty() && data.beir.is_empty() {
        return Err(AppError::new("there is nothing to learn from")
            .hint("name a folder of yours: fore train --folder DIR")
            .hint("or training data: --data FILE.jsonl, --beir DIR"));
    }
    args.learning.recipe(args.seed).check().map_err(AppError::new)?;
    for (name, share) in
        [("held-out", args.judging.held_out), ("guard", f64::from(args.making.guard))]
    {
        if !(share > 0.0 && share < 1.0) {
            return Err(AppError::new(format!(
                "--{name} {share}: more than 0 and less than 1 is allowed"
            )));
        }
    }
    if !(0.0..=1.0).contains(&args.judging.bare_weight) {
        return Err(AppError::new("--bare-weight: 0 to 1 is allowed"));
    }
    if let Some(gate) = args.judging.gate
        && (gate.encoder == Encoder::Peer || gate.search == Search::Bm25)
    {
        return Err(AppError::new(format!("--gate {gate}: training does not change it"))
            .hint("dense or hybrid, with or without thoughts, such as hybrid+sampled"));
    }
    if args.learning.base.is_none() {
        RealBackend::new(Arc::clone(config)).model_file()?;
    }
    let teacher = config.teacher_dir();
    table::check(args)?;
    if args.making.no_teacher && args.learning.rank_all > 0.0 {
        return Err(AppError::new("--rank-all is about the teacher's rankings")
            .hint("leave out --no-teacher, or --rank-all"));
    }
    if !args.making.no_teacher && !teacher.join("model.safetensors").is_file() {
        let missing = AppError::new(format!("no teacher model in {}", teacher.display()))
            .hint("run: fore model pull --teacher");
        // What else is asked for cannot do without it.
        let needed = args.learning.token_table > 0 || args.learning.rank_all > 0.0;
        return Err(if needed {
            missing
        } else {
            missing.hint("or leave it out of the committee: --no-teacher")
        });
    }
    Ok(())
}

fn lines(pairs: &[Pair]) -> String {
    pairs.iter().map(|pair| models::dataset::line(pair) + "\n").collect()
}
