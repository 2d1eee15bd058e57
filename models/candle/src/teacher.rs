//! all-MiniLM-L6-v2 through candle's BERT: the teacher of the head, and the peer to beat.
//!
//! A folder of `model.safetensors`, `tokenizer.json` and `config.json`; mean pooling over the
//! attended tokens, L2-normalised, as sentence-transformers does.

use std::path::Path;

use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use models::{Embedding, MindError};
use tokenizers::{Tokenizer, TruncationParams};

/// Tokens of a text that are read, `max_seq_length` of the published model.
const TOKENS_MAX: usize = 256;
/// Padded tokens in one batch, as for the encoder.
const BATCH_TOKENS_MAX: usize = 2048;

/// See the module.
pub struct Teacher {
    model: BertModel,
    tokenizer: Tokenizer,
}

impl Teacher {
    /// Loads the folder on the CPU.
    ///
    /// # Errors
    /// [`MindError::Model`] naming the folder and how to get it.
    pub fn open(folder: &Path) -> std::result::Result<Teacher, MindError> {
        let fail = |error: String| {
            let folder = folder.display();
            MindError::Model(format!(
                "{folder} holds no usable all-MiniLM-L6-v2 ({error}); run: fore model pull --teacher"
            ))
        };
        let config = std::fs::read(folder.join("config.json")).map_err(|e| fail(e.to_string()))?;
        let config: Config = serde_json::from_slice(&config).map_err(|e| fail(e.to_string()))?;
        let weights =
            std::fs::read(folder.join("model.safetensors")).map_err(|e| fail(e.to_string()))?;
        let model = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)
            .and_then(|weights| BertModel::load(weights, &config))
            .map_err(|e| fail(e.to_string()))?;
        let mut tokenizer =
            Tokenizer::from_file(folder.join("tokenizer.json")).map_err(|e| fail(e.to_string()))?;
        tokenizer.with_padding(None);
        let truncation = TruncationParams { max_length: TOKENS_MAX, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|e| fail(e.to_string()))?;
        Ok(Teacher { model, tokenizer })
    }

    /// One unit vector of 384 values per text, in order; `progress` is told how many are done.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the tokenizer or an operation fails.
    pub fn embed(
        &self,
        texts: &[&str],
        progress: &mut dyn FnMut(usize),
    ) -> std::result::Result<Vec<Embedding>, MindError> {
        let rows = texts
            .iter()
            .map(|text| self.tokenizer.encode(*text, true).map(|e| e.get_ids().to_vec()))
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|error| MindError::Inference(format!("tokenizer: {error}")))?;
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|index| rows[*index].len());
        let mut vectors = vec![Vec::new(); rows.len()];
        let (mut start, mut done) = (0, 0);
        while start < order.len() {
            let mut end = start + 1;
            while end < order.len()
                && (end - start + 1) * rows[order[end]].len() <= BATCH_TOKENS_MAX
            {
                end += 1;
            }
            let batch: Vec<&[u32]> =
                order[start..end].iter().map(|i| rows[*i].as_slice()).collect();
            let embedded = self.batch(&batch).map_err(|e| MindError::Inference(e.to_string()))?;
            for (index, vector) in order[start..end].iter().zip(embedded) {
                vectors[*index] = vector;
            }
            done += end - start;
            progress(done);
            start = end;
        }
        vectors.into_iter().map(Embedding::normalised).collect()
    }

    fn batch(&self, rows: &[&[u32]]) -> Result<Vec<Vec<f32>>> {
        let t = rows.iter().map(|row| row.len()).max().unwrap_or(0);
        let (mut ids, mut mask) = (Vec::new(), Vec::new());
        for row in rows {
            ids.extend_from_slice(row);
            mask.extend(row.iter().map(|_| 1f32));
            ids.resize(ids.len() + t - row.len(), 0);
            mask.resize(ids.len(), 0f32);
        }
        let ids = Tensor::from_vec(ids, (rows.len(), t), &Device::Cpu)?;
        let mask = Tensor::from_vec(mask, (rows.len(), t), &Device::Cpu)?;
        let states = self.model.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
        let sum = mask.unsqueeze(1)?.matmul(&states)?.squeeze(1)?;
        sum.broadcast_div(&mask.sum_keepdim(D::Minus1)?)?.to_vec2()
    }
}
