//! The ranking: what it is made of, what of it is selected, and what is done with that.

use daemon_protocol::{Hit, Place, Request, Stage};

use crate::layout;
use crate::message::Command;
use crate::model::{Answer, Model, Moved, Notice, Row};
use crate::preview::{Passage, Preview};
use tui_text as text;

/// The hits of question number `id`, after `stage`.
pub(super) fn rank(model: &mut Model, id: u64, stage: Stage, hits: Vec<Hit>) -> Vec<Command> {
    let Some(asking) = model.running(id) else { return Vec::new() };
    let first = asking.stage.is_none();
    let moves = !first && stage != Stage::Draft;
    asking.stage = Some(stage);
    // What is selected is a passage: Enter opens what the person saw there before the rows moved. Only
    // another question begins with its best.
    let selected = model.selected_hit().filter(|_| !first || model.touched).map(Passage::of);
    let row = |(index, hit): (usize, Hit)| {
        let moved = match (moves, hit.ranks.draft) {
            (false, _) => Moved::Unknown,
            (true, None) => Moved::New,
            (true, Some(draft)) if draft > index + 1 => Moved::Up(draft - index - 1),
            (true, Some(draft)) if draft < index + 1 => Moved::Down(index + 1 - draft),
            (true, Some(_)) => Moved::Kept,
        };
        Row::new(hit, moved)
    };
    let rows: Vec<Row> = hits.into_iter().enumerate().map(row).collect();
    if model.before && moves {
        // The person looks at the draft, and goes on doing so.
        model.aside = rows;
        foretell(&mut model.rows, &model.aside);
        return Vec::new();
    }
    if first {
        model.aside.clear();
        model.before = false;
    } else if model.aside.is_empty() {
        // What was on the screen is the draft.
        model.aside = std::mem::take(&mut model.rows);
    }
    model.rows = rows;
    foretell(&mut model.aside, &model.rows);
    words(model);
    select(model, selected.as_ref());
    model.touched &= !first || selected.is_some();
    want_preview(model)
}

/// Takes what is shown off the screen, to be shown again.
pub(super) fn lay_aside(model: &mut Model) -> Answer {
    Answer {
        asking: model.asking.take(),
        rows: std::mem::take(&mut model.rows),
        aside: std::mem::take(&mut model.aside),
        before: std::mem::take(&mut model.before),
        selected: model.selected,
    }
}

/// Shows `answer` again.
pub(super) fn lay_back(model: &mut Model, answer: Answer) -> Vec<Command> {
    let Answer { asking, rows, aside, before, selected } = answer;
    (model.asking, model.rows, model.aside) = (asking, rows, aside);
    (model.before, model.selected) = (before, selected);
    words(model);
    want_preview(model)
}

/// Where the rows of a draft have gone.
fn foretell(draft: &mut [Row], ranked: &[Row]) {
    for (index, row) in draft.iter_mut().enumerate() {
        let passage = Passage::of(&row.hit);
        row.moved = match ranked.iter().position(|other| Passage::of(&other.hit) == passage) {
            None => Moved::Gone,
            Some(at) if at == index => Moved::Kept,
            Some(at) => Moved::To(at + 1),
        };
    }
}

/// Selects `passage`, or the best if it is not there any more.
fn select(model: &mut Model, passage: Option<&Passage>) {
    let found = model.rows.iter().position(|row| passage == Some(&Passage::of(&row.hit)));
    model.selected = found.unwrap_or(0);
}

/// The ranking before reading and thinking in place of the one after, or back. The passage that is selected
/// stays so.
pub(super) fn before(model: &mut Model) -> Vec<Command> {
    if model.aside.is_empty() {
        model.notice = Some(Notice::note("there is one ranking so far"));
        return Vec::new();
    }
    let selected = model.selected_hit().map(Passage::of);
    std::mem::swap(&mut model.rows, &mut model.aside);
    model.before = !model.before;
    select(model, selected.as_ref());
    want_preview(model)
}

/// The words that the hits were found by: what their snippets mark.
pub(super) fn words(model: &mut Model) {
    let marked = model.rows.iter().flat_map(|row| {
        let snippet = row.hit.snippet.as_str();
        row.hit.highlights.iter().filter_map(move |&(from, to)| snippet.get(from..to))
    });
    model.words = marked.flat_map(text::words).map(|(_, word)| word.to_lowercase()).collect();
}

pub(super) fn step(model: &mut Model, by: isize) -> Vec<Command> {
    let last = model.rows.len().saturating_sub(1);
    to(model, model.selected.saturating_add_signed(by).min(last))
}

