//! The retrieval loss over a batch's vectors: InfoNCE, distillation of the teacher's scores, and
//! alignment with the teacher's vectors; with gradients with respect to every vector.

use candle_core::{Result, Tensor};

use super::bank::{self, Bank};
use super::recipe::Recipe;

/// What the rows (queries) of a batch are to find among its columns (passages).
#[derive(Debug, Clone, Default)]
pub(crate) struct Lesson {
    pub rows: usize,
    pub columns: usize,
    /// The column that answers each row.
    pub targets: Vec<usize>,
    /// rows × columns: whether a row may not see a column, since it answers the row too.
    pub masked: Vec<bool>,
    /// rows × columns: what the teacher gives; NaN where it said nothing. Empty without a teacher.
    pub teacher_scores: Vec<f32>,
    /// The teacher's vectors of all rows, then of all columns, each as wide as ours; empty without.
    pub teacher_vectors: Vec<f32>,
}

/// Means over the batch, each before its weight.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Losses {
    pub contrast: f64,
    pub scores: f64,
    pub ranking: f64,
    pub vectors: f64,
}

/// The losses, and the gradients of `weight · (contrast + α·scores + γ·ranking + β·vectors)`, α, γ and β
/// being the recipe's weights, with respect to the unit vectors of rows (r, width) and columns (c, width).
///
/// contrast: mean over rows of −log softmax(s/τ)[target]; scores: mean over rows of
/// −Σ softmax(t/τ')·log softmax(s/τ), both over the columns a row sees; ranking: the mean of
/// [`bank::divergence`] of rows and of columns; vectors: mean over all vectors of 1 − cosine.
///
/// # Errors
/// If an operation fails.
pub(crate) fn contrast(
    rows: &Tensor,
    columns: &Tensor,
    lesson: &Lesson,
    bank: Option<&Bank>,
    recipe: &Recipe,
    weight: f64,
) -> Result<(Losses, Tensor, Tensor)> {
    let scores: Vec<f32> = rows.matmul(&columns.t()?)?.flatten_all()?.to_vec1()?;
    let mut losses = Losses::default();
    let mut d_scores = vec![0f32; scores.len()];
    let share = 1.0 / lesson.rows.max(1) as f64;
    for row in 0..lesson.rows {
        let span = row * lesson.columns..(row + 1) * lesson.columns;
        let seen: Vec<usize> = (0..lesson.columns)
            .filter(|column| !lesson.masked[span.start + column] || *column == lesson.targets[row])
            .collect();
        let ours = &scores[span.clone()];
        let log_shares = log_softmax(&seen, recipe.temperature, &|column| ours[column]);
        let own = seen.iter().position(|column| *column == lesson.targets[row]);
        losses.contrast -= share * own.map_or(0.0, |own| log_shares[own]);
        let mut wanted = vec![0.0; seen.len()];
        if let Some(own) = own {
            wanted[own] = 1.0;
        }
        let mut pull = gradient(&log_shares, &wanted, 1.0);
        if let Some((loss, d)) = distilled(lesson, row, &seen, &log_shares, recipe) {
            losses.scores += share * loss;
            pull.iter_mut().zip(d).for_each(|(sum, d)| *sum += d);
        }
        for (column, pull) in seen.iter().zip(pull) {
            d_scores[span.start + column] = (weight * share * pull / recipe.temperature) as f32;
        }
    }
    let d_scores = Tensor::from_vec(d_scores, (lesson.rows, lesson.columns), rows.device())?;
    let mut d_rows = d_scores.matmul(columns)?;
    let mut d_columns = d_scores.t()?.matmul(rows)?;
    if let Some(bank) = bank.filter(|_| !lesson.teacher_vectors.is_empty()) {
        let weight = weight * recipe.teaching.ranking / 2.0;
        let theirs = teacher_vectors(rows, columns, lesson)?;
        let part = |ours: &Tensor, first: usize, bank: &Tensor| {
            let theirs = theirs.narrow(0, first, ours.dim(0)?)?;
            bank::divergence(ours, &theirs, bank, recipe, weight)
        };
        let (of_rows, d_of_rows) = part(rows, 0, &bank.passages)?;
        let (of_columns, d_of_columns) = part(columns, lesson.rows, &bank.queries)?;
        losses.ranking = (of_rows + of_columns) / 2.0;
        d_rows = (d_rows + d_of_rows)?;
        d_columns = (d_columns + d_of_columns)?;
    }
    if recipe.teaching.vectors > 0.0 && !lesson.teacher_vectors.is_empty() {
        let (loss, teacher) = aligned(rows, columns, lesson)?;
        losses.vectors = loss;
        let count = (lesson.rows + lesson.columns) as f64;
        let pull = (teacher * (-weight * recipe.teaching.vectors / count))?;
        d_rows = (d_rows + pull.narrow(0, 0, lesson.rows)?)?;
        d_columns = (d_columns + pull.narrow(0, lesson.rows, lesson.columns)?)?;
    }
    Ok((losses, d_rows, d_columns))
}

