use daemon::convert::Unconverted;

use crate::tests::{ENTITIES, read, text, zip};

/// A Word document of this body.
fn docx(body: &str) -> Vec<u8> {
    docx_of(&format!(
        "<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\">\
         <w:body>{body}</w:body></w:document>"
    ))
}

fn docx_of(document: &str) -> Vec<u8> {
    docx_with(document, &[])
}

/// A document with other parts.
fn docx_with(document: &str, parts: &[(&str, &str)]) -> Vec<u8> {
    let own = [
        (
            "[Content_Types].xml",
            "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
             <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
             <Default Extension=\"xml\" ContentType=\"application/xml\"/><Override PartName=\"/word/document.xml\" \
             ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>",
        ),
        (
            "_rels/.rels",
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
             <Relationship Id=\"r1\" Target=\"word/document.xml\" \
             Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\"/></Relationships>",
        ),
        ("word/document.xml", document),
        (
            "docProps/core.xml",
            "<cp:coreProperties xmlns:cp=\"c\" xmlns:dc=\"d\"><dc:title>The plan</dc:title></cp:coreProperties>",
        ),
    ];
    zip(&[&own, parts].concat())
}

fn paragraph(text: &str) -> String {
    format!("<w:p><w:r><w:t xml:space=\"preserve\">{text}</w:t></w:r></w:p>")
}

#[test]
fn keeps_headings_tables_and_names_with_underscores() {
    let cell = |text: &str| format!("<w:tc>{}</w:tc>", paragraph(text));
    let body = format!(
        "<w:p><w:pPr><w:outlineLvl w:val=\"0\"/></w:pPr><w:r><w:t>Top</w:t></w:r></w:p>{}\
         <w:tbl><w:tr>{}{}</w:tr><w:tr>{}{}</w:tr></w:tbl>",
        paragraph("snake_case and *stars* [x]"),
        cell("Name"),
        cell("Sum"),
        cell("ACME"),
        cell("12"),
    );
    let converted = read("docx", &docx(&body)).unwrap();
    assert_eq!(
        converted.text,
        "# Top\n\nsnake_case and *stars* [x]\n\n| Name | Sum |\n| --- | --- |\n| ACME | 12 |"
    );
    assert_eq!(converted.title.as_deref(), Some("The plan"));
    assert_eq!(converted.marks, []);
}

#[test]
fn signs_are_characters() {
    let cases = [
        ("COVID</w:t><w:noBreakHyphen/><w:t>19", "COVID-19"),
        ("e</w:t><w:noBreakHyphen></w:noBreakHyphen><w:t>bike", "e-bike"),
        ("co</w:t><w:softHyphen/><w:t>op", "coop"),
        (
            "a</w:t><w:sym w:font=\"Symbol\" w:char=\"F061\"/><w:sym w:char=\"44\" w:font=\"Symbol\"/><w:t>",
            "aαΔ",
        ),
        (
            "a</w:t><w:sym w:font=\"Arial\" w:char=\"2192\"/><w:sym w:font=\"Wingdings\" w:char=\"F0E0\"/><w:t>b",
            "a→b",
        ),
        (
            "a</w:t><w:sym w:font=\"Arial\" w:char=\"3C\"/><w:sym w:font=\"Symbol\" w:char=\"F0B3\"/><w:sym/><w:t>b",
            "a≥b",
        ),
    ];
    for (runs, expected) in cases {
        assert_eq!(text("docx", &docx(&paragraph(runs))), expected, "{runs}");
    }
}

#[test]
fn reads_comments_and_what_stands_on_each_page() {
    let part = |inside: &str| format!("<w:x xmlns:w=\"w\">{inside}</w:x>");
    let document = docx(&paragraph("body"));
    assert_eq!(text("docx", &document), "body");
    let comments =
        part(&format!("<w:comment w:author=\"Ann\">{}</w:comment>", paragraph("a  doubt")));
    let header = part(&(paragraph("Draft") + &paragraph("7")));
    let body = format!(
        "<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{}</w:body></w:document>",
        paragraph("body")
    );
    let parts = [
        ("word/comments.xml", comments.as_str()),
        ("word/header1.xml", &header),
        ("word/header2.xml", &header),
        ("word/footer1.xml", "damaged <"),
    ];
    assert_eq!(text("docx", &docx_with(&body, &parts)), "body\n\nAnn: a doubt\n\nDraft");
}

#[test]
fn reads_writer_documents() {
    let content = "<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
        xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"><office:body><office:text>\
        <text:h text:outline-level=\"2\">Part</text:h><text:list><text:list-item><text:p>one</text:p></text:list-item>\
        <text:list-item><text:p>two</text:p></text:list-item></text:list><text:p>a<text:s/>b</text:p>\
        </office:text></office:body></office:document-content>";
    let odt =
        zip(&[("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", content)]);
    assert_eq!(text("odt", &odt), "## Part\n\n- one\n- two\n\na b");
}

#[test]
fn reads_rtf() {
    let rtf =
        br"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}Gr\'fc\'dfe \u26085?\par second_line\par}";
    assert_eq!(text("rtf", rtf), "Grüße 日\n\nsecond_line");
    // Word opens them whatever the ending says.
    assert_eq!(text("doc", rtf), "Grüße 日\n\nsecond_line");
}

