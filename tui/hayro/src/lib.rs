//! Pages of PDF files as pixels, by hayro. Bytes in, bytes out: it opens no file, and is meant to run in a process of its
//! own, which a hostile file may bring down, or keep busy until it is ended from outside.

use std::io::{self, Read, Write};
use std::thread;

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::page::Page;
use hayro::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro::vello_cpu::Pixmap;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings, render};

/// Bytes of a file that are read; a larger one is refused.
pub const FILE_BYTES_MAX: u64 = 256 << 20;

/// Stack, bytes: forms within forms recurse further than a thread's usual two megabytes.
const STACK_BYTES: usize = 256 << 20;

/// Pixels: sides are cut to whole ones, and what fills its room must not be cut by one for the last bit of a quotient.
const ROUNDING: f32 = 0.01;

/// A page, and how large it is to be.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// From 1.
    pub page: usize,
    /// Pixels; the page is as large as fits into both.
    pub width: u16,
    pub height: u16,
}

/// Why there is no picture, as a person is told it of the file.
#[derive(Debug, PartialEq, thiserror::Error)]
enum Refused {
    #[error("it is larger than {} MB", FILE_BYTES_MAX >> 20)]
    Large,
    #[error("it is locked with a password")]
    Locked,
    #[error("it is locked in a way unknown here")]
    Unknown,
    #[error("it is damaged: no pages can be found in it")]
    Damaged,
    #[error("it has no page {page}, but {count}")]
    NoPage { page: usize, count: usize },
    #[error("page {0} has no extent")]
    Flat(usize),
}

/// Reads a PDF file from `input` and writes its page to `output` as a binary PPM (`P6`), or the sentence that says why
/// there is none.
///
/// # Errors
/// If either cannot be read or written.
///
/// # Panics
/// Where the library does, for which a file can be the reason; what was to be written is not written then.
pub fn draw(input: impl Read, mut output: impl Write, wanted: Wanted) -> io::Result<()> {
    let mut file = Vec::new();
    input.take(FILE_BYTES_MAX + 1).read_to_end(&mut file)?;
    let drawing =
        thread::Builder::new().stack_size(STACK_BYTES).spawn(move || ppm(file, wanted))?;
    match drawing.join() {
        Ok(Ok(ppm)) => output.write_all(&ppm)?,
        Ok(Err(refused)) => write!(output, "{refused}")?,
        Err(panic) => std::panic::resume_unwind(panic),
    }
    output.flush()
}

fn ppm(file: Vec<u8>, wanted: Wanted) -> Result<Vec<u8>, Refused> {
    if file.len() as u64 > FILE_BYTES_MAX {
        return Err(Refused::Large);
    }
    let pdf = Pdf::new(file).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => Refused::Locked,
        LoadPdfError::Decryption(_) => Refused::Unknown,
        LoadPdfError::Invalid => Refused::Damaged,
    })?;
    let count = pdf.pages().len();
    if count == 0 {
        return Err(Refused::Damaged);
    }
    let page = wanted.page.checked_sub(1).and_then(|index| pdf.pages().get(index));
    let page = page.ok_or(Refused::NoPage { page: wanted.page, count })?;
    let scale = scale(page, wanted).ok_or(Refused::Flat(wanted.page))?;
    let settings = PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE };
    let (cache, interpreter) = (RenderCache::new(), InterpreterSettings::default());
    Ok(written(&render(page, &cache, &interpreter, &RenderSettings::default(), &settings)))
}

/// By what the page is multiplied; none if nothing would be seen of it.
fn scale(page: &Page<'_>, wanted: Wanted) -> Option<f32> {
    let (width, height) = page.render_dimensions();
    let fill = |wanted: u16, side: f32| (f32::from(wanted) + ROUNDING) / side;
    let scale = fill(wanted.width, width).min(fill(wanted.height, height));
    let seen = |side: f32| (1.0..=f32::from(u16::MAX)).contains(&(side * scale));
    (scale.is_finite() && seen(width) && seen(height)).then_some(scale)
}

/// The picture without its transparency: nothing of it is left on white.
fn written(picture: &Pixmap) -> Vec<u8> {
    let mut ppm = format!("P6 {} {} 255\n", picture.width(), picture.height()).into_bytes();
    ppm.extend(picture.data().iter().flat_map(|pixel| [pixel.r, pixel.g, pixel.b]));
    ppm
}

#[cfg(test)]
mod tests;
