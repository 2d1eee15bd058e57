//! What a grounded thought is shown: the best sentences of what a first search found (pure).
//!
//! A small model knows little; the folder knows more. It is shown sentences rather than passages,
//! since reading a prompt is most of what such a thought costs.

use std::collections::HashSet;

use crate::{bm25, explore};

/// Passages that sentences are taken from.
pub const PASSAGES: usize = 3;
/// Words of each passage: together they are about [`crate::prompt::CONTEXT_TOKENS_MAX`] tokens.
const WORDS: usize = 22;

/// The sentences of the first [`PASSAGES`] of `passages`, best first, that share most with the
/// question, one passage a line; empty if nothing was found.
pub fn context<'a>(question: &str, passages: impl IntoIterator<Item = &'a str>) -> String {
    let found = passages.into_iter().take(PASSAGES);
    let lines = found.filter_map(|passage| explore::extract(question, passage, WORDS));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether `context` says at least half of the words of `thought`, stop words apart: only then is it
/// learnt from as a grounded one, since a thought that is not in what was found teaches to invent.
pub fn tells(context: &str, thought: &str) -> bool {
    let told: HashSet<String> = bm25::words(context).collect();
    let thought: HashSet<String> = bm25::words(thought).collect();
    !thought.is_empty() && 2 * thought.intersection(&told).count() >= thought.len()
}

#[cfg(test)]
mod tests {
    use super::{context, tells};

    #[test]
    fn a_context_tells_a_thought_if_it_has_half_of_its_words() {
        let context = "The wick is trimmed twice a night.\nOil is cheap.";
        let cases = [
            ("A trimmed wick", true),
            ("the WICK is long", true),
            ("the wick is too long", false),
            ("of the", false),
            ("", false),
        ];
        for (thought, expected) in cases {
            assert_eq!(tells(context, thought), expected, "{thought}");
        }
        assert!(!tells("", "wick"));
    }

    #[test]
    fn the_nearest_sentences_of_the_best_passages_a_line_each() {
        let passages = [
            "Oil is cheap. The wick is trimmed twice a night.",
            "",
            "A wick that is too long smokes.\nThe end.",
            "A fourth one about the wick is not shown.",
        ];
        let shown = context("why does the wick smoke at night", passages);
        let expected = "Oil is cheap. The wick is trimmed twice a night.\n\
                        A wick that is too long smokes. The end.";
        assert_eq!(shown, expected);
        let long = context("wick", [format!("{}wick burns.", "It is dark. ".repeat(30)).as_str()]);
        assert!(long.contains("wick burns") && long.split_whitespace().count() <= 22, "{long}");
        assert_eq!(context("wick", []), "");
    }
}
