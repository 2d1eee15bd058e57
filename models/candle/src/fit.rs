//! The head in closed form: ridge regression from pooled states onto the teacher's vectors.
//!
//! Raw language-model states retrieve nothing; a linear map fitted on texts alone makes them an
//! embedding before any training (models/README.md, Model). Questions and passages go in as they are embedded
//! when serving, each with its own markers.

use std::path::Path;

use candle_core::{Device, Tensor};
use models::dataset::Pair;
use models::{Embedding, MindError, prompt};
use nalgebra::{Cholesky, DMatrix};
use rand::SeedableRng;
use rand::seq::SliceRandom;

use crate::encoder::{Encoder, Exits};
use crate::head::{FittedHead, Head};
use crate::teacher::Teacher;
use crate::tokens::{Sequence, Vocabulary};

/// Texts pooled between two reports of progress, and rows added to the sums at a time.
const CHUNK: usize = 256;
/// Depth of the ranking that the held-out reciprocal rank is cut at.
const MRR_DEPTH: usize = 10;

/// Ridge that was measured to do well; states are RMS-normalised, so it needs no scale.
pub const LAMBDA: f64 = 0.01;

/// What to fit.
#[derive(Debug, Clone)]
pub struct Options {
    /// Pairs learnt from: each gives two texts, its question and its first positive.
    pub pairs: usize,
    /// Pairs set apart for the report.
    pub held_out: usize,
    /// Ridge, relative to the mean square of a feature (which is 1 for RMS-normalised states).
    pub lambda: f64,
    pub seed: u64,
}

/// How good a fitted head is on pairs it has not seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The exit layers that the head reads.
    pub layers: Vec<usize>,
    /// Mean cosine between head and teacher on held-out texts.
    pub cosine: f64,
    /// Mean reciprocal rank at 10 of a held-out question's passage among all held-out passages.
    pub mrr: f64,
    /// The same for the teacher.
    pub teacher_mrr: f64,
}

/// Pairs chosen by seed, with what the teacher makes of them: shared by all exits compared.
pub struct Lesson {
    train: Vec<(Pair, [Embedding; 2])>,
    held_out: Vec<(Pair, [Embedding; 2])>,
}

impl Lesson {
    /// Samples `options.pairs + options.held_out` of `pairs` and has the teacher embed them.
    ///
    /// # Errors
    /// [`MindError::Inference`] if there are too few pairs or the teacher fails.
    pub fn prepare(
        mut pairs: Vec<Pair>,
        teacher: &Teacher,
        options: &Options,
        progress: &mut dyn FnMut(&str, usize, usize),
    ) -> Result<Lesson, MindError> {
        let wanted = options.pairs + options.held_out;
        if pairs.len() < wanted {
            let found = pairs.len();
            return Err(MindError::Inference(format!(
                "{wanted} pairs are needed, there are {found}"
            )));
        }
        pairs.shuffle(&mut rand::rngs::StdRng::seed_from_u64(options.seed));
        pairs.truncate(wanted);
        let texts: Vec<&str> =
            pairs.iter().flat_map(|pair| [pair.query.as_str(), pair.pos[0].as_str()]).collect();
        let total = texts.len();
        let mut vectors =
            teacher.embed(&texts, &mut |done| progress("teacher", done, total))?.into_iter();
        let mut learnt: Vec<_> = Vec::with_capacity(wanted);
        for pair in pairs {
            if let (Some(query), Some(passage)) = (vectors.next(), vectors.next()) {
                learnt.push((pair, [query, passage]));
            }
        }
        let train = learnt.split_off(options.held_out);
        Ok(Lesson { train, held_out: learnt })
    }
}

/// A head on all of `exits`, and the reports: on it, then on each exit layer alone, which costs
/// no further pass since the sums of some inputs are part of the sums of all.
///
/// # Errors
/// [`MindError`] if the model cannot run or the system has no solution.
pub fn fit(
    model: &Path,
    vocabulary: &Vocabulary,
    exits: &Exits,
    lesson: &Lesson,
    options: &Options,
    progress: &mut dyn FnMut(&str, usize, usize),
) -> Result<(FittedHead, Vec<Report>), MindError> {
    let tokens_max = vocabulary.meta().sequence_tokens_max();
    let encoder = Encoder::open(model, exits.clone(), tokens_max, &Device::Cpu)?;
    let sums = Sums::of(&encoder, vocabulary, lesson, progress)?;
    let pooled =
        encoder.pool(&sequences(vocabulary, lesson.held_out.iter().map(|(pair, _)| pair))?.1)?;
    let layers = exits.layers.len();
    let all: Vec<usize> = (0..sums.x.len()).collect();
    let head = sums.solve(&all, options.lambda)?;
    let mut reports = vec![judge(&head, &all, &exits.layers, &pooled, lesson)?];
    if layers > 1 {
        for (inputs, layer) in all.chunks(all.len() / layers).zip(&exits.layers) {
            let head = sums.solve(inputs, options.lambda)?;
            reports.push(judge(&head, inputs, &[*layer], &pooled, lesson)?);
        }
    }
    let fitted = FittedHead { head, exit_layers: exits.layers.clone(), pooling: exits.pooling };
    Ok((fitted, reports))
}

