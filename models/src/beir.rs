//! Test collections in BEIR layout, parsed and sampled (pure): documents, queries, and judgments
//! (qrels) of which document answers which query. [`folder`] reads them from a disk.

pub mod folder;

use std::collections::{BTreeMap, HashMap, HashSet};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::index;
use serde::Deserialize;

use crate::jsonl::{numbered, or_nothing, reason, text_or_number};
pub use crate::metrics::Grades;

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Entry {
    #[serde(rename = "_id", deserialize_with = "text_or_number")]
    pub id: String,
    #[serde(default, deserialize_with = "or_nothing")]
    pub title: String,
    pub text: String,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Query {
    #[serde(rename = "_id", deserialize_with = "text_or_number")]
    pub id: String,
    pub text: String,
}

/// What can be measured on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    pub documents: Vec<Entry>,
    /// Those that are judged, in the order of their file.
    pub queries: Vec<Query>,
    /// By query id.
    pub qrels: BTreeMap<String, Grades>,
}

/// Which of a collection's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Corpus,
    Queries,
    Judgments,
}

/// What is wrong with a collection, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct BeirError {
    pub part: Part,
    /// From 1.
    pub line: usize,
    pub what: String,
}

/// Columns of a line of judgments.
const COLUMNS: &str = "query-id, corpus-id and score, with tabs between";

/// Parses the texts of `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`. The first line of
/// the judgments may be the usual header.
///
/// Published collections are taken as they are, and `warn` is told: a judgment of an unknown query (as
/// in NFCorpus) is left out, an unknown document (as in ArguAna) is one that nothing finds, as for
/// trec_eval, and of two judgments of one document the later counts.
///
/// # Errors
/// The first line that is malformed or repeats an id, or that nothing is left to measure.
pub fn parse(
    corpus: &str,
    queries: &str,
    qrels: &str,
    warn: &mut dyn FnMut(BeirError),
) -> Result<Collection, BeirError> {
    let documents: Vec<Entry> = rows(corpus, Part::Corpus)?;
    let queries: Vec<Query> = rows(queries, Part::Queries)?;
    let known_documents: HashSet<&str> = documents.iter().map(|entry| entry.id.as_str()).collect();
    let known_queries: HashSet<&str> = queries.iter().map(|query| query.id.as_str()).collect();
    let mut judged: BTreeMap<String, Grades> = BTreeMap::new();
    let [mut strays, mut missing, mut twice] = [(); 3].map(|()| Oddity::default());
    for (line, text) in numbered(qrels) {
        let fail = |what: String| BeirError { part: Part::Judgments, line, what };
        let columns: Vec<&str> = text.split('\t').map(str::trim).collect();
        let [query, document, grade] = columns[..] else {
            return Err(fail(format!("a judgment is {COLUMNS}")));
        };
        let grade = match whole(grade) {
            Some(grade) => grade,
            None if line == 1 && grade == "score" => continue,
            None => return Err(fail(format!("the score {grade:?} is no whole number"))),
        };
        if !known_queries.contains(query) {
            strays.note(line, || format!("query {query:?} is not among the queries: left out"));
            continue;
        }
        if !known_documents.contains(document) {
            missing.note(line, || {
                format!("document {document:?} is not in the corpus: counted as never found")
            });
        }
        let grades = judged.entry(query.to_owned()).or_default();
        if grades.insert(document.to_owned(), grade).is_some() {
            twice.note(line, || {
                format!("query {query:?} judges document {document:?} twice: the later counts")
            });
        }
    }
    [strays, missing, twice].into_iter().filter_map(Oddity::told).for_each(warn);
    if judged.is_empty() {
        return Err(nothing(Part::Judgments));
    }
    let queries = queries.into_iter().filter(|query| judged.contains_key(&query.id)).collect();
    Ok(Collection { documents, queries, qrels: judged })
}

/// A grade, which some collections write as `1.0`.
fn whole(grade: &str) -> Option<i32> {
    let decimals = grade.split_once('.').map_or("", |(_, decimals)| decimals);
    let digits = grade.strip_suffix(decimals)?.trim_end_matches('.');
    digits.parse().ok().filter(|_| decimals.bytes().all(|digit| digit == b'0'))
}

/// Judgments that are odd in one way: the first of them, and how many they are.
#[derive(Default)]
struct Oddity(Option<BeirError>, usize);

impl Oddity {
    fn note(&mut self, line: usize, what: impl FnOnce() -> String) {
        self.0.get_or_insert_with(|| BeirError { part: Part::Judgments, line, what: what() });
        self.1 += 1;
    }

    fn told(self) -> Option<BeirError> {
        let Oddity(first, count) = self;
        first.map(|mut first| {
            if count > 1 {
                first.what += &format!(" (one of {count} such judgments)");
            }
            first
        })
    }
}

/// A question of the user's own and the documents that answer it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Judgment {
    question: String,
    paths: Vec<String>,
}

