//! The stage in which the upper layers learn to read: the passage that answers is told from the mined
//! ones by how likely the question is after it. Nothing that embeds changes.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::time::{Duration, Instant};

use models::dataset::Pair;
use models_candle::gguf;
use models_candle::train::adapter::Adapter;
use models_candle::train::{ReadReport, Trainer};

use crate::error::TrainError;
use crate::files::ADAPTER;
use crate::knobs::Knobs;
use crate::run::Run;

/// Between two checkpoints: what a power cut costs.
const SAVED_EVERY: Duration = Duration::from_secs(60);
/// Held-out rows that are looked at: their standard error is some five hundredths of them.
const LOOKED_AT: usize = 64;

const CHECKPOINT: &str = "reading-checkpoint.safetensors";
const METRICS: &str = "reading.jsonl";

/// Trains until all steps are taken and the adapter is written; goes on from a checkpoint.
pub(crate) fn learn(
    run: &Run,
    args: &Knobs,
    train: Vec<Pair>,
    held_out: &[Pair],
) -> Result<(), TrainError> {
    let out = run.file(ADAPTER);
    if args.learning.read_steps == 0 || out.exists() {
        return Ok(());
    }
    let contrasted = |pairs: &[Pair]| -> Vec<Pair> {
        pairs.iter().filter(|pair| !pair.neg.is_empty()).cloned().collect()
    };
    let mut rows = contrasted(&train);
    if rows.len() < 2 {
        return Err(TrainError::new(
            "no row has a passage that does not answer it to be told from",
        )
        .hint("mine some: --mined N; or do not learn to read: --read-steps 0"));
    }
    // Only what has a thought besides, for the thoughts that ride along.
    rows.extend(train.into_iter().filter(|pair| pair.neg.is_empty() && !pair.thought.is_empty()));
    let mut looked_at = contrasted(held_out);
    looked_at.truncate(LOOKED_AT);
    let embeds = Adapter::read(&run.file(args.learning.embeds()))?;
    let recipe = args.learning.reading(&embeds.about.recipe, args.seed);
    check(run, recipe.reading.map_or(1, |reading| reading.first_layer))?;
    let mut notes = embeds.about.notes.clone();
    let mut trainer = Trainer::open(&run.base, recipe, rows, Some(&embeds), &run.device()?)?;
    drop(embeds);
    trainer.resume(&run.file(CHECKPOINT))?;
    look(run, &trainer, &looked_at)?;
    steps(run, &mut trainer)?;
    let (contrast, right) = look(run, &trainer, &looked_at)?;
    notes.extend(BTreeMap::from([
        ("read_steps".to_owned(), trainer.steps().to_string()),
        ("read_contrast".to_owned(), format!("{contrast:.3}")),
        ("read_right".to_owned(), format!("{right:.3}")),
    ]));
    Ok(trainer.save_adapter(&out, &notes)?)
}

/// Layers that vectors come from are not to learn: every index would be void.
fn check(run: &Run, first_layer: usize) -> Result<(), TrainError> {
    let meta = gguf::open(&run.base)?.meta;
    let exit = meta.exit_layers.iter().copied().max().unwrap_or(0);
    if first_layer > exit {
        return Ok(());
    }
    Err(TrainError::new(format!("--read-from {first_layer}: vectors are read after layer {exit}"))
        .hint(format!("from {} on, they stay as they are", exit + 1)))
}

fn steps(run: &Run, trainer: &mut Trainer) -> Result<(), TrainError> {
    let mut saved = Instant::now();
    while trainer.taken() < trainer.steps() {
        let started = Instant::now();
        let report = trainer.read(&run.file("bad-batch.jsonl"))?;
        let rate = report.tokens as f64 / started.elapsed().as_secs_f64().max(1e-9);
        run.tell("learning to read", report.step, trainer.steps(), &|status| {
            status.loss = Some(report.loss as f32);
            status.tokens_per_s = Some(rate as f32);
        });
        log(run, &report, rate)?;
        let stopping = run.world.stop.asked();
        if stopping || saved.elapsed() >= SAVED_EVERY || trainer.taken() == trainer.steps() {
            trainer.save(&run.file(CHECKPOINT))?;
            saved = Instant::now();
        }
        run.world.stop.check()?;
    }
    Ok(())
}

/// What held-out rows are worth now: the contrast, and the share whose passage comes first.
fn look(run: &Run, trainer: &Trainer, held_out: &[Pair]) -> Result<(f64, f64), TrainError> {
    if held_out.is_empty() {
        return Ok((0.0, 0.0));
    }
    let (mut contrast, mut right) = (0.0, 0.0);
    for rows in held_out.chunks(4) {
        run.world.stop.check()?;
        let (one, first) = trainer.reads(rows)?;
        let share = rows.len() as f64 / held_out.len() as f64;
        contrast += share * one;
        right += share * first;
    }
    run.note(&format!(
        "reading after {} of {} steps: of {} held-out questions {:.0} % are likeliest after their \
         passage (cross-entropy {contrast:.3})",
        trainer.taken(),
        trainer.steps(),
        held_out.len(),
        100.0 * right
    ));
    Ok((contrast, right))
}

fn log(run: &Run, report: &ReadReport, tokens_per_s: f64) -> Result<(), TrainError> {
    let path = run.file(METRICS);
    let failed = |error| TrainError::writing(&path, &error);
    let mut line = serde_json::json!(report);
    line["tokens_per_s"] = tokens_per_s.into();
    let mut file = OpenOptions::new().append(true).create(true).open(&path).map_err(failed)?;
    file.write_all(format!("{line}\n").as_bytes()).map_err(failed)
}
