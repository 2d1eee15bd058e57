//! What is a heading, what it reads as, and what front matter says.

use super::{about, body, headings, readable};
use crate::chunk::markup;
use crate::document::Kind;

#[test]
fn headings_are_not_code_rules_lists_or_comments() {
    let table: &[(&str, &[(usize, &str)])] = &[
        ("# A\n## B ##\n### C#\n####### no\n#no\n#\n", &[(1, "A"), (2, "B"), (3, "C#"), (1, "")]),
        ("    # code\n\t# code\n   # heading", &[(1, "heading")]),
        ("~~~\n# a\n```\n# b\n~~~~\n# c", &[(1, "c")]),
        ("```x`\n# heading\n", &[(1, "heading")]),
        ("```\n# never closed", &[]),
        ("````md\n```sh\n# a\n```\n# b\n````\n# c", &[(1, "c")]),
        ("A\n===\n\nB\n---\n\n- item\n---\n\n> quote\n---\n\n| a |\n---\n", &[(1, "A"), (2, "B")]),
        ("two lines of\nparagraph\n---\n", &[]),
        ("\n---\n\ntext\n", &[]),
        ("---\n\n# A\n\n---\n# B", &[(1, "A"), (1, "B")]),
        ("---\n# comment\nkey: x\n---\n# B", &[(1, "B")]),
        ("**Bold**\n---\n", &[(2, "Bold")]),
        ("A\r\n=\r\n\r\nB\r\n-\r\n", &[(1, "A"), (2, "B")]),
        // Fences that open behind marks.
        ("1. ```sh\n   # a\n   ```\n\n## B\n", &[(2, "B")]),
        ("- ```\n  # a\n  ```\n# B\n", &[(1, "B")]),
        ("- ```\n# not indented\n```\n# B\n", &[(1, "B")]),
        ("10) ~~~\n    # a\n    ~~~\n# B\n", &[(1, "B")]),
        ("- a\n\n  ```\n  # b\n\n  # c\n  ```\n\n# D\n", &[(1, "D")]),
        ("- a\n  - ```\n    # b\n    ```\n# D\n", &[(1, "D")]),
        ("> ```\n> # a\n> ```\n\n# B\n", &[(1, "B")]),
        ("> ```\n> # a\n# B\n", &[(1, "B")]),
        ("> - ```\n>   # a\n>   ```\n# B\n", &[(1, "B")]),
        ("- a\n\n# B\n", &[(1, "B")]),
        // In quotations and items they head nothing outside.
        ("> # a\n\n- # b\n\n# C\n", &[(1, "C")]),
        // Comments and other languages.
        ("<!--\n# a\n-->\n# B\n", &[(1, "B")]),
        ("<!-- a --> \n# B\n", &[(1, "B")]),
        ("text <!-- a\n# b\n--> c\n# D\n", &[(1, "D")]),
        ("`<!--` is how\n# A\n-->\n", &[(1, "A")]),
        ("<!-- never closed\n# A\n", &[(1, "A")]),
        ("# A <!--\n# b\n-->\n# C\n", &[(1, "A <!--"), (1, "C")]),
        ("%%\n# a\n%%\n# B\n", &[(1, "B")]),
        ("%% a %%\n# B\n", &[(1, "B")]),
        ("$$\n# a\n$$\n# B\n", &[(1, "B")]),
        ("<pre>\n# a\n\n# b\n</pre>\n# C\n", &[(1, "C")]),
        ("<script>\n# a\n\n# b\n</script>\n# C\n", &[(1, "C")]),
        ("<details>\n# a\n\n# B\n", &[(1, "B")]),
        ("{/*\n# a\n*/}\n# B\n", &[(1, "B")]),
        ("```\n<!--\n```\n# A\n-->\n", &[(1, "A")]),
        // Tables, definitions of links, lazy lines.
        ("| a | b |\n|---|---|\n| c | d |\n---\n", &[]),
        ("[a]: http://b\n---\n", &[]),
        ("- a\nlazy\n---\n# B\n", &[(1, "B")]),
        ("2024. was\n---\n", &[]),
        ("* * *\n# A\n***\n# B\n", &[(1, "A"), (1, "B")]),
        ("-\n# A\n", &[(1, "A")]),
        ("Setext of two words\n-------------------\n", &[(2, "Setext of two words")]),
    ];
    for (text, expected) in table {
        let found = headings(text);
        let found: Vec<_> = found.iter().map(|heading| (heading.level, &*heading.text)).collect();
        assert_eq!(&found, expected, "{text:?}");
    }
}

