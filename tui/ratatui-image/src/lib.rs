//! Pictures on terminals for the full-screen view, by ratatui-image: the protocols of kitty and iTerm2, and sixel. What is
//! made of half blocks is no picture here: a page would not be read in it.

mod asking;

use std::sync::Arc;

use image::{DynamicImage, Rgb, RgbImage};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::widgets::Widget;
use ratatui_image::picker::cap_parser::Parser;
use ratatui_image::picker::{Picker, ProtocolType};
use ratatui_image::protocol::Protocol;
use ratatui_image::protocol::kitty::Kitty;
use ratatui_image::{Image, Resize};
use tui::{Canvas, Picture, Pixels};

pub use asking::ask;

/// The id of all pictures: kitty replaces the one before, and keeps no more than one.
const KITTY_ID: u32 = 0x00f0_4e01;

/// Of pages.
const PAPER: Rgb<u8> = Rgb([255, 255, 255]);

/// A terminal that shows pictures.
#[derive(Debug)]
struct Terminal {
    picker: Picker,
    farewell: String,
}

impl Terminal {
    /// None if it shows none.
    fn of(picker: Picker) -> Option<Terminal> {
        let cell = picker.font_size();
        if picker.protocol_type() == ProtocolType::Halfblocks || cell.width == 0 || cell.height == 0
        {
            return None;
        }
        let farewell = match picker.protocol_type() {
            ProtocolType::Kitty => {
                let (start, escape, end) = Parser::tmux_start_escape_end(picker.tmux_detected());
                format!("{start}{escape}_Ga=d,d=I,i={KITTY_ID},q=2{escape}\\{end}")
            }
            // These keep nothing that has been drawn over.
            _ => String::new(),
        };
        Some(Terminal { picker, farewell })
    }
}

impl Canvas for Terminal {
    fn cell(&self) -> (u16, u16) {
        let cell = self.picker.font_size();
        (cell.width, cell.height)
    }

    fn picture(&self, pixels: Pixels) -> Result<Arc<dyn Picture>, String> {
        let (image, size) = whole_cells(pixels, self.cell())?;
        let picker = &self.picker;
        let protocol = match picker.protocol_type() {
            ProtocolType::Kitty => Kitty::new(image, size, KITTY_ID, picker.tmux_detected(), false)
                .map(Protocol::Kitty),
            _ => picker.new_protocol(image, size, Resize::Fit(None)),
        };
        let protocol = protocol.map_err(|error| error.to_string())?;
        Ok(Arc::new(Shown(protocol)))
    }

    fn farewell(&self) -> &str {
        &self.farewell
    }
}

/// The picture with as much paper right and below as makes whole cells, and how many they are. The library would make it
/// larger instead, and letters uneven.
fn whole_cells(pixels: Pixels, (across, down): (u16, u16)) -> Result<(DynamicImage, Size), String> {
    let Pixels { width, height, rgb } = pixels;
    let size = Size::new(width.div_ceil(across), height.div_ceil(down));
    let drawn = RgbImage::from_raw(u32::from(width), u32::from(height), rgb);
    let drawn = drawn.ok_or("what draws it gave no picture")?;
    let side = |cells: u16, pixels: u16| u32::from(cells) * u32::from(pixels);
    let mut whole = RgbImage::from_pixel(side(size.width, across), side(size.height, down), PAPER);
    image::imageops::replace(&mut whole, &drawn, 0, 0);
    Ok((whole.into(), size))
}

struct Shown(Protocol);

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Shown").field(&self.0.size()).finish()
    }
}

impl Picture for Shown {
    fn size(&self) -> Size {
        self.0.size()
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer) {
        Image::new(&self.0).render(area, buffer);
    }
}

#[cfg(test)]
mod tests;
