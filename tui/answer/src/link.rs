//! Links that a terminal follows: OSC 8 around a text, and the address of a file.

use std::fmt::Write;

/// `text` as a link to the file at the absolute `path`. The text is the caller's to make harmless; in the
/// address every byte that could end it early, or mean something in it, is written by its number.
pub(crate) fn to_file(path: &str, text: &str) -> String {
    format!("\x1b]8;;file://{}\x1b\\{text}\x1b]8;;\x1b\\", address(path))
}

fn address(path: &str) -> String {
    let mut address = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            address.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            write!(address, "%{byte:02X}").ok();
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_path_ends_the_link_early() {
        for (path, expected) in [
            ("/notes/a-b_c.~1.md", "/notes/a-b_c.~1.md"),
            ("/my notes/50%.md", "/my%20notes/50%25.md"),
            ("/é", "/%C3%A9"),
            ("/a\x1b\\b\x07;#?", "/a%1B%5Cb%07%3B%23%3F"),
        ] {
            assert_eq!(address(path), expected);
        }
        assert_eq!(to_file("/a b", "a b"), "\x1b]8;;file:///a%20b\x1b\\a b\x1b]8;;\x1b\\");
    }
}
