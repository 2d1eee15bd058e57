use super::*;

fn hit_at(path: &str, line: usize, heading: &str, snippet: &str) -> Hit {
    Hit {
        path: path.to_owned(),
        title: "T".to_owned(),
        heading: heading.to_owned(),
        line_start: line,
        line_end: line + 2,
        line,
        byte_start: 0,
        byte_end: 9,
        converted: false,
        place: None,
        score: 0.03125,
        snippet: snippet.to_owned(),
        highlights: Vec::new(),
        ranks: daemon_protocol::Ranks::default(),
        reading: None,
        also: Vec::new(),
        scores: daemon_protocol::Scores::default(),
        words: Vec::new(),
        missing: Vec::new(),
        marked: None,
    }
}

#[test]
fn text_is_path_line_score_heading_and_snippet() {
    for (hits, expected) in [
        (vec![], ""),
        (
            vec![hit_at("/w/notes/git.md", 14, "Git > Rebase", "Run it.\n\nThen push.\n")],
            "notes/git.md:14 0.0312\nGit > Rebase\n    Run it.\n\n    Then push.\n",
        ),
        (
            vec![hit_at("/x/a.txt", 1, "", "one"), hit_at("/w/b.txt", 2, "", "two")],
            "/x/a.txt:1 0.0312\n    one\n\nb.txt:2 0.0312\n    two\n",
        ),
        // What is in a file cannot drive the terminal.
        (
            vec![hit_at("/x/\x1b]0;a.txt", 1, "h\x07", "\x1b[31mred\u{9b}")],
            "/x/\u{FFFD}]0;a.txt:1 0.0312\nh\u{FFFD}\n    \u{FFFD}[31mred\u{FFFD}\n",
        ),
    ] {
        let given = Answer { hits, ..Answer::default() };
        let text = answer(&given, Format::Text, Style::default(), Path::new("/w"));
        assert_eq!(text, expected);
    }
}

#[test]
fn copies_are_named_below_their_hit() {
    let also = |paths: &[&str]| {
        let also = paths.iter().map(|path| (*path).to_owned()).collect();
        let given =
            Answer { hits: vec![Hit { also, ..hit_at("/w/a", 1, "", "x") }], ..Answer::default() };
        answer(&given, Format::Text, Style::default(), Path::new("/w"))
    };
    let head = "a:1 0.0312\n    x\n";
    assert_eq!(
        also(&["/w/b/a", "/c\n\u{1b}"]),
        format!("{head}    also in b/a, /c\u{fffd}\u{fffd}\n")
    );
    assert_eq!(
        also(&["/1", "/2", "/3", "/4", "/5"]),
        format!("{head}    also in /1, /2, /3, 2 more\n")
    );
}

#[test]
fn matches_are_coloured_where_they_are() {
    let style = Style { matched: "<", reset: ">", ..Style::default() };
    for (snippet, highlights, expected) in [
        ("git rebase main", vec![(4, 10)], "git <rebase> main"),
        ("git rebase", vec![(0, 3), (4, 10)], "<git> <rebase>"),
        ("a b\nc d", vec![(2, 5)], "a <b>\n<c> d"),
        ("é è", vec![(0, 2), (3, 5)], "<é> <è>"),
        ("é è", vec![(0, 1), (3, 5), (4, 99)], "é <è>"),
        ("", vec![(0, 0)], ""),
    ] {
        let hit = Hit { highlights, ..hit_at("/a", 1, "", snippet) };
        assert_eq!(highlighted(&hit, style), expected, "{snippet:?}");
    }
    let plain = Hit { highlights: vec![(0, 3)], ..hit_at("/a", 1, "", "git") };
    assert_eq!(highlighted(&plain, Style::when(false)), "git");
    assert_eq!(highlighted(&plain, Style::when(true)), "\x1b[1;31mgit\x1b[0m");
}

#[test]
fn paths_below_the_working_directory_are_shortened() {
    for (path, working_dir, expected) in [
        ("/home/me/notes/a.md", "/home/me", "notes/a.md"),
        ("/home/me/notes/a.md", "/home/me/", "notes/a.md"),
        ("/home/me/notes/a.md", "/home/m", "/home/me/notes/a.md"),
        ("/home/me/notes/a.md", "/other", "/home/me/notes/a.md"),
        ("/home/me/notes/a.md", "/", "home/me/notes/a.md"),
        ("/home/me", "/home/me", "/home/me"),
    ] {
        assert_eq!(shortened(path, Path::new(working_dir)), expected);
    }
}

#[test]
fn json_is_an_array_and_json_lines_begin_with_what_was_asked() {
    let mut given = Answer { question: "why".to_owned(), ..Answer::default() };
    let print = |given: &Answer, format| answer(given, format, Style::when(true), Path::new("/w"));
    assert_eq!(print(&given, Format::Json), "[]\n");
    given.think(0, " be");
    given.think(2, "third");
    given.think(0, "cause");
    given.hits = vec![hit_at("/w/a", 1, "", "x"), hit_at("/w/b", 2, "", "y")];
    let array: Vec<Hit> = serde_json::from_str(&print(&given, Format::Json)).unwrap();
    assert_eq!(array, given.hits);

    let lines = print(&given, Format::Jsonl);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 3);
    let meta: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
    assert_eq!(meta["_meta"]["question"], "why");
    assert_eq!(meta["_meta"]["thoughts"], json!(["because", "", "third"]));
    assert_eq!(meta["_meta"]["timings"]["total_ms"], 0);
    assert_eq!(serde_json::from_str::<Hit>(lines[2]).unwrap(), given.hits[1]);
}

#[test]
fn thoughts_stream_in_lines_that_say_what_they_are() {
    let style = Style { dim: "<", reset: ">", ..Style::default() };
    for (style, pieces, expected) in [
        (Style::default(), &[(0, " Git"), (0, " is")][..], "thinking 1: Git is\n"),
        (
            Style::default(),
            &[(0, "one"), (1, ""), (1, " two")],
            "thinking 1: one\nthinking 2: two\n",
        ),
        (Style::default(), &[(0, "\n\na\n"), (0, "b")], "thinking 1: a\nthinking 1: b\n"),
        (Style::default(), &[(0, "\x1b[2J")], "thinking 1: \u{FFFD}[2J\n"),
        (style, &[(0, "a"), (0, " b")], "<thinking 1:> <a>< b>\n"),
        (style, &[], ""),
    ] {
        let mut stream = ThoughtStream::new(style);
        let mut text: String =
            pieces.iter().map(|(index, delta)| stream.push(*index, delta)).collect();
        text.push_str(&stream.end());
        assert_eq!(text, expected);
        assert_eq!(stream.end(), "");
    }
}
