//! Products with a weight matrix in bytes, where the processor has instructions for them.
//!
//! `rten-gemm` multiplies bytes more than twice as fast as `gemm` does floats on a processor with VNNI
//! or ARM's dot product, which is asked when the program runs; without them sums of two products
//! saturate, seven bits are all that a byte may have, and the gain is small. Activations are quantised as they come, a token's [`GROUP`] channels at a time: a few
//! channels of a transformer's states are a hundred times larger than the others (LLM.int8(), arXiv
//! 2208.07339), and one scale for all would leave the others no steps. Weights have a scale for each
//! row of a group.

use rayon::prelude::*;
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::NdTensorView;

/// Channels that share a scale. Fewer are closer to floats and slower, since each group is a product
/// of its own: in SmolLM2-135M's 30 layers a question's log-probability is off by .04 (rms) with 192,
/// by .03 with 64 and by .12 with all channels in one.
const GROUP: usize = 192;
/// Rows that one thread takes at a time at most: their sums stay in its cache.
const ROWS_MAX: usize = 48;
/// Rows that kernels take at once, or a multiple of it.
const TILE: usize = 8;

type Executor = GemmExecutor<u8, i8, i32>;

/// An (out, in) matrix, packed as the processor's kernel reads it.
pub(crate) struct Bytes {
    groups: Vec<Group>,
    input: usize,
    output: usize,
}

struct Group {
    packed: PackedBMatrix<i8>,
    /// What a step of each output's weights is.
    steps: Vec<f32>,
    /// The sum of each output's weights: what a token's zero point adds for each of its steps.
    /// rten-gemm 0.27 subtracts zero points itself, but takes those of the first rows for all rows.
    sums: Vec<f32>,
}

/// What the bytes of a token's group stand for.
struct Scale {
    step: f32,
    /// The byte that means 0.
    zero: f32,
}

/// Whether bytes are multiplied fast here.
pub(crate) fn usable() -> bool {
    // A library that was asked for is not to be passed by.
    let theirs = cfg!(any(feature = "mkl", feature = "accelerate"));
    let kernels = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));
    !theirs && kernels && !Executor::new().may_saturate()
}

impl Bytes {
    /// Quantises `weight`, (out, in) by rows.
    pub(crate) fn of(weight: &[f32], (output, input): (usize, usize)) -> Bytes {
        let row = |index: usize, values: &mut [f32]| {
            values.copy_from_slice(&weight[index * input..(index + 1) * input]);
        };
        Bytes::by_rows((output, input), row)
    }

