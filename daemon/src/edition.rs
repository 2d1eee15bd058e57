//! Which way of reading and cutting made the passages that are indexed of a file. Where this program has another way,
//! the file is read and cut anew, though it is as it was; what is embedded of a passage that comes out the same is kept.
//!
//! It stands behind the content's hash. The first way of a kind of files has no number, so that indexes of before there
//! were any go on as they are.

use std::path::Path;

use crate::convert::OUTLINED;
use crate::extract::extension;

/// Behind the hash of a file called `path`. Raise a kind's number whenever its readers or its cut change in what people
/// find: source code is cut at what it defines since 2, and PDFs have the text of their form fields.
pub(crate) fn edition(path: &Path) -> &'static str {
    let extension = extension(path);
    let is_code = extension.is_empty() || OUTLINED.contains(&extension.as_str());
    if is_code || extension == "pdf" { "+2" } else { "" }
}

/// Whether what has this hash, of a file called `path`, was read and cut in the way of this program.
pub(crate) fn is_of_now(path: &str, hash: &str) -> bool {
    let stored = hash.find('+').map_or("", |at| &hash[at..]);
    stored == edition(Path::new(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_in_another_way_is_not_of_now() {
        for (path, hash, expected) in [
            ("/a/b.md", "0a1b", true),
            ("/a/b.md", "0a1b+2", false),
            ("/a/b.rs", "0a1b", false),
            ("/a/b.rs", "0a1b+2", true),
            ("/a/b.rs", "0a1b+1", false),
            // It may be a script.
            ("/a/b", "0a1b", false),
            ("/a/b.PDF", "0a1b+2", true),
            ("/a/b.docx", "0a1b", true),
        ] {
            assert_eq!(is_of_now(path, hash), expected, "{path} {hash}");
        }
    }
}
