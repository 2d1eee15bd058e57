//! What is a filter and what a word.

use proptest::prelude::*;

use super::{Asked, parse};

/// 2024-03-31.
const NOW: i64 = 19_813 * 86_400_000_000_000;

/// Words, then what each filter asks, in one line.
fn shown(text: &str) -> String {
    let parsed = parse(text, NOW);
    let mut shown = vec![parsed.words];
    for condition in &parsed.filters.documents {
        let asked = match &condition.asked {
            Asked::Path(path) => format!("path={path}"),
            Asked::Type(endings) => format!("type={}", endings.join(",")),
            Asked::Language(endings) => format!("lang={}", endings.join(",")),
            Asked::Tag(tag) => format!("tag={tag}"),
            Asked::After(from) => format!("after={}", from / 86_400_000_000_000),
            Asked::Before(until) => format!("before={}", until / 86_400_000_000_000),
        };
        shown.push(if condition.excluded { format!("not {asked}") } else { asked });
    }
    shown.extend(parsed.filters.phrases.iter().map(|phrase| format!("'{phrase}'")));
    shown.extend(parsed.filters.without.iter().map(|word| format!("without {word}")));
    shown.join(" | ")
}

#[test]
fn filters_are_taken_out_of_the_words() {
    let cases = [
        ("lamp path:notes/", "lamp | path=notes/"),
        ("path:a  lamp\n path:b oil", "lamp oil | path=a | path=b"),
        ("lamp path:\"my notes/2024\" oil", "lamp oil | path=my notes/2024"),
        ("lamp -path:archive", "lamp | not path=archive"),
        ("lamp -path:\"old things\"", "lamp | not path=old things"),
        ("lamp path:*.md", "lamp | path=*.md"),
        ("lamp type:pdf?", "lamp | type=pdf"),
        ("lamp type:.PDF", "lamp | type=pdf"),
        ("lamp type:doc", "lamp | type=doc,docm,docx,odt,rtf"),
        ("lamp type:docx", "lamp | type=docx"),
        ("lamp type:notebook", "lamp | type=ipynb"),
        ("lamp type:html", "lamp | type=htm,html,xhtml"),
        ("lamp type:mail type:book", "lamp | type=eml,mbox | type=epub"),
        ("lamp -type:sheet", "lamp | not type=csv,ods,tab,tsv,xls,xlsb,xlsm,xlsx"),
        ("lamp tag:#Café", "lamp | tag=cafe"),
        ("lamp tag:project/x", "lamp | tag=project/x"),
        ("parse dates lang:rust", "parse dates | lang=rs"),
        ("parse dates lang:C++", "parse dates | lang=cc,cpp,cxx,h,hh,hpp,hxx"),
        ("parse dates lang:zig", "parse dates | lang=zig"),
        ("lamp after:2024-05", "lamp | after=19844"),
        ("lamp after:2023 before:2024-05-17", "lamp | after=19358 | before=19860"),
        ("lamp after:7d", "lamp | after=19806"),
        ("lamp -after:yesterday", "lamp | not after=19812"),
        ("lamp type:pdf,docx lang:rust,py", "lamp | type=pdf,docx | lang=rs,ipynb,py,pyi,pyx"),
        ("\"Night  Watch\" lamp", "Night  Watch lamp | 'night watch'"),
        ("who had the \"night watch\"?", "who had the night watch? | 'night watch'"),
        ("\"a\" \"b c\"", "a b c | 'a' | 'b c'"),
        ("\"lamp oil\" type:pdf", "lamp oil | type=pdf | 'lamp oil'"),
        ("lamp -oil", "lamp | without oil"),
        ("lamp -oil -Wicks path:notes", "lamp | path=notes | without oil | without wicks"),
        ("\"lamp oil\" -whale", "lamp oil | 'lamp oil' | without whale"),
        ("flex layout -sql", "flex layout | without sql"),
        ("lampe -öl1 -Öle", "lampe -öl1 -Öle"),
        ("lampe -Öle", "lampe | without ole"),
        ("lampe -O\u{308}le", "lampe | without ole"),
        ("type:pdf -oil", "-oil | type=pdf"),
        ("type:pdf", " | type=pdf"),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_filter_is_a_word() {
    let words = [
        "who keeps the lamp?",
        "  spaces   within stay",
        "meeting at 12:30",
        "C:\\x and D:/y",
        "std::fs and path::Path",
        "foo:bar author:me Type:pdf",
        "https://example.org/a?b=c path://x",
        "type: pdf",
        "path:",
        "lang:klingon",
        "after:noon before:2024-13 after:2024-02-30",
        "type:a|b tag:#",
        "path:\"open end",
        "path:\"a\"b",
        "a 5\" pipe and a 6\" pipe",
        "\"open end",
        "\"\" and \" \"",
        "{\"a\": 1} and \"a\": 1",
        "print(\"hello\")",
        "-lamp",
        "-lamp -oil",
        "-lamp oil",
        "lamp -oil keeper",
        "lamp - oil",
        "lamp -\u{5b0}\u{5b0}\u{5b0}",
        "lamp -\u{fdfa}",
        "lamp -oi",
        "temperature of -40 degrees",
        "well-known",
        "what does grep -v do",
        "what is -verbose",
        "tar -xzf",
        "untar with -xzf",
        "find -name foo",
        "find . -type f -delete",
        "how to find -empty",
        "rm -rf",
        "gcc -Wall",
        "gcc -Wall -Wextra -pedantic",
        "gcc -O2 -Wall",
        "git log -oneline",
        "docker run -detach",
        "ls -lah",
        "java -version",
        "python --help -verbose",
        "curl -sSfL",
        "terraform plan -destroy",
    ];
    for text in words {
        let parsed = parse(text, NOW);
        assert_eq!(parsed.words, text.trim());
        assert_eq!(parsed.filters, super::Filters::default(), "{text}");
    }
}

#[test]
fn what_begins_as_a_filter_and_is_none_is_told() {
    let cases: [(&str, &[&str]); 10] = [
        ("a after:2024-13-45", &["after:2024-13-45 is no date"]),
        ("-before:soon b", &["-before:soon is no date"]),
        (
            "lang:klingon type:a|b",
            &["lang:klingon is no language known here", "type:a|b is no type of file"],
        ),
        ("tag:#", &["tag:# is no tag"]),
        ("type:md,", &[]),
        ("type:md,a|b", &["type:md,a|b is no type of file"]),
        ("after: the rain, path::new, type:", &[]),
        ("author:me 12:30", &[]),
        ("\"after:noon\"", &[]),
        ("after:2024 type:pdf tag:x", &[]),
    ];
    for (text, expected) in cases {
        let told = |note: &&str| format!("{note}, so it is searched for as words");
        let expected: Vec<String> = expected.iter().map(told).collect();
        assert_eq!(parse(text, NOW).notes, expected, "{text}");
    }
    let long = parse(&format!("after:{}", "x".repeat(999)), NOW);
    assert!(long.notes[0].len() < 200);
    assert_eq!(parse(&"after:noon ".repeat(99), NOW).notes.len(), super::NOTES_MAX);
}

#[test]
fn a_filter_is_told_as_it_was_written() {
    let parsed = parse("lamp -path:\"my notes\" type:pdf, oil", NOW);
    let written: Vec<&str> =
        parsed.filters.documents.iter().map(|one| one.written.as_str()).collect();
    assert_eq!(written, ["-path:\"my notes\"", "type:pdf,"]);
}

proptest! {
    #[test]
    fn any_text_is_taken_apart(text in "[-a-e:\" \n/é2]{0,40}|\\PC{0,40}|(path:|\"|-|type:){0,3}\\PC{0,9}") {
        let parsed = parse(&text, NOW);
        if parsed.filters == super::Filters::default() {
            prop_assert_eq!(parsed.words, text.trim());
        }
    }
}
