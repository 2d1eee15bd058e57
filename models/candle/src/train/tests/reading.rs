//! Learning to read, by differences: a parameter moved a little moves the loss as its gradient says.

use super::{network, parameters, recipe};
use crate::pooling::Pooling;
use crate::train::batch::Item;
use crate::train::reading::{Lesson, gradients, look};
use crate::train::recipe::{ReadingRecipe, Recipe};

/// Two rows, one of three passages and one of two, whose questions are the last three tokens; then a
/// thought.
fn lesson() -> Lesson {
    let item = |ids: &[u32]| {
        let first = ids.len() - 4;
        let labels = (first..ids.len() - 1).map(|at| (at, ids[at + 1])).collect();
        Item { ids: ids.to_vec(), reads: Vec::new(), labels }
    };
    let items = vec![
        item(&[1, 7, 9, 12, 20, 21, 22]),
        item(&[1, 8, 8, 20, 21, 22]),
        item(&[1, 30, 31, 6, 11, 20, 21, 22]),
        item(&[1, 15, 16, 9, 9, 10]),
        item(&[1, 16, 9, 9, 10]),
        item(&[2, 14, 3, 4, 24, 25, 0]),
    ];
    Lesson { items, rows: vec![0..3, 3..5] }
}

#[test]
fn the_upper_layers_learn_by_the_slope_of_the_loss() {
    let reading = ReadingRecipe { first_layer: 2, sharpness: 3.0, ..ReadingRecipe::default() };
    let recipe = Recipe { reading: Some(reading), ..recipe() };
    for architecture in ["llama", "qwen2", "qwen3"] {
        let mut network = network(architecture, Pooling::Mean, &recipe);
        let mut parameters = parameters(Pooling::Mean);
        let lesson = lesson();
        network.apply(&parameters, &recipe).unwrap();
        let (told, slope) = gradients(&network, &parameters, &lesson, (&recipe, &reading)).unwrap();
        assert_eq!(look(&network, &lesson, (&recipe, &reading)).unwrap(), told);
        assert!(told.contrast > 0.0 && told.generation > 0.0 && told.likelihood > 0.0);
        let upper = parameters.start("blk.1.attn_qkv.a")..parameters.start("markers");
        let still = |at: &usize| !upper.contains(at) && slope.values[*at] != 0.0;
        assert_eq!((0..slope.values.len()).find(still), None, "{architecture}: below, or beside");
        // The steepest of each tensor, since differences of a float's digits tell little of others.
        for place in parameters.places.clone().iter().filter(|place| upper.contains(&place.start)) {
            let range = place.start..place.start + place.len();
            let steepest =
                |a: &usize, b: &usize| slope.values[*a].abs().total_cmp(&slope.values[*b].abs());
            let at = range.max_by(steepest).unwrap();
            let mut total = |by: f32| {
                let before = parameters.values[at];
                parameters.values[at] += by;
                network.apply(&parameters, &recipe).unwrap();
                parameters.values[at] = before;
                look(&network, &lesson, (&recipe, &reading)).unwrap().total
            };
            let (less, more) = (total(-2e-2), total(2e-2));
            let (seen, told) = ((more - less) / 4e-2, f64::from(slope.values[at]));
            let close = (seen - told).abs() <= 0.02 * told.abs() + 1e-4;
            assert!(close, "{architecture}, {}: {seen} against {told}", place.name);
        }
    }
}
