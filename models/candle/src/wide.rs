//! Products with a weight matrix by 512-bit vectors, where the processor computes them at full width.
//!
//! candle multiplies by `gemm` with 256-bit vectors. On an Intel with AVX-512 `gemmkit` takes just over
//! half of the time; on a Zen 4, whose 512-bit operations are two of 256, wider kernels were measured
//! to be up to a fifth slower, so that it keeps candle's. Chosen when the program runs; the numbers are
//! f32 either way and differ by rounding.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor, bail};
use candle_nn::Linear;
use gemmkit::{MatMut, MatRef, Parallelism};

use crate::ops::f32_slice;

/// Rows from which on it pays: fewer are bound by reading the weights.
const ROWS_MIN: usize = 16;

/// `map` of (.., in) `x`.
///
/// # Errors
/// If the sizes do not agree.
pub(crate) fn linear(map: &Linear, x: &Tensor) -> Result<Tensor> {
    let y = times_transposed(x, map.weight())?;
    match map.bias() {
        Some(bias) => y.broadcast_add(bias),
        None => Ok(y),
    }
}

/// `x Wᵀ` for (.., in) `x` and (out, in) `weight`: (.., out).
///
/// # Errors
/// If the sizes do not agree.
pub(crate) fn times_transposed(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    if usable(x, weight) {
        return x.contiguous()?.apply_op2_no_bwd(&weight.contiguous()?, &Product { turned: true });
    }
    match x.dims() {
        [b, t, k] => {
            // One product of two dimensions rather than a copy of the weights for each of the batch.
            let y = x.reshape((b * t, *k))?.matmul(&weight.t()?)?;
            y.reshape((*b, *t, weight.dim(0)?))
        }
        _ => x.matmul(&weight.t()?),
    }
}

/// `x W` for (n, out) `x` and (out, in) `weight`: (n, in), as a gradient goes back.
///
/// # Errors
/// If the sizes do not agree.
pub(crate) fn times(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    if usable(x, weight) {
        return x.contiguous()?.apply_op2_no_bwd(&weight.contiguous()?, &Product { turned: false });
    }
    x.matmul(weight)
}

fn usable(x: &Tensor, weight: &Tensor) -> bool {
    let floats = x.dtype() == DType::F32 && weight.dtype() == DType::F32;
    let rows = x.elem_count() / x.dims().last().copied().unwrap_or(1).max(1);
    // A library that was asked for is not to be passed by.
    let theirs = cfg!(any(feature = "mkl", feature = "accelerate"));
    let wide = !theirs && rows >= ROWS_MIN && is_wide();
    x.device().is_cpu() && floats && weight.rank() == 2 && wide
}

/// Whether 512-bit operations are no two halves here. Those of Zen 4 are, which has bfloat16 and not
/// half precision; older Intels have neither, newer ones have both, Zen 5 can intersect.
#[cfg(target_arch = "x86_64")]
fn is_wide() -> bool {
    static WIDE: OnceLock<bool> = OnceLock::new();
    *WIDE.get_or_init(|| {
        is_x86_feature_detected!("avx512f")
            && (!is_x86_feature_detected!("avx512bf16")
                || is_x86_feature_detected!("avx512fp16")
                || is_x86_feature_detected!("avx512vp2intersect"))
    })
}

#[cfg(not(target_arch = "x86_64"))]
fn is_wide() -> bool {
    false
}

struct Product {
    /// Whether the weights are (out, in).
    turned: bool,
}

impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "wide-product"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, columns) = weight_layout.shape().dims2()?;
        let (k, n) = if self.turned { (columns, rows) } else { (rows, columns) };
        let mut dims = x_layout.dims().to_vec();
        let Some(last) = dims.last_mut().filter(|last| **last == k) else {
            bail!("a product of {:?} with {:?}", x_layout.dims(), weight_layout.dims());
        };
        *last = n;
        let x = f32_slice(x, x_layout, self.name())?;
        let weight = f32_slice(weight, weight_layout, self.name())?;
        let m = x.len() / k.max(1);
        let mut out = vec![0f32; m * n];
        let weight = match self.turned {
            true => MatRef::new(weight, k, n, 1, k as isize),
            false => MatRef::from_row_major(weight, k, n),
        };
        let (x, y) = (MatRef::from_row_major(x, m, k), MatMut::from_row_major(&mut out, m, n));
        gemmkit::gemm(1.0, x, weight, 0.0, y, Parallelism::Rayon(0));
        Ok((CpuStorage::F32(out), Shape::from(dims)))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;

    fn close(a: &Tensor, b: &Tensor) {
        assert_eq!(a.dims(), b.dims());
        let difference = (a - b).expect("shapes").abs().expect("abs").max_all().expect("max");
        assert!(difference.to_scalar::<f32>().expect("scalar") < 1e-3, "{difference}");
    }

    #[test]
    fn products_are_candles() {
        for (rows, out, input) in [(16, 5, 7), (100, 576, 192), (33, 130, 64), (1, 9, 8)] {
            let normal =
                |shape: &[usize]| Tensor::randn(0f32, 1.0, shape, &Device::Cpu).expect("cpu");
            let (x, back) = (normal(&[rows, input]), normal(&[rows, out]));
            let weight = normal(&[out, input]);
            let expected = x.matmul(&weight.t().expect("2")).expect("candle");
            close(&times_transposed(&x, &weight).expect("ours"), &expected);
            close(&times(&back, &weight).expect("ours"), &back.matmul(&weight).expect("candle"));
            // Whatever this processor does in the product, the operation itself.
            let turned = x.apply_op2_no_bwd(&weight, &Product { turned: true });
            close(&turned.expect("ours"), &expected);
            let map = Linear::new(
                weight.clone(),
                Some(Tensor::ones(out, DType::F32, &Device::Cpu).expect("1")),
            );
            let batch = x.reshape((1, rows, input)).expect("3 dimensions");
            let with_bias = (expected + 1.0).expect("adds").reshape((1, rows, out)).expect("3");
            close(&linear(&map, &batch).expect("ours"), &with_bias);
        }
        let (x, weight) = (
            Tensor::zeros((16, 3), DType::F32, &Device::Cpu),
            Tensor::zeros((4, 2), DType::F32, &Device::Cpu),
        );
        let product = Product { turned: true };
        assert!(x.expect("x").apply_op2_no_bwd(&weight.expect("w"), &product).is_err());
    }
}
