//! Whether lines are drawn in an order that can be read, and an order for those that are not. Pure.

use super::fragment::{Fragment, Span, stands_beside};

/// Jumps that any page may have: its header drawn last, a note beside it.
const JUMPS_FREE: usize = 3;

/// Of the size: a white stripe this wide parts columns.
const GUTTER: f64 = 1.2;

/// Levels of columns within blocks within columns.
const CUTS_MAX: usize = 12;

/// Whether the lines go back up the page often, other than to the head of a column further on.
pub(super) fn is_jumbled(lines: &[Span]) -> bool {
    let pairs = lines.windows(2).filter(|pair| pair[0].is_parallel(&pair[1]));
    let jumps = pairs.filter(|pair| {
        let is_up = pair[1].base < pair[0].base - 0.6 * pair[0].size;
        let is_ahead = pair[1].start > pair[0].start + pair[0].size;
        is_up && !is_ahead
    });
    let jumps = jumps.count();
    jumps > JUMPS_FREE && jumps * 8 > lines.len()
}

/// The fragments as lines, by columns and from above.
pub(super) fn sorted(fragments: Vec<Fragment>) -> Vec<Vec<Fragment>> {
    let mut turned: Vec<Vec<Fragment>> = Vec::new();
    for fragment in fragments {
        let same = turned.iter_mut().find(|group| {
            group.first().is_some_and(|first| first.span.is_parallel(&fragment.span))
        });
        match same {
            Some(group) => group.push(fragment),
            None => turned.push(vec![fragment]),
        }
    }
    let mut lines = Vec::new();
    for group in turned {
        cut(group, CUTS_MAX, &mut lines);
    }
    lines
}

/// Cuts at the widest white stripe, down the page or across it, until there is none.
fn cut(fragments: Vec<Fragment>, cuts_left: usize, lines: &mut Vec<Vec<Fragment>>) {
    let size = median(fragments.iter().map(|fragment| fragment.span.size));
    let along = stripe(fragments.iter().map(|f| (f.span.start, f.span.end)));
    let across = stripe(fragments.iter().map(|f| (f.span.base - f.span.size, f.span.base)));
    let column = along.filter(|stripe| stripe.width > GUTTER * size);
    let block = across.filter(|stripe| stripe.width > GUTTER * size);
    let column = column.filter(|stripe| is_column(&fragments, stripe.at));
    let (first, second): (Vec<_>, Vec<_>) = match (column, block) {
        _ if cuts_left == 0 => return lines.extend(rows(fragments)),
        (Some(column), block) if block.is_none_or(|block| block.width < 2.0 * column.width) => {
            fragments.into_iter().partition(|f| f.span.start < column.at)
        }
        (_, Some(block)) => fragments.into_iter().partition(|f| f.span.base < block.at),
        _ => return lines.extend(rows(fragments)),
    };
    cut(first, cuts_left - 1, lines);
    cut(second, cuts_left - 1, lines);
}

/// Whether there are lines enough on both sides: a number before a heading is no column.
fn is_column(fragments: &[Fragment], at: f64) -> bool {
    let rows = |is_side: fn(f64, f64) -> bool| {
        let mut bases: Vec<f64> = (fragments.iter())
            .filter(|fragment| is_side(fragment.span.start, at))
            .map(|fragment| fragment.span.base)
            .collect();
        bases.sort_by(f64::total_cmp);
        bases.dedup_by(|one, other| (*one - *other).abs() < 2.0);
        bases.len()
    };
    rows(|start, at| start < at) >= 3 && rows(|start, at| start >= at) >= 3
}

#[derive(Clone, Copy)]
struct Stripe {
    at: f64,
    width: f64,
}

/// The widest stretch of an axis that nothing lies on.
fn stripe(extents: impl Iterator<Item = (f64, f64)>) -> Option<Stripe> {
    let mut extents: Vec<(f64, f64)> = extents.collect();
    extents.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut reached = extents.first()?.1;
    let mut widest: Option<Stripe> = None;
    for (start, end) in extents {
        let width = start - reached;
        if width > 0.0 && widest.is_none_or(|stripe| stripe.width < width) {
            widest = Some(Stripe { at: reached + width / 2.0, width });
        }
        reached = reached.max(end);
    }
    widest
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(1.0)
}

/// Lines from above, and each from its beginning.
fn rows(mut fragments: Vec<Fragment>) -> Vec<Vec<Fragment>> {
    fragments.sort_by(|one, other| one.span.base.total_cmp(&other.span.base));
    let mut rows: Vec<(Span, Vec<Fragment>)> = Vec::new();
    for fragment in fragments {
        let near = rows.iter_mut().rev().take(4).find(|(row, fragments)| {
            row.is_level(&fragment.span)
                && fragments.iter().all(|other| stands_beside(&other.span, &fragment.span))
        });
        match near {
            Some((row, fragments)) => {
                row.join(&fragment.span);
                fragments.push(fragment);
            }
            None => rows.push((fragment.span, vec![fragment])),
        }
    }
    rows.sort_by(|one, other| one.0.base.total_cmp(&other.0.base));
    rows.into_iter().map(|(_, fragments)| fragments).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf::fragment::span;
    use crate::pdf::lines::tests::line;

    fn spans(places: &[(f64, f64)]) -> Vec<Span> {
        places.iter().map(|&(start, base)| line("a line of text", start, base).span).collect()
    }

    #[test]
    fn columns_drawn_one_after_the_other_are_in_order() {
        let place = |n: i32| (f64::from(n / 10) * 150.0, f64::from(n % 10) * 12.0);
        let columns: Vec<(f64, f64)> = (0..30).map(place).collect();
        assert!(!is_jumbled(&spans(&columns)));
        let upwards: Vec<(f64, f64)> = (0..30).map(|n| (0.0, f64::from(30 - n) * 12.0)).collect();
        assert!(is_jumbled(&spans(&upwards)));
    }

    #[test]
    fn what_is_jumbled_is_sorted_by_columns_under_their_head() {
        let [head, left, right] = [(0.0, 0.0), (0.0, 60.0), (150.0, 60.0)];
        let below = |(start, base): (f64, f64), n: i32| (start, base + 12.0 * f64::from(n));
        let want =
            [head, left, below(left, 1), below(left, 2), right, below(right, 1), below(right, 2)];
        let drawn = [6, 2, 4, 3, 0, 1, 5].map(|n| want[n]);
        let fragment = |span| Fragment { glyphs: Vec::new(), span };
        let sorted = sorted(spans(&drawn).into_iter().map(fragment).collect());
        let sorted: Vec<Span> = sorted.iter().map(|line| span(line)).collect();
        let sorted: Vec<(f64, f64)> = sorted.iter().map(|span| (span.start, span.base)).collect();
        assert_eq!(sorted, want);
    }
}
