//! A text that only grows, as rows: what was wrapped stays, but for its last row.

use std::cell::RefCell;
use std::fmt::{self, Debug, Formatter};

use tui_text as text;

/// The rows that were made last.
#[derive(Default)]
pub(crate) struct Growing(RefCell<Rows>);

#[derive(Default)]
struct Rows {
    width: usize,
    /// Bytes of the text that are in `cells`.
    taken: usize,
    /// The text as it is shown.
    cells: String,
    /// Where in `cells` the last row begins.
    last: usize,
    rows: Vec<String>,
}

impl Growing {
    /// The last `count` rows of `whole` at `width` cells.
    pub(crate) fn end(&self, whole: &str, width: usize, count: usize) -> Vec<String> {
        let mut rows = self.0.borrow_mut();
        rows.follow(whole, width);
        let hidden = rows.rows.len().saturating_sub(count);
        rows.rows[hidden..].to_vec()
    }
}

impl Rows {
    fn follow(&mut self, whole: &str, width: usize) {
        // Whatever else the caller's text is, it is not what was wrapped.
        if self.width != width || whole.len() < self.taken || !whole.is_char_boundary(self.taken) {
            *self = Rows { width, ..Rows::default() };
        }
        let mut fresh = text::cells(&whole[self.taken..]);
        if self.cells.is_empty() {
            fresh = fresh.trim_start().to_owned();
        }
        self.taken = whole.len();
        if fresh.is_empty() {
            return;
        }
        self.cells.push_str(&fresh);
        // Rows are filled from their beginning, so that those above do not depend on what follows.
        self.rows.pop();
        let tail = &self.cells[self.last..];
        let wrapped = text::wrap(tail, width);
        let last = wrapped.last().map_or(0, |row| match row.as_str() {
            "" => tail.len(),
            row => tail.rfind(row).unwrap_or(0),
        });
        self.last += last;
        self.rows.extend(wrapped);
    }
}

impl Debug for Growing {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Growing")
    }
}