#[test]
fn headings_read_as_their_words() {
    let table = [
        ("plain", "plain"),
        ("*a* **b** ***c*** _d_ __e__", "a b c d e"),
        ("`code` and ``a ` b``", "code and a ` b"),
        ("[text](http://url) behind", "text behind"),
        ("[text][name]", "text"),
        ("[**bold** text](url \"title\")", "bold text"),
        ("![alt](picture.png) text", "alt text"),
        ("[[page]] [[page|shown]] [[page#part]]", "page shown page#part"),
        ("text {#id}", "text"),
        ("text {#id .class key=value}", "text"),
        ("{braces} stay {here}", "{braces} stay {here}"),
        ("~~gone~~ ==marked== a==b a ~ b", "gone marked a==b a ~ b"),
        ("snake_case_name and __init__.py", "snake_case_name and __init__.py"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("[ ] task [1]", "[ ] task [1]"),
        ("<a name=\"x\"></a>text<br>", "text"),
        ("Vec<T> and a < b", "Vec<T> and a < b"),
        ("\\*stars\\* and C:\\temp", "*stars* and C:\\temp"),
        ("unclosed *a and `b", "unclosed *a and `b"),
        ("", ""),
        ("***", "***"),
    ];
    for (text, expected) in table {
        assert_eq!(readable(text), expected, "{text:?}");
    }
}

#[test]
fn front_matter_is_read_as_people_write_it() {
    // Text, its title, tags and aliases, and what is left.
    type Case<'a> = (&'a str, Option<&'a str>, &'a [&'a str], &'a [&'a str], &'a str);
    let table: &[Case<'_>] = &[
        ("---\ntitle: A\n---\nrest", Some("A"), &[], &[], "rest"),
        ("\u{feff}---\r\ntitle: A b\r\n---\r\nrest", Some("A b"), &[], &[], "rest"),
        (
            "---\ntitle: A\n\n# note\nauthor: b\ntags: [x, \"y, z\"]\n---\n",
            Some("A"),
            &["x", "y, z"],
            &[],
            "",
        ),
        ("---\ntitle: >-\n  Folded\n  title\ndate: 1\n---\n", Some("Folded title"), &[], &[], ""),
        ("---\ntitle: |\n  Literal\n---\n", Some("Literal"), &[], &[], ""),
        ("---\ntitle: one\n  two\n---\n", Some("one two"), &[], &[], ""),
        ("---\ntitle: \"Colon: inside\" # note\n---\n", Some("Colon: inside"), &[], &[], ""),
        ("---\ntitle: 'It''s # one' # note\n---\n", Some("It's # one"), &[], &[], ""),
        ("---\ntitle: C# for all # note\n---\n", Some("C# for all"), &[], &[], ""),
        ("---\ntitle:\n---\n# B\n", None, &[], &[], "# B\n"),
        (
            "---\nTitle: A\nTags: a, b\nAliases: c\n...\nrest",
            Some("A"),
            &["a", "b"],
            &["c"],
            "rest",
        ),
        (
            "---\ntags:\n- a\n  - b c\n# note\n- '#d'\naliases:\n  - e\n---\n",
            None,
            &["a", "b c", "d"],
            &["e"],
            "",
        ),
        ("---\ntags:\n  [a,\n   b]\n---\n", None, &["a", "b"], &[], ""),
        ("---\ntags: [\n  a, # note\n  b,\n]\n---\n", None, &["a", "b"], &[], ""),
        ("---\ntags: []\naliases: ~\n---\n", None, &[], &[], ""),
        (
            "---\ntitle: '''Tis so'\ntags:\n- 'it''s # 1' # one\n- \"a\\\\\" # \"two\n---\n",
            Some("'Tis so"),
            &["it's # 1", "a\\"],
            &[],
            "",
        ),
        (
            "+++\ntitle = '''\nTis so'''\ntags = [\n'a\\', # 'b\n'c',\n]\n+++\n",
            Some("Tis so"),
            &["a\\", "c"],
            &[],
            "",
        ),
        ("---\n\n# note\ntitle: A\n---\n", Some("A"), &[], &[], ""),
        ("---\nnested:\n  title: no\ntitle: yes it is\n---\n", Some("yes it is"), &[], &[], ""),
        ("---\n---\nrest", None, &[], &[], "rest"),
        (
            "+++\ntitle = \"A\"\n# note\ntags = [\"x\", 'y']\n+++\nrest",
            Some("A"),
            &["x", "y"],
            &[],
            "rest",
        ),
        (
            "+++\ntitle = 'A'\n[taxonomies]\ntags = [\n  \"x\",\n  \"y\",\n]\n[extra]\ntitle = \"no\"\n+++\n",
            Some("A"),
            &["x", "y"],
            &[],
            "",
        ),
        (
            "+++\ntitle = \"\"\"\nA\"\"\"\naliases = [\"/old\"]\n+++\n",
            Some("A"),
            &[],
            &["/old"],
            "",
        ),
        // None: rules, text between rules, and what never ends.
        (
            "---\n\nA rule came first.\n\n---\nrest",
            None,
            &[],
            &[],
            "---\n\nA rule came first.\n\n---\nrest",
        ),
        (
            "---\nNote: this is\n\njust text\n\n---\n",
            None,
            &[],
            &[],
            "---\nNote: this is\n\njust text\n\n---\n",
        ),
        ("---\n# A\n\ntext\n---\n", None, &[], &[], "---\n# A\n\ntext\n---\n"),
        ("---\ntitle: never closed\n", None, &[], &[], "---\ntitle: never closed\n"),
        ("\n---\ntitle: too late\n---\n", None, &[], &[], "\n---\ntitle: too late\n---\n"),
        ("----\ntitle: a rule\n----\n", None, &[], &[], "----\ntitle: a rule\n----\n"),
    ];
    for (text, title, tags, aliases, rest) in table {
        let (found, about) = about(text);
        assert_eq!((found.as_deref(), &text[body(text)..]), (*title, *rest), "{text:?}");
        assert_eq!(
            (&about.tags[..], &about.aliases[..]),
            (&owned(tags)[..], &owned(aliases)[..]),
            "{text:?}"
        );
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_document_is_called_what_it_says_first() {
    let table = [
        ("---\ntitle: A\n---\n# B\n", Some("A")),
        ("---\ntitle:\n---\n\n# **B**\n", Some("B")),
        ("---\n\nA rule.\n\n---\n\n# After the rule\n", Some("After the rule")),
        ("## second\n\n#\n\n# [First](url)\n", Some("First")),
        ("> # quoted\n", None),
        ("---\n# comment\nkey: x\n---\ntext", None),
    ];
    for (text, expected) in table {
        let (title, _) = markup::about(Kind::Markdown, text);
        assert_eq!(title.as_deref(), expected, "{text:?}");
    }
}
