//! Text made fit for a cell grid: cleaned, wrapped, cut, shortened. Pure; no styles here.

use std::path::Path;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// `text` without anything a terminal would act on: tabs become four spaces, other control
/// characters and the ones that turn the writing direction become `·`. Newlines stay.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => clean.push_str("    "),
            '\r' => {}
            '\n' => clean.push('\n'),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => clean.push('·'),
            control if control.is_control() => clean.push('·'),
            other => clean.push(other),
        }
    }
    clean
}

/// `text` cut into rows of at most `width` cells, between words where that is possible.
/// Newlines end a row; indentation stays. A width of 0 gives no rows.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    if width == 0 {
        return Vec::new();
    }
    text.split('\n').flat_map(|line| wrap_line(line, width)).collect()
}

fn wrap_line(line: &str, width: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    let mut column = 0;
    for piece in line.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        if column > 0 && column + word.width() > width {
            rows.push(String::new());
            column = 0;
        }
        for grapheme in piece.graphemes(true) {
            let cells = grapheme.width();
            if column + cells > width {
                if grapheme.chars().all(char::is_whitespace) {
                    continue;
                }
                rows.push(String::new());
                column = 0;
            }
            if let Some(row) = rows.last_mut() {
                row.push_str(grapheme);
            }
            column += cells;
        }
    }
    rows
}

/// `text` if it fits `width` cells, else its beginning and `…`.
pub(crate) fn fit_end(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let mut fitted = take_cells(text.graphemes(true), room).concat();
    if width > 0 {
        fitted.push('…');
    }
    fitted
}

/// `text` if it fits `width` cells, else `…` and its end: the end of a path tells the most.
pub(crate) fn fit_start(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut taken = take_cells(text.graphemes(true).rev(), width.saturating_sub(1));
    if width > 0 {
        taken.push("…");
    }
    taken.reverse();
    taken.concat()
}

fn take_cells<'a>(graphemes: impl Iterator<Item = &'a str>, room: usize) -> Vec<&'a str> {
    let mut used = 0;
    graphemes
        .take_while(|grapheme| {
            used += grapheme.width();
            used <= room
        })
        .collect()
}

/// An absolute `path` as a person writes it: below `cwd` without it, below `home` with `~`.
pub(crate) fn short_path(path: &str, cwd: &Path, home: Option<&Path>) -> String {
    let full = Path::new(path);
    let short = match (full.strip_prefix(cwd), home.map(|home| full.strip_prefix(home))) {
        (Ok(below), _) if !below.as_os_str().is_empty() => below.display().to_string(),
        (_, Some(Ok(below))) => format!("~/{}", below.display()),
        _ => path.to_owned(),
    };
    clean(&short).replace('\n', "·")
}

/// Milliseconds for reading: `40 ms`, `1.8 s`, `2 min 5 s`.
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// `count` and its noun, in the plural unless it is one.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
