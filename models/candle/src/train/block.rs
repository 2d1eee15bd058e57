//! One decoder layer with low-rank parts: forward, keeping what backward needs, and backward.
//!
//! By hand rather than by candle's autograd: no weight's gradient is computed that is not trained,
//! element-wise chains are one pass each, and what is kept is known: some 8,500 values a token and
//! layer for SmolLM2, of which attention's probabilities are the part that grows with the length.

use candle_core::{D, Module, Result, Tensor};
use candle_nn::{Linear, RmsNorm, rotary_emb};

use super::linear::{self, Lora, LoraGradient};
use super::ops as backward_ops;
use crate::decoder::{Block, Config};
use crate::ops;

/// The maps of a layer that have low-rank parts, in this order everywhere.
pub(super) const SITES: [&str; 4] = ["attn_qkv", "attn_output", "ffn_gate_up", "ffn_down"];
const QKV: usize = 0;
const OUTPUT: usize = 1;
const GATE_UP: usize = 2;
const DOWN: usize = 3;

/// The low-rank parts of one layer, by [`SITES`].
pub(super) type Loras = [Option<Lora>; 4];
/// Their gradients.
pub(super) type Gradients = [Option<LoraGradient>; 4];

/// The map of `block` at one of the [`SITES`].
///
/// # Errors
/// If the weights are no floats.
pub(super) fn site(block: &Block, index: usize) -> Result<&Linear> {
    let map = match index {
        QKV => &block.qkv,
        OUTPUT => &block.output,
        GATE_UP => &block.gate_up,
        _ => &block.down,
    };
    map.linear()
}

/// What a layer is part of.
pub(super) struct Context<'a> {
    pub config: &'a Config,
    /// (t, head_dim / 2), for this batch's length.
    pub cos: Tensor,
    pub sin: Tensor,
    /// (batch, length).
    pub shape: (usize, usize),
    /// Draws the dropouts; `None` is without.
    pub seed: Option<u64>,
}

/// What one forward pass keeps. Tensors are (n, width) with n = batch · length unless said.
pub(super) struct Saved {
    x: Tensor,
    normed: Tensor,
    /// Before the norms of the heads, if there are any: (b, heads, t, d).
    raw_heads: Option<(Tensor, Tensor)>,
    /// Rotated: q (b, kv, g·t, d), k (b, kv, t, d); v (b, kv, t, d).
    q: Tensor,
    k: Tensor,
    v: Tensor,
    /// (b, kv, g·t, t).
    p: Tensor,
    mixed: Tensor,
    middle: Tensor,
    middle_normed: Tensor,
    gate_up: Tensor,
    low: [linear::Saved; 4],
}

impl Context<'_> {
    fn scale(&self) -> f32 {
        1.0 / (self.config.head_dim as f32).sqrt()
    }

    /// A dropout of its own for each site of each layer.
    fn seed(&self, layer: usize, site: usize) -> Option<u64> {
        self.seed.map(|seed| seed.wrapping_add((layer * SITES.len() + site) as u64 + 1))
    }

    /// Rotates by the positions, or back. llama GGUFs have their rows permuted for pairs of
    /// neighbours (see [`crate::decoder`]).
    fn rotate(&self, x: &Tensor, back: bool) -> Result<Tensor> {
        let sin = if back { self.sin.neg()? } else { self.sin.clone() };
        if self.config.neighbours() {
            rotary_emb::rope_i(x, &self.cos, &sin)
        } else {
            rotary_emb::rope(x, &self.cos, &sin)
        }
    }

    /// (n, count·d) columns from `start` heads on -> (b, count, t, d).
    fn heads(&self, qkv: &Tensor, start: usize, count: usize) -> Result<Tensor> {
        let (b, t) = self.shape;
        let d = self.config.head_dim;
        let part = qkv.narrow(D::Minus1, start * d, count * d)?.reshape((b, t, count, d))?;
        part.transpose(1, 2)?.contiguous()
    }

    /// The inverse: (b, count, t, d) -> (n, count·d).
    fn joined(&self, heads: &Tensor) -> Result<Tensor> {
        let (b, count, t, d) = heads.dims4()?;
        heads.transpose(1, 2)?.reshape((b * t, count * d))
    }
}

