//! Keys and events against the model, and the pure helpers.

use daemon_protocol::{
    Ask, ErrorKind, Event, Failure, Hit, IndexStatus, Place, QUESTION_CHARS_MAX, Request,
    Stage as Ranking,
};

use super::{ASK, Stage, draft, git, hit, reranked, status, timings, training};
use crate::line::Line;
use crate::message::{Command, Message};
use crate::model::{AskPhase, Connection, Moved};
use crate::preview::Preview;
use crate::terminal::base64;
use crate::{editor, keys};

fn ask(id: u64, text: &str, thoughts: Option<usize>) -> Command {
    Command::Send(Request::Ask(Ask {
        id,
        text: text.to_owned(),
        limit: 10,
        thoughts,
        read_ms: None,
        path: None,
    }))
}

fn failed(id: u64, kind: ErrorKind) -> Event {
    Event::Failed { id, error: Failure { kind, message: "no".to_owned(), hint: None } }
}

#[test]
fn the_line_is_edited_by_graphemes() {
    let family = "👨‍👩‍👧";
    for (keys, text, cursor) in [
        ("git<left><left>x", "gxit", 2),
        ("git<home>x<end>y", "xgity", 5),
        ("git<bs><bs>", "g", 1),
        ("git<left><del>", "gi", 2),
        ("git rebase  <ctrl-w>", "git ", 4),
        ("git rebase<ctrl-w><ctrl-w>", "", 0),
        ("git rebase<left><left><ctrl-u>", "se", 0),
        ("e\u{301}a<left><bs>", "a", 0),
        ("日本語<left><bs>", "日語", 2),
        ("a\u{3000}b<ctrl-w>", "a\u{3000}", 3),
        ("<left><bs><del><ctrl-w><ctrl-u><right>", "", 0),
        ("e<left>\u{301}", "\u{301}e", 0),
    ] {
        let mut stage = Stage::new();
        stage.keys(keys);
        assert_eq!(stage.model.query.text(), text, "{keys}");
        assert_eq!(stage.model.query.window(40).1, cursor, "{keys}");
    }
    let mut line = Line::default();
    line.insert(&format!("a{family}b"));
    line.edit(crate::line::Edit::Left);
    line.edit(crate::line::Edit::Backspace);
    assert_eq!(line.text(), "ab");
}

#[test]
fn a_paste_is_one_line_and_is_cut_at_the_limit() {
    let mut stage = Stage::new();
    stage.say(Message::Insert("two\nlines\tand".to_owned()));
    assert_eq!(stage.model.query.text(), "two lines and");
    stage.say(Message::Insert("é".repeat(100_000)));
    assert_eq!(stage.model.query.text().chars().count(), QUESTION_CHARS_MAX);
    assert!(stage.model.notice.as_ref().expect("said").text.contains("91821 characters left out"));
}

#[test]
fn enter_asks_what_is_new_and_opens_what_is_answered() {
    let open = || Command::Open { path: git().path, line: git().line };
    let mut stage = Stage::answered();
    assert!(stage.commands.contains(&ask(ASK, "git rebase main", None)));
    for (keys, last) in [
        ("<enter>", open()),
        (" <enter>", open()),
        ("s<enter>", ask(ASK + 1, "git rebase main s", None)),
        ("<ctrl-t><enter>", ask(ASK + 2, "git rebase main s", Some(0))),
    ] {
        stage.commands.clear();
        stage.keys(keys);
        assert_eq!(stage.commands.last(), Some(&last), "{keys}");
    }
}

