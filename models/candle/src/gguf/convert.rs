//! A base model's GGUF -> ours: weights as Q8_0, our metadata, the head.
//!
//! Q8_0, because candle multiplies Q4_1 without vector instructions, and 8 bits keep nearly all of
//! the quality. The same inputs give the same bytes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{self, Content, TensorInfo, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Result, Tensor};
use models::MindError;

use crate::gguf::{Gguf, open};
use crate::head::{Head, Table};
use crate::meta::Meta;
use crate::names::{HEAD_BIAS, HEAD_WEIGHT, OURS, TOKEN_TABLE};

/// llama.cpp's `LLAMA_FTYPE_MOSTLY_Q8_0`.
const FILE_TYPE_Q8_0: u32 = 7;

/// Writes `out` from `source`, which may be a file of ours already: its head is replaced then.
///
/// Two-dimensional weights become Q8_0; norms, biases and rows that Q8_0's blocks of 32 do not fit
/// keep their type. Tokenizer and architecture stay as they are. `progress` gets the share done.
/// `out` appears whole or not at all.
///
/// # Errors
/// [`MindError::Model`] if the source is unusable, the head does not fit it or the disk is full.
pub fn convert(
    source: &Path,
    head: Option<&Head>,
    meta: &Meta,
    out: &Path,
    progress: &mut dyn FnMut(f32),
) -> std::result::Result<(), MindError> {
    rewrite(source, head, meta, &mut |_, _| Ok(None), out, progress)
}

/// Gives a tensor of the source, by its name, new values, and the type to keep them in.
pub(crate) type Adjust<'a> = dyn FnMut(&str, &QTensor) -> Result<Option<(Tensor, GgmlDType)>> + 'a;

/// [`convert`] with tensors that `adjust` changes on the way.
///
/// # Errors
/// As [`convert`].
pub(crate) fn rewrite(
    source: &Path,
    head: Option<&Head>,
    meta: &Meta,
    adjust: &mut Adjust<'_>,
    out: &Path,
    progress: &mut dyn FnMut(f32),
) -> std::result::Result<(), MindError> {
    let mut base = open(source)?;
    let wrong = |file: &Path, error: &dyn std::fmt::Display| {
        MindError::Model(format!("{}: {error}", file.display()))
    };
    let metadata = metadata(&base, meta);
    let tensors =
        tensors(&mut base, head, adjust, progress).map_err(|error| wrong(source, &error))?;
    let unfinished = Unfinished::beside(out);
    write(&unfinished.0, &metadata, &tensors)
        .and_then(|()| {
            // Read back before it takes the name: what cannot be opened must not be found.
            open(&unfinished.0).map_err(|error| candle_core::Error::Msg(error.to_string()))?;
            fs::rename(&unfinished.0, out)?;
            sync_folder(out)
        })
        .map_err(|error| wrong(out, &error))?;
    progress(1.0);
    Ok(())
}

/// Writes the model in `file` to `out` as it thinks: its matrices in 8 bits, without the head. Vectors are more
/// exacting than the next word; of what has more than 8 bits mistral.rs makes floats, which take a token four times
/// as long to read. False, and nothing is written, if there is nothing of the kind.
///
/// # Errors
/// If it cannot be read or written.
pub(crate) fn for_thinking(
    content: &Content,
    file: &mut BufReader<File>,
    out: &mut File,
) -> Result<bool> {
    if !is_wide(content) {
        return Ok(false);
    }
    write_to(out, content.metadata.iter(), &thinking(content, file)?)?;
    Ok(true)
}

/// Whether a matrix that thinks has more than 8 bits.
pub(super) fn is_wide(content: &Content) -> bool {
    content.tensor_infos.iter().any(|(name, info)| thinks(name) && narrows(info))
}

