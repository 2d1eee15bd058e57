//! What is selected and what is seen, while rows move and keys are pressed.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use daemon_protocol::{Event, Stage as Ranking};

use super::{ASK, Stage, draft, git, hit, reranked, timings};
use crate::layout;
use crate::message::{Command, Message};
use crate::model::{Focus, Moved};
use crate::preview::{Passage, Preview, Spot};

/// The topmost row of the preview.
fn top(stage: &Stage) -> Spot {
    let (width, _) = layout::preview_size(&stage.model);
    stage.model.preview.as_ref().expect("a preview").top(width)
}

#[test]
fn final_hits_move_rows_and_keep_the_selection() {
    let mut stage = Stage::drafted();
    stage.keys("<down><down>");
    let path = git().path;
    assert_eq!(stage.results().1, Some(path.as_str()));
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Final, hits: reranked() });
    assert_eq!(stage.results().1, Some(path.as_str()));
    assert_eq!(stage.model.selected, 0);
    let moved: Vec<Moved> = stage.model.rows.iter().map(|row| row.moved).collect();
    assert_eq!(moved, [Moved::Up(2), Moved::Kept, Moved::New, Moved::Down(3)]);
    // A passage that is gone leaves the selection at the top.
    stage.keys("<ctrl-end>");
    assert_eq!(stage.model.selected, 3);
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Final, hits: vec![git()] });
    assert_eq!((stage.model.selected, stage.model.rows[0].moved), (0, Moved::New));
}

#[test]
fn what_reading_moves_is_told_like_what_the_thought_moves() {
    let mut stage = Stage::drafted();
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Read, hits: reranked() });
    let moved: Vec<Moved> = stage.model.rows.iter().map(|row| row.moved).collect();
    assert_eq!(moved, [Moved::Up(2), Moved::Kept, Moved::New, Moved::Down(3)]);
    assert_eq!(stage.model.asking.as_ref().and_then(|asking| asking.stage), Some(Ranking::Read));
}

#[test]
fn what_is_selected_is_a_passage_and_enter_opens_it() {
    let mut stage = Stage::drafted();
    let first = draft().remove(0);
    assert_eq!(stage.results().1, Some(first.path.as_str()));
    // The row under Enter is another one by the time it is pressed.
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Final, hits: reranked() });
    assert_eq!((stage.model.selected, stage.results().1), (3, Some(first.path.as_str())));
    stage.hear(Event::Done { id: ASK, timings: timings() });
    stage.keys("<enter>");
    let opened = Command::Open { path: first.path, line: first.line };
    assert_eq!(stage.commands.last(), Some(&opened));
    // Another question begins with its best.
    stage.keys("s<enter>");
    stage.hear(Event::Hits { id: ASK + 1, stage: Ranking::Draft, hits: reranked() });
    assert_eq!(stage.model.selected, 0);
}

#[test]
fn the_preview_is_the_selections() {
    let mut stage = Stage::drafted();
    let wishes = |stage: &Stage| {
        stage.commands.iter().filter(|command| matches!(command, Command::Preview(_))).count()
    };
    assert_eq!(wishes(&stage), 1);
    stage.read_preview(60);
    let stale = Preview::of_snippet(&git(), None);
    stage.say(Message::Preview(Box::new(stale)));
    assert_eq!(stage.model.preview.as_ref().expect("read").passage.path, "/home/me/tea.md");
    stage.keys("<pgdn><tab><down><up><down>");
    // The passage begins at the third line, two lines above it are shown, then a page of 21 rows but
    // for the one that is seen again, and a row.
    assert_eq!(top(&stage), Spot { line: 21, row: 0 });
    stage.keys("<pgup><pgup>");
    assert_eq!(top(&stage), Spot::default());
    assert_eq!((stage.model.selected, wishes(&stage)), (0, 1));
    stage.keys("<tab><down>");
    assert_eq!((stage.model.selected, wishes(&stage)), (1, 2));
}

#[test]
fn rows_of_the_screen_are_paged_and_none_is_left_out() {
    let mut stage = Stage::drafted();
    let wish = stage.model.selected_hit().cloned().expect("a hit");
    let text = format!("{}\n", "words that wrap and wrap ".repeat(4)).repeat(40);
    stage.say(Message::Preview(Box::new(Preview::cut(&wish, text.as_bytes(), 0))));
    let (width, height) = layout::preview_size(&stage.model);
    stage.keys("<tab><home>");
    let mut tops = vec![top(&stage)];
    loop {
        stage.keys("<pgdn>");
        if tops.last() == Some(&top(&stage)) {
            break;
        }
        tops.push(top(&stage));
    }
    let preview = stage.model.preview.as_ref().expect("read");
    let all: Vec<Spot> = (0..preview.lines.len())
        .flat_map(|line| (0..preview.rows(line, width).len()).map(move |row| Spot { line, row }))
        .collect();
    assert!(all.len() > preview.lines.len() * 2, "{width}");
    let index = |spot: &Spot| all.iter().position(|other| other == spot).expect("a row");
    for pair in tops.windows(2) {
        let by = index(&pair[1]) - index(&pair[0]);
        assert!(by < height, "{by} of {height}");
    }
    assert_eq!(
        index(tops.last().expect("one")) + height,
        all.len(),
        "the last row is at the bottom"
    );
    stage.keys("<home>");
    assert_eq!(top(&stage), Spot::default());
    stage.keys("<end>");
    assert_eq!(Some(&top(&stage)), tops.last());
}

