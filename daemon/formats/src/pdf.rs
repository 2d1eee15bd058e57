//! PDF: glyphs at places in, text in reading order out.
//!
//! A page says what is drawn where, not what is read: words, lines, and paragraphs are made here, in that
//! order, one file each. Only `glyphs` and this file know of the library; what comes after is pure.

mod fields;
mod fragment;
mod glyphs;
mod lines;
mod order;
mod paragraphs;
mod running;
mod title;
mod words;

use daemon::convert::{Converted, Unconverted};
use daemon::document::{Kind, Mark};
use daemon_protocol::Place;
use hayro_interpret::hayro_syntax::page::Page;
use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::kurbo::Rect;
use hayro_interpret::{
    Context, InterpreterCache, InterpreterSettings, TransformExt, interpret_page,
};

use crate::text::within;
use crate::titles;
use glyphs::Collector;
use lines::Line;

/// The text of a PDF file, page after page.
pub(crate) fn read(bytes: &[u8]) -> Result<Converted, Unconverted> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| refused(error, bytes))?;
    if pdf.pages().is_empty() {
        return Err(Unconverted::Damaged("it has no pages".to_owned()));
    }
    let mut pages = drawn(&pdf)?;
    running::keep_first(&mut pages);
    let title =
        pdf.metadata().title.as_deref().map(title::decode).and_then(|title| titles::sane(&title));
    let (text, marks) = joined(&pages);
    Ok(Converted { kind: Kind::Text, title, text, marks })
}

fn refused(error: LoadPdfError, bytes: &[u8]) -> Unconverted {
    let head = bytes.get(..1024).unwrap_or(bytes);
    let is_pdf = head.windows(5).any(|window| window == b"%PDF-");
    let reason = match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => return Unconverted::Locked,
        LoadPdfError::Decryption(DecryptionError::UnsupportedAlgorithm) => {
            "it is locked in a way unknown here"
        }
        LoadPdfError::Decryption(_) => "it is locked, and what says how is broken",
        LoadPdfError::Invalid if is_pdf => "no pages can be found in it",
        LoadPdfError::Invalid => "it does not begin as a PDF does",
    };
    Unconverted::Damaged(reason.to_owned())
}

/// The lines of a page.
struct Drawn {
    height: f64,
    lines: Vec<Line>,
    /// Below them.
    fields: Vec<String>,
}

/// The lines of all pages.
fn drawn(pdf: &Pdf) -> Result<Vec<Drawn>, Unconverted> {
    let cache = InterpreterCache::new();
    let mut is_blank = true;
    let mut bytes = 0;
    let mut pages = Vec::with_capacity(pdf.pages().len());
    for page in pdf.pages().iter() {
        let fields = fields::undrawn(page);
        let page = collect(pdf, page, &cache);
        is_blank &= page.is_blank();
        let lines = lines::lines(page.glyphs);
        // With what parts it from the next.
        let texts = lines.iter().map(|line| &line.text).chain(&fields);
        bytes += texts.map(|text| text.len() + 2).sum::<usize>();
        within(bytes)?;
        pages.push(Drawn { height: page.height, lines, fields });
    }
    let parts = match pages.len() {
        1 => "1 page".to_owned(),
        count => format!("{count} pages"),
    };
    match bytes {
        0 if is_blank => Err(Unconverted::Damaged(format!("nothing is drawn on its {parts}"))),
        0 => Err(Unconverted::NoText { parts }),
        _ => Ok(pages),
    }
}

fn collect<'a>(pdf: &'a Pdf, page: &Page<'a>, cache: &InterpreterCache<'a>) -> Collector {
    let (width, height) = page.render_dimensions();
    let bounds = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    let settings = InterpreterSettings::default();
    let upright = page.initial_transform(true).to_kurbo();
    let mut context = Context::new(upright, bounds, cache, pdf.xref(), settings);
    let mut collector = Collector::new((width, height));
    interpret_page(page, &mut context, &mut collector);
    collector
}

/// The pages as one text, and where each begins. A page without text begins where the next does, and has
/// no mark of its own.
fn joined(pages: &[Drawn]) -> (String, Vec<Mark>) {
    let known = paragraphs::Known::of(pages.iter().flat_map(|page| &page.lines));
    let mut text = String::new();
    let mut marks = Vec::with_capacity(pages.len());
    for (page, number) in pages.iter().zip(1..) {
        let read = paragraphs::text(&page.lines, &known);
        let fields = page.fields.join("\n");
        let parts = [read, fields].into_iter().filter(|part| !part.is_empty());
        let read = parts.collect::<Vec<_>>().join("\n\n");
        if read.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        marks.push(Mark { at: text.len(), place: Place::Page(number) });
        text.push_str(&read);
    }
    (text, marks)
}

#[cfg(test)]
mod tests;
