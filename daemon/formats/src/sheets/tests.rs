use daemon::convert::Unconverted;
use daemon_protocol::Place;

use crate::tests::{ENTITIES, places, read, text, zip};

const PACKAGE: &str = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
    <Relationship Id=\"r1\" Target=\"xl/workbook.xml\" \
    Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\"/></Relationships>";

/// A workbook of sheets, each with its rows' XML; style 1 is a date.
fn xlsx(sheets: &[(&str, &str)]) -> Vec<u8> {
    let listed: String = (1..)
        .zip(sheets)
        .map(|(id, (name, _))| format!("<sheet name=\"{name}\" sheetId=\"{id}\" r:id=\"r{id}\"/>"))
        .collect();
    let related: String = (1..=sheets.len())
        .map(|id| {
            format!(
                "<Relationship Id=\"r{id}\" Target=\"worksheets/sheet{id}.xml\" \
                 Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\"/>"
            )
        })
        .collect();
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let workbook = format!(
        "<workbook xmlns=\"{main}\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">\
         <sheets>{listed}</sheets></workbook>"
    );
    let relations = format!(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{related}</Relationships>"
    );
    let styles = format!(
        "<styleSheet xmlns=\"{main}\"><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>"
    );
    let mut entries = vec![
        ("_rels/.rels".to_owned(), PACKAGE.to_owned()),
        ("xl/workbook.xml".to_owned(), workbook),
        ("xl/_rels/workbook.xml.rels".to_owned(), relations),
        ("xl/styles.xml".to_owned(), styles),
    ];
    for (id, (_, rows)) in (1..).zip(sheets) {
        let sheet =
            format!("<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>");
        entries.push((format!("xl/worksheets/sheet{id}.xml"), sheet));
    }
    zip(&entries
        .iter()
        .map(|(name, content)| (name.as_str(), content.as_str()))
        .collect::<Vec<_>>())
}

/// A row of cells from column A on: words, numbers, dates as `@` and a number, nothing.
fn row(number: u32, cells: &[&str]) -> String {
    let cell = |(column, text): (u8, &&str)| {
        let at = format!("{}{number}", char::from(b'A' + column));
        match text.strip_prefix('@') {
            Some(date) => format!("<c r=\"{at}\" s=\"1\"><v>{date}</v></c>"),
            None if text.is_empty() => String::new(),
            None if text.parse::<f64>().is_ok() => format!("<c r=\"{at}\"><v>{text}</v></c>"),
            None => format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>"),
        }
    };
    let cells: String = (0..).zip(cells).map(cell).collect();
    format!("<row r=\"{number}\">{cells}</row>")
}

#[test]
fn a_row_can_be_read_without_the_head_far_above() {
    let rows = row(1, &["Invoices of the year"])
        + &row(3, &["Date", "Customer", "Sum", "Note"])
        + &row(4, &["@46086", "ACME", "1200.5", ""])
        + &row(5, &["@46087.5", "Other &amp; Co", "0.30000000000000004", "# paid"]);
    let converted =
        read("xlsx", &xlsx(&[("Invoices", &rows), ("Empty", ""), ("Keys", &row(9, &["a", "b"]))]))
            .unwrap();
    assert_eq!(
        converted.text,
        "# Invoices\n\n- Invoices of the year\n- Date | Customer | Sum | Note\n\
         - Date: 2026-03-05; Customer: ACME; Sum: 1200.5\n\
         - Date: 2026-03-06 12:00; Customer: Other & Co; Sum: 0.3; Note: # paid\n\n# Keys\n\n- a | b"
    );
    let sheet = |name: &str| Place::Sheet(name.to_owned());
    assert_eq!(places(&converted), [(sheet("Invoices"), "# Invoices"), (sheet("Keys"), "# Keys")]);
}

#[test]
fn names_and_values_are_no_table() {
    let rows = row(1, &["Name", "ACME"]) + &row(2, &["Street", "Main"]) + &row(3, &["Number", "7"]);
    assert_eq!(
        text("xlsx", &xlsx(&[("A", &rows)])),
        "# A\n\n- Name | ACME\n- Street | Main\n- Number | 7"
    );
}

#[test]
fn a_cell_far_away_costs_nothing() {
    let rows = "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"XFD1048576\"><v>2</v></c></row>";
    assert_eq!(text("xlsm", &xlsx(&[("A", rows)])), "# A\n\n- 1\n- 2");
}

