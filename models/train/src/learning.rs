//! The steps of a run: checkpoints, metrics, looks at the held-out questions, and the adapter.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::{Duration, Instant};

use models::dataset::Pair;
use models_candle::train::adapter::Adapter;
use models_candle::train::{StepReport, Trainer};
use models_candle::vectors::TextVectors;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::files::LEARNT;
use crate::inputs::{Inputs, Row};
use crate::knobs::Knobs;
use crate::plot::{self, Curves};
use crate::probe::{Look, Probe};
use crate::run::Run;

/// Between two checkpoints: what a power cut costs. Writing one takes a quarter of a second.
const SAVED_EVERY: Duration = Duration::from_secs(60);
/// Held-out rows whose thoughts' perplexity is measured.
const THOUGHTS_MAX: usize = 64;

const CHECKPOINT: &str = "checkpoint.safetensors";
const METRICS: &str = "metrics.jsonl";
const HELD_OUT_NDCG: &str = "held_out_ndcg_10";

/// A line of `metrics.jsonl`: a step, or a look after a step.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    step: usize,
    #[serde(flatten)]
    values: BTreeMap<String, f64>,
}

/// What the model's own steps are made of.
pub(crate) struct Lesson<'a> {
    pub(crate) train: Vec<Pair>,
    pub(crate) teacher: Option<&'a TextVectors>,
    /// What it begins with.
    pub(crate) before: Option<Adapter>,
}

/// Trains until all steps are taken and the adapter is written; goes on from a checkpoint.
pub(crate) fn learn(
    run: &Run,
    args: &Knobs,
    inputs: &Inputs,
    held_out: &[Row],
    lesson: Lesson<'_>,
) -> Result<(), TrainError> {
    let Lesson { train, teacher, before } = lesson;
    // A table goes on from what was learnt.
    let table = args.learning.token_table > 0;
    let out = run.file(if table { LEARNT } else { args.learning.embeds() });
    if out.exists() {
        return Ok(());
    }
    if args.learning.steps == Some(0)
        && let Some(before) = before
    {
        return Ok(before.save(&out)?);
    }
    let rows = train.len();
    let recipe = args.learning.recipe(args.seed);
    let mut trainer = Trainer::open(&run.base, recipe, train, before.as_ref(), &run.device()?)?;
    drop(before);
    trainer.resume(&run.file(CHECKPOINT))?;
    let probe = Probe::new(held_out, inputs, args.judging.bare_weight, &run.world.stop);
    let mut session = Session::open(run, probe, held_out, trainer.taken())?;
    let (every, steps) = (args.learning.look_every, trainer.steps());
    let is_due = |step: usize| step.is_multiple_of(every) || step == steps;
    // The first one, or one that an interruption came before.
    if is_due(trainer.taken()) && !session.has_looked() {
        session.look(&trainer)?;
    }
    let mut saved = Instant::now();
    while trainer.taken() < trainer.steps() {
        let started = Instant::now();
        let report = trainer.step(teacher, &run.file("bad-batch.jsonl"))?;
        session.step(&report, started.elapsed(), trainer.steps())?;
        let due = is_due(report.step);
        let stopping = run.world.stop.asked();
        if stopping || due || saved.elapsed() >= SAVED_EVERY {
            trainer.save(&run.file(CHECKPOINT))?;
            saved = Instant::now();
        }
        run.world.stop.check()?;
        if due {
            session.look(&trainer)?;
        }
    }
    trainer.save(&run.file(CHECKPOINT))?;
    let notes = BTreeMap::from([
        ("run".to_owned(), run.name.clone()),
        ("rows".to_owned(), rows.to_string()),
        ("steps".to_owned(), trainer.steps().to_string()),
        ("base".to_owned(), models_candle::gguf::fingerprint(&run.base)?),
    ]);
    trainer.save_adapter(&out, &notes)?;
    Ok(())
}

/// The adapter that the run begins with, which must be for its base.
pub(crate) fn before(run: &Run, args: &Knobs) -> Result<Option<Adapter>, TrainError> {
    let Some(path) = &args.learning.adapter else { return Ok(None) };
    let path = run.world.working_dir.join(path);
    let adapter = Adapter::read(&path)?;
    if adapter.about.notes.get("base") != Some(&models_candle::gguf::fingerprint(&run.base)?) {
        let (adapter, base) = (path.display(), run.base.display());
        return Err(TrainError::new(format!("{adapter} was not trained on {base}"))
            .hint("name the model that it was trained on: --base FILE"));
    }
    Ok(Some(adapter))
}

