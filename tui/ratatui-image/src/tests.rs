#[cfg(target_os = "linux")]
mod asking;

use ratatui_image::FontSize;

use super::*;

/// A terminal of that protocol, outside of tmux, whose cells have 10 × 20 pixels.
fn terminal(protocol: ProtocolType) -> Terminal {
    let mut picker = Picker::halfblocks();
    picker.set_protocol_type(protocol);
    let FontSize { width, height } = picker.font_size();
    assert_eq!((width, height), (10, 20));
    Terminal::of(picker).unwrap()
}

fn page(width: u16, height: u16) -> Pixels {
    let ink = |at: u32| if at.is_multiple_of(7) { [20, 20, 20] } else { [255, 255, 255] };
    let rgb = (0..u32::from(width) * u32::from(height)).flat_map(ink).collect();
    Pixels { width, height, rgb }
}

const SIXEL: ProtocolType = ProtocolType::Sixel;
const KITTY: ProtocolType = ProtocolType::Kitty;
const ITERM: ProtocolType = ProtocolType::Iterm2;
/// Where the picture lies in a frame of 30 × 12, with text around it.
const PLACE: Rect = Rect { x: 4, y: 2, width: 9, height: 5 };

/// A frame of text, and the same with the picture in it.
fn frames(picture: &dyn Picture) -> (Buffer, Buffer) {
    let text = Buffer::with_lines(vec!["text".repeat(8); 12]);
    let mut drawn = text.clone();
    picture.draw(PLACE, &mut drawn);
    (text, drawn)
}

#[test]
fn half_blocks_are_no_picture() {
    assert!(Terminal::of(Picker::halfblocks()).is_none());
}

#[test]
fn a_picture_takes_the_cells_that_it_needs() {
    for protocol in [SIXEL, KITTY, ITERM] {
        let terminal = terminal(protocol);
        assert_eq!(terminal.cell(), (10, 20));
        for (pixels, cells) in [((90, 100), (9, 5)), ((81, 81), (9, 5)), ((1, 1), (1, 1))] {
            let picture = terminal.picture(page(pixels.0, pixels.1)).unwrap();
            assert_eq!(picture.size(), Size::new(cells.0, cells.1), "{protocol:?} {pixels:?}");
        }
        let short = Pixels { rgb: vec![0; 5], ..page(90, 100) };
        assert!(terminal.picture(short).is_err());
    }
}

#[test]
fn each_protocol_says_it_in_its_own_way() {
    for (protocol, begin, part) in [
        (SIXEL, "\x1b[9X", "\x1bP"),
        (KITTY, "\x1b_Gq=2,i=15748609,a=T,U=1,f=32,t=d,s=90,v=100,", "\u{10eeee}"),
        (ITERM, "\x1b[9X", "\x1b]1337;File=inline=1;"),
    ] {
        let picture = terminal(protocol).picture(page(90, 100)).unwrap();
        let (_, drawn) = frames(picture.as_ref());
        let first = drawn[PLACE.as_position()].symbol();
        assert!(first.starts_with(begin) && first.contains(part), "{protocol:?}: {first:.120}");
    }
}

#[test]
fn nothing_is_left_of_a_picture_when_it_goes() {
    for protocol in [SIXEL, KITTY, ITERM] {
        let terminal = terminal(protocol);
        let picture = terminal.picture(page(90, 100)).unwrap();
        let (text, drawn) = frames(picture.as_ref());
        let again: Vec<_> = drawn.diff(&text).iter().map(|(x, y, _)| (*x, *y)).collect();
        let under: Vec<_> = PLACE.positions().map(|at| (at.x, at.y)).collect();
        assert_eq!(again, under, "{protocol:?}: each cell under it is written, and no other");
        let outside: Vec<_> = text.diff(&drawn).into_iter().map(|(x, y, _)| (x, y)).collect();
        assert!(outside.iter().all(|(x, y)| PLACE.contains((*x, *y).into())), "{outside:?}");
    }
    assert_eq!(terminal(KITTY).farewell(), "\x1b_Ga=d,d=I,i=15748609,q=2\x1b\\");
    assert_eq!(terminal(SIXEL).farewell(), "");
}

#[test]
fn a_picture_that_stays_is_not_sent_again() {
    for protocol in [SIXEL, KITTY, ITERM] {
        let picture = terminal(protocol).picture(page(90, 100)).unwrap();
        let (text, first) = frames(picture.as_ref());
        let mut second = text.clone();
        picture.draw(PLACE, &mut second);
        let sent = |from: &Buffer, to: &Buffer| -> usize {
            from.diff(to).iter().map(|(_, _, cell)| cell.symbol().len()).sum()
        };
        assert!(sent(&text, &first) > 400, "{protocol:?}");
        assert!(sent(&first, &second) < 40, "{protocol:?}: {}", sent(&first, &second));
    }
}
