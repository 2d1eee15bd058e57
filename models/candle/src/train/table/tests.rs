use super::*;
use crate::train::Teaching;

const WIDTH: usize = 4;
const TABLE_WIDTH: usize = 3;
const TOKENS: usize = 6;

fn numbers(count: usize, step: f32) -> Vec<f32> {
    (0..count).map(|i| ((i as f32 + 1.0) * step).sin()).collect()
}

fn recipe() -> TableRecipe {
    let teaching = Teaching { scores: 0.7, temperature: 0.1, ranking: 0.0, vectors: 2.0 };
    let recipe = Recipe { teaching, temperature: 0.2, ..Recipe::default() };
    TableRecipe { epochs: 60, batch: 2, rate: 0.05, recipe }
}

fn trainer() -> TableTrainer {
    let unit = |values: Vec<f32>| {
        let rows = values.chunks_exact(WIDTH).flat_map(|row| {
            let norm = row.iter().map(|value| value * value).sum::<f32>().sqrt();
            row.iter().map(move |value| value / norm)
        });
        rows.collect::<Vec<f32>>()
    };
    let lesson = TableLesson {
        words: vec![vec![0, 1], vec![2, 2, 3], vec![4], vec![1, 5], vec![3, 0], vec![5, 4, 4]],
        raw: numbers(6 * WIDTH, 0.7),
        taught: unit(numbers(6 * WIDTH, 1.3)),
        pairs: vec![(0, 1), (2, 3), (4, 1)],
        sets: vec!["a".to_owned(); 3],
    };
    let start = TableStart {
        table: Table { rows: numbers(TOKENS * TABLE_WIDTH, 0.3), width: TABLE_WIDTH },
        columns: numbers(WIDTH * TABLE_WIDTH, 0.9),
    };
    TableTrainer::open(start, lesson, recipe()).unwrap()
}

fn total(trainer: &TableTrainer, pairs: &[(usize, usize)]) -> f64 {
    let losses = trainer.gradient(pairs).unwrap().0;
    let teaching = trainer.recipe.teaching;
    losses.contrast + teaching.scores * losses.scores + teaching.vectors * losses.vectors
}

#[test]
fn the_gradient_is_the_slope_of_the_loss() {
    let mut trainer = trainer();
    // Two queries with one passage, and one that is a word of all.
    let pairs = [(0, 1), (2, 3), (4, 1)];
    let gradient = trainer.gradient(&pairs).unwrap().1;
    for (place, slope) in gradient.iter().enumerate() {
        const STEP: f32 = 1e-2;
        let mut at = |change: f32| {
            let was = trainer.parameters.values[place];
            trainer.parameters.values[place] = was + change;
            let loss = total(&trainer, &pairs);
            trainer.parameters.values[place] = was;
            loss
        };
        let found = (at(STEP) - at(-STEP)) / f64::from(2.0 * STEP);
        assert!((found - f64::from(*slope)).abs() < 2e-3, "{place}: {slope}, not {found}");
    }
}

/// What an interruption costs is the steps since the last save, and nothing else differs.
#[test]
fn a_table_comes_nearer_to_the_teacher_whatever_interrupts_it() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("table.safetensors");
    let texts: Vec<usize> = (0..5).collect();
    let mut whole = trainer();
    let before = whole.distance(&texts).unwrap();
    let mut reports = Vec::new();
    while whole.taken() < whole.steps() {
        reports.push(whole.step().unwrap());
    }
    assert_eq!(reports.len(), 120, "two steps an epoch");
    assert!(whole.distance(&texts).unwrap() < 0.5 * before);
    let mut part = trainer();
    for expected in &reports[..50] {
        assert_eq!(part.step().unwrap(), *expected);
    }
    part.save(&checkpoint).unwrap();
    part.step().unwrap();
    let mut part = trainer();
    part.resume(&checkpoint).unwrap();
    for expected in &reports[50..] {
        assert_eq!(part.step().unwrap(), *expected);
    }
    assert_eq!(part.finish(), whole.finish());
}
