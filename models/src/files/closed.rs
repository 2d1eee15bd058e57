//! Folders that are for nobody else to read.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// What group and others may do.
const OTHERS: u32 = 0o077;

/// Makes `folder` if it is not there, and lets nobody but its owner at it and what is in it.
///
/// # Errors
/// If it cannot be made, read or closed.
pub fn close(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if fs::metadata(folder)?.mode() & OTHERS == 0 {
        return Ok(());
    }
    let mut open = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(folder) = open.get(next) {
        next += 1;
        let mut below = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                below.push(entry.path());
            } else if kind.is_file() {
                shut(&entry.path())?;
            }
        }
        open.extend(below);
    }
    // The folder comes last: as long as it is open, what is in it is looked at again.
    open.iter().rev().try_for_each(|folder| shut(folder))
}

/// A file that is gone by now, as one that is being replaced, is as good as closed.
fn shut(path: &Path) -> io::Result<()> {
    let closed = fs::metadata(path).and_then(|found| {
        fs::set_permissions(path, Permissions::from_mode(found.mode() & !OTHERS))
    });
    match closed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        closed => closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_and_closed_with_all_that_is_in_it() {
        let base = tempfile::tempdir().unwrap();
        let (folder, outside) = (base.path().join("a/b"), base.path().join("outside"));
        close(&folder).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);

        fs::create_dir(folder.join("table")).unwrap();
        for file in [&outside, &folder.join("table/rows"), &folder.join("run")] {
            fs::write(file, "").unwrap();
        }
        std::os::unix::fs::symlink(&outside, folder.join("link")).unwrap();
        let open = [
            (outside.clone(), 0o644, 0o644),
            (folder.clone(), 0o755, 0o700),
            (folder.join("table"), 0o775, 0o700),
            (folder.join("table/rows"), 0o644, 0o600),
            (folder.join("run"), 0o755, 0o700),
        ];
        for (path, before, _) in &open {
            fs::set_permissions(path, Permissions::from_mode(*before)).unwrap();
        }
        close(&folder).unwrap();
        for (path, _, after) in &open {
            assert_eq!(mode(path), *after, "{}", path.display());
        }
    }
}
