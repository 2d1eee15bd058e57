use daemon_protocol::Place;

use super::*;
use crate::tests::hit_at;

fn given(paths: &[&str]) -> Answer {
    let hits = paths.iter().map(|path| hit_at(path, 3, "A > B", "x\ty")).collect();
    Answer { hits, ..Answer::default() }
}

fn pipe() -> Pipe<'static> {
    Pipe { working_dir: Path::new(""), end: '\n', terminal: false }
}

#[test]
fn each_path_is_printed_once() {
    let here = Pipe { working_dir: Path::new("/w"), ..pipe() };
    let nul = Pipe { end: '\0', ..here };
    let terminal = Pipe { terminal: true, ..here };
    for (paths_given, pipe, expected) in [
        (&[][..], here, ""),
        (&["/w/a.md", "/x/b.md", "/w/a.md"], here, "a.md\n/x/b.md\n"),
        (&["/w/a.md", "/w/c d.md"], nul, "a.md\0c d.md\0"),
        // A program gets the name as it is, a terminal one that only shows.
        (&["/w/\x1b[31m\n.md"], nul, "\x1b[31m\n.md\0"),
        (&["/w/\x1b[31m\n.md"], terminal, "\u{FFFD}[31m\u{FFFD}.md\n"),
        (&["/w/-rf"], here, "./-rf\n"),
    ] {
        assert_eq!(paths(&given(paths_given), pipe), expected, "{paths_given:?}");
    }
}

#[test]
fn a_template_names_what_is_printed() {
    for (template, expected) in [
        ("path:line:col", "/a:3:7\n"),
        ("rank. path", "1. /a\n"),
        ("path\\tscore\\tplace", "/a\t0.0312\t\n"),
        ("title|heading|snippet", "T|A > B|x y\n"),
        ("\\\\path\\0é", ""),
        ("", "\n"),
    ] {
        let read = Template::parse(template);
        if template.contains('é') {
            assert!(read.unwrap_err().starts_with("\"é\": path, line, col, "), "{template}");
            continue;
        }
        assert_eq!(read.unwrap().lines(&given(&["/a"]), &[7], pipe()), expected, "{template}");
    }
    let escapes = Template::parse(r"\\path\0\n").unwrap();
    assert_eq!(escapes.lines(&given(&["/a"]), &[], pipe()), "\\/a\0\n\n");
    assert_eq!(
        Template::parse("file:line").unwrap_err(),
        "\"file\": path, line, col, place, score, rank, title, heading, snippet are known"
    );
    let columns = ["path:line", "path:col"].map(|text| Template::parse(text).unwrap().has_column());
    assert_eq!(columns, [false, true]);
}

#[test]
fn what_is_no_text_has_a_place_and_no_line() {
    let mut answer = given(&["/a.pdf"]);
    answer.hits[0].converted = true;
    answer.hits[0].place = Some(Place::Page(4));
    let template = Template::parse("path:line:place").unwrap();
    assert_eq!(template.lines(&answer, &[], pipe()), "/a.pdf:1:page 4\n");
}

#[test]
fn a_column_is_where_the_match_begins() {
    for (text, line, snippet, highlights, expected) in [
        ("The lamp smokes", 10, "The lamp smokes", &[(4, 8)][..], 5),
        ("one\n  the clamp, lamp", 11, "one the clamp, lamp", &[(15, 19)], 14),
        ("see parse_http", 10, "see parse_http", &[(4, 9)], 5),
        ("sparse", 10, "parse", &[(0, 5)], 2),
        ("é lamp", 10, "é lamp", &[(3, 7)], 4),
        ("no match", 10, "no match", &[], 1),
        ("changed since", 10, "lamp", &[(0, 4)], 1),
        ("short", 99, "short", &[(0, 5)], 1),
        ("short", 10, "short", &[(2, 99)], 1),
    ] {
        let hit = Hit { highlights: highlights.to_vec(), ..hit_at("/a", line, "", snippet) };
        let passage = Passage { byte_start: 0, line_start: 10, place: None, text: text.to_owned() };
        assert_eq!(column(&hit, &passage), expected, "{text:?}");
    }
}