#[test]
fn rows_of_many_columns_are_read_without_names_if_these_are_too_long() {
    let names: Vec<String> = (0..20).map(|n| format!("{} {n}", "name".repeat(12))).collect();
    let mut rows = row(1, &names.iter().map(String::as_str).collect::<Vec<_>>());
    for number in 2..20_000 {
        rows.push_str(&row(number, &["1"; 20]));
    }
    let text = text("xlsx", &xlsx(&[("A", &rows)]));
    assert!(text.ends_with(
        "\n- 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1 | 1"
    ));
}

/// A sheet of Calc whose table holds these rows.
fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
         xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" \
         xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"><office:body><office:spreadsheet>\
         <table:table table:name=\"Tab\">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
    );
    zip(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", "<manifest:manifest xmlns:manifest=\"m\"/>"),
        ("content.xml", &content),
    ])
}

#[test]
fn reads_calc_sheets() {
    let rows = "<table:table-row><table:table-cell office:value-type=\"string\"><text:p>a</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"date\" office:date-value=\"2026-03-05\"><text:p>5 March</text:p></table:table-cell>\
        <table:table-cell table:number-columns-repeated=\"1000\"/></table:table-row>\
        <table:table-row table:number-rows-repeated=\"1048000\"><table:table-cell/></table:table-row>";
    let converted = read("ods", &ods(rows)).unwrap();
    assert_eq!(converted.text, "# Tab\n\n- a | 2026-03-05");
    assert_eq!(places(&converted), [(Place::Sheet("Tab".to_owned()), "# Tab")]);
}

#[test]
fn what_is_repeated_costs_what_it_holds() {
    let cell = "<table:table-cell office:value-type=\"float\" office:value=\"0.1\"><text:p>10 %</text:p></table:table-cell>";
    let far = format!(
        "<table:table-row>{cell}<table:table-cell table:number-columns-repeated=\"16000\"/>{cell}</table:table-row>"
    );
    let rows = format!(
        "{far}<table:table-row table:number-rows-repeated=\"900000\"><table:table-cell/></table:table-row>{far}"
    );
    assert_eq!(text("ods", &ods(&rows)), "# Tab\n\n- 0.1 | 0.1\n- 0.1 | 0.1");
    let all = "<table:table-row table:number-rows-repeated=\"1000000\"><table:table-cell office:value-type=\"string\" \
        table:number-columns-repeated=\"16000\"><text:p>x</text:p></table:table-cell></table:table-row>";
    assert!(matches!(read("ods", &ods(all)), Err(Unconverted::TooMuch(_))));
    let thrice = all.replace("1000000", "2").replace("16000", "3");
    assert_eq!(text("ods", &ods(&thrice)), "# Tab\n\n- x | x | x\n- x | x | x");
}

#[test]
fn refuses_what_is_no_workbook() {
    for bytes in [
        &b""[..],
        b"words",
        &zip(&[("word/document.xml", "<w/>")]),
        &[0xd0, 0xcf, 0x11, 0xe0, 0, 0],
    ] {
        for ending in ["xlsx", "xls", "xlsb", "ods"] {
            assert!(matches!(read(ending, bytes), Err(Unconverted::Damaged(_))), "{bytes:?}");
        }
    }
}

#[test]
fn bombs_and_depth_do_no_harm() {
    let bomb = xlsx(&[("A", &" ".repeat(300 << 20))]);
    assert!(matches!(read("xlsx", &bomb), Err(Unconverted::TooMuch(_))));
    let deep = format!("{}{}", "<x>".repeat(20_000), "</x>".repeat(20_000));
    assert_eq!(text("xlsx", &xlsx(&[("A", &(row(1, &["a"]) + &deep))])), "# A\n\n- a");
    let content = format!("{ENTITIES}<x>&g;</x>");
    let entities = zip(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", &content),
    ]);
    assert!(read("ods", &entities).is_err() || text("ods", &entities).len() < 100);
}

#[test]
fn a_row_with_amounts_names_no_columns() {
    let row = |name: &str, amount: &str| {
        format!(
            "<table:table-row><table:table-cell office:value-type=\"string\"><text:p>{name}</text:p></table:table-cell>\
             <table:table-cell office:value-type=\"currency\" office:value=\"1\"><text:p>{amount}</text:p></table:table-cell>\
             <table:table-cell office:value-type=\"percentage\" office:value=\"1\"><text:p>12 %</text:p></table:table-cell>\
             </table:table-row>"
        )
    };
    let rows = row("Rent", "500 €") + &row("Food", "200 €");
    assert_eq!(text("ods", &ods(&rows)), "# Tab\n\n- Rent | 500 € | 12 %\n- Food | 200 € | 12 %");
}

