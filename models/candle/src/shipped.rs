//! The model files that come with this program. What is downloaded gets the embedding head, and is the
//! base; the base with the adapter merged in that `fore train` made of it is what users get.

use std::fs;
use std::path::Path;

use models::{MindError, UserError};

use crate::gguf::{self, convert};
use crate::head::FittedHead;
use crate::meta::Meta;
use crate::train::merge;

/// Told how many bytes of how many are done.
pub type OnBytes<'a> = dyn FnMut(u64, u64) + 'a;

/// Whether the file at `path` is the base model as this program makes it.
///
/// # Errors
/// If it is no usable model.
pub fn is_base(path: &Path) -> Result<bool, MindError> {
    let shipped = FittedHead::shipped()?;
    gguf::open(path)?.carries(&shipped)
}

/// Makes the base model at `out` of `source`, which may be an older one at the same place.
///
/// # Errors
/// If `source` is no model that the head is for, or `out` cannot be written.
pub fn make_base(source: &Path, out: &Path, progress: &mut OnBytes<'_>) -> Result<(), MindError> {
    let shipped = FittedHead::shipped()?;
    let base = gguf::open(source)?;
    let meta = Meta::shipped(&base.content, &shipped)?;
    let bytes = base.bytes;
    drop(base);
    let mut progress = |share: f32| progress(part(share, bytes), bytes);
    convert(source, Some(&shipped.head), &meta, out, &mut progress)
}

/// Whether the file at `path` is the default model as this program makes it.
///
/// # Errors
/// If it is no usable model.
pub fn is_default(path: &Path) -> Result<bool, MindError> {
    let (_, named) = merge::shipped()?;
    Ok(named.describes(&gguf::open(path)?.meta))
}

/// Makes the default model at `out` of the `base`.
///
/// # Errors
/// If `base` is not what the adapter was trained on, or `out` cannot be written.
pub fn make_default(base: &Path, out: &Path, progress: &mut OnBytes<'_>) -> Result<(), UserError> {
    let (adapter, named) = merge::shipped()?;
    if adapter.about.notes.get("base") != Some(&gguf::fingerprint(base)?) {
        let what = format!("{} is not what the adapter was trained on", base.display());
        return Err(UserError::new(what).hint("make it again: fore model pull --force"));
    }
    let bytes = fs::metadata(base).map_or(0, |stat| stat.len());
    let mut progress = |share: f32| progress(part(share, bytes), bytes);
    Ok(merge::merge(base, &adapter, &named, out, &mut progress)?)
}

fn part(share: f32, bytes: u64) -> u64 {
    (f64::from(share) * bytes as f64) as u64
}
