//! Glyphs in, lines in reading order out. Pure.
//!
//! The order in which a page is drawn is mostly that in which it is read, and knows of columns and boxes
//! what geometry can only guess: it is kept unless it jumps about.

use std::collections::HashMap;

use super::fragment::{Fragment, OVERLAP, Span, span, stands_beside};
use super::glyphs::Glyph;
use super::{order, words};

/// Of the size of the glyphs: two glyphs are beside each other when nearer than this on their baseline.
const BESIDE: f64 = 1.5;

/// A line of text, and where it was.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) span: Span,
}

/// The lines of a page, in reading order.
pub(super) fn lines(glyphs: Vec<Glyph>) -> Vec<Line> {
    let fragments = fragments(once(glyphs));
    let drawn = level(fragments);
    let spans: Vec<Span> = drawn.iter().map(|line| span(line)).collect();
    let lines = if order::is_jumbled(&spans) {
        order::sorted(drawn.into_iter().flatten().collect())
    } else {
        drawn
    };
    lines.into_iter().filter_map(line).collect()
}

/// Leaves out what is drawn again at nearly the same place, to look bold or to cast a shadow, and what
/// has no text.
fn once(glyphs: Vec<Glyph>) -> Vec<Glyph> {
    let mut seen: HashMap<String, HashMap<(i64, i64), usize>> = HashMap::new();
    let mut kept: Vec<Glyph> = Vec::with_capacity(glyphs.len());
    for glyph in glyphs {
        let text = words::clean(&glyph.text);
        // Where a word may be broken, and is not.
        let is_unseen = text == "\u{ad}" && glyph.advance.abs() < 0.05 * glyph.size;
        if text.is_empty() || is_unseen {
            continue;
        }
        let (x, y) = ((glyph.at.x / 4.0) as i64, (glyph.at.y / 4.0) as i64);
        let places = seen.entry(text.clone()).or_default();
        let is_again = |cell: &(i64, i64)| {
            let same = places.get(cell).and_then(|&at| kept.get(at));
            same.is_some_and(|same| is_same(same, &glyph))
        };
        let around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (x + dx, y + dy)));
        if !glyph.is_space() && around.into_iter().any(|cell| is_again(&cell)) {
            continue;
        }
        places.insert((x, y), kept.len());
        kept.push(Glyph { text, ..glyph });
    }
    kept
}

fn is_same(one: &Glyph, other: &Glyph) -> bool {
    let near = (0.12 * one.size).min(0.5 * one.advance.abs()).max(0.01);
    (one.at - other.at).hypot() < near && (one.size - other.size).abs() < 0.1 * one.size
}

fn fragments(glyphs: Vec<Glyph>) -> Vec<Fragment> {
    let mut fragments: Vec<Fragment> = Vec::new();
    for glyph in glyphs {
        let span = Span::of(&glyph);
        match fragments.last_mut() {
            Some(last) if goes_on(last, &glyph, &span) => {
                last.span.join(&span);
                last.glyphs.push(glyph);
            }
            _ => fragments.push(Fragment { glyphs: vec![glyph], span }),
        }
    }
    fragments
}

fn goes_on(fragment: &Fragment, glyph: &Glyph, span: &Span) -> bool {
    let size = fragment.span.size.max(span.size);
    if !fragment.span.is_level(span) {
        return false;
    }
    // Right to left, the next stands before those that are there, and digits go back among them.
    let is_rtl = words::is_rtl(&glyph.text)
        || fragment.glyphs.iter().rev().take(16).any(|glyph| words::is_rtl(&glyph.text));
    if is_rtl {
        return fragment.span.gap(span) < BESIDE * size;
    }
    let Some(last) = fragment.glyphs.last() else { return true };
    let ahead = span.start - last.end();
    (-OVERLAP * size..BESIDE * size).contains(&ahead)
}

/// Joins what follows each other on one line.
fn level(fragments: Vec<Fragment>) -> Vec<Vec<Fragment>> {
    let mut lines: Vec<(Span, Vec<Fragment>)> = Vec::new();
    for fragment in fragments {
        match lines.last_mut() {
            Some((span, line)) if stands_beside(span, &fragment.span) => {
                span.join(&fragment.span);
                line.push(fragment);
            }
            _ => lines.push((fragment.span, vec![fragment])),
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

fn line(fragments: Vec<Fragment>) -> Option<Line> {
    let span = span(&fragments);
    let text = words::text(fragments);
    (!text.is_empty()).then_some(Line { text, span })
}

#[cfg(test)]
pub(super) mod tests;
