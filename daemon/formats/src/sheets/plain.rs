//! Workbooks that programs write as text and call `.xls`, as Excel takes them: values between tabs, commas or semicolons,
//! and the XML of 2003. Pages with tables are the `html` reader's.

use csv::{ReaderBuilder, Trim};
use daemon::convert::Unconverted;

use super::Value;
use super::calc::Cells;
use crate::text::one_line;
use crate::xml::{self, Piece, Xml};

/// Bytes at the beginning that say what a file is.
const HEAD_BYTES: usize = 4 << 10;

/// Lines that are looked at for what parts values.
const PREVIEW_LINES: usize = 12;

/// How many of them may have none, one in so many.
const UNPARTED: usize = 2;

/// Whether the text is a workbook in XML.
pub(super) fn is_xml(text: &str) -> bool {
    let head = &text[..text.floor_char_boundary(HEAD_BYTES)];
    head.trim_start().starts_with("<?xml")
        && head.contains("urn:schemas-microsoft-com:office:spreadsheet")
}

/// The sheets of a workbook in XML.
pub(super) fn sheets(text: &str) -> Result<Vec<(String, Cells)>, Unconverted> {
    let mut xml = Xml::new(text);
    let (mut sheets, mut name, mut cells) = (Vec::new(), String::new(), Cells::new());
    // Counted from 1, as the format does.
    let (mut row, mut column) = (0_u32, 0_u32);
    let mut value: Option<Value> = None;
    while let Some(piece) = xml.next()? {
        match piece {
            Piece::Open(tag) => {
                let index = || xml::attribute(&tag, "Index").and_then(|at| at.parse::<u32>().ok());
                match tag.local_name().as_ref() {
                    "Worksheet" => {
                        (row, column) = (0, 0);
                        name = xml::attribute(&tag, "Name").unwrap_or_default();
                    }
                    "Row" => (row, column) = (index().unwrap_or(row.saturating_add(1)), 0),
                    "Cell" => column = index().unwrap_or(column.saturating_add(1)),
                    "Data" => {
                        let kind = xml::attribute(&tag, "Type").unwrap_or_default();
                        value = Some(Value { text: String::new(), words: kind == "String" });
                    }
                    _ => {}
                }
            }
            Piece::Text(text) => {
                if let Some(value) = &mut value {
                    value.text.push_str(&text);
                }
            }
            Piece::Close(tag) => match tag.local_name().as_ref() {
                "Data" => {
                    if let Some(value) = value.take() {
                        let text = one_line(&value.text);
                        cells.push((row, column, Value { text, ..value }));
                    }
                }
                "Worksheet" => sheets.push((std::mem::take(&mut name), std::mem::take(&mut cells))),
                _ => {}
            },
        }
    }
    Ok(sheets)
}

/// The cells of lines whose values are parted by the same sign; nothing if they are not.
pub(super) fn cells(text: &str) -> Option<Cells> {
    let delimiter = delimiter(text)?;
    let mut reader = ReaderBuilder::new();
    let reader = reader.delimiter(delimiter).has_headers(false).flexible(true).trim(Trim::All);
    let mut cells = Cells::new();
    for (row, record) in (0..).zip(reader.from_reader(text.as_bytes()).records()) {
        // What follows a quote that does not close is one value.
        let record = record.ok()?;
        for (column, text) in (0..).zip(&record) {
            let text = one_line(text);
            let words = text.contains(char::is_alphabetic);
            cells.push((row, column, Value { text, words }));
        }
    }
    Some(cells)
}

fn delimiter(text: &str) -> Option<u8> {
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.trim().is_empty()).take(PREVIEW_LINES).collect();
    let is_table = |sign: &&u8| {
        let parted = lines.iter().filter(|line| line.as_bytes().contains(sign)).count();
        parted > 0 && parted * UNPARTED >= lines.len()
    };
    let is_text = !text.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r'));
    b"\t;,".iter().find(is_table).copied().filter(|_| is_text)
}
