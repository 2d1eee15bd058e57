//! Exploration (paper B1) in words: what an author is asked for, and what is made of its answer
//! (pure). Candidate thoughts come from several sources, and the committee chooses among them.

use crate::bm25;

/// Where a candidate thought comes from, by the name it has in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The model, told the query alone: what it will have to do when serving (the paper).
    Query,
    /// The model, told the answering passage as well: knows the documents' words.
    Passage,
    /// The sentences of the passage that are nearest to the query.
    Extract,
    /// Another model behind an OpenAI-compatible endpoint on this machine.
    Expert,
}

impl Source {
    /// All of them.
    pub const ALL: [Source; 4] = [Source::Query, Source::Passage, Source::Extract, Source::Expert];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Source::Query => "query",
            Source::Passage => "passage",
            Source::Extract => "extract",
            Source::Expert => "expert",
        }
    }
}

/// Characters of a passage that an author is shown; more is neither needed nor cheap to read.
const SHOWN_CHARS_MAX: usize = 900;
/// Characters of the passage of an in-context example.
const EXAMPLE_CHARS_MAX: usize = 240;
/// Words of a usable question: fewer say nothing, more are an essay.
const QUESTION_WORDS: std::ops::RangeInclusive<usize> = 4..=32;

/// Words, stop words apart, that are enough of a passage to tell it by.
const REST_WORDS_MIN: usize = 10;

/// How questions begin, in turn: a small model that is only asked for a question tells of the text
/// instead (698 of 704 times), and one whose answer has begun as a question ends it as one.
pub const OPENINGS: [&str; 6] = ["What", "How", "Why", "What does", "How do I", "Which"];

/// What an author is told: (system, user).
pub type Chat = (String, String);

/// Asks for a question that `passage` answers.
pub fn question_chat(passage: &str) -> Chat {
    let system = "You write questions that people type into a search engine. Answer with one question and nothing else.";
    let user = format!(
        "Text:\n{}\n\nWrite one specific question that this text answers. Name what it is about; do not say \"the text\".",
        shown(passage, SHOWN_CHARS_MAX)
    );
    (system.to_owned(), user)
}

/// Asks for a thought about `query` alone, after the `examples` of queries and passages that
/// answer them.
pub fn thought_chat(query: &str, examples: &[(&str, &str)]) -> Chat {
    let (system, user) = crate::prompt::base_chat(query);
    let example = |(query, passage): &(&str, &str)| {
        format!("Query: {query}\nResponse: {}\n\n", shown(passage, EXAMPLE_CHARS_MAX))
    };
    let examples: String = examples.iter().map(example).collect();
    (system, format!("{examples}{user}"))
}

/// Asks for a thought about `query` of someone who has read `passage`.
pub fn informed_chat(query: &str, passage: &str) -> Chat {
    let (system, _) = crate::prompt::base_chat(query);
    let user = format!(
        "Text:\n{}\n\nAnswer in one or two sentences, in the words of the text.\nQuery: {query}",
        shown(passage, SHOWN_CHARS_MAX)
    );
    (system, user)
}

/// As much of `text` as there is room for, cut at white space.
fn shown(text: &str, characters: usize) -> &str {
    let text = text.trim();
    match text.char_indices().nth(characters) {
        None => text,
        Some((end, _)) => {
            let cut = text[..end].rfind(char::is_whitespace).unwrap_or(end);
            text[..cut].trim_end()
        }
    }
}

/// The question in what an author wrote, if it is one that can be searched for.
pub fn question(written: &str) -> Option<String> {
    let line = written.lines().map(str::trim).find(|line| !line.is_empty())?;
    // Lists, quotes and bold type are no part of the question.
    let line = line.trim_start_matches(|c: char| !c.is_alphabetic());
    let line = ["Question:", "question:", "Q:"]
        .iter()
        .find_map(|label| line.strip_prefix(label))
        .unwrap_or(line)
        .trim_start_matches(|c: char| !c.is_alphabetic());
    let end = line.find('?')?;
    let question = format!("{}?", line[..end].trim_end());
    let lower = question.to_lowercase();
    // A question about "the text" is one that nobody without the text would ask.
    let refers = ["the text", "this text", "the passage", "this passage", "the author"];
    let usable = QUESTION_WORDS.contains(&question.split_whitespace().count())
        && !refers.iter().any(|words| lower.contains(words));
    usable.then_some(question)
}

