//! A reader of files that are no text, one of which may say that it panics.

use std::path::Path;

use crate::convert::{self, Convert, Converted, Unconverted};

/// As [`convert::Scripted`], and a file may say that it panics.
pub(super) struct TestConvert;

impl Convert for TestConvert {
    fn convert(&self, path: &Path, bytes: &[u8]) -> Result<Converted, Unconverted> {
        assert!(!bytes.starts_with(b"panic"), "as {} says", path.display());
        convert::Scripted.convert(path, bytes)
    }
}
