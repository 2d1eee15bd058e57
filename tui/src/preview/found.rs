//! Where a passage is in its file: pure. The daemon counts bytes of the text as it was decoded when it was
//! indexed; the file may be written in another encoding than UTF-8, or be another one by now.

use std::borrow::Cow;
use std::ops::Range;

use daemon_protocol::Hit;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

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

/// The passage of `hit` in the whole file: at its place in one of the encodings that the daemon reads, or else
/// what its snippet shows of it, the nearest to that place.
pub(super) fn find<'a>(hit: &Hit, file: &'a [u8]) -> Option<Found<'a>> {
    let texts = decoded(file);
    let here = hit.byte_start..hit.byte_end;
    let at_place = |text: &Cow<'_, str>| {
        text.get(here.clone()).is_some_and(|passage| place(passage, &hit.snippet, 0).is_some())
    };
    if let Some(text) = texts.iter().find(|text| at_place(text)) {
        let (text, line) = (text.clone(), hit.line_start);
        return Some(Found { text, bytes: here, line, moved: false });
    }
    texts.into_iter().find_map(|text| {
        let bytes = place(&text, &hit.snippet, hit.byte_start)?;
        let line = 1 + text[..bytes.start].matches('\n').count();
        Some(Found { text, bytes, line, moved: true })
    })
}

/// The file as the daemon may have decoded it: by its mark, or else as UTF-8 or the older encoding of Windows.
fn decoded(file: &[u8]) -> Vec<Cow<'_, str>> {
    if let Some((encoding, mark)) = Encoding::for_bom(file)
        && encoding != UTF_8
    {
        return vec![encoding.decode_without_bom_handling(&file[mark..]).0];
    }
    let text = String::from_utf8_lossy(file);
    if matches!(text, Cow::Borrowed(_)) {
        return vec![text];
    }
    vec![text, WINDOWS_1252.decode_without_bom_handling(file).0]
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
