//! Vectors of texts, remembered in a file that only grows: a run that is interrupted embeds no text
//! twice.
//!
//! A record is the first 16 bytes of the text's BLAKE3 and the vector as little-endian f32. What a
//! killed process left half-written at the end is cut off when the file is opened.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::Path;

use models::MindError;

const KEY_BYTES: usize = 16;

/// Embeds texts, in order.
pub type Embed<'a, V> = dyn FnMut(&[&str]) -> Result<Vec<V>, MindError> + 'a;

/// See the module.
pub struct TextVectors {
    file: File,
    width: usize,
    /// Key of a text -> place among the vectors.
    places: HashMap<[u8; KEY_BYTES], usize>,
    values: Vec<f32>,
}

impl TextVectors {
    /// Opens or makes the file at `path`, whose vectors are `width` wide.
    ///
    /// # Errors
    /// [`MindError::Inference`] naming the file.
    pub fn open(path: &Path, width: usize) -> Result<TextVectors, MindError> {
        let open = || -> io::Result<TextVectors> {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            let record = KEY_BYTES + 4 * width;
            let whole = bytes.len() / record;
            file.set_len((whole * record) as u64)?;
            file.seek(SeekFrom::End(0))?;
            let mut vectors =
                TextVectors { file, width, places: HashMap::new(), values: Vec::new() };
            for bytes in bytes.chunks_exact(record) {
                let (key, values) = bytes.split_at(KEY_BYTES);
                let mut own = [0; KEY_BYTES];
                own.copy_from_slice(key);
                let value = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
                vectors.remember(own, values.chunks_exact(4).map(value));
            }
            Ok(vectors)
        };
        open().map_err(|error| MindError::Inference(format!("{}: {error}", path.display())))
    }

    /// The vector of `text`, if it is known.
    pub fn get(&self, text: &str) -> Option<&[f32]> {
        let place = *self.places.get(&key(text))?;
        self.values.get(place * self.width..(place + 1) * self.width)
    }

    /// Adds vectors of texts.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the file cannot be written.
    pub fn add<V: AsRef<[f32]>>(&mut self, texts: &[&str], vectors: &[V]) -> Result<(), MindError> {
        let mut bytes = Vec::new();
        for (text, vector) in texts.iter().zip(vectors) {
            let key = key(text);
            if self.places.contains_key(&key) {
                continue;
            }
            bytes.extend_from_slice(&key);
            let vector = vector.as_ref();
            bytes.extend(vector.iter().flat_map(|value| value.to_le_bytes()));
            self.remember(key, vector.iter().copied());
        }
        let written = self.file.write_all(&bytes);
        written.map_err(|error| MindError::Inference(format!("remembering vectors: {error}")))
    }

    /// Has `embed` embed those of `texts` that are not known, some at a time.
    ///
    /// # Errors
    /// As `embed` and [`TextVectors::add`].
    pub fn complete<V: AsRef<[f32]>>(
        &mut self,
        texts: &[&str],
        embed: &mut Embed<'_, V>,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<(), MindError> {
        /// Seconds of work, which is what an interruption costs.
        const AT_ONCE: usize = 256;
        let mut missing: Vec<&str> =
            texts.iter().copied().filter(|text| self.get(text).is_none()).collect();
        // Like lengths share a batch.
        missing.sort_by_key(|text| (text.len(), *text));
        missing.dedup();
        let mut done = 0;
        for texts in missing.chunks(AT_ONCE) {
            if progress(done, missing.len()).is_break() {
                return Err(MindError::Inference("stopped while reading texts".to_owned()));
            }
            self.add(texts, &embed(texts)?)?;
            done += texts.len();
        }
        Ok(())
    }

    fn remember(&mut self, key: [u8; KEY_BYTES], values: impl Iterator<Item = f32>) {
        self.places.insert(key, self.values.len() / self.width);
        self.values.extend(values);
    }
}

/// A short hex digest of a text, to name it by.
pub fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..2 * KEY_BYTES].to_owned()
}

fn key(text: &str) -> [u8; KEY_BYTES] {
    let mut key = [0; KEY_BYTES];
    key.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..KEY_BYTES]);
    key
}

#[cfg(test)]
mod tests {
    use models::Embedding;

    use super::*;

    fn vector(values: [f32; 2]) -> Embedding {
        Embedding::normalised(values.to_vec()).unwrap()
    }

    #[test]
    fn vectors_outlive_the_process_and_a_torn_record_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vectors");
        let mut first = TextVectors::open(&path, 2).unwrap();
        first.add(&["a", "b"], &[vector([1.0, 0.0]), vector([0.6, 0.8])]).unwrap();
        drop(first);
        let whole = std::fs::metadata(&path).unwrap().len();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"torn").unwrap();
        let mut again = TextVectors::open(&path, 2).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), whole);
        assert_eq!(again.get("b"), Some(&[0.6, 0.8][..]));
        assert_eq!(again.get("c"), None);
        let mut asked = Vec::new();
        let mut embed = |texts: &[&str]| {
            asked.extend(texts.iter().map(|text| (*text).to_owned()));
            Ok(texts.iter().map(|_| vector([0.0, 1.0])).collect())
        };
        again
            .complete(&["c", "a", "c"], &mut embed, &mut |_, _| ControlFlow::Continue(()))
            .unwrap();
        let stopped = again.complete(&["d"], &mut embed, &mut |_, _| ControlFlow::Break(()));
        assert!(stopped.unwrap_err().to_string().contains("stopped"));
        assert_eq!(asked, ["c"], "known texts and repeated ones are not embedded again");
        drop(again);
        assert_eq!(TextVectors::open(&path, 2).unwrap().get("c"), Some(&[0.0, 1.0][..]));
    }
}
