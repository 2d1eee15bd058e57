//! The whole mind on the real base model: what resting changes, which is nothing.

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;

use models::{Mind, MindError, Part, Sampling};

use crate::device::DeviceChoice;
use crate::encoder_tests::model_path;

/// What the mind says to one question, by all that it can do.
fn answers(mind: &mut dyn Mind) -> Result<(Vec<f32>, String, Vec<f32>), MindError> {
    let question = "why does a lamp smoke?";
    let passages = ["A wick that is too long smokes.".to_owned(), "Bread needs time.".to_owned()];
    let read = mind.read(question, &passages, 64, &mut |_| ControlFlow::Continue(()))?;
    let greedy = Sampling { thoughts: 1, temperature: 0.0, tokens_max: 12, ..Sampling::default() };
    let thoughts = mind.think(question, "", &greedy, &mut |_| ControlFlow::Continue(()))?;
    let text = thoughts.iter().map(|thought| thought.text.as_str()).collect();
    let vector = mind.embed_query(question, &thoughts)?;
    Ok((vector.as_slice().to_vec(), text, read))
}

#[test]
fn what_thinks_is_loaded_beside_what_else_is_asked() {
    let mut mind = crate::open(&model_path(), DeviceChoice::Cpu).expect("opens");
    let before = answers(mind.as_mut()).expect("answers");
    for rests in [0, 1] {
        for _ in 0..2 {
            mind.rest();
            mind.wake(Part::Thinking).expect("wakes");
            mind.wake(Part::Thinking).expect("is on its way");
        }
        (0..rests).for_each(|_| mind.rest());
        assert_eq!(answers(mind.as_mut()).expect("answers again"), before, "{rests} rests");
    }
    // It ends with what it loads.
    mind.rest();
    mind.wake(Part::Thinking).expect("wakes");
}

#[test]
fn a_mind_that_rested_answers_as_before_unless_its_file_is_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    fs::copy(model_path(), &path).expect("copies");
    let mut mind = crate::open(&path, DeviceChoice::Cpu).expect("opens");
    let before = answers(mind.as_mut()).expect("answers");
    assert!(!before.1.is_empty());
    mind.rest();
    mind.rest();
    assert_eq!(answers(mind.as_mut()).expect("answers again"), before);

    // The same bytes under the same name are the same model.
    mind.rest();
    let copy = folder.path().join("copy.gguf");
    fs::copy(&path, &copy).expect("copies");
    fs::rename(&copy, &path).expect("renames");
    assert_eq!(answers(mind.as_mut()).expect("answers again"), before);

    mind.rest();
    let mut file = fs::OpenOptions::new().append(true).open(&path).expect("opens");
    file.write_all(b"more").expect("writes");
    let error = answers(mind.as_mut()).expect_err("another model").to_string();
    assert!(error.contains("has become another model"), "{error}");
}
