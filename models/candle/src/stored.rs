//! A matrix of a model file as it is stored: its rows are looked up where they lie, or become bytes one by one.
//!
//! The tables of the tokens are two thirds of what encoding would load, and a text needs a few rows of them. What
//! is left in the file costs no memory of ours and no time at the start, and the system keeps what is asked for.

use std::fs::File;
use std::io::BufReader;
use std::os::unix::fs::FileExt;

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Content;
use candle_core::{DType, Device, Result, Tensor, bail};
use half::{bf16, f16};
use rayon::prelude::*;

/// Values that share a scale in [`Kind::Q8_0`], and the bytes of such a block: the scale in half precision first.
const BLOCK: usize = 32;
const BLOCK_BYTES: usize = BLOCK + 2;

/// How values are stored; what has other blocks is loaded as a whole, by candle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    F32,
    F16,
    BF16,
    Q8_0,
}

impl Kind {
    fn of(dtype: GgmlDType) -> Option<Kind> {
        match dtype {
            GgmlDType::F32 => Some(Kind::F32),
            GgmlDType::F16 => Some(Kind::F16),
            GgmlDType::BF16 => Some(Kind::BF16),
            GgmlDType::Q8_0 => Some(Kind::Q8_0),
            _ => None,
        }
    }

    /// Of a row of `width` values.
    fn row_bytes(self, width: usize) -> usize {
        match self {
            Kind::F32 => 4 * width,
            Kind::F16 | Kind::BF16 => 2 * width,
            Kind::Q8_0 => width / BLOCK * BLOCK_BYTES,
        }
    }

    /// The values that the bytes of a row stand for.
    fn decode(self, bytes: &[u8], values: &mut [f32]) {
        let half = |pair: &[u8]| [pair[0], pair[1]];
        match self {
            Kind::F32 => {
                for (value, four) in values.iter_mut().zip(bytes.chunks_exact(4)) {
                    *value = f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
                }
            }
            Kind::F16 => {
                for (value, two) in values.iter_mut().zip(bytes.chunks_exact(2)) {
                    *value = f16::from_le_bytes(half(two)).to_f32();
                }
            }
            Kind::BF16 => {
                for (value, two) in values.iter_mut().zip(bytes.chunks_exact(2)) {
                    *value = bf16::from_le_bytes(half(two)).to_f32();
                }
            }
            Kind::Q8_0 => {
                let blocks = bytes.chunks_exact(BLOCK_BYTES);
                for (values, block) in values.chunks_exact_mut(BLOCK).zip(blocks) {
                    let scale = f16::from_le_bytes(half(block)).to_f32();
                    for (value, byte) in values.iter_mut().zip(&block[2..]) {
                        *value = f32::from(*byte as i8) * scale;
                    }
                }
            }
        }
    }
}

/// See the module. It stays what it was although another file takes its file's name.
pub(crate) struct Stored {
    file: File,
    /// Where its first row begins.
    start: u64,
    kind: Kind,
    count: usize,
    width: usize,
}

impl Stored {
    /// The matrix `name` of `file`; nothing if it is stored in a form that is loaded as a whole.
    ///
    /// # Errors
    /// If there is none of this name, it is no matrix, or the file has no other handle for us.
    pub(crate) fn find(content: &Content, file: &File, name: &str) -> Result<Option<Stored>> {
        let Some(info) = content.tensor_infos.get(name) else { bail!("there is no {name}") };
        let (count, width) = info.shape.dims2()?;
        let Some(kind) = Kind::of(info.ggml_dtype) else { return Ok(None) };
        if kind == Kind::Q8_0 && !width.is_multiple_of(BLOCK) {
            bail!("{name} has rows of {width} values, no multiple of {BLOCK}");
        }
        let start = content.tensor_data_offset + info.offset;
        Ok(Some(Stored { file: file.try_clone()?, start, kind, count, width }))
    }

    /// (rows, values in each).
    pub(crate) fn shape(&self) -> (usize, usize) {
        (self.count, self.width)
    }

    /// The rows of `ids`, one after the other.
    ///
    /// # Errors
    /// If there is no such row, or the file cannot be read.
    pub(crate) fn rows(&self, ids: &[u32]) -> Result<Vec<f32>> {
        let bytes = self.kind.row_bytes(self.width);
        let mut values = vec![0f32; ids.len() * self.width];
        let parts = values.par_chunks_mut(self.width.max(1)).zip(ids);
        parts.try_for_each_init(
            || vec![0u8; bytes],
            |row, (values, id)| {
                if *id as usize >= self.count {
                    bail!("row {id} of {}", self.count);
                }
                let at = self.start + u64::from(*id) * bytes as u64;
                self.file.read_exact_at(row, at)?;
                self.kind.decode(row, values);
                Ok(())
            },
        )?;
        Ok(values)
    }

    /// All of its rows as they are stored.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn all(&self) -> Result<Raw> {
        let mut bytes = vec![0u8; self.count * self.kind.row_bytes(self.width)];
        self.file.read_exact_at(&mut bytes, self.start)?;
        Ok(Raw { bytes, kind: self.kind, width: self.width })
    }
}

/// The bytes of a matrix.
pub(crate) struct Raw {
    bytes: Vec<u8>,
    kind: Kind,
    width: usize,
}

impl Raw {
    /// Writes the values of row `index`.
    pub(crate) fn row(&self, index: usize, values: &mut [f32]) {
        let bytes = self.kind.row_bytes(self.width);
        self.kind.decode(&self.bytes[index * bytes..(index + 1) * bytes], values);
    }
}