#[test]
fn what_no_editor_reads_is_shown_from_the_index_and_opened_beside() {
    let path = "/home/me/papers/o1.pdf".to_owned();
    let paper = Hit {
        path: path.clone(),
        converted: true,
        place: Some(Place::Page(3)),
        byte_start: 70,
        ..git()
    };
    let mut stage = Stage::drafted();
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Final, hits: vec![paper] });
    let read = Command::Send(Request::Read { id: ASK + 1, path: path.clone(), byte_start: 70 });
    assert_eq!(stage.commands.last(), Some(&read));
    let passage = |byte_start, page, text: &str| daemon_protocol::Passage {
        byte_start,
        line_start: 1,
        place: Some(Place::Page(page)),
        text: text.to_owned(),
    };
    let passages =
        vec![passage(10, 2, "before"), passage(70, 3, "a thought\nhelps"), passage(90, 3, "after")];
    stage.hear(Event::Text { id: ASK + 1, path: path.clone(), passages });
    let preview = stage.model.preview.as_ref().expect("a preview");
    let lines: Vec<(&str, bool)> =
        preview.lines.iter().map(|line| (line.text.as_str(), line.matched)).collect();
    let expected = [
        ("── page 2 ──", false),
        ("before", false),
        ("── page 3 ──", false),
        ("a thought", true),
        ("helps", true),
        ("", false),
        ("after", false),
    ];
    assert_eq!(lines, expected);
    assert!(preview.lines.iter().all(|line| line.number.is_none()));
    stage.hear(Event::Done { id: ASK, timings: timings() });
    stage.keys("<enter>");
    assert_eq!(stage.commands.last(), Some(&Command::View { path: path.clone() }));
    stage.keys("<ctrl-y>");
    assert_eq!(stage.commands.last(), Some(&Command::Copy(format!("{path}:page 3"))));

    // An answer for a passage that is no longer selected changes nothing.
    stage.hear(Event::Text { id: ASK, path: path.clone(), passages: vec![] });
    assert_eq!(stage.model.preview.as_ref().expect("still").lines.len(), 7);
}

#[test]
fn nothing_is_asked_twice_while_it_runs_or_when_it_is_empty() {
    let mut stage = Stage::new();
    stage.keys("  <enter>");
    assert!(stage.commands.is_empty());
    stage.keys("git<enter><enter>");
    assert_eq!(stage.commands, [ask(ASK, "git", None)]);
}

#[test]
fn the_newest_question_wins() {
    let mut stage = Stage::drafted();
    stage.keys(" now<enter>");
    assert_eq!(stage.commands.last(), Some(&ask(ASK + 1, "git rebase main now", None)));
    assert!(stage.model.rows.is_empty());
    stage.think(0, "late");
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Final, hits: draft() });
    stage.hear(failed(ASK, ErrorKind::Cancelled));
    stage.hear(Event::Done { id: ASK, timings: timings() });
    let asking = stage.model.asking.as_ref().expect("asked");
    assert_eq!(asking.phase, AskPhase::Running);
    assert!(asking.thoughts.is_empty() && stage.model.rows.is_empty());
    assert!(stage.model.notice.is_none());
}

#[test]
fn escape_cancels_then_clears() {
    let mut stage = Stage::drafted();
    stage.keys("<esc>");
    assert_eq!(stage.commands.last(), Some(&Command::Send(Request::Cancel { id: ASK })));
    assert!(!stage.model.busy());
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Final, hits: Vec::new() });
    stage.hear(failed(ASK, ErrorKind::Cancelled));
    assert_eq!(stage.model.rows.len(), 3, "the draft stays");
    assert_eq!(stage.model.query.text(), "git rebase main");
    stage.keys("<esc>");
    assert_eq!(stage.model.query.text(), "");
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
    stage.keys("<down><down><down>");
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
fn a_selection_nobody_moved_stays_with_the_best() {
    let mut stage = Stage::drafted();
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Final, hits: reranked() });
    assert_eq!(stage.model.selected, 0);
    assert_eq!(stage.results().1, Some(git().path.as_str()));
}

