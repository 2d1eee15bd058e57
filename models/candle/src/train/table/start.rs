//! Where a table of token vectors begins: with what the teacher makes of each token alone, as
//! model2vec does (github.com/MinishLab/model2vec).

use candle_core::{Device, Result, Tensor, bail};
use models::MindError;
use nalgebra::{DMatrix, SymmetricEigen};

use crate::head::Table;

/// A token that makes up this share of a text counts half of one that is never seen: the smooth
/// inverse frequency of Arora et al. (2017), who found 1e-3 to 1e-4 best.
const FREQUENCY: f64 = 1e-3;
/// Of the means in the embedding at the start. Few tokens of a text carry weight, so their mean is
/// short beside the rest of the head's sum; 2 was measured to bring it nearest to the teacher.
const GAIN: f64 = 2.0;

/// A table of token vectors and the head's columns for it.
#[derive(Debug, Clone, PartialEq)]
pub struct TableStart {
    pub(crate) table: Table,
    /// (embedding width, table width), row-major.
    pub(crate) columns: Vec<f32>,
}

impl TableStart {
    /// The `width` principal components of the teacher's `vectors` of single tokens, in order of ids,
    /// less their mean and weighed by how rarely they are seen; `counts` says how often.
    ///
    /// # Errors
    /// [`MindError::Model`] if the vectors are narrower than the table.
    pub fn of(
        vectors: &[&[f32]],
        counts: &[usize],
        width: usize,
    ) -> std::result::Result<TableStart, MindError> {
        components(vectors, counts, width)
            .map_err(|error| MindError::Model(format!("a table of token vectors: {error}")))
    }
}

fn components(vectors: &[&[f32]], counts: &[usize], width: usize) -> Result<TableStart> {
    let teacher = vectors.first().map_or(0, |vector| vector.len());
    if width == 0 || width > teacher {
        bail!("it can be 1 to {teacher} wide, as the teacher's vectors are, not {width}");
    }
    let total: f64 = counts.iter().map(|count| *count as f64 + 1.0).sum();
    let weight = |count: &usize| FREQUENCY / (FREQUENCY + (*count as f64 + 1.0) / total);
    let weights: Vec<f32> = counts.iter().map(|count| weight(count) as f32).collect();
    let weights = Tensor::from_vec(weights, (vectors.len(), 1), &Device::Cpu)?;
    let all = Tensor::from_vec(vectors.concat(), (vectors.len(), teacher), &Device::Cpu)?;
    let weighed = all.broadcast_sub(&all.mean_keepdim(0)?)?.broadcast_mul(&weights)?;
    let squares = weighed.t()?.matmul(&weighed)?.flatten_all()?.to_vec1::<f32>()?;
    let squares = squares.into_iter().map(f64::from);
    let eigen = SymmetricEigen::new(DMatrix::from_iterator(teacher, teacher, squares));
    let mut order: Vec<usize> = (0..teacher).collect();
    order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
    order.truncate(width);
    let at = |row: usize, rank: &usize| eigen.eigenvectors[(row, *rank)];
    let grid = (0..teacher).flat_map(|row| order.iter().map(move |rank| at(row, rank)));
    let axes: Vec<f64> = grid.collect();
    let columns = axes.iter().map(|value| (GAIN * value) as f32).collect();
    let axes: Vec<f32> = axes.into_iter().map(|value| value as f32).collect();
    let axes = Tensor::from_vec(axes, (teacher, width), &Device::Cpu)?;
    let rows = weighed.matmul(&axes)?;
    Ok(TableStart { table: Table { rows: rows.flatten_all()?.to_vec1()?, width }, columns })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three tokens on a line through their mean: one component says all of it.
    #[test]
    fn the_first_component_is_the_direction_that_tokens_differ_in() {
        let vectors: [&[f32]; 3] = [&[1.0, 5.0], &[4.0, 9.0], &[7.0, 13.0]];
        let start = TableStart::of(&vectors, &[0, 0, 0], 1).unwrap();
        // All are as common, a third each: 1e-3 / (1e-3 + 1/3); the differences are (∓3, ∓4).
        let weight = 1e-3 / (1e-3 + 1.0 / 3.0);
        for (token, expected) in [-5.0, 0.0, 5.0].into_iter().enumerate() {
            // A component's sign is anyone's, and the columns have the same.
            let told: Vec<f32> =
                start.columns.iter().map(|column| column * start.table.rows[token]).collect();
            let wanted = [0.6, 0.8].map(|part| (2.0 * weight * expected * part) as f32);
            for (told, wanted) in told.iter().zip(wanted) {
                assert!((told - wanted).abs() < 1e-5, "{told} {wanted}");
            }
        }
    }

    #[test]
    fn a_common_token_weighs_less_and_a_table_is_no_wider_than_the_teacher() {
        let vectors: [&[f32]; 2] = [&[-1.0, 0.0], &[1.0, 0.0]];
        let start = TableStart::of(&vectors, &[996, 2], 2).unwrap();
        let length = |row: &[f32]| row.iter().map(|value| value * value).sum::<f32>().sqrt();
        let rows: Vec<f32> = start.table.rows.chunks_exact(2).map(length).collect();
        assert!((rows[0] - 1e-3 / 0.998).abs() < 1e-6 && (rows[1] - 0.25).abs() < 1e-6, "{rows:?}");
        let error = TableStart::of(&vectors, &[1, 1], 3).unwrap_err().to_string();
        assert!(error.contains("1 to 2 wide"), "{error}");
    }
}
