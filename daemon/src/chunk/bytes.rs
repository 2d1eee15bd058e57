//! Bytes that are written as letters, as a picture is in a Markdown file. Pure.

/// Letters and digits in a row that are no word, nor the digest of a file, for which people do search: the longest in use
/// has 128.
const DATA_RUN_MIN: usize = 200;

/// Whether a text is bytes written as letters, such as a picture in a `data:` address, and nothing else: nobody
/// searches for that, and it would fill a document's share of an index.
pub(super) fn are(text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let has = |run: &str, kind: fn(&u8) -> bool| run.bytes().any(|byte| kind(&byte));
    // A word that somebody has repeated without end is a text.
    let is_written = |run: &str| {
        run.len() >= DATA_RUN_MIN
            && has(run, u8::is_ascii_digit)
            && has(run, u8::is_ascii_uppercase)
            && has(run, u8::is_ascii_lowercase)
    };
    let (written, said): (Vec<&str>, Vec<&str>) =
        text.split(|c| !is_digit(c)).partition(|run| is_written(run));
    let says = |run: &str| run.contains(|c: char| c.is_alphanumeric());
    let is_foreign = |c: char| !c.is_ascii() && c.is_alphanumeric();
    !written.is_empty() && !said.into_iter().any(says) && !text.contains(is_foreign)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::chunk::chunk;
    use crate::convert::Scripted;
    use crate::extract::extract;

    #[test]
    fn bytes_that_are_written_as_letters_are_no_passages() {
        let picture: String = (0..400).map(|n| format!("iVBORw0KGgo{n:04}AA")).collect();
        for (name, before, behind, expected) in [
            ("a line of its own", "", "", &["a lamp", "a bell", "灯台"][..]),
            ("an address", "![a lens](data:image/png;base64,", ")", &["a lamp", "a bell", "灯台"]),
        ] {
            let text =
                format!("a lamp\n\n{before}{picture}{behind}\n\na bell\n\n{picture}\n\n灯台\n");
            let extracted = extract(Path::new("x.md"), text.as_bytes(), &Scripted).unwrap();
            let passages = chunk(&extracted, 400, &|text| text.len());
            let told: Vec<&str> = passages.iter().map(|passage| passage.text.as_str()).collect();
            assert!(told.iter().map(|text| text.len()).sum::<usize>() < 2600, "{name}: {told:?}");
            for expected in expected {
                assert!(told.iter().any(|text| text.contains(expected)), "{name}: {told:?}");
            }
        }
        // A digest is searched for.
        assert!(!are(&"0a1B".repeat(32)));
    }
}
