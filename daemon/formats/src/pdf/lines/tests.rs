use hayro_interpret::kurbo::Vec2;

use super::*;

/// A line of ten-point text of five points a letter.
pub(in crate::pdf) fn line(text: &str, start: f64, base: f64) -> Line {
    let end = start + 5.0 * text.chars().count() as f64;
    let span = Span { toward: Vec2::new(1.0, 0.0), start, end, base, size: 10.0 };
    Line { text: text.to_owned(), span }
}

/// Glyphs of ten points, each half as wide, one for each character, drawn from this place on.
pub(in crate::pdf) fn glyphs(text: &str, x: f64, y: f64) -> Vec<Glyph> {
    let glyph = |(n, c): (usize, char)| Glyph {
        text: c.to_string(),
        at: (x + 5.0 * n as f64, y).into(),
        toward: Vec2::new(1.0, 0.0),
        advance: 5.0,
        size: 10.0,
    };
    text.chars().enumerate().map(glyph).collect()
}

fn texts(glyphs: Vec<Glyph>) -> Vec<String> {
    lines(glyphs).into_iter().map(|line| line.text).collect()
}

#[test]
fn right_to_left_text_is_read_in_its_own_order() {
    // Stored as it looks, from the left.
    assert_eq!(texts(glyphs("םולש 12 בוט", 50.0, 100.0)), ["טוב 12 שלום"]);
    // Stored as it is read, each letter to the left of the one before.
    let mut logical = glyphs("שלום", 50.0, 100.0);
    logical.iter_mut().zip(0..).for_each(|(glyph, n)| glyph.at.x = 90.0 - 5.0 * f64::from(n));
    assert_eq!(texts(logical), ["שלום"]);
    // Amid text from the left.
    assert_eq!(texts(glyphs("the word םולש is here", 50.0, 100.0)), ["the word שלום is here"]);
}

#[test]
fn vertical_writing_is_read_downwards() {
    let mut column = glyphs("縦書", 300.0, 100.0);
    column.extend(glyphs("文字", 280.0, 100.0));
    for (glyph, n) in column.iter_mut().zip([0, 1, 0, 1]) {
        glyph.at =
            (if glyph.at.x > 299.0 { 300.0 } else { 280.0 }, 100.0 + 10.0 * f64::from(n)).into();
        glyph.toward = Vec2::new(0.0, 1.0);
        glyph.advance = 10.0;
    }
    assert_eq!(texts(column), ["縦書", "文字"]);
}

#[test]
fn what_is_raised_stays_in_its_line() {
    let mut raised = glyphs("E=mc", 50.0, 100.0);
    raised.extend(glyphs("2", 70.0, 96.5).into_iter().map(|glyph| Glyph { size: 7.0, ..glyph }));
    raised.extend(glyphs(" holds", 75.0, 100.0));
    assert_eq!(texts(raised), ["E=mc2 holds"]);
}

#[test]
fn an_accent_drawn_over_a_letter_is_part_of_it() {
    let mut name = glyphs("Jos", 50.0, 100.0);
    name.extend(glyphs("´", 65.0, 100.0));
    name.extend(glyphs("e D", 65.0, 100.0));
    name.extend(glyphs("¨", 80.0, 100.0));
    name.extend(glyphs("ı", 80.0, 100.0));
    name.extend(glyphs("a ´x", 85.0, 100.0));
    assert_eq!(texts(name), ["José Dïa ´x"]);
}

#[test]
fn a_raised_number_is_no_part_of_the_word_after_it() {
    let mut note = glyphs("1", 50.0, 96.0);
    note[0].size = 6.0;
    note.extend(glyphs("University", 55.0, 100.0));
    assert_eq!(texts(note), ["1 University"]);
}

#[test]
fn a_soft_hyphen_that_is_not_seen_is_none() {
    let mut word = glyphs("co\u{ad}", 50.0, 100.0);
    word[2].advance = 0.0;
    word.extend(glyphs("op", 60.0, 100.0));
    assert_eq!(texts(word), ["coop"]);
}
