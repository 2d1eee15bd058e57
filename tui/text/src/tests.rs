use super::*;

#[test]
fn text_fits_cells() {
    assert_eq!(wrap("a bb ccc", 4), ["a bb", "ccc"]);
    assert_eq!(wrap("abcdefg hi", 4), ["abcd", "efg ", "hi"]);
    assert_eq!(wrap("日本語 x", 4), ["日本", "語 x"]);
    assert_eq!(wrap("  in\n\nx", 9), ["  in", "", "x"]);
    assert!(wrap("x", 0).is_empty());
    assert_eq!(fit_end("日本語", 5), "日本…");
    assert_eq!(fit_start("notes/git.md", 7), "…git.md");
    assert_eq!((fit_end("ab", 0), fit_start("ab", 1)), (String::new(), "…".to_owned()));
}

#[test]
fn nothing_drives_the_terminal() {
    for (text, expected, in_cells) in [
        ("a\tb\x1b[1m\u{202e}", "a\tb\u{fffd}[1m\u{fffd}", "a    b·[1m·"),
        ("a\r\nb\u{7}", "a\u{fffd}\nb\u{fffd}", "a\nb·"),
        (
            "\u{9b}31m \u{200f}\u{61c}\u{2066}x",
            "\u{fffd}31m \u{fffd}\u{fffd}\u{fffd}x",
            "·31m ···x",
        ),
        ("plain é 日本", "plain é 日本", "plain é 日本"),
    ] {
        assert_eq!((harmless(text).as_str(), cells(text).as_str()), (expected, in_cells));
    }
    assert_eq!(one_line(" a\n\tb\u{1b} \n"), "a  b\u{fffd}");
}

#[test]
fn numbers_are_told_for_reading() {
    for (ms, written) in [(40, "40 ms"), (1_990, "1.9 s"), (95_000, "1 min 35 s")] {
        assert_eq!(milliseconds(ms), written);
    }
    for (s, written) in [(5, "5 s"), (61, "1 min 1 s"), (7_260, "2 h 1 min"), (180_000, "2 d 2 h")]
    {
        assert_eq!(seconds(s), written);
    }
    for (size, written) in
        [(999, "999 bytes"), (1_500, "1.5 kB"), (98_362_432, "98.4 MB"), (1_234_000_000, "1.23 GB")]
    {
        assert_eq!(bytes(size), written);
    }
    for (number, written) in [(7, "7"), (1_400, "1,400"), (1_234_567, "1,234,567")] {
        assert_eq!(grouped(number), written);
    }
    assert_eq!((counted(1, "hit"), counted(0, "hit")), ("1 hit".to_owned(), "0 hits".to_owned()));
}
