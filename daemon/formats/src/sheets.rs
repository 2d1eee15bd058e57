//! Workbooks: each sheet under its name, each row a line that can be read alone.
//!
//! Passages are cut anywhere between rows, and the model and the words' index see one passage at a time. In
//! `2026-03-05 | ACME | 1200` nothing says that this is an invoice's date, so where a head is recognised each
//! of its columns' names stands before the value: `- Date: 2026-03-05; Customer: ACME; Sum: 1200`. This is
//! longer by the names, and a passage holds fewer rows; rows without a head would all look alike.
//!
//! Lines begin as a list's items do, so that no cell can be taken for a heading or a fence.

mod calc;
mod container;
mod plain;
mod rows;
#[cfg(test)]
mod tests;

use std::io::Cursor;

use calamine::{
    Cell, Data, DataRef, Error, ExcelDateTime, Range, Reader, Xls, XlsError, Xlsb, Xlsx, XlsxError,
};
use daemon::convert::{Converted, Unconverted};

use crate::html;
use crate::text::Text;
use crate::zipped::{self, Zipped};
use rows::Rows;

/// Cells of a workbook that hold something. Beyond these it is a database.
const CELLS_MAX: usize = 4_000_000;

/// How a workbook begins that is none of text.
const ZIP: &[u8] = b"PK";
/// How workbooks of Excel 2, 3 and 4 begin.
const EARLY_EXCEL: [[u8; 3]; 3] = [[9, 0, 4], [9, 2, 6], [9, 4, 6]];

pub(crate) fn read(bytes: &[u8]) -> Result<Converted, Unconverted> {
    if zipped::locked(bytes) {
        return Err(Unconverted::Locked);
    }
    if EARLY_EXCEL.iter().any(|begins| bytes.starts_with(begins)) {
        let why = "it is a workbook of Excel before 5, which nothing here reads: store it as .xlsx";
        return Err(Unconverted::Damaged(why.to_owned()));
    }
    let is_text = !zipped::is_older(bytes) && !bytes.starts_with(ZIP);
    if is_text && html::is_page(bytes) {
        return html::read(bytes);
    }
    let title =
        if is_text || zipped::is_older(bytes) { None } else { Zipped::open(bytes)?.title() };
    let written = |headed| {
        let mut sheets = Sheets { text: Text::default(), headed, cells: 0, unread: None };
        let read = sheets.workbook(bytes);
        (read, sheets)
    };
    let (mut read, mut sheets) = written(true);
    // What the names of columns make too long may be read without them.
    if matches!(read, Err(Unconverted::TooMuch(_))) && sheets.cells <= CELLS_MAX {
        (read, sheets) = written(false);
    }
    read?;
    match sheets.unread {
        // A sheet of charts has no cells; where no sheet has any that can be read, that is no workbook.
        Some(why) if sheets.text.as_str().is_empty() => Err(why),
        _ => sheets.text.converted(title),
    }
}

struct Sheets {
    text: Text,
    headed: bool,
    cells: usize,
    /// Why the last sheet could not be read that could not be.
    unread: Option<Unconverted>,
}

impl Sheets {
    /// By what the content is: people rename workbooks, and programs open them all the same.
    fn workbook(&mut self, bytes: &[u8]) -> Result<(), Unconverted> {
        let all = Cursor::new(bytes);
        if zipped::is_older(bytes) {
            if container::is_endless(bytes) {
                let why = "the parts of its directory go in a circle";
                return Err(Unconverted::Damaged(why.to_owned()));
            }
            let mut book = Xls::new(all).map_err(refused)?;
            for name in book.sheet_names() {
                match book.worksheet_range(&name) {
                    Ok(range) => self.sheet(&name, filled(&range))?,
                    Err(error) => self.unread = Some(refused(error)),
                }
            }
            return Ok(());
        }
        if !bytes.starts_with(ZIP) {
            return self.plain(&html::decode(bytes));
        }
        let mut zip = Zipped::open(bytes)?;
        if zip.has("xl/workbook.bin") {
            Zipped::bounded(bytes)?;
            let mut book = Xlsb::new(all).map_err(refused)?;
            for name in book.sheet_names() {
                match book.worksheet_cells_reader(&name) {
                    Ok(mut cells) => {
                        let next = || cells.next_cell().map_err(refused).transpose();
                        self.sheet(&name, std::iter::from_fn(next).map(placed))?;
                    }
                    Err(error) => self.unread = Some(refused(error)),
                }
            }
        } else if zip.has("content.xml") {
            let manifest = zip.xml("META-INF/manifest.xml")?.unwrap_or_default();
            if manifest.contains("encryption-data") {
                return Err(Unconverted::Locked);
            }
            for (name, cells) in calc::sheets(&zip.xml("content.xml")?.unwrap_or_default())? {
                self.sheet(&name, cells.into_iter().map(Ok))?;
            }
        } else {
            Zipped::bounded(bytes)?;
            let mut book = Xlsx::new(all).map_err(refused)?;
            for name in book.sheet_names() {
                match book.worksheet_cells_reader(&name) {
                    Ok(mut cells) => {
                        let next = || cells.next_cell().map_err(refused).transpose();
                        self.sheet(&name, std::iter::from_fn(next).map(placed))?;
                    }
                    Err(error) => self.unread = Some(refused(error)),
                }
            }
        }
        Ok(())
    }

