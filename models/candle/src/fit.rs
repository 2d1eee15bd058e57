//! The head in closed form: ridge regression from pooled states onto the teacher's vectors.
//!
//! Raw language-model states retrieve nothing; a linear map fitted on texts alone makes them an
//! embedding before any training (issue 2; the trained model starts from it). Questions and
//! passages go in as they are embedded when serving, each with its own markers.

use std::path::Path;
use std::time::Instant;

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
    pub texts: usize,
    pub tokens_per_second: f64,
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
            return Err(MindError::Inference(format!("{wanted} pairs are needed, there are {found}")));
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

/// Fits one head and reports on it.
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
) -> Result<(FittedHead, Report), MindError> {
    let meta = vocabulary.meta();
    let tokens_max = meta.sequence_tokens_max();
    let encoder = Encoder::open(model, exits.clone(), tokens_max, &Device::Cpu)?;
    let started = Instant::now();
    let sequences = sequences(vocabulary, &lesson.train)?;
    let tokens: usize = sequences.iter().map(|sequence| sequence.ids.len()).sum();
    let mut sums: Option<Sums> = None;
    let targets: Vec<&Embedding> = lesson.train.iter().flat_map(|(_, vectors)| vectors).collect();
    // Neighbours in length share a batch, so a chunk is cut from the order of lengths.
    let mut order: Vec<usize> = (0..sequences.len()).collect();
    order.sort_by_key(|index| sequences[*index].ids.len());
    for (chunk, indices) in order.chunks(CHUNK).enumerate() {
        let rows: Vec<Sequence> = indices.iter().map(|index| sequences[*index].clone()).collect();
        let x = encoder.pool(&rows)?;
        let y: Vec<&[f32]> = indices.iter().map(|index| targets[*index].as_slice()).collect();
        let sums = sums.get_or_insert_with(|| Sums::new(x[0].len(), y[0].len()));
        sums.add(&x, &y).map_err(|error| MindError::Inference(error.to_string()))?;
        progress("states", (chunk * CHUNK + indices.len()).min(order.len()), order.len());
    }
    let tokens_per_second = tokens as f64 / started.elapsed().as_secs_f64();
    let sums = sums.ok_or_else(|| MindError::Inference("there is nothing to fit".to_owned()))?;
    let head = sums.solve(options.lambda)?;
    let fitted =
        FittedHead { head, exit_layers: exits.layers.clone(), pooling: exits.pooling };
    let mut report = judge(&encoder, vocabulary, &fitted.head, lesson)?;
    report.texts = sequences.len();
    report.tokens_per_second = tokens_per_second;
    Ok((fitted, report))
}

/// Question and passage of every pair, as they are embedded when serving.
fn sequences(
    vocabulary: &Vocabulary,
    pairs: &[(Pair, [Embedding; 2])],
) -> Result<Vec<Sequence>, MindError> {
    let mut sequences = Vec::with_capacity(2 * pairs.len());
    for (pair, _) in pairs {
        sequences.push(vocabulary.assemble(&prompt::query(&pair.query, None))?);
        sequences.push(vocabulary.assemble(&prompt::passage(&pair.pos[0]))?);
    }
    Ok(sequences)
}

fn judge(
    encoder: &Encoder,
    vocabulary: &Vocabulary,
    head: &Head,
    lesson: &Lesson,
) -> Result<Report, MindError> {
    let pooled = encoder.pool(&sequences(vocabulary, &lesson.held_out)?)?;
    let own = pooled.iter().map(|x| head.apply(x)).collect::<Result<Vec<_>, _>>()?;
    let teacher: Vec<Embedding> =
        lesson.held_out.iter().flat_map(|(_, vectors)| vectors.clone()).collect();
    let cosines = own.iter().zip(&teacher).map(|(a, b)| f64::from(a.dot(b)));
    Ok(Report {
        texts: 0,
        tokens_per_second: 0.0,
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

    /// W = ((X - x̄)ᵀ(X - x̄)/n + λI)⁻¹ (X - x̄)ᵀ(Y - ȳ)/n, b = ȳ - W x̄.
    fn solve(self, lambda: f64) -> Result<Head, MindError> {
        let (inputs, width, n) = (self.x.len(), self.y.len(), self.count);
        let (x, y): (Vec<f64>, Vec<f64>) =
            (self.x.iter().map(|v| v / n).collect(), self.y.iter().map(|v| v / n).collect());
        let covariance = DMatrix::from_fn(inputs, inputs, |i, j| {
            self.xx[(i, j)] / n - x[i] * x[j] + if i == j { lambda } else { 0.0 }
        });
        let cross = DMatrix::from_fn(inputs, width, |i, j| self.xy[(i, j)] / n - x[i] * y[j]);
        let solved = Cholesky::new(covariance)
            .ok_or_else(|| MindError::Numeric("states that are not independent".to_owned()))?
            .solve(&cross);
        let weight: Vec<f32> = (0..width)
            .flat_map(|out| solved.column(out).iter().map(|v| *v as f32).collect::<Vec<_>>())
            .collect();
        let bias = (0..width)
            .map(|out| (y[out] - solved.column(out).iter().zip(&x).map(|(w, x)| w * x).sum::<f64>()) as f32)
            .collect();
        Ok(Head { weight, bias, width, inputs })
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
        let head = sums.solve(1e-9).expect("solvable");
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