/// Question and passage of every pair: as texts, and as they are embedded when serving.
pub(crate) fn sequences<'a>(
    vocabulary: &Vocabulary,
    pairs: impl IntoIterator<Item = &'a Pair>,
) -> Result<(Vec<&'a str>, Vec<Sequence>), MindError> {
    let (mut texts, mut sequences) = (Vec::new(), Vec::new());
    for pair in pairs {
        texts.extend([pair.query.as_str(), pair.pos[0].as_str()]);
        sequences.push(vocabulary.assemble(&prompt::query(&pair.query, None))?);
        sequences.push(vocabulary.assemble(&prompt::passage(&pair.pos[0]))?);
    }
    Ok((texts, sequences))
}

/// How `head` does on held-out texts, reading just `inputs` of their pooled states.
fn judge(
    head: &Head,
    inputs: &[usize],
    layers: &[usize],
    pooled: &[Vec<f32>],
    lesson: &Lesson,
) -> Result<Report, MindError> {
    let own = pooled
        .iter()
        .map(|x| head.apply(&inputs.iter().map(|index| x[*index]).collect::<Vec<_>>()))
        .collect::<Result<Vec<_>, _>>()?;
    let teacher: Vec<Embedding> =
        lesson.held_out.iter().flat_map(|(_, vectors)| vectors.clone()).collect();
    let cosines = own.iter().zip(&teacher).map(|(a, b)| f64::from(a.dot(b)));
    Ok(Report {
        layers: layers.to_vec(),
        cosine: cosines.sum::<f64>() / own.len().max(1) as f64,
        mrr: mrr(&own),
        teacher_mrr: mrr(&teacher),
    })
}

/// Mean reciprocal rank of each question's passage, vectors alternating question, passage.
fn mrr(vectors: &[Embedding]) -> f64 {
    let pairs: Vec<(&Embedding, &Embedding)> =
        vectors.chunks_exact(2).map(|pair| (&pair[0], &pair[1])).collect();
    let reciprocal = pairs.iter().map(|(query, own)| {
        let score = query.dot(own);
        let better = pairs.iter().filter(|(_, other)| query.dot(other) > score).count();
        if better < MRR_DEPTH { 1.0 / (better + 1) as f64 } else { 0.0 }
    });
    reciprocal.sum::<f64>() / pairs.len().max(1) as f64
}

impl Head {
    /// The embedding of pooled states `x`.
    fn apply(&self, x: &[f32]) -> Result<Embedding, MindError> {
        let rows = self.weight.chunks_exact(self.inputs).zip(&self.bias);
        let dot = |row: &[f32]| row.iter().zip(x).map(|(w, x)| w * x).sum::<f32>();
        Embedding::normalised(rows.map(|(row, bias)| dot(row) + bias).collect())
    }
}

/// Sums of x xᵀ, x yᵀ, x and y, in f64: the normal equations need no state twice.
struct Sums {
    xx: DMatrix<f64>,
    xy: DMatrix<f64>,
    x: Vec<f64>,
    y: Vec<f64>,
    count: f64,
}

impl Sums {
    fn new(inputs: usize, width: usize) -> Self {
        Sums {
            xx: DMatrix::zeros(inputs, inputs),
            xy: DMatrix::zeros(inputs, width),
            x: vec![0.0; inputs],
            y: vec![0.0; width],
            count: 0.0,
        }
    }

    /// The sums over all training texts of `lesson`.
    fn of(
        encoder: &Encoder,
        vocabulary: &Vocabulary,
        lesson: &Lesson,
        progress: &mut dyn FnMut(&str, usize, usize),
    ) -> Result<Sums, MindError> {
        let (_, sequences) = sequences(vocabulary, lesson.train.iter().map(|(pair, _)| pair))?;
        let targets: Vec<&Embedding> = lesson.train.iter().flat_map(|(_, pair)| pair).collect();
        // Neighbours in length share a batch, so a chunk is cut from the order of lengths.
        let mut order: Vec<usize> = (0..sequences.len()).collect();
        order.sort_by_key(|index| sequences[*index].ids.len());
        let mut sums: Option<Sums> = None;
        let mut done = 0;
        for indices in order.chunks(CHUNK) {
            let rows: Vec<Sequence> = indices.iter().map(|i| sequences[*i].clone()).collect();
            let x = encoder.pool(&rows)?;
            let y: Vec<&[f32]> = indices.iter().map(|i| targets[*i].as_slice()).collect();
            let sums = sums.get_or_insert_with(|| Sums::new(x[0].len(), y[0].len()));
            sums.add(&x, &y).map_err(|error| MindError::Inference(error.to_string()))?;
            done += indices.len();
            progress("states", done, order.len());
        }
        sums.ok_or_else(|| MindError::Inference("there is nothing to fit".to_owned()))
    }

