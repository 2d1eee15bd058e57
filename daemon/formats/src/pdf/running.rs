//! Headers and footers: what stands at the same place of most pages is read where it stands first. Pure.

use std::collections::{HashMap, HashSet};

use super::Drawn;
use super::lines::Line;

/// Fewer pages do not show what recurs.
const PAGES_MIN: usize = 4;

/// Of a page's height: only what is this near to its upper or lower edge can be a header or a footer.
const EDGE: f64 = 0.12;

/// Points that a header may stand higher or lower from page to page.
const WAVER: f64 = 3.0;

/// Leaves out headers and footers but for the first of each. Where left and right pages differ, each stands
/// on somewhat less than half of them.
pub(super) fn keep_first(pages: &mut [Drawn]) {
    if pages.len() < PAGES_MIN {
        return;
    }
    let mut counts: HashMap<(String, i64), usize> = HashMap::new();
    for page in pages.iter() {
        let keys: HashSet<_> =
            page.lines.iter().filter_map(|line| key(page.height, line)).collect();
        for key in keys {
            *counts.entry(key).or_default() += 1;
        }
    }
    let enough = PAGES_MIN.max(pages.len() * 2 / 5);
    counts.retain(|_, count| *count >= enough);
    let mut seen = HashSet::new();
    for page in pages {
        let height = page.height;
        page.lines.retain(|line| match key(height, line) {
            Some(key) if counts.contains_key(&key) => seen.insert(key),
            _ => true,
        });
    }
}

/// What a line must share with those of other pages; none, if it stands amid the page.
fn key(height: f64, line: &Line) -> Option<(String, i64)> {
    let is_level = line.span.toward.x > 0.99;
    let base = line.span.base;
    let is_edge = base < EDGE * height || base > (1.0 - EDGE) * height;
    (is_level && is_edge).then(|| (line.text.clone(), (base / WAVER).round() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf::lines::tests::line;

    fn page(lines: &[(&str, f64)]) -> Drawn {
        let lines = lines.iter().map(|&(text, base)| line(text, 50.0, base)).collect();
        Drawn { height: 800.0, lines, fields: Vec::new() }
    }

    fn texts(pages: &[Drawn]) -> Vec<Vec<&str>> {
        pages
            .iter()
            .map(|page| page.lines.iter().map(|line| line.text.as_str()).collect())
            .collect()
    }

    #[test]
    fn what_recurs_at_an_edge_is_read_once() {
        let feet = ["a", "b", "c", "d", "e"];
        let lines = |foot| page(&[("Head", 40.0), ("Same", 400.0), (foot, 780.0)]);
        let mut pages: Vec<Drawn> = feet.into_iter().map(lines).collect();
        keep_first(&mut pages);
        let mut want = vec![vec!["Head", "Same", "a"]];
        want.extend(["b", "c", "d", "e"].map(|foot| vec!["Same", foot]));
        assert_eq!(texts(&pages), want);
    }

    #[test]
    fn what_stands_elsewhere_or_on_few_pages_is_kept() {
        let bases = [40.0, 52.0, 64.0, 76.0, 88.0];
        let mut pages: Vec<Drawn> = bases.iter().map(|&base| page(&[("Word", base)])).collect();
        keep_first(&mut pages);
        assert!(pages.iter().all(|page| page.lines.len() == 1));
        let mut pages: Vec<Drawn> = (0..3).map(|_| page(&[("Head", 40.0)])).collect();
        keep_first(&mut pages);
        assert!(pages.iter().all(|page| page.lines.len() == 1));
    }
}