    /// A workbook that is text.
    fn plain(&mut self, text: &str) -> Result<(), Unconverted> {
        let sheets = match plain::cells(text) {
            _ if plain::is_xml(text) => plain::sheets(text)?,
            Some(cells) => vec![(String::new(), cells)],
            None => return Err(Unconverted::Damaged("no workbook".to_owned())),
        };
        for (name, cells) in sheets {
            self.sheet(&name, cells.into_iter().map(Ok))?;
        }
        Ok(())
    }

    fn sheet(
        &mut self,
        name: &str,
        cells: impl Iterator<Item = Placed>,
    ) -> Result<(), Unconverted> {
        let mut rows = Rows::new(name, self.headed);
        for cell in cells {
            let (row, column, value) = cell?;
            if value.text.is_empty() {
                continue;
            }
            self.cells += 1;
            if self.cells > CELLS_MAX {
                return Err(Unconverted::TooMuch(format!("more than {CELLS_MAX} cells")));
            }
            if rows.begins(row) {
                rows.end_row(&mut self.text);
                self.text.within()?;
            }
            rows.push(row, column, value);
        }
        rows.finish(&mut self.text);
        self.text.within()
    }
}

/// What a cell shows.
#[derive(Clone, Default)]
struct Value {
    text: String,
    /// Words, not a number or a date.
    words: bool,
}

type Placed = Result<(u32, u32, Value), Unconverted>;

/// The cells of a sheet that is in memory as a whole.
fn filled(range: &Range<Data>) -> impl Iterator<Item = Placed> {
    range.used_cells().map(|(row, column, cell)| {
        let at = |index| u32::try_from(index).unwrap_or(u32::MAX);
        Ok((at(row), at(column), value(cell)))
    })
}

fn placed(cell: Result<Cell<DataRef>, Unconverted>) -> Placed {
    let cell = cell?;
    let (row, column) = cell.get_position();
    Ok((row, column, value(&Data::from(cell.get_value().clone()))))
}

fn value(data: &Data) -> Value {
    let words = |text: &str| Value { text: crate::text::one_line(text), words: true };
    let number = |text: String| Value { text, words: false };
    match data {
        Data::String(text) => words(text),
        Data::Int(integer) => number(integer.to_string()),
        Data::Float(float) => number(shown(*float)),
        Data::Bool(true) => number("TRUE".to_owned()),
        Data::Bool(false) => number("FALSE".to_owned()),
        Data::DateTime(time) => number(date(time)),
        Data::DateTimeIso(text) | Data::DurationIso(text) => number(text.clone()),
        // What a formula could not compute is nothing to find.
        Data::Error(_) | Data::Empty => Value::default(),
    }
}

/// As many digits as Excel shows: 0.1 + 0.2 is 0.3.
fn shown(float: f64) -> String {
    let rounded: f64 = format!("{float:.14e}").parse().unwrap_or(float);
    rounded.to_string()
}

/// A date as `2026-03-05`, with its time unless that is midnight; a duration as hours and minutes.
fn date(time: &ExcelDateTime) -> String {
    if time.is_duration() {
        let seconds = (time.as_f64() * 86_400.0).round();
        let (minutes, seconds) = ((seconds / 60.0).floor(), seconds % 60.0);
        let (hours, minutes) = ((minutes / 60.0).floor(), minutes % 60.0);
        return format!("{hours}:{minutes:02}:{seconds:02}");
    }
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    let clock = match (hour, minute, second) {
        (0, 0, 0) => return format!("{year:04}-{month:02}-{day:02}"),
        (hour, minute, 0) => format!("{hour:02}:{minute:02}"),
        (hour, minute, second) => format!("{hour:02}:{minute:02}:{second:02}"),
    };
    // Less than a day is a time of any day.
    if time.as_f64() < 1.0 { clock } else { format!("{year:04}-{month:02}-{day:02} {clock}") }
}

fn refused(error: impl Into<Error>) -> Unconverted {
    match error.into() {
        Error::Xlsx(XlsxError::Password) | Error::Xls(XlsError::Password) => Unconverted::Locked,
        error => Unconverted::Damaged(error.to_string()),
    }
}
