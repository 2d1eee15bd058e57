//! The shapes of a slide, in the order they are drawn.

use std::mem;

use daemon::convert::Unconverted;

use crate::text::{INDENTS_MAX, Text};
use crate::xml::{self, Piece, Xml};

#[derive(Default)]
pub(super) struct Shape {
    /// What a placeholder is for; `None` for what was drawn by hand.
    placeholder: Option<String>,
    paragraphs: Vec<Paragraph>,
    rows: Vec<Vec<String>>,
}

#[derive(Default)]
struct Paragraph {
    level: usize,
    text: String,
}

impl Shape {
    pub(super) fn holds(&self, kind: &str) -> bool {
        self.placeholder.as_deref() == Some(kind)
    }

    /// Dates, footers and numbers, which are the same on each slide.
    pub(super) fn repeats(&self) -> bool {
        ["dt", "ftr", "hdr", "sldNum"].iter().any(|kind| self.holds(kind))
    }

    pub(super) fn words(&self) -> String {
        let lines: Vec<&str> =
            self.paragraphs.iter().map(|paragraph| paragraph.text.as_str()).collect();
        lines.join(" ")
    }

    /// A placeholder's paragraphs are a list, as it is shown; others are lines.
    pub(super) fn write(&self, text: &mut Text) {
        let filled = self.paragraphs.iter().filter(|paragraph| !paragraph.text.trim().is_empty());
        let filled: Vec<&Paragraph> = filled.collect();
        let listed = self.placeholder.is_some() && filled.len() > 1 && !self.holds("subTitle");
        for (index, paragraph) in filled.iter().enumerate() {
            let indent = "  ".repeat(paragraph.level.min(INDENTS_MAX));
            let words = paragraph.text.trim();
            let line = if listed || paragraph.level > 0 {
                format!("{indent}- {words}")
            } else {
                words.to_owned()
            };
            if index == 0 { text.block(&line) } else { text.line(&line) }
        }
        if !self.rows.is_empty() {
            text.table(&self.rows);
        }
    }
}

/// All shapes with text, those of groups too.
pub(super) fn read(text: &str) -> Result<Vec<Shape>, Unconverted> {
    let mut reading = Reading::default();
    let mut xml = Xml::new(text);
    while let Some(piece) = xml.next()? {
        match piece {
            Piece::Open(tag) => {
                let name = tag.local_name();
                let name = name.as_ref();
                if reading.skips(name, 1) {
                    continue;
                }
                match name {
                    "ph" => {
                        let kind = xml::attribute(&tag, "type").unwrap_or_else(|| "obj".to_owned());
                        reading.shape.placeholder = Some(kind);
                    }
                    "pPr" => {
                        let level =
                            xml::attribute(&tag, "lvl").and_then(|level| level.parse().ok());
                        reading.paragraph.level = level.unwrap_or(0);
                    }
                    name => reading.open(name),
                }
            }
            Piece::Close(tag) => {
                let name = tag.local_name();
                if !reading.skips(name.as_ref(), -1) {
                    reading.close(name.as_ref());
                }
            }
            Piece::Text(text) if reading.in_text && reading.skipped == 0 => {
                reading.paragraph.text.push_str(&text);
            }
            Piece::Text(_) => {}
        }
    }
    reading.end_shape();
    Ok(reading.shapes)
}

#[derive(Default)]
struct Reading {
    shapes: Vec<Shape>,
    shape: Shape,
    paragraph: Paragraph,
    /// Of the table's cell being read; none outside one.
    cell: Option<String>,
    in_text: bool,
    /// Depth within what has no text of its own.
    skipped: i64,
}

impl Reading {
    /// Whether this is inside of a fallback, which says the same again, or of a drawing, whose points are called as
    /// those of diagrams that have text.
    fn skips(&mut self, name: &str, step: i64) -> bool {
        if matches!(name, "Fallback" | "custGeom") {
            self.skipped = (self.skipped + step).max(0);
            return true;
        }
        self.skipped > 0
    }

    fn open(&mut self, name: &str) {
        match name {
            "sp" | "graphicFrame" | "pic" | "cxnSp" | "pt" => self.end_shape(),
            "t" => self.in_text = true,
            "br" => self.paragraph.text.push('\n'),
            "tab" => self.paragraph.text.push(' '),
            "tr" => self.shape.rows.push(Vec::new()),
            "tc" => self.cell = Some(String::new()),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "p" => {
                let paragraph = mem::take(&mut self.paragraph);
                match &mut self.cell {
                    Some(cell) if cell.is_empty() => *cell = paragraph.text,
                    Some(cell) => {
                        cell.push('\n');
                        cell.push_str(&paragraph.text);
                    }
                    None => self.shape.paragraphs.push(paragraph),
                }
            }
            "tc" => {
                let cell = self.cell.take().unwrap_or_default();
                if let Some(row) = self.shape.rows.last_mut() {
                    row.push(cell);
                }
            }
            "sp" | "graphicFrame" | "pic" | "cxnSp" | "pt" => self.end_shape(),
            _ => {}
        }
    }

    fn end_shape(&mut self) {
        let shape = mem::take(&mut self.shape);
        let text = shape.paragraphs.iter().any(|paragraph| !paragraph.text.trim().is_empty());
        if text || !shape.rows.is_empty() {
            self.shapes.push(shape);
        }
    }
}
