//! What a grounded thought is shown: the best sentences of what a first search found (pure).
//!
//! A small model knows little; the folder knows more. It is shown sentences rather than passages,
//! since reading a prompt is most of what such a thought costs.

use crate::explore;

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

#[cfg(test)]
mod tests {
    use super::context;

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
