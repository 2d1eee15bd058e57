use daemon::convert::Unconverted;
use daemon_protocol::Place;

use crate::tests::{ENTITIES, places, read, zip};

fn slide(body: &str) -> String {
    format!(
        "<p:sld xmlns:p=\"p\" xmlns:a=\"a\"><p:cSld><p:spTree>{body}</p:spTree></p:cSld></p:sld>"
    )
}

fn shape(placeholder: &str, paragraphs: &[&str]) -> String {
    let text: String =
        paragraphs.iter().map(|text| format!("<a:p><a:r><a:t>{text}</a:t></a:r></a:p>")).collect();
    format!(
        "<p:sp><p:nvSpPr><p:nvPr>{placeholder}</p:nvPr></p:nvSpPr><p:txBody>{text}</p:txBody></p:sp>"
    )
}

const TITLE: &str = "<p:ph type=\"title\"/>";
const DECK: &str = "<p:presentation xmlns:p=\"p\" xmlns:r=\"r\"><p:sldIdLst><p:sldId id=\"256\" r:id=\"rId2\"/>\
    <p:sldId id=\"257\" r:id=\"rId1\"/></p:sldIdLst></p:presentation>";
const RELATIONS: &str = "<Relationships><Relationship Id=\"rId1\" Type=\"http://x/slide\" Target=\"slides/slide1.xml\"/>\
    <Relationship Id=\"rId2\" Type=\"http://x/slide\" Target=\"/ppt/slides/slide2.xml\"/></Relationships>";

fn deck(first: &str, second: &str) -> Vec<u8> {
    zip(&[
        ("ppt/presentation.xml", DECK),
        ("ppt/_rels/presentation.xml.rels", RELATIONS),
        ("ppt/slides/slide1.xml", second),
        ("ppt/slides/slide2.xml", first),
        (
            "ppt/slides/_rels/slide1.xml.rels",
            "<Relationships><Relationship Id=\"a\" Type=\"http://x/notesSlide\" Target=\"../notesSlides/n.xml\"/></Relationships>",
        ),
        (
            "ppt/notesSlides/n.xml",
            &slide(
                &(shape("<p:ph type=\"body\"/>", &["Say hello."])
                    + &shape("<p:ph type=\"sldNum\"/>", &["2"])),
            ),
        ),
    ])
}

#[test]
fn reads_slides_in_the_order_they_are_shown_with_notes() {
    let first = shape("<p:ph idx=\"1\"/>", &["one", "two &amp; three"]) + &shape(TITLE, &["First"]);
    let table = "<p:graphicFrame><a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>A</a:t></a:r></a:p></a:txBody></a:tc>\
        <a:tc><a:txBody><a:p><a:r><a:t>B</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl></p:graphicFrame>";
    let second = shape(TITLE, &["Second"]) + &shape("", &["free", "text"]) + table;
    let converted = read("pptx", &deck(&slide(&first), &slide(&second))).unwrap();
    assert_eq!(
        converted.text,
        "# First\n\n- one\n- two & three\n\n# Second\n\nfree\ntext\n\n| A | B |\n| --- | --- |\n\nSay hello."
    );
    assert_eq!(places(&converted), [(Place::Slide(1), "# First"), (Place::Slide(2), "# Second")]);
}

#[test]
fn an_empty_slide_has_no_place() {
    let converted = read("ppsx", &deck(&slide(""), &slide(&shape(TITLE, &["Second"])))).unwrap();
    assert_eq!(places(&converted), [(Place::Slide(2), "# Second")]);
}

#[test]
fn says_once_what_is_there_for_older_programs_too() {
    let both = format!(
        "<mc:AlternateContent xmlns:mc=\"m\"><mc:Choice>{}</mc:Choice><mc:Fallback>{}</mc:Fallback></mc:AlternateContent>",
        shape("", &["new"]),
        shape("", &["old"])
    );
    let converted = read("pptx", &deck(&slide(&both), &slide(""))).unwrap();
    assert_eq!(converted.text, "new\n\nSay hello.");
}

#[test]
fn reads_decks_without_a_list() {
    let (a, b) = (slide(&shape("", &["two"])), slide(&shape("", &["ten"])));
    let deck = zip(&[
        ("ppt/presentation.xml", "<p/>"),
        ("ppt/slides/slide10.xml", &b),
        ("ppt/slides/slide2.xml", &a),
    ]);
    assert_eq!(read("pptx", &deck).unwrap().text, "two\n\nten");
}

#[test]
fn refuses_what_is_no_deck() {
    for bytes in [&b""[..], b"words", &zip(&[("word/document.xml", "<w/>")])] {
        assert!(matches!(read("pptx", bytes), Err(Unconverted::Damaged(_))), "{bytes:?}");
    }
}

#[test]
fn bombs_and_depth_do_no_harm() {
    let bomb = deck(&" ".repeat(300 << 20), "");
    assert!(matches!(read("pptx", &bomb), Err(Unconverted::TooMuch(_))));
    let entities = format!("{ENTITIES}{}", slide(&shape("", &["&g;end"])));
    assert_eq!(read("pptx", &deck(&entities, &slide(""))).unwrap().text, "end\n\nSay hello.");
    let deep = format!(
        "{}{}{}",
        "<p:grpSp>".repeat(20_000),
        shape("", &["deep"]),
        "</p:grpSp>".repeat(20_000)
    );
    assert_eq!(read("pptx", &deck(&slide(&deep), &slide(""))).unwrap().text, "deep\n\nSay hello.");
}

#[test]
fn a_drawn_outline_does_not_end_its_shape() {
    let title = shape(TITLE, &["Free"]).replace(
        "<p:txBody>",
        "<p:spPr><a:custGeom><a:pathLst><a:path><a:moveTo><a:pt x=\"0\" y=\"0\"/></a:moveTo></a:path>\
         </a:pathLst></a:custGeom></p:spPr><p:txBody>",
    );
    let converted = read("pptx", &deck(&slide(&title), &slide(""))).unwrap();
    assert_eq!(converted.text, "# Free\n\nSay hello.");
}
