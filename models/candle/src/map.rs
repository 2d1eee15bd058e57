//! One linear map of a layer: floats, or bytes where nothing is to be learnt from it.

use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Result, Shape, Tensor, bail};
use candle_nn::Linear;

use crate::narrow::{self, Bytes};
use crate::ops::f32_slice;
use crate::stored::Stored;
use crate::wide;

/// What a model's weights are computed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    Floats(DType),
    /// See [`narrow`], and [`Numbers::attention`]; all between the maps is f32.
    Bytes,
}

impl Numbers {
    /// f32 on a CPU; half precision where the hardware has it.
    pub(crate) fn floats(device: &Device) -> Numbers {
        Numbers::Floats(match device {
            Device::Cpu => DType::F32,
            Device::Cuda(_) => DType::BF16,
            Device::Metal(_) => DType::F16,
        })
    }

    /// What `device` is fastest with.
    pub(crate) fn fastest(device: &Device) -> Numbers {
        if device.is_cpu() && narrow::usable() { Numbers::Bytes } else { Numbers::floats(device) }
    }

    /// What queries, keys and values are made in: of what bytes change in a vector, two thirds come from
    /// the values, which every later position takes up, at a sixth of the time.
    pub(crate) fn attention(self) -> Numbers {
        match self {
            Numbers::Floats(_) => self,
            Numbers::Bytes => Numbers::Floats(DType::F32),
        }
    }

    /// Of what is between the maps.
    pub(crate) fn dtype(self) -> DType {
        match self {
            Numbers::Floats(dtype) => dtype,
            Numbers::Bytes => DType::F32,
        }
    }
}

/// See the module. (.., in) -> (.., out).
pub(crate) enum Map {
    Floats(Linear),
    Bytes(Bytes, Option<Tensor>),
}

impl Map {
    /// # Errors
    /// If `weight` is no (out, in) matrix.
    pub(crate) fn new(weight: Tensor, bias: Option<Tensor>, numbers: Numbers) -> Result<Map> {
        let shape = weight.dims2()?;
        Ok(match numbers {
            Numbers::Floats(_) => Map::Floats(Linear::new(weight, bias)),
            Numbers::Bytes => Map::Bytes(Bytes::of(&weight.flatten_all()?.to_vec1()?, shape), bias),
        })
    }

    /// The same from the rows of `weights`, one after the other, as they are stored.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(crate) fn stored(weights: &[Stored], bias: Option<Tensor>) -> Result<Map> {
        let raw = weights.iter().map(Stored::all).collect::<Result<Vec<_>>>()?;
        let (counts, widths): (Vec<_>, Vec<_>) = weights.iter().map(Stored::shape).unzip();
        let input = widths.first().copied().unwrap_or(0);
        if widths.iter().any(|width| *width != input) {
            bail!("weights of {widths:?} values do not read the same input");
        }
        let row = |mut index: usize, values: &mut [f32]| {
            for (raw, count) in raw.iter().zip(&counts) {
                if index < *count {
                    return raw.row(index, values);
                }
                index -= count;
            }
        };
        Ok(Map::Bytes(Bytes::by_rows((counts.iter().sum(), input), row), bias))
    }

    /// # Errors
    /// If the sizes do not agree.
    pub(crate) fn apply(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Map::Floats(linear) => wide::linear(linear, x),
            Map::Bytes(bytes, bias) => {
                let y = x.contiguous()?.apply_op1_no_bwd(bytes)?;
                match bias {
                    Some(bias) => y.broadcast_add(bias),
                    None => Ok(y),
                }
            }
        }
    }

    /// The weights, to learn from.
    ///
    /// # Errors
    /// If they were quantised.
    pub(crate) fn linear(&self) -> Result<&Linear> {
        match self {
            Map::Floats(linear) => Ok(linear),
            Map::Bytes(..) => bail!("weights in bytes have no gradient"),
        }
    }
}

impl CustomOp1 for Bytes {
    fn name(&self) -> &'static str {
        "product-of-bytes"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (output, input) = self.shape();
        let mut dims = layout.dims().to_vec();
        let Some(last) = dims.last_mut().filter(|last| **last == input) else {
            bail!("a product of {:?} with {:?}", layout.dims(), self.shape());
        };
        *last = output;
        Ok((CpuStorage::F32(self.times(f32_slice(x, layout, self.name())?)), Shape::from(dims)))
    }
}
