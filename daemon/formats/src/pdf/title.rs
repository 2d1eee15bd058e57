//! Strings of a file's own dictionaries, and whether the one called title is one.

/// What the bytes from 0x80 to 0xA0 are in PDFDocEncoding; 0x18 to 0x1F are before. Later ones are Latin-1.
const UPPER: &str = "•†‡…—–ƒ⁄‹›−‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž\u{fffd}€";
const LOWER: &str = "˘ˇˆ˙˝˛˚˜";

/// Endings of file names that programs leave in the title.
#[rustfmt::skip]
const FILE_ENDINGS: &[&str] = &[
    "ai", "cdr", "doc", "docm", "docx", "dot", "dvi", "eps", "fm", "htm", "html", "indd", "jpg", "key",
    "md", "mif", "odg", "odp", "ods", "odt", "p65", "pages", "pdf", "png", "pmd", "pps", "ppt", "pptx",
    "ps", "pub", "qxd", "rtf", "sxw", "tex", "tif", "tiff", "txt", "vsd", "wpd", "xls", "xlsx",
];

/// What programs put before the name of the file.
const PROGRAMS: &[&str] = &["Microsoft Word - ", "Microsoft PowerPoint - ", "Microsoft Excel - "];

/// Titles that say that there is none.
#[rustfmt::skip]
const NO_TITLES: &[&str] = &[
    "document", "no title", "none", "null", "powerpoint presentation", "powerpoint-präsentation",
    "presentation", "slide 1", "title", "unbekannt", "unbenannt", "unknown", "untitled", "untitled document",
    "untitled-1", "(anonymous)", "anonymous",
];

/// A string of a dictionary as text.
pub(super) fn decode(bytes: &[u8]) -> String {
    let text = match bytes {
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes.iter().map(|&byte| doc_encoding(byte)).collect(),
    };
    without_language(&text)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> = bytes.as_chunks().0.iter().map(|&pair| unit(pair)).collect();
    String::from_utf16_lossy(&units)
}

fn doc_encoding(byte: u8) -> char {
    let mapped = match byte {
        0x18..=0x1F => LOWER.chars().nth(usize::from(byte - 0x18)),
        0x80..=0xA0 => UPPER.chars().nth(usize::from(byte - 0x80)),
        _ => None,
    };
    mapped.unwrap_or(char::from(byte))
}

/// Leaves out the names of languages, which stand between two escapes.
fn without_language(text: &str) -> String {
    if !text.contains('\u{1b}') {
        return text.to_owned();
    }
    text.split('\u{1b}').step_by(2).collect()
}

/// The title of a document, if what its file calls so is one.
pub(super) fn sane(bytes: &[u8]) -> Option<String> {
    let text = decode(bytes);
    let visible = |c: char| if c.is_control() || c.is_whitespace() { ' ' } else { c };
    let text: String = text.chars().map(visible).filter(|&c| c != '\u{fffd}').collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    let rest = PROGRAMS.iter().find_map(|program| text.strip_prefix(program)).unwrap_or(&text);
    let lower = rest.to_lowercase();
    let is_said = rest.chars().filter(|c| c.is_alphanumeric()).count() > 1;
    let is_title = is_said && !NO_TITLES.contains(&lower.as_str()) && !is_file_name(&lower);
    is_title.then(|| rest.to_owned())
}

/// Whether it is a path, or a single word with the ending of a file; a name of several words with an
/// ending is one too, for titles do not end so.
fn is_file_name(lower: &str) -> bool {
    let is_path = !lower.contains(' ') && (lower.contains('/') || lower.contains('\\'));
    let is_drive = lower.get(1..3) == Some(":\\") || lower.starts_with("file:");
    let ending = lower.rsplit_once('.').map(|(_, ending)| ending);
    is_path || is_drive || ending.is_some_and(|ending| FILE_ENDINGS.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_decoded_by_their_mark() {
        let cases: &[(&[u8], &str)] = &[
            (b"Caf\xe9", "Café"),
            (b"\x80 \x93fi\xa0", "• ﬁfi€"),
            (b"\xfe\xff\x00K\x01\x7f", "Kſ"),
            (b"\xff\xfeK\x00", "K"),
            (b"\xef\xbb\xbf\xce\xb1", "α"),
            (b"\xfe\xff\x00\x1b\x00e\x00n\x00\x1b\x00A", "A"),
        ];
        for (bytes, want) in cases {
            assert_eq!(decode(bytes), *want, "{bytes:?}");
        }
    }

    #[test]
    fn only_a_title_is_one() {
        let cases = [
            ("A Study of Frogs", Some("A Study of Frogs")),
            ("Microsoft Word - Annual report", Some("Annual report")),
            ("Microsoft Word - report.doc", None),
            ("  Two\n lines\0 ", Some("Two lines")),
            ("Node.js in practice", Some("Node.js in practice")),
            ("untitled", None),
            ("", None),
            ("- -", None),
            ("thesis_final.dvi", None),
            ("/home/me/x", None),
            ("C:\\docs and things\\x", None),
            ("TCP/IP illustrated", Some("TCP/IP illustrated")),
        ];
        for (given, want) in cases {
            assert_eq!(sane(given.as_bytes()).as_deref(), want, "{given:?}");
        }
    }
}
