//! Walks a GGUF's header without believing it.
//!
//! candle's reader allocates whatever a length field says and divides by the alignment it finds, so
//! a damaged file could end the process. This pass bounds every count by the file's own size first
//! and builds nothing; the reader after it sees only headers that hold together.

use std::io::{BufRead, Seek};

/// Most values in all arrays together. The largest vocabulary (262,144 tokens with types, scores
/// and merges) has about 1.3 million; candle keeps 32 bytes for each.
const ELEMENTS_MAX: u64 = 1 << 22;
/// Arrays inside arrays; llama.cpp writes none at all.
const DEPTH_MAX: usize = 2;
/// GGUF's own limit on a tensor's dimensions.
const DIMENSIONS_MAX: u32 = 4;
/// A string longer than this would be no metadata. Chat templates have up to some 20 KiB.
const STRING_BYTES_MAX: u64 = 1 << 20;

const STRING: u32 = 8;
const ARRAY: u32 = 9;

/// Checks the header of a file of `length` bytes, from its first byte on.
///
/// # Errors
/// What is wrong with it, to follow the file's name.
pub(super) fn scan<R: BufRead + Seek>(reader: &mut R, length: u64) -> Result<(), String> {
    let mut header = Header { reader, at: 0, length, elements: 0 };
    let magic = header.bytes::<4>().map_err(|_| "it is not a GGUF file".to_owned())?;
    if &magic != b"GGUF" {
        return Err("it is not a GGUF file".to_owned());
    }
    let version = header.u32()?;
    if !matches!(version, 2 | 3) {
        return Err(format!("GGUF version {version} is not supported (2 and 3 are)"));
    }
    let (tensors, keys) = (header.u64()?, header.u64()?);
    for _ in 0..keys {
        header.key()?;
    }
    for _ in 0..tensors {
        header.string()?;
        let dimensions = header.u32()?;
        if !(1..=DIMENSIONS_MAX).contains(&dimensions) {
            return Err(header.damaged("a tensor's dimensions"));
        }
        header.skip(u64::from(dimensions) * 8 + 4 + 8)?;
    }
    Ok(())
}

struct Header<'a, R> {
    reader: &'a mut R,
    at: u64,
    length: u64,
    elements: u64,
}

impl<R: BufRead + Seek> Header<'_, R> {
    fn damaged(&self, what: &str) -> String {
        format!("it is damaged: {what} at byte {} cannot be", self.at)
    }

    /// Claims the next `count` bytes, which the file must have.
    fn claim(&mut self, count: u64) -> Result<(), String> {
        match self.at.checked_add(count).filter(|end| *end <= self.length) {
            Some(end) => self.at = end,
            None => {
                return Err(format!(
                    "it is truncated: it ends inside its header at byte {}",
                    self.length
                ));
            }
        }
        Ok(())
    }

    fn skip(&mut self, count: u64) -> Result<(), String> {
        self.claim(count)?;
        let count = i64::try_from(count).map_err(|_| self.damaged("a length"))?;
        self.reader.seek_relative(count).map_err(|error| error.to_string())
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.claim(N as u64)?;
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes).map_err(|error| error.to_string())?;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, String> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, String> {
        self.bytes().map(u64::from_le_bytes)
    }

    fn string(&mut self) -> Result<(), String> {
        let length = self.u64()?;
        if length > STRING_BYTES_MAX {
            return Err(self.damaged("a text's length"));
        }
        self.skip(length)
    }

    fn key(&mut self) -> Result<(), String> {
        let length = self.u64()?;
        if length > STRING_BYTES_MAX {
            return Err(self.damaged("a key's length"));
        }
        let mut name = vec![0; length as usize];
        self.claim(length)?;
        self.reader.read_exact(&mut name).map_err(|error| error.to_string())?;
        let kind = self.u32()?;
        if name == b"general.alignment" {
            return self.alignment(kind);
        }
        self.value(kind, 0)
    }

    /// A power of two as u32, as the format demands; candle would divide by a zero.
    fn alignment(&mut self, kind: u32) -> Result<(), String> {
        const U32: u32 = 4;
        if kind != U32 || !self.u32()?.is_power_of_two() {
            return Err(self.damaged("its alignment"));
        }
        Ok(())
    }

    fn value(&mut self, kind: u32, depth: usize) -> Result<(), String> {
        match kind {
            STRING => self.string(),
            ARRAY if depth < DEPTH_MAX => {
                let (kind, count) = (self.u32()?, self.u64()?);
                self.elements = self.elements.saturating_add(count);
                if self.elements > ELEMENTS_MAX {
                    return Err(self.damaged("an array's length"));
                }
                match size(kind) {
                    Some(size) => self.skip(count * size),
                    None => (0..count).try_for_each(|_| self.value(kind, depth + 1)),
                }
            }
            kind => match size(kind) {
                Some(size) => self.skip(size),
                None => Err(self.damaged("a value's type")),
            },
        }
    }
}

/// Bytes of a value whose type has a fixed size.
fn size(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}