/// (n, hidden) -> (n, hidden), and what [`backward`] needs.
pub(super) fn forward(
    block: &Block,
    loras: &Loras,
    layer: usize,
    x: &Tensor,
    context: &Context<'_>,
) -> Result<(Tensor, Saved)> {
    let Config { heads, kv_heads, head_dim, .. } = *context.config;
    let (b, t) = context.shape;
    let apply = |index: usize, x: &Tensor| {
        let seed = context.seed(layer, index);
        linear::forward(site(block, index)?, loras[index].as_ref(), x, seed)
    };
    let normed = block.attention_norm.forward(x)?;
    let (qkv, low_qkv) = apply(QKV, &normed)?;
    let mut q = context.heads(&qkv, 0, heads)?;
    let mut k = context.heads(&qkv, heads, kv_heads)?;
    let v = context.heads(&qkv, heads + kv_heads, kv_heads)?;
    let raw_heads = block.head_norms.is_some().then(|| (q.clone(), k.clone()));
    if let Some((q_norm, k_norm)) = &block.head_norms {
        q = q_norm.forward(&q)?;
        k = k_norm.forward(&k)?;
    }
    let (q, k) = (context.rotate(&q, false)?, context.rotate(&k, false)?);
    // The query heads of one key head are stacked as rows, so keys are never copied.
    let q = q.reshape((b, kv_heads, heads / kv_heads * t, head_dim))?;
    let p = ops::causal_softmax(&q.matmul(&k.t()?)?, context.scale())?;
    let mixed = context.joined(&p.matmul(&v)?.reshape((b, heads, t, head_dim))?)?;
    let (attended, low_output) = apply(OUTPUT, &mixed)?;
    let middle = (x + attended)?;
    let middle_normed = block.ffn_norm.forward(&middle)?;
    let (gate_up, low_gate_up) = apply(GATE_UP, &middle_normed)?;
    let (fed, low_down) = apply(DOWN, &ops::swiglu(&gate_up)?)?;
    let y = (&middle + fed)?;
    let low = [low_qkv, low_output, low_gate_up, low_down];
    let x = x.clone();
    Ok((y, Saved { x, normed, raw_heads, q, k, v, p, mixed, middle, middle_normed, gate_up, low }))
}

/// dy (n, hidden) -> dx (n, hidden) and the gradients of the low-rank parts.
pub(super) fn backward(
    block: &Block,
    loras: &Loras,
    saved: &Saved,
    context: &Context<'_>,
    dy: &Tensor,
) -> Result<(Tensor, Gradients)> {
    let mut gradients: Gradients = [const { None }; 4];
    let dropped = context.seed.is_some();
    let mut back = |index: usize, x: &Tensor, dy: &Tensor| -> Result<Tensor> {
        let lora = loras[index].as_ref();
        let low = &saved.low[index];
        let (dx, gradient) = linear::backward(site(block, index)?, lora, x, low, dropped, dy)?;
        gradients[index] = gradient;
        Ok(dx)
    };
    let d_act = back(DOWN, &ops::swiglu(&saved.gate_up)?, dy)?;
    let d_gate_up = backward_ops::swiglu(&saved.gate_up, &d_act)?;
    let d_normed = back(GATE_UP, &saved.middle_normed, &d_gate_up)?;
    let d_middle = (dy + norm_backward(&block.ffn_norm, &saved.middle, &d_normed)?)?;
    let d_mixed = back(OUTPUT, &saved.mixed, &d_middle)?;
    let d_qkv = attention_backward(block, saved, context, &d_mixed)?;
    let d_normed = back(QKV, &saved.normed, &d_qkv)?;
    let dx = (d_middle + norm_backward(&block.attention_norm, &saved.x, &d_normed)?)?;
    Ok((dx, gradients))
}

/// The gradient of q ‖ k ‖ v, (n, all heads · d), from that of the mixed values.
fn attention_backward(
    block: &Block,
    saved: &Saved,
    context: &Context<'_>,
    d_mixed: &Tensor,
) -> Result<Tensor> {
    let Config { heads, kv_heads, head_dim, .. } = *context.config;
    let (b, t) = context.shape;
    let Saved { q, k, v, p, .. } = saved;
    let d_mixed = context.heads(d_mixed, 0, heads)?.reshape(q.shape())?;
    let d_p = d_mixed.matmul(&v.t()?)?;
    let d_v = p.t()?.matmul(&d_mixed)?;
    let d_scores = backward_ops::causal_softmax(p, &d_p, context.scale())?;
    let d_q = d_scores.matmul(k)?.reshape((b, heads, t, head_dim))?;
    let d_k = d_scores.t()?.matmul(q)?;
    let mut d_q = context.rotate(&d_q, true)?;
    let mut d_k = context.rotate(&d_k.contiguous()?, true)?;
    if let (Some((q_norm, k_norm)), Some((q, k))) = (&block.head_norms, &saved.raw_heads) {
        d_q = norm_backward(q_norm, q, &d_q)?;
        d_k = norm_backward(k_norm, k, &d_k)?;
    }
    debug_assert_eq!(d_v.dims4()?.1, kv_heads, "one value head for each key head");
    let parts = [context.joined(&d_q)?, context.joined(&d_k)?, context.joined(&d_v)?];
    Tensor::cat(&parts, D::Minus1)
}

fn norm_backward(norm: &RmsNorm, x: &Tensor, dy: &Tensor) -> Result<Tensor> {
    backward_ops::rms_norm(x, norm.weight(), norm.eps(), dy)
}