/// A table of vectors, of which rows are looked up: (count, width).
pub(crate) enum Rows {
    Loaded(Tensor),
    Stored(Stored),
}

impl Rows {
    /// The table `name`: left in `file` where `stays` and its form allow it, else loaded as `dtype`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn find(
        content: &Content,
        file: &mut BufReader<File>,
        name: &str,
        (stays, dtype): (bool, DType),
        device: &Device,
    ) -> Result<Rows> {
        if stays && let Some(stored) = Stored::find(content, file.get_ref(), name)? {
            return Ok(Rows::Stored(stored));
        }
        let table = content.tensor(file, name, device)?.dequantize(device)?;
        Ok(Rows::Loaded(table.to_dtype(dtype)?))
    }

    /// (n, width) rows of the n `ids`, as the table is; from a file in half precision, in which such tables were loaded
    /// when the vectors of older indexes were made, and the same text has the same vector.
    ///
    /// # Errors
    /// If there is no such row, or it cannot be read.
    pub(crate) fn of(&self, ids: &Tensor) -> Result<Tensor> {
        let ids = ids.flatten_all()?;
        match self {
            Rows::Loaded(table) => table.index_select(&ids, 0),
            Rows::Stored(stored) => {
                let rows = stored.rows(&ids.to_vec1()?)?;
                Tensor::from_vec(rows, (ids.dim(0)?, stored.width), ids.device())?
                    .to_dtype(DType::F16)
            }
        }
    }

    /// Values in a row.
    ///
    /// # Errors
    /// If it is no matrix.
    pub(crate) fn width(&self) -> Result<usize> {
        match self {
            Rows::Loaded(table) => table.dim(1),
            Rows::Stored(stored) => Ok(stored.width),
        }
    }

    /// All of it, to learn from.
    ///
    /// # Errors
    /// If it was left in its file.
    pub(crate) fn loaded(&self) -> Result<&Tensor> {
        match self {
            Rows::Loaded(table) => Ok(table),
            Rows::Stored(_) => bail!("a table that was left in its file has no gradient"),
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::quantized::QTensor;
    use candle_core::quantized::gguf_file;
    use candle_core::{D, IndexOp};

    use super::*;
    use crate::gguf::draft::wave;

    /// A file with the same (6, 64) matrix in each form.
    fn file(kinds: &[GgmlDType]) -> (tempfile::NamedTempFile, Vec<Tensor>) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let wave = wave(&[6, 64]);
        let tensors: Vec<QTensor> =
            kinds.iter().map(|kind| QTensor::quantize(&wave, *kind).unwrap()).collect();
        let names: Vec<String> = kinds.iter().map(|kind| format!("{kind:?}")).collect();
        let named: Vec<(&str, &QTensor)> = names.iter().map(String::as_str).zip(&tensors).collect();
        gguf_file::write(file.as_file_mut(), &[], &named).unwrap();
        let expected = tensors.iter().map(|tensor| tensor.dequantize(&Device::Cpu).unwrap());
        let expected = expected.collect();
        (file, expected)
    }

    #[test]
    fn rows_left_in_a_file_are_those_that_candle_loads() {
        let kinds = [GgmlDType::F32, GgmlDType::F16, GgmlDType::BF16, GgmlDType::Q8_0];
        let (file, expected) = file(&kinds);
        let mut reader = BufReader::new(file.reopen().unwrap());
        let content = Content::read(&mut reader).unwrap();
        for (kind, expected) in kinds.iter().zip(expected) {
            let name = format!("{kind:?}");
            let cpu = Device::Cpu;
            let rows = Rows::find(&content, &mut reader, &name, (true, DType::F16), &cpu).unwrap();
            assert!(rows.loaded().is_err(), "{name} was loaded");
            assert_eq!(rows.width().unwrap(), 64);
            let ids = Tensor::new(&[[5u32, 0], [3, 5]], &cpu).unwrap();
            let got: Vec<Vec<f16>> = rows.of(&ids).unwrap().to_vec2().unwrap();
            let halves = expected.to_dtype(DType::F16).unwrap();
            for (got, id) in got.iter().zip([5, 0, 3, 5]) {
                assert_eq!(*got, halves.i(id).unwrap().to_vec1::<f16>().unwrap(), "{name} {id}");
            }
            assert!(rows.of(&Tensor::new(&[6u32], &cpu).unwrap()).is_err(), "a row too many");
            let Rows::Stored(stored) = rows else { panic!("{name}") };
            let all = stored.all().unwrap();
            let mut row = [0f32; 64];
            all.row(2, &mut row);
            assert_eq!(row.to_vec(), expected.i(2).unwrap().to_vec1::<f32>().unwrap(), "{name}");
        }
    }

    #[test]
    fn what_has_other_blocks_is_loaded() {
        let (file, expected) = file(&[GgmlDType::Q4_0]);
        let mut reader = BufReader::new(file.reopen().unwrap());
        let content = Content::read(&mut reader).unwrap();
        let cpu = Device::Cpu;
        let rows = Rows::find(&content, &mut reader, "Q4_0", (true, DType::F32), &cpu).unwrap();
        let off = (rows.loaded().unwrap() - &expected[0]).unwrap().abs().unwrap();
        assert_eq!(off.max(D::Minus1).unwrap().max(0).unwrap().to_scalar::<f32>().unwrap(), 0.0);
        assert!(Rows::find(&content, &mut reader, "none", (true, DType::F32), &cpu).is_err());
    }
}
