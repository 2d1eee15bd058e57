//! A question and a passage in, the line of text that shows why the passage was found out. Pure,
//! and linear in both.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use models::stem::stem;

use crate::phrase::{occurrences, plain};
use crate::store::Passage;
use crate::words::{folded, joined, noun, parts};

pub mod asked;
#[cfg(test)]
mod tests;

/// Words of the question that are looked for; a pasted page is not looked for word by word.
const QUESTION_WORDS_MAX: usize = 64;

/// Bytes from which on a word is data, and is not looked at.
const WORD_BYTES_MAX: usize = 128;

/// Put where the passage goes on.
const ELLIPSIS: char = '…';

/// Words that say nothing about the answer, unless the question has no others.
#[rustfmt::skip]
pub(crate) const STOP_WORDS: &[&str] = &[
    "a", "about", "an", "and", "are", "as", "at", "be", "by", "can", "did", "do", "does", "for",
    "from", "had", "has", "have", "how", "i", "if", "in", "is", "it", "its", "me", "my", "no",
    "not", "of", "on", "or", "our", "should", "so", "that", "the", "their", "then", "there",
    "they", "this", "to", "was", "we", "were", "what", "when", "where", "which", "who", "why",
    "will", "with", "would", "you", "your",
];

/// Words and marks within which a space is looked for to begin or end at; writing without
/// spaces is cut between words.
const SPACE_WITHIN: usize = 16;

/// One line of a passage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// White space is single spaces, and control characters, which could drive a terminal, are
    /// spaces or gone. Begins or ends with an ellipsis where the passage goes on.
    pub text: String,
    /// Byte ranges of matched words in `text`: in order, apart, never empty.
    pub highlights: Vec<(usize, usize)>,
    /// Line in the file of the first match shown, or of the snippet's beginning without one.
    pub line: usize,
}

/// A word, a mark or a space of the passage.
struct Segment<'a> {
    text: &'a str,
    start: usize,
    /// Characters it takes in the snippet.
    chars: usize,
    /// Which word of the question, or of a phrase of it, it is.
    word: Option<usize>,
}

/// The stretch of at most `chars_max` characters with the most distinct words of `question` and of the
/// `phrases` in it, which are in small letters with single spaces; whole words unless a single one is
/// longer. Nothing is shown in fewer than 3 characters.
pub fn snippet(question: &str, phrases: &[String], passage: &Passage, chars_max: usize) -> Snippet {
    if chars_max < 3 {
        return Snippet { text: String::new(), highlights: Vec::new(), line: passage.lines.0 };
    }
    let words = question_words(question);
    let mut segments = segments(&passage.text, &words);
    mark_phrases(&mut segments, phrases, words.len());
    // Two characters are kept for an ellipsis at either end.
    let room = chars_max - 2;
    let core = best(&segments, room);
    let shown = widen(&segments, core.clone(), room);
    let first = segments[core].iter().find(|segment| segment.word.is_some());
    let first = first.or(segments.get(shown.start)).map_or(0, |segment| segment.start);
    let line = passage.lines.0 + passage.text[..first].matches('\n').count();
    let (text, highlights) = render(&segments, shown, room);
    Snippet { text, highlights, line }
}

/// Stems of the question's words, each with a number.
fn question_words(question: &str) -> HashMap<String, usize> {
    // A name counts whole and by its parts, and a noun without its particle too, as the word index has it.
    let words = || question.unicode_words().take(QUESTION_WORDS_MAX * 4);
    let words = || {
        let parts = words().flat_map(|word| {
            let parts = pieces(word);
            let parts = if parts.len() > 1 { parts } else { Vec::new() };
            std::iter::once(word).chain(parts.into_iter().map(move |part| &word[part]))
        });
        parts.map(|word| folded(word).to_lowercase()).flat_map(|word| {
            let noun = noun(&word).map(str::to_owned);
            std::iter::once(word).chain(noun)
        })
    };
    let telling = |word: &String| !STOP_WORDS.contains(&word.as_str());
    let mut chosen: Vec<String> = words().filter(telling).collect();
    if chosen.is_empty() {
        chosen = words().collect();
    }
    let mut numbered = HashMap::new();
    for word in chosen.into_iter().take(QUESTION_WORDS_MAX) {
        let next = numbered.len();
        numbered.entry(stem(&word)).or_insert(next);
    }
    numbered
}

