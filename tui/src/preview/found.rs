//! Where a passage is in its file: pure. The daemon counts bytes of the text as it was decoded when it was
//! indexed; the file may be written in another encoding than UTF-8, or be another one by now.

use std::borrow::Cow;
use std::ops::Range;

use daemon_protocol::Hit;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// A passage in the text of its file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) bytes: Range<usize>,
    /// Its first line, from 1.
    pub(super) line: usize,
    /// Whether that is elsewhere than the hit says, since the file was edited.
    pub(super) moved: bool,
}

/// Whether `bytes`, which the hit says are its passage, are what its snippet shows a part of.
pub(super) fn is_passage(hit: &Hit, bytes: &[u8]) -> bool {
    place(&String::from_utf8_lossy(bytes), &hit.snippet, 0).is_some()
}

/// The passage of `hit` in the whole file: at its place in one of the encodings that the daemon reads; or else
/// what its snippet shows of it, the nearest to that place; or else its lines, if they have most of its words, as
/// where the daemon reads `M\"unchen` as München, or where only a word was edited.
pub(super) fn find<'a>(hit: &Hit, file: &'a [u8]) -> Option<Found<'a>> {
    let mut texts = decoded(file);
    let here = hit.byte_start..hit.byte_end;
    let at_place = |text: &Cow<'_, str>| {
        text.get(here.clone()).is_some_and(|passage| place(passage, &hit.snippet, 0).is_some())
    };
    if let Some(at) = texts.iter().position(at_place) {
        let (text, line) = (texts.swap_remove(at), hit.line_start);
        return Some(Found { text, bytes: here, line, moved: false });
    }
    if let Some((at, bytes)) = texts
        .iter()
        .enumerate()
        .find_map(|(at, text)| place(text, &hit.snippet, hit.byte_start).map(|bytes| (at, bytes)))
    {
        let text = texts.swap_remove(at);
        let line = 1 + text[..bytes.start].matches('\n').count();
        return Some(Found { text, bytes, line, moved: true });
    }
    texts.into_iter().find_map(|text| {
        let bytes = lines(&text, hit)?;
        Some(Found { text, bytes, line: hit.line_start, moved: false })
    })
}

/// The lines of `hit`, if they have most words of its snippet.
fn lines(text: &str, hit: &Hit) -> Option<Range<usize>> {
    let ends = || {
        text.split_inclusive('\n').scan(0, |end, line| {
            *end += line.len();
            Some(*end)
        })
    };
    let start = hit.line_start.checked_sub(2).map_or(Some(0), |before| ends().nth(before))?;
    let end = ends().take(hit.line_end).last()?;
    let there = text.get(start..end)?;
    let words = hit.snippet.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let (held, all) =
        words.fold((0, 0), |(held, all), word| (held + usize::from(there.contains(word)), all + 1));
    (2 * held > all).then_some(start..end)
}

/// The file as the daemon may have decoded it: by its mark, or else as UTF-8, where every other byte is nothing as
/// UTF-16 without one, and where it is no UTF-8 as the older encoding of Windows.
fn decoded(file: &[u8]) -> Vec<Cow<'_, str>> {
    let text = |encoding: &'static Encoding, bytes| encoding.decode_without_bom_handling(bytes).0;
    if let Some((encoding, mark)) = Encoding::for_bom(file)
        && encoding != UTF_8
    {
        return vec![text(encoding, &file[mark..])];
    }
    let mut texts = vec![String::from_utf8_lossy(file)];
    if file.contains(&0) {
        texts.extend([UTF_16LE, UTF_16BE].map(|encoding| text(encoding, file)));
    } else if matches!(texts[0], Cow::Owned(_)) {
        texts.push(text(WINDOWS_1252, file));
    }
    texts
}

/// Where in `text` the letters and digits of `snippet` follow one another, whatever spaces and signs are
/// between; the nearest to byte `near`. A snippet without any is everywhere.
fn place(text: &str, snippet: &str, near: usize) -> Option<Range<usize>> {
    let telling = snippet.trim_start_matches(|c: char| !c.is_alphanumeric());
    let word: String = telling.chars().take_while(|c| c.is_alphanumeric()).collect();
    if word.is_empty() {
        return Some(0..text.len());
    }
    let begins = text.match_indices(&word).map(|(at, _)| at);
    let places = begins.filter_map(|at| Some(at..at + length(&text[at..], telling)?));
    places.min_by_key(|place| place.start.abs_diff(near))
}

/// How many bytes of `text` the letters and digits of `snippet` take, if it begins with them.
fn length(text: &str, snippet: &str) -> Option<usize> {
    let mut letters = text.char_indices().filter(|(_, c)| c.is_alphanumeric());
    let mut end = 0;
    for wanted in snippet.chars().filter(|c| c.is_alphanumeric()) {
        let (at, letter) = letters.next()?;
        if letter != wanted {
            return None;
        }
        end = at + letter.len_utf8();
    }
    Some(end)
}
