//! What a run came to: base and adapter become one model file, which is checked, measured against
//! the old model on the held-out questions with everything that serves users, and promoted only if
//! the difference is no accident.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use daemon::Backend;
use daemon::eval::{self, Backends, Column, Encoder, Plan, Report, Search, Thinking};
use models::beir::{Collection, Entry, Grades, Query};
use models::paired::{self, Comparison};
use models::{Sampling, schedule};
use models_candle::train::adapter::Adapter;
use models_candle::train::merge::{self, Fidelity, Named};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Split;
use super::files::ADAPTER;
use super::inputs::{Inputs, Row};
use super::run::Run;
use crate::args::train::Train;
use crate::backend::RealBackend;
use crate::error::AppError;
use crate::launch::VERSION;
use crate::serve::RANKING_WEIGHT;

const MANIFEST: &str = "manifest.json";
const REPORT: &str = "report.md";
/// Hidden states of the merged file may differ from base and adapter by rounding to 8 bits.
const COSINE_MIN: f32 = 0.999;
/// Passages that the held-out questions are answered among; a model reads that many in five minutes
/// on two cores.
const JUDGED_PASSAGES_MAX: usize = 4_000;
/// Texts that the check compares on.
const CHECKED_TEXTS: usize = 8;

/// What a complete run found out.
pub(super) struct Verdict {
    /// Whether the gate's difference is above zero with 95 % confidence.
    pub(super) better: bool,
    /// The column that had to be better.
    pub(super) gate: String,
    /// For people, in Markdown.
    pub(super) report: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Outcome {
    better: bool,
    gate: String,
}

impl Verdict {
    /// That of a run that is complete.
    pub(super) fn read(run: &Run) -> Result<Option<Verdict>, AppError> {
        let path = run.file(MANIFEST);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).map_err(|error| AppError::reading(&path, &error))?;
        let Outcome { better, gate } = serde_json::from_str(&text)
            .map_err(|error| AppError::new(format!("{}: {error}", path.display())))?;
        let path = run.file(REPORT);
        let report = fs::read_to_string(&path).map_err(|error| AppError::reading(&path, &error))?;
        Ok(Some(Verdict { better, gate, report: report.trim_end().to_owned() }))
    }
}

/// Merges, checks, measures and writes the report and the manifest, which completes the run.
pub(super) fn judge(
    run: &Run,
    args: &Train,
    inputs: &Inputs,
    split: &Split,
) -> Result<Verdict, AppError> {
    let adapter = Adapter::read(&run.file(ADAPTER))?;
    let thinks = adapter.about.recipe.lambda < 1.0
        && split.train.iter().any(|row| !row.pair.thought.is_empty());
    let fidelity = merged(run, args, &adapter, split, thinks)?;
    run.stop.check()?;
    let collection = held_out(inputs, &split.held_out, args.judging.judged);
    let (was, gate) = (gate(args, &run.base)?, gate(args, &run.model())?);
    let old = measure(run, args, (&run.base, was), &collection, "measuring the old model")?;
    run.stop.check()?;
    let model = run.model();
    let new = measure(run, args, (&model, gate), &collection, "measuring the new model")?;
    run.stop.check()?;
    let rows = compare(&old, &new, args.seed);
    let decides = rows.iter().find(|row| row.column == gate);
    let better = decides.is_some_and(|row| row.change.low > 0.0);
    let report = text(run, args, split, &fidelity, &rows, (gate, better))?;
    run.write(REPORT, &report)?;
    let figures: BTreeMap<String, serde_json::Value> = rows
        .iter()
        .map(|row| {
            (row.column.to_string(), json!({"old": row.old, "new": row.new, "change": row.change}))
        })
        .collect();
    let manifest = json!({
        "better": better,
        "run": run.name,
        "version": VERSION,
        "base": models_candle::gguf::fingerprint(&run.base)?,
        "base_file": run.base,
        "model": models_candle::gguf::fingerprint(&run.model())?,
        "data": digest(&run.file("train.jsonl"))?,
        "seed": args.seed,
        "recipe": adapter.about.recipe,
        "rows": {"train": split.train.len(), "held_out": split.held_out.len()},
        "gate": gate.to_string(),
        "fidelity": fidelity,
        "ndcg_10": figures,
    });
    run.write(MANIFEST, &format!("{manifest:#}\n"))?;
    Ok(Verdict { better, gate: gate.to_string(), report: report.trim_end().to_owned() })
}