fn segments<'a>(text: &'a str, words: &HashMap<String, usize>) -> Vec<Segment<'a>> {
    let mut segments: Vec<Segment<'a>> = Vec::new();
    let mut after_space = true;
    for (start, text) in text.split_word_bound_indices() {
        let space = is_space(text);
        let chars = match (space, after_space) {
            (true, true) => 0,
            (true, false) => 1,
            (false, _) => text.chars().filter(|c| !unshown(*c)).count(),
        };
        after_space = space;
        let is_word = text.contains(char::is_alphanumeric) && text.len() < WORD_BYTES_MAX;
        let of = |text: &str| words.get(&stem(&folded(text).to_lowercase())).copied();
        let word = is_word.then(|| of(text)).flatten();
        let parts = if is_word && word.is_none() { inner(text, &of) } else { Vec::new() };
        if parts.iter().any(|(_, word)| word.is_some()) {
            // Of a name what matches is shown, and what does not is between.
            segments.extend(parts.into_iter().map(|(part, word)| {
                let piece = &text[part.clone()];
                let chars = piece.chars().filter(|c| !unshown(*c)).count();
                Segment { text: piece, start: start + part.start, chars, word }
            }));
        } else {
            segments.push(Segment { text, start, chars, word });
        }
    }
    segments
}

/// The pieces of a word that is none of the question's, each with which one of them it is; two may be one together.
fn inner(word: &str, of: &dyn Fn(&str) -> Option<usize>) -> Vec<(Range<usize>, Option<usize>)> {
    if let Some(noun) = noun(word) {
        return vec![(0..noun.len(), of(noun)), (noun.len()..word.len(), None)];
    }
    let pieces = pieces(word);
    let mut found: Vec<_> = pieces.iter().map(|piece| of(&word[piece.clone()])).collect();
    for (first, both) in joined(word, &pieces) {
        if let Some(number) = of(&word[both]) {
            found[first..first + 2].fill(Some(number));
        }
    }
    pieces.into_iter().zip(found).collect()
}

/// The stretches of a word that may be words of their own, and what is between them: `parse`, `_`, `http`, and
/// the parts of `getUserById`.
fn pieces(word: &str) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < word.len() {
        let is_sign = |c: char| c.is_ascii_punctuation();
        let sign = word[at..].starts_with(is_sign);
        let length = word[at..].find(|c: char| is_sign(c) != sign);
        let end = length.map_or(word.len(), |length| at + length);
        if !sign {
            let parts = parts(&word[at..end]).into_iter();
            pieces.extend(parts.map(|part| at + part.start..at + part.end));
        } else {
            pieces.push(at..end);
        }
        at = end;
    }
    pieces
}

