//! Two fused operations of the forward pass, in parallel on the CPU.
//!
//! candle's element-wise CPU operations run on one thread and each makes a tensor of its own; for
//! a model this small they cost as much as the matrix products. On other devices the same values
//! come from candle's own operations. No gradients here.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;
use rten_simd::{SimdOp, SimdUnaryOp};
use rten_vecmath::{Silu, Softmax};

/// Computes on a thread of rayon's, so that what runs on one thread finds in its cache what the others
/// left there, and none waits for an outsider to hand it the next product.
pub(crate) fn at_work<T: Send>(compute: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| compute())
}

/// `silu(gate) * up` for rows of `gate ‖ up`: (n, 2f) -> (n, f).
pub(crate) fn swiglu(gate_up: &Tensor) -> Result<Tensor> {
    if gate_up.device().is_cpu() {
        return gate_up.contiguous()?.apply_op1_no_bwd(&SwiGlu);
    }
    candle_nn::ops::swiglu(gate_up)
}

/// Causal softmax of `scores · scale` over the last dimension: (b, k, g·t, t) -> the same.
///
/// Row `r` belongs to query position `r % t`, since the g query heads that share a key head are
/// stacked; it sees keys `0..=r % t`, the others become 0.
pub(crate) fn causal_softmax(scores: &Tensor, scale: f32) -> Result<Tensor> {
    let (b, _, _, t) = scores.dims4()?;
    cached_softmax(scores, scale, t, &vec![0; b])
}

/// The same for `queries` positions at the end of the keys, (b, k, g·queries, t) -> the same; the
/// sequence in row `i` of the batch begins at key `starts[i]`, what is before it is padding. A
/// position in the padding sees nothing and gets zeros.
pub(crate) fn cached_softmax(
    scores: &Tensor,
    scale: f32,
    queries: usize,
    starts: &[usize],
) -> Result<Tensor> {
    let (b, k, rows, t) = scores.dims4()?;
    if scores.device().is_cpu() {
        let op = CausalSoftmax { scale, queries, starts: starts.to_vec() };
        return scores.contiguous()?.apply_op1_no_bwd(&op);
    }
    // Far below any score and finite, so that a row that sees nothing is no NaN.
    const HIDDEN: f32 = -1e9;
    let seen = |start: usize, i: usize, j: usize| (start..=i + t - queries).contains(&j);
    let mask: Vec<f32> = starts
        .iter()
        .flat_map(|start| (0..queries * t).map(move |at| (*start, at / t, at % t)))
        .map(|(start, i, j)| if seen(start, i, j) { 0.0 } else { HIDDEN })
        .collect();
    let mask = Tensor::from_vec(mask, (b, 1, 1, queries, t), scores.device())?;
    let shape = (b, k, rows / queries, queries, t);
    let scores = (scores * f64::from(scale))?.reshape(shape)?;
    let masked = scores.broadcast_add(&mask.to_dtype(scores.dtype())?)?;
    candle_nn::ops::softmax_last_dim(&masked)?.reshape((b, k, rows, t))
}

pub(crate) fn f32_slice<'a>(
    storage: &'a CpuStorage,
    layout: &Layout,
    name: &str,
) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&values[start..end]),
        _ => bail!("{name} takes contiguous f32"),
    }
}

struct SwiGlu;

impl CustomOp1 for SwiGlu {
    fn name(&self) -> &'static str {
        "swiglu"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let values = f32_slice(storage, layout, self.name())?;
        let mut dims = layout.dims().to_vec();
        let Some(last) = dims.last_mut().filter(|last| **last % 2 == 0) else {
            bail!("swiglu takes an even last dimension, got {:?}", layout.dims());
        };
        let width = *last / 2;
        *last = width;
        let mut out = vec![0f32; values.len() / 2];
        out.par_chunks_mut(width).zip(values.par_chunks(2 * width)).for_each(|(out, row)| {
            let (gate, up) = row.split_at(width);
            out.copy_from_slice(gate);
            Silu {}.map_mut(out);
            for (out, up) in out.iter_mut().zip(up) {
                *out *= up;
            }
        });
        Ok((CpuStorage::F32(out), Shape::from(dims)))
    }
}

struct CausalSoftmax {
    scale: f32,
    queries: usize,
    starts: Vec<usize>,
}

impl CustomOp1 for CausalSoftmax {
    fn name(&self) -> &'static str {
        "causal-softmax"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let values = f32_slice(storage, layout, self.name())?;
        let (_, k, rows, t) = layout.shape().dims4()?;
        let mut out = vec![0f32; values.len()];
        out.par_chunks_mut(t).zip(values.par_chunks(t)).enumerate().for_each(
            |(row, (out, scores))| {
                let end = row % self.queries + t - self.queries + 1;
                let seen = self.starts[row / (k * rows)].min(end)..end;
                if seen.is_empty() {
                    return;
                }
                let (out, scores) = (&mut out[seen.clone()], &scores[seen]);
                for (out, score) in out.iter_mut().zip(scores) {
                    *out = score * self.scale;
                }
                Softmax::new_mut(out).dispatch();
            },
        );
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;

    fn close(a: &Tensor, b: &Tensor) {
        let difference = (a - b).expect("shapes").abs().expect("abs").max_all().expect("max");
        assert!(difference.to_scalar::<f32>().expect("scalar") < 1e-6);
    }

    #[test]
    fn swiglu_is_candles() {
        let x = Tensor::randn(0f32, 2.0, (3, 5, 8), &Device::Cpu).expect("cpu");
        close(&swiglu(&x).expect("fused"), &candle_nn::ops::swiglu(&x).expect("candle"));
    }

    #[test]
    fn causal_softmax_is_a_masked_softmax() {
        let (g, t) = (3, 4);
        let x = Tensor::randn(0f32, 2.0, (2, 2, g * t, t), &Device::Cpu).expect("cpu");
        let mask: Vec<f32> = (0..g * t * t)
            .map(|i| if i % t <= i / t % t { 0.0 } else { f32::NEG_INFINITY })
            .collect();
        let mask = Tensor::from_vec(mask, (1, 1, g * t, t), &Device::Cpu).expect("cpu");
        let scaled = ((&x * 0.3).expect("scaled")).broadcast_add(&mask).expect("masked");
        let expected = candle_nn::ops::softmax_last_dim(&scaled).expect("softmax");
        close(&causal_softmax(&x, 0.3).expect("fused"), &expected);
    }
}
