//! The page's picture in the place of its text: when it is asked for, and what is seen meanwhile and of it.

use std::sync::Arc;

use daemon_protocol::{Event, Hit, Place, Stage as Ranking};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::screens::{SIZES, check};
use super::{ASK, Stage, git};
use crate::layout;
use crate::message::{Command, Message};
use crate::page::{Canvas, Order, Picture, Pixels};

/// A terminal whose cells have 10 × 20 pixels.
#[derive(Debug)]
pub(super) struct Easel;

/// A picture of one colour.
#[derive(Debug)]
struct Plain(Size);

impl Canvas for Easel {
    fn cell(&self) -> (u16, u16) {
        (10, 20)
    }

    fn picture(&self, pixels: Pixels) -> Result<Arc<dyn Picture>, String> {
        let size = Size::new(pixels.width.div_ceil(10), pixels.height.div_ceil(20));
        Ok(Arc::new(Plain(size)))
    }

    fn farewell(&self) -> &'static str {
        "forget it"
    }
}

impl Picture for Plain {
    fn size(&self) -> Size {
        self.0
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer) {
        assert_eq!(area.as_size(), self.0, "it has the room that it needs");
        area.positions().for_each(|at| {
            buffer[at].set_char('▓');
        });
    }
}

fn paper(page: u32) -> Hit {
    Hit {
        path: "/home/me/papers/o1.pdf".to_owned(),
        converted: true,
        place: Some(Place::Page(page)),
        byte_start: page as usize,
        ..git()
    }
}

/// With two passages of a PDF and one of another file, of which the first is selected.
fn found() -> Stage {
    let mut stage = Stage::drafted();
    stage.model.settings.draws = true;
    let hits = vec![paper(3), paper(8), git()];
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Final, hits });
    stage.keys("<ctrl-home>");
    stage
}

/// The same, where the page's picture was asked for and the terminal shows pictures.
fn wanted() -> Stage {
    let mut stage = found();
    stage.keys("<alt-v>");
    stage.say(Message::Canvas(Some(Arc::new(Easel))));
    stage
}

/// What was asked for since the last time.
fn orders(stage: &mut Stage) -> Vec<Order> {
    let taken = std::mem::take(&mut stage.commands);
    let orders = taken.into_iter().filter_map(|command| match command {
        Command::Draw(order) => Some(order),
        _ => None,
    });
    orders.collect()
}

fn order(stage: &mut Stage) -> Order {
    let mut orders = orders(stage);
    assert_eq!(orders.len(), 1, "{orders:?}");
    orders.remove(0)
}

/// Answers with a page of paper's form, as large as fits.
fn answer(stage: &mut Stage, order: &Order) {
    let height = order.height.min(order.width * 7 / 5);
    let pixels = Pixels { width: height * 5 / 7, height, rgb: Vec::new() };
    stage.say(Message::Drawn { id: order.id, picture: Easel.picture(pixels) });
}

fn notice(stage: &Stage) -> &str {
    stage.model.notice.as_ref().map_or("", |notice| &notice.text)
}

#[test]
fn the_terminal_is_asked_when_a_page_is_wanted_and_only_then() {
    let mut stage = found();
    stage.keys("<ctrl-end><alt-v>");
    assert_eq!(notice(&stage), "only a passage of a PDF has a page to be seen");
    assert!(!stage.commands.contains(&Command::AskTerminal));
    stage.keys("<ctrl-home><alt-v>");
    assert!(stage.commands.contains(&Command::AskTerminal));
    assert!(orders(&mut stage).is_empty(), "it has not answered");
    stage.say(Message::Canvas(Some(Arc::new(Easel))));
    // The pane of a screen of 100 × 30, in pixels.
    let order = order(&mut stage);
    assert_eq!((order.page, order.path.as_str()), (3, "/home/me/papers/o1.pdf"));
    assert_eq!(order.width, 490);
    answer(&mut stage, &order);
    stage.keys("<alt-v>");
    assert_eq!(notice(&stage), "the preview is text");
    stage.keys("<alt-v>");
    assert!(!stage.commands.contains(&Command::AskTerminal), "it has answered once for all");
    assert_eq!(orders(&mut stage).len(), 1);
}

