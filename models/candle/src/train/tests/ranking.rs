//! Rankings of all that is learnt from, by a teacher's vectors.

use candle_core::Device;
use models::dataset::Pair;

use super::small::{WIDTH, model, pairs, recipe};
use crate::train::{Recipe, Teaching, Trainer};
use crate::vectors::TextVectors;

/// A teacher of eight directions: a question and its answer have the same.
fn teacher(folder: &tempfile::TempDir, width: usize) -> TextVectors {
    let mut teacher = TextVectors::open(&folder.path().join(format!("{width}")), width).unwrap();
    let pairs: Vec<Pair> = pairs();
    for (place, pair) in pairs.iter().enumerate() {
        let Pair { query, pos, thought, .. } = pair;
        let mut vector = vec![0f32; width];
        vector[place] = 1.0;
        let with_thought = models::prompt::plain(query, thought);
        let texts = [query.as_str(), pos[0].as_str(), with_thought.as_str()];
        teacher.add(&texts, &[&vector, &vector, &vector]).unwrap();
    }
    teacher
}

/// With two rows in a step nobody but the bank tells them from the other six.
#[test]
fn a_model_comes_to_rank_everything_as_its_teacher_does() {
    let folder = tempfile::tempdir().unwrap();
    let base = model(&folder);
    let open = || {
        let teaching = Teaching { scores: 0.0, temperature: 0.05, ranking: 1.0, vectors: 0.0 };
        let recipe = Recipe { teaching, batch: 2, lambda: 1.0, epochs: 60, ..recipe() };
        Trainer::open(&base, recipe, pairs(), None, &Device::Cpu).unwrap()
    };
    let bad = folder.path().join("bad");
    let mut trainer = open();
    let of_our_width = teacher(&folder, WIDTH);
    let first = trainer.step(Some(&of_our_width), &bad).unwrap();
    let mut last = first.clone();
    while trainer.taken() < trainer.steps() {
        last = trainer.step(Some(&of_our_width), &bad).unwrap();
    }
    assert!(first.ranking > 1.0 && last.ranking < 0.1, "{first:?} {last:?}");
    assert!((first.loss - first.contrast - first.ranking).abs() < 1e-6, "{first:?}");
    // Of vectors that are of another width ours are no match.
    let error = open().step(Some(&teacher(&folder, WIDTH + 1)), &bad).unwrap_err();
    assert!(error.to_string().contains("16 wide"), "{error}");
}
