//! What an agent gets at most, so that one answer does not fill its memory.

/// Hits of an answer that asked for no number.
pub(crate) const HITS_DEFAULT: usize = 10;
/// Passages on each side of the one that is read, if no number was asked for.
pub(crate) const AROUND_DEFAULT: usize = 2;
/// And at most: with the passage itself some ten thousand words.
pub(crate) const AROUND_MAX: usize = 20;
