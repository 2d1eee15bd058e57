//! What is a heading in each language, and what a document says of itself.

use super::{about, body, headings};
use crate::document::Kind;

fn check(kind: Kind, table: &[(&str, &[(usize, &str)])]) {
    for (text, expected) in table {
        let found = headings(kind, text);
        let read: Vec<_> = found.iter().map(|heading| (heading.level, &*heading.text)).collect();
        assert_eq!(&read, expected, "{kind:?} {text:?}");
        let mut at = 0;
        for heading in &found {
            assert!(at <= heading.bytes.start && heading.bytes.end <= text.len(), "{text:?}");
            at = heading.bytes.end;
        }
    }
}

#[test]
fn org() {
    check(
        Kind::Org,
        &[
            ("* A\n** B\ntext *bold*\n***no\n* C\n", &[(1, "A"), (2, "B"), (1, "C")]),
            ("* TODO [#A] Call *now* [1/3] :work:home:\n", &[(1, "Call now")]),
            ("* [[http://a][the link]] =code=\n", &[(1, "the link code")]),
            (" * item\n- item\n", &[]),
            ("#+BEGIN_SRC sh\n* a\n#+END_SRC\n* B\n", &[(1, "B")]),
            (
                "#+begin_example\n#+begin_src c\n* a\n#+end_src\n* b\n#+end_example\n* C\n",
                &[(1, "C")],
            ),
            ("#+begin_src sh\n* never closed\n", &[(1, "never closed")]),
            ("# * a comment\n* B\r\n", &[(1, "B")]),
            ("\u{feff}* A\n", &[(1, "A")]),
        ],
    );
}

#[test]
fn rst() {
    check(
        Kind::Rst,
        &[
            (
                "====\nDoc\n====\n\nA\n=\n\nB\n-\n\nC\n=\n",
                &[(1, "Doc"), (2, "A"), (3, "B"), (2, "C")],
            ),
            ("A\n===\ntext\n\n----\n\ntext\n", &[(1, "A")]),
            ("A\n===\nB\n---\n", &[(1, "A"), (2, "B")]),
            (
                "Title of ``code`` and :ref:`text <target>`\n=====================\n",
                &[(1, "Title of code and text")],
            ),
            ("=====  =====\na      b\n=====  =====\n1      2\n=====  =====\n", &[]),
            ("+---+---+\n| a | b |\n+---+---+\n", &[]),
            ("Code::\n\n    A\n    ===\n\nB\n===\n", &[(1, "B")]),
            ("two lines of\na paragraph\n===========\n", &[]),
            ("\u{feff}A\r\n===\r\n", &[(1, "A")]),
        ],
    );
}

#[test]
fn asciidoc() {
    check(
        Kind::Asciidoc,
        &[
            ("= Doc\n:toc:\n\n== A ==\ntext\n=== B\n", &[(1, "Doc"), (2, "A"), (3, "B")]),
            ("Doc\n===\n\nA\n-\n\nA b\n---\ntext\n", &[(1, "Doc"), (2, "A b")]),
            ("----\n== a\n----\n== B\n", &[(2, "B")]),
            ("....\n== a\n----\n== b\n....\n== C\n", &[(2, "C")]),
            ("////\n== a\n////\n== B\n", &[(2, "B")]),
            ("----\n== never closed\n", &[(2, "never closed")]),
            ("[[id]]\n== [[a]]The `code` way\n", &[(2, "The code way")]),
            ("====\nexample\n====\n== B\n", &[(2, "B")]),
            ("=no\n==\n", &[]),
            ("\u{feff}== A\r\n", &[(2, "A")]),
        ],
    );
}