/// A candidate thought in what an author wrote: one line, whole sentences where it was cut off.
/// Nothing if it only says the query again or says nothing.
pub fn thought(written: &str, query: &str) -> Option<String> {
    let line = written.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = ["Response:", "Answer:", "Query:"]
        .iter()
        .find_map(|label| line.strip_prefix(label))
        .unwrap_or(&line)
        .trim();
    let whole = line.ends_with(['.', '!', '?', '"', ')', ':']);
    let end = match line.rfind(['.', '!', '?']) {
        // A cut in the last sentence leaves the sentences before it, if they are most of it.
        Some(end) if !whole && 2 * end >= line.len() => end + 1,
        _ => line.len(),
    };
    let thought = &line[..end];
    let bare = |text: &str| bm25::words(text).collect::<Vec<_>>();
    let said = bare(thought);
    (!said.is_empty() && said != bare(query)).then(|| thought.to_owned())
}

/// The sentences of `passage` that share most with `query`, in their order, of at most `words_max`
/// words together; the first ones if none shares anything.
pub fn extract(query: &str, passage: &str, words_max: usize) -> Option<String> {
    let sentences = sentences(passage);
    let chosen = nearest(query, &sentences, words_max);
    let words = chosen.iter().flat_map(|index| sentences[*index].split_whitespace());
    let text = words.take(words_max).collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// The sentences of `passage` that [`extract`] leaves, a line each; nothing if they are too few to
/// tell the passage by. An extract that is found by the very words it was taken from proves nothing.
pub fn rest(query: &str, passage: &str, words_max: usize) -> Option<String> {
    let sentences = sentences(passage);
    let chosen = nearest(query, &sentences, words_max);
    let left = (0..sentences.len()).filter(|index| !chosen.contains(index));
    let text = left.map(|index| sentences[index]).collect::<Vec<_>>().join("\n");
    (bm25::words(&text).count() >= REST_WORDS_MIN).then_some(text)
}

/// Indexes of the sentences that share most with `query`, in their order, of about `words_max` words.
fn nearest(query: &str, sentences: &[&str], words_max: usize) -> Vec<usize> {
    let asked: std::collections::HashSet<String> = bm25::words(query).collect();
    let shares = |sentence: &str| {
        let words: std::collections::HashSet<String> = bm25::words(sentence).collect();
        words.intersection(&asked).count() as f64 / (8.0 + words.len() as f64)
    };
    let mut order: Vec<usize> = (0..sentences.len()).collect();
    let value: Vec<f64> = sentences.iter().map(|sentence| shares(sentence)).collect();
    order.sort_by(|a, b| value[*b].total_cmp(&value[*a]).then(a.cmp(b)));
    let mut left = words_max;
    let mut chosen = Vec::new();
    for index in order {
        let words = sentences[index].split_whitespace().count();
        if chosen.is_empty() || words <= left {
            left = left.saturating_sub(words);
            chosen.push(index);
        }
        if left < 6 {
            break;
        }
    }
    chosen.sort_unstable();
    chosen
}

/// The sentences of `passage` that are about as long as a question.
pub fn queries(passage: &str) -> Vec<&str> {
    let mut found = sentences(passage);
    found.retain(|sentence| QUESTION_WORDS.contains(&sentence.split_whitespace().count()));
    found
}

/// Sentences and lines of a text, slices of it.
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    for line in text.lines() {
        let mut start = 0;
        for (at, mark) in line.match_indices(['.', '!', '?']) {
            let end = at + mark.len();
            let rest = &line[end..];
            if rest.starts_with(char::is_whitespace) {
                sentences.push(line[start..end].trim());
                start = end;
            }
        }
        sentences.push(line[start..].trim());
    }
    sentences.retain(|sentence| sentence.chars().any(char::is_alphanumeric));
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_searched_for_is_a_question() {
        let cases = [
            ("What does the keeper do at dusk?", Some("What does the keeper do at dusk?")),
            ("Question: How is a lamp trimmed? It is...", Some("How is a lamp trimmed?")),
            ("\n\"Why do wicks smoke so much?\"", Some("Why do wicks smoke so much?")),
            ("1. **What is a lock file for?**", Some("What is a lock file for?")),
            ("What is this text about in the end?", None),
            ("A lamp is trimmed.", None),
            ("Why? Because.", None),
            ("", None),
        ];
        for (written, expected) in cases {
            assert_eq!(question(written).as_deref(), expected, "{written:?}");
        }
    }

    #[test]
    fn a_thought_is_cut_back_to_whole_sentences_and_says_something_new() {
        let cases = [
            ("Trim the wick.\nThen light it.", Some("Trim the wick. Then light it.")),
            ("Trim the wick daily. It smokes if", Some("Trim the wick daily.")),
            (
                "Trim. The wick smokes if it is too long and",
                Some("Trim. The wick smokes if it is too long and"),
            ),
            ("Response: yes, daily", Some("yes, daily")),
            ("How is it TRIMMED?", None),
            ("...", None),
        ];
        for (written, expected) in cases {
            assert_eq!(thought(written, "how is it trimmed").as_deref(), expected, "{written:?}");
        }
    }

    #[test]
    fn an_extract_is_the_nearest_sentences_in_their_order() {
        let passage = "Oil is cheap. The wick is trimmed twice a night. Gulls cry. A wick that is \
                       too long smokes.\nThe end.";
        let found = extract("why does the wick smoke", passage, 14).unwrap();
        assert_eq!(found, "The wick is trimmed twice a night. A wick that is too long smokes.");
        assert_eq!(extract("nothing of it", passage, 3).unwrap(), "Oil is cheap.");
        assert_eq!(
            extract("wick", "wick ".repeat(50).as_str(), 5).unwrap(),
            "wick wick wick wick wick"
        );
        assert_eq!(extract("wick", " \n ", 5), None);
    }

    #[test]
    fn what_an_extract_leaves_is_the_other_sentences() {
        let passage = "Oil is cheap in the long summer months. The wick is trimmed twice a night. Gulls cry \
                       above the tower rocks.\nA wick that is too long smokes.";
        let query = "why does the wick smoke";
        let left = "Oil is cheap in the long summer months.\nGulls cry above the tower rocks.";
        let cases = [
            (query, passage, 14, Some(left)),
            // What is left is too little, or nothing.
            (query, "Oil is cheap. The wick is trimmed twice a night.", 14, None),
            (query, "A wick that is too long smokes.", 14, None),
            (query, "", 14, None),
        ];
        for (query, passage, words, expected) in cases {
            assert_eq!(rest(query, passage, words).as_deref(), expected, "{passage}");
        }
    }

    #[test]
    fn a_sentence_is_a_query_if_it_is_as_long_as_a_question() {
        let passage = "Lamps. The wick is trimmed twice a night. Oil is cheap.\nA wick that is too long smokes!";
        let expected = ["The wick is trimmed twice a night.", "A wick that is too long smokes!"];
        assert_eq!(queries(passage), expected);
        assert!(queries(&"word ".repeat(33)).is_empty());
        assert!(queries("").is_empty());
    }

    #[test]
    fn what_is_shown_ends_between_words() {
        assert_eq!(shown("one two three", 9), "one two");
        assert_eq!(shown(" one ", 9), "one");
        let (_, user) = informed_chat("why", &"word ".repeat(1000));
        assert!(user.len() < 1_100 && user.ends_with("Query: why"), "{user}");
        let (_, user) = thought_chat("why", &[("who", "a keeper")]);
        assert!(user.starts_with("Query: who\nResponse: a keeper\n\n"), "{user}");
    }
}
