//! Why a folder gives no document although there is something in it.

use std::path::Path;

use ignore::{DirEntry, WalkBuilder};

use crate::extract;
use crate::limits::NOTHING_ENTRIES_MAX;

/// What a walk of a watched folder passed over.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct PassedOver {
    pub links: usize,
    /// Files of kinds that are not read.
    pub kinds: usize,
    /// Files that ignore rules leave out, as far as they were counted: only where there are no others.
    pub ignored: usize,
}

impl PassedOver {
    pub(super) fn take(&mut self, entry: &Result<DirEntry, ignore::Error>) {
        let Ok(entry) = entry else { return };
        let Some(kind) = entry.file_type() else { return };
        self.links += usize::from(kind.is_symlink());
        self.kinds += usize::from(kind.is_file() && !extract::is_candidate(entry.path()));
    }

    /// In words; none if there was nothing.
    pub fn told(&self) -> Option<String> {
        let count = |count: usize, one: &str, more: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {more}")),
        };
        let parts = [
            count(self.links, "link is not followed", "links are not followed"),
            count(
                self.ignored,
                "file is left out by ignore rules",
                "files are left out by ignore rules",
            ),
            count(
                self.kinds,
                "file is of a kind that is not read",
                "files are of kinds that are not read",
            ),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// How many files there would be in `root` without ignore rules.
pub(super) fn count_ignored(root: &Path) -> usize {
    let mut builder = WalkBuilder::new(root);
    let all = builder.standard_filters(false).hidden(true).follow_links(false).build();
    let is_document = |entry: &DirEntry| {
        entry.file_type().is_some_and(|kind| kind.is_file()) && extract::is_candidate(entry.path())
    };
    all.take(NOTHING_ENTRIES_MAX).flatten().filter(is_document).count()
}