/// What is told of a run under way.
struct Session<'a> {
    run: &'a Run,
    probe: Probe<'a>,
    thoughts: Vec<Pair>,
    lines: Vec<Line>,
    newest: Option<Look>,
    step: usize,
}

impl<'a> Session<'a> {
    /// Takes up the metrics of the steps that are `taken`; what was written of later ones, which a
    /// power cut took back, is cut off.
    fn open(
        run: &'a Run,
        probe: Probe<'a>,
        held_out: &[Row],
        taken: usize,
    ) -> Result<Session<'a>, TrainError> {
        let text = fs::read_to_string(run.file(METRICS)).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let lines: Vec<Line> = lines.filter(|line| line.step <= taken && taken > 0).collect();
        let thoughtful = held_out.iter().filter(|row| !row.pair.thought.is_empty());
        let thoughts = thoughtful.take(THOUGHTS_MAX).map(|row| row.pair.clone()).collect();
        let kept = lines.iter().map(json).collect::<Result<String, _>>()?;
        run.write(METRICS, &kept)?;
        Ok(Session { run, probe, thoughts, lines, newest: None, step: taken })
    }

    fn step(
        &mut self,
        report: &StepReport,
        took: Duration,
        steps: usize,
    ) -> Result<(), TrainError> {
        self.step = report.step;
        let rate = report.tokens as f64 / took.as_secs_f64().max(1e-9);
        let value = serde_json::to_value(report).map_err(|e| TrainError::new(e.to_string()))?;
        let mut values: BTreeMap<String, f64> = value
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "step")
            .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)))
            .collect();
        values.insert("tokens_per_s".to_owned(), rate);
        values.insert("memory_peak_mb".to_owned(), models::process::memory().1 as f64 / 1e6);
        self.note(Line { step: report.step, values })?;
        let (loss, newest) = (report.loss, self.newest);
        self.run.tell("training", report.step, steps, &|status| {
            status.loss = Some(loss as f32);
            status.tokens_per_s = Some(rate as f32);
            // Not the one with thoughts: the chosen ones were taken from the answers.
            status.ndcg_10 = newest.map(|look| look.bare as f32);
        });
        Ok(())
    }

    fn has_looked(&self) -> bool {
        let looked =
            |line: &Line| line.step == self.step && line.values.contains_key(HELD_OUT_NDCG);
        self.lines.iter().any(looked)
    }

    /// Looks at the held-out questions and draws the picture.
    fn look(&mut self, trainer: &Trainer) -> Result<(), TrainError> {
        let look = self.probe.look(trainer)?;
        self.newest = Some(look);
        let mut values = BTreeMap::from([
            (HELD_OUT_NDCG.to_owned(), look.bare),
            ("held_out_ndcg_10_thought".to_owned(), look.thought),
        ]);
        if let Some(loss) = trainer.generation_loss(&self.thoughts)?
            && !self.thoughts.is_empty()
        {
            values.insert("held_out_perplexity".to_owned(), loss.exp());
        }
        self.note(Line { step: self.step, values })?;
        let svg = plot::svg(&curves(&self.lines))
            .map_err(|error| TrainError::new(format!("drawing the losses: {error}")))?;
        self.run.write("loss.svg", &svg)
    }

    fn note(&mut self, line: Line) -> Result<(), TrainError> {
        let path = self.run.file(METRICS);
        let failed = |error| TrainError::writing(&path, &error);
        let mut file = OpenOptions::new().append(true).create(true).open(&path).map_err(failed)?;
        file.write_all(json(&line)?.as_bytes()).map_err(failed)?;
        self.lines.push(line);
        Ok(())
    }
}

fn json(line: &Line) -> Result<String, TrainError> {
    let line = serde_json::to_string(line).map_err(|error| TrainError::new(error.to_string()))?;
    Ok(line + "\n")
}

fn curves(lines: &[Line]) -> Curves {
    let curve = |name: &str| {
        let point = |line: &Line| Some((line.step as f64, *line.values.get(name)?));
        lines.iter().filter_map(point).collect()
    };
    Curves {
        loss: curve("loss"),
        contrast: curve("contrast"),
        generation: curve("generation"),
        bare: curve(HELD_OUT_NDCG),
        thought: curve("held_out_ndcg_10_thought"),
    }
}
