//! Whole runs on a tiny model: learning by heart, going on after an interruption, the adapter and
//! the merged file.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use candle_core::Device;
use candle_core::quantized::GgmlDType;
use models::dataset::Pair;
use tempfile::TempDir;

use crate::decoder_tests::tiny;
use crate::gguf::draft::Draft;
use crate::gguf::{self, convert};
use crate::head::Head;
use crate::meta::Meta;
use crate::train::adapter::Adapter;
use crate::train::batch::Batch;
use crate::train::merge::{self, Named};
use crate::train::{QueryForm, Recipe, Trainer};

pub(super) const WIDTH: usize = 16;
const HIDDEN: usize = 32;

/// A model file of ours: two layers, an embedding head of random numbers.
pub(super) fn model(folder: &TempDir) -> PathBuf {
    let base = tiny("llama").write(folder.path());
    let meta = gguf::open(&base).unwrap().meta;
    let meta = Meta { exit_layers: vec![1, 2], width: WIDTH, ..meta };
    let inputs = 2 * HIDDEN;
    let number = |i: usize| ((i * 37 % 101) as f32 / 50.0 - 1.0) * 0.1;
    let head = Head {
        weight: (0..WIDTH * inputs).map(number).collect(),
        bias: (0..WIDTH).map(number).collect(),
        width: WIDTH,
        inputs,
        table: None,
    };
    let out = folder.path().join("base.gguf");
    convert(&base, Some(&head), &meta, &out, &mut |_| {}).unwrap();
    out
}

/// Eight rows of letters, which is all the tiny vocabulary spells.
pub(super) fn pairs() -> Vec<Pair> {
    let row = |(query, pos, thought): (&str, &str, &str)| Pair {
        query: query.to_owned(),
        pos: vec![pos.to_owned()],
        thought: thought.to_owned(),
        ..Pair::default()
    };
    [
        ("cde", "xyzx", "xy"),
        ("fgh", "uvwu", "uv"),
        ("ijk", "rstr", "rs"),
        ("lmn", "opqo", "op"),
        ("cfi", "zzyy", "zy"),
        ("dgj", "wwvv", "wv"),
        ("ehk", "ttss", "ts"),
        ("lop", "mnmn", "mn"),
    ]
    .map(row)
    .to_vec()
}

pub(super) fn recipe() -> Recipe {
    Recipe {
        rank: 8,
        alpha: 16.0,
        rate: 2e-2,
        head_rate: 1.0,
        warmup: 0.05,
        epochs: 150,
        batch: 8,
        temperature: 0.05,
        lambda: 0.5,
        ..Recipe::default()
    }
}

#[test]
fn eight_rows_are_learnt_by_heart() {
    let folder = tempfile::tempdir().unwrap();
    let base = model(&folder);
    for query_form in [QueryForm::Both, QueryForm::Dropout] {
        let recipe = Recipe { query_form, ..recipe() };
        let mut trainer = Trainer::open(&base, recipe, pairs(), None, &Device::Cpu).unwrap();
        let bad = folder.path().join("bad");
        let first = trainer.step(None, &bad).unwrap();
        let mut last = first.clone();
        while trainer.taken() < trainer.steps() {
            last = trainer.step(None, &bad).unwrap();
        }
        assert!(first.contrast > 0.5 && first.generation > 2.0, "{first:?}");
        assert!(last.contrast < 0.05 && last.generation < 0.1, "{query_form:?}: {last:?}");
    }
}

/// The found sentences stand between question and thought, as when it is thought and embedded; the
/// question's own vector does not see them.
#[test]
fn a_grounded_thought_is_learnt_after_what_was_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = gguf::open(&model(&folder)).unwrap();
    let (vocabulary, roles) = (&file.vocabulary, file.meta.roles);
    let mut pair = pairs().remove(0);
    pair.context = "xy uvw".to_owned();
    let draw = |grounded: f64| {
        let recipe = Recipe { grounded, ..recipe() };
        Batch::draw(&[&pair], vocabulary, &recipe, 0).unwrap().items.swap_remove(0)
    };
    let (alone, grounded) = (draw(0.0), draw(1.0));
    let context = vocabulary.encode(&models::prompt::context_text("xy uvw"), 96).unwrap();
    let mut expected = alone.ids.clone();
    let close = expected.iter().position(|id| *id == roles.query_close).unwrap();
    expected.splice(close..close, context.iter().copied());
    assert!(context.len() >= 3);
    assert_eq!(grounded.ids, expected);
    let shifted: Vec<(usize, u32)> =
        alone.labels.iter().map(|(at, token)| (at + context.len(), *token)).collect();
    assert_eq!(grounded.labels, shifted);
    assert_eq!(alone.labels.last().unwrap().1, roles.eos);
    let words = |content: &[bool]| content.iter().filter(|is_word| **is_word).count();
    for (alone, grounded) in alone.reads.iter().zip(&grounded.reads) {
        assert_eq!(words(&alone.content), words(&grounded.content), "found words are not averaged");
    }
    assert_eq!(alone.reads[0].content[..close], grounded.reads[0].content[..close]);
    pair.context = "uvw".to_owned();
    let recipe = Recipe { grounded: 1.0, ..recipe() };
    let batch = Batch::draw(&[&pair], vocabulary, &recipe, 0).unwrap();
    assert_eq!(batch.items[0], alone, "what was not found is thought after the question alone");
}