/// Parses lines such as `{"question": "why do cats purr", "paths": ["notes/cats.md"]}`. The query
/// of line N is called `qN`; its paths have grade 1.
///
/// # Errors
/// The first line that is malformed or judges nothing.
pub fn parse_judgments(text: &str) -> Result<(Vec<Query>, BTreeMap<String, Grades>), BeirError> {
    let part = Part::Judgments;
    let (mut queries, mut judged) = (Vec::new(), BTreeMap::new());
    for (line, text) in numbered(text) {
        let fail = |what: String| BeirError { part, line, what };
        let row: Judgment = serde_json::from_str(text).map_err(|e| fail(reason(&e)))?;
        if row.question.trim().is_empty() {
            return Err(fail("the question is empty".to_owned()));
        }
        if row.paths.is_empty() {
            return Err(fail("no path answers the question".to_owned()));
        }
        let id = format!("q{line}");
        judged.insert(id.clone(), row.paths.into_iter().map(|path| (path, 1)).collect());
        queries.push(Query { id, text: row.question });
    }
    if queries.is_empty() { Err(nothing(part)) } else { Ok((queries, judged)) }
}

impl Collection {
    /// At most as many queries, and as many documents: every judged one, and others up to the
    /// number. `seed` chooses, and the documents do not depend on the number of queries. The order
    /// stays that of the files.
    #[must_use]
    pub fn sampled(
        self,
        queries: Option<usize>,
        documents: Option<usize>,
        seed: u64,
    ) -> Collection {
        let Collection { documents: entries, queries: asked, mut qrels } = self;
        let judged: HashSet<String> =
            qrels.values().flat_map(Grades::keys).map(String::clone).collect();
        let documents = documents.unwrap_or(entries.len());
        let others: Vec<&Entry> =
            entries.iter().filter(|entry| !judged.contains(&entry.id)).collect();
        let room = documents.saturating_sub(judged.len()).min(others.len());
        let kept: HashSet<String> =
            chosen(others.len(), room, seed).map(|index| others[index].id.clone()).collect();
        let limit = queries.unwrap_or(asked.len()).min(asked.len());
        let limited: HashSet<usize> = chosen(asked.len(), limit, seed).collect();
        let keep_entry = |entry: &Entry| judged.contains(&entry.id) || kept.contains(&entry.id);
        let queries: Vec<Query> = asked
            .into_iter()
            .enumerate()
            .filter(|(index, _)| limited.contains(index))
            .map(|(_, query)| query)
            .collect();
        qrels.retain(|id, _| queries.iter().any(|query| query.id == *id));
        Collection { documents: entries.into_iter().filter(keep_entry).collect(), queries, qrels }
    }
}

/// `amount` of the indexes below `length`, drawn by `seed`.
fn chosen(length: usize, amount: usize, seed: u64) -> impl Iterator<Item = usize> {
    index::sample(&mut StdRng::seed_from_u64(seed), length, amount).into_iter()
}

/// What a row needs to be checked.
trait Row: for<'a> Deserialize<'a> {
    fn id(&self) -> &str;
    /// Why the row is of no use.
    fn flaw(&self) -> Option<&'static str>;
}

impl Row for Entry {
    fn id(&self) -> &str {
        &self.id
    }

    /// A document may be empty: it is part of the haystack, and nothing finds it.
    fn flaw(&self) -> Option<&'static str> {
        None
    }
}

impl Row for Query {
    fn id(&self) -> &str {
        &self.id
    }

    fn flaw(&self) -> Option<&'static str> {
        self.text.trim().is_empty().then_some("the query is empty")
    }
}

fn rows<R: Row>(text: &str, part: Part) -> Result<Vec<R>, BeirError> {
    let mut rows: Vec<R> = Vec::new();
    let mut first: HashMap<String, usize> = HashMap::new();
    for (line, text) in numbered(text) {
        let fail = |what: String| BeirError { part, line, what };
        let row: R = serde_json::from_str(text).map_err(|error| fail(reason(&error)))?;
        // Paths, which have blanks, are ids too; a column of the judgments is read without those around it.
        if row.id().is_empty() || row.id().trim() != row.id() || row.id().contains('\t') {
            return Err(fail(format!(
                "the id {:?} is empty, or has a tab or blanks around it",
                row.id()
            )));
        }
        if let Some(flaw) = row.flaw() {
            return Err(fail(flaw.to_owned()));
        }
        if let Some(before) = first.insert(row.id().to_owned(), line) {
            return Err(fail(format!("the id {:?} is that of line {before} too", row.id())));
        }
        rows.push(row);
    }
    if rows.is_empty() { Err(nothing(part)) } else { Ok(rows) }
}

fn nothing(part: Part) -> BeirError {
    let what = match part {
        Part::Corpus => "there is no document",
        Part::Queries => "there is no query",
        Part::Judgments => "there is no judgment",
    };
    BeirError { part, line: 1, what: what.to_owned() }
}

#[cfg(test)]
mod tests;
