//! What thoughts moved, for one query (pure): its thoughts, the first documents with and without
//! them, and every rank of those.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use models::UserError;
use models::beir::Grades;
use models::column::Column;
use tui_text::{harmless, one_line};

use super::render::{rank, table};
use crate::sections::Section;
use crate::{QueryReport, Report};

/// Documents of each ranking that are told of: what a person looks at.
const SHOWN: usize = 10;
/// Characters of a title that are shown.
const TITLE_CHARS: usize = 40;
/// Ids that a message gives as examples.
const EXAMPLES: usize = 3;

const WORDS: &str = "bm25";
const VECTOR: &str = "dense";
const VECTOR_THOUGHT: &str = "dense+sampled";
const BOTH: &str = "hybrid";
const BOTH_THOUGHT: &str = "hybrid+sampled";

/// Columns that an explanation tells of, whatever else is measured.
pub fn needed() -> impl Iterator<Item = Column> {
    let names = [WORDS, VECTOR, VECTOR_THOUGHT, BOTH, BOTH_THOUGHT];
    Column::all().into_iter().filter(move |column| names.contains(&column.name()))
}

/// Leaves only the query `id` to be asked, of the one collection there is.
///
/// # Errors
/// If there are several collections, or the query is not asked in it.
pub fn narrow(sections: &mut [Section], id: &str) -> Result<(), UserError> {
    let [section] = sections else {
        return Err(UserError::new("a query is explained in one collection")
            .hint("name only the collection that the query is of"));
    };
    let queries = &mut section.collection.queries;
    if queries.iter().any(|query| query.id == id) {
        queries.retain(|query| query.id == id);
        return Ok(());
    }
    let examples: Vec<&str> =
        queries.iter().take(EXAMPLES).map(|query| query.id.as_str()).collect();
    let examples = harmless(&examples.join(", "));
    let error = UserError::new(format!("{} has no judged query {id}", section.name))
        .hint(format!("ids look like {examples}"));
    Err(match section.size.queries < section.size.queries_all {
        true => error.hint("only a sample is asked: leave out --limit-queries"),
        false => error,
    })
}

/// The whole explanation of the first query of `report`, which is the only one.
pub fn text(section: &Section, report: &Report) -> String {
    let Some(query) = report.queries.first() else { return String::new() };
    let none = Grades::new();
    let grades = section.collection.qrels.get(&query.id).unwrap_or(&none);
    let title = |id: &str| {
        let found = section.collection.documents.iter().find(|document| document.id == id);
        found.map(|document| document.title.chars().take(TITLE_CHARS).collect::<String>())
    };
    format!(
        "## {}, query {}\n\n{}\n\n{}{}\n{}\n{}",
        harmless(&section.name),
        harmless(&query.id),
        one_line(&query.text),
        thoughts(query),
        judged(grades),
        firsts(query),
        documents(query, grades, &|id| title(id).unwrap_or_default()),
    )
}

fn thoughts(query: &QueryReport) -> String {
    let greedy = query.greedy.iter().map(|text| format!("- greedy: {}\n", one_line(text)));
    let sampled = (1..).zip(&query.sampled);
    let sampled = sampled.map(|(number, text)| format!("- thought {number}: {}\n", one_line(text)));
    let grounded = (1..).zip(&query.grounded);
    let grounded =
        grounded.map(|(number, text)| format!("- grounded thought {number}: {}\n", one_line(text)));
    let all: String = greedy.chain(sampled).chain(grounded).collect();
    if all.is_empty() { "- no thought was kept\n".to_owned() } else { all }
}

/// The documents that are judged, with their grades.
fn judged(grades: &Grades) -> String {
    let each = grades.iter().map(|(id, grade)| format!("{} ({grade})", one_line(id)));
    format!("- judged (grade): {}\n", each.collect::<Vec<_>>().join(", "))
}

