//! Readers of files that are no text: bytes in, text with its places out; and what source code defines (`code`).
//! Pure: they open no file.
//!
//! One file a kind of document; `process` is what they run in. A reader may panic, overflow
//! its stack, or run for ever on a hostile file: that is what the process is for. None may give text
//! that is not in the file, or leave out what is without saying so.

mod book;
mod code;
mod html;
mod mail;
mod notebook;
mod office;
mod pdf;
mod process;
mod sheets;
mod slides;
#[cfg(test)]
mod tests;
mod text;
mod titles;
mod xml;
mod zipped;

use std::path::Path;

use daemon::convert::{Convert, Converted, Unconverted};
use daemon::document::Definition;

pub use process::{confine, serve};

/// All readers here.
pub struct Readers;

impl Convert for Readers {
    fn convert(&self, path: &Path, bytes: &[u8]) -> Result<Converted, Unconverted> {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match ending.as_str() {
            "doc" | "docm" | "docx" | "odp" | "odt" | "pot" | "pps" | "ppt" | "rtf" => {
                office::read(bytes)
            }
            "eml" => mail::message(bytes),
            "epub" => book::read(bytes),
            "htm" | "html" | "xhtml" => html::read(bytes),
            "ipynb" => notebook::read(bytes),
            "mbox" => mail::mailbox(bytes),
            "ods" | "xls" | "xlsb" | "xlsm" | "xlsx" => sheets::read(bytes),
            "pdf" => pdf::read(bytes),
            "ppsm" | "ppsx" | "pptm" | "pptx" => slides::read(bytes),
            _ => Err(Unconverted::Failed(format!("nothing here reads .{ending}"))),
        }
    }

    fn outline(&self, path: &Path, text: &str) -> Result<Vec<Definition>, Unconverted> {
        code::outline(path, text)
    }
}
