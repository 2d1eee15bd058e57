//! Bytes to text: how it is encoded, and how its lines end. Pure.

use encoding_rs::WINDOWS_1252;

use super::Unreadable;
use crate::document::Kind;

/// Bytes looked at to tell text from data, as git and grep do.
const HEAD_BYTES: usize = 8 << 10;

/// Bytes of zero in a row that are what a machine that lost its power leaves in a log, and not data.
const PADDING_BYTES_MIN: usize = 64;

/// Such stretches in one file.
const PADDINGS_MAX: usize = 16;

/// The text that `bytes` are.
pub(super) fn decode(bytes: &[u8]) -> Result<String, Unreadable> {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    match bytes {
        [0xff, 0xfe, rest @ ..] => return utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return utf16(rest, u16::from_be_bytes),
        _ => {}
    }
    if !head.contains(&0) {
        return narrow(bytes);
    }
    match wide(head) {
        Some(unit) => utf16(bytes, unit),
        None if is_padded(bytes) => {
            // As long as the file is, so that places in it are the file's.
            let spaces = bytes.iter().map(|byte| if *byte == 0 { b' ' } else { *byte });
            narrow(&spaces.collect::<Vec<_>>())
        }
        None => Err(Unreadable::Binary),
    }
}

/// Text of one byte a letter, or several of which none is zero.
fn narrow(bytes: &[u8]) -> Result<String, Unreadable> {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    if too_many(head.iter().filter(|byte| is_control(**byte)), head.len(), 20) {
        return Err(Unreadable::Binary);
    }
    if is_mostly_utf8(bytes) {
        return Ok(String::from_utf8_lossy(bytes).into_owned());
    }
    // Mostly high bytes: Cyrillic, Greek or Japanese in a legacy encoding, or compressed data.
    // Read as Latin it would be indexed as nonsense.
    if too_many(head.iter().filter(|byte| !byte.is_ascii()), head.len(), 3) {
        return Err(Unreadable::Encoding);
    }
    // Latin-1 but for the row where Windows has typographic quotes and dashes.
    Ok(WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned())
}

/// Whether the bytes are UTF-8, damaged at most: that should cost a character here and there only, and text whose
/// accents are all invalid was written on an older system.
pub fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let Err(error) = std::str::from_utf8(bytes) else { return true };
    let (mut accents, mut damaged) = (0, 0);
    for chunk in bytes[..bytes.len().min(error.valid_up_to() + HEAD_BYTES)].utf8_chunks() {
        accents += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        damaged += usize::from(!chunk.invalid().is_empty());
    }
    accents > damaged
}

/// How pairs of bytes are letters of two bytes, if one of each pair is zero, as of those of most of the West: without the
/// mark that such a text should begin with.
fn wide(head: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    let (pairs, _) = head.as_chunks::<2>();
    let high = pairs.iter().filter(|[first, second]| *first == 0 && *second != 0).count();
    let low = pairs.iter().filter(|[first, second]| *first != 0 && *second == 0).count();
    let most = |count: usize| count * 4 > pairs.len() * 3;
    let other = |count: usize| count * 20 <= pairs.len();
    match (most(low) && other(high), most(high) && other(low)) {
        (true, _) => Some(u16::from_le_bytes),
        (_, true) => Some(u16::from_be_bytes),
        _ => None,
    }
}

/// Whether all zeros are in a few long rows, and there is something besides.
fn is_padded(bytes: &[u8]) -> bool {
    let mut paddings = 0;
    for run in bytes.chunk_by(|a, b| (*a == 0) == (*b == 0)).filter(|run| run.starts_with(&[0])) {
        paddings += 1;
        if run.len() < PADDING_BYTES_MIN || paddings > PADDINGS_MAX {
            return false;
        }
    }
    bytes.iter().any(|byte| *byte != 0 && !byte.is_ascii_whitespace())
}

/// The text with line feeds for the carriage returns that end its lines, as of a Macintosh's: of Markdown all that
/// stand alone, of other text where it has no line feed. With one they go back on a line, as a program does to show
/// how far it is.
pub(super) fn ended(kind: Kind, text: String) -> String {
    if !text.contains('\r') || kind != Kind::Markdown && text.contains('\n') {
        return text;
    }
    let mut chars = text.chars().peekable();
    let mut ended = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        let is_alone = c == '\r' && chars.peek() != Some(&'\n');
        ended.push(if is_alone { '\n' } else { c });
    }
    ended
}

/// More than one in `part` of `all`.
fn too_many<T>(some: impl Iterator<Item = T>, all: usize, part: usize) -> bool {
    some.count() * part > all
}

/// Control bytes that text does not hold; backspace, form feed and escape do occur in manuals
/// and logs.
fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x08 | 0x0c | 0x1b)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Unreadable> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units)
        .map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    // Data may begin with the same two bytes by chance.
    let head: Vec<char> = text.chars().take(HEAD_BYTES / 2).collect();
    let strange = |c: &&char| {
        matches!(**c, '\0' | char::REPLACEMENT_CHARACTER)
            || c.is_control() && !matches!(**c, '\t' | '\n' | '\r' | '\x0c')
    };
    if too_many(head.iter().filter(strange), head.len(), 20) {
        return Err(Unreadable::Binary);
    }
    Ok(text)
}
