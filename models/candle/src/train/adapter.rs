//! What a run has learnt, in a file of its own: low-rank parts, additions to the markers'
//! embeddings, the head. Together with the base model it is the trained model.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{D, DType, Device, Result, Tensor, bail, safetensors};
use models::MindError;
use serde::{Deserialize, Serialize};

use super::checkpoint;
use super::network::{HEAD, Network};
use super::parameters::Parameters;
use super::recipe::Recipe;
use super::table::{TABLE, TableStart};
use crate::head::Table;

/// The tensor that holds [`About`] as JSON bytes.
const ABOUT: &str = "about";
/// The tensor that holds the rows of a token table, and how.
const PACKED: &str = "tokens.q4_0";
const PACKED_AS: GgmlDType = GgmlDType::Q4_0;

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
    /// On the CPU; f16, but for a token table that was packed.
    pub(crate) tensors: HashMap<String, Tensor>,
}

/// Writes an adapter: a token table in 4 bits, since its mean over a text evens the rounding out, and
/// all else as f16.
///
/// # Errors
/// If the disk is full or the folder is not there.
pub(crate) fn write(
    path: &Path,
    mut tensors: HashMap<String, Tensor>,
    recipe: &Recipe,
    notes: &BTreeMap<String, String>,
) -> Result<()> {
    let about = About { recipe: recipe.clone(), notes: notes.clone() };
    let json = serde_json::to_vec(&about).map_err(candle_core::Error::wrap)?;
    let table = tensors.remove(TABLE).map(packed).transpose()?;
    for tensor in tensors.values_mut() {
        *tensor = tensor.to_dtype(DType::F16)?;
    }
    tensors.extend(table.map(|(name, table)| (name.to_owned(), table)));
    tensors.insert(ABOUT.to_owned(), Tensor::new(json.as_slice(), &Device::Cpu)?);
    checkpoint::write(path, &tensors)
}

/// A table as it is written, and under which name.
fn packed(table: Tensor) -> Result<(&'static str, Tensor)> {
    let (rows, width) = table.dims2()?;
    if !width.is_multiple_of(PACKED_AS.block_size()) {
        return Ok((TABLE, table.to_dtype(DType::F16)?));
    }
    let packed = QTensor::quantize(&table.to_dtype(DType::F32)?, PACKED_AS)?;
    let bytes = packed.data()?;
    Ok((PACKED, Tensor::from_slice(&bytes, (rows, bytes.len() / rows), &Device::Cpu)?))
}

/// The inverse of [`packed`], in f32.
fn unpacked(packed: &Tensor) -> Result<Tensor> {
    let (rows, row_bytes) = packed.dims2()?;
    let width = row_bytes / PACKED_AS.type_size() * PACKED_AS.block_size();
    let bytes = packed.flatten_all()?.to_vec1::<u8>()?;
    // Borrowed: of bytes that it owns candle 0.10.2 frees the memory before it copies it.
    let storage = QStorage::from_data(Cow::Borrowed(&bytes), &Device::Cpu, PACKED_AS)?;
    QTensor::new(storage, (rows, width))?.dequantize(&Device::Cpu)
}

impl Adapter {
    /// The same with `table` and the head's `columns` for it, (embedding width, table width).
    ///
    /// # Errors
    /// [`MindError::Model`] if it has no head, or one of another width.
    pub fn with_table(
        mut self,
        table: &Table,
        columns: &[f32],
    ) -> std::result::Result<Adapter, MindError> {
        let mut join = || -> Result<()> {
            let Some(weight) = self.tensors.get(HEAD[0]) else { bail!("it has no head") };
            let rows = table.rows.len() / table.width;
            let rows = Tensor::from_slice(&table.rows, (rows, table.width), &Device::Cpu)?;
            let columns = Tensor::from_slice(columns, (weight.dim(0)?, table.width), &Device::Cpu)?;
            let weight = Tensor::cat(&[&weight.to_dtype(DType::F32)?, &columns], D::Minus1)?;
            self.tensors.insert(HEAD[0].to_owned(), weight);
            self.tensors.insert(TABLE.to_owned(), rows);
            Ok(())
        };
        join().map_err(|error| MindError::Model(format!("the adapter takes no table: {error}")))?;
        Ok(self)
    }

