//! Finds the headings and the title of a Markdown text. Not a Markdown parser: it knows just
//! enough of CommonMark not to take code, comments, rules or front matter for headings.

mod front;
mod hidden;
mod inline;
mod tags;
#[cfg(test)]
mod tests;

use crate::chunk::heading::{Heading, lines};
use crate::document::About;

pub(crate) use front::body;
pub(crate) use inline::readable;

/// Quotations and list items in one another that are followed; deeper ones are text.
const DEPTH_MAX: usize = 32;

/// What the document says of itself: its title and names in the front matter, and the tags in its text.
pub(crate) fn about(text: &str) -> (Option<String>, About) {
    let (title, mut about) = front::about(text);
    for tag in tags::tags(&text[body(text)..]) {
        if !about.tags.iter().any(|known| known == tag) {
            about.tags.push(tag.to_owned());
        }
    }
    (title, about)
}

/// The first heading of level 1, which is the title where front matter names none.
pub(crate) fn title(text: &str) -> Option<String> {
    let mut headings = headings(text).into_iter();
    let top = headings.find(|heading| heading.level == 1 && !heading.text.is_empty())?;
    Some(top.text.into_owned())
}

/// Every heading in order, but for those in quotations and list items: they head nothing outside.
pub(crate) fn headings(text: &str) -> Vec<Heading<'_>> {
    let mut scan = Scan {
        found: Vec::new(),
        containers: Vec::new(),
        leaf: Leaf::None,
        after_blank: true,
        hidden: hidden::Hidden::new(text),
    };
    let mut shown_from = 0;
    for (start, line) in lines(text, body(text)) {
        if start < shown_from {
            continue;
        }
        if let Some(end) = scan.line(start, line) {
            shown_from = end;
        }
        scan.after_blank = line.trim().is_empty();
    }
    scan.found
}

/// `## Heading ##` -> level and text.
pub(crate) fn atx(line: &str) -> Option<(usize, &str)> {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    if !(1..=6).contains(&level) || !(rest.is_empty() || rest.starts_with(char::is_whitespace)) {
        return None;
    }
    let text = rest.trim();
    let open = text.trim_end_matches('#');
    let closed = open.is_empty() || open.ends_with(char::is_whitespace);
    Some((level, if closed { open.trim_end() } else { text }))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Quotation,
    /// A list item, with the columns that its lines are indented by.
    Item(usize),
}

