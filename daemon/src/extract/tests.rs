//! What is text, what it is called and which names are not worth opening.

use std::path::Path;

use proptest::prelude::*;

use crate::chunk::chunk;
use crate::convert::{Convert, Converted, Scripted, Unconverted};

use daemon_protocol::Place;

use super::{FILE_BYTES_MAX, Kind, Mark, TABLE_BYTES_MAX, Unreadable, extract, is_candidate};

fn text(path: &str, bytes: &[u8]) -> String {
    extract(Path::new(path), bytes, &Scripted).unwrap().text
}

#[test]
fn encodings_become_text() {
    let table: &[(&[u8], &str)] = &[
        (b"", ""),
        (b"plain\r\nlines\r\n", "plain\r\nlines\r\n"),
        ("lömp\u{feff}".as_bytes(), "lömp\u{feff}"),
        (b"\xef\xbb\xbfmarked", "\u{feff}marked"),
        (b"\xff\xfel\0\xf6\0\n\0", "lö\n"),
        (b"\xfe\xff\0l\0\xf6\0\n", "lö\n"),
        (b"\xff\xfe", ""),
        // Written on an older Windows, then UTF-8 with one damaged character.
        (b"ein gr\xf6\xdferes Feuer \x96 80 \x80", "ein größeres Feuer – 80 €"),
        (b"\xc3\xb6\xc3\xa4\xc3\xbc damaged \xff here", "öäü damaged \u{fffd} here"),
        (
            b"\x1b[31mred\x1b[0m log line, \x0c next page",
            "\x1b[31mred\x1b[0m log line, \x0c next page",
        ),
    ];
    for (bytes, expected) in table {
        assert_eq!(text("a.txt", bytes), *expected, "{bytes:?}");
    }
}

#[test]
fn data_is_refused_with_a_reason() {
    let zeros = [b"text and then\0".as_slice(), &[b'x'; 100]].concat();
    let control: Vec<u8> = (0..200).map(|i| if i % 7 == 0 { 1 } else { b'a' }).collect();
    // "Маяк светит" in KOI8-R: Latin letters would be nonsense.
    let koi8 = b"\xed\xc1\xd1\xcb \xd3\xd7\xc5\xd4\xc9\xd4 \xce\xcf\xde\xd8\xc0".as_slice();
    let sixteen = [b"\xff\xfe".as_slice(), &[0; 64]].concat();
    let large = vec![b'a'; FILE_BYTES_MAX as usize + 1];
    let max = FILE_BYTES_MAX;
    let table: &[(&[u8], Unreadable)] = &[
        (&zeros, Unreadable::Binary),
        (&control, Unreadable::Binary),
        (&sixteen, Unreadable::Binary),
        (koi8, Unreadable::Encoding),
        (&large, Unreadable::TooLarge { bytes: max + 1, max }),
    ];
    for (bytes, expected) in table {
        assert_eq!(extract(Path::new("a.txt"), bytes, &Scripted).unwrap_err(), *expected);
    }
    let table = vec![b'a'; TABLE_BYTES_MAX as usize + 1];
    let refused = extract(Path::new("a.csv"), &table, &Scripted).unwrap_err().to_string();
    assert!(
        refused.starts_with("3 MiB, over the limit of 2 MiB for a file of its kind"),
        "{refused}"
    );
    let shown = Unreadable::TooLarge { bytes: 100 << 20, max }.to_string();
    assert!(shown.starts_with("100 MiB, over the limit of 16 MiB"), "{shown}");
}

#[test]
fn the_broken_fixtures_are_survived() {
    let read = |name: &str| {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/corpus/broken").join(name);
        extract(&path, &std::fs::read(&path).unwrap(), &Scripted)
    };
    let passages = |name: &str| chunk(&read(name).unwrap(), 64, &|text| text.len().div_ceil(4));
    assert_eq!(read("binary.bin").unwrap_err(), Unreadable::Binary);
    assert!(passages("empty.md").is_empty());
    assert_eq!(
        passages("latin1.txt")[0].text,
        "Der Wärter prüft täglich die Größe der Flamme – notfalls öfter."
    );
    let long = passages("very-long-line.txt");
    assert!(long.len() > 200 && long.iter().all(|p| p.lines == (1, 1) && p.text.len() <= 256));
}

