//! Where documents are cut.

use std::path::Path;

use proptest::prelude::*;

use super::{chunk, embedded_text};
use crate::convert::Scripted;
use crate::document::{Extracted, Kind};
use crate::extract::extract;
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
    let extracted = extract(Path::new(name), text.as_bytes(), &Scripted).unwrap();
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
    check(
        "x.md",
        "# A > B\n## C >\n### D\ntext",
        40,
        &[("A › B > C › > D", "# A > B\n## C >\n### D\ntext")],
    );
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

/// Checks below which heading each word of a text stands.
fn check_below(name: &str, text: &str, expected: &[(&str, &str)]) {
    let cut = cut(name, text, 400);
    for (word, heading) in expected {
        let (found, _) = cut.iter().find(|(_, text)| text.contains(word)).unwrap();
        assert_eq!(found, heading, "{word}");
    }
}

#[test]
fn what_is_no_heading_parts_nothing() {
    let steps = "# Handbook\n\n1. ```sh\n   # fetch\n   make tools\n   ```\n\n## Rollback plan\n\nThe \
                 narwhal switch.\n\n## Contacts\n\nThe ibex on call.\n";
    check_below(
        "steps.md",
        steps,
        &[
            ("make", "Handbook"),
            ("narwhal", "Handbook > Rollback plan"),
            ("ibex", "Handbook > Contacts"),
        ],
    );
    let more = "# Workshop\n\n> ```\n> # quoted\n> ```\n\n````md\n```sh\n# inner\n```\n# inside\n````\n\n\
                ~~~\n# tildes\n```\n~~~\n\n<!--\n# Hidden\n-->\n\n## Lathe\n\nThe okapi poster.\n\nSetext of \
                two words\n---\n\nThe tapir saw.\n\n| a | b |\n|---|---|\n| the gaur file | 2 |\n\n    # code\n\n\
                ### Empty next\n\n#\nThe bongo drill.\n";
    check_below(
        "more.md",
        more,
        &[
            ("quoted", "Workshop"),
            ("okapi", "Workshop > Lathe"),
            ("tapir", "Workshop > Setext of two words"),
            ("gaur", "Workshop > Setext of two words"),
            ("bongo", ""),
        ],
    );
}

#[test]
fn markup_is_cut_at_its_headings() {
    let table = [
        ("x.org", "* A\nb\n** C\nd\n", [("A", "* A\nb"), ("A > C", "** C\nd")]),
        ("x.rst", "A\n=\nb\n\nC\n-\nd\n", [("A", "A\n=\nb"), ("A > C", "C\n-\nd")]),
        ("x.adoc", "= A\nb\n\n== C\nd\n", [("A", "= A\nb"), ("A > C", "== C\nd")]),
        (
            "x.tex",
            "\\section{A}\nb\n\\subsection{C}\nd\n",
            [("A", "\\section{A}\nb"), ("A > C", "\\subsection{C}\nd")],
        ),
        (
            "x.1",
            ".TH X 1\n.SH A\nb\n.SS C\nd\n",
            [("A", ".TH X 1\n.SH A\nb"), ("A > C", ".SS C\nd")],
        ),
    ];
    for (name, text, expected) in table {
        check(name, text, 40, &expected);
    }
}

#[test]
fn tables_are_cut_between_records_below_their_header() {
    check(
        "x.csv",
        "name,said\nann,\"one\n\ntwo\"\nbob,three four\n",
        7,
        &[("name, said", "name,said\nann,\"one\n\ntwo\""), ("name, said", "bob,three four")],
    );
    check("x.tsv", "1\t2\n3\t4\n", 3, &[("", "1\t2"), ("", "3\t4")]);
}

