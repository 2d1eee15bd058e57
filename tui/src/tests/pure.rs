//! Keys and events against the model, and the pure helpers.

use std::path::Path;
use std::{env, fs};

use daemon_protocol::{Event, Hit, Place, QUESTION_CHARS_MAX, Request, Stage as Ranking};

use super::{ASK, Stage, git, hit, timings};
use crate::editor;
use crate::growing::Growing;
use crate::keymap::{KeyRow, default_keys};
use crate::line::Line;
use crate::message::{Command, Message};
use crate::preview::{Passage, Preview};
use crate::terminal::base64;

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
    assert_eq!(stage.commands.last(), Some(&Command::View { path: path.clone(), page: Some(3) }));
    stage.keys("<ctrl-y>");
    assert_eq!(stage.commands.last(), Some(&Command::Copy(format!("{path}:page 3"))));

    // An answer for a passage that is no longer selected changes nothing.
    stage.hear(Event::Text { id: ASK, path: path.clone(), passages: vec![] });
    assert_eq!(stage.model.preview.as_ref().expect("still").lines.len(), 7);
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
    assert!(stage.model.help.is_some(), "on an empty line");
    stage.keys("a?");
    assert_eq!((stage.model.query.text(), stage.model.help), ("a?", None));
    stage.keys("<ctrl-z>");
    assert_eq!(stage.commands.pop(), Some(Command::Stop));
}

#[test]
fn every_key_is_bound_once() {
    for labels in [
        default_keys().map(|row| row.keys).collect::<Vec<_>>(),
        default_keys().map(|row| row.list).collect(),
    ] {
        let labels: Vec<&str> = labels.iter().flat_map(|label| label.split(", ")).collect();
        let labels: Vec<&str> = labels.into_iter().filter(|label| !label.is_empty()).collect();
        let mut once = labels.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), labels.len());
    }
}

/// People look for the keys before they have built anything that could show them: all are in the README
/// here, those that nobody gets by without in the one at the root.
#[test]
fn the_readmes_list_the_keys() {
    const BEGIN: &str = "<!-- keys: made from tui/src/keys.rs, checked by a test -->";
    const END: &str = "<!-- end of keys -->";
    let all = |row: KeyRow| format!("\n| {} | {} | {} |", row.keys, row.list, row.does);
    let first = |row: KeyRow| format!("\n| {} | {} |", row.keys, row.does);
    for (readme, head, rows) in [
        (
            "README.md",
            "| key | vi | does |\n| --- | --- | --- |",
            default_keys().map(all).collect(),
        ),
        (
            "../README.md",
            "| key | does |\n| --- | --- |",
            default_keys().filter(|row| row.essential).map(first).collect::<String>(),
        ),
    ] {
        let expected = format!("{head}{rows}");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(readme);
        let text = fs::read_to_string(&path).expect("a README");
        let (before, rest) = text.split_once(BEGIN).expect("a list of keys");
        let (listed, after) = rest.split_once(END).expect("its end");
        // A snapshot like those of insta.
        if env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
            let text = format!("{before}{BEGIN}\n{expected}\n{END}{after}");
            fs::write(&path, text).expect("writes");
        } else {
            assert!(
                listed.trim() == expected,
                "{} is to have this and no other list of keys:\n\n{BEGIN}\n{expected}\n{END}\n",
                path.display()
            );
        }
    }
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