/// The tensors that think, those of more than 8 bits in 8.
///
/// # Errors
/// If they cannot be read.
pub(super) fn thinking(
    content: &Content,
    file: &mut BufReader<File>,
) -> Result<BTreeMap<String, QTensor>> {
    let infos = content.tensor_infos.iter().filter(|(name, _)| thinks(name));
    let mut tensors = BTreeMap::new();
    for (name, info) in infos {
        let tensor = content.tensor(file, name, &Device::Cpu)?;
        let tensor = if narrows(info) { requantise(tensor)? } else { tensor };
        tensors.insert(name.clone(), tensor);
    }
    Ok(tensors)
}

/// Whether a tensor of this name is the model's, not the head's.
fn thinks(name: &str) -> bool {
    ![HEAD_WEIGHT, HEAD_BIAS, TOKEN_TABLE].contains(&name)
}

/// Whether a tensor has more than 8 bits and can have 8.
fn narrows(info: &TensorInfo) -> bool {
    let is_wide = matches!(info.ggml_dtype, GgmlDType::F32 | GgmlDType::F16 | GgmlDType::BF16);
    is_wide && fits_blocks(info.shape.dims())
}

fn metadata(base: &Gguf, meta: &Meta) -> BTreeMap<String, Value> {
    let mut metadata: BTreeMap<String, Value> = base
        .content
        .metadata
        .iter()
        .filter(|(key, _)| !key.starts_with(OURS))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    metadata.extend(of_8_bits());
    metadata.extend(meta.to_metadata());
    metadata
}

/// What a file says whose matrices have 8 bits.
pub(super) fn of_8_bits() -> [(String, Value); 2] {
    [
        ("general.file_type".to_owned(), Value::U32(FILE_TYPE_Q8_0)),
        ("general.quantization_version".to_owned(), Value::U32(2)),
    ]
}

fn tensors(
    base: &mut Gguf,
    head: Option<&Head>,
    adjust: &mut Adjust<'_>,
    progress: &mut dyn FnMut(f32),
) -> Result<BTreeMap<String, QTensor>> {
    let names: Vec<String> =
        base.content.tensor_infos.keys().filter(|name| thinks(name)).cloned().collect();
    let mut tensors = BTreeMap::new();
    for name in names {
        let tensor = base.content.tensor(&mut base.file, &name, &Device::Cpu)?;
        let tensor = match adjust(&name, &tensor)? {
            Some((values, GgmlDType::Q8_0)) => quantised(&values, tensor.dtype())?,
            Some((values, kind)) => QTensor::quantize(&values, kind)?,
            None => requantise(tensor)?,
        };
        tensors.insert(name, tensor);
        progress(tensors.len() as f32 / (base.content.tensor_infos.len() + 1) as f32);
    }
    if let Some(head) = head {
        let (weight, bias) = head.tensors(&Device::Cpu)?;
        tensors.insert(HEAD_WEIGHT.to_owned(), QTensor::quantize(&weight, GgmlDType::F32)?);
        tensors.insert(HEAD_BIAS.to_owned(), QTensor::quantize(&bias, GgmlDType::F32)?);
        if let Some(Table { rows, width }) = &head.table {
            let shape = (rows.len() / width, *width);
            let rows = Tensor::from_slice(rows, shape, &Device::Cpu)?;
            tensors.insert(TOKEN_TABLE.to_owned(), quantised(&rows, GgmlDType::F32)?);
        }
    }
    Ok(tensors)
}

/// Whether a tensor of this shape becomes Q8_0.
fn fits_blocks(dims: &[usize]) -> bool {
    let blocks = |row: &usize| row.is_multiple_of(GgmlDType::Q8_0.block_size());
    dims.len() >= 2 && dims.last().is_some_and(blocks)
}

fn requantise(tensor: QTensor) -> Result<QTensor> {
    if !fits_blocks(tensor.shape().dims()) || tensor.dtype() == GgmlDType::Q8_0 {
        return Ok(tensor);
    }
    let values: Tensor = tensor.dequantize(&Device::Cpu)?;
    QTensor::quantize(&values, GgmlDType::Q8_0)
}

/// `values` as Q8_0, or as `kind` where its blocks do not fit.
fn quantised(values: &Tensor, kind: GgmlDType) -> Result<QTensor> {
    let kind = if fits_blocks(values.dims()) { GgmlDType::Q8_0 } else { kind };
    QTensor::quantize(values, kind)
}

