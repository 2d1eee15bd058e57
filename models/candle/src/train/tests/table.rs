//! A token table in the files: packed in an adapter, merged, gone on from.

use std::collections::BTreeMap;

use candle_core::{DType, Device};
use models::prompt;

use super::small::{WIDTH, model, pairs, recipe};
use crate::encoder::{Encoder, Exits};
use crate::gguf;
use crate::head::Table;
use crate::train::adapter::Adapter;
use crate::train::merge::{self, Named};
use crate::train::network::HEAD;
use crate::train::{Recipe, Trainer};

const TABLE_WIDTH: usize = 32;

fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * 0.71).sin()).collect()
}

fn named() -> Named {
    Named {
        name: "t".to_owned(),
        bare_weight: 1.0,
        thinks: true,
        grounded: false,
        half: usize::MAX,
    }
}

#[test]
fn a_table_changes_vectors_alike_in_training_and_in_the_file_that_serves() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let base = model(&folder);
    let recipe = Recipe { epochs: 5, rate: 3e-3, ..recipe() };
    let open = |before: Option<&Adapter>| {
        Trainer::open(&base, recipe.clone(), pairs(), before, &Device::Cpu).unwrap()
    };
    let run = |mut trainer: Trainer, name: &str| {
        while trainer.taken() < trainer.steps() {
            trainer.step(None, &path("bad")).unwrap();
        }
        trainer.save_adapter(&path(name), &BTreeMap::new()).unwrap();
        Adapter::read(&path(name)).unwrap()
    };
    let plain = run(open(None), "plain");
    assert_eq!(plain.table_width(), None);
    let tokens =
        gguf::open(&base).unwrap().content.tensor_infos["token_embd.weight"].shape.dims()[0];
    let table = Table { rows: numbers(tokens * TABLE_WIDTH), width: TABLE_WIDTH };
    let columns = numbers(WIDTH * TABLE_WIDTH);
    plain.with_table(&table, &columns).unwrap().save(&path("tabled")).unwrap();
    let tabled = Adapter::read(&path("tabled")).unwrap();
    assert_eq!(tabled.table_width(), Some(TABLE_WIDTH));
    // Going on from it, every part is there, and the table is as it was when all is written again.
    let begun = open(Some(&tabled));
    let passages = pairs().into_iter().map(|pair| pair.pos[0].clone()).collect::<Vec<_>>();
    let passages: Vec<&str> = passages.iter().map(String::as_str).collect();
    let before = begun.embed_passages(&passages).unwrap();
    let bare =
        open(Some(&Adapter::read(&path("plain")).unwrap())).embed_passages(&passages).unwrap();
    let differ = before.iter().zip(&bare).any(|(with, without)| with.dot(without) < 0.9);
    assert!(differ, "the table says something");
    let again = run(begun, "again");
    let rows = |adapter: &Adapter| adapter.tensors["tokens"].to_vec2::<f32>().unwrap().concat();
    let apart = table.rows.iter().zip(rows(&tabled)).map(|(was, is)| (was - is).abs());
    assert!(apart.fold(0.0, f32::max) < 0.13, "4 bits are steps of an eighth, and 1 is 7 of them");
    let moved = rows(&tabled).into_iter().zip(rows(&again)).map(|(was, is)| (was - is).abs());
    assert!(moved.fold(0.0, f32::max) < 1e-3);
    for adapter in [&tabled, &again] {
        let out = path("merged.gguf");
        merge::merge(&base, adapter, &named(), &out, &mut |_| {}).unwrap();
        let merged = gguf::open(&out).unwrap();
        assert_eq!(merged.table_width(), Some(TABLE_WIDTH));
        let exits = Exits { layers: merged.meta.exit_layers.clone(), pooling: merged.meta.pooling };
        let encoder = Encoder::open(&out, exits, 64, &Device::Cpu).unwrap();
        let sequence = |text: &&str| merged.vocabulary.assemble(&prompt::passage(text)).unwrap();
        let served = encoder.embed(&passages.iter().map(sequence).collect::<Vec<_>>()).unwrap();
        let trained = open(Some(adapter)).embed_passages(&passages).unwrap();
        for (ours, theirs) in trained.iter().zip(&served) {
            assert!(ours.dot(theirs) > 0.9999, "{}", ours.dot(theirs));
        }
    }
    // Taken off again, it is what was put on: the columns in 16 bits, the rows in 4.
    let (off, start) = Adapter::read(&path("tabled")).unwrap().without_table().unwrap();
    let start = start.unwrap();
    let head = |adapter: &Adapter| adapter.tensors[HEAD[0]].to_dtype(DType::F32).unwrap();
    let plain = Adapter::read(&path("plain")).unwrap();
    assert_eq!(head(&off).to_vec2::<f32>().unwrap(), head(&plain).to_vec2::<f32>().unwrap());
    assert_eq!((off.table_width(), start.table.width), (None, TABLE_WIDTH));
    assert_eq!(start.table.rows, rows(&tabled));
    let close = |(was, is): (&f32, &f32)| (was - is).abs() < 1e-3;
    assert!(columns.iter().zip(&start.columns).all(close));
    assert!(plain.without_table().unwrap().1.is_none());
    // A model that has a table keeps it when something else is trained.
    let next = path("merged.gguf");
    let trainer = Trainer::open(&next, recipe.clone(), pairs(), None, &Device::Cpu).unwrap();
    let adapter = run(trainer, "next");
    assert_eq!(adapter.table_width(), None);
    let out = path("next.gguf");
    merge::merge(&next, &adapter, &named(), &out, &mut |_| {}).unwrap();
    let kept = |path| gguf::open(path).unwrap().head().unwrap().unwrap().table.unwrap().rows;
    assert!(kept(&next) == kept(&out), "the table changed");
}

#[test]
fn an_adapter_of_another_shape_is_not_gone_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let base = model(&folder);
    let open = |recipe: Recipe, before: Option<&Adapter>| {
        Trainer::open(&base, recipe, pairs(), before, &Device::Cpu)
    };
    let path = folder.path().join("adapter");
    open(recipe(), None).unwrap().save_adapter(&path, &BTreeMap::new()).unwrap();
    let adapter = Adapter::read(&path).unwrap();
    for (other, why) in [
        (Recipe { rank: 4, ..recipe() }, "rank"),
        (Recipe { layers: (2, 2), ..recipe() }, "not to be trained"),
    ] {
        let error = open(other, Some(&adapter)).err().expect(why).to_string();
        assert!(error.contains("does not fit") && error.contains(why), "{error}");
    }
}
