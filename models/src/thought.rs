//! A thought and the cutting of degenerate ones (pure).

/// One sampled thought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Thought {
    /// The text as streamed, cut where it degenerates.
    pub text: String,
    /// The sampled token ids that `text` stands for, end-of-sequence not included. Empty for a
    /// thought that came from a person; it is tokenised then.
    pub tokens: Vec<u32>,
    /// What was found and shown to the thinker before it thought (see [`crate::ground`]); empty
    /// for a thought from the question alone.
    pub context: String,
}

/// Longest repeating unit looked for, in tokens.
const LOOP_UNIT_MAX: usize = 16;
/// A unit that comes this many times in a row is a loop. Three allows "no, no".
const LOOP_REPEATS: usize = 3;
/// A loop shorter than this many tokens in all is style, not degeneration ("ha ha ha").
const LOOP_TOKENS_MIN: usize = 6;

/// A unit of so many tokens is a loop when it comes twice: nobody says a whole sentence again at once.
const LOOP_UNIT_LONG: usize = 8;

/// If the tail of `tokens` repeats one unit, the length to keep: one occurrence of the unit.
///
/// Called after every sampled token, so that a loop stops costing time as soon as it shows.
pub fn loop_start(tokens: &[u32]) -> Option<usize> {
    (1..=LOOP_UNIT_MAX).find_map(|unit| {
        let repeats = match unit {
            LOOP_UNIT_LONG.. => 2,
            _ => LOOP_REPEATS.max(LOOP_TOKENS_MIN.div_ceil(unit)),
        };
        let span = unit * repeats;
        let start = tokens.len().checked_sub(span)?;
        let tail = &tokens[start..];
        tail.iter().skip(unit).zip(tail).all(|(a, b)| a == b).then_some(start + unit)
    })
}

/// Whether the text says anything: at least one letter or digit.
pub fn is_empty(text: &str) -> bool {
    !text.chars().any(char::is_alphanumeric)
}
