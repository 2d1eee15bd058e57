//! Where code is cut, and what its passages are called.

use proptest::prelude::*;

use crate::chunk::chunk;
use crate::document::{Definition, Extracted, Kind};

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn extracted(text: &str, outline: Vec<Definition>) -> Extracted {
    Extracted {
        kind: Kind::Code,
        title: String::new(),
        tags: Vec::new(),
        aliases: Vec::new(),
        text: text.to_owned(),
        marks: Vec::new(),
        outline,
    }
}

/// Cuts a text in which `«name:` and `»` stand around definitions, each on lines of their own.
fn cut(marked: &str, tokens_max: usize) -> Vec<(String, String, usize)> {
    let (mut text, mut outline, mut around) = (String::new(), Vec::<Definition>::new(), Vec::new());
    for line in marked.split_inclusive('\n') {
        match line.trim().split_at_checked('«'.len_utf8()) {
            Some(("«", name)) => {
                around.push(outline.len());
                let start = text.len();
                outline.push(Definition { bytes: start..start, name: name.to_owned() });
            }
            Some(("»", "")) => {
                let last: usize = around.pop().unwrap();
                outline[last].bytes.end = text.len();
            }
            _ => text.push_str(line),
        }
    }
    let passages = chunk(&extracted(&text, outline), tokens_max, &words);
    passages.into_iter().map(|one| (one.heading, one.text, one.lines.0)).collect()
}

#[track_caller]
fn check(marked: &str, tokens_max: usize, expected: &[(&str, &str, usize)]) {
    let cut = cut(marked, tokens_max);
    let cut: Vec<_> =
        cut.iter().map(|(h, text, line)| (h.as_str(), text.as_str(), *line)).collect();
    assert_eq!(cut, expected, "at {tokens_max}: {marked}");
}

const LAMP: &str = "\
use a;

«impl Lamp
impl Lamp {
«fn lit
    fn lit() {
        one two three four five six seven eight
    }
»

«fn out
    fn out() {
        one two three four five six seven eight
    }
»
}
»
";

#[test]
fn what_fits_is_one_passage_and_what_does_not_is_cut_at_its_definitions() {
    let all = LAMP.lines().filter(|line| !line.starts_with(['«', '»'])).collect::<Vec<_>>();
    check(LAMP, 60, &[("impl Lamp", &all.join("\n"), 1)]);
    let method = |name: &str| {
        format!("    fn {name}() {{\n        one two three four five six seven eight\n    }}")
    };
    let (lit, out) = (method("lit"), method("out"));
    check(
        LAMP,
        24,
        &[
            ("", "use a;", 1),
            ("impl Lamp > fn lit", &format!("impl Lamp {{\n{lit}"), 3),
            ("impl Lamp > fn out", &format!("{out}\n}}"), 8),
        ],
    );
    // Too large for one: each part says what it is of.
    let body = "        one two three four five six seven eight";
    check(
        LAMP,
        16,
        &[
            ("", "use a;", 1),
            ("impl Lamp", "impl Lamp {", 3),
            ("impl Lamp > fn lit", "    fn lit() {", 4),
            ("impl Lamp > fn lit", &format!("{body}\n    }}"), 5),
            ("impl Lamp > fn out", "    fn out() {", 8),
            ("impl Lamp > fn out", &format!("{body}\n    }}\n}}"), 9),
        ],
    );
}

#[test]
fn small_ones_share_a_passage_until_it_is_no_stub() {
    let small = "«fn a\na()\n»\n«fn b\nb()\n»\n«fn c\nc() { 1 2 3 4 5 6 7 8 9 }\n»\n«fn d\nd()\n»\nlast = 1\n";
    check(
        small,
        20,
        &[
            ("", "a()\nb()", 1),
            ("fn c", "c() { 1 2 3 4 5 6 7 8 9 }", 3),
            ("fn d", "d()\nlast = 1", 4),
        ],
    );
}

#[test]
fn what_is_nested_too_deep_is_cut_as_text() {
    let depth = 2000;
    let text = "a b\n".repeat(depth);
    let nested = |at: usize| Definition { bytes: at * 4..text.len(), name: "f".to_owned() };
    let passages = chunk(&extracted(&text, (0..depth).map(nested).collect()), 40, &words);
    assert_eq!(passages.iter().map(|one| words(&one.text)).sum::<usize>(), 2 * depth);
    assert!(passages.iter().all(|one| one.heading.matches('f').count() <= 9));
}

proptest! {
    #[test]
    fn nothing_is_lost_and_all_fits(
        lines in prop::collection::vec("[ ]{0,4}[a-z}]{1,3}( [a-zé}]{1,3}){0,9}|[ ]{0,2}", 1..60),
        spans in prop::collection::vec((0usize..60, 0usize..60), 0..20),
        tokens_max in 8usize..60,
    ) {
        let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut outline: Vec<Definition> = Vec::new();
        for (from, to) in spans {
            let at = |line: usize| starts[line.min(starts.len() - 1)];
            let bytes = at(from.min(to))..at(from.max(to));
            let fits = |other: &Definition| {
                let other = &other.bytes;
                bytes.end <= other.start || other.end <= bytes.start
                    || (bytes.start <= other.start && other.end <= bytes.end)
                    || (other.start <= bytes.start && bytes.end <= other.end)
            };
            if !bytes.is_empty() && outline.iter().all(fits) {
                outline.push(Definition { bytes, name: "f g".to_owned() });
            }
        }
        outline.sort_by_key(|one| (one.bytes.start, std::cmp::Reverse(one.bytes.end)));
        let passages = chunk(&extracted(&text, outline), tokens_max, &words);
        let (mut at, mut kept) = (0, String::new());
        for passage in &passages {
            prop_assert!(at <= passage.bytes.start);
            prop_assert_eq!(&text[passage.bytes.clone()], &passage.text);
            prop_assert_eq!(text[..passage.bytes.start].matches('\n').count() + 1, passage.lines.0);
            at = passage.bytes.end;
            kept.push_str(&passage.text);
            prop_assert!(words(&passage.text) <= tokens_max);
        }
        let solid = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(solid(&kept), solid(&text));
    }
}
