//! Markdown as it is meant, line by line as it is written: so that a line of the screen is still one of the file, and
//! an editor opens at it. Pure.

use std::ops::Range;
use std::path::Path;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::face::{Faces, Marked};

/// Endings of names of Markdown files.
const ENDINGS: [&str; 6] = ["md", "markdown", "mdx", "qmd", "rmd", "mkd"];

pub(crate) fn is_markdown(path: &str) -> bool {
    let ending = Path::new(path).extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.to_lowercase().as_str()))
}

/// A list's item or a quotation: what is seen before its lines.
struct Inset {
    /// Where its first line begins.
    line: usize,
    /// Before that line, and before the others.
    first: String,
    others: String,
}

/// What is under way.
struct Reader<'a> {
    marked: Marked<'a>,
    source: &'a str,
    /// How text looks, by what it is in; the innermost last.
    faces: Vec<Faces>,
    insets: Vec<Inset>,
    /// The number of the next item of each list around, if it counts.
    lists: Vec<Option<u64>>,
}

/// How each byte of `source` looks.
pub(crate) fn marked(source: &str) -> Marked<'_> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let marked = Marked::hidden(source);
    let mut reader =
        Reader { marked, source, faces: Vec::new(), insets: Vec::new(), lists: Vec::new() };
    for (event, range) in Parser::new_ext(source, options).into_offset_iter() {
        reader.hear(event, range);
    }
    reader.marked
}

impl Reader<'_> {
    fn hear(&mut self, event: Event<'_>, range: Range<usize>) {
        let face = self.faces.last().copied().unwrap_or_default();
        match event {
            Event::Start(tag) => self.begin(&tag, range, face),
            Event::End(tag) => self.end(tag, range),
            Event::Code(_) => {
                let inner = inside(self.source, range);
                self.marked.show(inner, face.with(Faces::CODE));
            }
            Event::Html(_) | Event::InlineHtml(_) => self.marked.show(range, Faces::ASIDE),
            Event::TaskListMarker(done) => {
                self.marked.sign(range.start, if done { "☑ " } else { "☐ " });
            }
            Event::Rule => {
                for at in range.filter(|at| !self.source[*at..].starts_with('\n')) {
                    self.marked.sign(at, "─");
                }
            }
            Event::SoftBreak | Event::HardBreak => {}
            _ => self.marked.show(range, face),
        }
    }

    fn begin(&mut self, tag: &Tag<'_>, range: Range<usize>, face: Faces) {
        let own = match tag {
            Tag::Heading { .. } => Faces::HEADING,
            Tag::Strong | Tag::TableHead => Faces::STRONG,
            Tag::Emphasis => Faces::EMPHASIS,
            Tag::Strikethrough => Faces::STRUCK,
            Tag::CodeBlock(_) => Faces::CODE,
            Tag::Link { .. } | Tag::Image { .. } => Faces::LINK,
            Tag::MetadataBlock(_) | Tag::HtmlBlock => Faces::ASIDE,
            _ => Faces::HIDDEN,
        };
        self.faces.push(face.with(own));
        match tag {
            Tag::List(first) => self.lists.push(*first),
            Tag::Item => {
                let marker = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "• ".to_owned(),
                };
                let blank = " ".repeat(marker.chars().count());
                self.inset(range, &marker, &blank);
            }
            Tag::BlockQuote(_) => self.inset(range, "▏ ", "▏ "),
            Tag::CodeBlock(CodeBlockKind::Fenced(language)) if !language.is_empty() => {
                // What it is written in stands for the fence.
                if let Some(at) = self.source[range.clone()].find(language.as_ref()) {
                    let start = range.start + at;
                    self.marked.show(start..start + language.len(), Faces::ASIDE);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        self.faces.pop();
        match tag {
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::Item | TagEnd::BlockQuote(_) => {
                self.insets.pop();
            }
            TagEnd::Table => self.rule(range),
            _ => {}
        }
    }

    /// Sets `first` before the first of the lines at `range`, and `others` before the others, behind what the inset
    /// around has there.
    fn inset(&mut self, range: Range<usize>, first: &str, others: &str) {
        let line = self.line(range.start);
        let (begun, going_on) = match self.insets.last() {
            Some(outer) if outer.line == line => (outer.first.as_str(), outer.others.as_str()),
            Some(outer) => (outer.others.as_str(), outer.others.as_str()),
            None => ("", ""),
        };
        let inset =
            Inset { line, first: format!("{begun}{first}"), others: format!("{going_on}{others}") };
        self.marked.put_before(line, inset.first.clone());
        let lines = self.source[range.clone()].match_indices('\n');
        let lines = lines.map(|(at, _)| range.start + at + 1).filter(|at| *at < range.end);
        for line in lines {
            self.marked.put_before(line, inset.others.clone());
        }
        self.insets.push(inset);
    }

    /// Draws the lines between the cells of a table.
    fn rule(&mut self, range: Range<usize>) {
        let mut at = range.start;
        for line in self.source[range].split_inclusive('\n') {
            let is_rule = line.contains('-') && line.trim().chars().all(|c| "-:| ".contains(c));
            let text = line.trim_end();
            for (offset, sign) in text.char_indices() {
                let seen = match sign {
                    '|' if is_rule => "┼",
                    '-' | ':' | ' ' if is_rule => "─",
                    '|' => "│",
                    ' ' => " ",
                    _ => continue,
                };
                if self.marked.is_hidden(at + offset) {
                    self.marked.sign(at + offset, seen);
                }
            }
            at += line.len();
        }
    }

    /// Where the line that byte `at` is in begins.
    fn line(&self, at: usize) -> usize {
        self.source[..at].rfind('\n').map_or(0, |end| end + 1)
    }
}

/// The code between the backticks at `range`.
fn inside(source: &str, range: Range<usize>) -> Range<usize> {
    let code = &source[range.clone()];
    let ticks = code.len() - code.trim_start_matches('`').len();
    let Some(inner) = code.get(ticks..code.len().saturating_sub(ticks)) else { return range };
    let padded = inner.starts_with(' ') && inner.ends_with(' ') && !inner.trim().is_empty();
    let pad = usize::from(padded);
    range.start + ticks + pad..range.end - ticks - pad
}
