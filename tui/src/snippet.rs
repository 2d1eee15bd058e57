//! A hit's snippet as rows of the screen, its matches marked. Pure; knows no styles.

use daemon_protocol::Hit;
use unicode_width::UnicodeWidthStr;

use tui_text as text;

/// Pieces of one row.
pub(crate) type Cut = Vec<Piece>;

/// Text of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) matched: bool,
}

/// At most `rows` rows of `width` cells, begun late if else the first match were not seen.
pub(crate) fn cut(hit: &Hit, width: usize, rows: usize) -> Vec<Cut> {
    let (line, matches) = marked(hit, width * rows);
    let mut cuts = Vec::with_capacity(rows);
    let mut at = 0;
    for row in text::wrap(&line, width).into_iter().take(rows) {
        // Wrapping leaves out blanks between rows and nothing else.
        let Some(offset) = line[at..].find(&row) else { continue };
        let start = at + offset;
        at = start + row.len();
        cuts.push(pieces(&row, start, &matches));
    }
    cuts
}

/// `row`, which begins at byte `start` of the line, in pieces.
fn pieces(row: &str, start: usize, matches: &[(usize, usize)]) -> Cut {
    let mut cut = Cut::new();
    let mut push = |text: Option<&str>, matched| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            cut.push(Piece { text: text.to_owned(), matched });
        }
    };
    let mut at = 0;
    for (from, to) in matches {
        let from = from.saturating_sub(start).clamp(at, row.len());
        let to = to.saturating_sub(start).clamp(from, row.len());
        push(row.get(at..from), false);
        push(row.get(from..to), true);
        at = to;
    }
    push(row.get(at..), false);
    cut
}

/// The snippet as one line, and the byte ranges of it that match.
fn marked(hit: &Hit, room: usize) -> (String, Vec<(usize, usize)>) {
    let snippet = hit.snippet.as_str();
    let mut at = start(hit, room);
    let mut line = if at > 0 { "… ".to_owned() } else { String::new() };
    let mut matches = Vec::new();
    for &(from, to) in &hit.highlights {
        // Ranges come over the wire: only those that cut the text at characters count.
        if let (Some(plain), Some(matched)) = (snippet.get(at..from), snippet.get(from..to)) {
            flow(&mut line, plain);
            let begun = line.len();
            flow(&mut line, matched);
            matches.push((begun, line.len()));
            at = to;
        }
    }
    flow(&mut line, snippet.get(at..).unwrap_or_default());
    (line, matches)
}

/// Where the snippet is to begin: at its start, or a few words before the first match.
fn start(hit: &Hit, room: usize) -> usize {
    let Some(&(first, end)) = hit.highlights.first() else { return 0 };
    let Some(before) = hit.snippet.get(..first) else { return 0 };
    // Wrapping wastes the ends of rows, hence the slack of a third.
    if hit.snippet.get(..end).unwrap_or(before).width() <= room * 2 / 3 {
        return 0;
    }
    let lead = before.char_indices().rev().take(room / 4).last().map_or(first, |(at, _)| at);
    before[lead..].find(char::is_whitespace).map_or(lead, |blank| lead + blank + 1)
}

/// Adds `text` to `line`: every run of blanks and line ends is one space, and none at the start.
fn flow(line: &mut String, text: &str) {
    for character in text::cells(text).chars() {
        match character {
            blank if blank.is_whitespace() => {
                if !line.is_empty() && !line.ends_with(' ') {
                    line.push(' ');
                }
            }
            other => line.push(other),
        }
    }
}