#[test]
fn kinds_and_titles() {
    let table = [
        ("/n/fog.md", "# Fog signals\ntext", Kind::Markdown, "Fog signals"),
        ("/n/fog.md", "\u{feff}# Fog\n", Kind::Markdown, "Fog"),
        (
            "/n/fog.md",
            "---\ntags: a\ntitle: \"The fog\"\n---\n# Other\n",
            Kind::Markdown,
            "The fog",
        ),
        ("/n/fog.MD", "## Only a second level\n", Kind::Markdown, "fog"),
        ("/n/fog.md", "Intro\n\nUnderlined\n===\n", Kind::Markdown, "Underlined"),
        ("/n/fog.md", "```\n# not a title\n```\n", Kind::Markdown, "fog"),
        ("/n/lamp.rs", "# x\n", Kind::Code, "lamp"),
        ("/n/Makefile", "all:\n", Kind::Code, "Makefile"),
        ("/n/run", "#!/bin/sh\n", Kind::Code, "run"),
        ("/n/notes.2024.txt", "# x\n", Kind::Text, "notes.2024"),
        ("/n/README", "hello", Kind::Text, "README"),
        ("/n/a.txt", "= x\n\n* y\n", Kind::Text, "a"),
        ("/n/a.org", "#+title: Day book\n", Kind::Org, "Day book"),
        ("/n/a.rst", "Guide\n=====\n", Kind::Rst, "Guide"),
        ("/n/a.adoc", "= Guide\n", Kind::Asciidoc, "Guide"),
        ("/n/a.tex", "\\title{Owls}\n", Kind::Latex, "Owls"),
        ("/n/a.tex", "\\section{Owls}\n", Kind::Latex, "a"),
        ("/n/ls.1", ".TH LS 1\n", Kind::Man, "LS(1)"),
        ("/n/syslog.1", "boot\n", Kind::Text, "syslog"),
        ("/n/a.csv", "name,age\n", Kind::Table, "a"),
        ("/n/a.yml", "name: x\n", Kind::Data, "a"),
    ];
    for (path, text, kind, title) in table {
        let extracted = extract(Path::new(path), text.as_bytes(), &Scripted).unwrap();
        assert_eq!((extracted.kind, extracted.title.as_str()), (kind, title), "{path}: {text}");
    }
}

#[test]
fn names_not_worth_opening() {
    let plain = [
        "a.md",
        "README",
        "b.RS",
        "c.txt",
        "d.unknown",
        "binary.bin",
        "e.log",
        ".profile",
        "t.csv",
        "t.TSV",
        "s.srt",
        "s.vtt",
        "refs.bib",
        "refs.ris",
        "a.ics",
        "a.vcf",
        "f.opml",
        "ls.1",
    ];
    for name in plain.into_iter().chain(["#inbox.md", "# Meeting 7.md", "#", "a#b.md"]) {
        assert!(is_candidate(Path::new(name)), "{name}");
    }
    for name in [
        "a.PNG",
        "b.tar.gz",
        "Cargo.lock",
        "package-lock.json",
        "x.min.js",
        "notes.md~",
        ".#a.md",
        "#a.md#",
        "~$report.docx",
        "##",
        ".a.md.swp",
        "4913",
        "t.jsonl",
        "t.ndjson",
        "t.sqlite",
        "m.onnx",
        "id_rsa",
        "tls.pem",
        "app.js.map",
        ".env",
    ] {
        assert!(!is_candidate(Path::new(name)), "{name}");
    }
}

#[test]
fn a_pdf_is_read_as_one_whatever_its_name_says() {
    let read = |name: &str, bytes: &[u8]| extract(Path::new(name), bytes, &Scripted);
    for name in ["a.pdf", "a.txt", "a", "a.docx"] {
        let extracted = read(name, b"%PDF-1.4\n\x0cPage 2").unwrap();
        assert_eq!((extracted.marks.len(), extracted.title.as_str()), (2, "a"), "{name}");
    }
    // What its reader does not take for one may be a text about it.
    let latin = b"%PDF- is how a caf\xe9's menu begins";
    assert!(read("a.txt", latin).unwrap().text.contains("café"));
    assert!(matches!(read("a.pdf", latin), Err(Unreadable::Unconverted(_))));
    assert!(matches!(read("a.txt", b"%PDF-\0\xff"), Err(Unreadable::Unconverted(_))));
}

