//! Where a run stands, in one safetensors file: parameters, the optimiser's moments, steps taken.
//!
//! Everything else that a step depends on is a function of the recipe, the data and the step's
//! number, so a run that goes on from a checkpoint has the very losses of one that was never
//! interrupted. The file appears whole or not at all.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;

use candle_core::{Device, Result, Tensor, bail, safetensors};

use super::adam::AdamW;
use super::parameters::{Parameters, Place};

const FIRST: &str = "first.";
const SECOND: &str = "second.";
const STEPS: &str = "steps";
const KEY: &str = "key";

/// Writes `path` over the one before. `key` is a digest of recipe, base and data.
///
/// # Errors
/// If the disk is full or the folder is not there.
pub(crate) fn save(
    path: &Path,
    key: &[u8; 32],
    parameters: &Parameters,
    adam: &AdamW,
) -> Result<()> {
    let mut tensors = parameters.tensors()?;
    for (prefix, values) in [(FIRST, &adam.first), (SECOND, &adam.second)] {
        let like = Parameters { places: parameters.places.clone(), values: values.clone() };
        tensors.extend(like.tensors()?.into_iter().map(|(name, t)| (format!("{prefix}{name}"), t)));
    }
    let steps = i64::try_from(adam.steps).unwrap_or(i64::MAX);
    tensors.insert(STEPS.to_owned(), Tensor::new(&[steps], &Device::Cpu)?);
    tensors.insert(KEY.to_owned(), Tensor::new(&key[..], &Device::Cpu)?);
    write(path, &tensors)
}

/// Takes the state in `path`, if the file is there and of the same `key`; whether it was.
///
/// # Errors
/// If the file cannot be read or holds something else.
pub(crate) fn load(
    path: &Path,
    key: &[u8; 32],
    parameters: &mut Parameters,
    adam: &mut AdamW,
) -> Result<bool> {
    if !path.exists() {
        return Ok(false);
    }
    let tensors = safetensors::load(path, &Device::Cpu)?;
    let (Some(theirs), Some(steps)) = (tensors.get(KEY), tensors.get(STEPS)) else {
        bail!("{} is no checkpoint", path.display());
    };
    if theirs.to_vec1::<u8>()? != key {
        return Ok(false);
    }
    parameters.set(&tensors, "")?;
    let moments = |prefix: &str, places: &[Place], count: usize| -> Result<Vec<f32>> {
        let mut like = Parameters { places: places.to_vec(), values: vec![0.0; count] };
        like.set(&tensors, prefix)?;
        Ok(like.values)
    };
    adam.first = moments(FIRST, &parameters.places, parameters.values.len())?;
    adam.second = moments(SECOND, &parameters.places, parameters.values.len())?;
    adam.steps = steps.to_vec1::<i64>()?.first().map_or(0, |steps| steps.unsigned_abs());
    Ok(true)
}

/// Writes a safetensors file atomically and for good.
///
/// # Errors
/// As [`save`].
pub(crate) fn write(path: &Path, tensors: &HashMap<String, Tensor>) -> Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".tmp");
    safetensors::save(tensors, &unfinished)?;
    File::open(&unfinished)?.sync_all()?;
    fs::rename(&unfinished, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}
