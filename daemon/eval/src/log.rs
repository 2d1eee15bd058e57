//! What costs time and is remembered between runs: one JSON object a line, one file a model. A run
//! that was interrupted must not do it all again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::EvalError;

/// Characters of the fingerprint in a file's name: enough that two models never share one.
const FINGERPRINT_SHOWN: usize = 16;

/// See the module.
pub(super) struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Opens, or makes, the file in `folder` of what `kind` of thing the model with `fingerprint`
    /// made, and reads its lines. A line that cannot be read (the last one of a run that was killed)
    /// is left out, so that it is made again.
    pub(super) fn open<T: DeserializeOwned>(
        folder: &Path,
        fingerprint: &str,
        kind: &str,
    ) -> Result<(Log, Vec<T>), EvalError> {
        let shown: String = fingerprint.chars().take(FINGERPRINT_SHOWN).collect();
        let path = folder.join(format!("{shown}{kind}.jsonl"));
        let open = || -> io::Result<(File, String)> {
            fs::create_dir_all(folder)?;
            let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if !text.is_empty() && !text.ends_with('\n') {
                file.write_all(b"\n")?;
            }
            Ok((file, text))
        };
        let (file, text) =
            open().map_err(|source| EvalError::Thoughts { path: path.clone(), source })?;
        let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ok((Log { path, file }, lines))
    }

    /// Adds a line.
    pub(super) fn note<T: Serialize>(&mut self, line: &T) -> Result<(), EvalError> {
        let written = serde_json::to_string(line)
            .map_err(io::Error::from)
            .and_then(|text| self.file.write_all(format!("{text}\n").as_bytes()));
        written.map_err(|source| EvalError::Thoughts { path: self.path.clone(), source })
    }
}
