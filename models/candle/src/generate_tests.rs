//! Batched writing on the real model: as one by one, and as mistral.rs writes.

use candle_core::Device;
use models::explore;

use crate::author::{Author, Manner, Task};
use crate::encoder_tests::model_path;
use crate::train::merge;

const PASSAGE: &str = "The keeper trims the wick twice a night. A wick that is too long smokes and \
                       blackens the glass, so the lamp gives less light.";

#[test]
fn a_batch_is_written_as_its_members_alone() {
    let author = Author::open(&model_path(), &Device::Cpu).expect("opens");
    let tasks = [
        Task::Question { passage: PASSAGE, opening: "Why" },
        Task::Thought { query: "why does a lamp smoke", examples: Vec::new() },
        Task::Informed { query: "how often is a wick trimmed?", passage: PASSAGE },
    ];
    let manner = Manner { tokens_max: 24, temperature: 0.0, top_p: 1.0, seed: 0 };
    let together = author.write(&tasks, &manner, &mut |_| {}).expect("writes");
    for (task, expected) in tasks.iter().zip(&together) {
        let alone = author.write(std::slice::from_ref(task), &manner, &mut |_| {});
        assert_eq!(&alone.expect("writes")[0], expected, "{task:?}");
    }
    let question = explore::question(&together[0]);
    assert!(question.is_some(), "no question: {together:?}");
}

#[test]
fn candle_writes_what_mistral_does() {
    let texts = ["why does a lamp smoke", "how do plants make food", "what is a lock file for"];
    let (tokens, equal) = merge::greedy(&model_path(), &texts, &Device::Cpu).expect("writes");
    // mistral.rs rounds what it multiplies to 8 bits, which decides between two tokens that are as
    // likely; from there on the texts are two. Other weights would part at the first token.
    assert!(tokens > 30 && 2 * equal >= tokens, "{equal} of {tokens} tokens are the same");
}