/// What the teacher is asked about: each query without its thought and with it, then the passages.
#[test]
fn the_teacher_is_shown_the_thoughts_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = gguf::open(&model(&folder)).unwrap();
    let mut rows = pairs();
    rows[1].thought = String::new();
    let rows: Vec<&Pair> = rows.iter().take(2).collect();
    let texts = |query_form| {
        let recipe = Recipe { query_form, thought_kept: 1.0, ..recipe() };
        let batch = Batch::draw(&rows, &file.vocabulary, &recipe, 0).unwrap();
        assert_eq!(batch.texts.len(), batch.lesson.rows + batch.lesson.columns);
        batch.texts
    };
    assert_eq!(texts(QueryForm::Both), ["cde", "cde xy", "fgh", "xyzx", "uvwu"]);
    assert_eq!(texts(QueryForm::Dropout), ["cde xy", "fgh", "xyzx", "uvwu"]);
}

#[test]
fn a_run_that_is_interrupted_has_the_losses_of_one_that_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let base = model(&folder);
    let recipe = Recipe { dropout: 0.1, batch: 3, epochs: 4, ..recipe() };
    let open = || Trainer::open(&base, recipe.clone(), pairs(), None, &Device::Cpu).unwrap();
    let (bad, checkpoint) = (folder.path().join("bad"), folder.path().join("checkpoint"));
    let mut whole = open();
    assert_eq!(whole.steps(), 12);
    let expected: Vec<_> = (0..12).map(|_| whole.step(None, &bad).unwrap()).collect();
    let mut found = Vec::new();
    let mut part = open();
    assert!(!part.resume(&checkpoint).unwrap(), "there is nothing to go on from");
    for _ in 0..5 {
        found.push(part.step(None, &bad).unwrap());
    }
    part.save(&checkpoint).unwrap();
    // What comes after the checkpoint is lost with the process.
    part.step(None, &bad).unwrap();
    drop(part);
    let mut part = open();
    assert!(part.resume(&checkpoint).unwrap());
    while part.taken() < part.steps() {
        found.push(part.step(None, &bad).unwrap());
    }
    assert_eq!(found, expected);
    let other = Recipe { seed: 1, ..recipe.clone() };
    let mut other = Trainer::open(&base, other, pairs(), None, &Device::Cpu).unwrap();
    assert!(!other.resume(&checkpoint).unwrap(), "another run's checkpoint is not taken up");
    fs::write(&checkpoint, b"torn").unwrap();
    let error = open().resume(&checkpoint).unwrap_err().to_string();
    assert!(error.contains("remove the file"), "{error}");
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_saves_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = Recipe { rate: 1e30, ..recipe() };
    let mut trainer = Trainer::open(&model(&folder), recipe, pairs(), None, &Device::Cpu).unwrap();
    let bad = folder.path().join("bad.jsonl");
    let mut steps = (0..20).map(|_| trainer.step(None, &bad));
    let error = steps.find_map(Result::err).expect("such a rate breaks everything").to_string();
    assert!(error.contains("bad.jsonl") && error.contains("learning rate"), "{error}");
    let (rows, broken) = models::dataset::parse(&fs::read_to_string(&bad).unwrap());
    assert_eq!((rows.len(), broken.len()), (8, 0));
}

#[test]
fn a_merged_file_computes_what_base_and_adapter_do() {
    let folder = tempfile::tempdir().unwrap();
    let base = model(&folder);
    let recipe = Recipe { epochs: 20, rate: 3e-3, ..recipe() };
    let mut trainer = Trainer::open(&base, recipe, pairs(), None, &Device::Cpu).unwrap();
    while trainer.taken() < trainer.steps() {
        trainer.step(None, &folder.path().join("bad")).unwrap();
    }
    let path = folder.path().join("adapter.safetensors");
    trainer.save_adapter(&path, &BTreeMap::from([("run".to_owned(), "a".to_owned())])).unwrap();
    let adapter = Adapter::read(&path).unwrap();
    assert_eq!(adapter.about.notes["run"], "a");
    let pairs = pairs();
    let passages: Vec<&str> = pairs.iter().map(|pair| pair.pos[0].as_str()).collect();
    let trained = trainer.embed_passages(&passages).unwrap();
    let out = folder.path().join("merged.gguf");
    let mut named =
        Named { name: "mine".to_owned(), bare_weight: 0.25, thinks: true, grounded: true, half: 0 };
    for (half, least) in [(0, 0.999), (1, 0.999), (usize::MAX, 0.999_99)] {
        named.half = half;
        merge::merge(&base, &adapter, &named, &out, &mut |_| {}).unwrap();
        let merged = gguf::open(&out).unwrap();
        let kind = |name: &str| merged.content.tensor_infos[name].ggml_dtype;
        let expected = |layer: usize| if layer < half { GgmlDType::F16 } else { GgmlDType::Q8_0 };
        for layer in 0..2 {
            assert_eq!(kind(&format!("blk.{layer}.attn_q.weight")), expected(layer));
        }
        assert_eq!((merged.meta.name.as_str(), merged.meta.bare_weight), ("mine", 0.25));
        // The trained model's vectors, by the encoder that serves, from the one file.
        let exits = crate::encoder::Exits {
            layers: merged.meta.exit_layers.clone(),
            pooling: merged.meta.pooling,
        };
        let encoder = crate::encoder::Encoder::open(&out, exits, 64, &Device::Cpu).unwrap();
        let sequence =
            |text: &&str| merged.vocabulary.assemble(&models::prompt::passage(text)).unwrap();
        let sequences: Vec<_> = passages.iter().map(sequence).collect();
        let served = encoder.embed(&sequences).unwrap();
        for (ours, theirs) in trained.iter().zip(&served) {
            assert!(ours.dot(theirs) > least, "{half}: {}", ours.dot(theirs));
        }
    }
    // Another base does not take the adapter.
    let other = Draft::new("llama").write(folder.path());
    let error = merge::merge(&other, &adapter, &named, &out, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("does not fit"), "{error}");
}