#[test]
fn data_is_cut_at_top_level_keys() {
    check(
        "x.yaml",
        "a: 1\n\nb:\n  c: d e\n\nf:\n- g h\n",
        8,
        &[("a", "a: 1"), ("b", "b:\n  c: d e"), ("f", "f:\n- g h")],
    );
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
        ("T", "T > A", "====\nA\n====\ntext", "T\n\n====\nA\n====\ntext"),
        ("T", "A b > C", "\\section{\\emph{C}}\ntext", "T > A b\n\n\\section{\\emph{C}}\ntext"),
        ("T", "A > B", "** TODO B :tag:\ntext", "T > A\n\n** TODO B :tag:\ntext"),
        ("T", "a, b", "a;b\n1;2", "T\n\na;b\n1;2"),
        ("lamp", "impl Lamp", "impl Lamp {\n}", "lamp\n\nimpl Lamp {\n}"),
        ("T", "T > A", "", "T > A"),
        ("S > m", "S › m", "text", "S > m\n\ntext"),
        ("S > m", "S › m > A", "# S > m\n\n## A\ntext", "# S > m\n\n## A\ntext"),
        ("", "", "text", "text"),
    ];
    for (title, heading, text, expected) in table {
        assert_eq!(embedded_text(title, heading, text), expected);
    }
    // A title may be longer than a heading is shown.
    let title = "Of lamps. ".repeat(15);
    let (title, heading) = (title.trim(), &title[..120]);
    let text = format!("# {title}\ntext");
    assert_eq!(embedded_text(title, heading, "text"), format!("{title}\n\ntext"));
    assert_eq!(embedded_text(title, heading, &text), text);
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
        ("comments.md", "a <!-- b\n".repeat(size / 9)),
        ("comment.md", "<!-- ".repeat(size / 5)),
        ("closed.md", "<!-- --> `".repeat(size / 10)),
        ("nested.md", "- > ".repeat(size / 4)),
        ("deep.md", "> > > - - - 1. a\n".repeat(size / 17)),
        ("links.md", format!("# {}\n", "[".repeat(1 << 10)).repeat(size >> 10)),
        ("linked.md", format!("# {}\n", "[a](".repeat(1 << 8)).repeat(size >> 10)),
        ("stars.md", format!("# {}\n", "*a _b ".repeat(170)).repeat(size >> 10)),
        ("ticks.md", format!("# {}\n", "` `` ".repeat(200)).repeat(size >> 10)),
        ("fences.md", "- ```\n".repeat(size / 6)),
        ("front.md", format!("---\n{}", "tags: [\"a\n".repeat(size / 10))),
        ("closed_front.md", format!("---\n{}---\nb", "tags: [\"a\n".repeat(size / 10))),
        ("list_front.md", format!("---\ntags:\n{}---\nb", "- a\n".repeat(size / 4))),
        ("blocks.org", "#+begin_src\n* a\n".repeat(size / 16)),
        ("linked.org", "* [[[[a]] =b= *c*\n".repeat(size / 18)),
        ("rules.rst", "a\n=\n".repeat(size / 4)),
        ("styles.rst", "====\n----\n~~~~\n".repeat(size / 15)),
        (
            "ticks.rst",
            format!("{}\n{}\n\n", "`".repeat(1 << 10), "=".repeat(1 << 10)).repeat(size >> 11),
        ),
        ("listings.adoc", "----\n....\n== a\n".repeat(size / 15)),
        ("anchors.adoc", format!("== {}\n", "[[a]]".repeat(200)).repeat(size >> 10)),
        ("open.tex", "\\section{".repeat(size / 9)),
        ("bracket.tex", "\\section[".repeat(size / 9)),
        ("begin.tex", "\\begin{verbatim} \\begin{comment}".repeat(size / 32)),
        ("solid.tex", "\\section{a}".repeat(size / 11)),
        ("page.1", format!(".TH A 1\n{}", ".SH \\f[a\n".repeat(size / 10))),
        ("quotes.csv", "\"a,b\n".repeat((2 << 20) / 6)),
        ("quote.csv", format!("a,b\n\"{}", "c,d\n".repeat((2 << 20) / 4 - 2))),
        ("wide.csv", "a;".repeat(1 << 20)),
        ("keys.json", "\"a\": \n".repeat(size / 6)),
        ("tables.toml", "[a]\n".repeat(size / 4)),
        ("keys.yaml", "a: b\n".repeat(size / 5)),
        ("hidden.md", "%%\n$$\n{/*\n<pre>\n<script>\n".repeat(size / 25)),
    ] {
        let extracted = extract(Path::new(name), text.as_bytes(), &Scripted).unwrap();
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
    let extracted = extract(Path::new("x.md"), text.as_bytes(), &Scripted).unwrap();
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

const KINDS: &[Kind] = &[
    Kind::Markdown,
    Kind::Org,
    Kind::Rst,
    Kind::Asciidoc,
    Kind::Latex,
    Kind::Man,
    Kind::Table,
    Kind::Data,
    Kind::Code,
    Kind::Text,
];

proptest! {
    #[test]
    fn passages_are_exact_ordered_complete_and_within_budget(
        parts in prop::collection::vec(
            prop_oneof![
                "[a-z]{1,9}", "[ ]{1,6}", "\n", "\r\n", "\n\n", "\t", "# ", "## ", "---\n", "===\n",
                "```\n", "- ", "\\. ", "é", "漢字。", "\u{feff}", "\u{a0}", "\\}\n", "fn a\\(\\) \\{\n    b\n",
                "title: t\n", "\\+\\+\\+\n", "title = \"t\"\n", "<!-- ", "-->", "%%", "> ", "1\\. ", "    ", "\\[a\\]\\(b\\)", "<div>\n",
                "\\*\\* ", "= ", "#\\+begin_src\n", "#\\+end_src\n", "\\.SH ", "\\.TH x 1\n",
                "\\\\section\\{", "\\}", "\\\\begin\\{verbatim\\}", "\\\\end\\{verbatim\\}", "%",
                "----\n", "~~~~\n", "\"", ",", ";", "a: ", "\\[t\\]\n", "\\{\n  \"a\": ", "🙂", "[a-z]{200,300}",
            ],
            0..80,
        ),
        tokens_max in 1usize..40,
        kind in prop::sample::select(KINDS),
        title in "[a-z ]{0,20}",
    ) {
        let (text, tags, aliases, marks) = (parts.concat(), vec![], vec![], vec![]);
        let outline = Vec::new();
        let extracted = Extracted { kind, title, tags, aliases, text, marks, outline };
        sound(&extracted, tokens_max, &chunk(&extracted, tokens_max, &words), true);
        let passages = chunk(&extracted, tokens_max, &characters);
        sound(&extracted, tokens_max, &passages, false);
        for passage in passages {
            prop_assert!(characters(&passage.text) <= tokens_max);
        }
    }
}