#[tokio::test]
async fn without_an_editor_vi_and_nano_are_tried() {
    let path = "/a b";
    let words = |words: [&str; 3]| words.map(str::to_owned).to_vec();
    let fallbacks = vec![words(["vi", "+7", path]), words(["nano", "+7", path])];
    assert_eq!(editor::choices(None, path, 7), Ok(fallbacks.clone()));
    assert_eq!(editor::choices(Some(" "), path, 7), Ok(fallbacks));
    assert_eq!(editor::choices(Some("hx"), path, 7).map(|choices| choices.len()), Ok(1));
    assert!(editor::choices(Some("'hx"), path, 7).is_err_and(|told| told.contains("quote")));

    let run =
        |names: &[&str]| editor::run(names.iter().map(|name| vec![(*name).to_owned()]).collect());
    assert_eq!(run(&["no-such-editor", "true", "false"]).await, Ok(()), "the first that is there");
    assert_eq!(
        run(&["no-such-editor", "nor-this"]).await,
        Err("neither no-such-editor nor nor-this is there; set $VISUAL or $EDITOR".to_owned())
    );
    let told = Err("no-such-editor is not there; set $VISUAL or $EDITOR".to_owned());
    assert_eq!(run(&["no-such-editor"]).await, told);
    assert_eq!(run(&["false"]).await, Err("false ended with exit status: 1".to_owned()));
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
fn a_passage_is_found_in_any_encoding_and_after_an_edit() {
    let text = "Küche\nDie Crème – 70 °C – wird\ngerührt.\nEnde\n";
    let place = text.find("Die").unwrap();
    let mut cream = hit("", 2, "", "Die Crème – 70 °C – wird gerührt.…", "Crème", 0.1);
    (cream.byte_start, cream.byte_end) = (place, text.find("Ende").unwrap());
    let utf16 = |order: fn(u16) -> [u8; 2], mark: [u8; 2]| -> Vec<u8> {
        mark.into_iter().chain(text.encode_utf16().flat_map(order)).collect()
    };
    let latin = encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
    let damaged = [b"\xff\xff\n".as_slice(), text.as_bytes()].concat();
    let edited = format!("{}{text}", "one more line\n".repeat(3));
    // Bytes that the damage adds to what is before, the first line that is shown, and where it has moved to.
    type Case = (&'static str, Vec<u8>, isize, Option<(usize, Option<usize>)>);
    let cases: [Case; 11] = [
        ("as it is", text.into(), 0, Some((2, None))),
        ("UTF-16", utf16(u16::to_le_bytes, [0xff, 0xfe]), 0, Some((2, None))),
        ("UTF-16, the other way", utf16(u16::to_be_bytes, [0xfe, 0xff]), 0, Some((2, None))),
        (
            "UTF-16 without a mark",
            utf16(u16::to_le_bytes, [0xff, 0xfe])[2..].into(),
            0,
            Some((2, None)),
        ),
        ("Windows", latin, 0, Some((2, None))),
        // Each damaged byte is one character of three in the text.
        ("damaged", damaged, 7, Some((3, None))),
        ("edited above", edited.into(), 0, Some((5, Some(5)))),
        ("edited in the passage", text.replace("70", "70,5").into(), 0, Some((2, None))),
        ("other signs", text.replace('è', "\\`e").into(), 0, Some((2, None))),
        ("another text", text.replace("Die Crème – 70", "Das Eis wird nicht").into(), 0, None),
        ("shorter", "Küche".into(), 0, None),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cream.txt");
    for (name, file, shift, wanted) in cases {
        std::fs::write(&path, file).expect("writes");
        let at = |byte: usize| byte.checked_add_signed(shift).expect("within the file");
        let hit = Hit {
            path: path.display().to_string(),
            byte_start: at(cream.byte_start),
            byte_end: at(cream.byte_end),
            line_start: if shift > 0 { 3 } else { 2 },
            line_end: if shift > 0 { 4 } else { 3 },
            ..cream.clone()
        };
        let preview = crate::preview::read(&hit);
        assert_eq!(preview.passage, Passage::of(&hit), "{name}");
        let Some((line, moved_to)) = wanted else {
            let told = preview.problem.as_deref();
            assert_eq!(told, Some("the file was changed since it was indexed"), "{name}");
            assert_eq!(preview.passage_text(), cream.snippet, "{name}");
            continue;
        };
        assert_eq!((preview.problem.as_deref(), preview.moved_to), (None, moved_to), "{name}");
        let first = preview.lines.iter().find(|line| line.matched).expect("a passage");
        assert_eq!(first.number, Some(line), "{name}");
        let shown = preview.passage_text();
        assert!(
            shown.starts_with("Die Cr") && shown.ends_with("wird\ngerührt."),
            "{name}: {shown}"
        );
    }
}

#[test]
fn the_clipboard_is_written_in_base64() {
    for (bytes, encoded) in
        [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
    {
        assert_eq!(base64(bytes.as_bytes()), encoded);
    }
}

#[test]
fn a_text_that_grows_is_wrapped_as_if_it_were_whole() {
    let texts = [
        "Rebasing replays commits on another base, one at a time.",
        "  begins late\n\nand has  gaps,\ttabs and\r\n ends ",
        "anunbreakablewordthatislongerthanarow and 日本語の文章は続く e\u{301}a",
    ];
    for text in texts {
        for width in [1, 2, 5, 11, 80] {
            let growing = Growing::default();
            let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            for end in starts.into_iter().skip(1).step_by(3).chain([text.len()]) {
                let whole = tui_text::wrap(tui_text::cells(&text[..end]).trim_start(), width);
                let rows = growing.end(&text[..end], width, usize::MAX);
                let trimmed = |rows: &[String]| -> Vec<String> {
                    rows.iter().map(|row| row.trim_end().to_owned()).collect()
                };
                let filled = |rows: &[String]| {
                    trimmed(rows).into_iter().filter(|row| !row.is_empty()).collect::<Vec<_>>()
                };
                assert_eq!(filled(&rows), filled(&whole), "{text:?} to {end} in {width}");
            }
            let last = growing.end(text, width, 2);
            assert!(last.len() <= 2 && growing.end(text, width, usize::MAX).ends_with(&last));
            assert_eq!(growing.end("other", 5, 9), ["other"], "one that did not grow out of it");
        }
    }
}
