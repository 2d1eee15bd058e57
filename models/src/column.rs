//! One way to answer a question: a column of the evaluation's table, and its name.

use std::fmt;
use std::str::FromStr;

/// Whose vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoder {
    /// The model that serves users.
    Own,
    /// The encoder it is compared with.
    Peer,
}

/// How passages are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Search {
    /// By words alone.
    Bm25,
    /// By vector alone.
    Dense,
    /// Both, fused as users get it.
    Hybrid,
}

/// What is thought about the question first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thinking {
    None,
    /// One thought of the likeliest tokens.
    Greedy,
    /// k sampled thoughts, as users get them.
    Sampled,
    /// The same, shown the best sentences of the search without thought.
    Grounded,
    /// Nothing: those sentences themselves stand for the thoughts. A control.
    Quoted,
    /// Nothing: the vectors of the passages that those sentences are from are added to the question's
    /// (Rocchio's feedback). A control.
    Rocchio,
}

/// One way to answer a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Column {
    pub encoder: Encoder,
    pub search: Search,
    pub thinking: Thinking,
    /// Whether the first passages are read before they are ranked.
    pub read: bool,
}

/// Names of everything that can be measured, in the order of the table.
const NAMES: [(&str, Column); 19] = [
    ("bm25", own(Search::Bm25, Thinking::None)),
    ("bm25+greedy", own(Search::Bm25, Thinking::Greedy)),
    ("bm25+sampled", own(Search::Bm25, Thinking::Sampled)),
    ("dense", own(Search::Dense, Thinking::None)),
    ("dense+greedy", own(Search::Dense, Thinking::Greedy)),
    ("dense+sampled", own(Search::Dense, Thinking::Sampled)),
    ("dense+grounded", own(Search::Dense, Thinking::Grounded)),
    ("hybrid", own(Search::Hybrid, Thinking::None)),
    ("hybrid+greedy", own(Search::Hybrid, Thinking::Greedy)),
    ("hybrid+sampled", own(Search::Hybrid, Thinking::Sampled)),
    ("hybrid+grounded", own(Search::Hybrid, Thinking::Grounded)),
    ("hybrid+read", own(Search::Hybrid, Thinking::None).reading()),
    ("hybrid+read+sampled", own(Search::Hybrid, Thinking::Sampled).reading()),
    ("hybrid+read+grounded", own(Search::Hybrid, Thinking::Grounded).reading()),
    ("hybrid+read+quoted", own(Search::Hybrid, Thinking::Quoted).reading()),
    ("hybrid+read+rocchio", own(Search::Hybrid, Thinking::Rocchio).reading()),
    ("peer-dense", peer(Search::Dense)),
    ("peer-hybrid", peer(Search::Hybrid)),
    ("peer-hybrid+read", peer(Search::Hybrid).reading()),
];

const fn own(search: Search, thinking: Thinking) -> Column {
    Column::own(search, thinking)
}

/// A peer neither thinks nor reads: what is read of its passages is read by our model.
const fn peer(search: Search) -> Column {
    Column { encoder: Encoder::Peer, search, thinking: Thinking::None, read: false }
}

impl Column {
    /// One of our model, without reading.
    pub const fn own(search: Search, thinking: Thinking) -> Column {
        Column { encoder: Encoder::Own, search, thinking, read: false }
    }

    /// The same after reading.
    #[must_use]
    pub const fn reading(self) -> Column {
        Column { read: true, ..self }
    }

    /// Every column, in the order of the table.
    pub fn all() -> Vec<Column> {
        NAMES.iter().map(|(_, column)| *column).collect()
    }

    /// Its name, such as `hybrid+sampled`.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, column)| *column == self).map_or("unnamed", |(name, _)| name)
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Column {
    type Err = String;

    fn from_str(name: &str) -> Result<Column, String> {
        let found = NAMES.iter().find(|(known, _)| *known == name).map(|(_, column)| *column);
        found.ok_or_else(|| {
            let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            format!("no column is called {name:?}; there are {}", known.join(", "))
        })
    }
}