#[test]
fn a_terminal_without_pictures_is_said_to_be_one() {
    for draws in [true, false] {
        let mut stage = found();
        stage.model.settings.draws = draws;
        stage.keys("<alt-v>");
        if draws {
            stage.say(Message::Canvas(None));
        }
        let told = stage.model.notice.clone().expect("told");
        assert_eq!(told.text, "this terminal shows no pictures");
        assert_eq!(told.hint.as_deref(), Some("Enter opens the file in its viewer"));
        stage.commands.clear();
        stage.keys("<alt-v>");
        assert_eq!(notice(&stage), "this terminal shows no pictures");
        assert!(stage.commands.is_empty(), "{:?}", stage.commands);
    }
}

#[test]
fn the_picture_is_of_the_selected_passage_and_of_the_pane() {
    let mut stage = wanted();
    let third = order(&mut stage);
    stage.keys("<down>");
    let eighth = order(&mut stage);
    assert_eq!((third.page, eighth.page), (3, 8));
    answer(&mut stage, &third);
    assert!(stage.screen(100, 30).to_string().contains("drawing page 8"), "it is too late");
    // A terminal that was resized may have lost it.
    let eighth = orders(&mut stage).pop().expect("once more");
    answer(&mut stage, &eighth);
    let leaf = |stage: &Stage| layout::leaf(&stage.model).map(|leaf| leaf.drawn.is_some());
    assert_eq!(leaf(&stage), Some(true));
    stage.keys("<down>");
    assert_eq!(leaf(&stage), None, "a file without pages has its text");
    assert!(orders(&mut stage).is_empty());
    stage.keys("<up>");
    assert_eq!(leaf(&stage), Some(true), "and the page is there still");
    assert!(orders(&mut stage).is_empty());
    stage.say(Message::Resized { width: 160, height: 40 });
    assert_eq!(order(&mut stage).width, 790);
    assert_eq!(leaf(&stage), Some(false));
}

#[test]
fn what_lies_over_the_panes_lies_over_text() {
    let mut stage = wanted();
    stage.screen(100, 30);
    let order = orders(&mut stage).pop().expect("a page");
    answer(&mut stage, &order);
    let inked = |stage: &Stage| stage.drawn((100, 30)).to_string().contains('▓');
    assert!(inked(&stage));
    for (over, away) in
        [("<f1>", "<esc>"), ("<ctrl-k>", "<esc>"), ("<ctrl-r>", "<esc>"), ("<f2>", "<f2>")]
    {
        stage.keys(over);
        assert!(!inked(&stage), "{over}");
        stage.keys(away);
        assert!(inked(&stage), "{away} after {over}");
    }
    assert!(orders(&mut stage).is_empty(), "it was there all the time");
}

#[test]
fn a_page_is_seen_or_why_it_is_not() {
    let mut stage = wanted();
    check("picture_waits_100x30", stage.screen(100, 30));
    let order = orders(&mut stage).pop().expect("a page");
    let problem = Err("it is locked with a password".to_owned());
    stage.say(Message::Drawn { id: order.id, picture: problem });
    let seen = stage.drawn((100, 30));
    check("picture_fails_100x30", seen);
}

#[test]
fn a_page_fits_its_pane() {
    let mut stage = wanted();
    for (width, height) in SIZES {
        stage.say(Message::Resized { width, height });
        if height == 10 {
            stage.keys("<tab>");
        }
        let order = orders(&mut stage).pop().expect("a page");
        answer(&mut stage, &order);
        let seen = stage.drawn((width, height));
        check(&format!("picture_{width}x{height}"), seen);
        assert!(orders(&mut stage).is_empty());
    }
}
