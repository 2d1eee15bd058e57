//! What `anydoc` passes over in a Word document: hyphens that do not break and signs of other fonts, which are put
//! in its text before it is read; comments, heads and feet of its pages, which follow it.

use std::io::{Cursor, Write};

use daemon::convert::Unconverted;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::text::{Text, one_line};
use crate::xml::{self, Piece, Xml};
use crate::zipped::Zipped;

/// Elements that stand for one character.
const SIGNS: &[&str] = &["noBreakHyphen", "sym"];

/// Letters that the font Symbol has in the place of Latin ones, from `A` and from `a` on.
const GREEK_LARGE: &str = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ";
const GREEK_SMALL: &str = "αβχδεφγηιϕκλμνοπθρστυϖωξψζ";

/// What else of that font people search for or read.
const SIGNS_OF_SYMBOL: &[(u32, char)] = &[
    (0xa3, '≤'),
    (0xae, '→'),
    (0xb0, '°'),
    (0xb1, '±'),
    (0xb3, '≥'),
    (0xb4, '×'),
    (0xb9, '≠'),
    (0xbb, '≈'),
];

/// Parts that hold the text of pages.
fn is_body(name: &str) -> bool {
    matches!(name, "word/document.xml" | "word/footnotes.xml" | "word/endnotes.xml")
}

/// The document with its signs as text; nothing if it has none, or is none of Word's.
pub(super) fn mended(bytes: &[u8]) -> Result<Option<Vec<u8>>, Unconverted> {
    let mut zip = Zipped::bounded(bytes)?;
    let names: Vec<String> = zip.names().filter(|name| is_body(name)).collect();
    let mut mended = Vec::new();
    for name in names {
        // A damaged part is the library's to tell.
        let Ok(Some(text)) = zip.xml(&name) else { continue };
        if let Some(text) = signed(&text) {
            mended.push((name, text));
        }
    }
    if mended.is_empty() {
        return Ok(None);
    }
    let damaged = |error: zip::result::ZipError| Unconverted::Damaged(error.to_string());
    let mut from = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..from.len() {
        let entry = from.by_index_raw(index).map_err(damaged)?;
        let name = entry.name().map(|name| name.to_string()).unwrap_or_default();
        match mended.iter().find(|(other, _)| *other == name) {
            None => to.raw_copy_file(entry).map_err(damaged)?,
            Some((_, text)) => {
                drop(entry);
                to.start_file(name, SimpleFileOptions::default()).map_err(damaged)?;
                let written = to.write_all(text.as_bytes());
                written.map_err(|error| Unconverted::Damaged(error.to_string()))?;
            }
        }
    }
    Ok(Some(to.finish().map_err(damaged)?.into_inner()))
}

/// A part with text in place of its signs; nothing if it has none.
fn signed(text: &str) -> Option<String> {
    let mut signed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        let (tag, behind) = tag.split_at(end);
        signed.push_str(before);
        rest = behind;
        let name = tag[1..].split([' ', '/', '>', '\t', '\r', '\n']).next().unwrap_or_default();
        let (prefix, local) = name.rsplit_once(':').unwrap_or(("", name));
        if !SIGNS.contains(&local) {
            signed.push_str(tag);
            continue;
        }
        if !tag.ends_with("/>") {
            // Its end; the text is taken for its beginning, and what stands between is nothing.
            rest = rest.strip_prefix(&format!("</{name}>")).unwrap_or(rest);
        }
        if let Some(c) = sign(local, tag) {
            let name = if prefix.is_empty() { "t".to_owned() } else { format!("{prefix}:t") };
            signed.push_str(&format!("<{name}>{c}</{name}>"));
        }
    }
    signed.push_str(rest);
    (signed != text).then_some(signed)
}

/// The character that an element stands for, if that is one.
fn sign(local: &str, tag: &str) -> Option<char> {
    if local == "noBreakHyphen" {
        return Some('-');
    }
    let value = |key: &str| {
        let (_, rest) = tag.split_once(&format!("{key}=\""))?;
        rest.split('"').next()
    };
    let code = u32::from_str_radix(value("char")?, 16).ok()?;
    // Fonts of signs have theirs among those for private use, too.
    let is_private = (0xf000..=0xf0ff).contains(&code);
    if !value("font")?.eq_ignore_ascii_case("symbol") {
        let c = char::from_u32(code).filter(|c| !is_private && !c.is_control());
        return c.filter(|c| !matches!(c, '<' | '>' | '&'));
    }
    let code = if is_private { code - 0xf000 } else { code };
    let place = |first: char| usize::try_from(code.checked_sub(u32::from(first))?).ok();
    let other = || SIGNS_OF_SYMBOL.iter().find(|(own, _)| *own == code).map(|(_, c)| *c);
    let large = place('A').and_then(|place| GREEK_LARGE.chars().nth(place));
    large.or_else(|| place('a').and_then(|place| GREEK_SMALL.chars().nth(place))).or_else(other)
}

/// Comments, and each head and foot of pages once, behind what is in `text`.
pub(super) fn margins(zip: &mut Zipped<'_>, text: &mut Text) -> Result<(), Unconverted> {
    let mut names: Vec<String> = zip.names().filter(|name| is_margin(name)).collect();
    names.sort();
    let mut said: Vec<String> = Vec::new();
    for name in names {
        // What is about the document is no reason to refuse it.
        let Ok(Some(part)) = zip.xml(&name) else { continue };
        for line in paragraphs(&part).unwrap_or_default() {
            if line.contains(char::is_alphabetic) && !said.contains(&line) {
                text.block(&line);
                text.within()?;
                said.push(line);
            }
            if said.len() >= MARGINS_MAX {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Paragraphs of comments, heads and feet that are read.
const MARGINS_MAX: usize = 2_000;

fn is_margin(name: &str) -> bool {
    let part = name.strip_prefix("word/").and_then(|name| name.strip_suffix(".xml"));
    part.is_some_and(|part| {
        let kind = part.trim_end_matches(|c: char| c.is_ascii_digit());
        part == "comments" || matches!(kind, "header" | "footer")
    })
}

/// The paragraphs of a part; those of a comment behind who wrote it.
fn paragraphs(part: &str) -> Result<Vec<String>, Unconverted> {
    let mut xml = Xml::new(part);
    let (mut lines, mut line) = (Vec::new(), String::new());
    let (mut author, mut within) = (String::new(), false);
    while let Some(piece) = xml.next()? {
        match piece {
            Piece::Open(tag) => match tag.local_name().as_ref() {
                "comment" => author = xml::attribute(&tag, "author").unwrap_or_default(),
                "t" => within = true,
                "noBreakHyphen" => line.push('-'),
                "tab" | "br" => line.push(' '),
                _ => {}
            },
            Piece::Text(text) if within => line.push_str(&text),
            Piece::Text(_) => {}
            Piece::Close(tag) => match tag.local_name().as_ref() {
                "t" => within = false,
                "p" => {
                    let words = one_line(&std::mem::take(&mut line));
                    if !words.is_empty() && author.is_empty() {
                        lines.push(words);
                    } else if !words.is_empty() {
                        lines.push(format!("{}: {words}", one_line(&author)));
                    }
                }
                _ => {}
            },
        }
    }
    Ok(lines)
}
