//! A head for a model that came without one, fitted on the texts of whoever uses it.
//!
//! Which layers it reads was measured on the base model alone (models/README.md, Model); of others the
//! like share of their layers is taken.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_core::Device;
use models::dataset::Pair;
use models::{MindError, explore};

use crate::decoder::Config;
use crate::encoder::{Encoder, Exits};
use crate::fit::{self, Lesson, Options, Report};
use crate::gguf;
use crate::meta::Meta;
use crate::pooling::Pooling;
use crate::teacher::Teacher;
use crate::tokens::Vocabulary;

/// Passages without which there is no use in a fit: a map of hundreds of values onto hundreds.
pub const PASSAGES_MIN: usize = 50;
/// Passages that are fitted on: 20,000 texts made the shipped head, and more bring little.
const PASSAGES_MAX: usize = 10_000;
/// Of ten passages one is only judged on, but not more than make its rank known to .02.
const HELD_OUT_SHARE: usize = 10;
const HELD_OUT_MAX: usize = 500;
/// Values that the head reads: the sums of their products take 8 bytes by the square of it, 134 MB,
/// and are solved in its cube.
const INPUTS_MAX: usize = 4_096;
/// Layers of the base model, and those of them that its head reads.
const MEASURED_LAYERS: usize = 30;
const MEASURED_EXITS: [usize; 4] = [2, 4, 6, 8];
/// Passages that are tried to tell how long all of them take: batches as full as those of the fit.
const TRIED: usize = 32;

/// What there is to fit. Nothing has run yet.
pub struct Fitting<'a> {
    model: &'a Path,
    teacher: &'a Teacher,
    vocabulary: Arc<Vocabulary>,
    exits: Exits,
    /// A sentence of each passage as the question that it answers.
    pairs: Vec<Pair>,
    options: Options,
}

impl<'a> Fitting<'a> {
    /// Looks at the model, and draws from `passages` by `seed`.
    ///
    /// # Errors
    /// [`MindError::Model`] if the model cannot be used, [`MindError::Inference`] if there are too few
    /// passages.
    pub fn prepare(
        model: &'a Path,
        teacher: &'a Teacher,
        passages: Vec<String>,
        seed: u64,
    ) -> Result<Fitting<'a>, MindError> {
        let file = gguf::open(model)?;
        let config = Config::read(&file.content)
            .map_err(|error| MindError::Model(format!("{}: {error}", model.display())))?;
        let pairs = pairs(passages);
        if pairs.len() < PASSAGES_MIN {
            return Err(MindError::Inference(format!(
                "{} passages with a sentence are too few to fit a head on; {PASSAGES_MIN} are needed",
                pairs.len()
            )));
        }
        let held_out = (pairs.len() / HELD_OUT_SHARE).min(HELD_OUT_MAX);
        let learnt = (pairs.len() - held_out).min(PASSAGES_MAX);
        Ok(Fitting {
            model,
            teacher,
            vocabulary: file.vocabulary,
            exits: exits(config.layers, config.hidden),
            pairs,
            options: Options { pairs: learnt, held_out, lambda: fit::LAMBDA, seed },
        })
    }

    /// Passages that the fit will go through.
    pub fn passages(&self) -> usize {
        self.options.pairs + self.options.held_out
    }

    /// How long it will take on this machine, in whole seconds: passages from all over are tried, after
    /// one that the pages of both models are fetched for.
    ///
    /// # Errors
    /// [`MindError`] if the model or the teacher cannot run.
    pub fn estimate(&self) -> Result<Duration, MindError> {
        let tokens_max = self.vocabulary.meta().sequence_tokens_max();
        let encoder = Encoder::open(self.model, self.exits.clone(), tokens_max, &Device::Cpu)?;
        let go_through = |pairs: &[&Pair]| -> Result<(), MindError> {
            let (texts, sequences) = fit::sequences(&self.vocabulary, pairs.iter().copied())?;
            self.teacher.embed(&texts, &mut |_| {})?;
            encoder.pool(&sequences).map(|_| ())
        };
        let apart = self.pairs.len().div_ceil(TRIED).max(1);
        let tried: Vec<&Pair> = self.pairs.iter().step_by(apart).collect();
        go_through(&tried[..1])?;
        let begun = Instant::now();
        go_through(&tried)?;
        let each = begun.elapsed().as_secs_f64() / tried.len() as f64;
        Ok(Duration::from_secs((each * self.passages() as f64).ceil() as u64))
    }

    /// Fits, and writes the model with its head to `out`, whole or not at all.
    ///
    /// # Errors
    /// [`MindError`] if something cannot run, has no solution or cannot be written.
    pub fn make(
        self,
        out: &Path,
        progress: &mut dyn FnMut(&str, usize, usize),
    ) -> Result<Report, MindError> {
        let Fitting { model, teacher, vocabulary, exits, pairs, options } = self;
        let lesson = Lesson::prepare(pairs, teacher, &options, progress)?;
        let (head, reports) = fit::fit(model, &vocabulary, &exits, &lesson, &options, progress)?;
        let meta = Meta::fitted(&gguf::open(model)?.content, &head)?;
        let mut share = |share: f32| progress("writing", (share * 100.0) as usize, 100);
        gguf::convert(model, Some(&head.head), &meta, out, &mut share)?;
        let report = reports.into_iter().next();
        report.ok_or_else(|| MindError::Inference("nothing was fitted".to_owned()))
    }
}

/// Each text once, with the first of its sentences that is as long as a question.
fn pairs(passages: Vec<String>) -> Vec<Pair> {
    let mut known = HashSet::new();
    let mut pairs = Vec::new();
    for passage in passages {
        let Some(query) = explore::queries(&passage).first().map(|query| (*query).to_owned())
        else {
            continue;
        };
        if known.insert(passage.clone()) {
            pairs.push(Pair { query, pos: vec![passage], ..Pair::default() });
        }
    }
    pairs
}

/// The layers that lie as deep as the measured ones, the deepest of them where all are too wide.
fn exits(layers: usize, hidden: usize) -> Exits {
    let as_deep = |exit: usize| (exit * layers).div_ceil(MEASURED_LAYERS).clamp(1, layers);
    let mut exits: Vec<usize> = MEASURED_EXITS.into_iter().map(as_deep).collect();
    exits.dedup();
    let most = (INPUTS_MAX / hidden.max(1)).max(1);
    exits.drain(..exits.len().saturating_sub(most));
    Exits { layers: exits, pooling: Pooling::Mean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_lie_as_deep_as_the_measured_ones() {
        for (layers, hidden, expected) in [
            (30, 576, &[2, 4, 6, 8][..]),
            (32, 960, &[3, 5, 7, 9]),
            (24, 2048, &[5, 7]),
            (28, 1536, &[6, 8]),
            (2, 64, &[1]),
            (1, 100_000, &[1]),
        ] {
            assert_eq!(exits(layers, hidden).layers, expected, "{layers} layers");
        }
    }

    #[test]
    fn a_passage_is_found_by_a_sentence_of_its_own_once() {
        let passages =
            ["The wick is trimmed twice a night.", "Short.", "The wick is trimmed twice a night."];
        let found = pairs(passages.map(str::to_owned).to_vec());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].query, "The wick is trimmed twice a night.");
    }
}
