//! Embedding models as they are published, against numpy on small ones of random weights.

use candle_core::DType;
use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::{Content, Value};
use models::Embedding;

use crate::decoder_tests::{Case, cases, tiny};
use crate::gguf::draft::{Draft, HIDDEN};
use crate::gguf::{HEAD_BIAS, HEAD_WEIGHT};
use crate::map::Numbers;
use crate::published::{Last, is_published};
use crate::tokens::Sequence;

#[test]
fn the_last_tokens_vector_agrees_with_numpy() {
    for Case { architecture, ids, published, .. } in &cases() {
        let folder = tempfile::tempdir().unwrap();
        let path = tiny(architecture).write(folder.path());
        let theirs = Embedding::normalised(published.clone()).unwrap();
        let sequence = |ids: &[u32]| Sequence { ids: ids.to_vec(), content: vec![true; ids.len()] };
        // Beside a longer text it is padded, and its last token is still its own.
        let texts = [sequence(ids), sequence(&[&ids[..], ids].concat())];
        for (numbers, least) in [(Numbers::Floats(DType::F32), 0.999_999), (Numbers::Bytes, 0.99)] {
            let ours = Last::of(&path, numbers).unwrap().embed(&texts).unwrap();
            let cosine = ours[0].dot(&theirs);
            assert!(cosine >= least, "{architecture} {numbers:?}: {cosine}");
            assert!(ours[1].dot(&theirs) < 0.9, "{architecture}: another text, the same vector");
        }
    }
}

#[test]
fn a_question_is_instructed_and_both_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = Draft::new("qwen3").write(folder.path());
    let last = Last::of(&path, Numbers::Floats(DType::F32)).unwrap();
    let (asked, other) = (last.question(" ab ").unwrap().ids, last.question("cd").unwrap().ids);
    // "ab" is one token, and the end of sequence is 0.
    let (before, end) = asked.split_at(asked.len() - 2);
    assert_eq!((end, before.len()), (&[33, 0][..], other.len() - 3));
    assert!(other.starts_with(before) && before.len() > 60, "{before:?}");
    assert_eq!(last.passage("ab").unwrap().ids, [33, 0]);
    // A quarter of the context of 128 is a question's, a half is a passage's.
    assert_eq!(last.question(&"c".repeat(999)).unwrap().ids.len(), before.len() + 32 + 1);
    assert_eq!(last.passage(&"c".repeat(999)).unwrap().ids.len(), 64 + 1);
}

#[test]
fn a_file_says_that_it_embeds() {
    let published = |draft: &Draft| {
        let folder = tempfile::tempdir().unwrap();
        let mut file = std::fs::File::open(draft.write(folder.path())).unwrap();
        is_published(&Content::read(&mut file).unwrap())
    };
    let mut draft = Draft::new("qwen3");
    assert!(!published(&draft));
    // The mean, as BERTs have it.
    assert!(!published(draft.set("qwen3.pooling_type", Value::U32(1))));
    assert!(!published(draft.set("llama.pooling_type", Value::U32(3))));
    assert!(published(draft.set("qwen3.pooling_type", Value::U32(3))));
    draft.tensor(HEAD_WEIGHT, &[32, HIDDEN], GgmlDType::F32);
    draft.tensor(HEAD_BIAS, &[32], GgmlDType::F32);
    assert!(!published(&draft), "what was fitted here is read as it was fitted");
}
