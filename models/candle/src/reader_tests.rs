//! Reading on the real base model: what it tells apart, and batches against single texts.

use std::ops::ControlFlow;

use candle_core::{DType, Device};

use crate::encoder::{Encoder, Exits};
use crate::encoder_tests::model_path;
use crate::gguf;
use crate::map::Numbers;
use crate::reader::Reader;

const PASSAGES: [&str; 6] = [
    "The keeper trims the wick twice a night. A wick that is too long smokes and blackens the glass.",
    "A sourdough loaf needs flour, water and time. The starter is fed every day.",
    "Run git rebase main to move your commits onto the newest state of the branch.",
    "Paris is the capital and most populous city of France.",
    "Plants make sugar from light, water and carbon dioxide.",
    "A lock file records the exact versions of all dependencies.",
];

const FLOATS: Numbers = Numbers::Floats(DType::F32);

fn read(
    question: &str,
    passages: &[String],
    window: usize,
    (batches, numbers): (usize, Numbers),
) -> Vec<f32> {
    let gguf = gguf::open(&model_path()).expect("a good model");
    let exits = Exits { layers: gguf.meta.exit_layers.clone(), pooling: gguf.meta.pooling };
    let tokens_max = gguf.meta.sequence_tokens_max();
    let encoder = Encoder::open(&model_path(), exits, tokens_max, &Device::Cpu).expect("opens");
    let decoder = encoder.decoder();
    let reader = Reader::open(&model_path(), decoder, &gguf.vocabulary, numbers).expect("opens");
    let mut left = batches;
    let mut count = |_: &[f32]| {
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let asked = (question, passages);
    reader.read(decoder, &gguf.vocabulary, asked, window, &mut count).expect("reads")
}

#[test]
fn a_question_is_likeliest_after_the_passage_that_answers_it() {
    let passages = PASSAGES.map(str::to_owned);
    let questions = [
        ("why does a lamp's wick smoke?", 0),
        ("how do I bake bread with a starter?", 1),
        ("how do I move my commits onto another branch?", 2),
        ("What is the capital of France?", 3),
    ];
    for (question, expected) in questions {
        let exact = read(question, &passages, 128, (usize::MAX, FLOATS));
        let best = (0..exact.len()).max_by(|a, b| exact[*a].total_cmp(&exact[*b]));
        assert_eq!(best, Some(expected), "{question}: {exact:?}");
        assert!(exact.iter().all(|value| (-9.0..0.0).contains(value)), "{exact:?}");
        let bytes = read(question, &passages, 128, (usize::MAX, Numbers::Bytes));
        for (exact, bytes) in exact.iter().zip(&bytes) {
            assert!((exact - bytes).abs() < 0.15, "{question}: {exact} and {bytes}");
        }
    }
}

#[test]
fn what_is_read_together_is_as_read_alone_and_can_be_stopped() {
    let passages: Vec<String> =
        (0..12).map(|index| PASSAGES[..1 + index % 6].join(" ") + "\n").collect();
    let question = "why does a lamp smoke?";
    let together = read(question, &passages, 128, (usize::MAX, FLOATS));
    assert_eq!(together.len(), 12);
    for (passage, expected) in passages.iter().zip(&together).take(6) {
        let alone = read(question, std::slice::from_ref(passage), 128, (usize::MAX, FLOATS))[0];
        assert!((alone - expected).abs() < 1e-3, "{alone} against {expected}");
    }
    let stopped = read(question, &passages, 128, (1, FLOATS));
    assert!((1..12).contains(&stopped.len()), "{stopped:?}");
    assert_eq!(stopped, together[..stopped.len()]);
    // A narrow window is another text.
    assert!(
        (read(question, &passages[5..6], 8, (usize::MAX, FLOATS))[0] - together[5]).abs() > 1e-2
    );
}
