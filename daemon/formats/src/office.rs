//! Word, Writer, Impress, RTF, and what Word and PowerPoint wrote before 2007, by `anydoc`.
//!
//! Its blocks are written here, not by its own Markdown: that escapes what looks like Markdown and holds
//! the targets of links, which nobody searches for.

#[cfg(test)]
mod tests;
mod word;

use std::borrow::Cow;
use std::collections::BTreeMap;

use anydoc::model::{
    Block, Cell, CellSlot, Document, Inline, List, Note, Table, TableKind, checkbox_text,
};
use anydoc::{ConvertError, Format};
use daemon::convert::{Converted, Unconverted};

use crate::text::Text;
use crate::zipped::{self, Zipped};
use crate::{html, text};

const EARLY_WORD: &str =
    "a document of Word before 97, which nothing here reads: store it as .docx";

pub(crate) fn read(bytes: &[u8]) -> Result<Converted, Unconverted> {
    if zipped::locked(bytes) {
        return Err(Unconverted::Locked);
    }
    let format = Format::from_bytes(bytes);
    let damaged = |what: &str| Unconverted::Damaged(format!("it is {what}"));
    let wrong = |what: &str| Err(damaged(what));
    match format {
        // Programs that export to Word often write this, and Word takes it.
        None if html::is_page(bytes) => return html::read(bytes),
        None if is_early_word(bytes) => return wrong(EARLY_WORD),
        None => return wrong("no document"),
        Some(Format::Pdf) => return wrong("a PDF"),
        Some(Format::Epub) => return wrong("an EPUB"),
        Some(Format::Excel | Format::Ods) => return wrong("a workbook"),
        Some(_) => {}
    }
    let mut zip = if zipped::is_older(bytes) { None } else { Zipped::open(bytes).ok() };
    let title = zip.as_mut().and_then(Zipped::title);
    let is_word = zip.as_ref().is_some_and(|zip| zip.has("word/document.xml"));
    let mended = if is_word { word::mended(bytes)? } else { None };
    let bytes = mended.map_or(Cow::Borrowed(bytes), Cow::Owned);
    let document = anydoc::to_document(&bytes, format).map_err(|error| match refused(error) {
        // Not before: what is read may have such a document within.
        Unconverted::Damaged(_) if is_early_word(&bytes) => damaged(EARLY_WORD),
        why => why,
    })?;
    let mut writer = Writer::new(&document);
    writer.document(&document)?;
    let mut text = writer.text;
    // What PowerPoint 95 wrote, or 97 for both: no text is found where it is looked for.
    if text.as_str().is_empty() && zipped::has_part(&bytes, "PersistentStorage Directory") {
        return wrong(
            "a presentation for PowerPoint before 97, which nothing here reads: store it as .pptx",
        );
    }
    if let Some(zip) = zip.as_mut().filter(|_| is_word) {
        word::margins(zip, &mut text)?;
    }
    text.converted(title)
}

/// Whether the file begins as one of Word 2, or a sector of the container, of which the smallest have 64 bytes, as what
/// Word 6 and 95 wrote.
fn is_early_word(bytes: &[u8]) -> bool {
    let begins =
        |sector: &[u8]| sector.starts_with(&[0xdc, 0xa5]) && (101..=105).contains(&sector[2]);
    bytes.starts_with(&[0xdb, 0xa5, 0x2d, 0])
        || zipped::is_older(bytes) && bytes.chunks_exact(64).any(begins)
}

fn refused(error: ConvertError) -> Unconverted {
    match error {
        ConvertError::Encrypted => Unconverted::Locked,
        ConvertError::ResourceLimit { limit, detail } => {
            Unconverted::TooMuch(format!("{detail} ({limit})"))
        }
        error => Unconverted::Damaged(error.to_string()),
    }
}

struct Writer<'a> {
    text: Text,
    /// Notes that no text has referred to so far.
    notes: BTreeMap<&'a str, &'a Note>,
    /// Notes that the block being written refers to: they follow it, where they are found together.
    due: Vec<&'a Note>,
}

