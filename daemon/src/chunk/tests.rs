//! Where documents are cut.

use std::path::Path;

use proptest::prelude::*;

use super::{chunk, embedded_text, markdown};
use crate::extract::{Extracted, Kind, extract};
use crate::store::Passage;

/// White-space separated words: a tokenizer that is easy to reckon with.
fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// Characters: a tokenizer that sees the budget run out inside words.
fn characters(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

fn cut(name: &str, text: &str, tokens_max: usize) -> Vec<(String, String)> {
    let extracted = extract(Path::new(name), text.as_bytes()).unwrap();
    let passages = chunk(&extracted, tokens_max, &words);
    passages.into_iter().map(|passage| (passage.heading, passage.text)).collect()
}

fn check(name: &str, text: &str, tokens_max: usize, expected: &[(&str, &str)]) {
    let cut = cut(name, text, tokens_max);
    let cut: Vec<_> = cut.iter().map(|(h, t)| (h.as_str(), t.as_str())).collect();
    assert_eq!(cut, expected, "{name} at {tokens_max}: {text:?}");
}

#[test]
fn markdown_is_cut_at_headings_and_merged_below_them() {
    let text =
        "intro\n\n# A\n\n## B\none two\n\nthree\n\n\n## C ##\n```\n# no\n\n```\n\nD\n-\nend\n";
    check(
        "x.md",
        text,
        40,
        &[
            ("", "intro"),
            ("A > B", "# A\n\n## B\none two\n\nthree"),
            ("A > C", "## C ##\n```\n# no\n\n```"),
            ("A > D", "D\n-\nend"),
        ],
    );
    check("x.md", "\u{feff}# A\r\n\r\ntext\r\n", 40, &[("A", "# A\r\n\r\ntext")]);
    check(
        "x.md",
        "---\ntitle: T\n---\n\n# A\ntext",
        40,
        &[("A", "---\ntitle: T\n---\n\n# A\ntext")],
    );
    check("x.md", "# A\n\n# B\n", 40, &[("B", "# A\n\n# B")]);
    check("x.md", "", 40, &[]);
    check("x.md", " \n\t\r\n", 40, &[]);
}

#[test]
fn prose_is_cut_at_paragraphs_then_sentences_then_words() {
    // The title takes one of the tokens in every case.
    check("x.txt", "a b c\n\nd e\n\nf g h i", 6, &[("", "a b c\n\nd e"), ("", "f g h i")]);
    check(
        "x.txt",
        "One two, e.g. three. Four (five!) Six seven eight.",
        6,
        &[("", "One two, e.g. three."), ("", "Four (five!) Six seven eight.")],
    );
    check(
        "x.txt",
        "- a b c\n- d e f\n- g h i",
        6,
        &[("", "- a b c"), ("", "- d e f"), ("", "- g h i")],
    );
    check(
        "x.txt",
        "a b c\nd e f g h i j k l m",
        6,
        &[("", "a b c\nd e"), ("", "f g h i j"), ("", "k l m")],
    );
    // A stub takes part of what follows.
    check(
        "x.txt",
        "Thus:\n\na b. C d. E f. G h.",
        9,
        &[("", "Thus:\n\na b. C d. E f."), ("", "G h.")],
    );
}

#[test]
fn code_is_cut_between_items_which_name_their_parts() {
    let text = "use a::b;\n\n/// Doc.\n#[x]\nimpl Lamp {\n    fn lit() {\n        one();\n\n        \
                two();\n    }\n\n    fn out() {}\n}\n\nfn main()\nwhere\n    A: B,\n{\n    go();\n}\n";
    check("lamp.rs", text, 100, &[("impl Lamp", text.trim())]);
    check(
        "lamp.rs",
        text,
        13,
        &[
            ("impl Lamp", "use a::b;\n\n/// Doc.\n#[x]\nimpl Lamp {"),
            ("impl Lamp", "    fn lit() {\n        one();\n\n        two();\n    }"),
            ("impl Lamp", "    fn out() {}\n}"),
            ("fn main()", "fn main()\nwhere\n    A: B,\n{\n    go();\n}"),
        ],
    );
    check(
        "x.py",
        "import os\n\nclass Y(Z):\n    def f(self):\n        pass\n\n    def g(self):\n        pass\n",
        10,
        &[
            ("", "import os"),
            ("class Y(Z)", "class Y(Z):\n    def f(self):\n        pass"),
            ("class Y(Z)", "    def g(self):\n        pass"),
        ],
    );
}

#[test]
fn headings_are_not_code_rules_or_lists() {
    let table: &[(&str, &[(usize, &str)])] = &[
        ("# A\n## B ##\n### C#\n####### no\n#no\n#\n", &[(1, "A"), (2, "B"), (3, "C#"), (1, "")]),
        ("    # code\n\t# code\n   # heading", &[(1, "heading")]),
        ("~~~\n# a\n```\n# b\n~~~~\n# c", &[(1, "c")]),
        ("```x`\n# heading\n", &[(1, "heading")]),
        ("```\n# never closed", &[]),
        ("A\n===\n\nB\n---\n\n- item\n---\n\n> quote\n---\n\n| a |\n---\n", &[(1, "A"), (2, "B")]),
        ("two lines of\nparagraph\n---\n", &[]),
        ("\n---\n\ntext\n", &[]),
        ("---\n\n# A\n\n---\n# B", &[(1, "A"), (1, "B")]),
        ("---\n# comment\nkey: x\n---\n# B", &[(1, "B")]),
        ("**Bold**\n---\n", &[(2, "**Bold**")]),
    ];
    for (text, expected) in table {
        let found = markdown::headings(text);
        let found: Vec<_> = found.iter().map(|heading| (heading.level, heading.text)).collect();
        assert_eq!(&found, expected, "{text:?}");
    }
}

#[test]
fn the_model_reads_each_heading_once() {
    let table = [
        ("T", "", "text", "T\n\ntext"),
        ("T", "T > A", "text", "T > A\n\ntext"),
        ("T", "A > B", "text", "T > A > B\n\ntext"),
        ("T", "T", "# T\ntext", "# T\ntext"),
        ("T", "T > A", "## A\ntext", "T\n\n## A\ntext"),
        ("T", "T > A", "# T\n\n## A\ntext", "# T\n\n## A\ntext"),
        ("T", "T > A:", "A:\n---\ntext", "T\n\nA:\n---\ntext"),
        ("lamp", "impl Lamp", "impl Lamp {\n}", "lamp\n\nimpl Lamp {\n}"),
        ("T", "T > A", "", "T > A"),
        ("", "", "text", "text"),
    ];
    for (title, heading, text, expected) in table {
        assert_eq!(embedded_text(title, heading, text), expected);
    }
}

#[test]
fn a_file_as_large_as_they_come_is_cut_quickly() {
    let size = 4 << 20;
    let line = "word ".repeat((16 << 20) / 5);
    let solid = "x".repeat(16 << 20);
    let spaces = format!("{}end", " ".repeat(size));
    let sections = "# a\nb\n".repeat(size / 6);
    let outline = "# a\n".repeat(size / 4);
    let dots = "1. 2. ".repeat(size / 6);
    let code = "fn a() {\n  b\n}\n".repeat(size / 15);
    let bytes = |text: &str| text.len().div_ceil(4);
    for (name, text) in [
        ("line.txt", line),
        ("solid.txt", solid),
        ("spaces.txt", spaces),
        ("sections.md", sections),
        ("outline.md", outline),
        ("dots.md", dots),
        ("code.rs", code),
    ] {
        let extracted = extract(Path::new(name), text.as_bytes()).unwrap();
        let counted = std::cell::Cell::new(0);
        let begun = std::time::Instant::now();
        let passages = chunk(&extracted, 256, &|text| {
            counted.set(counted.get() + text.len());
            assert!(text.len() <= 256 * 16, "{} bytes to count", text.len());
            bytes(text)
        });
        assert!(!passages.is_empty());
        // Far more than it takes, far less than anything that is not linear would.
        let (seconds, times) = (begun.elapsed().as_secs_f32(), counted.get() / text.len());
        assert!(seconds < 10.0, "{name}: {seconds} s");
        assert!(times <= 12, "{name}: each byte counted {times} times");
    }
}

#[test]
fn passages_of_a_long_document_are_well_filled() {
    let text = include_str!("../../../fixtures/corpus/handbook/keepers-handbook.md");
    let extracted = extract(Path::new("x.md"), text.as_bytes()).unwrap();
    let passages = chunk(&extracted, 128, &words);
    let filled = passages.iter().map(|passage| words(&passage.text)).sum::<usize>();
    let mean = filled as f32 / passages.len() as f32;
    assert!((60.0..128.0).contains(&mean), "{mean} words in {} passages", passages.len());
}

fn sound(extracted: &Extracted, tokens_max: usize, passages: &[Passage], single_words: bool) {
    let text = &extracted.text;
    let mut at = 0;
    for passage in passages {
        let Passage { bytes, lines, .. } = passage;
        assert!(at <= bytes.start && bytes.start < bytes.end, "order");
        let between = text[at..bytes.start].trim_start_matches('\u{feff}');
        assert_eq!(between.trim(), "", "nothing is left out");
        assert_eq!(passage.text, text[bytes.clone()]);
        let line = |byte: usize| text[..byte].matches('\n').count() + 1;
        assert_eq!(*lines, (line(bytes.start), line(bytes.end)));
        if single_words {
            let before = text[..bytes.start].chars().next_back();
            let inside = passage.text.chars().next();
            let boundary = |c: Option<char>| {
                c.is_none_or(|c| c.is_whitespace() || "。！？\u{feff}".contains(c))
            };
            assert!(boundary(before) || boundary(inside), "cut inside a word");
            let read = embedded_text(&extracted.title, &passage.heading, &passage.text);
            let prefix = words(&embedded_text(&extracted.title, &passage.heading, ""));
            let allowed = (tokens_max - prefix.min(tokens_max / 2)).max(1) + prefix;
            assert!(words(&read) <= allowed, "{} of {allowed} tokens", words(&read));
        }
        at = bytes.end;
    }
    assert_eq!(text[at..].trim_start_matches('\u{feff}').trim(), "", "nothing is left out");
}

proptest! {
    #[test]
    fn passages_are_exact_ordered_complete_and_within_budget(
        parts in prop::collection::vec(
            prop_oneof![
                "[a-z]{1,9}", "[ ]{1,6}", "\n", "\r\n", "\n\n", "\t", "# ", "## ", "---\n", "===\n",
                "```\n", "- ", "\\. ", "é", "漢字。", "\u{feff}", "\u{a0}", "\\}\n", "fn a\\(\\) \\{\n    b\n",
                "title: t\n", "🙂", "[a-z]{200,300}",
            ],
            0..80,
        ),
        tokens_max in 1usize..40,
        kind in prop_oneof![Just(Kind::Markdown), Just(Kind::Code), Just(Kind::Text)],
        title in "[a-z ]{0,20}",
    ) {
        let extracted = Extracted { kind, title, text: parts.concat() };
        sound(&extracted, tokens_max, &chunk(&extracted, tokens_max, &words), true);
        let passages = chunk(&extracted, tokens_max, &characters);
        sound(&extracted, tokens_max, &passages, false);
        for passage in passages {
            prop_assert!(characters(&passage.text) <= tokens_max);
        }
    }
}
