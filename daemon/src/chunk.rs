//! Text in, passages with byte ranges and line numbers out. Pure, and linear in the text.
//!
//! Markdown and other markup is cut at its headings, code at what it defines, or where no parser knows its
//! language at items that begin in the first column, data at its keys, tables between records below their header; what is still
//! too large for the model is cut by `pack` into paragraphs, sentences, lines and words.

mod bytes;
mod code;
mod data;
mod heading;
mod markdown;
pub(crate) mod markup;
mod outline;
mod pack;
mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use daemon_protocol::Place;

use crate::document::{Extracted, Kind, Mark};
use crate::store::Passage;

/// Characters of one heading in a trail: enough to say where one is, and a bound on what a
/// generated file can repeat in each of its passages.
const HEADING_CHARS_MAX: usize = 120;

/// Bytes of headings without text of their own that are put before the next section's text.
const CARRIED_BYTES_MAX: usize = 512;

const SEPARATOR: &str = " > ";
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A stretch of the text under one heading trail.
struct Section {
    heading: String,
    /// Tokens that title and heading take in a passage.
    taken: usize,
    bytes: Range<usize>,
}

/// Cuts a document so that [`embedded_text`] of each passage is at most `tokens_max` tokens.
///
/// The passages are in order, do not overlap, and hold everything but white space between them, and
/// bytes that are written as letters.
/// A passage's text is exactly `extracted.text[passage.bytes]`.
///
/// - Title and headings may take half of `tokens_max` at most; what they are longer, the whole
///   is longer.
/// - Words are cut only where a single one is over the budget (base64 lines, languages written
///   without spaces), and then between characters.
///
/// `count` counts the tokens of a text. It is called on stretches of bounded length, each byte
/// a bounded number of times, and the counts of neighbouring stretches are added up, which for a
/// tokenizer that cuts at white space first is exact or a token too many.
pub fn chunk(
    extracted: &Extracted,
    tokens_max: usize,
    count: &dyn Fn(&str) -> usize,
) -> Vec<Passage> {
    let text = extracted.text.as_str();
    let title = extracted.title.as_str();
    let room = |taken: usize| (tokens_max - taken.min(tokens_max / 2)).max(1);
    let titled = count(title) + count("\n\n");
    let mut passages =
        Passages { text, at: 0, line: 1, marks: &extracted.marks, place: None, done: Vec::new() };
    let start = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
    let parts = |bytes: Range<usize>| parts(bytes, &extracted.marks);
    match extracted.kind {
        Kind::Markdown | Kind::Org | Kind::Rst | Kind::Asciidoc | Kind::Latex | Kind::Man => {
            for section in sections(extracted.kind, text, title, titled, count) {
                let room = room(section.taken);
                for bytes in parts(section.bytes) {
                    for bytes in pack::pack(text, bytes, pack::PROSE, room, count) {
                        passages.push(section.heading.clone(), bytes);
                    }
                }
            }
        }
        Kind::Table => {
            let heading = table::header(&text[start..]).map(|header| shown(&header));
            let heading = heading.unwrap_or_default();
            let room = room(titled + count(&below(&heading)));
            for bytes in pack::pack(text, start..text.len(), pack::TABLE, room, count) {
                passages.push(heading.clone(), bytes);
            }
        }
        Kind::Code if !extracted.outline.is_empty() => {
            let measure = outline::Measure { count, room: &room, titled };
            let pieces = outline::cut(text, start..text.len(), &extracted.outline, &measure);
            pieces.into_iter().for_each(|(heading, bytes)| passages.push(heading, bytes));
        }
        Kind::Data | Kind::Code => {
            let code = extracted.kind == Kind::Code;
            let items = if code { code::items(text, start) } else { data::items(text, start) };
            // Which item a passage will be in is known only when it is cut, so the longest
            // name is made room for.
            let names = items.iter().filter_map(|item| item.name);
            let longest = names.map(|name| count(&below(name))).max();
            let room = room(titled + longest.unwrap_or(0));
            let mut headings = code::Headings::new(&items);
            for bytes in pack::pack(text, start..text.len(), pack::CODE, room, count) {
                let heading = headings.of(&bytes).map(shown).unwrap_or_default();
                passages.push(heading, bytes);
            }
        }
        Kind::Text => {
            for bytes in parts(start..text.len()) {
                for bytes in pack::pack(text, bytes, pack::PROSE, room(titled), count) {
                    passages.push(String::new(), bytes);
                }
            }
        }
    }
    passages.done.retain(|passage| !bytes::are(&passage.text));
    passages.done
}

/// Where the text begins behind what is only about it, such as front matter. Words are found in that as well,
/// but it is no prose for the model to read.
pub fn body(extracted: &Extracted) -> usize {
    markup::body(extracted.kind, &extracted.text)
}

