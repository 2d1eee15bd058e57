//! What a page's tags and text become, block by block.

use html5ever::LocalName;
use html5ever::tokenizer::Tag;

use crate::text::{INDENTS_MAX, Text};

/// Not shown, or shown by programs that this is not.
#[rustfmt::skip]
const HIDDEN: &[&str] = &[
    "audio", "canvas", "datalist", "iframe", "noembed", "noframes", "noscript", "object", "rp", "rt",
    "script", "select", "style", "svg", "template", "video",
];

/// What of these is no text at all, so that nothing of it is read even from a page that is not whole: all but one
/// end where their end tag stands, whatever is within.
const NO_TEXT: &[&str] = &["iframe", "noembed", "noframes", "script", "style", "template"];

/// Elements that never hold anything.
#[rustfmt::skip]
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];

/// Elements within a line. All others begin and end a block: an unknown one is more often a section of
/// its own than a word.
#[rustfmt::skip]
const INLINE: &[&str] = &[
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "button", "cite", "code", "data", "del", "dfn", "em",
    "embed", "font", "i", "input", "ins", "kbd", "label", "map", "mark", "meter", "nobr", "output",
    "progress", "q", "rb", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time",
    "tt", "u", "var", "wbr", "link", "meta", "script", "style", "template", "area", "base", "svg", "math",
    "mi", "mn", "mo", "mrow", "msub", "msup", "msubsup", "mfrac", "msqrt", "mtext", "semantics", "annotation",
];

pub(super) struct Page {
    text: Text,
    title: Option<String>,
    /// The block that is being written.
    block: String,
    /// White space was read since, and stands for one space if a word follows.
    space: bool,
    within: Within,
    /// Of each list that is open: the next number, if it has numbers.
    lists: Vec<Option<u64>>,
    /// What the next block of a list's item begins with.
    bullet: Option<String>,
    /// The block before was a list's.
    listed: bool,
    tables: Vec<Table>,
    skipped: Option<(LocalName, usize)>,
    /// Menus and what is marked as hidden are left out.
    tidy: bool,
}

#[derive(PartialEq)]
enum Within {
    Flow,
    Title,
    Heading(usize),
    Pre,
}

#[derive(Default)]
struct Table {
    rows: Vec<Vec<String>>,
    in_cell: bool,
    /// Holds more than lines: it places things on the page, and its cells are blocks.
    layout: bool,
}

impl Page {
    pub(super) fn new(tidy: bool) -> Page {
        Page {
            text: Text::default(),
            title: None,
            block: String::new(),
            space: false,
            within: Within::Flow,
            lists: Vec::new(),
            bullet: None,
            listed: false,
            tables: Vec::new(),
            skipped: None,
            tidy,
        }
    }

    pub(super) fn open(&mut self, tag: &Tag) {
        let name = &*tag.name;
        if let Some((skipped, depth)) = &mut self.skipped {
            if *skipped == tag.name {
                *depth += 1;
            }
            return;
        }
        let hidden = if self.tidy { HIDDEN } else { NO_TEXT };
        if !VOID.contains(&name) && (hidden.contains(&name) || self.tidy && self.unwanted(tag)) {
            self.skipped = Some((tag.name.clone(), 1));
            return;
        }
        match name {
            "br" => self.break_line(),
            "img" => {
                if let Some(alt) = attribute(tag, "alt") {
                    self.space = true;
                    self.words(alt);
                    self.space = true;
                }
            }
            "title" if self.title.is_none() => {
                self.end_block();
                self.within = Within::Title;
            }
            "table" => self.open_table(),
            "tr" => self.open_row(),
            "td" | "th" => self.open_cell(),
            _ if INLINE.contains(&name) => {}
            _ => self.open_block(tag),
        }
    }

