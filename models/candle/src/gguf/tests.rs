use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::BufWriter;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use tempfile::TempDir;

use crate::gguf::{HEAD_BIAS, HEAD_WEIGHT, convert, fingerprint, open};
use crate::head::{FittedHead, Head};
use crate::meta::{Meta, Pooling};

const HIDDEN: usize = 64;
const LAYERS: usize = 2;
const FFN: usize = 96;

/// A model file under construction: 2 layers, 2 heads of 32, one of them for keys.
struct Draft {
    metadata: BTreeMap<String, Value>,
    tensors: BTreeMap<String, QTensor>,
}

/// Numbers that differ, repeat exactly and are not all alike in size.
fn wave(shape: &[usize]) -> Tensor {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.37).sin() * 0.1).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn texts<S: Into<String>>(texts: impl IntoIterator<Item = S>) -> Value {
    Value::Array(texts.into_iter().map(|text| Value::String(text.into())).collect())
}

impl Draft {
    fn new(architecture: &str) -> Draft {
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
        draft.vocabulary();
        draft.weights(architecture);
        draft
    }

    fn set(&mut self, key: &str, value: Value) -> &mut Draft {
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

    fn tensor(&mut self, name: &str, shape: &[usize], dtype: GgmlDType) {
        let tensor = QTensor::quantize(&wave(shape), dtype).unwrap();
        self.tensors.insert(name.to_owned(), tensor);
    }

    fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("draft.gguf");
        let metadata: Vec<_> = self.metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
        let tensors: Vec<_> = self.tensors.iter().map(|(k, v)| (k.as_str(), v)).collect();
        let mut file = BufWriter::new(File::create(&path).unwrap());
        gguf_file::write(&mut file, &metadata, &tensors).unwrap();
        path
    }
}

fn complaint(path: &Path) -> String {
    match open(path) {
        Ok(_) => panic!("{} was accepted", path.display()),
        Err(error) => error.to_string(),
    }
}

fn shipped(inputs: usize) -> FittedHead {
    let weight = wave(&[8, inputs]).flatten_all().unwrap().to_vec1().unwrap();
    let head = Head { weight, bias: vec![0.25; 8], width: 8, inputs };
    FittedHead { head, exit_layers: vec![1, 2], pooling: Pooling::Mean }
}

#[test]
fn a_foreign_model_of_each_architecture_gets_roles_from_its_spare_tokens() {
    for architecture in ["llama", "qwen2", "qwen3"] {
        let folder = TempDir::new().unwrap();
        let file = open(&Draft::new(architecture).write(folder.path())).unwrap();
        let roles = file.meta.roles;
        // 0 is the end of sequence and 1 is in the chat template.
        assert_eq!([roles.query_open, roles.query_close, roles.thought, roles.emb], [2, 3, 4, 5]);
        assert_eq!((roles.eos, file.meta.exit_layers.as_slice()), (0, [1].as_slice()));
        assert_eq!((file.meta.width, file.meta.bare_weight), (HIDDEN, 1.0));
    }
}

#[test]
fn unusable_files_are_refused_by_what_is_wrong_with_them() {
    type Spoil = fn(&mut Draft);
    let cases: [(&str, Spoil); 14] = [
        ("architecture gemma is not supported", |draft| *draft = Draft::new("gemma")),
        ("general.architecture is missing", |draft| {
            draft.metadata.remove("general.architecture");
        }),
        ("llama.block_count is missing", |draft| {
            draft.metadata.remove("llama.block_count");
        }),
        ("tensor blk.1.ffn_up.weight is missing", |draft| {
            draft.tensors.remove("blk.1.ffn_up.weight");
        }),
        ("tensor blk.0.attn_q.weight has the wrong shape", |draft| {
            draft.tensor("blk.0.attn_q.weight", &[HIDDEN, 32], GgmlDType::F32);
        }),
        ("embeddings for 10", |draft| {
            draft.tensor("token_embd.weight", &[10, HIDDEN], GgmlDType::F32);
        }),
        ("its shape makes no sense", |draft| {
            draft.set("llama.attention.head_count_kv", Value::U32(0));
        }),
        ("it is one part of a split model", |draft| {
            draft.set("split.count", Value::U16(3));
        }),
        ("3 spare special tokens and four are needed", |draft| {
            draft.set("tokenizer.ggml.bos_token_id", Value::U32(2));
            draft.set("tokenizer.ggml.padding_token_id", Value::U32(6));
        }),
        ("tokenizer.ggml.tokens is missing", |draft| {
            draft.metadata.remove("tokenizer.ggml.tokens");
        }),
        ("tokenizer.ggml.bos_token_id is outside the vocabulary", |draft| {
            draft.set("tokenizer.ggml.bos_token_id", Value::U32(34));
        }),
        ("unsupported tokenizer model `llama`", |draft| {
            draft.set("tokenizer.ggml.model", Value::String("llama".to_owned()));
        }),
        ("forethought.version is 7 and this program reads 1", |draft| {
            draft.set("forethought.version", Value::U32(7));
        }),
        ("forethought.role.query_open is missing", |draft| {
            draft.set("forethought.version", Value::U32(1));
        }),
    ];
    for (expected, spoil) in cases {
        let folder = TempDir::new().unwrap();
        let mut draft = Draft::new("llama");
        spoil(&mut draft);
        let path = draft.write(folder.path());
        let said = complaint(&path);
        assert!(said.contains(expected), "{said:?} lacks {expected:?}");
        assert!(said.contains(&path.display().to_string()), "{said:?} does not name the file");
        assert!(said.contains("fore model"), "{said:?} does not say what to do");
    }
}

