//! Pages of documents as pictures: what the caller gives for it, and what is passed on. What draws a page and what a
//! terminal does with pictures is the caller's to know, for both take libraries of their own.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use daemon_protocol::{Hit, Place};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

/// Pixels of a picture: a pane on nearly every screen; more would take the terminal long to read.
const PIXELS_MAX: u32 = 4 << 20;

/// What draws pages, and what shows them.
pub struct Pages {
    /// Asks the terminal whether it can show pictures, for about a second at most; none if it cannot, half blocks and the
    /// like being none. Called once, when the first is wanted, on a thread of its own, while nobody else reads keys.
    pub ask: fn() -> Option<Arc<dyn Canvas>>,
    /// The program that draws a page of the PDF file that is its standard input: `arguments`, the page's number from 1,
    /// and width and height in pixels that it is to fit into. It writes a binary PPM, or a sentence that says why it cannot.
    pub program: PathBuf,
    pub arguments: Vec<String>,
}

/// A terminal that can show pictures.
pub trait Canvas: Debug + Send + Sync {
    /// Width and height of a cell in pixels, both at least 1.
    fn cell(&self) -> (u16, u16);

    /// Makes a picture for it, which may take a while.
    ///
    /// # Errors
    /// What to tell the person.
    fn picture(&self, pixels: Pixels) -> Result<Arc<dyn Picture>, String>;

    /// What the terminal is to be told for it to forget the pictures when another program gets it.
    fn farewell(&self) -> &str;
}

/// A picture as its terminal takes it.
pub trait Picture: Debug + Send + Sync {
    fn size(&self) -> Size;

    /// Draws it from the top left of `area`, which has room for it.
    fn draw(&self, area: Rect, buffer: &mut Buffer);
}

/// Rows from the top, three bytes a pixel: red, green, blue.
#[derive(Debug, PartialEq, Eq)]
pub struct Pixels {
    pub width: u16,
    pub height: u16,
    pub rgb: Vec<u8>,
}

/// A page, and the room there is for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sheet {
    pub(crate) path: String,
    /// From 1.
    pub(crate) page: u32,
    pub(crate) cells: Size,
}

/// A page that is to be drawn.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// Whose answer counts.
    pub(crate) id: u64,
    pub(crate) path: String,
    pub(crate) page: u32,
    /// Pixels it is to fit into.
    pub(crate) width: u16,
    pub(crate) height: u16,
}

/// Pages as pictures, as far as the screen knows of them.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// Whether they are wanted in the place of their text.
    pub(crate) wanted: bool,
    pub(crate) terminal: Terminal,
    /// The newest that was asked for.
    pub(crate) newest: Option<Leaf>,
}

/// What is known of the terminal.
#[derive(Debug, Default)]
pub(crate) enum Terminal {
    #[default]
    Unasked,
    Asked,
    Blind,
    Shows(Arc<dyn Canvas>),
}

/// A page that was asked for, and what became of it.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) id: u64,
    pub(crate) sheet: Sheet,
    /// Absent until it is there.
    pub(crate) drawn: Option<Result<Arc<dyn Picture>, String>>,
}

impl Sheet {
    /// What is to be drawn for it on `canvas`.
    pub(crate) fn order(&self, id: u64, canvas: &dyn Canvas) -> Order {
        let (across, down) = canvas.cell();
        let side = |cells: u16, pixels: u16| u32::from(cells) * u32::from(pixels);
        let (width, height) = (side(self.cells.width, across), side(self.cells.height, down));
        let shrunk = (f64::from(PIXELS_MAX) / (f64::from(width) * f64::from(height))).sqrt();
        // Whole, not negative and no more than the side itself, save for sides that no terminal has.
        let fit = |side: u32| (f64::from(side) * shrunk.min(1.0)) as u16;
        let (width, height) = (fit(width), fit(height));
        Order { id, path: self.path.clone(), page: self.page, width, height }
    }
}

impl Order {
    /// Bytes of a picture that is no larger than was asked for.
    pub(crate) fn bytes_max(&self) -> u64 {
        const HEAD: u64 = 64;
        HEAD + 3 * u64::from(self.width) * u64::from(self.height)
    }
}

/// The page of a PDF that the passage is on.
pub(crate) fn of(hit: &Hit) -> Option<u32> {
    match hit.place {
        Some(Place::Page(page)) => Some(page),
        _ => None,
    }
}

/// Reads what the program wrote.
///
/// # Errors
/// Its sentence, or that it is no picture.
pub(crate) fn read(output: &[u8]) -> Result<Pixels, String> {
    let broken = || "what draws it gave no picture".to_owned();
    if !output.starts_with(b"P6 ") {
        let said = String::from_utf8_lossy(output);
        return Err(if said.trim().is_empty() { broken() } else { said.trim().to_owned() });
    }
    let end = output.iter().position(|byte| *byte == b'\n').ok_or_else(broken)?;
    let head = std::str::from_utf8(&output[..end]).map_err(|_| broken())?;
    let numbers: Option<Vec<u16>> = head.split(' ').skip(1).map(|part| part.parse().ok()).collect();
    let rgb = output[end + 1..].to_vec();
    match numbers.as_deref() {
        Some([width, height, 255])
            if rgb.len() == 3 * usize::from(*width) * usize::from(*height) && !rgb.is_empty() =>
        {
            Ok(Pixels { width: *width, height: *height, rgb })
        }
        _ => Err(broken()),
    }
}
