//! How the states of a sequence become one vector.

/// Which states of a sequence become its vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The state at `<emb>`.
    Emb,
    /// The mean over the text's tokens.
    Mean,
    /// Mean, then `<emb>`, joined.
    Both,
}

impl Pooling {
    const ALL: [(Pooling, &'static str); 3] =
        [(Pooling::Emb, "emb"), (Pooling::Mean, "mean"), (Pooling::Both, "both")];

    /// The number it is stored as where only numbers can be.
    pub fn code(self) -> u32 {
        self as u32
    }

    /// The inverse of [`Pooling::code`].
    pub fn from_code(code: u32) -> Option<Pooling> {
        Pooling::ALL.iter().map(|(pooling, _)| *pooling).find(|pooling| pooling.code() == code)
    }

    /// States that it takes from each exit layer.
    pub fn states(self) -> usize {
        if self == Pooling::Both { 2 } else { 1 }
    }

    pub(crate) fn name(self) -> &'static str {
        Pooling::ALL[self as usize].1
    }

    pub(crate) fn from_name(name: &str) -> Option<Pooling> {
        Pooling::ALL.iter().find(|(_, known)| *known == name).map(|(pooling, _)| *pooling)
    }
}