#[test]
fn our_metadata_must_make_sense() {
    let folder = TempDir::new().unwrap();
    let base = open(&Draft::new("llama").write(folder.path())).unwrap();
    type Spoil = fn(&mut Meta);
    let cases: [(&str, Spoil); 6] = [
        ("exit layers [3] do not fit", |meta| meta.exit_layers = vec![3]),
        ("exit layers [2, 1] do not fit", |meta| meta.exit_layers = vec![2, 1]),
        ("do not fit its context of 128", |meta| meta.passage_tokens_max = 128),
        ("bare_weight NaN", |meta| meta.bare_weight = f32::NAN),
        ("two of its markers share a token", |meta| meta.roles.emb = meta.roles.thought),
        ("does not turn 64 values into 65", |meta| meta.width = 65),
    ];
    for (expected, spoil) in cases {
        let mut meta = base.meta.clone();
        spoil(&mut meta);
        let mut draft = Draft::new("llama");
        draft.metadata.extend(meta.to_metadata());
        let said = complaint(&draft.write(folder.path()));
        assert!(said.contains(expected), "{said:?} lacks {expected:?}");
    }
}

#[test]
fn files_that_are_no_gguf_are_told_from_damaged_ones() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("other.gguf");
    let mut no_alignment = b"GGUF\x03\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0".to_vec();
    no_alignment.extend(b"\x11\0\0\0\0\0\0\0general.alignment\x04\0\0\0\0\0\0\0");
    let cases: [(&[u8], &str); 6] = [
        (b"", "it is not a GGUF file"),
        (b"# Notes\n", "it is not a GGUF file"),
        (b"PK\x03\x04zip", "it is not a GGUF file"),
        (b"GGUF\x01\0\0\0", "GGUF version 1 is not supported"),
        (b"GGUF\x03\0\0\0\x01", "it is truncated"),
        (&no_alignment, "its alignment"),
    ];
    for (bytes, expected) in cases {
        fs::write(&path, bytes).unwrap();
        let said = complaint(&path);
        assert!(said.contains(expected), "{said:?} lacks {expected:?}");
    }
    assert!(complaint(folder.path()).contains("it is not a regular file"));
    assert!(complaint(&folder.path().join("none")).contains("No such file"));
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = Draft::new("llama").write(folder.path());
    let whole = open(&path).unwrap();
    let (header, bytes) = (whole.content.tensor_data_offset as usize, whole.bytes as usize);
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    // Some cuts of the data, every one of the header. The last tensor may be followed by padding.
    for cut in (4..header).chain((header..bytes - 31).step_by(97)).rev() {
        file.set_len(cut as u64).unwrap();
        let said = complaint(&path);
        assert!(said.contains("truncated"), "cut at {cut}: {said:?}");
    }
}