#[test]
fn home_and_end_go_on_from_the_line_to_the_results() {
    let mut stage = Stage::drafted();
    stage.keys("<end>");
    assert_eq!(stage.model.selected, 2, "the cursor was at the end");
    stage.keys("<home>");
    assert_eq!((stage.model.selected, stage.model.query.at_start()), (2, true));
    stage.keys("<home>");
    assert_eq!(stage.model.selected, 0);
    stage.keys("<alt-gt>");
    assert_eq!(stage.model.selected, 2);
    stage.keys("<ctrl-home>");
    assert_eq!(stage.model.selected, 0);
}

#[test]
fn the_list_has_an_offset_of_its_own() {
    let mut stage = Stage::asked();
    let hits = (1..=20).map(|line| hit("/f", line * 5, "", "text", "text", 0.1)).collect();
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Draft, hits });
    // 22 rows of the screen hold seven results.
    for (keys, selected, top) in [
        ("<down><down><down><down><down><down>", 6, 0),
        ("<down><down>", 8, 2),
        ("<up><up><up><up><up><up>", 2, 2),
        ("<up>", 1, 1),
        ("<ctrl-end>", 19, 13),
        ("<up>", 18, 13),
    ] {
        stage.keys(keys);
        assert_eq!((stage.model.selected, stage.model.top), (selected, top), "{keys}");
    }
    stage.say(Message::Resized { width: 60, height: 10 });
    assert_eq!((stage.model.selected, stage.model.top), (18, 17), "two fit");
}

#[test]
fn help_scrolls_where_it_does_not_fit() {
    let mut stage = Stage::new();
    stage.say(Message::Resized { width: 60, height: 10 });
    stage.keys("?<down><down>");
    assert_eq!(stage.model.help, Some(2));
    stage.keys("<end>");
    let last = stage.model.help.expect("open");
    assert!(stage.screen(60, 10).to_string().contains("Ctrl-C"));
    stage.keys("<pgdn><pgup>");
    assert_eq!(stage.model.help, Some(last - 8));
    stage.keys("<tab>");
    assert_eq!((stage.model.help, stage.model.focus), (None, Focus::Results));
}

#[test]
fn a_file_that_hangs_is_shown_as_its_snippet() {
    let mut stage = Stage::drafted();
    stage.read_preview(60);
    stage.keys("<down>");
    let shown = |stage: &Stage| stage.model.preview.as_ref().expect("one").passage.path.clone();
    assert_eq!(shown(&stage), draft()[0].path);
    stage.say(Message::Late(Passage::of(&draft()[0])));
    assert_eq!(shown(&stage), draft()[0].path, "that one is not wanted");
    stage.say(Message::Late(Passage::of(&draft()[1])));
    assert_eq!(shown(&stage), draft()[1].path);
    // What has been read stays, whoever wants it again.
    stage.read_preview(200);
    stage.say(Message::Late(Passage::of(&draft()[1])));
    assert_eq!(stage.model.preview.as_ref().expect("read").problem, None);
}

#[test]
fn the_wheel_and_clicks_mean_what_is_under_them() {
    let mut stage = Stage::drafted();
    stage.read_preview(60);
    let mouse = |stage: &mut Stage, kind, column, row| {
        let event = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
        let message = Message::of_mouse(event);
        message.into_iter().for_each(|message| stage.say(message));
    };
    let (down, up) = (MouseEventKind::ScrollDown, MouseEventKind::ScrollUp);
    let click = MouseEventKind::Down(MouseButton::Left);
    // 100 columns: results on the left from row 7 on, three rows each below their title.
    mouse(&mut stage, down, 10, 9);
    assert_eq!(stage.model.selected, 1);
    mouse(&mut stage, up, 10, 9);
    assert_eq!((stage.model.selected, stage.model.focus), (0, Focus::Results));
    mouse(&mut stage, click, 10, 14);
    assert_eq!(stage.results().1, Some(git().path.as_str()));
    mouse(&mut stage, click, 10, 28);
    assert_eq!(stage.model.selected, 2, "there is nothing");
    stage.keys("<ctrl-home>");
    mouse(&mut stage, down, 80, 9);
    assert_eq!((stage.model.selected, top(&stage)), (0, Spot { line: 3, row: 0 }));
    mouse(&mut stage, click, 80, 9);
    assert_eq!(stage.model.focus, Focus::Preview);
    mouse(&mut stage, MouseEventKind::Moved, 10, 9);
    mouse(&mut stage, click, 10, 8);
    assert_eq!(stage.model.focus, Focus::Results);
    stage.keys("<f1>");
    mouse(&mut stage, click, 10, 14);
    assert_eq!((stage.model.help, stage.model.selected), (None, 0));
}
