//! What a run came to: base and adapter become one model file, which is checked, measured against
//! the old model on the held-out questions with everything that serves users, and promoted only if
//! the difference is no accident.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::Path;

use models::beir::{Collection, Entry, Grades, Query};
use models::column::{Column, Search, Thinking};
use models::paired::{self, Comparison};
use models::{Sampling, schedule};
use models_candle::train::adapter::Adapter;
use models_candle::train::merge::{self, Fidelity, Named};
use serde::Deserialize;
use serde_json::json;

use crate::Split;
use crate::error::TrainError;
use crate::files::ADAPTER;
use crate::inputs::{Inputs, Row};
use crate::knobs::Knobs;
use crate::run::Run;
use crate::world::Exam;

const MANIFEST: &str = "manifest.json";
const REPORT: &str = "report.md";
/// Hidden states of the merged file may differ from base and adapter by rounding to 8 bits.
const COSINE_MIN: f32 = 0.999;
/// Passages that the held-out questions are answered among; a model reads that many in five minutes
/// on two cores.
const JUDGED_PASSAGES_MAX: usize = 4_000;
/// Fewest files (or passages, where rows came without a file) that the judged questions must be about
/// for a promotion: an interval of fewer is no 95 % interval.
const ORIGINS_MIN: usize = 10;
/// Texts that the check compares on.
const CHECKED_TEXTS: usize = 8;

/// What a complete run found out.
pub(crate) struct Verdict {
    /// Why it is not to be used; nothing if it is.
    pub(crate) objection: Option<String>,
    /// For people, in Markdown.
    pub(crate) report: String,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    objection: Option<String>,
}

impl Verdict {
    /// That of a run that is complete.
    pub(crate) fn read(run: &Run) -> Result<Option<Verdict>, TrainError> {
        let path = run.file(MANIFEST);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).map_err(|error| TrainError::reading(&path, &error))?;
        let Outcome { objection } = serde_json::from_str(&text)
            .map_err(|error| TrainError::new(format!("{}: {error}", path.display())))?;
        let path = run.file(REPORT);
        let report =
            fs::read_to_string(&path).map_err(|error| TrainError::reading(&path, &error))?;
        Ok(Some(Verdict { objection, report: report.trim_end().to_owned() }))
    }
}

