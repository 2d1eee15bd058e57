//! Losses, gradients and steps against numbers that share no code with ours: a numpy forward pass
//! differentiated by the `autograd` package (`fixtures/train/reference.py`), on tiny models of all
//! three architectures.

mod ranking;
mod reading;
mod shipped;
mod small;
mod table;

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use serde::Deserialize;

use super::adam::{AdamW, clip};
use super::batch::{Batch, Item, Read};
use super::contrast::Lesson;
use super::network::Network;
use super::parameters::{Gradients, Parameters, Start};
use super::recipe::{Recipe, Teaching};
use super::step;
use crate::decoder_tests::tiny;
use crate::gguf;
use crate::meta::{Meta, Roles};
use crate::pooling::Pooling;

#[derive(Deserialize)]
struct Reference {
    queries: Vec<Query>,
    passages: Vec<Vec<u32>>,
    targets: Vec<usize>,
    masked: Vec<Vec<bool>>,
    teacher: Teacher,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Query {
    question: Vec<u32>,
    thought: Vec<u32>,
}

#[derive(Deserialize)]
struct Teacher {
    queries: Vec<Vec<f32>>,
    passages: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct Case {
    architecture: String,
    pooling: String,
    losses: BTreeMap<String, f64>,
    rows: Vec<Vec<f32>>,
    columns: Vec<Vec<f32>>,
    gradients: BTreeMap<String, Vec<f32>>,
    adam: Option<Adam>,
}

#[derive(Deserialize)]
struct Adam {
    total: Vec<f64>,
    gradient_norm: Vec<f32>,
    #[serde(rename = "head.bias")]
    head_bias: Vec<Vec<f32>>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../../../../fixtures/train/reference.json")).unwrap()
}

/// Ids of the markers in the tiny vocabulary, and of the end of sequence.
const MARKERS: [u32; 4] = [2, 3, 4, 5];
const EOS: u32 = 0;
const HIDDEN: usize = 32;
const WIDTH: usize = 5;
const RANK: usize = 3;

fn recipe() -> Recipe {
    Recipe {
        rank: RANK,
        alpha: 6.0,
        lambda: 0.8,
        temperature: 0.05,
        teaching: Teaching { scores: 0.7, temperature: 0.1, ranking: 0.0, vectors: 0.3 },
        kept_tokens_max: usize::MAX,
        ..Recipe::default()
    }
}

fn pooling(name: &str) -> Pooling {
    match name {
        "mean" => Pooling::Mean,
        "emb" => Pooling::Emb,
        _ => Pooling::Both,
    }
}

fn network(architecture: &str, pooling: Pooling, recipe: &Recipe) -> Network {
    let folder = tempfile::tempdir().unwrap();
    let mut file = gguf::open(&tiny(architecture).write(folder.path())).unwrap();
    let [query_open, query_close, thought, emb] = MARKERS;
    let roles = Roles { query_open, query_close, thought, emb, eos: EOS };
    let exit_layers = vec![1, 2];
    let meta = Meta { roles, pooling, exit_layers, ..file.meta.clone() };
    Network::load(&file.content, &mut file.file, &meta, recipe, 64, &Device::Cpu).unwrap()
}

/// The trainables of the reference, from its generator of numbers.
fn parameters(pooling: Pooling) -> Parameters {
    let mut state = 12_345u32;
    let mut fill = |shape: &[usize]| {
        let count: usize = shape.iter().product();
        let value = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (f64::from(state >> 9) / 8_388_608.0 - 0.5) * 0.2
        };
        Start::Given((0..count).map(value).map(|value| value as f32).collect())
    };
    let mut parameters = Parameters::default();
    let sites = [
        ("attn_qkv", 128, 32),
        ("attn_output", 32, 64),
        ("ffn_gate_up", 96, 32),
        ("ffn_down", 32, 48),
    ];
    for block in 0..2 {
        for (site, out, input) in sites {
            let name = |part: &str| format!("blk.{block}.{site}.{part}");
            parameters.add(name("a"), vec![RANK, input], fill(&[RANK, input]));
            parameters.add(name("b"), vec![out, RANK], fill(&[out, RANK]));
        }
    }
    parameters.add("markers".to_owned(), vec![4, HIDDEN], fill(&[4, HIDDEN]));
    let inputs = 2 * pooling.states() * HIDDEN;
    parameters.add("head.weight".to_owned(), vec![WIDTH, inputs], fill(&[WIDTH, inputs]));
    parameters.add("head.bias".to_owned(), vec![WIDTH], fill(&[WIDTH]));
    parameters
}

/// `<query> q </query> <thought> [t eos] <emb>` as the product assembles it.
fn query(question: &[u32], thought: &[u32]) -> (Vec<u32>, Vec<bool>) {
    let [open, close, think, emb] = MARKERS;
    let mut ids = [&[open], question, &[close, think]].concat();
    let mut content = vec![false; ids.len()];
    content[1..=question.len()].fill(true);
    if !thought.is_empty() {
        ids.extend(thought);
        content.resize(ids.len(), true);
        ids.push(EOS);
    }
    ids.push(emb);
    content.resize(ids.len(), false);
    (ids, content)
}

/// The batch of the reference, as [`Batch::draw`] would make it of text.
fn batch(reference: &Reference, pooling: Pooling) -> Batch {
    let mut batch = Batch::default();
    for Query { question, thought } in &reference.queries {
        let (bare, bare_content) = query(question, &[]);
        let bare_read = Read { content: bare_content.clone(), last: bare.len() - 1 };
        if thought.is_empty() {
            batch.items.push(Item { ids: bare, reads: vec![bare_read], labels: Vec::new() });
            continue;
        }
        let (ids, content) = query(question, thought);
        let opened = bare.len() - 1;
        let labels = (opened - 1..ids.len() - 2).map(|at| (at, ids[at + 1])).collect();
        let read = Read { content, last: ids.len() - 1 };
        if pooling == Pooling::Mean {
            let mut content = bare_content;
            content.resize(ids.len(), false);
            let reads = vec![Read { content, last: opened }, read];
            batch.items.push(Item { ids, reads, labels });
        } else {
            batch.items.push(Item { ids: bare, reads: vec![bare_read], labels: Vec::new() });
            batch.items.push(Item { ids, reads: vec![read], labels });
        }
    }
    batch.queries = batch.items.len();
    for passage in &reference.passages {
        let ids = [&passage[..], &[MARKERS[3]]].concat();
        let mut content = vec![true; passage.len()];
        content.push(false);
        let reads = vec![Read { content, last: passage.len() }];
        batch.items.push(Item { ids, reads, labels: Vec::new() });
    }
    batch.lesson = lesson(reference);
    batch
}

fn lesson(reference: &Reference) -> Lesson {
    let owners = [0, 0, 1, 1, 2];
    let Teacher { queries, passages } = &reference.teacher;
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let rows = || owners.iter().map(|owner| &queries[*owner]);
    Lesson {
        rows: owners.len(),
        columns: passages.len(),
        targets: reference.targets.clone(),
        masked: reference.masked.concat(),
        teacher_scores: rows().flat_map(|q| passages.iter().map(|p| dot(q, p))).collect(),
        teacher_vectors: rows().chain(passages).flatten().copied().collect(),
    }
}

/// Largest difference relative to the largest value: entries of one tensor span decades.
fn apart(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let largest = theirs.iter().fold(0f32, |most, value| most.max(value.abs()));
    let difference = ours.iter().zip(theirs).fold(0f32, |most, (a, b)| most.max((a - b).abs()));
    difference / largest.max(f32::MIN_POSITIVE)
}

fn by_name<'a>(parameters: &'a Parameters, values: &'a [f32], name: &str) -> &'a [f32] {
    let place = parameters.places.iter().find(|place| place.name == name).unwrap();
    &values[place.start..place.start + place.len()]
}

#[test]
fn losses_vectors_and_gradients_are_those_of_the_reference() {
    let reference = reference();
    for case in &reference.cases {
        let (recipe, pooling) = (recipe(), pooling(&case.pooling));
        let name = format!("{}, {}", case.architecture, case.pooling);
        let mut network = network(&case.architecture, pooling, &recipe);
        let parameters = parameters(pooling);
        network.apply(&parameters, &recipe).unwrap();
        let batch = batch(&reference, pooling);
        let vectors = step::embed(&network, &batch.items).unwrap();
        let expected: Vec<&Vec<f32>> = case.rows.iter().chain(&case.columns).collect();
        for (row, (ours, theirs)) in vectors.iter().zip(expected).enumerate() {
            assert!(apart(ours, theirs) < 1e-4, "{name}, vector {row}: {ours:?} {theirs:?}");
        }
        let (losses, gradients) =
            step::gradients(&network, &parameters, &batch, None, &recipe, 0).unwrap();
        let found = [
            ("nce", losses.retrieval.contrast),
            ("kd", losses.retrieval.scores),
            ("align", losses.retrieval.vectors),
            ("gen", losses.generation),
            ("total", losses.total),
        ];
        for (part, ours) in found {
            let theirs = case.losses[part];
            assert!((ours - theirs).abs() < 2e-4 * theirs.abs(), "{name}, {part}: {ours} {theirs}");
        }
        assert_eq!(case.gradients.len(), parameters.places.len(), "{name}");
        for (part, theirs) in &case.gradients {
            let apart = apart(by_name(&parameters, &gradients.values, part), theirs);
            assert!(apart < 5e-4, "{name}, gradient of {part}: {apart}");
        }
    }
}

#[test]
fn gradients_of_a_batch_embedded_in_chunks_are_those_of_the_whole() {
    let reference = reference();
    for (architecture, kind) in [("llama", "mean"), ("qwen2", "both"), ("qwen3", "emb")] {
        let whole = Recipe { dropout: 0.3, ..recipe() };
        let pooling = pooling(kind);
        let mut network = network(architecture, pooling, &whole);
        let parameters = parameters(pooling);
        network.apply(&parameters, &whole).unwrap();
        let batch = batch(&reference, pooling);
        let cached = Recipe { kept_tokens_max: 0, ..whole.clone() };
        let of = |recipe: &Recipe| {
            step::gradients(&network, &parameters, &batch, None, recipe, 7).unwrap()
        };
        let ((losses, expected), (cached_losses, found)) = (of(&whole), of(&cached));
        assert_eq!(losses, cached_losses, "{architecture}");
        let apart = apart(&found.values, &expected.values);
        assert!(apart < 1e-5, "{architecture}: {apart}");
    }
}

#[test]
fn two_steps_of_adam_on_clipped_gradients_are_those_of_the_reference() {
    let reference = reference();
    let case = reference.cases.iter().find(|case| case.adam.is_some()).unwrap();
    let expected = case.adam.as_ref().unwrap();
    let (recipe, pooling) = (recipe(), pooling(&case.pooling));
    let mut network = network(&case.architecture, pooling, &recipe);
    let mut parameters = parameters(pooling);
    let mut adam = AdamW::new(parameters.values.len(), 0.01);
    let batch = batch(&reference, pooling);
    for (step, rate) in [0.003, 0.002].into_iter().enumerate() {
        network.apply(&parameters, &recipe).unwrap();
        let (losses, mut gradients) =
            step::gradients(&network, &parameters, &batch, None, &recipe, 0).unwrap();
        let total = expected.total[step];
        assert!(
            (losses.total - total).abs() < 2e-4 * total,
            "step {step}: {} {total}",
            losses.total
        );
        let norm = clip(&mut gradients.values, 0.5);
        assert!((norm / expected.gradient_norm[step] - 1.0).abs() < 5e-4, "step {step}: {norm}");
        adam.step(&mut parameters.values, &gradients.values, rate, (usize::MAX, 0.0));
        let bias = by_name(&parameters, &parameters.values, "head.bias");
        for (ours, theirs) in bias.iter().zip(&expected.head_bias[step]) {
            assert!((ours - theirs).abs() < 1e-6, "step {step}: {ours} {theirs}");
        }
    }
}

#[test]
fn without_thoughts_generation_costs_nothing_and_is_no_nan() {
    let reference = reference();
    let (recipe, pooling) = (recipe(), Pooling::Mean);
    let mut network = network("llama", pooling, &recipe);
    let parameters = parameters(pooling);
    network.apply(&parameters, &recipe).unwrap();
    let mut batch = batch(&reference, pooling);
    for item in &mut batch.items {
        item.labels.clear();
    }
    let (losses, gradients) =
        step::gradients(&network, &parameters, &batch, None, &recipe, 0).unwrap();
    assert_eq!(losses.generation, 0.0);
    assert!(losses.total.is_finite() && gradients.values.iter().all(|g| g.is_finite()));
}

#[test]
fn training_the_upper_layer_alone_leaves_the_lower_one_without_gradient() {
    let reference = reference();
    let recipe = Recipe { layers: (2, 2), ..recipe() };
    let mut network = network("llama", Pooling::Mean, &recipe);
    let mut parameters = network.parameters(&recipe).unwrap();
    let names: Vec<&str> = parameters.places.iter().map(|place| place.name.as_str()).collect();
    assert!(names.iter().all(|name| name.starts_with("blk.1.")), "{names:?}");
    // From nothing, B's gradient is something and A's nothing; so B is moved first.
    parameters.values.iter_mut().for_each(|value| *value += 0.01);
    network.apply(&parameters, &recipe).unwrap();
    let head = self::parameters(Pooling::Mean);
    let mut all = parameters.clone();
    for name in ["head.weight", "head.bias"] {
        let place = head.places.iter().find(|place| place.name == name).unwrap();
        let values = by_name(&head, &head.values, name).to_vec();
        all.add(name.to_owned(), place.shape.clone(), Start::Given(values));
    }
    network.apply(&all, &recipe).unwrap();
    let batch = batch(&reference, Pooling::Mean);
    let (_, gradients) = step::gradients(&network, &all, &batch, None, &recipe, 0).unwrap();
    for place in &all.places {
        let gradient = by_name(&all, &gradients.values, &place.name);
        assert!(gradient.iter().any(|g| *g != 0.0), "{} has no gradient", place.name);
    }
}

#[test]
fn gradients_add_up_by_name_and_pass_over_what_is_not_trained() {
    let mut parameters = Parameters::default();
    parameters.add("x".to_owned(), vec![2], Start::Zero);
    let mut gradients = Gradients::zero(&parameters);
    let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
    gradients.add("x", &tensor(&[1.0, 2.0])).unwrap();
    gradients.add("x", &tensor(&[0.5, 0.5])).unwrap();
    gradients.add("y", &tensor(&[9.0])).unwrap();
    assert_eq!(gradients.values, [1.5, 2.5]);
    assert!(gradients.add("x", &tensor(&[1.0])).is_err());
}