fn write(
    path: &Path,
    metadata: &BTreeMap<String, Value>,
    tensors: &BTreeMap<String, QTensor>,
) -> Result<()> {
    let mut file = File::create(path)?;
    write_to(&mut file, metadata.iter(), tensors)?;
    Ok(file.sync_all()?)
}

/// Writes a GGUF; candle aligns tensors as one is that does not say how.
///
/// # Errors
/// If the disk is full.
pub(super) fn write_to<'a>(
    file: &mut File,
    metadata: impl Iterator<Item = (&'a String, &'a Value)>,
    tensors: &BTreeMap<String, QTensor>,
) -> Result<()> {
    let metadata: Vec<(&str, &Value)> = metadata
        .filter(|(key, _)| *key != "general.alignment")
        .map(|(key, value)| (key.as_str(), value))
        .collect();
    let tensors: Vec<(&str, &QTensor)> =
        tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let mut writer = BufWriter::new(file);
    gguf_file::write(&mut writer, &metadata, &tensors)?;
    Ok(writer.flush()?)
}

/// Makes a rename last through a power cut.
fn sync_folder(file: &Path) -> Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok(File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?)
}

/// A file on its way, removed unless it was renamed.
struct Unfinished(PathBuf);

impl Unfinished {
    fn beside(out: &Path) -> Unfinished {
        let mut name = out.as_os_str().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        Unfinished(name.into())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Gone already if all went well; if not, there is an error to tell of already.
        fs::remove_file(&self.0).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::draft::{Draft, HIDDEN, wave};

    /// What is written for thinking of `draft`, if anything is.
    fn thinking(draft: &Draft) -> Option<(Content, BufReader<File>)> {
        let folder = tempfile::tempdir().unwrap();
        let path = draft.write(folder.path());
        let mut file = BufReader::new(File::open(&path).unwrap());
        let content = Content::read(&mut file).unwrap();
        let mut out = tempfile::tempfile().unwrap();
        let is_written = for_thinking(&content, &mut file, &mut out).unwrap();
        std::io::Seek::rewind(&mut out).unwrap();
        let mut out = BufReader::new(out);
        is_written.then(|| (Content::read(&mut out).unwrap(), out))
    }

    #[test]
    fn what_thinks_has_matrices_of_8_bits_and_no_head() {
        let mut draft = Draft::new("llama");
        let name = "blk.0.attn_q.weight";
        draft.tensor(name, &[HIDDEN, HIDDEN], GgmlDType::F16);
        draft.tensor(HEAD_WEIGHT, &[32, HIDDEN], GgmlDType::F32);
        draft.tensor(HEAD_BIAS, &[32], GgmlDType::F32);
        draft.set("general.alignment", Value::U32(32));
        let (content, mut file) = thinking(&draft).expect("a copy");
        assert!(!content.tensor_infos.contains_key(HEAD_WEIGHT));
        let written = content.tensor(&mut file, name, &Device::Cpu).unwrap();
        assert_eq!(written.dtype(), GgmlDType::Q8_0);
        let half = QTensor::quantize(&wave(&[HIDDEN, HIDDEN]), GgmlDType::F16).unwrap();
        assert_eq!(written.data().unwrap(), requantise(half).unwrap().data().unwrap());
        let norm = content.tensor_infos["output_norm.weight"].ggml_dtype;
        assert_eq!(norm, draft.tensors["output_norm.weight"].dtype(), "vectors stay");
        assert_eq!(content.metadata.len(), draft.metadata.len() - 1, "all but the alignment");
    }

    #[test]
    fn what_has_8_bits_is_not_copied() {
        let mut draft = Draft::new("llama");
        let names: Vec<String> = draft.tensors.keys().cloned().collect();
        for name in names {
            let values = draft.tensors[&name].dequantize(&Device::Cpu).unwrap();
            draft.tensors.insert(name, quantised(&values, GgmlDType::F32).unwrap());
        }
        assert!(thinking(&draft).is_none());
    }
}
