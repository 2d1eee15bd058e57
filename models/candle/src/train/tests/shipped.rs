//! The adapter that ships: merged into the real base model, the file that people get.

use candle_core::Device;

use crate::encoder_tests::model_path;
use crate::gguf;
use crate::train::merge;

#[test]
fn the_shipped_model_computes_what_base_and_adapter_do() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("merged.gguf");
    let base = model_path();
    let (adapter, named) = merge::shipped().unwrap();
    assert_eq!(adapter.about.notes["base"], gguf::fingerprint(&base).unwrap());
    merge::merge(&base, &adapter, &named, &out, &mut |_| {}).unwrap();
    assert!(named.grounded && named.thinks);
    assert!(named.describes(&gguf::open(&out).unwrap().meta));
    let texts =
        ["why does the lamp smoke", "how are cells made", "rename a branch", "what is lift"];
    let found = merge::check(&base, &adapter, &out, &texts, &Device::Cpu).unwrap();
    assert!(found.cosine > 0.999, "{found:?}");
    // mistral.rs rounds what it multiplies 8-bit layers with, so near ties fall the other way.
    assert!(found.tokens > 40 && 2 * found.equal > found.tokens, "{found:?}");
}
