//! Which paths an agent may name: those below the watched folders. Pure.

use std::path::{Component, Path, PathBuf};

/// The path without `.` and `..`, if it is below one of `folders`, all of which are absolute.
///
/// # Errors
/// What the agent is told: that it is outside, and what is inside.
pub(crate) fn contained(path: &str, folders: &[String]) -> Result<String, String> {
    let plain = plain(Path::new(path));
    let inside = |folder: &String| plain.starts_with(folder);
    match plain.to_str() {
        Some(plain) if folders.iter().any(inside) => Ok(plain.to_owned()),
        _ if folders.is_empty() => Err(format!("{path} is refused: no folder is watched")),
        _ => {
            let folders = folders.join(", ");
            Err(format!(
                "{path} is refused: it is outside the watched folders, which are {folders}"
            ))
        }
    }
}

/// The path that is meant, told by its words alone: nothing is looked up, so a link changes nothing.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_below_a_watched_folder_is_let_through() {
        let folders = ["/home/me/notes".to_owned(), "/srv/books".to_owned()];
        for (path, expected) in [
            ("/home/me/notes/a.md", Some("/home/me/notes/a.md")),
            ("/home/me/notes/./b/../a.md", Some("/home/me/notes/a.md")),
            ("/srv/books/c d.pdf", Some("/srv/books/c d.pdf")),
            ("/srv/books", Some("/srv/books")),
            ("/home/me/notes/../.ssh/id", None),
            ("/home/me/notes2/a.md", None),
            ("/etc/passwd", None),
            ("/srv/books/../../../etc/passwd", None),
            ("a.md", None),
            ("../notes/a.md", None),
            ("", None),
            ("/", None),
        ] {
            let found = contained(path, &folders);
            assert_eq!(found.as_deref().ok(), expected, "{path}");
            if let Err(told) = found {
                assert!(told.contains("outside the watched folders"), "{told}");
                assert!(told.contains("/home/me/notes, /srv/books"), "{told}");
            }
        }
        assert!(contained("/a", &[]).unwrap_err().contains("no folder is watched"));
    }
}
