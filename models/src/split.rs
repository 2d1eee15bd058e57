//! What is held out of training, decided for each row by itself (pure).

/// Whether the row named `key` is among the `share` (between 0 and 1) that is held out.
///
/// It depends on the three alone, through BLAKE3: other rows never move it, nor does the platform,
/// and what a small share holds out a larger one does too.
pub fn is_held_out(key: &str, share: f64, seed: u64) -> bool {
    // An f64 has 53 bits of precision, so the value is below 1 and a share of 1 holds out all.
    let uniform = (draw(key.as_bytes(), seed) >> 11) as f64 / (1_u64 << 53) as f64;
    uniform < share
}

/// 64 uniform bits that depend on `key` and `seed` alone.
pub(crate) fn draw(key: &[u8], seed: u64) -> u64 {
    let mut bytes = [0; 8];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(key).finalize_xof().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::{draw, is_held_out};

    #[test]
    fn the_share_is_held_out() {
        let keys: Vec<String> = (0..10_000).map(|row| format!("notes/{row}.md")).collect();
        for (share, seed) in [(0.0, 3), (0.02, 3), (0.1, 3), (0.1, 4), (0.5, 3), (1.0, 3)] {
            let held_out = keys.iter().filter(|key| is_held_out(key, share, seed)).count() as f64;
            assert!((held_out / 10_000.0 - share).abs() < 0.01, "{share}: {held_out}");
            assert!(share > 0.0 || held_out == 0.0, "nothing at 0");
            assert!(share < 1.0 || held_out == 10_000.0, "all at 1");
        }
        let both = |key: &&String| is_held_out(key, 0.1, 3) && is_held_out(key, 0.1, 4);
        let twice = keys.iter().filter(both).count();
        assert!(twice < 200, "seeds are independent, so 1 % is held out by both: {twice}");
    }

    #[test]
    fn it_is_the_same_on_every_machine() {
        // By the Python package blake3: the digest of the seed's 8 bytes (little end first) and
        // the key, of which the first 8 bytes make a number in the same order.
        let cases = [
            ("notes/cats.md", 7, 2_012_060_507_476_413_588, 0.109_074_01),
            ("größe.txt", 0, 17_758_886_480_130_383_619, 0.962_711_16),
        ];
        for (key, seed, bits, uniform) in cases {
            assert_eq!(draw(key.as_bytes(), seed), bits, "{key}");
            assert!(!is_held_out(key, uniform, seed), "{key}");
            assert!(is_held_out(key, uniform + 1e-7, seed), "{key}");
        }
    }
}