#[test]
fn a_workbook_of_which_nothing_can_be_read_is_damaged() {
    let whole = xlsx(&[("A", &row(1, &["a"]))]);
    assert!(read("xlsx", &whole).is_ok());
    let mut all = crate::zipped::Zipped::open(&whole).unwrap();
    let names: Vec<String> = all.names().filter(|name| !name.contains("worksheets/")).collect();
    let parts: Vec<(String, String)> =
        names.into_iter().map(|name| (name.clone(), all.xml(&name).unwrap().unwrap())).collect();
    let parts: Vec<(&str, &str)> = parts.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert!(matches!(read("xlsx", &zip(&parts)), Err(Unconverted::Damaged(_))));
}

#[test]
fn reads_text_that_is_called_a_workbook() {
    let utf16: Vec<u8> = "\u{feff}Name\tSum\tDay\r\nAnn\t3\t2\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let table = "- Name | Sum | Day\n- Name: Ann; Sum: 3; Day: 2";
    let xml = "<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\" \
        xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\"><Worksheet ss:Name=\"May\"><Table><Row><Cell><Data ss:Type=\"String\">Name</Data></Cell>\
        <Cell ss:Index=\"3\"><Data ss:Type=\"Number\">7</Data></Cell></Row></Table></Worksheet></Workbook>";
    // The last row that a number can name, and one behind it.
    let last = xml.replace("<Row>", "<Row ss:Index=\"4294967295\"><Cell/></Row><Row>");
    let cases: [(&[u8], &str); 8] = [
        (
            b"<table><tr><td>Name<td>Sum<tr><td>Ann<td>3</table>",
            "| Name | Sum |\n| --- | --- |\n| Ann | 3 |",
        ),
        (
            b"<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><body>Ann</body></html>",
            "Ann",
        ),
        (b"Name\tSum\tDay\nAnn\t3\t2\n", table),
        (b"Name;Sum;Day\nAnn;3;2\n", table),
        (b"Name,Sum,Day\n\"Ann\",3,2\n", table),
        (&utf16, table),
        (xml.as_bytes(), "# May\n\n- Name | 7"),
        (last.as_bytes(), "# May\n\n- Name | 7"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(text("xls", bytes), expected, "{}", bytes.escape_ascii());
    }
    for bytes in [&b"words alone"[..], b"", b"a\tb\0\n", b"PK\x03\x04"] {
        assert!(matches!(read("xls", bytes), Err(Unconverted::Damaged(_))), "{bytes:?}");
    }
}

/// A container of the older kind whose table, in sector 0, says what follows its directory, in sector 1, and that one.
fn container(next: u32, then: u32) -> Vec<u8> {
    let mut bytes = vec![0; 4 * 512];
    bytes[..8].copy_from_slice(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
    (bytes[26], bytes[30], bytes[32]) = (3, 9, 6);
    let mut write = |at: usize, word: u32| bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
    (80..512).step_by(4).for_each(|at| write(at, u32::MAX));
    let head = [(44, 1), (48, 1), (60, LAST), (68, LAST)];
    for (at, word) in head.into_iter().chain([(512, 0xffff_fffd), (516, next), (520, then)]) {
        write(at, word);
    }
    bytes
}

/// What stands in a container's table for a last sector.
const LAST: u32 = 0xffff_fffe;

#[test]
fn a_directory_that_goes_in_a_circle_is_damaged() {
    let cases = [
        (LAST, LAST, false),
        (2, LAST, false),
        (1, LAST, true),
        (2, 1, true),
        // Beyond the table, which the library tells.
        (700, LAST, false),
    ];
    for (next, then, is_endless) in cases {
        let bytes = container(next, then);
        assert_eq!(super::container::is_endless(&bytes), is_endless, "{next} {then}");
        let Err(Unconverted::Damaged(why)) = read("xls", &bytes) else { panic!("{next} {then}") };
        assert_eq!(why.contains("circle"), is_endless, "{next} {then}: {why}");
    }
    for length in 0..container(2, 1).len() {
        super::container::is_endless(&container(2, 1)[..length]);
    }
}

#[test]
fn what_excel_wrote_before_5_is_told_as_that() {
    for begins in [[9, 0, 4, 0, 7], [9, 2, 6, 0, 0], [9, 4, 6, 0, 0]] {
        let Err(Unconverted::Damaged(why)) = read("xls", &begins) else { panic!("{begins:?}") };
        assert!(why.contains("before 5"), "{why}");
    }
}
