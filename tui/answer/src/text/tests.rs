use super::*;
use crate::tests::hit_at;

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
        let printed = text(&given, Look::default(), Path::new("/w"));
        assert_eq!(printed, expected);
    }
}

#[test]
fn copies_are_named_below_their_hit() {
    let also = |paths: &[&str]| {
        let also = paths.iter().map(|path| (*path).to_owned()).collect();
        let given =
            Answer { hits: vec![Hit { also, ..hit_at("/w/a", 1, "", "x") }], ..Answer::default() };
        text(&given, Look::default(), Path::new("/w"))
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
        ("/home/me/notes/a.md", "/", "/home/me/notes/a.md"),
        ("/home/me", "/home/me", "/home/me"),
    ] {
        assert_eq!(shortened(path, Path::new(working_dir)), expected);
    }
}

#[test]
fn on_a_terminal_that_knows_links_the_place_is_one() {
    let given = Answer { hits: vec![hit_at("/w/my notes/a.md", 3, "", "x")], ..Answer::default() };
    let look = Look { links: true, ..Look::default() };
    let link = "\x1b]8;;file:///w/my%20notes/a.md\x1b\\my notes/a.md:3\x1b]8;;\x1b\\";
    assert_eq!(text(&given, look, Path::new("/w")), format!("{link} 0.0312\n    x\n"));
}
