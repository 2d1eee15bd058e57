//! Asks the terminal whether it shows pictures, and how large its cells are, with a time limit. All IO of this room.

use std::io::{self, Read, Write, stdin, stdout};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use ratatui_image::picker::Picker;
use ratatui_image::picker::cap_parser::QueryStdioOptions;
use rustix::termios::{OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
use tui::Canvas;

use super::Terminal;

/// How long an answer may take; over a slow line it takes a third of that.
const ANSWER_MS_MAX: u64 = 1_000;
/// Reads until the answer is there: each may bring keys that were typed before it.
const READS_MAX: usize = 16;

/// Asks for a terminal's state, which all that are any answer, with [`WELL`].
const STATE: &str = "\x1b[5n";
const WELL: &[u8] = b"\x1b[0n";

/// Asks the terminal on standard input and output, which is in raw mode and whose keys nobody else may read meanwhile.
/// None if it shows no pictures, or says nothing.
pub fn ask() -> Option<Arc<dyn Canvas>> {
    // The library leaves a thread that reads where nothing is answered: a terminal that never answers is not asked.
    if !is_answering().unwrap_or(false) {
        return None;
    }
    let timeout = Duration::from_millis(ANSWER_MS_MAX);
    let options = QueryStdioOptions { timeout, ..QueryStdioOptions::default() };
    let picker = Picker::from_query_stdio_with_options(options).ok()?;
    if picker.capabilities().is_empty() {
        // In tmux another terminal was asked, which may say nothing. tmux itself does: the thread ends by that, and
        // where there is none, it is no key.
        let mut out = stdout();
        out.write_all(STATE.as_bytes()).and_then(|()| out.flush()).ok()?;
    }
    Some(Arc::new(Terminal::of(picker)?))
}

/// Whether the terminal answers in time.
fn is_answering() -> io::Result<bool> {
    let input = stdin();
    let before = tcgetattr(input.as_fd())?;
    let mut hasty = before.clone();
    hasty.special_codes[SpecialCodeIndex::VMIN] = 0;
    // In tenths of a second.
    hasty.special_codes[SpecialCodeIndex::VTIME] = (ANSWER_MS_MAX / 100) as u8;
    tcsetattr(input.as_fd(), OptionalActions::Now, &hasty)?;
    let answered = is_well(input.lock());
    tcsetattr(input.as_fd(), OptionalActions::Now, &before)?;
    answered
}

fn is_well(mut input: impl Read) -> io::Result<bool> {
    let mut out = stdout();
    out.write_all(STATE.as_bytes())?;
    out.flush()?;
    let (mut heard, mut chunk) = (Vec::new(), [0; 256]);
    for _ in 0..READS_MAX {
        let count = input.read(&mut chunk)?;
        heard.extend_from_slice(&chunk[..count]);
        if heard.windows(WELL.len()).any(|part| part == WELL) {
            return Ok(true);
        }
        if count == 0 {
            break;
        }
    }
    Ok(false)
}
