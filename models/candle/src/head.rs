//! The linear head: pooled states -> the embedding, before normalisation.
//!
//! A head may have a table of token vectors of its own, as static embeddings (model2vec) are, whose
//! mean over a text joins the pooled states. What words a text has is said cheaply that way, and the
//! states are left to say what the words mean together.
//!
//! It is fitted in closed form ([`crate::fit`]) and travels in the GGUF as two tensors. The one
//! that ships with the program is in `models/head.safetensors`.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use candle_core::quantized::gguf_file::Content;
use candle_core::{D, DType, Device, Tensor, safetensors};
use models::MindError;

use crate::names::{HEAD_BIAS, HEAD_WEIGHT, TOKEN_TABLE};
use crate::pooling::Pooling;
use crate::stored::Rows;

/// `y = W x + b`, W row-major (width, inputs).
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
    /// Values in an embedding.
    pub width: usize,
    /// Values in the pooled states, and in a row of the table if there is one.
    pub inputs: usize,
    pub table: Option<Table>,
}

/// A row for each token; row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub rows: Vec<f32>,
    /// Values in a row.
    pub width: usize,
}

/// A head on a device.
pub(crate) struct HeadTensors {
    /// (width, inputs) and (width).
    pub weight: Tensor,
    pub bias: Tensor,
    /// (tokens, table width).
    pub table: Option<Rows>,
}

impl HeadTensors {
    /// The head of a model file, if it carries one; whether its table `stays` in the file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn read(
        content: &Content,
        file: &mut BufReader<File>,
        stays: bool,
        device: &Device,
    ) -> candle_core::Result<Option<HeadTensors>> {
        let mut read = |name: &str| {
            let found = content.tensor_infos.contains_key(name);
            found.then(|| content.tensor(file, name, device)?.dequantize(device)).transpose()
        };
        let (Some(weight), Some(bias)) = (read(HEAD_WEIGHT)?, read(HEAD_BIAS)?) else {
            return Ok(None);
        };
        // It is summed in f32 on all devices.
        let find = || Rows::find(content, file, TOKEN_TABLE, (stays, DType::F32), device);
        let table = content.tensor_infos.contains_key(TOKEN_TABLE).then(find).transpose()?;
        Ok(Some(HeadTensors { weight, bias, table }))
    }

    /// `pooled` states (n, states) -> raw embeddings (n, width); and what the head read, which is the
    /// states joined with the means of the table's rows of (b, t) `ids` under (b, reads, t) `weights`.
    ///
    /// # Errors
    /// If the sizes do not agree.
    pub(crate) fn apply(
        &self,
        pooled: &Tensor,
        ids: &Tensor,
        weights: &Tensor,
    ) -> candle_core::Result<(Tensor, Tensor)> {
        let read = match &self.table {
            None => pooled.clone(),
            Some(table) => {
                let (b, _, t) = weights.dims3()?;
                let width = table.width()?;
                let rows = table.of(ids)?.to_dtype(weights.dtype())?;
                let rows = rows.reshape((b, t, width))?;
                let means = weights.matmul(&rows)?.reshape((pooled.dim(0)?, width))?;
                Tensor::cat(&[pooled, &means], D::Minus1)?
            }
        };
        Ok((read.matmul(&self.weight.t()?)?.broadcast_add(&self.bias)?, read))
    }
}

/// A head and how the states it reads are made.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedHead {
    pub head: Head,
    /// Layers after which the state is read, from 1.
    pub exit_layers: Vec<usize>,
    pub pooling: Pooling,
}

impl Head {
    /// W and b as tensors on `device`.
    ///
    /// # Errors
    /// If the sizes do not agree.
    pub fn tensors(&self, device: &Device) -> candle_core::Result<(Tensor, Tensor)> {
        Ok((
            Tensor::from_slice(&self.weight, (self.width, self.inputs), device)?,
            Tensor::from_slice(&self.bias, self.width, device)?,
        ))
    }
}

impl FittedHead {
    /// The head that ships with this program.
    ///
    /// # Errors
    /// [`MindError::Model`] if the build embedded a broken file.
    pub fn shipped() -> Result<FittedHead, MindError> {
        let bytes = include_bytes!("../../head.safetensors");
        let tensors = safetensors::load_buffer(bytes, &Device::Cpu).map_err(broken)?;
        FittedHead::from_tensors(&tensors)
    }

    /// Writes the head as safetensors, weights as f16 (half the size; 1e-3 relative).
    ///
    /// # Errors
    /// [`MindError::Inference`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), MindError> {
        let write = || -> candle_core::Result<()> {
            let (weight, bias) = self.head.tensors(&Device::Cpu)?;
            let exits: Vec<u32> = self.exit_layers.iter().map(|layer| *layer as u32).collect();
            let tensors = HashMap::from([
                ("weight".to_owned(), weight.to_dtype(DType::F16)?),
                ("bias".to_owned(), bias),
                ("exit_layers".to_owned(), Tensor::new(exits, &Device::Cpu)?),
                ("pooling".to_owned(), Tensor::new(&[self.pooling.code()], &Device::Cpu)?),
            ]);
            safetensors::save(&tensors, path)
        };
        write().map_err(|error| MindError::Inference(format!("{}: {error}", path.display())))
    }

    fn from_tensors(tensors: &HashMap<String, Tensor>) -> Result<FittedHead, MindError> {
        let get = |name: &str| {
            tensors.get(name).ok_or_else(|| MindError::Model(format!("the head lacks {name}")))
        };
        let read = || -> candle_core::Result<(Head, Vec<u32>, Vec<u32>)> {
            let missing = |error: MindError| candle_core::Error::Msg(error.to_string());
            let weight = get("weight").map_err(missing)?.to_dtype(DType::F32)?;
            let (width, inputs) = weight.dims2()?;
            let head = Head {
                weight: weight.flatten_all()?.to_vec1()?,
                bias: get("bias").map_err(missing)?.to_vec1()?,
                width,
                inputs,
                table: None,
            };
            let exits = get("exit_layers").map_err(missing)?.to_vec1::<u32>()?;
            Ok((head, exits, get("pooling").map_err(missing)?.to_vec1()?))
        };
        let (head, exits, code) = read().map_err(broken)?;
        let pooling = code
            .first()
            .and_then(|code| Pooling::from_code(*code))
            .ok_or_else(|| MindError::Model("the head names no known pooling".to_owned()))?;
        let exit_layers = exits.into_iter().map(|layer| layer as usize).collect();
        Ok(FittedHead { head, exit_layers, pooling })
    }
}

fn broken(error: candle_core::Error) -> MindError {
    MindError::Model(format!("the shipped embedding head cannot be read: {error}"))
}
