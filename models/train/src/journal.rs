//! Rows in a file that only grows, so that hours of work are not lost to a power cut. A line that
//! was being written when the process was killed is cut off when the file is opened again.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use models::UserError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// See the module.
pub(crate) struct Journal<T> {
    path: PathBuf,
    file: File,
    pub(crate) rows: Vec<T>,
}

impl<T: Serialize + DeserializeOwned> Journal<T> {
    /// Opens or makes the file.
    pub(crate) fn open(path: &Path) -> Result<Journal<T>, UserError> {
        let failed = |error: std::io::Error| UserError::reading(path, &error);
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let row = |(line, text): (usize, &str)| {
            serde_json::from_str(text).map_err(|error| {
                UserError::new(format!("{}, line {}: {error}", path.display(), line + 1))
                    .hint("begin the run again: --fresh")
            })
        };
        let rows = text[..whole].lines().enumerate().map(row).collect::<Result<_, _>>()?;
        file.set_len(whole as u64).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(Journal { path: path.to_owned(), file, rows })
    }

    /// Adds rows, which are on disk when this returns.
    pub(crate) fn add(&mut self, rows: Vec<T>) -> Result<(), UserError> {
        let mut text = String::new();
        for row in &rows {
            let line = serde_json::to_string(row);
            let line = line.map_err(|e| UserError::new(format!("{}: {e}", self.path.display())))?;
            text.push_str(&line);
            text.push('\n');
        }
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|error| UserError::writing(&self.path, &error))?;
        self.rows.extend(rows);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_cut_off_and_the_rest_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        Journal::open(&path).unwrap().add(vec![1, 2]).unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"3").unwrap();
        let mut again: Journal<u32> = Journal::open(&path).unwrap();
        assert_eq!(again.rows, [1, 2]);
        again.add(vec![4]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n2\n4\n");
        std::fs::write(&path, "1\nx\n").unwrap();
        let error = Journal::<u32>::open(&path).map(|_| ()).unwrap_err();
        assert!(error.message.contains("rows.jsonl, line 2"), "{}", error.message);
    }
}
