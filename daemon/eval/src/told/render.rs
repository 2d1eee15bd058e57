//! What figures look like (pure): Markdown whose tables are as readable in a terminal.

use std::ffi::OsString;
use std::ops::Range;

use models::column::Column;
use tui_text::{bytes, grouped, harmless};

use crate::effort::Effort;
use crate::measured::{Measured, Settings};
use crate::sections::Size;
use crate::{Encoding, Summary};

/// Where there is no figure.
const NONE: &str = "–";

/// `fore eval ...` as a shell takes it.
pub fn command_line(words: impl Iterator<Item = OsString>) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,+:@%".contains(c);
    let quoted = words.map(|word| {
        let word = word.to_string_lossy().into_owned();
        match !word.is_empty() && word.chars().all(plain) {
            true => word,
            false => format!("'{}'", word.replace('\'', r"'\''")),
        }
    });
    std::iter::once("fore".to_owned()).chain(quoted).collect::<Vec<_>>().join(" ")
}

/// What was run, and how to read the tables.
pub fn head(settings: &Settings) -> String {
    let Settings { command, sampling, reading, chunked, .. } = settings;
    let documents = match chunked {
        true => "Documents are cut into passages as files are.",
        false => {
            "A document is one passage; vectors are of as many of its tokens as the model reads."
        }
    };
    format!(
        "# Evaluation\n\n```sh\n{}\n```\n\n\
         - {documents} A ranking is the documents of the 100 best passages of each search; MAP and \
         Recall@100 see no further.\n\
         - Thoughts: `+sampled` is k = {} at temperature {}, top-p {}, at most {} tokens each, seed \
         {}; `+grounded` is the same after the best sentences of the search without thought; \
         `+greedy` is one at temperature 0. Words are those of the question, except in \
         `bm25+…`.\n\
         - `+read` reads the first {} passages, {} tokens of each, before it ranks them; what is \
         thought after that is grounded in what reading put first. Two controls think nothing: \
         `+quoted` takes those sentences themselves for the thought, `+rocchio` adds the vectors of \
         their passages.\n\
         - Δ is the mean difference over queries with its 95 % interval (paired bootstrap); `*` marks \
         an interval without 0. Wins, ties and losses count queries.\n\
         - cos compares the query's vector with and without thoughts. Times are milliseconds, \
         median / 95th percentile; a remembered thought counts with the time it once took.\n",
        harmless(command),
        sampling.thoughts,
        sampling.temperature,
        sampling.top_p,
        sampling.tokens_max,
        sampling.seed,
        reading.passages,
        reading.window,
    )
}

/// The table of one section and what it cost.
pub fn section(measured: &Measured, settings: &Settings) -> String {
    let mut text = format!(
        "\n## {}\n\n{}\n\n{}\n",
        title(measured),
        size_line(measured.size, settings.seed),
        figures(&measured.summaries, measured.baseline)
    );
    for (encoding, effort) in &measured.encodings {
        text.push_str(&encoding_line(encoding, *effort));
    }
    text.push_str(&format!("- peak memory so far: {}\n", bytes(measured.memory_peak)));
    text
}

/// nDCG@10 of all collections side by side; nothing for a single one.
pub fn overview(all: &[Measured]) -> String {
    [false, true]
        .into_iter()
        .map(|full| {
            let look: Vec<&Measured> = all.iter().filter(|one| one.full == full).collect();
            let heading = match full {
                true => "## nDCG@10, all queries and documents",
                false if look.iter().any(|one| one.size.sampled()) => {
                    "## nDCG@10, as sampled above"
                }
                false => "## nDCG@10",
            };
            match look.len() {
                0 | 1 => String::new(),
                _ => format!("\n{heading}\n\n{}", side_by_side(&look)),
            }
        })
        .collect()
}

/// A Markdown table. The columns in `numbers` stand to the right, the others to the left.
pub fn table(head: &[String], numbers: Range<usize>, rows: &[Vec<String>]) -> String {
    let all: Vec<Vec<String>> =
        std::iter::once(head).chain(rows.iter().map(Vec::as_slice)).map(cells).collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|at| all.iter().map(|row| row[at].chars().count()).max().unwrap_or(0).max(3))
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(at, (cell, &width))| match numbers.contains(&at) {
            true => format!(" {cell:>width$} |"),
            false => format!(" {cell:<width$} |"),
        });
        format!("|{}\n", cells.collect::<String>())
    };
    let rule = widths.iter().enumerate().map(|(at, width)| match numbers.contains(&at) {
        true => format!(" {}: |", "-".repeat(width - 1)),
        false => format!(" {} |", "-".repeat(*width)),
    });
    let rule = format!("|{}\n", rule.collect::<String>());
    let body: String = all[1..].iter().map(line).collect();
    format!("{}{rule}{body}", line(&all[0]))
}

/// Text that cannot break out of its cell, nor drive the terminal.
fn cells(row: &[String]) -> Vec<String> {
    row.iter().map(|cell| harmless(cell).replace(['\n', '\t'], " ").replace('|', r"\|")).collect()
}

/// A rank, from 1.
pub fn rank(rank: Option<usize>) -> String {
    rank.map_or_else(|| NONE.to_owned(), |rank| rank.to_string())
}

fn title(measured: &Measured) -> String {
    let suffix = if measured.full { ", all of it" } else { "" };
    format!("{}{suffix}", harmless(&measured.name))
}

