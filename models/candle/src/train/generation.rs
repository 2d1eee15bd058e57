//! Behaviour cloning: cross-entropy of the thoughts' tokens (L_gen of the paper); and of a question's
//! after a passage, which [`super::reading`] learns from.

use candle_core::{Module, Result, Tensor};

use super::network::{Network, Pass};
use super::ops;
use crate::wide;

/// Rows of logits at a time: 128 × 49,152 of them are 25 MB.
const ROWS: usize = 128;

/// A position, counted over the whole padded batch, and the token that its state is to predict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Label {
    pub position: usize,
    pub token: u32,
    /// Of its cross-entropy in the loss; below zero where the token is to be less likely.
    pub weight: f32,
}

impl Network {
    /// The cross-entropy of each of `labels` on a pass that is at the top.
    ///
    /// # Errors
    /// If an operation fails.
    pub(crate) fn losses(&self, pass: &Pass, labels: &[Label]) -> Result<Vec<f32>> {
        if labels.is_empty() {
            return Ok(Vec::new());
        }
        let (_, states) = self.labelled(pass, labels)?;
        let normed = self.output_norm.forward(&states)?;
        let mut losses = Vec::with_capacity(labels.len());
        for (index, labels) in labels.chunks(ROWS).enumerate() {
            let rows = normed.narrow(0, index * ROWS, labels.len())?;
            losses.extend(ops::losses(
                &wide::times_transposed(&rows, &self.output)?,
                &tokens(labels),
            )?);
        }
        Ok(losses)
    }

    /// The summed cross-entropy of `labels` on a pass that is at the top, and the gradient of their
    /// weighted sum with respect to the top states, (n, hidden). No labels give a loss of 0 and no
    /// gradient, where a mean over nothing would be NaN.
    ///
    /// # Errors
    /// If an operation fails.
    pub(crate) fn generation(
        &self,
        pass: &Pass,
        labels: &[Label],
    ) -> Result<(f64, Option<Tensor>)> {
        if labels.is_empty() {
            return Ok((0.0, None));
        }
        let (positions, states) = self.labelled(pass, labels)?;
        let normed = self.output_norm.forward(&states)?;
        let mut total = 0.0;
        let mut parts = Vec::new();
        for (index, labels) in labels.chunks(ROWS).enumerate() {
            let rows = normed.narrow(0, index * ROWS, labels.len())?;
            let logits = wide::times_transposed(&rows, &self.output)?;
            let weights: Vec<f32> = labels.iter().map(|label| label.weight).collect();
            let (losses, d_logits) = ops::cross_entropy(&logits, &tokens(labels), &weights)?;
            total += losses.iter().map(|loss| f64::from(*loss)).sum::<f64>();
            parts.push(wide::times(&d_logits, &self.output)?);
        }
        let d_normed = Tensor::cat(&parts, 0)?;
        let norm = &self.output_norm;
        let d_states = ops::rms_norm(&states, norm.weight(), norm.eps(), &d_normed)?;
        let d_top = pass.states.zeros_like()?.index_add(&positions, &d_states, 0)?;
        Ok((total, Some(d_top)))
    }

    /// The labels' positions and the states there.
    fn labelled(&self, pass: &Pass, labels: &[Label]) -> Result<(Tensor, Tensor)> {
        let positions: Vec<u32> = labels.iter().map(|label| label.position as u32).collect();
        let positions = Tensor::from_vec(positions, labels.len(), self.device())?;
        let states = pass.states.index_select(&positions, 0)?;
        Ok((positions, states))
    }
}

fn tokens(labels: &[Label]) -> Vec<u32> {
    labels.iter().map(|label| label.token).collect()
}