/// Marks all words and signs of each phrase where it stands, as so many words of their own from number
/// `next` on: where a phrase stands whole is best shown.
fn mark_phrases(segments: &mut [Segment<'_>], phrases: &[String], mut next: usize) {
    if phrases.is_empty() {
        return;
    }
    let mut text = String::new();
    // Where each segment begins in the text as phrases are compared.
    let mut begins = Vec::with_capacity(segments.len());
    for segment in &*segments {
        begins.push(text.len());
        if !is_space(segment.text) {
            text.push_str(&plain(segment.text));
        } else if !text.ends_with(' ') {
            text.push(' ');
        }
    }
    for phrase in phrases {
        let mut words = 0;
        for place in occurrences(&text, phrase) {
            let first = begins.partition_point(|begin| *begin <= place.start).saturating_sub(1);
            let behind = begins.partition_point(|begin| *begin < place.end);
            let inside = segments[first..behind].iter_mut().filter(|one| !is_space(one.text));
            words = inside.zip(next..).map(|(one, number)| one.word = Some(number)).count();
        }
        next += words;
    }
}

fn is_space(text: &str) -> bool {
    text.chars().all(unshown)
}

/// Characters shown as a space or not at all: white space, what drives terminals, and marks that
/// turn the direction of writing.
fn unshown(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The shortest range of segments within `room` that begins and ends with a match and has the
/// most distinct matches, then the most matches; the first of equals. Empty without a match.
fn best(segments: &[Segment<'_>], room: usize) -> Range<usize> {
    let matches = segments.iter().enumerate().filter_map(|(at, s)| s.word.map(|word| (at, word)));
    let before: Vec<usize> = std::iter::once(0)
        .chain(segments.iter().scan(0, |sum, segment| {
            *sum += segment.chars;
            Some(*sum)
        }))
        .collect();
    let mut inside: VecDeque<(usize, usize)> = VecDeque::new();
    let mut counts: HashMap<usize, usize> = HashMap::new();
    let mut best = (0, 0, 0..0);
    for (at, word) in matches {
        inside.push_back((at, word));
        *counts.entry(word).or_default() += 1;
        while let Some((first, word)) = inside.front().copied() {
            let fits = before[at + 1] - before[first] <= room;
            if fits || inside.len() == 1 {
                break;
            }
            inside.pop_front();
            if let Some(count) = counts.get_mut(&word) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&word);
                }
            }
        }
        let start = inside.front().map_or(at, |(first, _)| *first);
        if (counts.len(), inside.len()) > (best.0, best.1) {
            best = (counts.len(), inside.len(), start..at + 1);
        }
    }
    best.2
}

/// Adds context while there is room: up to a third of it before, the rest behind, and what is
/// left then before again.
fn widen(segments: &[Segment<'_>], core: Range<usize>, room: usize) -> Range<usize> {
    let mut left = room.saturating_sub(segments[core.clone()].iter().map(|s| s.chars).sum());
    let (mut start, mut end) = (core.start, core.end);
    let before = |start: &mut usize, left: &mut usize, keep: usize| {
        while *start > 0 && segments[*start - 1].chars + keep <= *left {
            *start -= 1;
            *left -= segments[*start].chars;
        }
    };
    let behind = left - left / 3;
    before(&mut start, &mut left, behind);
    while end < segments.len() && segments[end].chars <= left {
        left -= segments[end].chars;
        end += 1;
    }
    before(&mut start, &mut left, 0);
    // Rather begin and end at a space than between a name and its ending.
    let gap = |at: &usize| is_space(segments[*at].text);
    if start > 0
        && let Some(after) = (start - 1..core.start).take(SPACE_WITHIN).find(gap)
    {
        start = after + 1;
    }
    if end < segments.len()
        && let Some(space) = (core.end.max(start + 1)..=end).rev().take(SPACE_WITHIN).find(gap)
    {
        end = space;
    }
    // A first word that is too long is cut by the renderer.
    start..end.max((start + 1).min(segments.len()))
}

/// The segments as one line, with an ellipsis where something is left out.
fn render(
    segments: &[Segment<'_>],
    shown: Range<usize>,
    room: usize,
) -> (String, Vec<(usize, usize)>) {
    let mut text = String::new();
    let mut highlights: Vec<(usize, usize)> = Vec::new();
    let left_out = |outside: &[Segment<'_>]| outside.iter().any(|s| !is_space(s.text));
    if left_out(&segments[..shown.start]) {
        text.push(ELLIPSIS);
    }
    let begin = text.len();
    let mut left = room;
    let mut cut = left_out(&segments[shown.end..]);
    for segment in &segments[shown] {
        if is_space(segment.text) {
            if text.len() > begin && !text.ends_with(' ') {
                text.push(' ');
                left = left.saturating_sub(1);
            }
            continue;
        }
        let start = text.len();
        text.extend(segment.text.chars().filter(|c| !unshown(*c)).take(left));
        cut |= segment.chars > left;
        left = left.saturating_sub(segment.chars);
        if segment.word.is_some() && text.len() > start {
            match highlights.last_mut() {
                Some(last) if last.1 == start => last.1 = text.len(),
                _ => highlights.push((start, text.len())),
            }
        }
    }
    text.truncate(text.trim_end().len());
    if cut {
        text.push(ELLIPSIS);
    }
    (text, highlights)
}
