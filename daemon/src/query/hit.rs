//! A ranked passage as a client sees it. Pure.

use std::path::Path;

use daemon_protocol::{Hit, Ranks, Scores};

use super::copies::Folded;
use crate::extract::is_converted;
use crate::label::label;
use crate::limits::SNIPPET_CHARS_MAX;
use crate::marks::Marked;
use crate::snippet::asked::AskedWords;
use crate::snippet::snippet;
use crate::store::Found;

/// What hits are shown for.
pub(super) struct Sight<'a> {
    /// The question without its filters; empty where none was asked.
    pub(super) text: &'a str,
    /// See [`snippet`].
    pub(super) phrases: &'a [String],
    pub(super) words: &'a AskedWords,
    pub(super) marked: &'a Marked,
}

impl Sight<'_> {
    pub(super) fn hit(&self, folded: Folded<'_>, (ranks, scores): (Ranks, Scores)) -> Hit {
        let Folded { fused, also } = folded;
        let Found { path, title, passage, .. } = &fused.found;
        let shown = snippet(self.text, self.phrases, passage, SNIPPET_CHARS_MAX);
        let (words, missing) = self.words.split([title, &passage.heading, &passage.text]);
        Hit {
            path: path.clone(),
            title: label(title),
            heading: label(&passage.heading),
            line_start: passage.lines.0,
            line_end: passage.lines.1,
            line: shown.line,
            byte_start: passage.bytes.start,
            byte_end: passage.bytes.end,
            // A file may be another than its name says.
            converted: is_converted(Path::new(path)) || passage.place.is_some(),
            place: passage.place.clone(),
            score: fused.score,
            snippet: shown.text,
            highlights: shown.highlights,
            reading: fused.reading,
            ranks,
            scores,
            words,
            missing,
            also,
            marked: self.marked.of(path, &passage.text),
        }
    }
}