/// Merges, checks, measures and writes the report and the manifest, which completes the run.
pub(crate) fn judge(
    run: &Run,
    args: &Knobs,
    inputs: &Inputs,
    split: &Split,
) -> Result<Verdict, TrainError> {
    let adapter = Adapter::read(&run.file(ADAPTER))?;
    let taught = split.train.iter().any(|row| !row.pair.thought.is_empty());
    let thinks = adapter.about.recipe.lambda < 1.0 && (taught || args.learning.adapter.is_some());
    let fidelity = merged(run, args, &adapter, split, thinks)?;
    run.world.stop.check()?;
    let collection = held_out(inputs, &split.held_out, args.judging.judged);
    let model = run.model();
    let (was, thinking) = (thinking(run, &run.base)?, thinking(run, &model)?);
    // What was not trained cannot be better.
    let embeds = args.learning.steps != Some(0) || args.learning.token_table > 0;
    let trained = |thinking| match embeds {
        true => Column::own(Search::Dense, thinking),
        false => Column::own(Search::Hybrid, Thinking::None).reading(),
    };
    let gate = |thinking| args.judging.gate.unwrap_or(trained(thinking));
    let (before, after) = (columns(was, gate(was)), columns(thinking, gate(thinking)));
    let old = measure(run, args, (&run.base, &before), &collection, "measuring the old model")?;
    let new = measure(run, args, (&model, &after), &collection, "measuring the new model")?;
    let groups = groups(split, args);
    let rows = compare((&before, &old), (&after, &new), &groups, args.seed);
    let (gate, served) = (gate(thinking), Column::own(Search::Hybrid, thinking).reading());
    let objection = objection(&rows, &groups, gate, served);
    let report = text(run, args, split, &fidelity, &rows, (gate, objection.as_deref()))?;
    run.write(REPORT, &report)?;
    let figures: BTreeMap<String, serde_json::Value> = rows
        .iter()
        .map(|row| {
            (row.column.to_string(), json!({"old": row.old, "new": row.new, "change": row.change}))
        })
        .collect();
    let manifest = json!({
        "objection": objection,
        "run": run.name,
        "version": run.world.version,
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
    Ok(Verdict { objection, report: report.trim_end().to_owned() })
}

/// Why the new model is not to be used, if so. What training changes, vectors and thoughts or, where only
/// that was trained, reading, has to be better; what users get, words and reading with it, must not be
/// worse. That alone to be better would be
/// too much to ask: made-up questions have the words of their passage, so words find nearly all of them.
fn objection(rows: &[Change], groups: &[usize], gate: Column, served: Column) -> Option<String> {
    let change = |column| rows.iter().find(|row| row.column == column).map(|row| &row.change);
    if !is_enough(groups) {
        return Some(format!("the questions are about fewer than {ORIGINS_MIN} texts"));
    }
    if change(gate).is_none_or(|change| change.low <= 0.0) {
        return Some(format!("{gate} was not shown to improve"));
    }
    change(served).is_none_or(|change| change.high < 0.0).then(|| format!("{served} is worse"))
}

/// Makes the model file, unless it is there, and checks it. As few layers as its states stand have 16
/// bits, the others 8.
fn merged(
    run: &Run,
    args: &Knobs,
    adapter: &Adapter,
    split: &Split,
    thinks: bool,
) -> Result<Fidelity, TrainError> {
    let texts: Vec<&str> =
        split.held_out.iter().take(CHECKED_TEXTS).map(|row| row.pair.query.as_str()).collect();
    let mut cosine = 0.0;
    // Vectors are read from the lower layers; the upper ones only think.
    let base = models_candle::gguf::open(&run.base)?.meta;
    let found = |row: &Row| !row.pair.thought.is_empty() && !row.pair.context.is_empty();
    let learnt = adapter.about.recipe.grounded > 0.0
        && (args.learning.adapter.is_some() || split.train.iter().any(found));
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
            run.world.stop.check()?;
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
    Err(TrainError::new(format!(
        "{}: its states are not those that were trained: cosine {cosine:.4} with base and adapter",
        run.model().display()
    ))
    .hint("train with a lower --rate, and begin again: --fresh"))
}

/// How `model` thinks for those who use it.
fn thinking(run: &Run, model: &Path) -> Result<Thinking, TrainError> {
    let trained = models_candle::gguf::open(model)?.meta.grounded;
    let grounded = run.world.grounded.unwrap_or(trained);
    Ok(if grounded { Thinking::Grounded } else { Thinking::Sampled })
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

fn columns(thinking: Thinking, gate: Column) -> Vec<Column> {
    let mut columns = vec![
        Column::own(Search::Bm25, Thinking::None),
        Column::own(Search::Dense, Thinking::None),
        Column::own(Search::Dense, thinking),
        Column::own(Search::Hybrid, Thinking::None),
        Column::own(Search::Hybrid, Thinking::None).reading(),
        Column::own(Search::Hybrid, thinking).reading(),
    ];
    if !columns.contains(&gate) {
        columns.push(gate);
    }
    columns
}

/// nDCG@10 by column and query.
type Figures = Vec<Vec<f64>>;

fn measure(
    run: &Run,
    args: &Knobs,
    (model, columns): (&Path, &[Column]),
    collection: &Collection,
    stage: &str,
) -> Result<Figures, TrainError> {
    let exam = Exam {
        model,
        columns,
        collection,
        sampling: Sampling { seed: args.seed, ..run.world.sampling.clone() },
        index: run.file("eval"),
        thoughts: run.file("thoughts"),
    };
    let mut progress = |what: &str, done: usize, total: usize| {
        run.progress(&format!("{stage}: {what}"), done, total);
    };
    run.world.service.examine(&exam, &run.world.stop, &mut progress)
}

/// By judged question: the number of its origin, in the order in which they first come.
pub(crate) fn groups(split: &Split, args: &Knobs) -> Vec<usize> {
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut groups = Vec::new();
    for row in split.held_out.iter().take(args.judging.judged) {
        let next = known.len();
        groups.push(*known.entry(&row.origin).or_insert(next));
    }
    groups
}

/// Whether questions of these [`groups`] can show that a model is better.
pub(crate) fn is_enough(groups: &[usize]) -> bool {
    groups.iter().max().is_some_and(|last| last + 1 >= ORIGINS_MIN)
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

fn compare(
    (before, old): (&[Column], &Figures),
    (after, new): (&[Column], &Figures),
    groups: &[usize],
    seed: u64,
) -> Vec<Change> {
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len().max(1) as f64;
    type Of<'a> = (&'a Column, &'a Vec<f64>);
    let change = |((was, old), (column, new)): (Of<'_>, Of<'_>)| {
        let change = paired::compare_groups(new, old, groups, seed);
        Change { was: *was, column: *column, old: mean(old), new: mean(new), change }
    };
    before.iter().zip(old).zip(after.iter().zip(new)).map(change).collect()
}

fn text(
    run: &Run,
    args: &Knobs,
    split: &Split,
    fidelity: &Fidelity,
    rows: &[Change],
    (gate, objection): (Column, Option<&str>),
) -> Result<String, TrainError> {
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
    let verdict = match objection {
        None => format!("{gate} is better: the new model may be used"),
        Some(objection) => format!("Not to be used: {objection}"),
    };
    text.push_str(&format!("\n{verdict}.\n"));
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

fn digest(path: &Path) -> Result<String, TrainError> {
    let text = fs::read_to_string(path).map_err(|error| TrainError::reading(path, &error))?;
    Ok(models_candle::vectors::digest(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_has_to_be_better_and_what_is_served_no_worse() {
        let (gate, served) = ("dense+sampled", "hybrid+read+sampled");
        let row = |name: &str, low: f64, high: f64| {
            let column = name.parse().unwrap();
            let change = Comparison { low, high, ..Comparison::default() };
            Change { was: column, column, old: 0.0, new: 0.0, change }
        };
        let enough: Vec<usize> = (0..ORIGINS_MIN).collect();
        type Case<'a> = (&'a [usize], (f64, f64), (f64, f64), Option<&'a str>);
        let cases: [Case<'_>; 5] = [
            (&enough, (0.01, 0.2), (-0.1, 0.1), None),
            (&enough, (0.0, 0.2), (0.1, 0.2), Some("dense+sampled was not shown")),
            (&enough, (0.01, 0.2), (-0.2, -0.01), Some("hybrid+read+sampled is worse")),
            (&enough[1..], (0.01, 0.2), (-0.1, 0.1), None),
            (&enough[..ORIGINS_MIN - 1], (0.01, 0.2), (-0.1, 0.1), Some("fewer than 10")),
        ];
        for (groups, of_gate, of_served, expected) in cases {
            let rows = [row(gate, of_gate.0, of_gate.1), row(served, of_served.0, of_served.1)];
            let found = objection(&rows, groups, gate.parse().unwrap(), served.parse().unwrap());
            let said = found.as_deref().unwrap_or("nothing");
            assert!(said.contains(expected.unwrap_or("nothing")), "{said}");
        }
    }
}
