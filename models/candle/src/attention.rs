//! A layer's attention over whole sequences in one pass, on the CPU.
//!
//! candle has it in eleven operations, each of which makes a tensor of its own and half of which run on
//! one thread; for a model this small they took as long as a third of the matrix products.

use candle_core::{CpuStorage, CustomOp3, DType, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;
use rten_simd::SimdOp;
use rten_vecmath::Softmax;

use crate::ops::f32_slice;

/// Positions that a thread takes at least, so that taking them costs nothing.
const POSITIONS_MIN: usize = 4;
/// Columns that are summed at once. Rows of keys are padded to a multiple of it.
const BLOCK: usize = 32;

/// How the heads lie in q ‖ k ‖ v, and which channels are rotated together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heads {
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    /// Neighbours (2i, 2i + 1) rather than (i, i + head_dim / 2).
    pub neighbours: bool,
}

impl Heads {
    /// Causal attention with rotated queries and keys: (b, t, (heads + 2 kv_heads) · head_dim), and
    /// (t, head_dim / 2) cosines and sines -> (b, t, heads · head_dim).
    ///
    /// # Errors
    /// If the sizes do not agree or the tensors are no f32 on the CPU, see [`Heads::takes`].
    pub(crate) fn attend(&self, qkv: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
        qkv.contiguous()?.apply_op3_no_bwd(&cos.contiguous()?, &sin.contiguous()?, self)
    }

    /// Whether [`Heads::attend`] has a way for tensors like this one.
    pub(crate) fn takes(qkv: &Tensor) -> bool {
        qkv.device().is_cpu() && qkv.dtype() == DType::F32
    }

    fn width(&self) -> usize {
        (self.heads + 2 * self.kv_heads) * self.head_dim
    }

    /// `x` of one head and position, rotated and times `scale`.
    fn rotate(&self, x: &[f32], (cos, sin): (&[f32], &[f32]), scale: f32, out: &mut [f32]) {
        let half = self.head_dim / 2;
        for i in 0..half {
            let (a, b) = if self.neighbours { (2 * i, 2 * i + 1) } else { (i, i + half) };
            out[a] = (x[a] * cos[i] - x[b] * sin[i]) * scale;
            out[b] = (x[a] * sin[i] + x[b] * cos[i]) * scale;
        }
    }

    /// Rotated keys of one sequence and head with the positions as columns, (head_dim, t padded): a
    /// query's scores are then sums of rows.
    fn keys(&self, qkv: &[f32], head: usize, angles: &Angles<'_>, out: &mut [f32]) {
        let d = self.head_dim;
        let padded = out.len() / d;
        let mut key = vec![0f32; d];
        for (position, row) in qkv.chunks(self.width()).enumerate() {
            let at = (self.heads + head) * d;
            self.rotate(&row[at..at + d], angles.at(position), 1.0, &mut key);
            for (channel, value) in key.iter().enumerate() {
                out[channel * padded + position] = *value;
            }
        }
    }

    /// What one position takes from those up to it: (heads · head_dim). `keys` and `qkv` are those of
    /// its sequence, `room` holds a query and its scores.
    fn position(
        &self,
        position: usize,
        (qkv, keys): (&[f32], &[f32]),
        angles: &Angles<'_>,
        room: &mut Room,
        out: &mut [f32],
    ) {
        let (d, width) = (self.head_dim, self.width());
        let padded = keys.len() / (self.kv_heads * d);
        let scale = 1.0 / (d as f32).sqrt();
        let own = &qkv[position * width..(position + 1) * width];
        for (head, out) in out.chunks_mut(d).enumerate() {
            let shared = head / (self.heads / self.kv_heads);
            self.rotate(
                &own[head * d..(head + 1) * d],
                angles.at(position),
                scale,
                &mut room.query,
            );
            let scores = &mut room.scores[..(position + 1).next_multiple_of(BLOCK)];
            let key = |channel: usize| &keys[(shared * d + channel) * padded..][..padded];
            sum_of_rows(scores, &room.query, key);
            let scores = &mut scores[..=position];
            Softmax::new_mut(scores).dispatch();
            let at = (self.heads + self.kv_heads + shared) * d;
            sum_of_rows(out, scores, |position| &qkv[position * width + at..][..d]);
        }
    }
}

/// `out` = Σ `factors[i]` · `row(i)`, a block of columns at a time, whose sums stay in registers.
fn sum_of_rows<'a>(out: &mut [f32], factors: &[f32], row: impl Fn(usize) -> &'a [f32]) {
    let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
    for (index, block) in blocks.iter_mut().enumerate() {
        let mut sums = [0f32; BLOCK];
        for (i, factor) in factors.iter().enumerate() {
            let columns = &row(i)[index * BLOCK..][..BLOCK];
            for (sum, value) in sums.iter_mut().zip(columns) {
                *sum = factor.mul_add(*value, *sum);
            }
        }
        *block = sums;
    }
    let at = blocks.len() * BLOCK;
    rest.fill(0.0);
    for (i, factor) in factors.iter().enumerate() {
        for (out, value) in rest.iter_mut().zip(&row(i)[at..]) {
            *out = factor.mul_add(*value, *out);
        }
    }
}

/// Cosines and sines by position.
struct Angles<'a> {
    cos: &'a [f32],
    sin: &'a [f32],
    half: usize,
}