impl<'a> Writer<'a> {
    fn new(document: &'a Document) -> Writer<'a> {
        let notes = document.notes.iter().map(|note| (note.id.as_str(), note)).collect();
        Writer { text: Text::default(), notes, due: Vec::new() }
    }

    fn document(&mut self, document: &'a Document) -> Result<(), Unconverted> {
        for block in &document.blocks {
            self.block(block)?;
            while !self.due.is_empty() {
                for note in std::mem::take(&mut self.due) {
                    self.blocks(&note.blocks)?;
                }
            }
        }
        for note in std::mem::take(&mut self.notes).into_values() {
            self.blocks(&note.blocks)?;
        }
        Ok(())
    }

    fn blocks(&mut self, blocks: &'a [Block]) -> Result<(), Unconverted> {
        blocks.iter().try_for_each(|block| self.block(block))
    }

    fn block(&mut self, block: &'a Block) -> Result<(), Unconverted> {
        match block {
            Block::Heading { level, content, .. } => {
                let line = self.line(content);
                self.text.heading(usize::from(*level), &line);
            }
            Block::Paragraph(content) => {
                let line = self.line(content);
                if !line.trim().is_empty() {
                    self.text.block(line.trim());
                }
            }
            Block::List(list) => self.list(list)?,
            Block::Table(table) => self.table(table)?,
            Block::BlockQuote(blocks) => self.blocks(blocks)?,
            Block::CodeBlock { lang, text } => {
                self.text.code(lang.as_deref().unwrap_or_default(), text);
            }
            Block::Rule => {}
            Block::Math(formula) => self.text.block(formula),
        }
        self.text.within()
    }

    /// The items as lines, those of lists within indented.
    fn list(&mut self, list: &'a List) -> Result<(), Unconverted> {
        let mut lines = Vec::new();
        self.items(list, 0, &mut lines);
        for (index, line) in lines.iter().enumerate() {
            if index == 0 { self.text.block(line) } else { self.text.line(line) }
        }
        self.text.within()
    }

    fn items(&mut self, list: &'a List, depth: usize, lines: &mut Vec<String>) {
        let indent = "  ".repeat(depth.min(text::INDENTS_MAX));
        for (number, item) in (list.start..).zip(&list.items) {
            let mut label = item.marker_label.clone().unwrap_or_else(|| list.marker.label(number));
            for block in &item.blocks {
                if let Block::List(list) = block {
                    self.items(list, depth + 1, lines);
                    continue;
                }
                let words = text::one_line(&self.plain(std::slice::from_ref(block)));
                if !words.is_empty() {
                    lines.push(format!("{indent}{label} {words}"));
                    label = " ".to_owned();
                }
            }
        }
    }

    fn table(&mut self, table: &'a Table) -> Result<(), Unconverted> {
        let cells = |row: &'a Vec<CellSlot>| row.iter().filter_map(own);
        let single = table.grid.iter().all(|row| cells(row).count() <= 1);
        if single || table.kind == TableKind::Layout {
            let mut all = table.grid.iter().flat_map(cells);
            return all.try_for_each(|cell| self.blocks(&cell.blocks));
        }
        let rows: Vec<Vec<String>> = table
            .grid
            .iter()
            .map(|row| {
                let cell =
                    |slot| own(slot).map(|cell| self.plain(&cell.blocks)).unwrap_or_default();
                row.iter().map(cell).collect()
            })
            .collect();
        self.text.table(&rows);
        self.text.within()
    }

    /// Blocks as words: what fits in a table's cell.
    fn plain(&mut self, blocks: &'a [Block]) -> String {
        let mut lines = Vec::new();
        for block in blocks {
            match block {
                Block::Heading { content, .. } | Block::Paragraph(content) => {
                    lines.push(self.line(content));
                }
                Block::List(list) => self.items(list, 0, &mut lines),
                Block::Table(table) => {
                    for cell in table.grid.iter().flatten().filter_map(own) {
                        lines.push(self.plain(&cell.blocks));
                    }
                }
                Block::BlockQuote(blocks) => lines.push(self.plain(blocks)),
                Block::CodeBlock { text, .. } | Block::Math(text) => lines.push(text.clone()),
                Block::Rule => {}
            }
        }
        lines.join("\n")
    }

    fn line(&mut self, content: &'a [Inline]) -> String {
        let mut line = String::new();
        self.words(content, &mut line);
        line
    }

    fn words(&mut self, content: &'a [Inline], line: &mut String) {
        for inline in content {
            match inline {
                Inline::Text { text, .. } => line.push_str(text),
                Inline::Link { content, .. } => self.words(content, line),
                Inline::Image { alt, .. } => line.push_str(alt),
                Inline::Math(formula) => line.push_str(formula),
                Inline::Checkbox(checked) => line.push_str(checkbox_text(*checked)),
                Inline::LineBreak => line.push('\n'),
                Inline::NoteRef(id) => self.due.extend(self.notes.remove(id.as_str())),
                Inline::Anchor(_) => {}
            }
        }
    }
}

/// The cell that begins here, unless one above or to the left covers this.
fn own(slot: &CellSlot) -> Option<&Cell> {
    match slot {
        CellSlot::Origin(cell) => Some(cell),
        CellSlot::Covered { .. } => None,
    }
}
