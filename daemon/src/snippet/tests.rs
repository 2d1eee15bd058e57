//! What of a passage is shown for a question.

use proptest::prelude::*;

use super::{Snippet, snippet};
use crate::phrase::plain;
use crate::store::Passage;

fn passage(text: &str) -> Passage {
    let lines = (10, 10 + text.matches('\n').count());
    Passage {
        heading: String::new(),
        bytes: 0..text.len(),
        lines,
        place: None,
        text: text.to_owned(),
    }
}

fn marked(snippet: &Snippet) -> String {
    let mut text = snippet.text.clone();
    for (start, end) in snippet.highlights.iter().rev() {
        text.insert(*end, ']');
        text.insert(*start, '[');
    }
    text
}

#[test]
fn the_densest_window_is_shown() {
    let text = "The log is kept daily.\n\nIn fog the horn sounds\ttwo blasts\r\n  every ninety \
                seconds; the keepers wind the clockwork before each watch. Nothing else is said.";
    let table = [
        (
            "how often does the horn sound in fog?",
            60,
            "…daily. In [fog] the [horn] [sounds] two blasts every ninety…",
            12,
        ),
        ("keeper's clocks", 44, "…the [keepers] wind the clockwork before…", 13),
        (
            "WATCH",
            1000,
            "The log is kept daily. In fog the horn sounds two blasts every ninety seconds; the keepers wind the clockwork before each [watch]. Nothing else is said.",
            13,
        ),
        ("radar", 30, "The log is kept daily. In…", 10),
        ("the", 12, "[The] log is…", 10),
        ("", 12, "The log is…", 10),
        ("horn", 2, "", 10),
        ("seconds", 6, "…[seco]…", 13),
    ];
    for (question, chars, expected, line) in table {
        let shown = snippet(question, &[], &passage(text), chars);
        assert_eq!((marked(&shown).as_str(), shown.line), (expected, line), "{question}");
    }
}

#[test]
fn other_scripts_and_strange_characters() {
    let table = [
        ("灯台", "この灯台は古い", 20, "この[灯台]は古い"),
        ("größe", "Die GRÖSSE und die Größe.", 40, "Die [GRÖSSE] und die [Größe]."),
        ("lamp", "a\u{1b}[31mlamp\u{202e}s\u{0}", 40, "a [31mlamps"),
        ("x", "", 40, ""),
        ("x", " \n ", 40, ""),
        ("e", "👩‍👩‍👧 e\u{301}e e", 40, "👩‍👩‍👧 e\u{301}e [e]"),
    ];
    for (question, text, chars, expected) in table {
        assert_eq!(marked(&snippet(question, &[], &passage(text), chars)), expected, "{text}");
    }
}

#[test]
fn a_large_passage_and_a_large_question_are_cheap() {
    let text = "lamp oil wick ".repeat(200_000);
    let begun = std::time::Instant::now();
    let shown = snippet(&text, &[], &passage(&text), 120);
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    assert!(shown.highlights.len() > 5);
}

proptest! {
    #[test]
    fn a_snippet_is_one_short_line_with_sound_highlights(
        question in "[a-dé漢 ]{0,12}|\\PC{0,20}",
        text in "([a-dé漢]{0,6}[ \n\t\u{301}.,]){0,40}|\\PC{0,100}",
        chars_max in 0usize..80,
    ) {
        let passage = passage(&text);
        let shown = snippet(&question, &[], &passage, chars_max);
        prop_assert!(shown.text.chars().count() <= chars_max);
        prop_assert!(!shown.text.contains(char::is_control));
        prop_assert!(!shown.text.contains("  ") && shown.text.trim() == shown.text);
        prop_assert!((passage.lines.0..=passage.lines.1).contains(&shown.line));
        let mut at = 0;
        for (start, end) in &shown.highlights {
            prop_assert!(at <= *start && start < end);
            prop_assert!(shown.text.get(*start..*end).is_some());
            at = *end + 1;
        }
    }
}

#[test]
fn a_phrase_is_marked_whole_and_shown_before_its_words() {
    let text = "To be, and to be, and not. The question is whether.\nHe said: To be\tor NOT to b\u{e9}; \
                that is all.";
    let phrases = |texts: &[&str]| -> Vec<String> { texts.iter().map(|t| plain(t)).collect() };
    for (question, wanted, chars, expected) in [
        (
            "to be or not to be question",
            vec!["to be or not to be"],
            40,
            "…said: [To] [be] [or] [NOT] [to] [bé]; that is all.",
        ),
        ("is all", vec!["is all."], 24, "…to bé; that [is] [all.]"),
        ("sail", vec!["e question"], 24, "To be, and to be, and…"),
    ] {
        let shown = snippet(question, &phrases(&wanted), &passage(text), chars);
        assert_eq!(marked(&shown), expected, "{wanted:?}");
    }
}

#[test]
fn names_are_marked_by_their_parts_and_letters_whatever_their_accents() {
    let cases = [
        ("user by id", "call getUserById(key)", "call get[User]By[Id](key)"),
        ("getUserById", "call getUserById(key)", "call [getUserById](key)"),
        ("getUserById", "the user is known", "the [user] is known"),
        ("http response", "parse_http_response(raw)", "parse_[http]_[response](raw)"),
        ("cafe", "at the Café, and the cafe\u{301}", "at the [Café], and the [cafe\u{301}]"),
        ("καλαφατισμα", "η βάρκα, καλαφάτισμα", "η βάρκα, [καλαφάτισμα]"),
        ("ﾌｨﾙﾀｰ", "フィルターは三か月", "[フィルター]は三か月"),
    ];
    for (question, text, expected) in cases {
        let shown = snippet(question, &[], &passage(text), 200);
        assert_eq!(marked(&shown), expected, "{question}");
    }
}