impl Angles<'_> {
    fn at(&self, position: usize) -> (&[f32], &[f32]) {
        let own = position * self.half..(position + 1) * self.half;
        (&self.cos[own.clone()], &self.sin[own])
    }
}

/// What a thread computes in.
struct Room {
    query: Vec<f32>,
    scores: Vec<f32>,
}

impl CustomOp3 for Heads {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(
        &self,
        qkv: &CpuStorage,
        layout: &Layout,
        cos: &CpuStorage,
        cos_layout: &Layout,
        sin: &CpuStorage,
        sin_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (b, t, width) = layout.shape().dims3()?;
        let (d, half) = (self.head_dim, self.head_dim / 2);
        let agree = cos_layout.dims() == [t, half] && sin_layout.dims() == [t, half];
        if width != self.width() || !agree || !self.heads.is_multiple_of(self.kv_heads) {
            bail!("attention of {self:?} over {:?} by {:?}", layout.dims(), cos_layout.dims());
        }
        let qkv = f32_slice(qkv, layout, self.name())?;
        let cos = f32_slice(cos, cos_layout, self.name())?;
        let angles = Angles { cos, sin: f32_slice(sin, sin_layout, self.name())?, half };
        let sequence = |row: usize| &qkv[row * t * width..(row + 1) * t * width];

        let padded = t.next_multiple_of(BLOCK);
        let mut keys = vec![0f32; b * self.kv_heads * d * padded];
        keys.par_chunks_mut(d * padded).enumerate().for_each(|(index, keys)| {
            let (row, head) = (index / self.kv_heads, index % self.kv_heads);
            self.keys(sequence(row), head, &angles, keys);
        });
        let mut out = vec![0f32; b * t * self.heads * d];
        let room = || Room { query: vec![0.0; d], scores: vec![0.0; padded] };
        let positions = out.par_chunks_mut(self.heads * d).enumerate();
        positions.with_min_len(POSITIONS_MIN).for_each_init(room, |room, (index, out)| {
            let (row, position) = (index / t, index % t);
            let size = self.kv_heads * d * padded;
            let own = row * size..(row + 1) * size;
            self.position(position, (sequence(row), &keys[own]), &angles, room, out);
        });
        Ok((CpuStorage::F32(out), Shape::from((b, t, self.heads * d))))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{D, Device};
    use candle_nn::rotary_emb;

    use super::*;
    use crate::ops;

    fn normal(shape: &[usize]) -> Tensor {
        Tensor::randn(0f32, 1.0, shape, &Device::Cpu).expect("cpu")
    }

    /// The same by candle's operations.
    fn by_candle(heads: Heads, qkv: &Tensor, cos: &Tensor, sin: &Tensor) -> Tensor {
        let Heads { heads, kv_heads, head_dim: d, neighbours } = heads;
        let (b, t, _) = qkv.dims3().expect("three");
        let part = |start: usize, count: usize| {
            let part = qkv.narrow(D::Minus1, start * d, count * d).expect("in it");
            let apart = part.reshape((b, t, count, d)).expect("heads");
            apart.transpose(1, 2).expect("four").contiguous().expect("a copy")
        };
        let rotate = if neighbours { rotary_emb::rope_i } else { rotary_emb::rope };
        let q = rotate(&part(0, heads), cos, sin).expect("rotates");
        let k = rotate(&part(heads, kv_heads), cos, sin).expect("rotates");
        let q = q.reshape((b, kv_heads, heads / kv_heads * t, d)).expect("stacks");
        let scores = q.matmul(&k.t().expect("turns")).expect("multiplies");
        let shares = ops::causal_softmax(&scores, 1.0 / (d as f32).sqrt()).expect("softmax");
        let mixed = shares.matmul(&part(heads + kv_heads, kv_heads)).expect("multiplies");
        let mixed = mixed.reshape((b, heads, t, d)).expect("unstacks");
        mixed.transpose(1, 2).expect("four").reshape((b, t, heads * d)).expect("joins")
    }

    #[test]
    fn attention_is_candles() {
        for (b, t, heads, kv_heads, head_dim, neighbours) in [
            (2, 9, 4, 2, 8, true),
            (2, 9, 4, 2, 8, false),
            (1, 1, 3, 3, 6, true),
            (3, 40, 9, 3, 64, true),
        ] {
            let heads = Heads { heads, kv_heads, head_dim, neighbours };
            let qkv = normal(&[b, t, heads.width()]);
            let angles = normal(&[t, head_dim / 2]);
            let (cos, sin) = (angles.cos().expect("cos"), angles.sin().expect("sin"));
            let ours = heads.attend(&qkv, &cos, &sin).expect("attends");
            let theirs = by_candle(heads, &qkv, &cos, &sin);
            assert_eq!(ours.dims(), theirs.dims());
            let off = (ours - theirs).expect("alike").abs().expect("abs").max_all().expect("max");
            assert!(off.to_scalar::<f32>().expect("one") < 1e-5, "{heads:?}: {off}");
        }
        let heads = Heads { heads: 4, kv_heads: 2, head_dim: 8, neighbours: true };
        let (wrong, angles) = (normal(&[1, 3, 60]), normal(&[3, 4]));
        assert!(heads.attend(&wrong, &angles, &angles).is_err());
        let (right, short) = (normal(&[1, 3, 64]), normal(&[2, 4]));
        assert!(heads.attend(&right, &short, &short).is_err());
    }
}
