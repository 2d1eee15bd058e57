//! How likely a question is after a passage: the layers that encoding leaves out, and the output.
//!
//! The encoder's layers come first and are the very same tensors, so reading adds the weights of the
//! others to memory, and nothing is computed in another way.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use candle_core::quantized::gguf_file::Content;
use candle_core::{D, DType, Result, Tensor};
use models::{MindError, OnRead, TokenCounter, prompt, window};
use rayon::prelude::*;
use rten_simd::SimdUnaryOp;
use rten_vecmath::Exp;

use crate::decoder::{Block, Decoder, Output};
use crate::map::Numbers;
use crate::ops;
use crate::tokens::Vocabulary;

/// Padded tokens in one batch. Smaller ones are slower by the token; after each one a client sees what
/// was read and a newer question may begin.
const BATCH_TOKENS_MAX: usize = 384;

/// See the module.
pub(crate) struct Reader {
    /// Those after the encoder's.
    blocks: Vec<Block>,
    output: Output,
    frame: Frame,
}

/// What stands around passage and question.
pub(crate) struct Frame {
    /// What a text begins with, if the model was made with such a token.
    start: Option<u32>,
    /// Tokens of [`prompt::READ_BETWEEN`].
    between: Vec<u32>,
}

/// What is read of one passage.
pub(crate) struct Text {
    pub ids: Vec<u32>,
    /// Where the question begins.
    pub question: usize,
}

impl Reader {
    /// Loads what `decoder` lacks of the GGUF at `path`, to be computed in `numbers`.
    ///
    /// # Errors
    /// [`MindError::Model`] naming the file.
    pub(crate) fn open(
        path: &Path,
        decoder: &Decoder,
        vocabulary: &Vocabulary,
        numbers: Numbers,
    ) -> std::result::Result<Reader, MindError> {
        let wrong =
            |error: candle_core::Error| MindError::Model(format!("{}: {error}", path.display()));
        let open = || -> Result<(BufReader<File>, Content)> {
            let mut file = BufReader::new(File::open(path)?);
            let content = Content::read(&mut file)?;
            Ok((file, content))
        };
        let (mut file, content) = open().map_err(wrong)?;
        Ok(Reader {
            blocks: decoder.rest(&content, &mut file, numbers).map_err(wrong)?,
            output: Output::load(&content, &mut file, decoder, numbers).map_err(wrong)?,
            frame: Frame::of(&content, vocabulary)?,
        })
    }

    /// See [`models::Mind::read`].
    ///
    /// # Errors
    /// [`MindError::Inference`] if an operation fails, [`MindError::Numeric`] on a bad value.
    pub(crate) fn read(
        &self,
        decoder: &Decoder,
        vocabulary: &Vocabulary,
        (question, passages): (&str, &[String]),
        window: usize,
        on_read: &mut OnRead<'_>,
    ) -> std::result::Result<Vec<f32>, MindError> {
        let text = |passage: &String| self.frame.text(vocabulary, question, passage, window);
        let texts = passages.iter().map(text).collect::<std::result::Result<Vec<_>, _>>()?;
        let mut read = Vec::with_capacity(texts.len());
        let mut rest = &texts[..];
        while !rest.is_empty() {
            let (batch, after) = rest.split_at(batch(rest));
            let values = ops::at_work(|| self.batch(decoder, batch));
            let values = values.map_err(|error| MindError::Inference(error.to_string()))?;
            if let Some(bad) = values.iter().find(|value| !value.is_finite()) {
                return Err(MindError::Numeric(format!("a log-probability of {bad}")));
            }
            read.extend(values);
            rest = after;
            if on_read(&read).is_break() {
                break;
            }
        }
        Ok(read)
    }

    /// The mean log-probability of each text's question.
    pub(crate) fn batch(&self, decoder: &Decoder, texts: &[Text]) -> Result<Vec<f32>> {
        let t = texts.iter().map(|text| text.ids.len()).max().unwrap_or(0);
        let mut ids = Vec::with_capacity(texts.len() * t);
        // Positions, in the batch as one list, whose next token is one of a question.
        let mut before: Vec<u32> = Vec::new();
        let mut asked = Vec::new();
        for (row, text) in texts.iter().enumerate() {
            before.extend((text.question - 1..text.ids.len() - 1).map(|at| (row * t + at) as u32));
            asked.extend_from_slice(&text.ids[text.question..]);
            ids.extend_from_slice(&text.ids);
            ids.resize((row + 1) * t, 0);
        }
        let states = decoder.forward(&ids, (texts.len(), t), &mut |_, _| Ok(()))?;
        let states = decoder.through(&self.blocks, states, &mut |_, _| Ok(()))?;
        let before = Tensor::new(before, states.device())?;
        let logits = self.output.logits(&states.flatten(0, 1)?.index_select(&before, 0)?)?;
        let width = logits.dim(D::Minus1)?;
        let mut logits: Vec<f32> = logits.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        let likely: Vec<f32> = logits
            .par_chunks_mut(width)
            .zip(&asked)
            .map(|(logits, token)| log_probability(logits, *token as usize))
            .collect();
        let mut rest = &likely[..];
        let mean = texts.iter().map(|text| {
            let (own, after) = rest.split_at(text.ids.len() - text.question);
            rest = after;
            own.iter().sum::<f32>() / own.len() as f32
        });
        Ok(mean.collect())
    }
}

impl Frame {
    /// The frame that the model of `content` is read in.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the tokenizer fails.
    pub(crate) fn of(
        content: &Content,
        vocabulary: &Vocabulary,
    ) -> std::result::Result<Frame, MindError> {
        let start = content.metadata.get("tokenizer.ggml.bos_token_id");
        Ok(Frame {
            start: start.and_then(|id| id.to_u32().ok()),
            between: vocabulary.encode(prompt::READ_BETWEEN, usize::MAX)?,
        })
    }

    /// The question after at most `tokens_max` tokens of the passage.
    ///
    /// # Errors
    /// [`MindError::Inference`] if the tokenizer fails.
    pub(crate) fn text(
        &self,
        vocabulary: &Vocabulary,
        question: &str,
        passage: &str,
        tokens_max: usize,
    ) -> std::result::Result<Text, MindError> {
        let tokens = |text: &str| vocabulary.count(text);
        let shown = window::window(question, passage.trim(), tokens_max, &tokens);
        let mut ids: Vec<u32> = self.start.into_iter().collect();
        ids.extend(vocabulary.encode(&shown, tokens_max)?);
        ids.extend_from_slice(&self.between);
        let begins = ids.len();
        ids.extend(vocabulary.encode(question.trim(), prompt::READ_QUESTION_TOKENS_MAX)?);
        Ok(Text { ids, question: begins })
    }
}

/// How many of `texts` are read together: as many as fit, at least one.
fn batch(texts: &[Text]) -> usize {
    let mut longest = 0;
    let fits = texts.iter().enumerate().take_while(|(index, text)| {
        longest = longest.max(text.ids.len());
        *index == 0 || (index + 1) * longest <= BATCH_TOKENS_MAX
    });
    fits.count()
}

/// Of `token`, in nats; leaves in `logits` what it was computed from.
fn log_probability(logits: &mut [f32], token: usize) -> f32 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    logits.iter_mut().for_each(|logit| *logit -= max);
    let own = logits[token];
    Exp {}.map_mut(logits);
    own - logits.iter().sum::<f32>().ln()
}
