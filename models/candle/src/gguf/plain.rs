//! Our GGUF -> one that other programs read. They refuse a file with tensors that they do not know, as our head's are.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use candle_core::Result;
use candle_core::quantized::gguf_file::{Content, Value};
use models::{MindError, prompt};

use crate::gguf::{convert, open};
use crate::meta::{Meta, Style};
use crate::names::{CHAT_TEMPLATE, OURS};

/// Writes the model at `source` to `out`, an empty file, as it thinks here: matrices of more than 8 bits in 8,
/// without the head and our keys. One that was trained on our markers gets a chat template that asks with them.
///
/// # Errors
/// [`MindError::Model`] if the source is unusable or the disk is full.
pub fn plain(source: &Path, out: &mut File) -> std::result::Result<(), MindError> {
    let mut model = open(source)?;
    let mut write = || -> Result<()> {
        let metadata = metadata(&model.content, &model.meta)?;
        let tensors = convert::thinking(&model.content, &mut model.file)?;
        convert::write_to(out, metadata.iter(), &tensors)
    };
    write().map_err(|error| MindError::Model(format!("{}: {error}", source.display())))
}

fn metadata(content: &Content, meta: &Meta) -> Result<BTreeMap<String, Value>> {
    let kept = content.metadata.iter().filter(|(key, _)| !key.starts_with(OURS));
    let mut metadata: BTreeMap<String, Value> =
        kept.map(|(key, value)| (key.clone(), value.clone())).collect();
    if convert::is_wide(content) {
        metadata.extend(convert::of_8_bits());
    }
    if meta.style == Style::Trained {
        let tokens =
            content.metadata.get("tokenizer.ggml.tokens").map(Value::to_vec).transpose()?;
        let spelt = |id: u32| match tokens.and_then(|tokens| tokens.get(id as usize)) {
            Some(token) => token.to_string(),
            None => candle_core::bail!("token {id} is outside the vocabulary"),
        };
        let roles = meta.roles;
        let (open, close) = (spelt(roles.query_open)?, spelt(roles.query_close)?);
        let template = prompt::chat_template(open, close, spelt(roles.thought)?);
        metadata.insert(CHAT_TEMPLATE.to_owned(), Value::String(template));
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::io::{Read, Seek};

    use candle_core::Device;
    use candle_core::quantized::GgmlDType;

    use super::*;
    use crate::gguf::Gguf;
    use crate::gguf::draft::{Draft, HIDDEN};
    use crate::names::{HEAD_BIAS, HEAD_WEIGHT, TOKEN_TABLE};

    /// `draft` as a file of ours with a head and a table, and what others get of it.
    fn exported(mut draft: Draft, style: Style) -> (Gguf, Content, File) {
        let folder = tempfile::tempdir().unwrap();
        let meta = open(&draft.write(folder.path())).unwrap().meta;
        for (key, value) in (Meta { width: 8, style, ..meta }).to_metadata() {
            draft.set(&key, value);
        }
        draft.tensor(HEAD_WEIGHT, &[8, HIDDEN + 32], GgmlDType::F32);
        draft.tensor(HEAD_BIAS, &[8], GgmlDType::F32);
        draft.tensor(TOKEN_TABLE, &[34, 32], GgmlDType::Q8_0);
        let ours = draft.write(folder.path());
        let theirs = folder.path().join("plain.gguf");
        plain(&ours, &mut File::create(&theirs).unwrap()).unwrap();
        // Not by our reader, to which a model without our keys is one that it might make its own.
        let mut file = File::open(&theirs).unwrap();
        (open(&ours).unwrap(), Content::read(&mut file).unwrap(), file)
    }

    fn bytes(content: &Content, file: &mut (impl Read + Seek), name: &str) -> (GgmlDType, Vec<u8>) {
        let tensor = content.tensor(file, name, &Device::Cpu).unwrap();
        (tensor.dtype(), tensor.data().unwrap().into_owned())
    }

    fn text<'a>(content: &'a Content, key: &str) -> &'a str {
        content.metadata[key].to_string().unwrap()
    }

    fn said(metadata: &HashMap<String, Value>) -> String {
        format!("{:?}", BTreeMap::from_iter(metadata))
    }

    #[test]
    fn others_get_what_thinks_and_nothing_else() {
        let wide = "blk.1.ffn_up.weight";
        for architecture in ["llama", "qwen2", "qwen3"] {
            let mut draft = Draft::new(architecture);
            draft.tensor(wide, &[96, HIDDEN], GgmlDType::F16);
            let (mut ours, theirs, mut file) = exported(draft, Style::Chat);
            let mut names: Vec<String> = ours.content.tensor_infos.keys().cloned().collect();
            names.retain(|name| !name.starts_with(OURS));
            assert_eq!(names.len(), theirs.tensor_infos.len());
            for name in names.iter().filter(|name| *name != wide) {
                let own = bytes(&ours.content, &mut ours.file, name);
                assert!(own == bytes(&theirs, &mut file, name), "{name}");
            }
            assert_eq!(bytes(&theirs, &mut file, wide).0, GgmlDType::Q8_0);
            let mut keys = ours.content.metadata.clone();
            keys.retain(|key, _| !key.starts_with(OURS));
            keys.extend(convert::of_8_bits());
            assert_eq!(said(&keys), said(&theirs.metadata));
        }
    }

    #[test]
    fn a_model_that_was_trained_to_think_says_how_it_is_asked() {
        let (ours, theirs, _) = exported(Draft::new("llama"), Style::Trained);
        assert_eq!(ours.meta.roles.query_open, 2);
        assert_eq!(
            text(&theirs, CHAT_TEMPLATE),
            "{{ '<a>' + messages[-1]['content'] + '<b><c>' }}"
        );
        assert_eq!(text(&theirs, "general.name"), text(&ours.content, "general.name"));
    }
}
