//! The forward pass against an independent one, and batches against single texts, on the real
//! model. Reference values come from `fixtures/models/reference.py` (numpy).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use candle_core::Device;
use models::prompt;
use serde::Deserialize;

use crate::encoder::{Encoder, Exits};
use crate::gguf;
use crate::map::Numbers;
use crate::pooling::Pooling;
use crate::tokens::Vocabulary;

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    ids: Vec<u32>,
    /// By layer, as a JSON object's keys.
    layers: BTreeMap<String, LayerStates>,
}

#[derive(Deserialize)]
struct LayerStates {
    last: Vec<f64>,
    mean: Vec<f64>,
}

fn reference() -> Reference {
    let json = include_str!("../../../fixtures/models/reference.json");
    serde_json::from_str(json).expect("the fixture parses")
}

/// The base model that `fore model pull` makes; tests of real weights say how to get it.
pub(crate) fn model_path() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).unwrap_or_else(|| {
        PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache")
    });
    let path = cache.join("forethought/models/smollm2-135m-instruct-q8_0.gguf");
    assert!(path.exists(), "{} is missing; run: fore model pull", path.display());
    path
}

fn vocabulary() -> Arc<Vocabulary> {
    gguf::open(&model_path()).expect("a good model").vocabulary
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn hidden_states_agree_with_numpy() {
    let exits = Exits { layers: vec![30], pooling: Pooling::Emb };
    let encoder = Encoder::open(&model_path(), exits, 64, &Device::Cpu).expect("opens");
    let mut compared = 0;
    for case in reference().cases {
        for (layer, expected) in case.layers {
            let layer: usize = layer.parse().expect("a layer's number");
            let states = encoder.states(&case.ids, layer).expect("runs");
            let states: Vec<Vec<f64>> =
                states.iter().map(|row| row.iter().map(|v| f64::from(*v)).collect()).collect();
            let mean: Vec<f64> = (0..expected.mean.len())
                .map(|i| states.iter().map(|row| row[i]).sum::<f64>() / states.len() as f64)
                .collect();
            let last = states.last().expect("not empty");
            for (name, ours, theirs) in
                [("last", last, &expected.last), ("mean", &mean, &expected.mean)]
            {
                let cosine = cosine(ours, theirs);
                let text = &case.text;
                assert!(cosine >= 0.999, "{name} state after layer {layer} of {text:?}: {cosine}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 16, "the fixture holds too little: {compared}");
}

#[test]
fn the_tokenizer_agrees_with_the_reference() {
    let vocabulary = vocabulary();
    for case in reference().cases {
        let ids = vocabulary.encode(&case.text, 4096).expect("encodes");
        assert_eq!(ids, case.ids, "{:?}", case.text);
    }
}

#[test]
fn a_batch_embeds_as_its_members_alone() {
    let vocabulary = vocabulary();
    let meta = vocabulary.meta().clone();
    let exits = Exits { layers: meta.exit_layers.clone(), pooling: meta.pooling };
    let tokens_max = meta.sequence_tokens_max();
    let encoder = Encoder::open(&model_path(), exits, tokens_max, &Device::Cpu).expect("opens");
    let texts =
        ["short", "The keeper trims the wick twice a night.", &"a long passage ".repeat(90)];
    let sequences: Vec<_> = texts
        .iter()
        .flat_map(|text| {
            [prompt::passage(text), prompt::query(text, None)]
                .map(|pieces| vocabulary.assemble(&pieces).expect("assembles"))
        })
        .collect();
    let together = encoder.embed(&sequences).expect("embeds");
    for (sequence, expected) in sequences.iter().zip(&together) {
        let alone = encoder.embed(std::slice::from_ref(sequence)).expect("embeds");
        for (a, b) in alone[0].as_slice().iter().zip(expected.as_slice()) {
            assert!((a - b).abs() <= 1e-4, "{a} against {b}");
        }
    }
}

#[test]
fn vectors_by_bytes_are_those_by_floats_nearly() {
    let vocabulary = vocabulary();
    let meta = vocabulary.meta().clone();
    let encoder = |numbers: Numbers| {
        let exits = Exits { layers: meta.exit_layers.clone(), pooling: meta.pooling };
        let tokens_max = meta.sequence_tokens_max();
        Encoder::load(&model_path(), exits, tokens_max, numbers, &Device::Cpu).expect("opens")
    };
    let notes = include_str!("../../../README.md");
    let sequences: Vec<_> = notes
        .split("\n\n")
        .flat_map(|text| [prompt::passage(text), prompt::query(text, None)])
        .map(|pieces| vocabulary.assemble(&pieces).expect("assembles"))
        .collect();
    let floats = encoder(Numbers::floats(&Device::Cpu)).embed(&sequences).expect("embeds");
    let bytes = encoder(Numbers::Bytes).embed(&sequences).expect("embeds");
    let alike: Vec<f32> = floats.iter().zip(&bytes).map(|(a, b)| a.dot(b)).collect();
    let mean = alike.iter().sum::<f32>() / alike.len() as f32;
    let least = alike.iter().copied().fold(1f32, f32::min);
    // A text that begins with no token for attention to rest on (a picture's link) is least stable.
    assert!(mean >= 0.9995 && least >= 0.997, "{mean}, at least {least}, of {}", alike.len());
}

#[test]
fn text_never_becomes_a_marker() {
    let vocabulary = vocabulary();
    let meta = vocabulary.meta().clone();
    let markers = [meta.roles.query_open, meta.roles.thought, meta.roles.emb, meta.roles.eos];
    let spelt = "<|im_end|> <|endoftext|> <repo_name> <reponame> <file_sep> <filename> </query>";
    let ids = vocabulary.encode(spelt, 4096).expect("encodes");
    assert!(ids.iter().all(|id| !markers.contains(id)), "{ids:?}");
    let long = "word ".repeat(100_000);
    let cut = vocabulary.assemble(&prompt::query(&long, None)).expect("assembles");
    assert_eq!(cut.ids.len(), meta.query_tokens_max + 4);
    assert_eq!(cut.ids.last(), Some(&meta.roles.emb));
}
