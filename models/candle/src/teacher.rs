//! all-MiniLM-L6-v2 through candle's BERT: the teacher of the head, and the peer to beat.
//!
//! A folder of `model.safetensors`, `tokenizer.json` and `config.json`; mean pooling over the
//! attended tokens, L2-normalised, as sentence-transformers does. [`open_peer`] wraps it as a
//! [`Mind`] that does not think, so that an evaluation can put it in the place of our own model.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use models::{
    Embedding, Mind, MindError, ModelCard, OnRead, OnToken, Sampling, Thought, TokenCounter,
};
use tokenizers::{Tokenizer, TruncationParams};

/// Tokens of a text that are read, `max_seq_length` of the published model.
const TOKENS_MAX: usize = 256;
/// Padded tokens in one batch, as for the encoder.
const BATCH_TOKENS_MAX: usize = 2048;
/// `[CLS]` and `[SEP]`, which count towards [`TOKENS_MAX`].
const SPECIAL_TOKENS: usize = 2;
/// Name of the published model.
const NAME: &str = "all-MiniLM-L6-v2";
/// Files that decide a vector.
const FILES: [&str; 3] = ["model.safetensors", "tokenizer.json", "config.json"];

/// See the module.
pub struct Teacher {
    model: BertModel,
    tokenizer: Tokenizer,
    width: usize,
}

impl Teacher {
    /// Loads the folder on the CPU.
    ///
    /// # Errors
    /// [`MindError::Model`] naming the folder and how to get it.
    pub fn open(folder: &Path) -> std::result::Result<Teacher, MindError> {
        let fail = |error: String| unusable(folder, &error);
        let config = config(folder)?;
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
        Ok(Teacher { model, tokenizer, width: config.hidden_size })
    }

    /// Values in a vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Values in a vector of the model in `folder`, which is not loaded for it.
    ///
    /// # Errors
    /// As [`Teacher::open`].
    pub fn width_of(folder: &Path) -> std::result::Result<usize, MindError> {
        Ok(config(folder)?.hidden_size)
    }

    /// One unit vector per text, in order; `progress` is told how many are done.
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

fn config(folder: &Path) -> std::result::Result<Config, MindError> {
    let config = std::fs::read(folder.join("config.json"));
    let config = config.map_err(|error| unusable(folder, &error.to_string()))?;
    serde_json::from_slice(&config).map_err(|error| unusable(folder, &error.to_string()))
}

fn unusable(folder: &Path, error: &str) -> MindError {
    let folder = folder.display();
    MindError::Model(format!(
        "{folder} holds no usable {NAME} ({error}); run: fore model pull --teacher"
    ))
}

/// Loads the folder as a mind that embeds, on the CPU, and does not think.
///
/// # Errors
/// As [`Teacher::open`].
pub fn open_peer(folder: &Path) -> std::result::Result<Box<dyn Mind>, MindError> {
    let teacher = Teacher::open(folder)?;
    let mut whole_texts = teacher.tokenizer.clone();
    whole_texts.with_truncation(None).map_err(|e| unusable(folder, &e.to_string()))?;
    let fingerprint = fingerprint(folder)?;
    let card = ModelCard {
        name: NAME.to_owned(),
        vectors: fingerprint.clone(),
        fingerprint,
        width: teacher.width,
        passage_tokens_max: TOKENS_MAX - SPECIAL_TOKENS,
        grounded: false,
        device: "cpu".to_owned(),
    };
    Ok(Box::new(Peer { card, counter: Arc::new(Counter(whole_texts)), teacher }))
}

/// Hex digest of all that decides a vector, as short as that of a GGUF.
fn fingerprint(folder: &Path) -> std::result::Result<String, MindError> {
    let mut hasher = blake3::Hasher::new();
    for name in FILES {
        File::open(folder.join(name))
            .and_then(|file| hasher.update_reader(file).map(|_| ()))
            .map_err(|error| unusable(folder, &error.to_string()))?;
    }
    Ok(hasher.finalize().to_hex()[..16].to_owned())
}

/// See [`open_peer`].
struct Peer {
    card: ModelCard,
    counter: Arc<Counter>,
    teacher: Teacher,
}

/// The tokenizer without the cut that embedding makes.
struct Counter(Tokenizer);

impl TokenCounter for Counter {
    fn count(&self, text: &str) -> usize {
        // An upper bound in place of an error, as our own vocabulary has it.
        self.0.encode_fast(text, false).map_or(text.len(), |encoding| encoding.len())
    }
}

impl Mind for Peer {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn counter(&self) -> Arc<dyn TokenCounter> {
        Arc::clone(&self.counter) as Arc<dyn TokenCounter>
    }