/// `100 of 300 queries, 1,500 of 5,183 documents, seed 0`.
fn size_line(size: Size, seed: u64) -> String {
    let part = |some: usize, all: usize, one: &str, many: &str| {
        let things = if all == 1 { one } else { many };
        match some == all {
            true => format!("{} {things}", grouped(all)),
            false => format!("{} of {} {things}", grouped(some), grouped(all)),
        }
    };
    let queries = part(size.queries, size.queries_all, "query", "queries");
    let documents = part(size.documents, size.documents_all, "document", "documents");
    let seed = if size.sampled() { format!(", seed {seed}") } else { String::new() };
    format!("{queries}, {documents}{seed}")
}

fn figures(summaries: &[Summary], baseline: Column) -> String {
    let against = format!("Δ nDCG@10 vs {baseline} [95 %]");
    let head = [
        "column",
        "nDCG@10",
        "MRR@10",
        "Recall@10",
        "Recall@100",
        "MAP",
        &against,
        "wins/ties/losses",
        "cos",
        "thought tokens",
        "read ms",
        "think ms",
        "embed ms",
        "search ms",
    ];
    let best = summaries.iter().map(|one| one.scores.ndcg_10).fold(0.0, f64::max);
    let rows: Vec<Vec<String>> = summaries.iter().map(|one| row(one, best)).collect();
    table(&head.map(str::to_owned), 1..head.len(), &rows)
}

fn row(summary: &Summary, best: f64) -> Vec<String> {
    let scores = &summary.scores;
    let (difference, counts) = match &summary.against {
        None => (NONE.to_owned(), NONE.to_owned()),
        Some(against) => {
            let mark = if against.significant() { " *" } else { "" };
            let (mean, low, high) = (against.mean, against.low, against.high);
            (
                format!("{mean:+.3} [{low:+.3}, {high:+.3}]{mark}"),
                format!("{}/{}/{}", against.wins, against.ties, against.losses),
            )
        }
    };
    let tokens = match summary.thought_tokens {
        0.0 => NONE.to_owned(),
        tokens => format!("{tokens:.1}"),
    };
    vec![
        summary.column.to_string(),
        emphasised(scores.ndcg_10, best),
        figure(scores.mrr_10),
        figure(scores.recall_10),
        figure(scores.recall_100),
        figure(scores.map),
        difference,
        counts,
        summary.cosine.map_or_else(|| NONE.to_owned(), figure),
        tokens,
        times(summary.read_ms),
        times(summary.think_ms),
        times(summary.embed_ms),
        times(summary.search_ms),
    ]
}

fn side_by_side(all: &[&Measured]) -> String {
    let mut columns: Vec<Column> = Vec::new();
    for summary in all.iter().flat_map(|one| &one.summaries) {
        if !columns.contains(&summary.column) {
            columns.push(summary.column);
        }
    }
    let of = |measured: &Measured, column: Column| {
        let found = measured.summaries.iter().find(|summary| summary.column == column);
        found.map(|summary| summary.scores.ndcg_10)
    };
    // By column: its figure in every collection, and the mean if it has them all.
    let figures: Vec<Vec<Option<f64>>> = columns
        .iter()
        .map(|column| {
            let mut row: Vec<Option<f64>> = all.iter().map(|one| of(one, *column)).collect();
            let sum: Option<f64> = row.iter().copied().sum();
            row.push(sum.map(|sum| sum / all.len() as f64));
            row
        })
        .collect();
    let best = |at: usize| figures.iter().filter_map(|row| row[at]).fold(0.0, f64::max);
    let rows: Vec<Vec<String>> = columns
        .iter()
        .zip(&figures)
        .map(|(column, row)| {
            let cells = row.iter().enumerate().map(|(at, value)| {
                value.map_or_else(|| NONE.to_owned(), |value| emphasised(value, best(at)))
            });
            std::iter::once(column.to_string()).chain(cells).collect()
        })
        .collect();
    let names = all.iter().map(|one| one.name.clone());
    let head: Vec<String> = std::iter::once("column".to_owned())
        .chain(names)
        .chain(std::iter::once("mean".to_owned()))
        .collect();
    table(&head, 1..head.len(), &rows)
}

/// What the documents took, in a line.
fn encoding_line(encoding: &Encoding, effort: Effort) -> String {
    let Encoding { model, fingerprint, device, documents, passages, encoded, .. } = encoding;
    let cached = if *encoded == 0 { "; all cached" } else { "" };
    let work = match effort.passages {
        0 => cached.to_owned(),
        passages => format!(
            "; {} encoded in {:.1} s, {} tokens/s{cached}",
            grouped(passages),
            effort.seconds,
            grouped(effort.tokens_per_second() as usize)
        ),
    };
    format!(
        "- {} ({fingerprint}, {}): {} passages of {} documents{work}\n",
        harmless(model),
        harmless(device),
        grouped(*passages),
        grouped(*documents)
    )
}

/// Bold if it is shown like the best.
fn emphasised(value: f64, best: f64) -> String {
    let shown = figure(value);
    if shown == figure(best) { format!("**{shown}**") } else { shown }
}

fn figure(value: f64) -> String {
    format!("{value:.3}")
}

/// `median / 95th percentile`.
fn times((median, most): (f64, f64)) -> String {
    let one = |ms: f64| match ms < 10.0 {
        true => format!("{ms:.1}"),
        false => grouped(ms.round() as usize),
    };
    if most == 0.0 { NONE.to_owned() } else { format!("{} / {}", one(median), one(most)) }
}
