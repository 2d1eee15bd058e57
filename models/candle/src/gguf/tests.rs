use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use candle_core::Device;
use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::{self, Value};
use tempfile::TempDir;

use crate::gguf::draft::{Draft, HIDDEN, wave};
use crate::gguf::{convert, fingerprint, open};
use crate::head::{FittedHead, Head};
use crate::meta::Meta;
use crate::names::{HEAD_BIAS, HEAD_WEIGHT, TOKEN_TABLE};
use crate::pooling::Pooling;

fn complaint(path: &Path) -> String {
    match open(path) {
        Ok(_) => panic!("{} was accepted", path.display()),
        Err(error) => error.to_string(),
    }
}

fn shipped(inputs: usize) -> FittedHead {
    let weight = wave(&[8, inputs]).flatten_all().unwrap().to_vec1().unwrap();
    let head = Head { weight, bias: vec![0.25; 8], width: 8, inputs, table: None };
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
    let cases: [(&str, Spoil); 16] = [
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
        ("tensor rope_freqs.weight has the wrong shape [32]", |draft| {
            draft.tensor("rope_freqs.weight", &[32], GgmlDType::F32);
        }),
        ("tokenizer.chat_template is no text", |draft| {
            draft.set("tokenizer.chat_template", Value::Bool(true));
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
fn what_mistral_rs_cannot_load_is_refused() {
    const ALL: &[&str] = &["llama", "qwen2", "qwen3"];
    let list = Value::Array(vec![Value::U32(1); 2]);
    // A key that is missing, or whose value has a type that mistral.rs does not take.
    let cases: [(&str, Option<Value>, &[&str]); 16] = [
        ("block_count", None, ALL),
        ("embedding_length", None, ALL),
        ("context_length", None, ALL),
        ("attention.head_count", None, ALL),
        ("attention.head_count_kv", None, ALL),
        ("attention.layer_norm_rms_epsilon", None, ALL),
        ("rope.dimension_count", None, &["llama"]),
        ("block_count", Some(Value::U64(2)), ALL),
        ("embedding_length", Some(Value::I32(64)), ALL),
        ("context_length", Some(Value::I32(128)), ALL),
        ("attention.head_count", Some(Value::U16(2)), ALL),
        ("attention.head_count_kv", Some(list), ALL),
        ("attention.key_length", Some(Value::U64(32)), ALL),
        ("attention.value_length", Some(Value::U64(32)), ALL),
        ("rope.dimension_count", Some(Value::U64(32)), ALL),
        ("rope.freq_base", Some(Value::U32(10_000)), ALL),
    ];
    for (name, value, architectures) in cases {
        for architecture in architectures {
            let key = format!("{architecture}.{name}");
            let mut draft = Draft::new(architecture);
            let expected = if let Some(value) = value.clone() {
                draft.set(&key, value);
                format!("metadata key {key} is no ")
            } else {
                draft.metadata.remove(&key).unwrap();
                format!("metadata key {key} is missing")
            };
            let folder = TempDir::new().unwrap();
            let said = complaint(&draft.write(folder.path()));
            assert!(said.contains(&expected), "{said:?} lacks {expected:?}");
        }
    }
}

#[test]
fn heads_and_rotations_that_are_computed_otherwise_are_refused() {
    let kind = |kind: &str| ("rope.scaling.type", Value::String(kind.to_owned()));
    let factor = |factor: f32| ("rope.scaling.factor", Value::F32(factor));
    let scaled = "its rotary embedding is scaled";
    let cases = [
        (vec![kind("yarn"), factor(4.0)], scaled),
        (vec![kind("linear"), factor(2.0)], scaled),
        (vec![kind("longrope")], scaled),
        // llama.cpp takes a factor without a type to be linear.
        (vec![factor(8.0)], scaled),
        (vec![("rope.scale_linear", Value::F32(4.0))], scaled),
        (vec![("rope.scaling.type", Value::U32(1))], "rope.scaling.type is no text"),
        (vec![("rope.dimension_count", Value::U32(16))], "it rotates 16 of the 32 values"),
        (vec![("attention.value_length", Value::U32(16))], "keys of 32 values and values of 16"),
    ];
    let fine = [
        vec![],
        vec![kind("none"), factor(4.0)],
        vec![kind("linear"), factor(1.0)],
        vec![kind("linear")],
        vec![("rope.dimension_count", Value::U32(32)), ("attention.value_length", Value::U32(32))],
    ];
    let folder = TempDir::new().unwrap();
    for architecture in ["llama", "qwen2", "qwen3"] {
        let written = |keys: Vec<(&str, Value)>| {
            let mut draft = Draft::new(architecture);
            for (name, value) in keys {
                draft.set(&format!("{architecture}.{name}"), value);
            }
            draft.write(folder.path())
        };
        for (keys, expected) in cases.clone() {
            let said = complaint(&written(keys));
            assert!(said.contains(expected), "{said:?} lacks {expected:?}");
        }
        for keys in fine.clone() {
            open(&written(keys)).unwrap();
        }
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
fn vectors_are_told_apart_by_what_decides_them() {
    let folder = TempDir::new().unwrap();
    let digests = |change: &dyn Fn(&mut Draft)| {
        let mut draft = Draft::new("llama");
        change(&mut draft);
        let path = draft.write(folder.path());
        (open(&path).unwrap().vectors().unwrap(), fingerprint(&path).unwrap())
    };
    let (vectors, whole) = digests(&|_| {});
    // Vectors are read after the first of two layers.
    let set: fn(&mut Draft, &str, Value) = |draft, key, value| {
        draft.set(key, value);
    };
    let halve: fn(&mut Draft, &str, [usize; 2]) =
        |draft, name, shape| draft.tensor(name, &shape, GgmlDType::F16);
    type Case<'a> = (bool, &'a dyn Fn(&mut Draft));
    let cases: [Case<'_>; 5] = [
        (true, &|draft| set(draft, "general.name", Value::String("another".to_owned()))),
        (true, &|draft| halve(draft, "blk.1.attn_q.weight", [HIDDEN, HIDDEN])),
        (false, &|draft| halve(draft, "blk.0.attn_q.weight", [HIDDEN, HIDDEN])),
        (false, &|draft| halve(draft, "token_embd.weight", [34, HIDDEN])),
        (false, &|draft| set(draft, "llama.attention.layer_norm_rms_epsilon", Value::F32(1e-6))),
    ];
    for (place, (alike, change)) in cases.into_iter().enumerate() {
        let (same, other) = digests(change);
        assert!((same == vectors) == alike && other != whole, "change {place}");
    }
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

#[test]
fn a_token_table_that_does_not_fit_is_refused() {
    let tokens = 2 * HIDDEN;
    let wide = [8, HIDDEN + 32];
    let cases: [(&[usize], &[usize], &str); 3] = [
        (&[3, 32], &wide, "table of token vectors does not fit"),
        (&[32], &wide, "table of token vectors does not fit"),
        (&[tokens, 32], &[8, HIDDEN], "its embedding head does not turn"),
    ];
    for (table, head, why) in cases {
        let folder = TempDir::new().unwrap();
        let mut draft = Draft::new("llama");
        let rows = draft.tensors["token_embd.weight"].shape().dims()[0];
        let table: Vec<usize> =
            table.iter().map(|dim| if *dim == tokens { rows } else { *dim }).collect();
        draft.tensor(TOKEN_TABLE, &table, GgmlDType::F32);
        draft.tensor(HEAD_WEIGHT, head, GgmlDType::F32);
        draft.tensor(HEAD_BIAS, &[8], GgmlDType::F32);
        let said = complaint(&draft.write(folder.path()));
        assert!(said.contains(why), "{said:?}");
    }
}
