//! The part of a long passage that is worth reading for a question (pure).
//!
//! Reading costs by the token, and what answers is seldom the whole passage.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::stem::stem;
use crate::{bm25, explore};

/// A heading, the line before the first empty one, stays if it takes no more than this share of the
/// window: it says what all of the passage is about.
const HEADING_SHARE: usize = 4;

/// The run of whole sentences of `passage`, of at most `tokens_max` tokens by `count`, that has most
/// of the question's words, whatever their endings, each counted once; the first of equals, and so the beginning if none is
/// in it. The passage's heading comes first. A passage that fits is its own window. A sentence too
/// long by itself is a window of its own: the reader cuts it.
pub fn window<'a>(
    question: &str,
    passage: &'a str,
    tokens_max: usize,
    count: &dyn Fn(&str) -> usize,
) -> Cow<'a, str> {
    if count(passage) <= tokens_max {
        return Cow::Borrowed(passage);
    }
    let heading = passage.split_once("\n\n").filter(|(heading, _)| !heading.contains('\n'));
    let heading = heading.map(|(heading, body)| (heading, body, count(heading)));
    match heading.filter(|(_, _, tokens)| *tokens * HEADING_SHARE <= tokens_max) {
        None => Cow::Borrowed(run(question, passage, tokens_max, count)),
        Some((heading, body, tokens)) => {
            Cow::Owned(format!("{heading}\n\n{}", run(question, body, tokens_max - tokens, count)))
        }
    }
}

fn run<'a>(
    question: &str,
    passage: &'a str,
    tokens_max: usize,
    count: &dyn Fn(&str) -> usize,
) -> &'a str {
    let words = |text: &str| bm25::words(text).map(|word| stem(&word)).collect::<HashSet<_>>();
    let asked = words(question);
    let sentences: Vec<Sentence<'a>> = explore::sentences(passage)
        .into_iter()
        .map(|text| Sentence {
            text,
            tokens: count(text),
            asked: words(text).intersection(&asked).cloned().collect(),
        })
        .collect();
    let mut best = (0, passage);
    for (first, start) in sentences.iter().enumerate() {
        let mut words: HashSet<&str> = HashSet::new();
        let (mut tokens, mut last) = (0, start);
        for sentence in &sentences[first..] {
            if tokens > 0 && tokens + sentence.tokens > tokens_max {
                break;
            }
            tokens += sentence.tokens;
            words.extend(sentence.asked.iter().map(String::as_str));
            last = sentence;
        }
        if words.len() > best.0 {
            let begin = offset(passage, start.text);
            best = (words.len(), &passage[begin..offset(passage, last.text) + last.text.len()]);
        }
    }
    best.1
}

struct Sentence<'a> {
    text: &'a str,
    tokens: usize,
    /// Words of the question that are in it.
    asked: Vec<String>,
}

/// Where `part`, a slice of `whole`, begins in it.
fn offset(whole: &str, part: &str) -> usize {
    part.as_ptr() as usize - whole.as_ptr() as usize
}

#[cfg(test)]
mod tests {
    use super::window;

    #[test]
    fn the_sentences_with_most_of_the_questions_words() {
        let passage = "Oil is cheap. It burns.\nThe wick is trimmed twice. At night the lamp smokes. \
                       A keeper sleeps. The end of the lamp";
        let words = |text: &str| text.split_whitespace().count();
        let cases = [
            // All of it fits.
            ("wick", 40, passage),
            ("why does the lamp smoke at night", 6, "At night the lamp smokes."),
            ("smoking keepers", 8, "At night the lamp smokes. A keeper sleeps."),
            ("wick lamp night", 10, "The wick is trimmed twice. At night the lamp smokes."),
            // Equal runs: the first one, as long as it may be.
            ("lamp", 8, "At night the lamp smokes. A keeper sleeps."),
            ("whale", 5, passage),
            ("", 5, passage),
            // Longer than the window by itself.
            ("trimmed", 2, "The wick is trimmed twice."),
        ];
        for (question, tokens_max, expected) in cases {
            assert_eq!(window(question, passage, tokens_max, &words), expected, "{question}");
        }
        let headed = format!("Lamps\n\n{passage}");
        let cases = [
            ("lamp smoke night", 6, "Lamps\n\nAt night the lamp smokes."),
            ("trimmed", 3, "The wick is trimmed twice."),
        ];
        for (question, tokens_max, expected) in cases {
            assert_eq!(window(question, &headed, tokens_max, &words), expected, "{question}");
        }
    }
}