    /// The same without its table of token vectors and the head's columns for it, and these.
    ///
    /// # Errors
    /// [`MindError::Model`] if the head is narrower than its table.
    pub fn without_table(
        mut self,
    ) -> std::result::Result<(Adapter, Option<TableStart>), MindError> {
        let mut part = || -> Result<Option<TableStart>> {
            let Some(table) = self.table()? else { return Ok(None) };
            self.tensors.remove(TABLE);
            let Some(weight) = self.tensors.get(HEAD[0]) else { bail!("there is no head") };
            let (joined, width) = (weight.dim(1)?, table.width);
            let Some(states) = joined.checked_sub(width) else {
                bail!("the head reads {joined} values, fewer than the {width} of the table")
            };
            let columns = weight.narrow(1, states, width)?.to_dtype(DType::F32)?;
            let columns = columns.flatten_all()?.to_vec1()?;
            let weight = weight.narrow(1, 0, states)?.contiguous()?;
            self.tensors.insert(HEAD[0].to_owned(), weight);
            Ok(Some(TableStart { table, columns }))
        };
        let start = part().map_err(|error| {
            MindError::Model(format!("the adapter's table is damaged: {error}"))
        })?;
        Ok((self, start))
    }

    /// Sets `parameters`, which are `network`'s by `recipe`, to what was learnt, and gives the head its
    /// table of token vectors if there is one. Returns what else there is, which stays as it is.
    ///
    /// # Errors
    /// If it is of another shape, or has more than is to be trained of what the network computes.
    pub(crate) fn begin(
        &self,
        network: &mut Network,
        parameters: &mut Parameters,
        recipe: &Recipe,
    ) -> Result<HashMap<String, Tensor>> {
        let own = &self.about.recipe;
        if (own.rank, own.alpha) != (recipe.rank, recipe.alpha) {
            bail!("its rank and alpha are {} and {}", own.rank, own.alpha);
        }
        if let (Some(table), Some(weight)) = (self.tensors.get(TABLE), self.tensors.get(HEAD[0])) {
            network.set_table(weight, table)?;
            *parameters = network.parameters(recipe)?;
        }
        // Layers that embedding did not train may learn to read.
        let mut known = self.tensors.clone();
        if recipe.reading.is_some() {
            for (name, begun) in parameters.tensors()? {
                known.entry(name).or_insert(begun);
            }
        }
        parameters.set(&known, "")?;
        let mut others = self.tensors.clone();
        others.retain(|name, _| !parameters.places.iter().any(|place| place.name == *name));
        // Parts above the last exit change no vector.
        let computed = |name: &&String| {
            let layer = name.strip_prefix("blk.").and_then(|rest| rest.split('.').next());
            layer.and_then(|layer| layer.parse().ok()).is_some_and(|at: usize| at < network.depth())
        };
        if let Some(name) = others.keys().find(computed) {
            bail!("it has {name}, and that layer is not to be trained");
        }
        Ok(others)
    }

    /// Its table of token vectors, if it has one.
    ///
    /// # Errors
    /// If it is no table.
    pub(crate) fn table(&self) -> Result<Option<Table>> {
        let Some(table) = self.tensors.get(TABLE) else { return Ok(None) };
        let rows = table.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?;
        Ok(Some(Table { rows, width: table.dim(1)? }))
    }

    /// Width of its table of token vectors, if it has one.
    pub fn table_width(&self) -> Option<usize> {
        self.tensors.get(TABLE).and_then(|table| table.dim(1).ok())
    }

    /// Writes it to `path`.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the file cannot be written.
    pub fn save(self, path: &Path) -> std::result::Result<(), MindError> {
        let About { recipe, notes } = &self.about;
        write(path, self.tensors, recipe, notes)
            .map_err(|error| MindError::Inference(format!("{}: {error}", path.display())))
    }

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
        if let Some(table) = tensors.remove(PACKED) {
            tensors.insert(TABLE.to_owned(), unpacked(&table)?);
        }
        Ok(Adapter { about: about.map_err(candle_core::Error::wrap)?, tensors })
    }
}
