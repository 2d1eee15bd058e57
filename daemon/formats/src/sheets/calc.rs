//! Calc's sheets, cell by cell: what is repeated thousands of times for its looks alone costs nothing.

use std::mem;

use daemon::convert::Unconverted;
use quick_xml::events::BytesStart;

use super::{CELLS_MAX, Value, shown};
use crate::text::{one_line, within};
use crate::xml::{self, Piece, Xml};

/// Cells that hold something, by row and column.
pub(super) type Cells = Vec<(u32, u32, Value)>;

/// The sheets of a workbook's `content.xml`.
pub(super) fn sheets(content: &str) -> Result<Vec<(String, Cells)>, Unconverted> {
    let mut xml = Xml::new(content);
    let (mut sheets, mut reading) = (Vec::new(), Reading::default());
    while let Some(piece) = xml.next()? {
        match piece {
            Piece::Open(tag) => reading.open(&tag),
            Piece::Close(tag) => match tag.local_name().as_ref() {
                "annotation" => reading.noted = false,
                "table-cell" => reading.end_cell()?,
                "table-row" => reading.end_row()?,
                "table" => {
                    sheets.push((mem::take(&mut reading.name), mem::take(&mut reading.cells)));
                }
                _ => {}
            },
            Piece::Text(text) if reading.cell.is_some() && !reading.noted => {
                reading.text.push_str(&text);
            }
            Piece::Text(_) => {}
        }
    }
    Ok(sheets)
}

#[derive(Default)]
struct Reading {
    name: String,
    cells: Cells,
    row: u32,
    rows: u32,
    /// Where the cells of the row being read begin.
    begun: usize,
    column: u32,
    /// The cell being read: how often it stands there, its value if that is shown better than its text, and whether
    /// it is words.
    cell: Option<(u32, Option<String>, bool)>,
    text: String,
    /// Within a comment on a cell.
    noted: bool,
    bytes: usize,
    count: usize,
}

impl Reading {
    fn open(&mut self, tag: &BytesStart) {
        let value = |name| xml::attribute(tag, name);
        let times = |name| value(name).and_then(|times| times.parse().ok()).unwrap_or(1);
        match tag.local_name().as_ref() {
            "table" => {
                self.name = value("name").unwrap_or_default();
                (self.row, self.column, self.begun) = (0, 0, 0);
            }
            "table-row" => {
                self.rows = times("number-rows-repeated");
                (self.column, self.begun) = (0, self.cells.len());
            }
            "table-cell" => {
                let number = value("value").and_then(|value| value.parse().ok()).map(shown);
                let date = value("date-value").map(|date| date.replacen('T', " ", 1));
                let kind = value("value-type").unwrap_or_default();
                let plain = if kind == "float" { number } else { date };
                let words = matches!(kind.as_str(), "" | "string");
                self.cell = Some((times("number-columns-repeated"), plain, words));
                self.text.clear();
            }
            "covered-table-cell" => {
                self.column = self.column.saturating_add(times("number-columns-repeated"));
            }
            "annotation" => self.noted = true,
            "p" | "s" | "tab" | "line-break" if !self.noted => self.text.push(' '),
            _ => {}
        }
    }

    fn end_cell(&mut self) -> Result<(), Unconverted> {
        let Some((times, plain, words)) = self.cell.take() else { return Ok(()) };
        let text = plain.unwrap_or_else(|| one_line(&self.text));
        let next = self.column.saturating_add(times);
        if !text.is_empty() {
            self.counted(times, text.len())?;
            let cell = |column| (self.row, column, Value { text: text.clone(), words });
            self.cells.extend((self.column..next).map(cell));
        }
        self.column = next;
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Unconverted> {
        let next = self.row.saturating_add(self.rows);
        if self.rows > 1 {
            let cells = self.cells[self.begun.min(self.cells.len())..].to_vec();
            for row in if cells.is_empty() { 0..0 } else { self.row + 1..next } {
                for (_, column, value) in &cells {
                    self.counted(1, value.text.len())?;
                    self.cells.push((row, *column, value.clone()));
                }
            }
        }
        self.row = next;
        Ok(())
    }

    fn counted(&mut self, times: u32, bytes: usize) -> Result<(), Unconverted> {
        let times = usize::try_from(times).unwrap_or(usize::MAX);
        self.count = self.count.saturating_add(times);
        self.bytes = self.bytes.saturating_add(bytes.saturating_mul(times));
        if self.count > CELLS_MAX {
            return Err(Unconverted::TooMuch(format!("more than {CELLS_MAX} cells")));
        }
        within(self.bytes)
    }
}
