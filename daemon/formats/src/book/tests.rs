use daemon::convert::Unconverted;
use daemon_protocol::Place;

use crate::tests::{places, read, zip};

const CONTAINER: &str = "<container version=\"1.0\" xmlns=\"urn:oasis:names:tc:opendocument:xmlns:container\"><rootfiles>\
    <rootfile full-path=\"OEBPS/book.opf\" media-type=\"application/oebps-package+xml\"/></rootfiles></container>";
const PACKAGE: &str = "<package xmlns=\"http://www.idpf.org/2007/opf\" version=\"3.0\" unique-identifier=\"i\">\
    <metadata xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:identifier id=\"i\">x</dc:identifier>\
    <dc:title>The Sea</dc:title><dc:creator>Ann  Ahab</dc:creator><dc:language>en</dc:language></metadata><manifest>\
    <item id=\"b\" href=\"text/b.xhtml\" media-type=\"application/xhtml+xml\"/>\
    <item id=\"a\" href=\"text/a%20a.xhtml\" media-type=\"application/xhtml+xml\"/>\
    <item id=\"p\" href=\"p.png\" media-type=\"image/png\"/></manifest>\
    <spine><itemref idref=\"a\"/><itemref idref=\"p\"/><itemref idref=\"b\" linear=\"no\"/><itemref idref=\"lost\"/></spine></package>";

fn page(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title/></head><body>{body}</body></html>"
    )
}

fn book(first: &str, second: &str, encryption: &[(&str, &str)]) -> Vec<u8> {
    let (first, second) = (page(first), page(second));
    let mut entries = vec![
        ("mimetype", "application/epub+zip"),
        ("META-INF/container.xml", CONTAINER),
        ("OEBPS/book.opf", PACKAGE),
        ("OEBPS/text/a a.xhtml", &first),
        ("OEBPS/text/b.xhtml", &second),
        ("OEBPS/p.png", "no page"),
    ];
    entries.extend(encryption);
    zip(&entries)
}

#[test]
fn reads_chapters_in_the_order_of_the_book() {
    let converted =
        read("epub", &book("<h1>One</h1><p>Call me.</p>", "<h1>Two</h1>", &[])).unwrap();
    assert_eq!(converted.text, "Author: Ann Ahab\n\n# One\n\nCall me.\n\n# Two");
    assert_eq!(converted.title.as_deref(), Some("The Sea"));
    assert_eq!(places(&converted), [(Place::Chapter(1), "# One"), (Place::Chapter(3), "# Two")]);
}

#[test]
fn tells_locked_books_from_hidden_fonts() {
    let encryption = |way: &str| {
        format!(
            "<encryption><EncryptedData><EncryptionMethod Algorithm=\"{way}\"/></EncryptedData></encryption>"
        )
    };
    let read = |way: &str| {
        read("epub", &book("<p>a", "", &[("META-INF/encryption.xml", &encryption(way))]))
    };
    assert!(read("http://www.idpf.org/2008/embedding").is_ok());
    assert_eq!(read("http://www.w3.org/2001/04/xmlenc#aes128-cbc"), Err(Unconverted::Protected));
}

#[test]
fn a_book_without_chapters_is_damaged() {
    let package = PACKAGE.replace("<itemref idref=\"a\"/><itemref idref=\"p\"/><itemref idref=\"b\" linear=\"no\"/><itemref idref=\"lost\"/>", "");
    let bytes = zip(&[
        ("mimetype", "application/epub+zip"),
        ("META-INF/container.xml", CONTAINER),
        ("OEBPS/book.opf", &package),
    ]);
    assert!(matches!(read("epub", &bytes), Err(Unconverted::Damaged(_))));
}

#[test]
fn refuses_what_is_no_book() {
    for bytes in [&b""[..], b"words", &zip(&[("word/document.xml", "<w/>")])] {
        assert!(matches!(read("epub", bytes), Err(Unconverted::Damaged(_))), "{bytes:?}");
    }
}

#[test]
fn bombs_and_depth_do_no_harm() {
    let bomb = book(&" ".repeat(300 << 20), "", &[]);
    assert!(matches!(read("epub", &bomb), Err(Unconverted::TooMuch(_))));
    let deep = format!("{}deep", "<div>".repeat(20_000));
    assert_eq!(read("epub", &book(&deep, "", &[])).unwrap().text, "Author: Ann Ahab\n\ndeep");
}
