//! How much is read for a question, by the time there is for it and by how fast this machine reads.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::limits::{
    READ_OVERHEAD_TOKENS, READ_PACE_FIRST, READ_PASSAGES, READ_PASSAGES_MAX, READ_WINDOWS,
};

/// What is read: the first so many passages, and so many tokens of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Portion {
    pub passages: usize,
    pub window: usize,
}

/// What `tokens` are enough for, of which each passage takes those of the question, `asked`, too: first
/// [`READ_PASSAGES`] with the widest windows that they are enough for, then more passages; with too few
/// for the narrowest windows, fewer passages.
pub fn portion(tokens: usize, asked: usize) -> Portion {
    let besides = asked + READ_OVERHEAD_TOKENS;
    let [narrowest, .., widest] = READ_WINDOWS;
    let fits = |window: &usize| READ_PASSAGES * (window + besides) <= tokens;
    let window = READ_WINDOWS.into_iter().rfind(fits).unwrap_or(narrowest);
    let passages = tokens / (window + besides);
    let passages = match passages {
        // One passage alone cannot be compared with another.
        0 | 1 => 0,
        few if few < READ_PASSAGES => few,
        _ if window < widest => READ_PASSAGES,
        many => many.min(READ_PASSAGES_MAX),
    };
    Portion { passages, window }
}

/// Tokens a second that this machine was last seen to read.
#[derive(Debug)]
pub struct Pace(AtomicU32);

impl Default for Pace {
    fn default() -> Self {
        Pace(AtomicU32::new(READ_PACE_FIRST))
    }
}

impl Pace {
    /// Tokens that can be read in `time`.
    pub fn tokens_in(&self, time: Duration) -> usize {
        (time.as_secs_f64() * f64::from(self.0.load(Ordering::Relaxed))) as usize
    }

    /// Learns from `tokens` that were read in `took`: half is what was believed before, so that one
    /// disturbed reading does not halve the next.
    pub fn seen(&self, tokens: usize, took: Duration) {
        if tokens == 0 || took.is_zero() {
            return;
        }
        let now = tokens as f64 / took.as_secs_f64();
        let before = f64::from(self.0.load(Ordering::Relaxed));
        self.0.store(f64::midpoint(before, now).max(1.0) as u32, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Pace, Portion, portion};

    #[test]
    fn the_portion_follows_from_the_tokens() {
        let cases = [
            // Each takes 48 + 2 + 8 tokens at least, and one alone is none.
            (100, 2, (0, 48)),
            (300, 2, (5, 48)),
            (580, 2, (10, 48)),
            (650, 12, (9, 48)),
            (840, 12, (10, 64)),
            (1_479, 12, (10, 96)),
            (1_480, 12, (10, 128)),
            (1_700, 12, (11, 128)),
            (90_000, 12, (50, 128)),
            (0, 64, (0, 48)),
        ];
        for (tokens, asked, (passages, window)) in cases {
            assert_eq!(portion(tokens, asked), Portion { passages, window }, "{tokens} {asked}");
        }
    }

    #[test]
    fn the_pace_moves_half_way_to_what_was_seen() {
        let pace = Pace::default();
        assert_eq!(pace.tokens_in(Duration::from_secs(1)), 500);
        pace.seen(1_500, Duration::from_secs(1));
        assert_eq!(pace.tokens_in(Duration::from_secs(2)), 2_000);
        pace.seen(0, Duration::from_secs(1));
        pace.seen(10, Duration::ZERO);
        assert_eq!(pace.tokens_in(Duration::from_millis(500)), 500);
    }
}