/// Makes the model file, unless it is there, and checks it. As few layers as its states stand have 16
/// bits, the others 8.
fn merged(
    run: &Run,
    args: &Train,
    adapter: &Adapter,
    split: &Split,
    thinks: bool,
) -> Result<Fidelity, AppError> {
    let texts: Vec<&str> =
        split.held_out.iter().take(CHECKED_TEXTS).map(|row| row.pair.query.as_str()).collect();
    let mut cosine = 0.0;
    // Vectors are read from the lower layers; the upper ones only think.
    let base = models_candle::gguf::open(&run.base)?.meta;
    let found = |row: &Row| !row.pair.thought.is_empty() && !row.pair.context.is_empty();
    let learnt = adapter.about.recipe.grounded > 0.0 && split.train.iter().any(found);
    let stem = base.name.split(" (").next().unwrap_or(&base.name);
    let mut named = Named {
        name: format!("{stem} ({})", run.name),
        bare_weight: args.judging.bare_weight,
        thinks,
        // One that was not taught to think goes on thinking as it did.
        grounded: if thinks { learnt } else { base.grounded },
        half: 0,
    };
    for half in [0, base.exit_layers.iter().copied().max().unwrap_or(0), usize::MAX] {
        named.half = half;
        if half > 0 || !run.model().exists() {
            run.stop.check()?;
            let mut progress = |share: f32| run.progress("merging", (share * 100.0) as usize, 100);
            merge::merge(&run.base, adapter, &named, &run.model(), &mut progress)?;
        }
        run.progress("checking", 0, 0);
        let fidelity = merge::check(&run.base, adapter, &run.model(), &texts, &run.device()?)?;
        if fidelity.cosine >= COSINE_MIN {
            return Ok(fidelity);
        }
        cosine = fidelity.cosine;
    }
    Err(AppError::new(format!(
        "{}: its states are not those that were trained: cosine {cosine:.4} with base and adapter",
        run.model().display()
    ))
    .hint("train with a lower --rate, and begin again: --fresh"))
}

/// The column that users of `model` get, unless another is to decide.
fn gate(args: &Train, model: &Path) -> Result<Column, AppError> {
    let grounded = models_candle::gguf::open(model)?.meta.grounded;
    let thinking = if grounded { Thinking::Grounded } else { Thinking::Sampled };
    let served = Column { encoder: Encoder::Own, search: Search::Hybrid, thinking };
    Ok(args.judging.gate.unwrap_or(served))
}

/// The passages as documents, or a sample of many of them, and at most `most` held-out questions
/// about them.
fn held_out(inputs: &Inputs, rows: &[Row], most: usize) -> Collection {
    let id = |place: usize| format!("p{place}");
    let judged = rows.iter().take(most).flat_map(|row| &row.pair.pos);
    let mut places: Vec<usize> = judged.filter_map(|text| inputs.find(text)).collect();
    // Of what answers nothing may be missing.
    let answers = places.len();
    places.extend(schedule::order(inputs.passages.len(), 0, 0));
    let mut seen = HashSet::new();
    places.retain(|place| seen.insert(*place));
    places.truncate(JUDGED_PASSAGES_MAX.max(answers));
    places.sort_unstable();
    let entry = |place: &usize| Entry {
        id: id(*place),
        title: String::new(),
        text: inputs.passages[*place].clone(),
    };
    let mut collection = Collection {
        documents: places.iter().map(entry).collect(),
        queries: Vec::new(),
        qrels: BTreeMap::new(),
    };
    for (number, row) in rows.iter().take(most).enumerate() {
        let query = Query { id: format!("q{number}"), text: row.pair.query.clone() };
        let answers = row.pair.pos.iter().filter_map(|text| inputs.find(text));
        let grades: Grades = answers.map(|place| (id(place), 1)).collect();
        collection.qrels.insert(query.id.clone(), grades);
        collection.queries.push(query);
    }
    collection
}

