//! Strings of a file's own dictionaries.

use encoding_rs::Encoding;

/// What the bytes from 0x80 to 0xA0 are in PDFDocEncoding; 0x18 to 0x1F are before. Later ones are Latin-1.
const UPPER: &str = "•†‡…—–ƒ⁄‹›−‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž\u{fffd}€";
const LOWER: &str = "˘ˇˆ˙˝˛˚˜";

/// A string of a dictionary as text.
pub(super) fn decode(bytes: &[u8]) -> String {
    let text = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding.decode(bytes).0.into_owned(),
        None => bytes.iter().map(|&byte| doc_encoding(byte)).collect(),
    };
    without_language(&text)
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
}
