//! Code in colours: when it is asked for, and how it looks. Which word is what is `tui-syntect`'s.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

use super::{Stage, code};
use crate::ink::{Ink, Inked, Job, LINES};
use crate::look::{Colors, Look};
use crate::message::{Command, Message};
use crate::preview::Preview;

/// With a preview of so many lines of code, the passage at line 121.
fn reading(lines: usize) -> Stage {
    let mut stage = Stage::asked();
    stage.model.settings.paints = true;
    let hits = vec![code()];
    let stage_of = daemon_protocol::Stage::Draft;
    stage.hear(daemon_protocol::Event::Hits { id: super::ASK, stage: stage_of, hits });
    // Of 17 bytes each, as the hit's place has it.
    let text: String = (1..=lines).map(|n| format!("let n{n:04}=4;// x\n")).collect();
    stage.say(Message::Preview(Box::new(Preview::cut(&code(), text.as_bytes(), 0))));
    stage
}

/// The lines that were asked for since the last time.
fn jobs(stage: &mut Stage) -> Vec<Job> {
    let taken = std::mem::take(&mut stage.commands);
    let jobs = taken.into_iter().filter_map(|command| match command {
        Command::Paint(job) => Some(job),
        _ => None,
    });
    jobs.collect()
}

/// `let` and the comment of each line.
fn paint(_: &str, lines: &[String]) -> Vec<Inked> {
    let inked = |line: &String| match line.find("//") {
        Some(at) => vec![(0, 3, Ink::Keyword), (at, line.len(), Ink::Comment)],
        None => Vec::new(),
    };
    lines.iter().map(inked).collect()
}

fn answer(stage: &mut Stage, job: &Job) {
    let (id, part) = (job.id, job.part);
    stage.say(Message::Painted { id, part, inked: job.done(paint) });
}

/// The letters of the preview that look so.
fn letters(stage: &mut Stage, look: impl Fn(&Cell) -> bool) -> String {
    let screen = stage.screen(120, 30);
    let preview = screen.buffer().content().chunks(120).map(|row| &row[68..]);
    preview.flatten().filter(|cell| look(cell)).map(Cell::symbol).collect()
}

#[test]
fn only_what_is_seen_is_painted() {
    let mut stage = reading(2_000);
    stage.screen(120, 30);
    let asked = jobs(&mut stage);
    assert_eq!(asked.len(), 1, "one at a time");
    assert_eq!((asked[0].part, asked[0].path.as_str()), (0, "/srv/code/src/rebase.rs"));
    assert_eq!(asked[0].lines.len(), LINES);
    answer(&mut stage, &asked[0]);
    // Lines 119 to 143 are seen: of the next part, too.
    let next = jobs(&mut stage);
    assert_eq!((next.len(), next[0].part, next[0].lines.len()), (1, 1, 2 * LINES));
    answer(&mut stage, &next[0]);
    assert!(jobs(&mut stage).is_empty(), "all that is seen is painted");
    stage.keys("<tab><end>");
    let last = jobs(&mut stage);
    assert_eq!(last[0].part, 1_999 / LINES);
    // Nobody waits for it any more: the answer counts all the same, for where it belongs.
    stage.keys("<home>");
    assert!(jobs(&mut stage).is_empty());
    answer(&mut stage, &last[0]);
    assert!(jobs(&mut stage).is_empty(), "what was painted stays so");
}

#[test]
fn an_answer_about_another_text_counts_for_nothing() {
    let mut stage = reading(200);
    stage.screen(120, 30);
    let old = jobs(&mut stage);
    let text = "let other = 5; // y\n".repeat(200);
    stage.say(Message::Preview(Box::new(Preview::cut(&code(), text.as_bytes(), 0))));
    answer(&mut stage, &old[0]);
    assert_eq!(letters(&mut stage, |cell| cell.fg == Color::Magenta), "");
    let new = jobs(&mut stage);
    assert_ne!(new[0].id, old[0].id);
}

#[test]
fn code_has_colours_or_weight() {
    for (colors, keyword) in [
        (Colors::Ansi, (|cell: &Cell| cell.fg == Color::Magenta) as fn(&Cell) -> bool),
        (Colors::True, |cell| cell.fg == Color::from_u32(0xd7_87_ff)),
        (Colors::None, |cell| {
            cell.fg == Color::Reset && cell.modifier == Modifier::BOLD && cell.symbol() != "4"
        }),
    ] {
        let mut stage = reading(400);
        stage.model.settings.look = Look { colors, ..super::LOOK };
        stage.screen(120, 30);
        for _ in 0..2 {
            let job = jobs(&mut stage);
            answer(&mut stage, &job[0]);
        }
        let keywords = letters(&mut stage, keyword);
        assert!(keywords.starts_with("letlet"), "{colors:?}: {keywords}");
        let comments = letters(&mut stage, |cell| cell.modifier.contains(Modifier::DIM));
        assert!(comments.contains("// x// x"), "{colors:?}: {comments}");
    }
}

#[test]
fn only_code_is_painted() {
    let mut stage = reading(300);
    stage.model.settings.paints = false;
    stage.commands.clear();
    stage.screen(120, 30);
    stage.keys("<tab><end>");
    assert!(jobs(&mut stage).is_empty(), "without a painter");
    let mut stage = Stage::answered();
    stage.model.settings.paints = true;
    stage.read_preview(300);
    stage.screen(120, 30);
    assert!(jobs(&mut stage).is_empty(), "Markdown is shown as it is meant");
}
