//! The forward pass of each architecture against an independent one, on small models of random
//! weights. Reference values come from `fixtures/models/reference.py --tiny` (numpy), which makes
//! the same models.

use std::collections::BTreeMap;

use candle_core::quantized::gguf_file::Value;
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};
use serde::Deserialize;

use crate::decoder::ROPE_FACTORS;
use crate::encoder::{Encoder, Exits};
use crate::gguf;
use crate::gguf::draft::Draft;
use crate::map::Numbers;
use crate::pooling::Pooling;
use crate::reader::{Reader, Text};

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) architecture: String,
    pub(crate) ids: Vec<u32>,
    /// After the last block, by token.
    states: Vec<Vec<f32>>,
    /// Mean log-probability of the tokens from [`QUESTION_AT`] on.
    likelihood: f32,
    /// Of the last token, after the last norm, of length 1.
    pub(crate) published: Vec<f32>,
}

/// One of each architecture.
pub(crate) fn cases() -> Vec<Case> {
    let json = include_str!("../../../fixtures/models/tiny.json");
    let Reference { cases } = serde_json::from_str(json).unwrap();
    cases
}

/// As in `reference.py`.
const QUESTION_AT: usize = 5;

/// As `tiny` in `reference.py`.
pub(crate) fn tiny(architecture: &str) -> Draft {
    let [hidden, ffn, heads, kv_heads, head] = [32usize, 48, 4, 2, 16];
    let mut draft = Draft::new(architecture);
    for (key, value) in [
        ("embedding_length", hidden),
        ("attention.head_count", heads),
        ("attention.head_count_kv", kv_heads),
        ("attention.key_length", head),
        ("attention.value_length", head),
        ("rope.dimension_count", head),
    ] {
        draft.set(&format!("{architecture}.{key}"), Value::U32(value as u32));
    }
    draft.set(&format!("{architecture}.rope.freq_base"), Value::F32(1000.0));
    let epsilon = format!("{architecture}.attention.layer_norm_rms_epsilon");
    draft.set(&epsilon, Value::F32(1.0 / 128.0));

    let mut shapes = BTreeMap::from([
        ("token_embd.weight".to_owned(), vec![34, hidden]),
        ("output_norm.weight".to_owned(), vec![hidden]),
    ]);
    if architecture == "llama" {
        shapes.insert(ROPE_FACTORS.to_owned(), vec![head / 2]);
    }
    let mut block = vec![
        ("attn_norm.weight", vec![hidden]),
        ("attn_q.weight", vec![heads * head, hidden]),
        ("attn_k.weight", vec![kv_heads * head, hidden]),
        ("attn_v.weight", vec![kv_heads * head, hidden]),
        ("attn_output.weight", vec![hidden, heads * head]),
        ("ffn_norm.weight", vec![hidden]),
        ("ffn_gate.weight", vec![ffn, hidden]),
        ("ffn_up.weight", vec![ffn, hidden]),
        ("ffn_down.weight", vec![hidden, ffn]),
    ];
    block.extend(match architecture {
        "qwen2" => vec![
            ("attn_q.bias", vec![heads * head]),
            ("attn_k.bias", vec![kv_heads * head]),
            ("attn_v.bias", vec![kv_heads * head]),
        ],
        "qwen3" => vec![("attn_q_norm.weight", vec![head]), ("attn_k_norm.weight", vec![head])],
        _ => Vec::new(),
    });
    for (name, shape) in block {
        for number in 0..2 {
            shapes.insert(format!("blk.{number}.{name}"), shape.clone());
        }
    }
    draft.tensors = filled(shapes);
    draft
}

/// Tensors of these shapes, filled in the order of their names by the generator of `tiny` in
/// `reference.py`.
fn filled(shapes: BTreeMap<String, Vec<usize>>) -> BTreeMap<String, QTensor> {
    let mut state = 1u32;
    let fill = |(name, shape): (String, Vec<usize>)| {
        let around = if shape.len() == 2 || name.contains("bias") { 0.0 } else { 1.0 };
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                around + (state >> 9) as f32 / 8_388_608.0 - 0.5
            })
            .collect();
        let values = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
        (name, QTensor::quantize(&values, GgmlDType::F32).unwrap())
    };
    shapes.into_iter().map(fill).collect()
}

#[test]
fn each_architecture_agrees_with_numpy() {
    let cases = cases();
    let architectures: Vec<&str> = cases.iter().map(|case| case.architecture.as_str()).collect();
    assert_eq!(architectures, ["llama", "qwen2", "qwen3"]);
    for Case { architecture, ids, states, likelihood, .. } in &cases {
        let folder = tempfile::tempdir().unwrap();
        let path = tiny(architecture).write(folder.path());
        let vocabulary = gguf::open(&path).unwrap().vocabulary;
        let exits = Exits { layers: vec![2], pooling: Pooling::Mean };
        let encoder = Encoder::open(&path, exits, ids.len(), &Device::Cpu).unwrap();
        let ours = encoder.states(ids, 2).unwrap();
        assert_eq!((ours.len(), ours[0].len()), (ids.len(), states[0].len()));
        for (token, (ours, theirs)) in ours.iter().zip(states).enumerate() {
            for (a, b) in ours.iter().zip(theirs) {
                // States go up to 20. A norm, bias or rotation left out moves some by 1 and more.
                assert!((a - b).abs() <= 1e-3, "{architecture}, token {token}: {a} against {b}");
            }
        }
        // Read from an early exit on, and beside a longer text, it is as likely.
        let exits = Exits { layers: vec![1], pooling: Pooling::Mean };
        let encoder = Encoder::open(&path, exits, 2 * ids.len(), &Device::Cpu).unwrap();
        for (numbers, tolerance) in [(Numbers::Floats(DType::F32), 1e-4), (Numbers::Bytes, 0.03)] {
            let reader = Reader::open(&path, encoder.decoder(), &vocabulary, numbers).unwrap();
            let text = Text { ids: ids.clone(), question: QUESTION_AT };
            let longer = Text { ids: [&ids[..], ids].concat(), question: ids.len() };
            let ours = reader.batch(encoder.decoder(), &[text, longer]).unwrap()[0];
            let off = (ours - likelihood).abs();
            assert!(off <= tolerance, "{architecture} {numbers:?}: {ours} against {likelihood}");
        }
    }
}
