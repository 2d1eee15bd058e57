//! The glyphs of a page, as they are drawn: what each says, where it stands, and where the next would.

use hayro_interpret::font::{Glyph as Drawn, GlyphRun, PositionedGlyph};
use hayro_interpret::hayro_cmap::{BfString, WritingMode};
use hayro_interpret::hayro_syntax::object::{Dict, String as PdfString};
use hayro_interpret::kurbo::{Affine, BezPath, Point, Vec2};
use hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask,
};

use super::title;

/// Units that fonts divide their size into.
const EM: f64 = 1000.0;

/// Levels of marked content that are told apart; a file nested deeper is read on without replacements.
const MARKED_DEPTH_MAX: usize = 256;

/// Something drawn at once: a character, a ligature, or what the file says to read for several glyphs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glyph {
    pub(super) text: String,
    /// On the baseline, in points; y goes down the page.
    pub(super) at: Point,
    /// Along the baseline, of length one.
    pub(super) toward: Vec2,
    pub(super) advance: f64,
    pub(super) size: f64,
}

impl Glyph {
    /// Where it begins on its baseline.
    pub(super) fn start(&self) -> f64 {
        self.toward.dot(self.at.to_vec2())
    }

    pub(super) fn end(&self) -> f64 {
        self.start() + self.advance
    }

    /// Which baseline it is on; that of the next line is greater.
    pub(super) fn base(&self) -> f64 {
        Vec2::new(-self.toward.y, self.toward.x).dot(self.at.to_vec2())
    }

    pub(super) fn is_space(&self) -> bool {
        self.text.chars().all(char::is_whitespace)
    }
}

/// Marked content that is open.
enum Marked {
    Plain,
    /// Its glyphs are not to be read: this is, in place of the first of them.
    Instead(Option<String>),
}

/// Collects the glyphs of one page in the order in which they are drawn.
pub(super) struct Collector {
    pub(super) glyphs: Vec<Glyph>,
    pub(super) height: f64,
    width: f64,
    /// Anything at all is drawn that is no glyph.
    has_pictures: bool,
    has_glyphs: bool,
    marked: Vec<Marked>,
    /// Open marks that are more than [`MARKED_DEPTH_MAX`].
    too_deep: usize,
}

impl Collector {
    /// For a page of this size; what is drawn beside it cannot be seen, and is not read.
    pub(super) fn new((width, height): (f32, f32)) -> Collector {
        let (width, height) = (f64::from(width), f64::from(height));
        Collector {
            glyphs: Vec::new(),
            width,
            height,
            has_pictures: false,
            has_glyphs: false,
            marked: Vec::new(),
            too_deep: 0,
        }
    }

    /// Whether nothing was drawn.
    pub(super) fn is_blank(&self) -> bool {
        !self.has_pictures && !self.has_glyphs
    }

    fn on_page(&self, at: Point) -> bool {
        const MARGIN: f64 = 4.0;
        (-MARGIN..=self.width + MARGIN).contains(&at.x)
            && (-MARGIN..=self.height + MARGIN).contains(&at.y)
    }

    fn add(&mut self, mut glyph: Glyph) {
        if !self.on_page(glyph.at) || !glyph.size.is_finite() || !glyph.advance.is_finite() {
            return;
        }
        let instead = self.marked.iter_mut().find_map(|marked| match marked {
            Marked::Plain => None,
            Marked::Instead(text) => Some(text),
        });
        match instead {
            None => self.glyphs.push(glyph),
            Some(text) => match text.take() {
                Some(text) => {
                    glyph.text = text;
                    self.glyphs.push(glyph);
                }
                None => self.widen(&glyph),
            },
        }
    }

    /// Lets what is read in place of several glyphs reach as far as they do.
    fn widen(&mut self, glyph: &Glyph) {
        let Some(last) = self.glyphs.last_mut() else { return };
        let same_line = (last.base() - glyph.base()).abs() < 0.3 * last.size;
        if same_line && last.toward.dot(glyph.toward) > 0.99 {
            last.advance = last.advance.max(glyph.end() - last.start());
        }
    }
}

