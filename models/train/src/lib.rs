//! From texts to a model that is used because it was shown to be better: `fore train`.
//!
//! One run is one folder, and one stage after another leaves a file in it: questions ([`asking`]),
//! hard negatives ([`mining`]), candidate thoughts ([`exploring`]), the chosen ones ([`refining`]),
//! the trained adapter ([`learning`], [`table`], [`reading`]), the merged model and what it is worth ([`judging`]). A run
//! that was interrupted, by Ctrl-C or by a power cut, goes on where it was when the same command is
//! given again.
//!
//! Deliberately not here: the terminal, the daemon, a store, and which model is used. What a run needs
//! of them is passed in ([`world`]); whether the new model is then used is the program's to say.

mod asking;
mod cropping;
mod error;
mod expert;
mod exploring;
pub mod files;
mod inputs;
mod journal;
mod judging;
pub mod knobs;
mod learning;
mod mining;
mod plot;
mod probe;
mod reading;
mod refining;
mod run;
mod table;
pub mod world;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use models::column::{Encoder, Search};
use models::dataset::Pair;
use models::{TokenCounter, prompt};
use models_candle::committee::Committee;
use models_candle::gguf;

pub use error::TrainError;

use crate::inputs::{Inputs, Row};
use crate::judging::Verdict;
use crate::knobs::Knobs;
use crate::run::Run;
use crate::world::World;

/// Fewest held-out questions that can be looked at.
const HELD_OUT_MIN: usize = 5;
/// Written once the new model is in use: who went back from it is not to get it again.
const PROMOTED: &str = "promoted";

/// Rows that are learnt from, and rows that are only judged on.
struct Split {
    train: Vec<Row>,
    held_out: Vec<Row>,
}

/// A run that is complete. Nobody else is at it while this lives.
pub struct Complete {
    run: Run,
    verdict: Verdict,
}

impl Complete {
    pub fn name(&self) -> &str {
        &self.run.name
    }

    /// The merged model.
    pub fn model(&self) -> PathBuf {
        self.run.model()
    }

    /// What was found out, for people, in Markdown.
    pub fn report(&self) -> &str {
        &self.verdict.report
    }

    /// Why the new model is not to be used; nothing if it was shown to be better.
    pub fn objection(&self) -> Option<&str> {
        self.verdict.objection.as_deref()
    }

    /// Whether the new model was taken into use once.
    pub fn was_promoted(&self) -> bool {
        self.run.file(PROMOTED).exists()
    }

    /// Remembers that it was.
    ///
    /// # Errors
    /// If the run's folder cannot be written.
    pub fn note_promotion(&self) -> Result<(), TrainError> {
        self.run.write(PROMOTED, "")
    }
}

/// Runs all stages that are not done yet.
///
/// # Errors
/// If the input cannot be read, a model is missing, a stage fails, or it was stopped.
pub fn run(args: &Knobs, world: World) -> Result<Complete, TrainError> {
    check(args, &world)?;
    let run = Run::open(args, world)?;
    let verdict = match Verdict::read(&run)? {
        Some(verdict) => {
            run.note(&format!("{} is complete; --fresh begins it again", run.folder.display()));
            verdict
        }
        None => stages(&run, args)?,
    };
    run.finish();
    Ok(Complete { run, verdict })
}

fn stages(run: &Run, args: &Knobs) -> Result<Verdict, TrainError> {
    let base = gguf::open(&run.base)?;
    let before = learning::before(run, args)?;
    if args.learning.rank_all > 0.0 {
        table::as_wide_as_the_teacher(run, &base, "--rank-all")?;
    }
    let beginning = table::beginning(run, &base, before.as_ref(), args)?;
    let tokens = beginning.as_ref().map_or(&[][..], table::Beginning::tokens);
    let counter = Arc::clone(&base.vocabulary);
    let counter: (usize, &dyn TokenCounter) = (base.meta.passage_tokens_max, counter.as_ref());
    let inputs = Inputs::of(run, args, counter)?;
    let mut rows = inputs.rows.clone();
    rows.extend(asking::questions(&inputs, run, args)?);
    let (split, teacher) = data(&inputs, rows, tokens, run, args)?;
    let pairs = |rows: &[Row]| rows.iter().map(|row| row.pair.clone()).collect::<Vec<Pair>>();
    let (train, held_out) = (pairs(&split.train), pairs(&split.held_out));
    run.write("train.jsonl", &lines(&train))?;
    run.write("held-out.jsonl", &lines(&held_out))?;
    let lesson = learning::Lesson { train: train.clone(), teacher: teacher.as_ref(), before };
    learning::learn(run, args, &inputs, &split.held_out, lesson)?;
    if let Some((teacher, beginning)) = teacher.as_ref().zip(beginning.as_ref()) {
        let material = table::Material { beginning, teacher, train: &train, held_out: &held_out };
        table::learn(run, args, &material)?;
    }
    reading::learn(run, args, train, &held_out)?;
    judging::judge(run, args, &inputs, &split)
}