    fn add(&mut self, x: &[Vec<f32>], y: &[&[f32]]) -> candle_core::Result<()> {
        for row in x {
            self.x.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        for row in y {
            self.y.iter_mut().zip(*row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        let (inputs, width) = (self.x.len(), self.y.len());
        let x_rows = Tensor::from_vec(x.concat(), (x.len(), inputs), &Device::Cpu)?;
        let y_rows = Tensor::from_vec(y.concat(), (y.len(), width), &Device::Cpu)?;
        let transposed = x_rows.t()?;
        accumulate(&mut self.xx, &transposed.matmul(&x_rows)?)?;
        accumulate(&mut self.xy, &transposed.matmul(&y_rows)?)?;
        self.count += x.len() as f64;
        Ok(())
    }

    /// W = ((X - x̄)ᵀ(X - x̄)/n + λI)⁻¹ (X - x̄)ᵀ(Y - ȳ)/n, b = ȳ - W x̄, for some of the inputs.
    fn solve(&self, inputs: &[usize], lambda: f64) -> Result<Head, MindError> {
        let (width, n) = (self.y.len(), self.count);
        let x: Vec<f64> = inputs.iter().map(|index| self.x[*index] / n).collect();
        let y: Vec<f64> = self.y.iter().map(|sum| sum / n).collect();
        let covariance = DMatrix::from_fn(x.len(), x.len(), |i, j| {
            let ridge = if i == j { lambda } else { 0.0 };
            self.xx[(inputs[i], inputs[j])] / n - x[i] * x[j] + ridge
        });
        let cross =
            DMatrix::from_fn(x.len(), width, |i, j| self.xy[(inputs[i], j)] / n - x[i] * y[j]);
        let solved = Cholesky::new(covariance)
            .ok_or_else(|| MindError::Numeric("states that are not independent".to_owned()))?
            .solve(&cross);
        let weight = solved.iter().map(|value| *value as f32).collect();
        let bias = solved.column_iter().zip(&y).map(|(column, y)| {
            let at_mean: f64 = column.iter().zip(&x).map(|(w, x)| w * x).sum();
            (y - at_mean) as f32
        });
        Ok(Head { weight, bias: bias.collect(), width, inputs: x.len(), table: None })
    }
}

fn accumulate(sum: &mut DMatrix<f64>, addend: &Tensor) -> candle_core::Result<()> {
    for (i, row) in addend.to_vec2::<f32>()?.iter().enumerate() {
        for (j, value) in row.iter().enumerate() {
            sum[(i, j)] += f64::from(*value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ridge_recovers_a_known_map() {
        // y = [2 x0 - x1 + 3, x1]; three exact points, no ridge to speak of.
        let x = [vec![0.0, 0.0], vec![1.0, 0.0], vec![0.0, 1.0], vec![2.0, 5.0]];
        let y: Vec<Vec<f32>> = x.iter().map(|x| vec![2.0 * x[0] - x[1] + 3.0, x[1]]).collect();
        let mut sums = Sums::new(2, 2);
        sums.add(&x, &y.iter().map(Vec::as_slice).collect::<Vec<_>>()).expect("sizes agree");
        let head = sums.solve(&[0, 1], 1e-9).expect("solvable");
        for (found, expected) in head.weight.iter().zip([2.0, -1.0, 0.0, 1.0]) {
            assert!((found - expected).abs() < 1e-4, "{:?}", head.weight);
        }
        assert!((head.bias[0] - 3.0).abs() < 1e-4 && head.bias[1].abs() < 1e-4);
    }

    #[test]
    fn mrr_counts_the_better_ones() {
        let at = |angle: f32| Embedding::normalised(vec![angle.cos(), angle.sin()]).expect("unit");
        // The first question's passage is nearest to it; the second's comes after the first's.
        let vectors = [at(0.0), at(0.1), at(0.2), at(1.0)];
        assert!((mrr(&vectors) - (1.0 + 0.5) / 2.0).abs() < 1e-9);
    }
}