#[test]
fn the_preview_is_the_selections() {
    let mut stage = Stage::drafted();
    let wishes = |stage: &Stage| {
        stage.commands.iter().filter(|command| matches!(command, Command::Preview(_))).count()
    };
    assert_eq!(wishes(&stage), 1);
    stage.read_preview(60);
    let stale = Preview::snippet(&git(), None);
    stage.say(Message::Preview(Box::new(stale)));
    assert_eq!(stage.model.preview.as_ref().expect("read").passage.path, "/home/me/tea.md");
    stage.keys("<pgdn><tab><down><up><down>");
    // The passage begins at the third line, two lines above it are shown, then a third of 30.
    assert_eq!(stage.model.preview.as_ref().expect("read").top, 11);
    stage.keys("<pgup><pgup>");
    assert_eq!(stage.model.preview.as_ref().expect("read").top, 0);
    assert_eq!((stage.model.selected, wishes(&stage)), (0, 1));
    stage.keys("<tab><down>");
    assert_eq!((stage.model.selected, wishes(&stage)), (1, 2));
}

#[test]
fn a_lost_daemon_is_called_back_by_the_next_question() {
    let mut stage = Stage::drafted();
    stage.hear(Event::Closing { reason: "stopped by request".to_owned() });
    stage.say(Message::Lost("it closed the connection".to_owned()));
    let notice = stage.model.notice.clone().expect("said");
    assert_eq!(notice.text, "the daemon is gone: stopped by request");
    stage.commands.clear();
    stage.keys("<enter>");
    assert_eq!(stage.commands, [Command::Reconnect]);
    stage.keys("!<enter>");
    assert_eq!(stage.commands, [Command::Reconnect], "one attempt at a time");
    stage.say(Message::ConnectFailed("no model".to_owned()));
    assert_eq!(stage.model.connection, Connection::Lost("no model".to_owned()));
    stage.keys("<enter>");
    stage.say(Message::Connected);
    assert_eq!(stage.commands.last(), Some(&ask(ASK + 3, "git rebase main!", None)));
    assert!(stage.model.busy());
}

#[test]
fn a_run_of_training_is_forgotten_with_the_connection() {
    let mut stage = Stage::new();
    for lost in [
        Message::Lost("it closed the connection".to_owned()),
        Message::Daemon(Box::new(Event::Closing { reason: "stopped by request".to_owned() })),
    ] {
        stage.hear(Event::Training { status: Some(training("training")) });
        assert_eq!(stage.model.training, Some(training("training")));
        // A status may be older than the last event.
        stage.hear(status(IndexStatus::default()));
        assert!(stage.model.training.is_some());
        stage.say(lost);
        assert_eq!(stage.model.training, None);
    }
}

#[test]
fn thoughts_are_bounded() {
    let mut stage = Stage::asked();
    stage.think(usize::MAX, "x");
    for _ in 0..100 {
        stage.think(1, &"x".repeat(1 << 12));
    }
    let asking = stage.model.asking.as_ref().expect("asked");
    assert_eq!(asking.thoughts.iter().map(String::len).collect::<Vec<_>>(), [0, 1 << 16]);
}

#[test]
fn other_keys() {
    let mut stage = Stage::drafted();
    stage.commands.clear();
    stage.keys("<ctrl-n><ctrl-y>");
    assert_eq!(stage.commands.pop(), Some(Command::Copy("/srv/code/src/rebase.rs:121".to_owned())));
    stage.keys("<ctrl-c>");
    assert_eq!(stage.commands.pop(), Some(Command::Quit));
    stage.keys("<esc><esc>?");
    assert!(stage.model.help, "on an empty line");
    stage.keys("a?");
    assert_eq!((stage.model.query.text(), stage.model.help), ("a?", false));
    stage.model.settings.editor = false;
    stage.keys("<ctrl-u><enter>");
    assert_eq!(
        stage.model.notice.clone().and_then(|notice| notice.hint).as_deref(),
        Some("set $VISUAL or $EDITOR")
    );
}

#[test]
fn every_key_is_bound_once() {
    let labels: Vec<&str> = keys::TABLE.iter().flat_map(|row| row.label.split(", ")).collect();
    let mut once = labels.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), labels.len());
}

