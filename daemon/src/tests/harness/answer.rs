//! What comes back for a question.

use daemon_protocol::{Hit, Timings};

/// Everything that answered one ask, in order.
#[derive(Debug, Default)]
pub(in crate::tests) struct Answer {
    /// `draft`, `thought`, `final`, `done`, runs of one collapsed.
    pub(in crate::tests) order: Vec<&'static str>,
    pub(in crate::tests) draft: Vec<Hit>,
    pub(in crate::tests) thought: String,
    /// The ranking after each batch.
    pub(in crate::tests) read: Vec<Vec<Hit>>,
    pub(in crate::tests) hits: Vec<Hit>,
    pub(in crate::tests) timings: Timings,
}

impl Answer {
    /// File names of the final hits, best first.
    pub(in crate::tests) fn names(&self) -> Vec<&str> {
        self.hits.iter().map(|hit| hit.path.rsplit('/').next().unwrap()).collect()
    }
}
