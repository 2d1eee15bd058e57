//! Backward passes of the fused operations, and the loss over a vocabulary.
//!
//! Written by hand because candle's differentiable chains (`rms_norm_slow`, `rope_slow`, softmax,
//! silu) run element by element on one thread and keep every step of the chain; each of these is
//! one parallel pass over rows. On other devices the same values come from candle's operations.

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, D, DType, Layout, Result, Shape, Tensor, bail,
};
use rayon::prelude::*;

use crate::ops::f32_slice;

/// Of `y = x / sqrt(mean(x²) + eps) · weight`: dy (n, h) -> dx (n, h).
///
/// With r = 1/sqrt(mean(x²) + eps) and g = dy·weight: dx = r·g − x·r³/h·Σ(g·x).
pub(super) fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64, dy: &Tensor) -> Result<Tensor> {
    let (x, dy) = (x.contiguous()?, dy.contiguous()?);
    if x.device().is_cpu() {
        return x.apply_op3_no_bwd(&weight.contiguous()?, &dy, &RmsNorm { eps: eps as f32 });
    }
    let width = x.dim(D::Minus1)? as f64;
    let r = ((x.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?).recip()?;
    let g = dy.broadcast_mul(weight)?;
    let inner = ((&g * &x)?.sum_keepdim(D::Minus1)? / width)?;
    let along = x.broadcast_mul(&(r.powf(3.0)? * inner)?)?;
    g.broadcast_mul(&r)? - along
}

/// Of [`crate::ops::swiglu`]: (gate ‖ up) (n, 2f) and dy (n, f) -> d(gate ‖ up) (n, 2f).
pub(super) fn swiglu(gate_up: &Tensor, dy: &Tensor) -> Result<Tensor> {
    let (gate_up, dy) = (gate_up.contiguous()?, dy.contiguous()?);
    if gate_up.device().is_cpu() {
        return gate_up.apply_op2_no_bwd(&dy, &SwiGlu);
    }
    let parts = gate_up.chunk(2, D::Minus1)?;
    let (gate, up) = (&parts[0], &parts[1]);
    let sigmoid = candle_nn::ops::sigmoid(gate)?;
    let silu = (gate * &sigmoid)?;
    let slope = (&sigmoid + (&silu * (1.0 - &sigmoid)?)?)?;
    Tensor::cat(&[((&dy * up)? * slope)?, (dy * silu)?], D::Minus1)
}

/// Of [`crate::ops::causal_softmax`]: its result p and dp -> dscores = scale·p·(dp − Σ p·dp).
pub(super) fn causal_softmax(p: &Tensor, dp: &Tensor, scale: f32) -> Result<Tensor> {
    let dp = dp.contiguous()?;
    if p.device().is_cpu() {
        return p.apply_op2_no_bwd(&dp, &Softmax { scale });
    }
    let inner = (p * &dp)?.sum_keepdim(D::Minus1)?;
    (p * dp.broadcast_sub(&inner)?)? * f64::from(scale)
}

/// `x` with some values set to zero and the others divided by `1 - rate`. Which ones depends on
/// `seed` and the place alone, so the same call gives the same mask when the pass is repeated.
pub(super) fn dropout(x: &Tensor, rate: f32, seed: u64) -> Result<Tensor> {
    let x = x.contiguous()?;
    if x.device().is_cpu() {
        return x.apply_op1_no_bwd(&Dropout { rate, seed });
    }
    let mask = kept(rate, seed, x.elem_count());
    let mask = Tensor::from_vec(mask, x.shape(), x.device())?.to_dtype(x.dtype())?;
    x * mask
}

/// The normaliser (n) of (n, v) logits, and their cross-entropy (n) against `targets`.
fn normalised(logits: &Tensor, at: &Tensor) -> Result<(Tensor, Vec<f32>)> {
    let chosen = logits.gather(at, D::Minus1)?.squeeze(1)?.to_dtype(DType::F32)?;
    let normaliser = if logits.device().is_cpu() {
        logits.apply_op1_no_bwd(&LogSumExp)?
    } else {
        logits.to_dtype(DType::F32)?.log_sum_exp(D::Minus1)?
    };
    let losses = (&normaliser - chosen)?.to_vec1()?;
    Ok((normaliser, losses))
}

/// Cross-entropy of (n, v) logits against `targets`, (n).
pub(super) fn losses(logits: &Tensor, targets: &[u32]) -> Result<Vec<f32>> {
    let at = Tensor::from_slice(targets, (targets.len(), 1), logits.device())?;
    Ok(normalised(logits, &at)?.1)
}

/// The same, and the logits' gradients, each row's times its scale: softmax − one-hot.
pub(super) fn cross_entropy(
    logits: &Tensor,
    targets: &[u32],
    scales: &[f32],
) -> Result<(Vec<f32>, Tensor)> {
    let n = targets.len();
    let at = Tensor::from_slice(targets, (n, 1), logits.device())?;
    let (normaliser, losses) = normalised(logits, &at)?;
    let gradients = if logits.device().is_cpu() {
        let (targets, scales) = (targets.to_vec(), scales.to_vec());
        logits.apply_op2_no_bwd(&normaliser, &SoftmaxLess { targets, scales })?
    } else {
        let shares =
            logits.to_dtype(DType::F32)?.broadcast_sub(&normaliser.unsqueeze(1)?)?.exp()?;
        let ones = Tensor::ones((n, 1), DType::F32, logits.device())?;
        let less = shares.scatter_add(&at, &ones.neg()?, D::Minus1)?;
        let scales = Tensor::from_slice(scales, (n, 1), logits.device())?;
        less.broadcast_mul(&scales)?.to_dtype(logits.dtype())?
    };
    Ok((losses, gradients))
}

/// A number in [0, 1) for each place, by SplitMix64.
fn uniform(seed: u64, place: usize) -> f32 {
    let mut z = seed.wrapping_add((place as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 40) as f32 / (1u32 << 24) as f32
}

fn factor(rate: f32, seed: u64, place: usize) -> f32 {
    if uniform(seed, place) < rate { 0.0 } else { 1.0 / (1.0 - rate) }
}

fn kept(rate: f32, seed: u64, count: usize) -> Vec<f32> {
    (0..count).map(|place| factor(rate, seed, place)).collect()
}

/// Rows of the last dimension.
fn width(layout: &Layout) -> usize {
    layout.dims().last().copied().unwrap_or(1).max(1)
}

struct RmsNorm {
    eps: f32,
}

impl CustomOp3 for RmsNorm {
    fn name(&self) -> &'static str {
        "rms-norm-backward"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        dy: &CpuStorage,
        dy_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let h = width(x_layout);
        let x = f32_slice(x, x_layout, self.name())?;
        let weight = f32_slice(weight, weight_layout, self.name())?;
        let dy = f32_slice(dy, dy_layout, self.name())?;
        if weight.len() != h || dy.len() != x.len() {
            bail!("rms-norm-backward: {} values, {} weights, {}", x.len(), weight.len(), dy.len());
        }
        let mut out = vec![0f32; x.len()];
        out.par_chunks_mut(h).zip(x.par_chunks(h)).zip(dy.par_chunks(h)).for_each(
            |((out, x), dy)| {
                let (mut square, mut inner) = (0f32, 0f32);
                for ((x, dy), w) in x.iter().zip(dy).zip(weight) {
                    square += x * x;
                    inner += dy * w * x;
                }
                let r = 1.0 / (square / h as f32 + self.eps).sqrt();
                let along = r * r * r * inner / h as f32;
                for (((out, x), dy), w) in out.iter_mut().zip(x).zip(dy).zip(weight) {
                    *out = r * dy * w - x * along;
                }
            },
        );
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }
}

struct SwiGlu;

impl CustomOp2 for SwiGlu {
    fn name(&self) -> &'static str {
        "swiglu-backward"
    }

    fn cpu_fwd(
        &self,
        gate_up: &CpuStorage,
        layout: &Layout,
        dy: &CpuStorage,
        dy_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let f = width(dy_layout);
        let values = f32_slice(gate_up, layout, self.name())?;
        let dy = f32_slice(dy, dy_layout, self.name())?;
        if values.len() != 2 * dy.len() {
            bail!("swiglu-backward takes two inputs for each gradient");
        }
        let mut out = vec![0f32; values.len()];
        out.par_chunks_mut(2 * f).zip(values.par_chunks(2 * f)).zip(dy.par_chunks(f)).for_each(
            |((out, row), dy)| {
                let (gate, up) = row.split_at(f);
                let (d_gate, d_up) = out.split_at_mut(f);
                for i in 0..f {
                    let sigmoid = 1.0 / (1.0 + (-gate[i]).exp());
                    let silu = gate[i] * sigmoid;
                    d_up[i] = dy[i] * silu;
                    d_gate[i] = dy[i] * up[i] * (sigmoid + silu * (1.0 - sigmoid));
                }
            },
        );
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

struct Softmax {
    scale: f32,
}

impl CustomOp2 for Softmax {
    fn name(&self) -> &'static str {
        "causal-softmax-backward"
    }

    fn cpu_fwd(
        &self,
        p: &CpuStorage,
        layout: &Layout,
        dp: &CpuStorage,
        dp_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let t = width(layout);
        let p = f32_slice(p, layout, self.name())?;
        let dp = f32_slice(dp, dp_layout, self.name())?;
        let mut out = vec![0f32; p.len()];
        out.par_chunks_mut(t).zip(p.par_chunks(t)).zip(dp.par_chunks(t)).enumerate().for_each(
            |(row, ((out, p), dp))| {
                // Keys that the row does not see have p = 0, and so has their gradient.
                let seen = row % t + 1;
                let inner: f32 = p[..seen].iter().zip(dp).map(|(p, dp)| p * dp).sum();
                for ((out, p), dp) in out[..seen].iter_mut().zip(p).zip(dp) {
                    *out = self.scale * p * (dp - inner);
                }
            },
        );
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

struct Dropout {
    rate: f32,
    seed: u64,
}

impl CustomOp1 for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let h = width(layout);
        let x = f32_slice(x, layout, self.name())?;
        let mut out = vec![0f32; x.len()];
        out.par_chunks_mut(h).zip(x.par_chunks(h)).enumerate().for_each(|(row, (out, x))| {
            for (i, (out, x)) in out.iter_mut().zip(x).enumerate() {
                *out = x * factor(self.rate, self.seed, row * h + i);
            }
        });
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

struct LogSumExp;

impl CustomOp1 for LogSumExp {
    fn name(&self) -> &'static str {
        "log-sum-exp"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let v = width(layout);
        let logits = f32_slice(logits, layout, self.name())?;
        let sums: Vec<f32> = logits
            .par_chunks(v)
            .map(|row| {
                let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let sum: f64 = row.iter().map(|logit| f64::from((logit - max).exp())).sum();
                max + sum.ln() as f32
            })
            .collect();
        let shape = Shape::from(sums.len());
        Ok((CpuStorage::F32(sums), shape))
    }
}

struct SoftmaxLess {
    targets: Vec<u32>,
    scales: Vec<f32>,
}

impl CustomOp2 for SoftmaxLess {
    fn name(&self) -> &'static str {
        "softmax-less-one-hot"
    }

    fn cpu_fwd(
        &self,
        logits: &CpuStorage,
        layout: &Layout,
        normaliser: &CpuStorage,
        normaliser_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let v = width(layout);
        let logits = f32_slice(logits, layout, self.name())?;
        let normaliser = f32_slice(normaliser, normaliser_layout, self.name())?;
        if normaliser.len() != self.targets.len() || logits.len() != v * normaliser.len() {
            bail!("softmax-less-one-hot takes a target for each row");
        }
        let mut out = vec![0f32; logits.len()];
        out.par_chunks_mut(v).zip(logits.par_chunks(v)).enumerate().for_each(
            |(row, (out, logits))| {
                let scale = self.scales[row];
                for (out, logit) in out.iter_mut().zip(logits) {
                    *out = (logit - normaliser[row]).exp() * scale;
                }
                if let Some(target) = out.get_mut(self.targets[row] as usize) {
                    *target -= scale;
                }
            },
        );
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}