/// To the first or the last result.
pub(super) fn go(model: &mut Model, last: bool) -> Vec<Command> {
    to(model, if last { model.rows.len().saturating_sub(1) } else { 0 })
}

/// To the result in row `index`.
pub(super) fn to(model: &mut Model, index: usize) -> Vec<Command> {
    model.selected = index;
    model.touched = true;
    want_preview(model)
}

/// To the next passage of the same document, in its order, or the one before; round at its ends.
pub(super) fn step_here(model: &mut Model, forward: bool) -> Vec<Command> {
    let Some(hit) = model.selected_hit() else { return Vec::new() };
    let (path, start) = (hit.path.clone(), hit.byte_start);
    let same = |(_, row): &(usize, &Row)| row.hit.path == path;
    let mut here: Vec<(usize, usize)> = model
        .rows
        .iter()
        .enumerate()
        .filter(same)
        .map(|(index, row)| (row.hit.byte_start, index))
        .collect();
    here.sort_unstable();
    let count = here.len();
    let at = here.iter().position(|(other, _)| *other == start).unwrap_or(0);
    let next = if forward { (at + 1) % count } else { (at + count - 1) % count };
    model.notice = Some(Notice::note(match count {
        1 => "of this document there is no other passage among the results".to_owned(),
        _ => format!("passage {} of {count} that were found in this document", next + 1),
    }));
    to(model, here[next].1)
}

/// Shows the selection, and as much below it as there is.
pub(super) fn settle(model: &mut Model) {
    let fitting = layout::results_seen(model);
    let below = (model.selected + 1).saturating_sub(fitting);
    let last = model.rows.len().saturating_sub(fitting);
    model.top = model.top.min(last).clamp(below, model.selected.max(below));
}

/// Opens the selected passage.
pub(super) fn open(model: &mut Model) -> Vec<Command> {
    let Some(hit) = model.selected_hit() else {
        return Vec::new();
    };
    if hit.converted {
        let path = hit.path.clone();
        let page = match hit.place {
            Some(Place::Page(page)) => Some(page),
            _ => None,
        };
        model.notice = Some(Notice::note("opened beside this".to_owned()));
        return vec![Command::View { path, page }];
    }
    let shown = model.preview.as_ref().filter(|preview| preview.passage == Passage::of(hit));
    let line = shown.and_then(|preview| preview.moved_to).unwrap_or(hit.line);
    vec![Command::Open { path: hit.path.clone(), line }]
}

pub(super) fn copy(model: &mut Model) -> Vec<Command> {
    let Some(hit) = model.selected_hit() else {
        return Vec::new();
    };
    let place = hit.located(&hit.path);
    let short = text::short_path(&place, &model.settings.cwd, model.settings.home.as_deref());
    model.notice = Some(Notice::note(format!("copied {short}")));
    vec![Command::Copy(place)]
}

/// The passage as Markdown quotes one, with where it is from.
pub(super) fn quote(model: &mut Model) -> Vec<Command> {
    let Some(hit) = model.selected_hit() else {
        return Vec::new();
    };
    let shown = model.preview.as_ref().filter(|preview| preview.passage == Passage::of(hit));
    let passage = shown.map_or_else(|| hit.snippet.clone(), Preview::passage_text);
    let quoted = passage.trim().lines().map(|line| format!("> {}", line.trim_end()));
    let quoted: Vec<String> = quoted.map(|line| line.trim_end().to_owned()).collect();
    let quoted = format!("{}\n>\n> — `{}`\n", quoted.join("\n"), hit.located(&hit.path));
    model.notice = Some(Notice::note("copied the passage as a quotation"));
    vec![Command::Copy(quoted)]
}

/// Asks for the selected hit's preview unless it is the one already asked for.
pub(super) fn want_preview(model: &mut Model) -> Vec<Command> {
    let Some(hit) = model.selected_hit().cloned() else {
        model.wanted = None;
        model.preview = None;
        return Vec::new();
    };
    let passage = Passage::of(&hit);
    if model.wanted.as_ref() == Some(&passage) {
        return Vec::new();
    }
    let (path, byte_start) = (passage.path.clone(), passage.byte_start);
    model.wanted = Some(passage);
    model.reading = None;
    // Until the file is read, the passage before stays on the screen, or else the snippet.
    model.preview.get_or_insert_with(|| Preview::of_snippet(&hit, None));
    if hit.converted {
        // What was read from the file is in the index alone.
        model.preview = Some(Preview::of_snippet(&hit, None));
        let id = model.next_id;
        model.next_id += 1;
        model.reading = Some(id);
        return vec![Command::Send(Request::Read { id, path, byte_start })];
    }
    vec![Command::Preview(Box::new(hit))]
}