    fn think(
        &mut self,
        _: &str,
        _: &str,
        _: &Sampling,
        _: &mut OnToken<'_>,
    ) -> std::result::Result<Vec<Thought>, MindError> {
        Err(MindError::Inference(format!("{NAME} does not think")))
    }

    fn embed_passages(
        &mut self,
        passages: &[String],
    ) -> std::result::Result<Vec<Embedding>, MindError> {
        let passages: Vec<&str> = passages.iter().map(String::as_str).collect();
        self.teacher.embed(&passages, &mut |_| {})
    }

    /// The bare question: what does not think was not trained to read thoughts either.
    fn embed_query(
        &mut self,
        question: &str,
        _: &[Thought],
    ) -> std::result::Result<Embedding, MindError> {
        let vectors = self.teacher.embed(&[question], &mut |_| {})?;
        let missing = || MindError::Inference(format!("{NAME} gave no vector"));
        vectors.into_iter().next().ok_or_else(missing)
    }

    fn read(
        &mut self,
        _: &str,
        _: &[String],
        _: usize,
        _: &mut OnRead<'_>,
    ) -> std::result::Result<Vec<f32>, MindError> {
        Err(MindError::Inference(format!("{NAME} does not read")))
    }

    /// An evaluation has it to the end.
    fn rest(&mut self) {}
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::ops::ControlFlow;

    use candle_nn::VarMap;
    use tempfile::TempDir;

    use super::*;

    const CONFIG: &str = r#"{"vocab_size": 4, "hidden_size": 8, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": 16, "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0, "max_position_embeddings": 512, "type_vocab_size": 2,
        "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 0}"#;
    const TOKENIZER: &str = r#"{"version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": null, "decoder": null, "model": {"type": "WordLevel",
        "vocab": {"[UNK]": 0, "bread": 1, "bees": 2, "lamp": 3}, "unk_token": "[UNK]"}}"#;

    /// A folder with a model of this kind, with random weights and four words.
    fn tiny() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let variables = VarMap::new();
        let builder = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
        BertModel::load(builder, &serde_json::from_str(CONFIG).unwrap()).unwrap();
        variables.save(folder.path().join("model.safetensors")).unwrap();
        fs::write(folder.path().join("config.json"), CONFIG).unwrap();
        fs::write(folder.path().join("tokenizer.json"), TOKENIZER).unwrap();
        folder
    }

    #[test]
    fn a_peer_reads_the_start_of_a_text_and_counts_all_of_it() {
        let folder = tiny();
        let mut peer = open_peer(folder.path()).unwrap();
        let long = "bread bees lamp ".repeat(200);
        let start: String = long.split_inclusive(' ').take(TOKENS_MAX).collect();
        let counted = [&long, &start].map(|text| peer.counter().count(text));
        assert_eq!(counted, [600, TOKENS_MAX]);
        let passages = [long, "bees".to_owned(), start];
        let vectors = peer.embed_passages(&passages).unwrap();
        assert!(vectors[0].dot(&vectors[2]) > 0.9999, "{vectors:?}");
        let question = peer.embed_query("bees", &[]).unwrap();
        assert!(question.dot(&vectors[1]) > 0.9999, "a batch is more than its parts");
        assert_eq!(question.as_slice().len(), peer.card().width);
    }

    #[test]
    fn a_peer_does_not_think() {
        let mut peer = open_peer(tiny().path()).unwrap();
        let thought =
            peer.think("why", "", &Sampling::default(), &mut |_| ControlFlow::Continue(()));
        let error = thought.unwrap_err().to_string();
        assert!(error.contains("does not think"), "{error}");
    }

    #[test]
    fn a_peers_fingerprint_is_that_of_its_files() {
        let folder = tiny();
        let fingerprint = || open_peer(folder.path()).map(|peer| peer.card().fingerprint.clone());
        let first = fingerprint().unwrap();
        assert_eq!((first.len(), &fingerprint().unwrap()), (16, &first));
        let tokenizer = folder.path().join("tokenizer.json");
        fs::write(&tokenizer, format!("{TOKENIZER}\n")).unwrap();
        assert_ne!(fingerprint().unwrap(), first);
        fs::remove_file(&tokenizer).unwrap();
        let error = fingerprint().unwrap_err().to_string();
        assert!(error.contains("fore model pull --teacher"), "{error}");
    }
}
