//! Thoughts remembered between runs: thinking is most of an evaluation's time.

use std::collections::HashMap;
use std::path::Path;

use models::{Sampling, Thought};
use serde::{Deserialize, Serialize};

use super::EvalError;
use super::log::Log;

/// What thinking about a question gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Remembered {
    pub(super) thoughts: Vec<Thought>,
    /// Milliseconds, when it was thought.
    pub(super) ms: f64,
    /// Tokens drawn, dropped ones among them.
    pub(super) drawn: usize,
}

/// A line of the file. The sampling is part of the key: other settings, other thoughts.
#[derive(Serialize, Deserialize)]
struct Line {
    question: String,
    /// What grounded thoughts were shown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    context: String,
    k: usize,
    temperature: f64,
    top_p: f64,
    tokens_max: usize,
    seed: u64,
    thoughts: Vec<(String, Vec<u32>)>,
    ms: f64,
    drawn: usize,
}

/// See the module.
pub(super) struct ThoughtLog {
    log: Log,
    lines: HashMap<String, Remembered>,
}

impl ThoughtLog {
    /// Opens, or makes, the file of the model with `fingerprint` in `folder`.
    pub(super) fn open(folder: &Path, fingerprint: &str) -> Result<ThoughtLog, EvalError> {
        let (log, lines) = Log::open::<Line>(folder, fingerprint, "")?;
        let lines = lines.into_iter().map(|line| (line.key(), line.remembered())).collect();
        Ok(ThoughtLog { log, lines })
    }

    /// What was thought about `question` with this `sampling`.
    pub(super) fn recall(
        &self,
        question: &str,
        context: &str,
        sampling: &Sampling,
    ) -> Option<Remembered> {
        let line = Line::new(question, context, sampling, &Remembered::default());
        self.lines.get(&line.key()).cloned()
    }

    /// Remembers it, in the file too.
    pub(super) fn note(
        &mut self,
        question: &str,
        context: &str,
        sampling: &Sampling,
        remembered: &Remembered,
    ) -> Result<(), EvalError> {
        let line = Line::new(question, context, sampling, remembered);
        self.log.note(&line)?;
        self.lines.insert(line.key(), remembered.clone());
        Ok(())
    }
}

impl Line {
    fn new(question: &str, context: &str, sampling: &Sampling, remembered: &Remembered) -> Line {
        let thoughts = remembered.thoughts.iter();
        Line {
            question: question.to_owned(),
            context: context.to_owned(),
            k: sampling.thoughts,
            temperature: sampling.temperature,
            top_p: sampling.top_p,
            tokens_max: sampling.tokens_max,
            seed: sampling.seed,
            thoughts: thoughts.map(|t| (t.text.clone(), t.tokens.clone())).collect(),
            ms: remembered.ms,
            drawn: remembered.drawn,
        }
    }

    fn key(&self) -> String {
        let Line { question, context, k, temperature, top_p, tokens_max, seed, .. } = self;
        format!("{k} {temperature} {top_p} {tokens_max} {seed} {question}\0{context}")
    }

    fn remembered(self) -> Remembered {
        let context = self.context;
        let thought = |(text, tokens)| Thought { text, tokens, context: context.clone() };
        Remembered {
            thoughts: self.thoughts.into_iter().map(thought).collect(),
            ms: self.ms,
            drawn: self.drawn,
        }
    }
}
