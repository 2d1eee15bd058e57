//! What globs match, and what none are.

use super::Glob;

#[test]
fn globs_match_by_characters() {
    let cases = [
        ("*.md", "/n/a.md", true),
        ("*.md", "/n/a.txt", false),
        ("*.md", "/n/b.md/a.txt", true),
        ("caf?", "/n/café/x", true),
        ("?", "/n/灯", true),
        ("[à-ü]*", "/n/été", true),
        ("[!a]?", "/n/éa", true),
        ("[^a]", "/a", false),
        ("[]-]x", "/n/]x", true),
        ("[a-]", "/n/-", true),
        ("[!]a]", "/n/b", true),
        ("/n/*", "/n/deep/x.md", true),
        ("/n/*", "/m/x.md", false),
        ("n/*", "/n/x.md", false),
        ("n/*", "n/x.md", true),
        ("notes/**", "notes", false),
        ("notes/**", "notes/a/b", true),
        ("**/b/**/d", "a/b/c/b/d", true),
        ("**/b/*/d", "a/b/c/b/c/d", true),
        ("a/**/d", "a/d", true),
        ("a/**/d", "a/b/e", false),
        ("**", "a", true),
        ("a**b", "a-x-b", true),
        ("20{23,24}-*", "/n/2024-05/x", true),
        ("{a/b,c}*", "/n/c1", true),
        ("{a/b,c}*", "a/b1", true),
        ("{a,{b,c}d}", "/n/cd", true),
        ("x{,s}", "/n/x", true),
        ("\\{a\\,b}", "/n/{a,b}", false),
        ("\\{a,b\\}", "/n/{a,b}", true),
        ("[{]a", "/n/{a", true),
        ("\\*", "/n/*", true),
        ("\\*", "/n/a", false),
        ("*a*b", "aXbXa", false),
        ("*ab", "aab", true),
    ];
    for (glob, path, expected) in cases {
        // What has escapes for braces that do not close is no glob at all.
        let matches = Glob::new(glob).is_ok_and(|glob| glob.matches(path));
        assert_eq!(matches, expected, "{glob} on {path}");
    }
}

#[test]
fn what_is_no_glob_says_why() {
    let cases = [
        ("[", "bracket"),
        ("[]", "bracket"),
        ("[z-a]", "range"),
        ("a\\", "backslash"),
        ("{a", "not closed"),
        ("a}", "none has opened"),
        ("{a,[}]", "not closed"),
        (&"{a,b}".repeat(9), "too many"),
        (&format!("{}{}", "{".repeat(2000), "}".repeat(2000)), "too many"),
        (&"a".repeat(5000), "longer"),
    ];
    for (glob, expected) in cases {
        let why = Glob::new(glob).err().unwrap_or_default();
        assert!(why.contains(expected), "{glob}: {why}");
    }
}

#[test]
fn a_glob_of_stars_is_matched_quickly() {
    let begun = std::time::Instant::now();
    let glob = Glob::new(&"*a".repeat(2000)).unwrap();
    let deep = Glob::new(&"**/a/".repeat(800)).unwrap();
    let name = "a".repeat(1900);
    for _ in 0..20 {
        assert!(!glob.matches(&name));
        assert!(!deep.matches(&"a/".repeat(700)));
    }
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}
