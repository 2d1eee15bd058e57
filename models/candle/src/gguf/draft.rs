//! Small model files for tests.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

/// Values in a draft's states.
pub(crate) const HIDDEN: usize = 64;
const LAYERS: usize = 2;
const FFN: usize = 96;

/// A model file under construction: 2 layers, 2 heads of 32, one of them for keys.
pub(crate) struct Draft {
    pub metadata: BTreeMap<String, Value>,
    pub tensors: BTreeMap<String, QTensor>,
}

/// Numbers that differ, repeat exactly and are not all alike in size.
pub(crate) fn wave(shape: &[usize]) -> Tensor {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.37).sin() * 0.1).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// An array of texts, as vocabularies are.
fn texts<S: Into<String>>(texts: impl IntoIterator<Item = S>) -> Value {
    Value::Array(texts.into_iter().map(|text| Value::String(text.into())).collect())
}

impl Draft {
    /// One that passes every check.
    pub(crate) fn new(architecture: &str) -> Draft {
        let mut draft = Draft { metadata: BTreeMap::new(), tensors: BTreeMap::new() };
        let text = |text: &str| Value::String(text.to_owned());
        draft.set("general.architecture", text(architecture));
        draft.set("general.name", text("tiny"));
        for (key, value) in [
            ("block_count", LAYERS),
            ("embedding_length", HIDDEN),
            ("attention.head_count", 2),
            ("attention.head_count_kv", 1),
            ("context_length", 128),
        ] {
            draft.set(&format!("{architecture}.{key}"), Value::U32(value as u32));
        }
        let epsilon = format!("{architecture}.attention.layer_norm_rms_epsilon");
        draft.set(&epsilon, Value::F32(1e-5));
        if architecture == "llama" {
            // What llama.cpp writes for every architecture and mistral.rs asks for here only.
            draft.set("llama.rope.dimension_count", Value::U32(32));
        }
        draft.vocabulary();
        draft.weights(architecture);
        draft
    }

    pub(crate) fn set(&mut self, key: &str, value: Value) -> &mut Draft {
        self.metadata.insert(key.to_owned(), value);
        self
    }

    fn vocabulary(&mut self) {
        let control = ["<end>", "<s>", "<a>", "<b>", "<c>", "<d>", "<e>"].map(str::to_owned);
        let count = control.len();
        let types = (0..34).map(|i| Value::I32(if i < count { 3 } else { 1 }));
        let letters = ('a'..='z').map(String::from);
        // The last is what the merge makes.
        let tokens = control.into_iter().chain(letters).chain(["ab".to_owned()]);
        self.set("tokenizer.ggml.tokens", texts(tokens));
        self.set("tokenizer.ggml.token_type", Value::Array(types.collect()));
        self.set("tokenizer.ggml.merges", texts(["a b"]));
        self.set("tokenizer.ggml.model", Value::String("gpt2".to_owned()));
        self.set("tokenizer.ggml.eos_token_id", Value::U32(0));
        self.set("tokenizer.chat_template", Value::String("<s>{{ messages }}".to_owned()));
    }

    fn weights(&mut self, architecture: &str) {
        self.tensor("token_embd.weight", &[34, HIDDEN], GgmlDType::Q4_1);
        self.tensor("output_norm.weight", &[HIDDEN], GgmlDType::F32);
        for layer in 0..LAYERS {
            for (name, shape) in [
                ("attn_q", [HIDDEN, HIDDEN]),
                ("attn_k", [HIDDEN / 2, HIDDEN]),
                ("attn_v", [HIDDEN / 2, HIDDEN]),
                ("attn_output", [HIDDEN, HIDDEN]),
                ("ffn_gate", [FFN, HIDDEN]),
                ("ffn_up", [FFN, HIDDEN]),
                ("ffn_down", [HIDDEN, FFN]),
            ] {
                self.tensor(&format!("blk.{layer}.{name}.weight"), &shape, GgmlDType::Q4_1);
            }
            let vectors: &[(&str, usize)] = match architecture {
                "qwen2" => &[("attn_q.bias", 64), ("attn_k.bias", 32), ("attn_v.bias", 32)],
                "qwen3" => &[("attn_q_norm.weight", 32), ("attn_k_norm.weight", 32)],
                _ => &[],
            };
            for (name, size) in
                vectors.iter().chain(&[("attn_norm.weight", HIDDEN), ("ffn_norm.weight", HIDDEN)])
            {
                self.tensor(&format!("blk.{layer}.{name}"), &[*size], GgmlDType::F32);
            }
        }
    }

    /// Adds a tensor of waves.
    pub(crate) fn tensor(&mut self, name: &str, shape: &[usize], dtype: GgmlDType) {
        let tensor = QTensor::quantize(&wave(shape), dtype).unwrap();
        self.tensors.insert(name.to_owned(), tensor);
    }

    /// Writes it into `folder`, over the draft before it.
    pub(crate) fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("draft.gguf");
        let metadata: Vec<_> = self.metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
        let tensors: Vec<_> = self.tensors.iter().map(|(k, v)| (k.as_str(), v)).collect();
        let mut file = BufWriter::new(File::create(&path).unwrap());
        gguf_file::write(&mut file, &metadata, &tensors).unwrap();
        path
    }
}
