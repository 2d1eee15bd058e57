//! The terminal as a guard: raw mode and the alternate screen while it lives, the shell's
//! screen again on drop and before a panic speaks. Draws nothing by itself.

use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::panic;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste, Event, EventStream};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use futures::StreamExt;
use futures::stream::BoxStream;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use rustix::process::{Signal, getpid, getsid, kill_current_process_group, kill_process};

use crate::model::Model;
use crate::view;

/// Keys, pastes and resizes, for as long as the terminal is there.
pub(crate) type Keys = BoxStream<'static, io::Result<Event>>;

/// What the loop needs of a terminal.
pub(crate) trait Screen {
    /// Width and height in cells.
    fn size(&self) -> io::Result<(u16, u16)>;
    /// The input. At most one stream may live at a time, and none while suspended.
    fn keys(&mut self) -> Keys;
    fn draw(&mut self, model: &Model) -> io::Result<()>;
    /// Puts text on the clipboard of the person's terminal, wherever that runs.
    fn copy(&mut self, text: &str) -> io::Result<()>;
    /// What it is told from now on before another program gets it.
    fn part_with(&mut self, farewell: &str);
    /// Gives the terminal to another program.
    fn suspend(&mut self) -> io::Result<()>;
    /// Takes it back; the next draw repaints everything.
    fn resume(&mut self) -> io::Result<()>;
    /// Whether somebody would make a stopped process go on.
    fn stoppable(&self) -> bool;
    /// Stops this process, or its whole `group`, until SIGCONT. To be called while suspended.
    fn stop(&mut self, group: bool) -> io::Result<()>;
}

/// Whether this process holds the terminal: leaving twice would put the cursor where it was
/// before, onto what has been printed since. There is one terminal, hence a static.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Buttons and the wheel. Crossterm's own command asks for every movement as well, each of which would
/// wake this program.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";

type Hook = dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync;

/// A frame as it is made, which the terminal is to get as a whole, or not at all.
#[derive(Clone, Default)]
struct Pieces(Rc<RefCell<Vec<u8>>>);

/// The real terminal.
pub(crate) struct Tty {
    terminal: Terminal<CrosstermBackend<Pieces>>,
    pieces: Pieces,
    mouse: bool,
    farewell: String,
    previous_hook: Arc<Hook>,
}

impl Tty {
    /// Takes the terminal over, its mouse too if wanted. Absent if this process has none to take.
    pub(crate) fn enter(mouse: bool) -> io::Result<Option<Tty>> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Ok(None);
        }
        let pieces = Pieces::default();
        let terminal = Terminal::new(CrosstermBackend::new(pieces.clone()))?;
        let previous_hook: Arc<Hook> = Arc::from(panic::take_hook());
        let chained = Arc::clone(&previous_hook);
        panic::set_hook(Box::new(move |info| {
            // The message must reach the shell's screen; if even this fails, it still comes.
            leave().ok();
            chained(info);
        }));
        let farewell = String::new();
        let tty = Tty { terminal, pieces, mouse, farewell, previous_hook };
        take(mouse)?;
        Ok(Some(tty))
    }
}

impl Screen for Tty {
    fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    fn keys(&mut self) -> Keys {
        EventStream::new().boxed()
    }

    fn draw(&mut self, model: &Model) -> io::Result<()> {
        // The shell's screen is back and holds the panic's message.
        if !TAKEN.load(Ordering::SeqCst) {
            return Err(io::Error::other("a part of the program panicked"));
        }
        self.terminal.draw(|frame| view::draw(frame, model))?;
        self.pieces.show()
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        let mut out = io::stdout();
        write!(out, "\x1b]52;c;{}\x07", base64(text.as_bytes()))?;
        out.flush()
    }

    fn part_with(&mut self, farewell: &str) {
        farewell.clone_into(&mut self.farewell);
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.part().and(leave())
    }

    fn resume(&mut self) -> io::Result<()> {
        take(self.mouse)?;
        // A new one has drawn nothing yet. `Terminal::clear` would ask the terminal where its
        // cursor is, which crossterm cannot hear after an event stream has been dropped.
        self.terminal = Terminal::new(CrosstermBackend::new(self.pieces.clone()))?;
        Ok(())
    }

    fn stoppable(&self) -> bool {
        // Without a shell above, as in `xterm -e fore`, nobody could bring it back.
        getsid(None).is_ok_and(|leader| leader != getpid())
    }

    fn stop(&mut self, group: bool) -> io::Result<()> {
        // SIGTSTP is heard by the loop and so does not stop this process any more; SIGSTOP does.
        // Where a script or `git` started this, they have to stop too, for the shell to come back.
        if group {
            kill_current_process_group(Signal::STOP)?;
        } else {
            kill_process(getpid(), Signal::STOP)?;
        }
        Ok(())
    }
}

impl Tty {
    /// Has the terminal forget what it keeps for this program.
    fn part(&self) -> io::Result<()> {
        if self.farewell.is_empty() || !TAKEN.load(Ordering::SeqCst) {
            return Ok(());
        }
        let mut out = io::stdout();
        out.write_all(self.farewell.as_bytes())?;
        out.flush()
    }
}

impl Pieces {
    /// Writes the frame at once.
    fn show(&self) -> io::Result<()> {
        let mut frame = self.0.borrow_mut();
        let mut out = io::stdout().lock();
        // A terminal that knows this never shows half a frame; others ignore it.
        queue!(out, BeginSynchronizedUpdate)?;
        out.write_all(&frame)?;
        frame.clear();
        execute!(out, EndSynchronizedUpdate)
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    /// Ratatui flushes several times a frame.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that is gone.
        self.part().and(leave()).ok();
        // The hook may not be changed while it is at work.
        if !std::thread::panicking() {
            let previous = Arc::clone(&self.previous_hook);
            panic::set_hook(Box::new(move |info| previous(info)));
        }
    }
}

fn take(mouse: bool) -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, Clear(ClearType::All), EnableBracketedPaste)?;
    if mouse { execute!(io::stdout(), Print(MOUSE_ON)) } else { Ok(()) }
}

fn leave() -> io::Result<()> {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let screen = execute!(
        io::stdout(),
        Print(MOUSE_OFF),
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    disable_raw_mode().and(screen)
}

/// Base64 with padding, as OSC 52 wants it.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let sextet = bits >> (18 - 6 * digit) & 63;
            let present = digit <= group.len();
            encoded.push(if present { char::from(DIGITS[sextet as usize]) } else { '=' });
        }
    }
    encoded
}
