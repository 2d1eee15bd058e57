//! What is searched by typing: the questions asked before, those that are saved, all that can be done.

use tui_saved::Search;

use super::Model;
use crate::history;
use crate::keymap::Bound;
use crate::keys::Action;
use crate::line::Line;

/// A question of the history in the line, by its place; and what had been typed there.
#[derive(Debug)]
pub(crate) struct Recall {
    pub(crate) at: usize,
    pub(crate) typed: String,
}

/// What is searched for in the history, and which of what is found is selected.
#[derive(Debug, Default)]
pub(crate) struct Finding {
    pub(crate) pattern: Line,
    pub(crate) selected: usize,
    pub(crate) of: Of,
}

/// Among which questions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Of {
    #[default]
    Asked,
    Saved,
}

/// One of those that are found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'a> {
    /// Of one that is saved.
    pub(crate) name: Option<&'a str>,
    pub(crate) question: &'a str,
}

impl Model {
    /// What the search of what can be done finds: moving in the line is not worth a name.
    pub(crate) fn offered(&self) -> Vec<&Bound> {
        let pattern = self.palette.as_ref().map_or("", |palette| palette.pattern.text());
        let words: Vec<String> = pattern.split_whitespace().map(str::to_lowercase).collect();
        let said = |bound: &&Bound| {
            let said = format!("{} {} {}", bound.name, bound.does, bound.label).to_lowercase();
            !matches!(bound.action, Action::Edit(_) | Action::Palette)
                && words.iter().all(|word| said.contains(word.as_str()))
        };
        self.settings.keys.rows().filter(said).collect()
    }

    /// What the search of the history finds, the newest first; or that of the saved searches, in their order.
    pub(crate) fn found(&self) -> Vec<Found<'_>> {
        let Some(finding) = &self.finding else { return Vec::new() };
        let matches = history::matches(finding.pattern.text());
        if finding.of == Of::Asked {
            let found = self.history.iter().rev().filter(|question| matches(question));
            return found.map(|question| Found { name: None, question }).collect();
        }
        let found = self
            .saved
            .iter()
            .filter(|Search { name, question }| matches(&format!("{name} {question}")));
        found.map(|Search { name, question }| Found { name: Some(name), question }).collect()
    }
}