/// What the line before left open.
#[derive(Clone, Copy)]
enum Leaf<'a> {
    None,
    /// With the run of marks that opened it.
    Fence(&'a str),
    /// Ends at a blank line.
    Html,
    /// With its only line, if that could be underlined.
    Paragraph(Option<(usize, &'a str)>),
}

struct Scan<'a> {
    found: Vec<Heading<'a>>,
    containers: Vec<Container>,
    leaf: Leaf<'a>,
    after_blank: bool,
    hidden: hidden::Hidden<'a>,
}

impl<'a> Scan<'a> {
    /// Reads the next line. Some is where to go on, where not behind it.
    fn line(&mut self, start: usize, line: &'a str) -> Option<usize> {
        let (rest, matched) = self.continued(line);
        if self.goes_on(line, rest, matched) {
            return None;
        }
        self.containers.truncate(matched);
        let end = start + line.len();
        if let (true, Some(bare)) = (self.containers.is_empty(), unindented(rest))
            && let (Leaf::Paragraph(Some((begin, above))), Some(level)) =
                (self.leaf, underline(bare))
        {
            self.found.push(Heading { level, text: readable(above), bytes: begin..end });
            self.leaf = Leaf::None;
            return None;
        }
        let rest = self.open(rest);
        let at = end - rest.len();
        let Some(bare) = unindented(rest) else {
            // Code, or a paragraph's next line.
            if let Leaf::Paragraph(_) = self.leaf {
                self.leaf = Leaf::Paragraph(None);
            }
            return None;
        };
        if let Some(end) = self.hidden.block(at + rest.len() - bare.len(), bare) {
            self.leaf = Leaf::None;
            return Some(end);
        }
        self.leaf = match atx(bare) {
            Some((level, text)) => {
                if self.containers.is_empty() {
                    self.found.push(Heading { level, text: readable(text), bytes: start..end });
                }
                Leaf::None
            }
            None => self.text(start, bare),
        };
        match self.leaf {
            Leaf::Fence(_) => None,
            _ => self.hidden.comment(at, rest),
        }
    }

    /// What a line that is no heading leaves open.
    fn text(&self, start: usize, bare: &'a str) -> Leaf<'a> {
        if let Some(open) = opens(bare) {
            return Leaf::Fence(open);
        }
        if bare.trim().is_empty() || is_rule(bare) {
            return Leaf::None;
        }
        if hidden::is_html(bare) {
            return Leaf::Html;
        }
        let first = !matches!(self.leaf, Leaf::Paragraph(_)) && self.containers.is_empty();
        Leaf::Paragraph((first && !is_block(bare)).then(|| (start, bare.trim())))
    }

    /// The line behind the marks of those containers that it is in, and how many these are.
    fn continued(&self, line: &'a str) -> (&'a str, usize) {
        let blank = line.trim().is_empty();
        let mut rest = line;
        for (matched, container) in self.containers.iter().enumerate() {
            let inside = match container {
                Container::Quotation => unindented(rest).and_then(|bare| bare.strip_prefix('>')),
                Container::Item(_) if blank => Some(rest),
                Container::Item(columns) => without_columns(rest, *columns),
            };
            match (inside, container) {
                (Some(inside), Container::Item(_)) => rest = inside,
                (Some(inside), Container::Quotation) => {
                    rest = inside.strip_prefix(' ').unwrap_or(inside);
                }
                (None, _) => return (rest, matched),
            }
        }
        (rest, self.containers.len())
    }

    /// Whether the line only goes on with what is open, or ends that.
    fn goes_on(&mut self, line: &'a str, rest: &'a str, matched: usize) -> bool {
        let left = self.containers.get(matched).copied();
        match (self.leaf, left) {
            (Leaf::Fence(open), None) => {
                if unindented(rest).is_some_and(|bare| closes(bare, open)) {
                    self.leaf = Leaf::None;
                }
                true
            }
            // The item ends here and the fence with it, unless whoever wrote it did not indent
            // the code, or what ends it.
            (Leaf::Fence(open), Some(Container::Item(_))) => {
                let closed = closes(line.trim_start(), open);
                if closed || self.after_blank {
                    self.leaf = Leaf::None;
                }
                closed || !self.after_blank
            }
            (Leaf::Html, None) => {
                if rest.trim().is_empty() {
                    self.leaf = Leaf::None;
                }
                true
            }
            // Plain text goes on with a paragraph without the marks of what that is in.
            (Leaf::Paragraph(_), Some(_)) => {
                let lazy = !rest.trim().is_empty() && !begins_block(rest);
                if !lazy {
                    self.leaf = Leaf::None;
                }
                lazy
            }
            (_, Some(_)) => {
                self.leaf = Leaf::None;
                false
            }
            (Leaf::None | Leaf::Paragraph(_), None) => false,
        }
    }

    /// Opens the quotations and items that begin here; what is behind their marks.
    fn open(&mut self, mut rest: &'a str) -> &'a str {
        while self.containers.len() < DEPTH_MAX {
            let Some(bare) = unindented(rest).filter(|bare| !is_rule(bare)) else { break };
            let (container, inside) = if let Some(inside) = bare.strip_prefix('>') {
                (Container::Quotation, inside.strip_prefix(' ').unwrap_or(inside))
            } else if let Some((columns, inside)) = item(bare) {
                (Container::Item(rest.len() - bare.len() + columns), inside)
            } else {
                break;
            };
            self.containers.push(container);
            self.leaf = Leaf::None;
            rest = inside;
        }
        rest
    }
}

/// Whether the line can not be a paragraph's next.
fn begins_block(rest: &str) -> bool {
    unindented(rest).is_some_and(|bare| {
        bare.starts_with('>')
            || item(bare).is_some()
            || atx(bare).is_some()
            || opens(bare).is_some()
            || is_rule(bare)
            || bare.starts_with("<!--")
            || hidden::is_html(bare)
    })
}

/// The columns of a list item's mark with the blanks behind it, and what is behind those.
fn item(bare: &str) -> Option<(usize, &str)> {
    let digits = bare.len() - bare.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mark = match digits {
        0 => bare.starts_with(['-', '*', '+']).then_some(1)?,
        1..=9 => bare[digits..].starts_with(['.', ')']).then_some(digits + 1)?,
        _ => return None,
    };
    let behind = &bare[mark..];
    let blanks = behind.len() - behind.trim_start_matches(' ').len();
    if behind.trim().is_empty() {
        return Some((mark + 1, behind));
    }
    match blanks {
        0 => behind.strip_prefix('\t').map(|inside| (mark + 1, inside)),
        1..=4 => Some((mark + blanks, &behind[blanks..])),
        _ => Some((mark + 1, &behind[1..])),
    }
}

/// The line without its indentation, unless that makes it code.
fn unindented(line: &str) -> Option<&str> {
    let bare = line.trim_start_matches(' ');
    (line.len() - bare.len() < 4 && !bare.starts_with('\t')).then_some(bare)
}

/// The line without so many columns of blanks, if it begins with as many.
fn without_columns(line: &str, columns: usize) -> Option<&str> {
    let mut column = 0;
    for (at, byte) in line.bytes().enumerate() {
        if column >= columns {
            return Some(&line[at..]);
        }
        match byte {
            b' ' => column += 1,
            b'\t' => column = (column / 4 + 1) * 4,
            _ => return None,
        }
    }
    None
}

/// The run of backticks or tildes that opens a fenced block here.
fn opens(line: &str) -> Option<&str> {
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let rest = line.trim_start_matches(mark);
    let run = &line[..line.len() - rest.len()];
    (run.len() >= 3 && !(mark == '`' && rest.contains('`'))).then_some(run)
}

fn closes(line: &str, open: &str) -> bool {
    let line = line.trim_end();
    line.starts_with(open) && line.trim_start_matches(&open[..1]).is_empty()
}

/// The level that an underline gives the line above it.
fn underline(line: &str) -> Option<usize> {
    let line = line.trim_end();
    match line.chars().next()? {
        '=' if line.trim_start_matches('=').is_empty() => Some(1),
        '-' if line.trim_start_matches('-').is_empty() => Some(2),
        _ => None,
    }
}

/// `---`, `* * *`.
fn is_rule(line: &str) -> bool {
    let Some(mark) = line.chars().next().filter(|c| "-*_".contains(*c)) else { return false };
    line.matches(mark).count() >= 3 && line.chars().all(|c| c == mark || c.is_whitespace())
}

/// Whether the line begins a table row, a tag or a link's address: a line of hyphens below one of
/// these underlines nothing.
fn is_block(line: &str) -> bool {
    line.starts_with(['|', '<']) || line.starts_with('[') && line.contains("]:")
}
