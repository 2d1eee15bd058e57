//! What is read of a hit's file. All IO of previews.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use daemon_protocol::Hit;

use super::{Passage, Preview, found};

/// Bytes read on each side of the passage: more than anyone pages through, and read at once.
/// Files up to 256 KiB are read whole, larger ones only here.
const CONTEXT_BYTES_MAX: usize = 256 << 10;
/// Bytes of a passage that are shown; the daemon's passages are a few KiB.
const PASSAGE_BYTES_MAX: usize = 1 << 20;
/// A larger file is not searched for a passage that is not where it was.
const SEARCHED_BYTES_MAX: u64 = 32 << 20;

/// Reads the file of `hit` around it; the snippet and the reason if that cannot be done.
pub(crate) fn read(hit: &Hit) -> Preview {
    let preview = read_around(hit).and_then(|(bytes, offset)| {
        let passage = hit.byte_start - offset..hit.byte_end.saturating_sub(offset);
        match bytes.get(passage) {
            Some(passage) if found::is_passage(hit, passage) => {
                Ok(Preview::cut(hit, &bytes, offset))
            }
            _ => search(hit),
        }
    });
    preview.unwrap_or_else(|error| Preview::of_snippet(hit, Some(error.to_string())))
}

/// The bytes around `hit`, and the offset in the file they begin at.
fn read_around(hit: &Hit) -> io::Result<(Vec<u8>, usize)> {
    let mut file = open(&hit.path)?;
    let (from, to) = around(hit);
    file.seek(SeekFrom::Start(from as u64))?;
    let mut bytes = Vec::new();
    file.take((to - from) as u64).read_to_end(&mut bytes)?;
    Ok((bytes, from))
}

/// Looks for the passage in its whole file, which is in another encoding than UTF-8 or was edited.
fn search(hit: &Hit) -> io::Result<Preview> {
    let mut file = Vec::new();
    open(&hit.path)?.take(SEARCHED_BYTES_MAX).read_to_end(&mut file)?;
    let changed = || io::Error::other("the file was changed since it was indexed");
    let found = found::find(hit, &file).ok_or_else(changed)?;
    let (byte_start, byte_end) = (found.bytes.start, found.bytes.end);
    let here = Hit { byte_start, byte_end, line_start: found.line, ..hit.clone() };
    let (from, to) = around(&here);
    let bytes = &found.text.as_bytes()[from..to.min(found.text.len())];
    let moved_to = found.moved.then_some(found.line);
    Ok(Preview { passage: Passage::of(hit), moved_to, ..Preview::cut(&here, bytes, from) })
}

/// Opens a file that is one.
pub(crate) fn open(path: impl AsRef<Path>) -> io::Result<File> {
    // Opening a pipe would wait for its writer.
    if !std::fs::metadata(&path)?.is_file() {
        return Err(io::Error::other("not a file any more"));
    }
    File::open(path)
}

/// From which byte to which one is read for `hit`.
fn around(hit: &Hit) -> (usize, usize) {
    let passage = hit.byte_end.saturating_sub(hit.byte_start).min(PASSAGE_BYTES_MAX);
    let from = hit.byte_start.saturating_sub(CONTEXT_BYTES_MAX);
    (from, hit.byte_start + passage + CONTEXT_BYTES_MAX)
}