fn columns(gate: Column) -> Vec<Column> {
    let column = |search, thinking| Column { encoder: Encoder::Own, search, thinking };
    // Thinking is most of what measuring costs, so only one way of it is.
    let thinking = match gate.thinking {
        Thinking::Grounded => Thinking::Grounded,
        Thinking::None | Thinking::Greedy | Thinking::Sampled => Thinking::Sampled,
    };
    let mut columns = vec![
        column(Search::Bm25, Thinking::None),
        column(Search::Dense, Thinking::None),
        column(Search::Dense, thinking),
        column(Search::Hybrid, Thinking::None),
        column(Search::Hybrid, thinking),
    ];
    if !columns.contains(&gate) {
        columns.push(gate);
    }
    columns
}

fn measure(
    run: &Run,
    args: &Train,
    (model, gate): (&Path, Column),
    collection: &Collection,
    stage: &str,
) -> Result<Report, AppError> {
    let plan = Plan {
        columns: columns(gate),
        sampling: Sampling { seed: args.seed, ..run.config.sampling.clone() },
        chunked: false,
        weights: (RANKING_WEIGHT, RANKING_WEIGHT),
    };
    let index = run.file("eval");
    let own = RealBackend::with_model(Arc::clone(&run.config), model.to_owned(), index.clone());
    let own: Arc<dyn Backend> = Arc::new(own);
    let backends = Backends { own, peer: None };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| AppError::io("starting the runtime", &error))?;
    let thoughts = run.file("thoughts");
    let mut progress = |what: &str, done: usize, total: usize| {
        run.progress(&format!("{stage}: {what}"), done, total);
    };
    let report = eval::collection(collection, &plan, &backends, &thoughts, &mut progress);
    Ok(runtime.block_on(report)?)
}

/// One column before and after. The old model thinks in its own way, so its column may be another.
#[derive(Debug)]
struct Change {
    was: Column,
    column: Column,
    old: f64,
    new: f64,
    change: Comparison,
}

fn compare(old: &Report, new: &Report, seed: u64) -> Vec<Change> {
    let scores = |report: &Report, at: usize| -> Vec<f64> {
        report.queries.iter().map(|query| query.answers[at].scores.ndcg_10).collect()
    };
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len().max(1) as f64;
    let change = |(at, (was, column)): (usize, (&Column, &Column))| {
        let (old, new) = (scores(old, at), scores(new, at));
        let change = paired::compare(&new, &old, seed);
        Change { was: *was, column: *column, old: mean(&old), new: mean(&new), change }
    };
    old.columns.iter().zip(&new.columns).enumerate().map(change).collect()
}

fn text(
    run: &Run,
    args: &Train,
    split: &Split,
    fidelity: &Fidelity,
    rows: &[Change],
    (gate, better): (Column, bool),
) -> Result<String, AppError> {
    let judged = split.held_out.len().min(args.judging.judged);
    let mut text = format!(
        "# Run {}\n\n{} rows to learn from; nDCG@10 on {judged} held-out questions, old and new \
         model, with the 95 % interval of the difference.\n\n\
         | column | old | new | difference | better, alike, worse |\n| --- | --- | --- | --- | --- |\n",
        run.name,
        split.train.len(),
    );
    for Change { was, column, old, new, change } in rows {
        let Comparison { wins, ties, losses, mean, low, high } = change;
        let mark = if *column == gate { " (gate)" } else { "" };
        let before = if was == column { String::new() } else { format!("{was} → ") };
        text.push_str(&format!(
            "| {before}{column}{mark} | {old:.3} | {new:.3} | {mean:+.3} [{low:+.3}, {high:+.3}] | {wins}, {ties}, {losses} |\n"
        ));
    }
    let verdict =
        if better { "better: the new model may be used" } else { "not shown to be better" };
    text.push_str(&format!("\n{gate}: {verdict}.\n"));
    text.push_str(&format!(
        "\nThe merged file against base and adapter: cosine of hidden states {:.5} (least {:.5}); {} of {} greedy tokens of mistral.rs are candle's.\n",
        fidelity.cosine, fidelity.least, fidelity.equal, fidelity.tokens
    ));
    let refinement = fs::read_to_string(run.file("refinement.txt")).unwrap_or_default();
    if !refinement.is_empty() {
        text.push_str(&format!("\n## Refinement\n\n```\n{}\n```\n", refinement.trim_end()));
    }
    Ok(text)
}

fn digest(path: &Path) -> Result<String, AppError> {
    let text = fs::read_to_string(path).map_err(|error| AppError::reading(path, &error))?;
    Ok(models_candle::vectors::digest(&text))
}
