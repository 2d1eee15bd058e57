//! What a terminal would show of the bytes that are written to it: as much of one as this program needs.

use unicode_width::UnicodeWidthChar;

/// A grid of characters, filled frame by frame.
pub(crate) struct Glass {
    cells: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// Bytes that are not a whole character or sequence yet.
    rest: Vec<u8>,
    /// Frames that ended so far.
    pub(crate) frames: usize,
}

impl Glass {
    pub(crate) fn new(columns: usize, rows: usize) -> Glass {
        let cells = vec![vec![' '; columns]; rows];
        Glass { cells, row: 0, column: 0, rest: Vec::new(), frames: 0 }
    }

    /// Row number `row` from column `from` on.
    pub(crate) fn text(&self, row: usize, from: usize) -> String {
        self.cells[row][from..].iter().collect()
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = String> {
        (0..self.cells.len()).map(|row| self.text(row, 0))
    }

    /// Takes bytes up to the end of a frame; false if there was none.
    pub(crate) fn frame(&mut self, bytes: &mut Vec<u8>) -> bool {
        self.rest.append(bytes);
        let mut at = 0;
        let mut ended = false;
        while !ended {
            let Some(length) = sequence(&self.rest[at..]) else { break };
            let piece = self.rest[at..at + length].to_vec();
            at += length;
            ended = self.take(&piece);
        }
        self.rest.drain(..at);
        if ended {
            std::mem::swap(bytes, &mut self.rest);
            self.frames += 1;
        }
        ended
    }

    /// One character or sequence; whether it ended a frame.
    fn take(&mut self, piece: &[u8]) -> bool {
        if piece == b"\x1b[?2026l" {
            return true;
        }
        if let [0x1b, b'[', numbers @ .., b'H'] = piece {
            let text = String::from_utf8_lossy(numbers);
            let mut numbers = text.split(';').map(|number| number.parse().unwrap_or(1));
            self.row = numbers.next().unwrap_or(1) - 1;
            self.column = numbers.next().unwrap_or(1) - 1;
        } else if piece == b"\x1b[2J" {
            self.cells.iter_mut().for_each(|row| row.fill(' '));
        } else if piece[0] >= 0x20 {
            let text = String::from_utf8_lossy(piece);
            let character = text.chars().next().unwrap_or(' ');
            if let Some(cell) =
                self.cells.get_mut(self.row).and_then(|row| row.get_mut(self.column))
            {
                *cell = character;
            }
            self.column += character.width().unwrap_or(0);
        }
        false
    }
}

/// Length of the sequence or character that `bytes` begin with, if all of it is there.
fn sequence(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0x1b, b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| (0x40..=0x7e).contains(byte))?;
            Some(end + 3)
        }
        [0x1b, b']', rest @ ..] => Some(rest.iter().position(|byte| *byte == 7)? + 3),
        [0x1b] | [] => None,
        [0x1b, ..] => Some(2),
        [first, ..] => {
            let length = match first {
                0xf0.. => 4,
                0xe0.. => 3,
                0xc0.. => 2,
                _ => 1,
            };
            (bytes.len() >= length).then_some(length)
        }
    }
}
