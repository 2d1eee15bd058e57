//! One JSON object per line, with a length cap. No IO: bytes go in, values come out.

use serde::{Serialize, de::DeserializeOwned};

/// Longest line in bytes, the newline included: a hundred hits with snippets fit with room.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// Why a frame was refused.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("a line longer than {FRAME_BYTES_MAX} bytes")]
    TooLong,
    #[error("not a message of this protocol: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// The line that carries `message`.
///
/// # Errors
/// [`FrameError::TooLong`] if it does not fit a frame.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    if line.len() > FRAME_BYTES_MAX { Err(FrameError::TooLong) } else { Ok(line) }
}

/// Gathers bytes until a line is whole.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Bytes of `buffer` known to hold no newline.
    searched: usize,
}

impl Decoder {
    /// Appends what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, if there is one. After an error the stream cannot be trusted.
    pub fn take<T: DeserializeOwned>(&mut self) -> Option<Result<T, FrameError>> {
        let newline = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
        let Some(offset) = newline else {
            self.searched = self.buffer.len();
            return (self.buffer.len() > FRAME_BYTES_MAX).then_some(Err(FrameError::TooLong));
        };
        let end = self.searched + offset;
        self.searched = 0;
        if end >= FRAME_BYTES_MAX {
            return Some(Err(FrameError::TooLong));
        }
        let line: Vec<u8> = self.buffer.drain(..=end).collect();
        Some(serde_json::from_slice(&line).map_err(FrameError::from))
    }
}