    /// Quantises an (out, in) matrix whose row of an index `row` writes: floats are there for one row at a time.
    pub(crate) fn by_rows(
        (output, input): (usize, usize),
        row: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Bytes {
        let count = input.div_ceil(GROUP);
        let mut bytes = vec![0i8; output * input];
        let mut scales = vec![(0f32, 0f32); output * count];
        let rows = bytes.par_chunks_mut(input).zip(scales.par_chunks_mut(count)).enumerate();
        rows.for_each_init(
            || vec![0f32; input],
            |values, (index, (bytes, scales))| {
                row(index, values);
                let groups = values.chunks(GROUP).zip(bytes.chunks_mut(GROUP));
                for ((values, bytes), scale) in groups.zip(scales) {
                    *scale = quantise_weights(values, bytes);
                }
            },
        );
        let matrix = NdTensorView::from_data([output, input], &bytes[..]);
        let groups = (0..count).map(|group| {
            let channels = group * GROUP..input.min((group + 1) * GROUP);
            let (steps, sums) = scales.iter().skip(group).step_by(count).copied().unzip();
            let packed = Executor::new().prepack_b(matrix.slice((.., channels)).transposed());
            Group { packed, steps, sums }
        });
        Bytes { groups: groups.collect(), input, output }
    }

    /// (out, in).
    pub(crate) fn shape(&self) -> (usize, usize) {
        (self.output, self.input)
    }

    /// (n, in) `x` by rows -> (n, out).
    pub(crate) fn times(&self, x: &[f32]) -> Vec<f32> {
        let mut out = vec![0f32; x.len() / self.input * self.output];
        let rows = rows_at_once(x.len() / self.input, rayon::current_num_threads());
        let parts = out.par_chunks_mut(rows * self.output).zip(x.par_chunks(rows * self.input));
        parts.for_each(|(out, x)| self.add(x, out));
        out
    }

    /// Adds the product of some rows to `out`.
    fn add(&self, x: &[f32], out: &mut [f32]) {
        let executor = Executor::new();
        let levels = if executor.may_saturate() { 127.0 } else { 255.0 };
        let count = x.len() / self.input;
        let mut products = vec![0i32; count * self.output];
        let mut bytes = Vec::with_capacity(count * GROUP);
        let mut scales = Vec::with_capacity(count);
        for (index, group) in self.groups.iter().enumerate() {
            let width = group.packed.rows();
            bytes.clear();
            scales.clear();
            for row in x.chunks(self.input) {
                let row = &row[index * GROUP..index * GROUP + width];
                scales.push(quantise(row, levels, &mut bytes));
            }
            let a = GemmInputA::Unpacked(NdTensorView::from_data([count, width], &bytes[..]));
            let b = GemmInputB::Packed(&group.packed);
            let done = executor.gemm(&mut products, a, b, GemmOptions::default());
            done.expect("the shapes were made to agree");
            let rows = out.chunks_mut(self.output).zip(products.chunks(self.output));
            for ((out, products), scale) in rows.zip(&scales) {
                let outputs = out.iter_mut().zip(products);
                let weights = group.steps.iter().zip(&group.sums);
                for ((out, product), (step, sum)) in outputs.zip(weights) {
                    *out += scale.step * (*product as f32 * step - scale.zero * sum);
                }
            }
        }
    }
}

/// Rows for each part of `count`, so that `threads` have as many and none more than [`ROWS_MAX`].
fn rows_at_once(count: usize, threads: usize) -> usize {
    let parts = count.div_ceil(ROWS_MAX).next_multiple_of(threads.max(1));
    count.div_ceil(parts.max(1)).next_multiple_of(TILE).max(TILE)
}

/// Writes a row of weights as bytes; their step and their sum.
fn quantise_weights(row: &[f32], bytes: &mut [i8]) -> (f32, f32) {
    let largest = row.iter().fold(0f32, |max, value| max.max(value.abs()));
    let step = if largest > 0.0 { largest / 127.0 } else { 1.0 };
    let mut sum = 0;
    for (byte, value) in bytes.iter_mut().zip(row) {
        *byte = (value / step).round() as i8;
        sum += i32::from(*byte);
    }
    (step, sum as f32 * step)
}

/// Appends `values` as bytes up to `levels`. A value that is no number or infinite makes the step none, and with it
/// all that comes of the row.
fn quantise(values: &[f32], levels: f32, bytes: &mut Vec<u8>) -> Scale {
    let (mut low, mut high, mut bad) = (0f32, 0f32, 0f32);
    for value in values {
        low = if *value < low { *value } else { low };
        high = if *value > high { *value } else { high };
        bad += value * 0.0;
    }
    // One is left for a zero point between two bytes, which is moved up.
    let step = if high > low { (high - low) / (levels - 1.0) } else { 1.0 };
    let (zero, inverse) = ((-low / step).ceil(), 1.0 / step);
    // Added to a small number it leaves that rounded in the lowest bits: a cast would ask for its range.
    const ROUNDING: f32 = 12_582_912.0; // 1.5 · 2^23
    let shift = zero + ROUNDING;
    bytes.extend(values.iter().map(|value| (value * inverse + shift).to_bits() as u8));
    Scale { step: step + bad, zero }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a normal distribution, nearly.
    fn numbers(count: usize, mut seed: u64) -> Vec<f32> {
        let mut uniform = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 40) as f32 / (1u64 << 24) as f32 - 0.5
        };
        (0..count).map(|_| (0..8).map(|_| uniform()).sum()).collect()
    }

    /// The root of the mean square of what `got` is off, relative to `expected`.
    fn error(got: &[f32], expected: &[f32]) -> f32 {
        let squares = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>();
        let off = squares(&mut got.iter().zip(expected).map(|(a, b)| a - b));
        (off / squares(&mut expected.iter().copied())).sqrt()
    }

    /// What is allowed of it: half as much where a byte has all of its bits.
    fn tolerance() -> f32 {
        if Executor::new().may_saturate() { 0.024 } else { 0.012 }
    }

    fn exact(x: &[f32], weight: &[f32], input: usize) -> Vec<f32> {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        x.chunks(input).flat_map(|x| weight.chunks(input).map(move |w| dot(x, w))).collect()
    }

    #[test]
    fn products_are_those_of_floats_nearly() {
        for (rows, output, input) in [(1, 5, 7), (47, 33, 192), (100, 130, 200), (49, 64, 576)] {
            let (x, weight) = (numbers(rows * input, 1), numbers(output * input, 2));
            let bytes = Bytes::of(&weight, (output, input));
            assert_eq!(bytes.shape(), (output, input));
            let error = error(&bytes.times(&x), &exact(&x, &weight, input));
            assert!(error < tolerance(), "{rows} {output} {input}: {error}");
        }
    }

    #[test]
    fn whole_numbers_are_exact_and_zeros_stay() {
        // 0..=255 in steps of one below and above 0, so that the zero point moves from row to row.
        let x: Vec<f32> = (0..60 * 256).map(|i| (i % 256) as f32 - (i / 256 * 4) as f32).collect();
        let weight: Vec<f32> = (0..3 * 256).map(|i| ((i * 7) % 255) as f32 - 127.0).collect();
        let bytes = Bytes::of(&weight, (3, 256));
        assert!(error(&bytes.times(&x), &exact(&x, &weight, 256)) < 2e-3);
        let none = Bytes::of(&[0.0; 12], (3, 4));
        assert_eq!(none.times(&[1.0, 2.0, 3.0, 4.0]), [0.0; 3]);
        assert_eq!(Bytes::of(&[1.0; 12], (3, 4)).times(&[0.0; 4]), [0.0; 3]);
    }

    #[test]
    fn a_channel_far_larger_than_the_others_costs_its_group_alone() {
        let (rows, output, input) = (8, 40, 3 * GROUP);
        let mut x = numbers(rows * input, 3);
        let weight = numbers(output * input, 4);
        let bytes = Bytes::of(&weight, (output, input));
        // Without what the large channel itself brings.
        for row in x.chunks_mut(input) {
            row[0] = 300.0;
        }
        let mut without = x.clone();
        without.chunks_mut(input).for_each(|row| row[..GROUP].fill(0.0));
        let only = |x: &[f32]| {
            let mut rest = x.to_vec();
            rest.chunks_mut(input).for_each(|row| row[GROUP..].fill(0.0));
            bytes.times(&rest)
        };
        let large = only(&x);
        let rest: Vec<f32> =
            bytes.times(&x).iter().zip(&large).map(|(all, own)| all - own).collect();
        assert!(error(&rest, &exact(&without, &weight, input)) < tolerance());
    }

    #[test]
    fn rows_are_shared_out_evenly() {
        let cases = [
            (1, 2, 8),
            (17, 2, 16),
            (96, 2, 48),
            (97, 2, 32),
            (344, 2, 48),
            (400, 4, 40),
            (0, 2, 8),
        ];
        for (count, threads, expected) in cases {
            assert_eq!(rows_at_once(count, threads), expected, "{count} {threads}");
        }
    }

    #[test]
    fn what_is_no_number_stays_none() {
        let bytes = Bytes::of(&numbers(8, 5), (2, 4));
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let product = bytes.times(&[1.0, bad, 0.5, 0.0]);
            assert!(product.iter().all(|value| !value.is_finite()), "{product:?}");
        }
    }
}