#[test]
fn no_damaged_header_ends_the_process() {
    let folder = TempDir::new().unwrap();
    let path = Draft::new("llama").write(folder.path());
    let whole = fs::read(&path).unwrap();
    let header = open(&path).unwrap().content.tensor_data_offset as usize;
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    let mut refused = 0;
    for at in 0..header {
        for value in [0x00, 0x7f, 0xff] {
            file.write_all_at(&[value], at as u64).unwrap();
            refused += usize::from(open(&path).is_err());
        }
        file.write_all_at(&whole[at..=at], at as u64).unwrap();
    }
    // Damage inside a text is no damage that can be seen; in lengths and types it is.
    assert!(refused > header / 2, "{refused} of {} refused", header * 3);
}

#[test]
fn a_converted_model_is_q8_0_with_our_metadata_and_head_and_the_same_numbers() {
    let folder = TempDir::new().unwrap();
    let source = Draft::new("llama").write(folder.path());
    let mut base = open(&source).unwrap();
    let head = shipped(2 * HIDDEN);
    let meta = Meta::shipped(&base.content, &head).unwrap();
    let out = folder.path().join("out.gguf");
    let mut shares = Vec::new();
    convert(&source, Some(&head.head), &meta, &out, &mut |share| shares.push(share)).unwrap();
    assert!(shares.is_sorted() && shares.last() == Some(&1.0));

    let mut made = open(&out).unwrap();
    assert_eq!(made.meta, meta);
    assert_eq!(made.head().unwrap().as_ref(), Some(&head.head));
    assert!(made.carries(&head).unwrap());
    let (tokens, merges) = ("tokenizer.ggml.tokens", "tokenizer.ggml.merges");
    for key in [tokens, merges, "tokenizer.chat_template", "llama.context_length"] {
        let words = |content: &gguf_file::Content| format!("{:?}", content.metadata[key]);
        assert_eq!(words(&made.content), words(&base.content));
    }
    for name in base.content.tensor_infos.keys() {
        let before = base.content.tensor(&mut base.file, name, &Device::Cpu).unwrap();
        let after = made.content.tensor(&mut made.file, name, &Device::Cpu).unwrap();
        let norm = name.ends_with("norm.weight");
        assert_eq!(after.dtype(), if norm { GgmlDType::F32 } else { GgmlDType::Q8_0 }, "{name}");
        let before = before.dequantize(&Device::Cpu).unwrap();
        let apart = (before - after.dequantize(&Device::Cpu).unwrap()).unwrap();
        let apart = apart.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        // Half a step of a block whose largest value is 0.1; the step itself is rounded to f16.
        assert!(apart <= 0.1 / 127.0 * 0.7, "{name}: {apart}");
    }
}

#[test]
fn conversion_repeats_to_the_byte_and_from_its_own_result() {
    let folder = TempDir::new().unwrap();
    let source = Draft::new("llama").write(folder.path());
    let head = shipped(2 * HIDDEN);
    let meta = Meta::shipped(&open(&source).unwrap().content, &head).unwrap();
    let outs = ["a.gguf", "b.gguf", "c.gguf"].map(|name| folder.path().join(name));
    for (from, to) in [(&source, &outs[0]), (&source, &outs[1]), (&outs[0], &outs[2])] {
        convert(from, Some(&head.head), &meta, to, &mut |_| {}).unwrap();
    }
    let prints = outs.each_ref().map(|path| fingerprint(path).unwrap());
    assert!(prints[0] == prints[1] && prints[1] == prints[2], "{prints:?}");
    assert_ne!(prints[0], fingerprint(&source).unwrap());
    assert_eq!(fs::read(&outs[0]).unwrap(), fs::read(&outs[2]).unwrap());
}

#[test]
fn a_head_that_does_not_fit_leaves_no_file() {
    let folder = TempDir::new().unwrap();
    let source = Draft::new("llama").write(folder.path());
    let base = open(&source).unwrap();
    assert!(Meta::shipped(&base.content, &shipped(HIDDEN)).is_err());
    let out = folder.path().join("out.gguf");
    let wrong = shipped(HIDDEN).head;
    assert!(convert(&source, Some(&wrong), &base.meta, &out, &mut |_| {}).is_err());
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn half_a_head_is_refused() {
    for name in [HEAD_WEIGHT, HEAD_BIAS] {
        let folder = TempDir::new().unwrap();
        let mut draft = Draft::new("llama");
        draft.tensor(name, &[8], GgmlDType::F32);
        let said = complaint(&draft.write(folder.path()));
        assert!(said.contains("its embedding head"), "{said:?}");
    }
}
