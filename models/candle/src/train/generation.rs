//! Behaviour cloning: cross-entropy of the thoughts' tokens (L_gen of the paper).

use candle_core::{Module, Result, Tensor};

use super::network::{Network, Pass};
use super::ops;

/// Rows of logits at a time: 128 × 49,152 of them are 25 MB.
const ROWS: usize = 128;

/// A position, counted over the whole padded batch, and the token that its state is to predict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Label {
    pub position: usize,
    pub token: u32,
}

impl Network {
    /// The summed cross-entropy of `labels` on a pass that is at the top, and `scale` times its
    /// gradient with respect to the top states, (n, hidden). No labels give a loss of 0 and no
    /// gradient, where a mean over nothing would be NaN.
    ///
    /// # Errors
    /// If an operation fails.
    pub(crate) fn generation(
        &self,
        pass: &Pass,
        labels: &[Label],
        scale: f32,
    ) -> Result<(f64, Option<Tensor>)> {
        if labels.is_empty() {
            return Ok((0.0, None));
        }
        let device = self.device();
        let positions: Vec<u32> = labels.iter().map(|label| label.position as u32).collect();
        let positions = Tensor::from_vec(positions, labels.len(), device)?;
        let states = pass.states.index_select(&positions, 0)?;
        let normed = self.output_norm.forward(&states)?;
        let mut total = 0.0;
        let mut parts = Vec::new();
        for (index, labels) in labels.chunks(ROWS).enumerate() {
            let rows = normed.narrow(0, index * ROWS, labels.len())?;
            let logits = rows.matmul(&self.output.t()?)?;
            let targets: Vec<u32> = labels.iter().map(|label| label.token).collect();
            let (losses, d_logits) = ops::cross_entropy(&logits, &targets, scale)?;
            total += losses.iter().map(|loss| f64::from(*loss)).sum::<f64>();
            parts.push(d_logits.matmul(&self.output)?);
        }
        let d_normed = Tensor::cat(&parts, 0)?;
        let norm = &self.output_norm;
        let d_states = ops::rms_norm(&states, norm.weight(), norm.eps(), &d_normed)?;
        let d_top = pass.states.zeros_like()?.index_add(&positions, &d_states, 0)?;
        Ok((total, Some(d_top)))
    }
}