    fn open_block(&mut self, tag: &Tag) {
        if self.is_line_of_code(&tag.name) {
            return self.end_line_of_code();
        }
        self.end_block();
        match &*tag.name {
            "ul" | "menu" | "dir" => self.open_list(None),
            "ol" => {
                let start = attribute(tag, "start").and_then(|start| start.trim().parse().ok());
                self.open_list(Some(start.unwrap_or(1)));
            }
            "li" => {
                let indent = "  ".repeat(self.lists.len().saturating_sub(1).min(INDENTS_MAX));
                let bullet = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number = number.saturating_add(1);
                        format!("{indent}{}. ", *number - 1)
                    }
                    _ => format!("{indent}- "),
                };
                self.bullet = Some(bullet);
            }
            "pre" | "xmp" | "plaintext" | "listing" => {
                self.spread();
                self.within = Within::Pre;
            }
            name => {
                if let Some(level) = level(name) {
                    self.spread();
                    self.within = Within::Heading(level);
                }
            }
        }
    }

    /// Programs that colour code put each of its lines in an element.
    fn is_line_of_code(&self, name: &str) -> bool {
        self.within == Within::Pre && matches!(name, "div" | "li" | "ol" | "p")
    }

    fn end_line_of_code(&mut self) {
        if !self.block.is_empty() && !self.block.ends_with('\n') {
            self.block.push('\n');
        }
    }

    pub(super) fn close(&mut self, name: &LocalName) {
        if let Some((skipped, depth)) = &mut self.skipped {
            // The end tags of readings may be left out: the word that they are of ends them all.
            let ends_readings = &**name == "ruby" && matches!(&**skipped, "rt" | "rp");
            if skipped == name {
                *depth -= 1;
            }
            if ends_readings || *depth == 0 {
                self.skipped = None;
            }
            return;
        }
        match &**name {
            "title" if self.within == Within::Title => {
                let title = std::mem::take(&mut self.block);
                self.title = Some(title).filter(|title| !title.is_empty());
                self.within = Within::Flow;
            }
            "table" => self.close_table(),
            "td" | "th" => self.close_cell(),
            "tr" => self.close_cell(),
            "ul" | "ol" | "menu" | "dir" if !self.is_line_of_code(name) => {
                self.end_block();
                self.lists.pop();
                self.bullet = None;
            }
            _ if self.is_line_of_code(name) => self.end_line_of_code(),
            name if INLINE.contains(&name) || VOID.contains(&name) && name != "br" => {}
            _ => self.end_block(),
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        if self.skipped.is_some() {
            return;
        }
        if self.within == Within::Pre {
            self.block.push_str(text);
        } else {
            self.words(text);
        }
    }

    fn words(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_whitespace() {
                self.space = true;
                continue;
            }
            if self.space && !self.block.is_empty() && !self.block.ends_with('\n') {
                self.block.push(' ');
            }
            self.space = false;
            self.block.push(c);
        }
    }

    fn break_line(&mut self) {
        if self.within == Within::Pre || !self.block.is_empty() {
            self.block.push('\n');
        }
        self.space = false;
    }

    /// Writes the block that has been read, if any.
    fn end_block(&mut self) {
        self.space = false;
        if self.tables.last().is_some_and(|table| table.in_cell && !table.layout) {
            // Its paragraphs are lines of the cell.
            self.break_line();
            return;
        }
        let block = std::mem::take(&mut self.block);
        match std::mem::replace(&mut self.within, Within::Flow) {
            Within::Pre => {
                self.text.code("", &block);
                self.listed = false;
            }
            Within::Heading(level) => {
                self.text.heading(level, &block);
                self.listed = false;
            }
            Within::Flow | Within::Title if block.trim().is_empty() => {}
            Within::Flow | Within::Title => self.write(block.trim_end()),
        }
    }

    fn write(&mut self, block: &str) {
        let indent = "  ".repeat(self.lists.len().min(INDENTS_MAX));
        let block = match self.bullet.take() {
            Some(bullet) => format!("{bullet}{}", block.replace('\n', &format!("\n{indent}"))),
            None if self.lists.is_empty() => {
                self.listed = false;
                self.text.block(block);
                return;
            }
            None => format!("{indent}{}", block.replace('\n', &format!("\n{indent}"))),
        };
        if self.listed {
            self.text.line(&block);
        } else {
            self.text.block(&block);
        }
        self.listed = true;
    }

    fn open_list(&mut self, number: Option<u64>) {
        self.spread();
        self.lists.push(number);
        if self.lists.len() == 1 {
            self.listed = false;
        }
    }

    /// The table that this is in, if any, is for layout: a cell of data holds lines only.
    fn spread(&mut self) {
        let Some(table) = self.tables.last_mut().filter(|table| !table.layout) else { return };
        table.layout = true;
        let (rows, in_cell) = (std::mem::take(&mut table.rows), table.in_cell);
        let block = std::mem::take(&mut self.block);
        for row in rows {
            for cell in row.iter().filter(|cell| !cell.trim().is_empty()) {
                self.write(cell.trim());
            }
        }
        self.block = block;
        if in_cell {
            self.end_block();
        }
    }

    fn open_table(&mut self) {
        self.end_block();
        self.spread();
        self.listed = false;
        self.tables.push(Table::default());
    }

    fn open_row(&mut self) {
        self.close_cell();
        if let Some(table) = self.tables.last_mut() {
            table.rows.push(Vec::new());
        }
    }

    fn open_cell(&mut self) {
        self.close_cell();
        if let Some(table) = self.tables.last_mut() {
            if table.rows.is_empty() {
                table.rows.push(Vec::new());
            }
            table.in_cell = true;
        }
    }

    fn close_cell(&mut self) {
        let Some(table) = self.tables.last_mut().filter(|table| table.in_cell && !table.layout)
        else {
            self.end_block();
            return;
        };
        table.in_cell = false;
        let cell = std::mem::take(&mut self.block);
        if let Some(row) = table.rows.last_mut() {
            row.push(cell.trim().to_owned());
        }
        self.space = false;
    }

    fn close_table(&mut self) {
        self.close_cell();
        let Some(table) = self.tables.pop() else { return };
        if !table.layout {
            self.listed = false;
            self.text.table(&table.rows);
        }
    }

    /// A menu, or something that is there for programs only.
    fn unwanted(&self, tag: &Tag) -> bool {
        let style = attribute(tag, "style").unwrap_or_default();
        &*tag.name == "nav"
            || attribute(tag, "hidden").is_some()
            || attribute(tag, "aria-hidden") == Some("true")
            || style.contains("display:none")
            || style.contains("display: none")
    }

    pub(super) fn unclosed(&self) -> bool {
        self.tidy && self.skipped.is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.as_str().is_empty() && self.block.trim().is_empty() && self.tables.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.text.as_str().len() + self.block.len()
    }

    pub(super) fn finish(mut self) -> (Text, Option<String>) {
        while !self.tables.is_empty() {
            self.close_table();
        }
        self.end_block();
        (self.text, self.title)
    }
}

fn level(name: &str) -> Option<usize> {
    let level = name.strip_prefix('h')?.parse().ok()?;
    (1..=6).contains(&level).then_some(level)
}

fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|a| &*a.name.local == name).map(|a| &*a.value)
}
