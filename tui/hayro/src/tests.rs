use super::*;

/// A file of pages of that many points, on each of which a black bar lies along the top and a word below it.
fn pdf(pages: &[(u32, u32)], trailer: &str) -> Vec<u8> {
    let kids: Vec<String> = (0..pages.len()).map(|n| format!("{} 0 R", 4 + 2 * n)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Count {} /Kids [{}] >>", pages.len(), kids.join(" ")),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    for ((width, height), n) in pages.iter().zip(0..) {
        let (bar, word) = (height - height / 10, height / 2);
        let content = format!(
            "0 g 0 {bar} {width} {height} re f BT /F 24 Tf 1 0 0 1 10 {word} Tm (word) Tj ET"
        );
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents {} 0 R \
             /Resources << /Font << /F 3 0 R >> >> >>",
            5 + 2 * n
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    let mut file = "%PDF-1.7\n".to_owned();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (object, number) in objects.iter().zip(1..) {
        table += &format!("{:010} 00000 n \n", file.len());
        file += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    let begin = file.len();
    let size = objects.len() + 1;
    file += &format!("{table}trailer << /Size {size} /Root 1 0 R {trailer} >>\n");
    file += &format!("startxref\n{begin}\n%%EOF\n");
    file.into_bytes()
}

fn drawn(file: &[u8], page: usize, (width, height): (u16, u16)) -> Vec<u8> {
    let mut output = Vec::new();
    draw(file, &mut output, Wanted { page, width, height }).unwrap();
    output
}

/// The pixels of a picture with that head.
#[track_caller]
fn pixels<'a>(ppm: &'a [u8], head: &str) -> &'a [u8] {
    let told = String::from_utf8_lossy(&ppm[..ppm.len().min(100)]);
    ppm.strip_prefix(head.as_bytes()).unwrap_or_else(|| panic!("{told}"))
}

fn said(file: &[u8], page: usize) -> String {
    String::from_utf8(drawn(file, page, (100, 100))).unwrap()
}

#[test]
fn a_page_is_as_large_as_fits() {
    let file = pdf(&[(100, 100), (200, 400), (400, 200)], "");
    let ppm = drawn(&file, 2, (300, 300));
    assert_eq!(pixels(&ppm, "P6 150 300 255\n").len(), 150 * 300 * 3);
    let ppm = drawn(&file, 3, (300, 300));
    let wide = pixels(&ppm, "P6 300 150 255\n");
    let row = |y: usize| &wide[y * 900..(y + 1) * 900];
    assert!(row(0).iter().all(|part| *part == 0), "the bar is at the top");
    assert!(row(140).iter().all(|part| *part == 255), "paper is white");
    let ink = (60..80).map(|y| row(y).iter().filter(|part| **part < 100).count()).sum::<usize>();
    assert!(ink > 100, "the word is there: {ink}");
}

#[test]
fn what_has_no_picture_says_why() {
    let file = pdf(&[(100, 100), (100, 100)], "");
    assert_eq!(said(&file, 3), "it has no page 3, but 2");
    assert_eq!(said(&file, 0), "it has no page 0, but 2");
    let damaged = "it is damaged: no pages can be found in it";
    assert_eq!(said(b"%PDF-1.7\nand no more", 1), damaged);
    assert_eq!(said(b"", 1), damaged);
    assert_eq!(said(&pdf(&[], ""), 1), damaged);
    let flat = pdf(&[(100_000, 1)], "");
    assert_eq!(said(&flat, 1), "page 1 has no extent");
    let (owner, user) = ("4f".repeat(32), "55".repeat(32));
    let id = "0123456789abcdef0123456789abcdef";
    let lock = |kind: &str, version: u8| {
        let encrypt = format!("/Filter /{kind} /V {version} /R 2 /P -4 /O <{owner}> /U <{user}>");
        pdf(&[(100, 100)], &format!("/Encrypt << {encrypt} >> /ID [<{id}> <{id}>]"))
    };
    assert_eq!(said(&lock("Standard", 1), 1), "it is locked with a password");
    assert_eq!(said(&lock("Standard", 77), 1), "it is locked in a way unknown here");
}

#[test]
fn a_cut_or_garbled_file_is_drawn_or_says_why() {
    let whole = pdf(&[(100, 100)], "");
    for end in (0..whole.len()).step_by(37) {
        let output = drawn(&whole[..end], 1, (40, 40));
        let begins = |start: &[u8]| output.starts_with(start);
        assert!(begins(b"P6 40 40 255\n") || begins(b"it "), "{end}: {output:?}");
    }
    for at in (9..whole.len()).step_by(61) {
        let mut garbled = whole.clone();
        garbled[at] = b'(';
        assert!(!drawn(&garbled, 1, (40, 40)).is_empty(), "{at}");
    }
}