#[test]
fn latex() {
    check(
        Kind::Latex,
        &[
            ("\\section{A}\n\\subsection*{B}\ntext\n", &[(3, "A"), (4, "B")]),
            ("\\chapter[short]{Long \\emph{name}~here\\label{x}}\n", &[(2, "Long name here")]),
            ("% \\section{a}\n100\\% \\section{B}\n", &[(3, "B")]),
            ("\\begin{verbatim}\n\\section{a}\n\\end{verbatim}\n\\section{B}\n", &[(3, "B")]),
            (
                "\\begin{lstlisting}[language=C]\n% {\n\\end{lstlisting}\n\\section{B}\n",
                &[(3, "B")],
            ),
            ("\\begin{comment}\n\\section{a}\n", &[(3, "a")]),
            ("\\newcommand{\\x}[1]{\\section{#1}}\n\\section{B}\n", &[(3, "B")]),
            ("\\section{never closed\n", &[]),
            ("\\sectionmark{a}\n\\section{}\n", &[(3, "")]),
            ("\\section\n{On the next line}\n", &[(3, "On the next line")]),
            ("\\begin{frame}\n\\frametitle{A}\n\\end{frame}\n", &[(7, "A")]),
            ("\\section{Größe \\& L\\\"ange}\r\ntext", &[(3, "Größe & Lange")]),
        ],
    );
}

#[test]
fn man() {
    check(
        Kind::Man,
        &[
            (
                ".TH LS 1\n.SH NAME\nls \\- list\n.SS \"Exit status\"\n0\n",
                &[(1, "NAME"), (2, "Exit status")],
            ),
            (".Dd today\n.Dt CAT 1\n.Sh SEE ALSO\n.Ss B\n", &[(1, "SEE ALSO"), (2, "B")]),
            (".SH\nSYNOPSIS\n.SHX\n", &[(1, "SYNOPSIS")]),
            (".SH \\fBbold\\fR and\\-dash\n", &[(1, "bold and-dash")]),
            ("'\\\" t\n.\\\" .SH a\n.sp\n", &[]),
        ],
    );
}

#[test]
fn bodies_begin_behind_what_is_about_them() {
    let table = [
        (Kind::Latex, "\\documentclass{a}\n\\begin{document}\nb", "\nb"),
        (Kind::Latex, "a part", "a part"),
        (Kind::Man, ".\\\" licence\n.TH A 1\n.SH B\n", ".SH B\n"),
        (Kind::Markdown, "\u{feff}---\na: b\n---\nc", "c"),
        (Kind::Org, "* A", "* A"),
    ];
    for (kind, text, rest) in table {
        assert_eq!(&text[body(kind, text)..], rest, "{kind:?}");
    }
}

#[test]
fn documents_say_what_they_are() {
    // Text, its title, tags and aliases.
    type Case<'a> = (Kind, &'a str, Option<&'a str>, &'a [&'a str], &'a [&'a str]);
    let table: &[Case<'_>] = &[
        (
            Kind::Org,
            "#+TITLE: The *log*\n#+FILETAGS: :a:b:\n* C\n",
            Some("The log"),
            &["a", "b"],
            &[],
        ),
        (
            Kind::Org,
            ":PROPERTIES:\n:ROAM_ALIASES: \"one two\" three\n:END:\n",
            None,
            &[],
            &["one two", "three"],
        ),
        (Kind::Org, "* Only\n** B\n** C\n", Some("Only"), &[], &[]),
        (Kind::Org, "* A\n* B\n", None, &[], &[]),
        (Kind::Rst, ":tags: a, b\n\nDoc\n===\n\nA\n---\n", Some("Doc"), &["a", "b"], &[]),
        (Kind::Asciidoc, "= Doc\n:keywords: a, b c\n\n== A\n", Some("Doc"), &["a", "b c"], &[]),
        (Kind::Asciidoc, "== A\n", None, &[], &[]),
        (
            Kind::Latex,
            "\\title{On \\textbf{Owls}}\n\\keywords{a; b}\n",
            Some("On Owls"),
            &["a", "b"],
            &[],
        ),
        (Kind::Latex, "% \\title{no}\n\\section{A}\n", None, &[], &[]),
        (
            Kind::Man,
            ".\\\" note\n.TH GIT\\-LOG \"1\" today\n.SH NAME\n",
            Some("GIT-LOG(1)"),
            &[],
            &[],
        ),
        (Kind::Man, ".Dt CAT 1\n", Some("CAT(1)"), &[], &[]),
    ];
    for (kind, text, title, tags, aliases) in table {
        let (found, about) = about(*kind, text);
        assert_eq!(found.as_deref(), *title, "{kind:?} {text:?}");
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
