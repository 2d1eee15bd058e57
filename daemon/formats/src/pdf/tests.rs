use daemon::convert::TEXT_BYTES_MAX;

use super::*;

/// The content of a page: text of a size at a place, y up the page as in the file.
fn at(x: i32, y: i32, text: &str) -> String {
    format!("BT /F 10 Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET\n")
}

/// A file whose pages draw this, with a dictionary as its document's information.
fn pdf_about(info: &str, pages: &[String]) -> Vec<u8> {
    let kids: Vec<String> = (0..pages.len()).map(|n| format!("{} 0 R", 5 + 2 * n)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Count {} /Kids [{}] >>", pages.len(), kids.join(" ")),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
            .to_owned(),
        format!("<< {info} >>"),
    ];
    for (page, n) in pages.iter().zip(0..) {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {} 0 R \
             /Resources << /Font << /F 3 0 R >> >> >>",
            6 + 2 * n
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{page}\nendstream", page.len()));
    }
    let mut file = "%PDF-1.7\n".to_owned();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (object, number) in objects.iter().zip(1..) {
        table += &format!("{:010} 00000 n \n", file.len());
        file += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    let begin = file.len();
    let trailer = format!("trailer << /Size {} /Root 1 0 R /Info 4 0 R >>", objects.len() + 1);
    file += &format!("{table}{trailer}\nstartxref\n{begin}\n%%EOF\n");
    file.into_bytes()
}

fn pdf(pages: &[String]) -> Vec<u8> {
    pdf_about("", pages)
}

#[track_caller]
fn check(page: String, want: &str) {
    let read = read(&pdf(&[page]));
    assert_eq!(read.map(|read| read.text).as_deref(), Ok(want));
}

#[test]
fn what_is_filled_in_and_not_drawn_is_read() {
    let widget = |rest: &str| format!("<< /Subtype /Widget /Rect [9 9 99 30] {rest} >>");
    let fields = [
        widget("/FT /Tx /TU (Your name) /V (Ada\\nLovelace)"),
        widget("/FT /Ch /V [(tea) (\\376\\377\\000\\344)]"),
        widget("/Parent << /TU (Town) /V (Turin) >>"),
        widget("/V (hidden) /F 2"),
        widget("/V /Off"),
        widget("/V (drawn elsewhere) /AP << /N 6 0 R >>"),
        "<< /Subtype /Text /V (a note) >>".to_owned(),
    ];
    let page = at(50, 700, "A form.");
    let file = String::from_utf8(pdf(&[page])).unwrap();
    let before = format!("/Annots [{}] /Contents", fields.join(" "));
    let read = read(file.replacen("/Contents", &before, 1).as_bytes()).unwrap();
    assert_eq!(read.text, "A form.\n\nYour name: Ada\nLovelace\ntea, ä\nTown: Turin");
}

#[test]
fn pages_have_their_numbers() {
    let pages = [at(50, 700, "First page."), String::new(), at(50, 700, "Third page.")];
    let read = read(&pdf_about("/Title (On pages)", &pages)).unwrap();
    assert_eq!(read.text, "First page.\n\nThird page.");
    assert_eq!(read.title.as_deref(), Some("On pages"));
    let mark = |at, page| Mark { at, place: Place::Page(page) };
    assert_eq!(read.marks, [mark(0, 1), mark(13, 3)]);
}

#[test]
fn words_are_parted_by_room() {
    check(at(50, 700, "one") + &at(70, 700, "two") + &at(300, 700, "three"), "one two three");
    let kerned = "BT /F 10 Tf 50 700 Td [(W) 80 (ord) -300 (by) -300 (word)] TJ ET";
    check(kerned.to_owned(), "Word by word");
    let spaced = "BT /F 10 Tf 1.5 Tc 50 700 Td (SPACED OUT) Tj ET";
    check(spaced.to_owned(), "SPACED OUT");
}

#[test]
fn columns_are_read_one_after_the_other() {
    let left = ["Left one.", "Left two.", "Left three.", "Left four.", "Left five."];
    let right = ["Right one.", "Right two.", "Right three.", "Right four.", "Right five."];
    let want = format!("{}\n\n{}", left.join("\n"), right.join("\n"));
    let lines = |x, texts: &[&str]| -> String {
        texts.iter().zip(0..).map(|(text, n)| at(x, 700 - 12 * n, text)).collect()
    };
    check(lines(50, &left) + &lines(320, &right), &want);
    // Drawn from below, the order of drawing is none.
    let mut jumbled = String::new();
    for n in [4, 3, 2, 1, 0] {
        jumbled += &at(320, 700 - 12 * n, right[n as usize]);
        jumbled += &at(50, 700 - 12 * n, left[n as usize]);
    }
    check(jumbled, &want);
}

#[test]
fn broken_words_are_whole() {
    check(at(50, 700, "An exam-") + &at(50, 688, "ple of it."), "An example of it.");
}

#[test]
fn turned_text_is_read_along_its_own_line() {
    let turned = "BT /F 10 Tf 0 1 -1 0 100 100 Tm (Up the) Tj 0 -12 Td (page) Tj ET";
    check(turned.to_owned(), "Up the\npage");
}

#[test]
fn a_file_may_say_what_to_read_for_its_glyphs() {
    let marked = "BT /F 10 Tf 50 700 Td (A ) Tj /Span << /ActualText (word) >> BDC (w) Tj (0rd) Tj EMC ( is) Tj ET";
    check(marked.to_owned(), "A word is");
}

#[test]
fn what_is_drawn_twice_is_read_once() {
    let bold = "BT /F 10 Tf 1 0 0 1 50 700 Tm (Bold) Tj 1 0 0 1 50.3 700 Tm (Bold) Tj ET";
    check(bold.to_owned() + "\n" + &at(50, 600, "Both"), "Bold\n\nBoth");
    check("BT /F 10 Tf 2 Tr 50 700 Td (Stroked too) Tj ET".to_owned(), "Stroked too");
}

#[test]
fn the_unseen_text_of_a_scanned_page_is_read() {
    check("BT /F 10 Tf 3 Tr 50 700 Td (Scanned) Tj ET".to_owned(), "Scanned");
}

#[test]
fn what_cannot_be_read_says_why() {
    let damaged = |reason: &str| Err(Unconverted::Damaged(reason.to_owned()));
    let picture = "50 50 300 300 re f".to_owned();
    let none = |parts: &str| Err(Unconverted::NoText { parts: parts.to_owned() });
    assert_eq!(read(b"Once upon a time"), damaged("it does not begin as a PDF does"));
    assert_eq!(read(b"%PDF-1.7\nand no more"), damaged("no pages can be found in it"));
    assert_eq!(read(&pdf(&[])), damaged("it has no pages"));
    assert_eq!(read(&pdf(&[String::new()])), damaged("nothing is drawn on its 1 page"));
    assert_eq!(read(&pdf(std::slice::from_ref(&picture))), none("1 page"));
    assert_eq!(read(&pdf(&[picture.clone(), picture])), none("2 pages"));
}

#[test]
fn a_file_cut_short_is_read_as_far_as_it_goes() {
    let mut file = pdf(&[at(50, 700, "Here still."), at(50, 700, "Cut off.")]);
    let cut = file.windows(4).position(|window| window == b"xref").unwrap();
    file.truncate(cut);
    assert_eq!(read(&file).map(|read| read.text).as_deref(), Ok("Here still.\n\nCut off."));
}

#[test]
fn more_text_than_may_be_is_refused() {
    let much = "a".repeat(TEXT_BYTES_MAX + 1);
    let page = format!("BT /F 10 Tf 50 700 Td /Span << /ActualText ({much}) >> BDC (x) Tj EMC ET");
    assert_eq!(read(&pdf(&[page])).err(), within(TEXT_BYTES_MAX + 1).err());
    assert!(within(TEXT_BYTES_MAX + 1).is_err());
}
