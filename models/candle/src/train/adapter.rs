//! What a run has learnt, in a file of its own: low-rank parts, additions to the markers'
//! embeddings, the head. Together with the base model it is the trained model.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Device, Result, Tensor, bail, safetensors};
use models::MindError;
use serde::{Deserialize, Serialize};

use super::checkpoint;
use super::recipe::Recipe;

/// The tensor that holds [`About`] as JSON bytes.
const ABOUT: &str = "about";

/// What an adapter says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    pub recipe: Recipe,
    /// Whatever the run wants to be remembered: base, data, scores.
    pub notes: BTreeMap<String, String>,
}

/// An adapter, read.
pub struct Adapter {
    pub about: About,
    /// On the CPU, f16.
    pub(crate) tensors: HashMap<String, Tensor>,
}

/// Writes an adapter.
///
/// # Errors
/// If the disk is full or the folder is not there.
pub(crate) fn write(
    path: &Path,
    tensors: &HashMap<String, Tensor>,
    recipe: &Recipe,
    notes: &BTreeMap<String, String>,
) -> Result<()> {
    let about = About { recipe: recipe.clone(), notes: notes.clone() };
    let json = serde_json::to_vec(&about).map_err(candle_core::Error::wrap)?;
    let mut tensors = tensors.clone();
    tensors.insert(ABOUT.to_owned(), Tensor::new(json.as_slice(), &Device::Cpu)?);
    checkpoint::write(path, &tensors)
}

impl Adapter {
    /// Reads the adapter at `path`.
    ///
    /// # Errors
    /// [`MindError::Model`] naming the file.
    pub fn read(path: &Path) -> std::result::Result<Adapter, MindError> {
        let read = || safetensors::load(path, &Device::Cpu).and_then(Adapter::from_tensors);
        read().map_err(|error| {
            MindError::Model(format!("{}: no adapter can be read: {error}", path.display()))
        })
    }

    /// Reads the adapter in `bytes`, called `name` in errors.
    ///
    /// # Errors
    /// [`MindError::Model`].
    pub fn from_bytes(bytes: &[u8], name: &str) -> std::result::Result<Adapter, MindError> {
        safetensors::load_buffer(bytes, &Device::Cpu)
            .and_then(Adapter::from_tensors)
            .map_err(|error| MindError::Model(format!("{name}: no adapter can be read: {error}")))
    }

    fn from_tensors(mut tensors: HashMap<String, Tensor>) -> Result<Adapter> {
        let Some(about) = tensors.remove(ABOUT) else { bail!("it does not say what it is") };
        let about = serde_json::from_slice(&about.to_vec1::<u8>()?);
        Ok(Adapter { about: about.map_err(candle_core::Error::wrap)?, tensors })
    }
}
