//! Finds the top-level items of source code in any language, by indentation alone.

use std::ops::Range;

/// A stretch that begins in the first column, after a blank line or with a declaration.
pub(super) struct Item<'a> {
    pub(super) start: usize,
    /// Its first line that declares something with a body, such as `impl Lamp for Fresnel`.
    pub(super) name: Option<&'a str>,
}

/// The items from byte `start` on, in order.
pub(super) fn items(text: &str, start: usize) -> Vec<Item<'_>> {
    let mut items: Vec<Item<'_>> = Vec::new();
    let mut at = start;
    let mut after_blank = true;
    let mut declaring = None;
    for line in text[start..].split_inclusive('\n') {
        let begin = at;
        at += line.len();
        let blank = line.trim().is_empty();
        let outermost = !blank && !line.starts_with([' ', '\t']);
        if outermost && after_blank && !is_closer(line) {
            items.push(Item { start: begin, name: None });
            declaring = None;
        }
        if outermost {
            // A brace or a `where` on its own line belongs to the declaration above.
            if !matches!(line.trim(), "{" | "where") {
                declaring = declares(line).then(|| (begin, name(line)));
            }
        } else if let (false, Some((start, name))) = (blank, declaring.take()) {
            // A line with an indented one below it names its item, or begins another.
            match items.last_mut() {
                Some(item) if item.name.is_none() => item.name = Some(name),
                _ => items.push(Item { start, name: Some(name) }),
            }
        }
        after_blank = blank;
    }
    items
}

/// Whether the line only closes what an earlier one opened.
pub(super) fn is_closer(line: &str) -> bool {
    line.starts_with(['}', ')', ']']) || matches!(line.trim(), "end" | "fi" | "done" | "esac")
}

/// Whether the line can name an item: not a comment, attribute, decorator, string or closer.
fn declares(line: &str) -> bool {
    const NOT_NAMES: [&str; 13] =
        ["#", "//", "/*", "*", "--", "@", ";", "\"", "'", "<!--", "use ", "import ", "from "];
    !is_closer(line)
        && !NOT_NAMES.iter().any(|start| line.starts_with(start))
        && line.contains(char::is_alphanumeric)
}

/// The line without what opens its block.
pub(super) fn name(line: &str) -> &str {
    line.trim().trim_end_matches(['{', ':', '(', '[', '=', ' '])
}

/// Tells passages, asked about in order, which item they are in.
pub(super) struct Headings<'a> {
    items: &'a [Item<'a>],
    next: usize,
}

impl<'a> Headings<'a> {
    pub(super) fn new(items: &'a [Item<'a>]) -> Self {
        Self { items, next: 0 }
    }

    /// The name of the item that the passage begins in, or else of the first that begins in it.
    pub(super) fn of(&mut self, passage: &Range<usize>) -> Option<&'a str> {
        while self.items.get(self.next).is_some_and(|item| item.start <= passage.start) {
            self.next += 1;
        }
        let around = self.next.checked_sub(1).and_then(|index| self.items[index].name);
        around.or_else(|| {
            let begun = self.items[self.next..].iter();
            begun.take_while(|item| item.start < passage.end).find_map(|item| item.name)
        })
    }
}
