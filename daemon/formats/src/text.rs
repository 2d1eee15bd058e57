//! Markdown as the readers write it: blocks with a blank line between, parts marked where they begin.
//!
//! Nothing is escaped: what is searched and shown is what people wrote, and a line that by chance looks
//! like Markdown costs less than a backslash in every `snake_case`.

use daemon::convert::{Converted, TEXT_BYTES_MAX, Unconverted};
use daemon::document::{Kind, Mark};
use daemon_protocol::Place;

/// Columns of the line under a table's head: what is wider is shown well enough without.
const RULED_COLUMNS_MAX: usize = 32;

/// Levels that lists are indented by: enough to see them, and a bound on what nesting adds.
pub(crate) const INDENTS_MAX: usize = 8;

#[derive(Default)]
pub(crate) struct Text {
    text: String,
    marks: Vec<Mark>,
}

impl Text {
    /// What follows is in `place`.
    pub(crate) fn mark(&mut self, place: Place) {
        self.gap();
        let at = self.text.len();
        // A part without text is no place of anything.
        if self.marks.last().is_some_and(|last| last.at == at) {
            self.marks.pop();
        }
        self.marks.push(Mark { at, place });
    }

    pub(crate) fn heading(&mut self, level: usize, text: &str) {
        let line = one_line(text);
        if !line.is_empty() {
            self.block(&format!("{} {line}", "#".repeat(level.clamp(1, 6))));
        }
    }

    /// A paragraph, or anything else that has blank lines around it.
    pub(crate) fn block(&mut self, text: &str) {
        self.gap();
        self.push(text);
    }

    /// The next line of the same block.
    pub(crate) fn line(&mut self, text: &str) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.push(text);
    }

    pub(crate) fn code(&mut self, language: &str, code: &str) {
        if code.trim().is_empty() {
            return;
        }
        // Longer than any fence within.
        let run = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(3.max(run + 1));
        let code = code.trim_matches('\n').trim_end();
        self.block(&format!("{fence}{language}\n{code}\n{fence}"));
    }

    /// Rows as a table whose first row is its head; a single column is no table.
    pub(crate) fn table(&mut self, rows: &[Vec<String>]) {
        let rows: Vec<&Vec<String>> =
            rows.iter().filter(|row| row.iter().any(|cell| !cell.trim().is_empty())).collect();
        let columns = rows.iter().map(|row| row.len()).max().unwrap_or(0);
        for (index, row) in rows.iter().enumerate() {
            if columns == 1 {
                self.block(row[0].trim());
                continue;
            }
            let cells: Vec<String> = row.iter().map(|cell| one_line(cell)).collect();
            let line = format!("| {} |", cells.join(" | "));
            if index > 0 {
                self.line(&line);
                continue;
            }
            self.block(&line);
            if columns <= RULED_COLUMNS_MAX {
                self.line(&format!("|{}", " --- |".repeat(columns)));
            }
        }
    }

    /// The parts of another text, behind this one's.
    pub(crate) fn append(&mut self, other: &Text) {
        if !other.text.trim().is_empty() {
            self.block(&other.text);
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Refuses what has become too long, so that reading can stop there.
    pub(crate) fn within(&self) -> Result<(), Unconverted> {
        within(self.text.len())
    }

    pub(crate) fn converted(mut self, title: Option<String>) -> Result<Converted, Unconverted> {
        self.within()?;
        self.text.truncate(self.text.trim_end().len());
        let end = self.text.len();
        self.marks.retain(|mark| mark.at < end);
        let title = title.map(|title| one_line(&title)).filter(|title| !title.is_empty());
        Ok(Converted { kind: Kind::Markdown, title, text: self.text, marks: self.marks })
    }

    /// One blank line behind what there is.
    fn gap(&mut self) {
        self.text.truncate(self.text.trim_end_matches([' ', '\n']).len());
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        // A mark of a part that turned out empty stands where the next text begins.
        let end = self.text.len();
        if let Some(last) = self.marks.last_mut() {
            last.at = last.at.min(end);
        }
    }

    fn push(&mut self, text: &str) {
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\r' if chars.peek() == Some(&'\n') => {}
                '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                    self.text.push('\n');
                }
                // Control characters, marks of bytes' order, and places where a word may be broken.
                '\u{feff}' | '\u{200b}' | '\u{ad}' => {}
                '\n' | '\t' => self.text.push(c),
                c if c.is_control() => {}
                c => self.text.push(c),
            }
        }
    }
}

pub(crate) fn within(bytes: usize) -> Result<(), Unconverted> {
    if bytes > TEXT_BYTES_MAX {
        let limit = TEXT_BYTES_MAX >> 20;
        return Err(Unconverted::TooMuch(format!("more than {limit} MiB of text")));
    }
    Ok(())
}

/// The text with each run of white space as one space.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