#[test]
fn text_is_read_however_it_was_stored() {
    let wide = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    };
    let padded = |before: &[u8], behind: &[u8]| [before, &[0; 4096], behind].concat();
    let table = [
        ("a.txt", wide("pelican\nbay\n", u16::to_le_bytes), Some("pelican\nbay\n".to_owned())),
        ("a.txt", wide("Größe, 日\n", u16::to_be_bytes), Some("Größe, 日\n".to_owned())),
        ("a.log", padded(b"boot\n", b"up\n"), Some(format!("boot\n{}up\n", " ".repeat(4096)))),
        ("a.log", padded(b"", b"up\n"), Some(format!("{}up\n", " ".repeat(4096)))),
        ("a.log", padded(b"", b""), None),
        ("a.log", b"up\0\0\0down".to_vec(), None),
        ("a.bin", [[1, 0], [2, 0], [3, 0], [4, 0]].concat(), None),
        ("a.txt", b"one\rtwo\r".to_vec(), Some("one\ntwo\n".to_owned())),
        ("a.md", b"one\r\ntwo\r# three\r\n".to_vec(), Some("one\r\ntwo\n# three\r\n".to_owned())),
        // How far a download is.
        ("a.log", b"1 %\r2 %\r\nend\n".to_vec(), Some("1 %\r2 %\r\nend\n".to_owned())),
        ("a.bib", br#"author = {G{\"o}del}"#.to_vec(), Some("author = {Gödel}".to_owned())),
        ("a.ics", b"A:oka\r\n pi\r\n".to_vec(), Some("A:okapi\n\n".to_owned())),
    ];
    for (name, bytes, expected) in table {
        let text = extract(Path::new(name), &bytes, &Scripted).ok().map(|read| read.text);
        assert_eq!(text, expected, "{name}: {}", bytes.escape_ascii());
    }
    let mac = extract(Path::new("a.md"), b"# Mac\rtext\r## Second\rmore", &Scripted).unwrap();
    let passages = chunk(&mac, 8, &|text| text.len().div_ceil(4));
    assert_eq!(
        (mac.title.as_str(), passages.last().unwrap().heading.as_str()),
        ("Mac", "Mac > Second")
    );
}

#[test]
fn mail_is_read_as_such_wherever_it_lies() {
    let mail = "Message-ID: <1@x>\nFrom: a@b.c\nSubject: x\n\ntext\n";
    /// Reads what is called so, and gives no places.
    struct Messages;
    impl Convert for Messages {
        fn convert(&self, path: &Path, bytes: &[u8]) -> Result<Converted, Unconverted> {
            assert_eq!(path.extension().unwrap(), "eml");
            let text = String::from_utf8_lossy(bytes).into_owned();
            Ok(Converted { kind: Kind::Markdown, title: None, text, marks: Vec::new() })
        }
    }
    let message = extract(Path::new("/m/cur/1.M1.host:2,S"), mail.as_bytes(), &Messages).unwrap();
    assert_eq!(message.marks, [Mark { at: 0, place: Place::Message(1) }]);
    let large = |name: &str| extract(Path::new(name), &vec![b'a'; 17 << 20], &Scripted).map(|_| ());
    for name in ["/m/Inbox", "/m/a.txt"] {
        assert!(matches!(large(name), Err(Unreadable::TooLarge { .. })), "{name}");
    }
}

proptest! {
    #[test]
    fn valid_text_is_itself_and_no_bytes_panic(text in "\\PC{0,200}", bytes in any::<Vec<u8>>()) {
        if let Ok(extracted) = extract(Path::new("a.md"), text.as_bytes(), &Scripted) {
            prop_assert_eq!(extracted.text, text);
        }
        let _checked_for_panics = extract(Path::new("a.md"), &bytes, &Scripted).is_ok();
    }
}