/// The loss of one row against the teacher's shares, and its weighted pull on the scores over τ.
fn distilled(
    lesson: &Lesson,
    row: usize,
    seen: &[usize],
    log_shares: &[f64],
    recipe: &Recipe,
) -> Option<(f64, Vec<f64>)> {
    let teaching = &recipe.teaching;
    if teaching.scores == 0.0 || lesson.teacher_scores.is_empty() {
        return None;
    }
    let theirs = &lesson.teacher_scores[row * lesson.columns..(row + 1) * lesson.columns];
    let known: Vec<usize> = (0..seen.len()).filter(|i| !theirs[seen[*i]].is_nan()).collect();
    if known.len() < 2 {
        return None;
    }
    let columns: Vec<usize> = known.iter().map(|i| seen[*i]).collect();
    let wanted: Vec<f64> = log_softmax(&columns, teaching.temperature, &|column| theirs[column])
        .into_iter()
        .map(f64::exp)
        .collect();
    // Our own shares among the columns that the teacher knows.
    let rest = known.iter().map(|i| log_shares[*i].exp()).sum::<f64>().ln();
    let own: Vec<f64> = known.iter().map(|i| log_shares[*i] - rest).collect();
    let loss = -wanted.iter().zip(&own).map(|(wanted, own)| wanted * own).sum::<f64>();
    let mut pull = vec![0.0; seen.len()];
    for (i, d) in known.iter().zip(gradient(&own, &wanted, teaching.scores)) {
        pull[*i] = d;
    }
    Some((loss, pull))
}

/// Mean of 1 − cosine over all vectors, and the teacher's (rows + columns, width).
fn aligned(rows: &Tensor, columns: &Tensor, lesson: &Lesson) -> Result<(f64, Tensor)> {
    let own = Tensor::cat(&[rows, columns], 0)?;
    let teacher = teacher_vectors(rows, columns, lesson)?;
    let cosines: Vec<f32> = (&own * &teacher)?.sum(1)?.to_vec1()?;
    let mean = cosines.iter().map(|cosine| f64::from(*cosine)).sum::<f64>() / cosines.len() as f64;
    Ok((1.0 - mean, teacher))
}

/// The teacher's vectors of rows and columns, (rows + columns, width).
fn teacher_vectors(rows: &Tensor, columns: &Tensor, lesson: &Lesson) -> Result<Tensor> {
    let shape = (rows.dim(0)? + columns.dim(0)?, rows.dim(1)?);
    Tensor::from_slice(&lesson.teacher_vectors, shape, rows.device())
}

fn log_softmax(columns: &[usize], temperature: f64, score: &dyn Fn(usize) -> f32) -> Vec<f64> {
    let scaled: Vec<f64> =
        columns.iter().map(|column| f64::from(score(*column)) / temperature).collect();
    let max = scaled.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum = scaled.iter().map(|score| (score - max).exp()).sum::<f64>().ln();
    scaled.iter().map(|score| score - max - sum).collect()
}

/// Of −Σ wanted·log softmax(z) with respect to z, times `weight`.
fn gradient(log_shares: &[f64], wanted: &[f64], weight: f64) -> Vec<f64> {
    log_shares.iter().zip(wanted).map(|(log, wanted)| weight * (log.exp() - wanted)).collect()
}