/// Mines, explores and refines with one committee over the passages.
fn data(
    inputs: &Inputs,
    rows: Vec<Row>,
    tokens: &[String],
    run: &Run,
    args: &Knobs,
) -> Result<(Split, Option<models_candle::vectors::TextVectors>), TrainError> {
    let teacher: Option<&Path> = (!args.making.no_teacher).then_some(&run.world.teacher);
    let device = run.device()?;
    let told = &mut |what: &str, done: usize, total: usize| {
        run.progress(what, done, total);
        if run.world.stop.asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    // Nobody is asked about passages if nothing is mined, made up or voted on.
    let passages = if mining::ranks(inputs, &rows, args) { &inputs.passages[..] } else { &[] };
    let seated = Committee::seat(&run.base, teacher, passages, &run.folder, &device, told);
    // A stop that was asked for is no failure.
    run.world.stop.check()?;
    let mut committee = seated?;
    let mut split = mining::mine(inputs, rows, &mut committee, run, args)?;
    if split.train.len() < 2 || split.held_out.len() < HELD_OUT_MIN {
        return Err(TrainError::new(format!(
            "{} rows to learn from and {} to judge on are too few",
            split.train.len(),
            split.held_out.len()
        ))
        .hint("add more text (--folder, --data) or ask more questions (--questions N)"));
    }
    if !judging::is_enough(&judging::groups(&split, args)) {
        run.note(
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
    run.world.stop.check()?;
    Ok((split, taught?))
}

/// Finds out now, rather than hours later, that something cannot work.
fn check(args: &Knobs, world: &World) -> Result<(), TrainError> {
    let data = &args.data;
    if data.folder.is_empty() && data.data.is_empty() && data.beir.is_empty() {
        return Err(TrainError::new("there is nothing to learn from")
            .hint("name a folder of yours: fore train --folder DIR")
            .hint("or training data: --data FILE.jsonl, --beir DIR"));
    }
    let recipe = args.learning.recipe(args.seed);
    recipe.check().map_err(TrainError::new)?;
    args.learning.reading(&recipe, args.seed).check().map_err(TrainError::new)?;
    for (name, share) in
        [("held-out", args.judging.held_out), ("guard", f64::from(args.making.guard))]
    {
        if !(share > 0.0 && share < 1.0) {
            return Err(TrainError::new(format!(
                "--{name} {share}: more than 0 and less than 1 is allowed"
            )));
        }
    }
    if !(0.0..=1.0).contains(&args.judging.bare_weight) {
        return Err(TrainError::new("--bare-weight: 0 to 1 is allowed"));
    }
    if let Some(gate) = args.judging.gate
        && (gate.encoder == Encoder::Peer || gate.search == Search::Bm25)
    {
        return Err(TrainError::new(format!("--gate {gate}: training does not change it"))
            .hint("dense or hybrid, with or without thoughts, such as hybrid+sampled"));
    }
    if args.learning.base.is_none() {
        world.service.model_in_use()?;
    }
    let teacher = &world.teacher;
    table::check(args)?;
    if args.making.no_teacher && args.learning.rank_all > 0.0 {
        return Err(TrainError::new("--rank-all is about the teacher's rankings")
            .hint("leave out --no-teacher, or --rank-all"));
    }
    if !args.making.no_teacher && !teacher.join("model.safetensors").is_file() {
        let missing = TrainError::new(format!("no teacher model in {}", teacher.display()))
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
