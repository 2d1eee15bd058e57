//! Which way of reading and cutting made the passages that are indexed of a file, and wrote them for the word index. Where
//! this program has another way, the file is read and cut anew, though it is as it was; what is embedded of a passage that
//! comes out the same is kept.
//!
//! It stands behind the content's hash.

/// To be raised whenever what people find changes with how files are read, or cut, or written for the word index: source
/// code is cut at what it defines since 2, and PDFs have the text of their form fields; since 3 Korean nouns are found
/// without their particles, and mail, calendars, LaTeX and Word files by more of what is in them.
pub(crate) const EDITION: &str = "+3";

/// The hash of a file that holds `bytes`, and is read in the way of this program.
pub(crate) fn hash(bytes: &[u8]) -> String {
    format!("{}{EDITION}", blake3::hash(bytes).to_hex())
}

/// Whether what has this hash was read and cut in the way of this program.
pub(crate) fn is_of_now(hash: &str) -> bool {
    hash.find('+').is_some_and(|at| &hash[at..] == EDITION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_in_another_way_is_not_of_now() {
        assert!(is_of_now(&hash(b"text")));
        for (hash, expected) in [
            ("0a1b".to_owned(), false),
            ("0a1b+2".to_owned(), false),
            (format!("0a1b{EDITION}"), true),
        ] {
            assert_eq!(is_of_now(&hash), expected, "{hash}");
        }
    }
}
