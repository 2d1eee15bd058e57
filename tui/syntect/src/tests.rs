use super::*;

/// The pieces that are something, as `text:what`.
fn painted(path: &str, text: &str) -> Vec<String> {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let inked = paint(path, &lines);
    let pieces = inked.iter().zip(&lines).flat_map(|(inked, line)| {
        inked.iter().map(|&(from, to, ink)| format!("{}:{ink:?}", &line[from..to]))
    });
    pieces.collect()
}

#[test]
fn words_of_a_language_are_told_apart() {
    for (path, text, expected) in [
        (
            "/a/x.rs",
            "/// Says so.\nfn main() { let n = 42; say(\"a\\n\", n) }",
            &["/// Says so.:Comment", "fn:Keyword", "main:Function", "42:Number", "\\n:Number"][..],
        ),
        (
            "x.py",
            "def f(x):\n    return not 'é' # 犬",
            &["def:Keyword", "f:Function", "'é':Text", "# 犬:Comment"],
        ),
        ("x.ts", "const a: string = `b${c}`", &["const:Keyword"]),
        ("x.toml", "a = 1 # b", &["1:Number", "# b:Comment"]),
        ("Makefile", "# a\nall:\n\techo b", &["# a:Comment"]),
        ("x.kt", "fun main() {}", &["fun:Keyword"]),
        ("script", "#!/bin/sh\necho 'a' # b", &["'a':Text"]),
    ] {
        let painted = painted(path, text);
        for piece in expected {
            assert!(painted.iter().any(|found| found == piece), "{piece} is not in {painted:?}");
        }
    }
}

#[test]
fn what_is_no_code_stays_plain() {
    for (path, text) in [("x.txt", "fn main() { 42 }"), ("x.pdf", "42"), ("", ""), ("x", "42")] {
        assert_eq!(painted(path, text), [""; 0], "{path}");
    }
    assert_eq!(paint("x.rs", &[]), Vec::<Inked>::new());
}

#[test]
fn a_comment_goes_on_from_line_to_line() {
    let lines = ["/* a", "b", "c */ let d = 1;"].map(str::to_owned);
    let inked = paint("x.rs", &lines);
    assert_eq!(inked[1], [(0, 1, Ink::Comment)]);
    assert_eq!(inked[2][0], (0, 4, Ink::Comment));
}
