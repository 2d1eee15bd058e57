//! Rows as lines, under a head where there is one.

use std::collections::BTreeSet;
use std::mem;

use daemon_protocol::Place;

use super::Value;
use crate::text::Text;

/// Rows that are looked at for a head: above it are titles and dates of printing.
const PREVIEW_ROWS: usize = 12;
/// Characters of a column's name: more is a sentence, and would be repeated in each row.
const NAME_CHARS_MAX: usize = 60;
/// Columns that names are repeated for: wider sheets are matrices of numbers.
const NAMED_COLUMNS_MAX: usize = 64;

type Row = Vec<(u32, Value)>;

pub(super) struct Rows<'a> {
    name: &'a str,
    at: u32,
    row: Row,
    /// Of the beginning, until it is known what it is.
    preview: Option<Vec<Row>>,
    /// The columns' names, ascending by column.
    names: Vec<(u32, String)>,
    begun: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn new(name: &'a str, headed: bool) -> Rows<'a> {
        let preview = headed.then(Vec::new);
        Rows { name, at: 0, row: Row::new(), preview, names: Vec::new(), begun: false }
    }

    /// Whether a cell of this row ends the one before.
    pub(super) fn begins(&self, row: u32) -> bool {
        row != self.at && !self.row.is_empty()
    }

    pub(super) fn push(&mut self, row: u32, column: u32, value: Value) {
        self.at = row;
        self.row.push((column, value));
    }

    pub(super) fn end_row(&mut self, text: &mut Text) {
        let row = mem::take(&mut self.row);
        if row.is_empty() {
            return;
        }
        match &mut self.preview {
            Some(preview) => {
                preview.push(row);
                if preview.len() == PREVIEW_ROWS {
                    self.end_preview(text);
                }
            }
            None => self.write(text, &row),
        }
    }

    pub(super) fn finish(mut self, text: &mut Text) {
        self.end_row(text);
        self.end_preview(text);
    }

    fn end_preview(&mut self, text: &mut Text) {
        let Some(rows) = self.preview.take() else { return };
        let head = head(&rows);
        for (index, row) in rows.iter().enumerate() {
            self.write(text, row);
            if head == Some(index) {
                self.names =
                    row.iter().map(|(column, value)| (*column, value.text.clone())).collect();
            }
        }
    }

    fn write(&mut self, text: &mut Text, row: &Row) {
        if !mem::replace(&mut self.begun, true) {
            // A table of text is no sheet of several.
            if !self.name.is_empty() {
                text.mark(Place::Sheet(self.name.to_owned()));
                text.heading(1, self.name);
            }
            text.block("");
        }
        let name = |column: &u32| {
            let found = self.names.binary_search_by_key(column, |(column, _)| *column).ok()?;
            Some(self.names[found].1.trim_end_matches(':'))
        };
        let cells: Vec<String> = row
            .iter()
            .map(|(column, value)| match name(column) {
                Some(name) => format!("{name}: {}", value.text),
                None => value.text.clone(),
            })
            .collect();
        let between = if self.names.is_empty() { " | " } else { "; " };
        text.line(&format!("- {}", cells.join(between)));
    }
}

/// The row that names the columns of those below: words only, all different, and as wide as they are.
fn head(rows: &[Row]) -> Option<usize> {
    let widest = rows.iter().map(Vec::len).max()?;
    let index = rows.iter().position(|row| row.len() >= 2 && row.len() * 2 > widest)?;
    let (row, below) = (&rows[index], &rows[index + 1..]);
    let names: BTreeSet<&str> = row.iter().map(|(_, value)| value.text.as_str()).collect();
    let named =
        row.iter().all(|(_, value)| value.words && value.text.chars().count() <= NAME_CHARS_MAX);
    if below.is_empty() || !named || names.len() < row.len() || row.len() > NAMED_COLUMNS_MAX {
        return None;
    }
    // Two columns are as often names and values: a head only if all below is of another kind than it is.
    let differs = |row: &Row| row.iter().any(|(_, value)| !value.words);
    (row.len() > 2 || below.len() > 1 && below.iter().all(differs)).then_some(index)
}
