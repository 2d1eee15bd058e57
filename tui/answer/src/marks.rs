//! Marks as text: a list for people, judgments for `fore eval`, pairs for training.

use std::path::Path;

use daemon_protocol::Mark;
use serde_json::json;
use tui_text::{fit_end, one_line};

use crate::shortened;

/// Cells of a passage's first words that are shown.
const OPENING_CELLS: usize = 60;

/// How marks are listed.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    /// Paths below it are shortened.
    pub working_dir: &'a Path,
}

/// Two lines a mark: its number from 1, what was said and of which question; the document and the first words.
pub fn list(marks: &[Mark], form: Form<'_>) -> String {
    let line = |(at, mark): (usize, &Mark)| {
        let word = if mark.right { "right" } else { "wrong" };
        let path = one_line(shortened(&mark.path, form.working_dir));
        let opening = fit_end(&one_line(&mark.opening), OPENING_CELLS);
        format!(
            "{:>3}  {word}  {}\n            {path}: {opening}\n",
            at + 1,
            one_line(&mark.question)
        )
    };
    marks.iter().enumerate().map(line).collect()
}

/// A line for each question of which something is right: `{"question", "paths"}`, in the order of the first
/// marks. What was marked as wrong for the question in the same document does not make it less right.
pub fn judgments(marks: &[Mark]) -> String {
    let line = |(question, of): (&str, Vec<usize>)| {
        let mut paths: Vec<&str> = Vec::new();
        for mark in of.into_iter().map(|at| &marks[at]).filter(|mark| mark.right) {
            if !paths.contains(&mark.path.as_str()) {
                paths.push(&mark.path);
            }
        }
        (!paths.is_empty()).then(|| format!("{}\n", json!({"question": question, "paths": paths})))
    };
    by_question(marks).into_iter().filter_map(line).collect()
}

/// A line for each question of which some passage is right and still there: `{"query", "pos", "neg"}`.
/// `texts` are the marked passages, absent where they are gone.
pub fn pairs(marks: &[Mark], texts: &[Option<String>]) -> String {
    let line = |(question, of): (&str, Vec<usize>)| {
        let there = |right: bool| -> Vec<&str> {
            let side = of.iter().filter(|at| marks[**at].right == right);
            side.filter_map(|at| texts.get(*at)?.as_deref()).collect()
        };
        let (pos, neg) = (there(true), there(false));
        (!pos.is_empty())
            .then(|| format!("{}\n", json!({"query": question, "pos": pos, "neg": neg})))
    };
    by_question(marks).into_iter().filter_map(line).collect()
}

/// The questions in order of their first marks, each with where its marks are.
fn by_question(marks: &[Mark]) -> Vec<(&str, Vec<usize>)> {
    let mut questions: Vec<(&str, Vec<usize>)> = Vec::new();
    for (at, mark) in marks.iter().enumerate() {
        match questions.iter_mut().find(|(question, _)| *question == mark.question) {
            Some((_, of)) => of.push(at),
            None => questions.push((&mark.question, vec![at])),
        }
    }
    questions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(question: &str, path: &str, right: bool) -> Mark {
        Mark {
            question: question.to_owned(),
            path: path.to_owned(),
            byte_start: 0,
            byte_end: 9,
            right,
            title: "T".to_owned(),
            opening: "The wick\nis high".to_owned(),
            made_s: 0,
        }
    }

    fn marks() -> Vec<Mark> {
        vec![
            mark("smoke", "/w/lamp.md", true),
            mark("tide", "/w/bread.md", false),
            mark("smoke", "/w/bread.md", false),
            mark("smoke", "/w/lamp.md", true),
            mark("smoke", "/x/\x1b.md", true),
        ]
    }

    #[test]
    fn people_see_a_number_and_what_was_said() {
        let told = list(&marks(), Form { working_dir: Path::new("/w") });
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[..2], ["  1  right  smoke", "            lamp.md: The wick is high"]);
        assert_eq!(lines[2], "  2  wrong  tide");
        assert_eq!(lines[9], "            /x/\u{FFFD}.md: The wick is high");
    }

    #[test]
    fn what_is_right_is_a_judgment() {
        let lines = "{\"question\":\"smoke\",\"paths\":[\"/w/lamp.md\",\"/x/\\u001b.md\"]}\n";
        assert_eq!(judgments(&marks()), lines);
        assert_eq!(judgments(&[]), "");
    }

    #[test]
    fn what_is_right_and_wrong_is_a_pair() {
        let texts = [Some("wick"), Some("dough"), Some("bread"), None, None];
        let texts = texts.map(|text| text.map(str::to_owned));
        let lines = "{\"query\":\"smoke\",\"pos\":[\"wick\"],\"neg\":[\"bread\"]}\n";
        assert_eq!(pairs(&marks(), &texts), lines);
    }
}
