//! Why the selected result stands where it does, stage by stage. Pure; knows no styles.

use daemon_protocol::{Hit, Ranks, Scores};

use crate::layout;
use crate::model::{Model, Moved, Row};
use tui_text as text;

/// Cells of what a row is about, the gap included.
pub(crate) const LABEL_CELLS: usize = 10;

/// What is to be seen of a row first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Bad,
}

/// A row of the explanation: what it is about, on the first of several; and what is said of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) about: &'static str,
    pub(crate) said: String,
    pub(crate) tone: Tone,
}

/// All of it for the selected result, in rows of `width` cells.
pub(crate) fn rows(model: &Model, width: usize) -> Vec<Told> {
    let Some(row) = model.rows.get(model.selected) else { return Vec::new() };
    let room = width.saturating_sub(LABEL_CELLS).max(1);
    let mut rows = Vec::new();
    for (about, said, tone) in facts(model, row) {
        let wrapped = text::wrap(&text::cells(&said).replace('\n', " "), room);
        for (index, said) in wrapped.into_iter().enumerate() {
            rows.push(Told { about: if index == 0 { about } else { "" }, said, tone });
        }
    }
    rows
}

/// How many rows can be above what is shown.
pub(crate) fn last_top(model: &Model) -> usize {
    let (width, height) = layout::explain_size(model);
    rows(model, width).len().saturating_sub(height)
}

fn facts(model: &Model, row: &Row) -> Vec<(&'static str, String, Tone)> {
    let hit = &row.hit;
    let (at, count) = (model.selected + 1, model.rows.len());
    let mut facts = vec![("rank", format!("{at} of {count}{}", moved(row)), Tone::Plain)];
    if let Some(right) = hit.marked {
        let (said, tone) = if right { ("right", Tone::Good) } else { ("wrong", Tone::Bad) };
        facts.push(("marked", format!("as {said} for this question"), tone));
    }
    words(hit, &mut facts);
    vectors(hit, &mut facts);
    let Hit { ranks, scores, reading, .. } = hit;
    if let (Some(rank), Some(score)) = (ranks.fused, scores.fused) {
        let draft = ranks.draft.zip(scores.draft).filter(|_| ranks.bare.is_some());
        let draft = draft.map_or_else(String::new, |(rank, score)| {
            format!("; in the draft rank {rank} · {score:.3}")
        });
        facts.push(("both", format!("rank {rank} · {score:.3}{draft}"), Tone::Plain));
    }
    let read = match reading {
        Some(0.0) => Some(("the question is likeliest after this passage".to_owned(), Tone::Good)),
        Some(reading) => {
            Some((format!("{reading:.2} nats against the best that was read"), Tone::Plain))
        }
        None if model.rows.iter().any(|row| row.hit.reading.is_some()) => {
            Some(("not read: it comes behind what was".to_owned(), Tone::Plain))
        }
        None => None,
    };
    if let Some((said, tone)) = read {
        let before = ranks.read.map_or_else(String::new, |rank| format!("; rank {rank} by then"));
        facts.push(("reading", format!("{said}{before}"), tone));
    }
    facts.push(("score", format!("{:.3}", hit.score), Tone::Plain));
    if !hit.also.is_empty() {
        let count = text::counted(hit.also.len(), "other document");
        facts.push(("also in", format!("{count}, nearly word for word:"), Tone::Plain));
        let home = model.settings.home.as_deref();
        let paths = hit.also.iter().map(|path| text::short_path(path, &model.settings.cwd, home));
        facts.extend(paths.map(|path| ("", path, Tone::Plain)));
    }
    facts
}

/// Where reading and thinking moved it, as a part of a sentence.
fn moved(row: &Row) -> String {
    let from = row.hit.ranks.draft;
    match (row.moved, from) {
        (Moved::Up(by), Some(from)) => format!(", up {by} from {from} in the draft"),
        (Moved::Down(by), Some(from)) => format!(", down {by} from {from} in the draft"),
        (Moved::Kept, _) => ", as in the draft".to_owned(),
        (Moved::New, _) => ", and not in the draft".to_owned(),
        (Moved::To(rank), _) => format!(" in the draft, {rank} at last"),
        (Moved::Gone, _) => " in the draft, and not among the results at last".to_owned(),
        _ => String::new(),
    }
}

fn words(hit: &Hit, facts: &mut Vec<(&'static str, String, Tone)>) {
    let (Ranks { text: rank, .. }, Scores { text: score, .. }) = (&hit.ranks, &hit.scores);
    match (rank, score) {
        (Some(rank), Some(score)) => {
            facts.push(("words", format!("rank {rank} · BM25 {score:.2}"), Tone::Plain));
        }
        (Some(rank), None) => facts.push(("words", format!("rank {rank}"), Tone::Plain)),
        (None, _) => facts.push(("words", "not among the first by words".to_owned(), Tone::Plain)),
    }
    if !hit.words.is_empty() {
        facts.push(("", format!("has {}", hit.words.join(", ")), Tone::Good));
    }
    if !hit.missing.is_empty() {
        facts.push(("", format!("lacks {}", hit.missing.join(", ")), Tone::Bad));
    }
}

fn vectors(hit: &Hit, facts: &mut Vec<(&'static str, String, Tone)>) {
    let said = |rank: Option<usize>, cosine: Option<f32>| match (rank, cosine) {
        (Some(rank), Some(cosine)) => format!("rank {rank} · cosine {cosine:.3}"),
        (Some(rank), None) => format!("rank {rank}"),
        (None, _) => "not among the first by meaning".to_owned(),
    };
    let Hit { ranks, scores, .. } = hit;
    let with = said(ranks.vector, scores.vector);
    // In a ranking after thoughts, who has no bare rank was not near the bare question.
    if ranks.bare.is_some() || ranks.read.is_some() {
        facts.push(("meaning", said(ranks.bare, scores.bare), Tone::Plain));
        facts.push(("thought", with, Tone::Plain));
    } else {
        facts.push(("meaning", with, Tone::Plain));
    }
}