/// The two rankings side by side.
fn firsts(query: &QueryReport) -> String {
    let (without, with) = (ranking(query, BOTH), ranking(query, BOTH_THOUGHT));
    let id = |ranking: &[&str], at: usize| ranking.get(at).copied().unwrap_or_default().to_owned();
    let rows: Vec<Vec<String>> = (0..SHOWN.min(without.len().max(with.len())))
        .map(|at| vec![(at + 1).to_string(), id(&without, at), id(&with, at)])
        .collect();
    let head = ["rank", "without thought", "with thoughts"].map(str::to_owned);
    table(&head, 0..1, &rows)
}

/// Every rank of the first documents and of the judged ones, and what moved each.
fn documents(query: &QueryReport, grades: &Grades, title: &dyn Fn(&str) -> String) -> String {
    let firsts = [BOTH_THOUGHT, BOTH].into_iter().flat_map(|name| {
        let ranking = ranking(query, name);
        ranking.into_iter().take(SHOWN)
    });
    let mut seen = BTreeSet::new();
    let shown = firsts.chain(grades.keys().map(String::as_str)).filter(|id| seen.insert(*id));
    let rows: Vec<Vec<String>> = shown
        .map(|id| {
            let grade = grades.get(id).map(i32::to_string);
            let ranks =
                query.answers.iter().map(|answer| rank(place(query, answer.column.name(), id)));
            let known = [id.to_owned(), title(id), grade.unwrap_or_default()];
            known.into_iter().chain(ranks).chain([Ranks::of(query, id).moved()]).collect()
        })
        .collect();
    let columns = query.answers.iter().map(|answer| answer.column.to_string());
    let known = ["document", "title", "grade"].map(str::to_owned);
    let head: Vec<String> =
        known.into_iter().chain(columns).chain(["what moved it".to_owned()]).collect();
    table(&head, 2..head.len() - 1, &rows)
}

/// Ids of the column's ranking, best first; none if the column was not measured.
fn ranking<'a>(query: &'a QueryReport, column: &str) -> Vec<&'a str> {
    let answer = query.answers.iter().find(|answer| answer.column.name() == column);
    let ranking = answer.map_or(&[][..], |answer| &answer.ranking);
    ranking.iter().map(|(id, _)| id.as_str()).collect()
}

/// Rank from 1 in the column's ranking.
fn place(query: &QueryReport, column: &str, id: &str) -> Option<usize> {
    ranking(query, column).iter().position(|other| *other == id).map(|index| index + 1)
}

/// Where one document stands.
#[derive(Debug, Clone, Copy)]
pub struct Ranks {
    pub words: Option<usize>,
    pub vector: Option<usize>,
    pub vector_thought: Option<usize>,
    pub both: Option<usize>,
    pub both_thought: Option<usize>,
}

impl Ranks {
    fn of(query: &QueryReport, id: &str) -> Ranks {
        Ranks {
            words: place(query, WORDS, id),
            vector: place(query, VECTOR, id),
            vector_thought: place(query, VECTOR_THOUGHT, id),
            both: place(query, BOTH, id),
            both_thought: place(query, BOTH_THOUGHT, id),
        }
    }

    /// Why the document stands where it stands with thoughts. Only the vector hears them, so a
    /// document whose vector rank stays can but be overtaken, or overtake.
    pub fn moved(self) -> String {
        let Ranks { words, vector, vector_thought, both, both_thought } = self;
        match (vector, vector_thought) {
            (None, None) if words.is_none() => "not among the first 100".to_owned(),
            (None, None) => "only words find it".to_owned(),
            _ if both == both_thought => "nothing".to_owned(),
            (before, after) => {
                let depth = |rank: Option<usize>| rank.unwrap_or(usize::MAX);
                let fell = depth(both) < depth(both_thought);
                let others = if fell { "; others overtook it" } else { "; others fell behind" };
                match depth(before).cmp(&depth(after)) {
                    Ordering::Equal => format!("vector rank stays {}{others}", rank(before)),
                    moved => {
                        let alone = (moved == Ordering::Less) == fell;
                        let others = if alone { "" } else { others };
                        let (before, after) = (rank(before), rank(after));
                        format!("vector rank {before} → {after} with thoughts{others}")
                    }
                }
            }
        }
    }
}