/// People look for the keys before they have built anything that could show them.
#[test]
fn the_readme_lists_the_keys() {
    const BEGIN: &str = "<!-- keys: made from tui/src/keys.rs, checked by a test -->";
    const END: &str = "<!-- end of keys -->";
    let row = |binding: &keys::Binding| format!("\n| {} | {} |", binding.label, binding.does);
    let rows: String = keys::TABLE.iter().map(row).collect();
    let expected = format!("| key | does |\n| --- | --- |{rows}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = std::fs::read_to_string(path).expect("the README at the root");
    let listed = readme.split_once(BEGIN).and_then(|(_, after)| after.split_once(END));
    let listed = listed.map(|(table, _)| table.trim());
    assert!(
        listed == Some(&expected),
        "README.md is to have this and no other list of keys:\n\n{BEGIN}\n{expected}\n{END}\n",
    );
}

#[test]
fn editors_are_told_the_line_their_way() {
    for (editor, words) in [
        ("vim", Some(vec!["vim", "+7", "/a b"])),
        ("/usr/bin/nvim -p", Some(vec!["/usr/bin/nvim", "-p", "+7", "/a b"])),
        ("nano", Some(vec!["nano", "+7", "/a b"])),
        ("emacs -nw", Some(vec!["emacs", "-nw", "+7", "/a b"])),
        ("hx", Some(vec!["hx", "/a b:7"])),
        ("code --wait", Some(vec!["code", "--wait", "-g", "/a b:7"])),
        ("kate -b", Some(vec!["kate", "-b", "-l", "7", "/a b"])),
        (
            "'/my apps/ed' -x \"a \\\" b\" c\\ d ''",
            Some(vec!["/my apps/ed", "-x", "a \" b", "c d", "", "/a b"]),
        ),
        ("'vim", None),
        ("  ", None),
    ] {
        let words = words.map(|words| words.into_iter().map(str::to_owned).collect());
        assert_eq!(editor::arguments(editor, "/a b", 7), words, "{editor}");
    }
}

#[test]
fn a_preview_marks_the_passage_and_counts_lines() {
    let file = "one\ntwo\nthree\nfour\n";
    let mut middle = hit("/f", 2, "", "two", "two", 0.1);
    (middle.byte_start, middle.byte_end) = (4, 13);
    let marks = |preview: &Preview| -> Vec<(Option<usize>, String, bool)> {
        preview.lines.iter().map(|line| (line.number, line.text.clone(), line.matched)).collect()
    };
    let whole = Preview::cut(&middle, file.as_bytes(), 0);
    assert_eq!(
        marks(&whole),
        [(1, "one", false), (2, "two", true), (3, "three", true), (4, "four", false)]
            .map(|(number, text, matched)| (Some(number), text.to_owned(), matched))
    );
    // The same from inside the first line: that line is left out, the numbers stay.
    assert_eq!(marks(&Preview::cut(&middle, &file.as_bytes()[2..], 2)), marks(&whole)[1..]);
    // A file that shrank has the snippet left.
    assert_eq!(
        Preview::cut(&middle, b"one", 0).problem.as_deref(),
        Some("the file has become shorter")
    );
    // One long line is cut between words and marked only where the passage is.
    let long = "日本語 word ".repeat(100);
    (middle.byte_start, middle.byte_end, middle.line_start) = (0, 20, 1);
    let cut = Preview::cut(&middle, long.as_bytes(), 0);
    assert!(cut.lines.len() > 5 && cut.lines[0].matched && !cut.lines[1].matched);
    assert_eq!(cut.lines.iter().map(|line| line.text.as_str()).collect::<String>(), long);
    let solid = "語".repeat(200);
    let cut = Preview::cut(&middle, solid.as_bytes(), 0);
    assert_eq!(cut.lines.iter().map(|line| line.text.as_str()).collect::<String>(), solid);
}

#[test]
fn the_clipboard_is_written_in_base64() {
    for (bytes, encoded) in
        [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
    {
        assert_eq!(base64(bytes.as_bytes()), encoded);
    }
}
