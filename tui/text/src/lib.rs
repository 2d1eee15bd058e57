//! Text fit for a terminal: made harmless, wrapped, cut, counted. The one place for both ends, the
//! full screen and the command line. Pure; no styles here, and no idea of what the text is about.

use std::path::Path;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Whether a terminal would act upon `c` rather than show it: control characters, and those that turn
/// the direction of writing, by which a name can show itself as another.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` with all that would drive the terminal made visible, but for newlines and tabs: so that a
/// file's content, a name or a model's words are only shown.
pub fn harmless(text: &str) -> String {
    let show = |c: char| match c {
        '\n' | '\t' => c,
        c if acts(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(show).collect()
}

/// [`harmless`] text in one line, without white space at its ends.
pub fn one_line(text: &str) -> String {
    harmless(text.trim()).replace(['\n', '\t'], " ")
}

/// [`harmless`] text for a grid of cells: tabs become four spaces, and what a terminal would act upon
/// a dot of one cell. Newlines stay.
pub fn cells(text: &str) -> String {
    // Nearly all of nearly every file.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
        return text.to_owned();
    }
    let mut cells = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => cells.push_str("    "),
            '\r' => {}
            '\n' => cells.push(c),
            c if acts(c) => cells.push('·'),
            c => cells.push(c),
        }
    }
    cells
}

/// `text` cut into rows of at most `width` cells, between words where that is possible.
/// Newlines end a row; indentation stays. A width of 0 gives no rows.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    if width == 0 {
        return Vec::new();
    }
    text.split('\n').flat_map(|line| wrap_line(line, width)).collect()
}

fn wrap_line(line: &str, width: usize) -> Vec<String> {
    // No character has more cells than bytes.
    if line.len() <= width {
        return vec![line.to_owned()];
    }
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
pub fn fit_end(text: &str, width: usize) -> String {
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
pub fn fit_start(text: &str, width: usize) -> String {
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
pub fn short_path(path: &str, cwd: &Path, home: Option<&Path>) -> String {
    let full = Path::new(path);
    let short = match (full.strip_prefix(cwd), home.map(|home| full.strip_prefix(home))) {
        (Ok(below), _) if !below.as_os_str().is_empty() => below.display().to_string(),
        (_, Some(Ok(below))) => format!("~/{}", below.display()),
        _ => path.to_owned(),
    };
    cells(&short).replace('\n', "·")
}

/// The words of `text` with the bytes they begin at: runs of letters, digits and `_`.
pub fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let outside = |c: char| !(c.is_alphanumeric() || c == '_');
    let start = text.as_ptr() as usize;
    text.split(outside)
        .filter(|word| !word.is_empty())
        .map(move |word| (word.as_ptr() as usize - start, word))
}

/// `1 document`, `2 documents`.
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// Milliseconds for reading: `40 ms`, `1.8 s`, and from a minute on as [`seconds`].
pub fn milliseconds(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => seconds(ms / 1_000),
    }
}

/// Seconds for reading: `40 s`, `2 min 5 s`, `3 h 10 min`, `2 d 4 h`.
pub fn seconds(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// Bytes for reading: `98.4 MB`.
pub fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

/// `1,400`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