#[test]
fn reads_pages_that_are_called_word_documents() {
    assert_eq!(text("doc", b"<html><h1>Top</h1>text"), "# Top\n\ntext");
}

#[test]
fn an_empty_document_has_no_text() {
    assert_eq!(text("docx", &docx("")), "");
}

#[test]
fn refuses_what_is_no_document() {
    for bytes in
        [&b""[..], b"plain words", b"%PDF-1.4 no", b"PK\x03\x04 broken", &zip(&[("a", "b")])]
    {
        assert!(matches!(read("docx", bytes), Err(Unconverted::Damaged(_))), "{bytes:?}");
    }
}

#[test]
fn asks_for_a_password() {
    let mut ole = vec![0; 1024];
    ole[..4].copy_from_slice(&[0xd0, 0xcf, 0x11, 0xe0]);
    for (at, unit) in "EncryptedPackage".encode_utf16().enumerate() {
        ole[512 + at * 2..][..2].copy_from_slice(&unit.to_le_bytes());
    }
    ole[512 + 64] = 34;
    assert_eq!(read("docx", &ole), Err(Unconverted::Locked));
}

#[test]
fn refuses_bombs() {
    let bomb = docx(&paragraph(&" ".repeat(300 << 20)));
    assert!(matches!(read("docx", &bomb), Err(Unconverted::TooMuch(_))));
    let entities = docx_of(&format!(
        "{ENTITIES}<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{}</w:body></w:document>",
        paragraph("&g; end")
    ));
    assert!(read("docx", &entities).is_ok_and(|converted| converted.text.len() < 1000));
}

#[test]
fn refuses_thousands_of_levels() {
    let (open, close) = ("<w:sdt><w:sdtContent>", "</w:sdtContent></w:sdt>");
    let deep =
        docx(&format!("{}{}{}", open.repeat(20_000), paragraph("deep"), close.repeat(20_000)));
    assert!(matches!(read("docx", &deep), Err(Unconverted::TooMuch(_))));
}

#[test]
fn what_word_wrote_before_97_is_told_as_that() {
    // Containers that no library reads, as it does not read the document in these.
    let container = |begins: &[u8]| {
        let mut bytes = vec![0; 2048];
        bytes[..8].copy_from_slice(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
        bytes[1600..1600 + begins.len()].copy_from_slice(begins);
        bytes
    };
    let cases = [
        (container(&[0xdc, 0xa5, 104, 0]), true),
        (container(&[0xdc, 0xa5, 101, 0]), true),
        (container(&[0xec, 0xa5, 193, 0]), false),
        (vec![0xdb, 0xa5, 0x2d, 0, 0x31, 0x40], true),
    ];
    for (bytes, is_early) in cases {
        let Err(Unconverted::Damaged(why)) = read("doc", &bytes) else { panic!("{bytes:?}") };
        assert_eq!(why.contains("before 97"), is_early, "{why}");
    }
}

/// A container of the older kind with these parts, of which each sorts after the one before, all empty.
fn container(parts: &[&str]) -> Vec<u8> {
    let mut bytes = vec![0; 3 * 512];
    bytes[512..1024].fill(0xff);
    let mut write = |at: usize, words: &[u32]| {
        for (at, word) in (at..).step_by(4).zip(words) {
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
    };
    let (none, last) = (u32::MAX, u32::MAX - 1);
    write(0, &[0xe011_cfd0, 0xe11a_b1a1]);
    // Version 3 in this order of bytes, sectors of 512 and 64 bytes; a table in sector 0, a directory in sector 1.
    write(24, &[0x0003_003e, 0x0009_fffe, 6, 0, 0, 1, 1, 0, 4096, last, 0, last, 0, 0]);
    write(80, &[none; 108]);
    write(512, &[0xffff_fffd, last]);
    for (number, at) in (0..4).zip((1024..).step_by(128)) {
        let next = if number > 0 && number < parts.len() { number as u32 + 1 } else { none };
        let child = if number == 0 { 1 } else { none };
        let name = if number == 0 { Some(&"Root Entry") } else { parts.get(number - 1) };
        write(at + 68, &[none, next, child]);
        let Some(name) = name else { continue };
        let units: Vec<u32> = name.encode_utf16().chain([0]).map(u32::from).collect();
        let pairs = units.chunks(2).map(|pair| pair[0] | pair.get(1).unwrap_or(&0) << 16);
        write(at, &pairs.collect::<Vec<_>>());
        let kind = if number == 0 { 0x0105_0000 } else { 0x0102_0000 };
        write(at + 64, &[2 * units.len() as u32 + kind]);
        write(at + 116, &[last]);
    }
    bytes
}

#[test]
fn what_powerpoint_wrote_before_97_is_told_as_that() {
    let early = container(&["PowerPoint Document", "PersistentStorage Directory"]);
    let Err(Unconverted::Damaged(why)) = read("ppt", &early) else { panic!() };
    assert!(why.contains("PowerPoint before 97"), "{why}");
    assert_eq!(text("ppt", &container(&["PowerPoint Document"])), "");
}
