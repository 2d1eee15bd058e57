//! A frozen linear map with a low-rank one beside it (LoRA, arXiv 2106.09685), forward and
//! backward.
//!
//! `y = x Wᵀ + bias + s·(drop(x) Aᵀ) Bᵀ`, with A (rank, in), B (out, rank) and s = alpha / rank. Only
//! A and B get gradients: candle's own backward of a product computes the frozen weight's as well,
//! which is a third of the cost of a step.

use candle_core::{Result, Tensor};
use candle_nn::Linear;

use super::ops;
use crate::wide;

/// The trainable part of one map.
#[derive(Debug, Clone)]
pub(super) struct Lora {
    /// (rank, in).
    pub a: Tensor,
    /// (out, rank).
    pub b: Tensor,
    /// alpha / rank.
    pub scale: f64,
    pub dropout: f32,
}

/// What the backward pass needs of the forward pass besides the input.
#[derive(Debug, Clone)]
pub(super) struct Saved {
    /// drop(x) Aᵀ, (n, rank); absent without a low-rank part.
    low: Option<Tensor>,
    /// Of the dropout's mask.
    seed: u64,
}

/// dA and dB.
pub(super) type LoraGradient = (Tensor, Tensor);

/// (n, in) -> (n, out). `seed` draws the dropout; `None` is without.
pub(super) fn forward(
    linear: &Linear,
    lora: Option<&Lora>,
    x: &Tensor,
    seed: Option<u64>,
) -> Result<(Tensor, Saved)> {
    let mut y = wide::times_transposed(x, linear.weight())?;
    if let Some(bias) = linear.bias() {
        y = y.broadcast_add(bias)?;
    }
    let Some(lora) = lora else { return Ok((y, Saved { low: None, seed: 0 })) };
    let low = lora.input(x, seed)?.matmul(&lora.a.t()?)?;
    let y = (y + (low.matmul(&lora.b.t()?)? * lora.scale)?)?;
    Ok((y, Saved { low: Some(low), seed: seed.unwrap_or(0) }))
}

/// The gradients of the input, (n, in), and of the low-rank part, from the input and dy (n, out).
/// `dropped` says whether the forward pass had a dropout.
pub(super) fn backward(
    linear: &Linear,
    lora: Option<&Lora>,
    x: &Tensor,
    saved: &Saved,
    dropped: bool,
    dy: &Tensor,
) -> Result<(Tensor, Option<LoraGradient>)> {
    let dx = wide::times(dy, linear.weight())?;
    let (Some(lora), Some(low)) = (lora, &saved.low) else { return Ok((dx, None)) };
    let seed = dropped.then_some(saved.seed);
    let d_low = (dy.matmul(&lora.b)? * lora.scale)?;
    let d_b = (dy.t()?.matmul(low)? * lora.scale)?;
    let d_a = d_low.t()?.matmul(&lora.input(x, seed)?)?;
    // The mask is its own derivative.
    let through = lora.input(&d_low.matmul(&lora.a)?, seed)?;
    Ok(((dx + through)?, Some((d_a, d_b))))
}

impl Lora {
    fn input(&self, x: &Tensor, seed: Option<u64>) -> Result<Tensor> {
        match seed {
            Some(seed) if self.dropout > 0.0 => ops::dropout(x, self.dropout, seed),
            _ => Ok(x.clone()),
        }
    }
}
