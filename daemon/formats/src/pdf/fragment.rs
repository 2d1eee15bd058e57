//! Pieces of a line, and where they stand on their own baselines. Pure.

use hayro_interpret::kurbo::Vec2;

use super::glyphs::Glyph;

/// Of the size: how far a glyph may reach back into the one before it.
pub(super) const OVERLAP: f64 = 0.6;

/// Of the size: baselines nearer than this are one, with something raised or lowered on it.
const RAISED: f64 = 0.5;

/// Glyphs beside each other, on one baseline.
#[derive(Debug, Clone)]
pub(super) struct Fragment {
    pub(super) glyphs: Vec<Glyph>,
    pub(super) span: Span,
}

/// Where a fragment or a line is, on its own baseline's axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    pub(super) toward: Vec2,
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) base: f64,
    /// Of the largest glyph.
    pub(super) size: f64,
}

impl Span {
    pub(super) fn of(glyph: &Glyph) -> Span {
        let (start, end) = (glyph.start(), glyph.end());
        Span {
            toward: glyph.toward,
            start: start.min(end),
            end: end.max(start),
            base: glyph.base(),
            size: glyph.size,
        }
    }

    pub(super) fn is_parallel(&self, other: &Span) -> bool {
        self.toward.dot(other.toward) > 0.995
    }

    /// Whether both stand on one line.
    pub(super) fn is_level(&self, other: &Span) -> bool {
        let near = RAISED * self.size.max(other.size);
        self.is_parallel(other) && (self.base - other.base).abs() < near
    }

    /// How much of the axis lies between them; negative, if they overlap.
    pub(super) fn gap(&self, other: &Span) -> f64 {
        (other.start - self.end).max(self.start - other.end)
    }

    pub(super) fn join(&mut self, other: &Span) {
        if other.size > 1.05 * self.size {
            (self.size, self.base) = (other.size, other.base);
        }
        self.start = self.start.min(other.start);
        self.end = self.end.max(other.end);
    }
}

pub(super) fn stands_beside(line: &Span, next: &Span) -> bool {
    line.is_level(next) && line.gap(next) > -OVERLAP * line.size.min(next.size)
}

pub(super) fn span(line: &[Fragment]) -> Span {
    let mut spans = line.iter().map(|fragment| fragment.span);
    let none = Span { toward: Vec2::new(1.0, 0.0), start: 0.0, end: 0.0, base: 0.0, size: 1.0 };
    let first = spans.next().unwrap_or(none);
    spans.fold(first, |mut all, span| {
        all.join(&span);
        all
    })
}