/// What the model reads of a passage: where it is, then what it says. Headings that the text
/// itself begins with are not said twice, nor a title that is the first heading.
pub fn embedded_text(title: &str, heading: &str, text: &str) -> String {
    let mut trail: Vec<&str> = Vec::new();
    let headings = heading.split(SEPARATOR).filter(|part| !part.is_empty());
    for part in std::iter::once(title).filter(|title| !title.is_empty()).chain(headings) {
        // A trail holds less of a heading than a title may have.
        if trail.last().is_none_or(|last| shown(last) != shown(part)) {
            trail.push(part);
        }
    }
    // A heading may have a line above it as well as below.
    let line = text.lines().take(2).find(|line| line.contains(char::is_alphanumeric));
    let line = line.unwrap_or_default().trim();
    let said = markup::said(line).chain([Cow::Borrowed(code::name(line))]);
    let said = said.chain(table::header(line).map(Cow::Owned));
    let said: Vec<String> = said.map(|said| shown(&said)).collect();
    let is_said = |part: &&str| said.contains(&shown(part));
    if let Some(repeated) = trail.iter().position(is_said) {
        trail.truncate(repeated);
    }
    if trail.is_empty() || text.is_empty() {
        return format!("{}{text}", trail.join(SEPARATOR));
    }
    format!("{}\n\n{text}", trail.join(SEPARATOR))
}

/// As much of a heading as a trail holds, without what parts it from the next: `Settings > Mail` is one heading.
fn shown(heading: &str) -> String {
    let shown: String = heading.chars().take(HEADING_CHARS_MAX).collect();
    let words = shown.split(' ').map(|word| if word == ">" { "›" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// A heading as it stands in a trail behind another.
fn below(heading: &str) -> String {
    format!("{SEPARATOR}{}", shown(heading))
}

/// The sections of a text with headings, which together are all of it. `titled` is what the title
/// takes; every heading is counted once.
fn sections(
    kind: Kind,
    text: &str,
    title: &str,
    titled: usize,
    count: &dyn Fn(&str) -> usize,
) -> Vec<Section> {
    let mut headings = markup::headings(kind, text).into_iter().peekable();
    let mut begin = text.len() - text.trim_start_matches(BYTE_ORDER_MARK).len();
    let body = markup::body(kind, text).max(begin);
    let mut sections = Vec::new();
    let first = headings.peek().map_or(text.len(), |first| first.bytes.start);
    // A heading may stand before what its document begins with: a macro's, in a preamble.
    let introduced = !text[body.min(first)..first].trim().is_empty();
    if introduced || first - begin > CARRIED_BYTES_MAX || first == text.len() {
        sections.push(Section { heading: String::new(), taken: titled, bytes: begin..first });
        begin = first;
    }
    // Level, text and tokens of the headings above.
    let mut trail: Vec<(usize, String, usize)> = Vec::new();
    while let Some(heading) = headings.next() {
        trail.retain(|(level, ..)| *level < heading.level);
        let repeated = trail.is_empty() && shown(&heading.text) == shown(title);
        let tokens = if repeated { 0 } else { count(&below(&heading.text)) };
        trail.push((heading.level, shown(&heading.text), tokens));
        let end = headings.peek().map_or(text.len(), |next| next.bytes.start);
        let bare = text[heading.bytes.end..end].trim().is_empty();
        if bare && end < text.len() && end - begin <= CARRIED_BYTES_MAX {
            continue; // goes before the next section's text
        }
        let names: Vec<&str> = trail
            .iter()
            .map(|(_, name, _)| name.as_str())
            .filter(|name| !name.is_empty())
            .collect();
        let taken = titled + trail.iter().map(|(.., tokens)| tokens).sum::<usize>();
        sections.push(Section { heading: names.join(SEPARATOR), taken, bytes: begin..end });
        begin = end;
    }
    sections
}

/// The stretches of `bytes` between beginnings of parts that no passage goes across: a page is a page.
/// A cell of a notebook is no such part, for many a cell is one line.
fn parts(bytes: Range<usize>, marks: &[Mark]) -> Vec<Range<usize>> {
    let mut start = bytes.start;
    let later = &marks[marks.partition_point(|mark| mark.at <= bytes.start)..];
    let inside = later.iter().take_while(|mark| mark.at < bytes.end);
    let ends = inside.filter(|mark| !matches!(mark.place, Place::Cell(_))).map(|mark| mark.at);
    ends.chain([bytes.end]).map(|end| std::mem::replace(&mut start, end)..end).collect()
}

/// Collects passages in order, counting lines on the way.
struct Passages<'a> {
    text: &'a str,
    /// Everything before this byte is counted into `line`.
    at: usize,
    line: usize,
    /// Those of parts that begin later than the last passage.
    marks: &'a [Mark],
    place: Option<&'a Place>,
    done: Vec<Passage>,
}

impl Passages<'_> {
    fn push(&mut self, heading: String, bytes: Range<usize>) {
        let first = self.line_at(bytes.start);
        let last = self.line_at(bytes.end);
        let text = self.text[bytes.clone()].to_owned();
        let place = self.place_at(bytes.start);
        self.done.push(Passage { heading, bytes, lines: (first, last), place, text });
    }

    /// The part that has begun by `byte`.
    fn place_at(&mut self, byte: usize) -> Option<Place> {
        while let [mark, later @ ..] = self.marks
            && mark.at <= byte
        {
            (self.place, self.marks) = (Some(&mark.place), later);
        }
        self.place.cloned()
    }

    fn line_at(&mut self, byte: usize) -> usize {
        let passed = &self.text.as_bytes()[self.at..byte];
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.at = byte;
        self.line
    }
}
