//! What pieces of code are, and lines that are to be told apart so. Which words are what is the caller's to know, for
//! it takes grammars.

/// Lines that are asked for at once: more than a screen has, and done within milliseconds.
pub(crate) const LINES: usize = 128;
/// Lines before them that are looked at too, as far as there are: a comment or a text that began further above is
/// not known to be one.
pub(crate) const LINES_BEFORE: usize = 256;

/// What a piece of code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Comment,
    Keyword,
    /// What stands between quotes.
    Text,
    /// And other values that are written as they are.
    Number,
    Function,
    Type,
}

/// Byte ranges of a line that are something, ascending.
pub type Inked = Vec<(usize, usize, Ink)>;

/// From the path of a file and lines of it, without their ends: what is what, by line; fewer lines, or none, if it
/// does not know. It is called on a thread of its own, and may take its time.
pub type Painter = fn(&str, &[String]) -> Vec<Inked>;

/// Lines of a preview that are to be painted.
#[derive(Debug, PartialEq)]
pub(crate) struct Job {
    /// Whose answer counts.
    pub(crate) id: u64,
    pub(crate) path: String,
    /// Which [`LINES`] of the preview.
    pub(crate) part: usize,
    /// They, and before them lines that are only looked at.
    pub(crate) lines: Vec<String>,
    pub(crate) before: usize,
}

impl Job {
    pub(crate) fn done(&self, painter: Painter) -> Vec<Inked> {
        let mut inked = painter(&self.path, &self.lines);
        inked.drain(..self.before.min(inked.len()));
        inked
    }
}
