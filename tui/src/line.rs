//! The query line: text and a cursor that stands between graphemes. Knows no keys and no screen.

use daemon_protocol::QUESTION_CHARS_MAX;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// One editable line of at most [`QUESTION_CHARS_MAX`] characters.
#[derive(Debug, Default)]
pub(crate) struct Line {
    text: String,
    /// Byte offset into `text`, always at a grapheme boundary.
    cursor: usize,
}

/// What a key can do to the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edit {
    Left,
    Right,
    Home,
    End,
    Backspace,
    Delete,
    /// Deletes the word before the cursor and the blanks after it.
    WordBack,
    /// Deletes everything before the cursor.
    ToStart,
}

impl Line {
    /// A line that says `text`, the cursor at its end.
    pub(crate) fn of(text: &str) -> Line {
        let mut line = Line::default();
        line.insert(text);
        line
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn at_start(&self) -> bool {
        self.cursor == 0
    }

    pub(crate) fn at_end(&self) -> bool {
        self.cursor == self.text.len()
    }

    pub(crate) fn clear(&mut self) {
        *self = Line::default();
    }

    /// Inserts `text` at the cursor, line ends and other controls as blanks. Returns how many
    /// characters did not fit.
    pub(crate) fn insert(&mut self, text: &str) -> usize {
        let room = QUESTION_CHARS_MAX - self.text.chars().count();
        let blanked = |c: char| if c.is_control() { ' ' } else { c };
        let fitting: String = text.chars().take(room).map(blanked).collect();
        self.text.insert_str(self.cursor, &fitting);
        self.cursor = self.boundary_from(self.cursor + fitting.len());
        text.chars().count() - fitting.chars().count()
    }

    pub(crate) fn edit(&mut self, edit: Edit) {
        match edit {
            Edit::Left => self.cursor = self.before(),
            Edit::Right => self.cursor = self.after(),
            Edit::Home => self.cursor = 0,
            Edit::End => self.cursor = self.text.len(),
            Edit::Backspace => self.delete_from(self.before()),
            Edit::Delete => {
                let end = self.after();
                self.text.replace_range(self.cursor..end, "");
                // What follows may join what precedes into one grapheme.
                self.cursor = self.boundary_from(self.cursor);
            }
            Edit::WordBack => {
                let head = self.text[..self.cursor].trim_end();
                let start = head.rfind(char::is_whitespace).map_or(0, |blank| {
                    blank + head[blank..].chars().next().map_or(0, char::len_utf8)
                });
                self.delete_from(start);
            }
            Edit::ToStart => self.delete_from(0),
        }
    }

    /// The part that fits `width` cells and holds the cursor, and the cursor's cell in it.
    pub(crate) fn window(&self, width: usize) -> (String, usize) {
        let room = width.saturating_sub(1);
        let mut start = self.cursor;
        let mut column = 0;
        for (offset, grapheme) in self.text[..self.cursor].grapheme_indices(true).rev() {
            if column + grapheme.width() > room {
                break;
            }
            column += grapheme.width();
            start = offset;
        }
        let mut used = 0;
        let visible = self.text[start..].graphemes(true).take_while(|grapheme| {
            used += grapheme.width();
            used <= width
        });
        (visible.collect(), column)
    }

    fn delete_from(&mut self, start: usize) {
        self.text.replace_range(start..self.cursor, "");
        self.cursor = self.boundary_from(start);
    }

    fn before(&self) -> usize {
        self.text[..self.cursor].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        let next = self.text[self.cursor..].graphemes(true).next();
        self.cursor + next.map_or(0, str::len)
    }

    /// The first grapheme boundary at or after byte `offset`: an inserted or uncovered
    /// combining mark may have joined the character before it.
    fn boundary_from(&self, offset: usize) -> usize {
        let mut starts = self.text.grapheme_indices(true).map(|(at, _)| at);
        starts.find(|at| *at >= offset).unwrap_or(self.text.len())
    }
}