impl Device<'_> for Collector {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, _: &DrawMode) {
        let vertical = run.writing_mode() == WritingMode::Vertical;
        let scale = run_scale(run);
        self.has_glyphs |= !run.glyphs().is_empty();
        for glyph in run.glyphs() {
            let transform = props.transform * glyph.transform();
            let advance = if vertical { EM } else { f64::from(advance(glyph)) };
            let Some(placed) = place(transform, vertical, advance * scale.unstretch(glyph)) else {
                continue;
            };
            let text = unicode(glyph);
            self.add(Glyph { text, size: placed.size.max(scale.size(&placed)), ..placed });
        }
    }

    fn begin_marked_content(&mut self, _: &[u8], properties: Option<&Dict<'_>>) {
        if self.marked.len() == MARKED_DEPTH_MAX {
            self.too_deep += 1;
            return;
        }
        let text = properties.and_then(|properties| properties.get::<PdfString<'_>>(b"ActualText"));
        self.marked.push(match text {
            Some(text) => Marked::Instead(Some(title::decode(text.as_bytes()))),
            None => Marked::Plain,
        });
    }

    fn end_marked_content(&mut self) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
        } else {
            self.marked.pop();
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {
        self.has_pictures = true;
    }
    fn draw_image(&mut self, _: Image<'_, '_>, _: ImageDrawProps<'_>) {
        self.has_pictures = true;
    }
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

/// What the file says that a glyph stands for; nothing, if it does not say.
fn unicode(glyph: &Drawn<'_>) -> String {
    match glyph.as_unicode() {
        Some(BfString::Char(char)) => char.to_string(),
        Some(BfString::String(text)) => text,
        None => String::new(),
    }
}

fn advance(glyph: &Drawn<'_>) -> f32 {
    match glyph {
        Drawn::Outline(glyph) => glyph.advance_width().unwrap_or(0.5 * EM as f32),
        Drawn::Type3(glyph) => glyph.advance_width().unwrap_or(0.5 * EM as f32),
    }
}

/// A glyph without text, from where its font's units fall on the page. None, if they fall on a point.
fn place(transform: Affine, vertical: bool, advance: f64) -> Option<Glyph> {
    let vector = |x: f64, y: f64| transform * Point::new(x, y) - transform * Point::ZERO;
    let size = vector(0.0, EM).hypot();
    // A vertical glyph hangs from the middle of its upper edge.
    let (origin, along) = match vertical {
        true => (Point::new(EM / 2.0, 0.88 * EM), vector(0.0, -EM)),
        false => (Point::ZERO, vector(EM, 0.0)),
    };
    let length = along.hypot();
    let is_sound = size.is_finite() && length.is_finite() && size > 0.01 && length > 0.01;
    is_sound.then(|| Glyph {
        text: String::new(),
        at: transform * origin,
        toward: along / length,
        advance: advance / EM * length,
        size,
    })
}

/// How the glyphs of a run are scaled.
struct Scale {
    /// Glyphs of a font that is not in the file are stretched, each by itself, to the width that the
    /// file gives: the width is then taken in units that are not stretched.
    stretched: bool,
    /// The size of a font that is a set of drawings says nothing; its widths do.
    drawn_size: f64,
}

impl Scale {
    fn unstretch(&self, glyph: &PositionedGlyph<'_>) -> f64 {
        let [a, b, c, d, ..] = glyph.transform().as_coeffs();
        if self.stretched { c.hypot(d) / a.hypot(b).max(1e-9) } else { 1.0 }
    }

    fn size(&self, glyph: &Glyph) -> f64 {
        self.drawn_size * glyph.size / EM
    }
}

fn run_scale(run: &GlyphRun<'_, '_>) -> Scale {
    let width = |glyph: &PositionedGlyph<'_>| {
        let [a, b, ..] = glyph.transform().as_coeffs();
        a.hypot(b)
    };
    let mut widths = run.glyphs().iter().map(width);
    let first = widths.next().unwrap_or_default();
    let stretched = widths.any(|width| (width - first).abs() > 0.001 * first);
    let drawn: Vec<f64> = (run.glyphs().iter())
        .filter(|glyph| matches!(***glyph, Drawn::Type3(_)))
        .map(|glyph| f64::from(advance(glyph)))
        .collect();
    let drawn_size = 2.0 * drawn.iter().sum::<f64>() / drawn.len().max(1) as f64;
    Scale { stretched, drawn_size }
}
