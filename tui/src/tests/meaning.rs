//! Markdown in the preview: what is seen of it, and where.

use daemon_protocol::Hit;

use super::screens::check;
use super::{ASK, Stage, git};
use crate::face::Faces;
use crate::markdown::{is_markdown, marked};
use crate::message::Message;
use crate::preview::Preview;
use daemon_protocol::{Event, Stage as Ranking};

/// What is seen of each line of `source`.
fn seen(source: &str) -> Vec<String> {
    let marked = marked(source);
    let mut at = 0;
    let lines = source.split_inclusive('\n').map(|line| {
        at += line.len();
        marked.cut(at - line.len()..at).text
    });
    lines.collect()
}

#[track_caller]
fn sees(source: &str, expected: &[&str]) {
    assert_eq!(seen(source), expected, "{source:?}");
}

#[test]
fn a_line_of_the_file_is_a_line_of_the_screen() {
    sees("# Git\n\nSome *words*, **strong** ~~gone~~.\n", &["Git", "", "Some words, strong gone."]);
    sees("Under\n=====\ntext\n", &["Under", "", "text"]);
    sees("a [link](http://x) and ![picture](y.png)\n", &["a link and picture"]);
    sees("`` a`b `` and `c`\n", &["a`b and c"]);
    sees("\\*plain\\* & &amp;\n", &["*plain* & &amp;"]);
    sees(
        "- a\n  - b\n    more\n- [x] done\n- [ ] not\n",
        &["• a", "  • b", "    more", "• ☑ done", "• ☐ not"],
    );
    sees("3. three\n4. four\n", &["3. three", "4. four"]);
    sees("> said\n> - so\n", &["▏ said", "▏ • so"]);
    sees("```rust\nlet a = 1; // *not*\n```\n", &["rust", "let a = 1; // *not*", ""]);
    sees("    indented\n", &["indented"]);
    sees("| a | b |\n|---|:-:|\n| *1* | 2 |\n", &["│ a │ b │", "┼───┼───┼", "│ 1 │ 2 │"]);
    sees("---\ntags: [x]\n---\ntext\n", &["", "tags: [x]", "", "text"]);
    sees("a\n\n---\n\nb", &["a", "", "───", "", "b"]);
    sees("<b>raw</b>\r\n", &["<b>raw</b>"]);
    sees("tab\there \x1b[31m\n", &["tab    here ·[31m"]);
    sees("", &[]);
}

#[test]
fn what_is_seen_looks_as_it_is_meant() {
    let source = "**a *b*** `c`\n";
    let meant = marked(source).cut(0..source.len());
    let looks = |at: usize| meant.faces.iter().find(|(from, to, _)| (*from..*to).contains(&at));
    let has = |at: usize, face| looks(at).is_some_and(|(_, _, faces)| faces.has(face));
    assert_eq!(meant.text, "a b c");
    assert!(has(0, Faces::STRONG) && !has(0, Faces::EMPHASIS));
    assert!(has(2, Faces::STRONG) && has(2, Faces::EMPHASIS));
    assert!(looks(3).is_none() && has(4, Faces::CODE));
    for (path, expected) in [("/a.md", true), ("/A.MD", true), ("/a.txt", false), ("/md", false)] {
        assert_eq!(is_markdown(path), expected, "{path}");
    }
}

const NOTE: &str = "# Git\n\nHow to *move* a branch:\n\n- run `git fetch`\n- then **git rebase main**\n\n\
                    | step | what |\n|------|------|\n| 1    | stop |\n\n```sh\ngit rebase main\n```\n";

/// A stage whose selected hit is the list of the note.
fn reading() -> Stage {
    let at = NOTE.find("- run").unwrap();
    let note =
        Hit { line_start: 5, line_end: 6, line: 6, byte_start: at, byte_end: at + 44, ..git() };
    let mut stage = Stage::asked();
    stage.hear(Event::Hits { id: ASK, stage: Ranking::Draft, hits: vec![note.clone()] });
    stage.say(Message::Preview(Box::new(Preview::cut(&note, NOTE.as_bytes(), 0))));
    stage
}

#[test]
fn a_note_is_shown_as_it_is_meant_or_as_it_is_written() {
    let mut stage = reading();
    check("markdown_80x24", stage.screen(80, 24));
    check("markdown_200x60", stage.screen(200, 60));
    let screen = stage.screen(80, 24).to_string();
    assert!(screen.contains("6▎ • then git rebase main"), "{screen}");
    stage.keys("<alt-r>");
    let screen = stage.screen(80, 24).to_string();
    assert!(screen.contains("6▎ - then **git rebase main**"), "{screen}");
    // It stays so for the next one.
    stage.say(Message::Preview(Box::new(Preview::cut(
        &stage.model.rows[0].hit.clone(),
        NOTE.as_bytes(),
        0,
    ))));
    assert!(stage.screen(80, 24).to_string().contains("**git rebase main**"));
    stage.keys("<alt-r><alt-y>");
    let copied = stage.commands.iter().rev().find_map(|command| match command {
        crate::message::Command::Copy(text) => Some(text.clone()),
        _ => None,
    });
    assert!(copied.unwrap().starts_with("> - run `git fetch`\n> - then **git"), "as Markdown");
    stage.say(Message::Resized { width: 40, height: 10 });
    stage.keys("<tab>");
    check("markdown_40x10", stage.screen(40, 10));
}

#[test]
fn the_words_that_were_searched_for_are_marked_in_it() {
    let mut stage = reading();
    let screen = stage.screen(120, 30);
    let marked = |cell: &&ratatui::buffer::Cell| cell.fg == ratatui::style::Color::Yellow;
    let preview = screen.buffer().content().chunks(120).map(|row| &row[68..]);
    let marked: String =
        preview.flatten().filter(marked).map(ratatui::buffer::Cell::symbol).collect();
    assert_eq!(marked.matches("git").count() + marked.matches("Git").count(), 3, "{marked}");
}

#[test]
fn a_part_of_a_large_file_is_read_from_a_whole_line() {
    let lines: String = (0..40).map(|line| format!("- *line* {line}\n")).collect();
    let at = lines.find("- *line* 30").unwrap();
    let hit = Hit { line_start: 31, line: 31, byte_start: at, byte_end: at + 5, ..git() };
    // Bytes that begin within line 10.
    let offset = lines.find("- *line* 9\n").unwrap() + 4;
    let preview = Preview::cut(&hit, &lines.as_bytes()[offset..], offset);
    assert_eq!(preview.lines[0].number, Some(11));
    let matched = preview.lines.iter().position(|line| line.matched).unwrap();
    assert_eq!(preview.lines[matched].number, Some(31));
    assert_eq!(preview.shown(matched).0, "• line 30");
}
