//! What encoding has taken, remembered beside the index: a run that finds everything encoded can
//! still say how fast that was.

use std::fs;
use std::ops::Add;
use std::path::Path;

use models::UserError;
use models::files::write_atomically;
use serde::{Deserialize, Serialize};

use crate::Encoding;

/// Of all runs that came to their end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Effort {
    pub passages: usize,
    pub tokens: usize,
    pub seconds: f64,
}

impl Effort {
    /// What `encoding` took and what is remembered of earlier runs, which is remembered with it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn with_earlier(encoding: &Encoding, index: &Path) -> Result<Effort, UserError> {
        let file = index.with_file_name(format!("encoded-{}.json", encoding.fingerprint));
        let Encoding { encoded, tokens, seconds, .. } = *encoding;
        let now = Effort { passages: encoded, tokens, seconds };
        // Without the file, or with one of another make, this run is all that is known.
        let earlier: Option<Effort> =
            fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let all = earlier.unwrap_or_default() + now;
        if encoded > 0 {
            write_atomically(&file, serde_json::json!(all).to_string().as_bytes())?;
        }
        Ok(all)
    }

    pub fn tokens_per_second(self) -> f64 {
        self.tokens as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }
}

impl Add for Effort {
    type Output = Effort;

    fn add(self, other: Effort) -> Effort {
        Effort {
            passages: self.passages + other.passages,
            tokens: self.tokens + other.tokens,
            seconds: self.seconds + other.seconds,
        }
    }
}
