//! Which documents filters leave.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::filter::parse;
use super::{Selection, select};
use crate::limits::RUNS_DOCUMENTS_MIN;
use crate::store::{Known, Scope, Stamp};

const DAY_NS: i64 = 86_400_000_000_000;

/// Documents below `/n`, written on days 0, 1, 2 and so on from 2024-01-01.
fn library() -> BTreeMap<String, Known> {
    let named = |(day, (path, tags)): (usize, (&str, &[&str]))| {
        let written_ns = (19_723 + day as i64) * DAY_NS;
        let stamp = Stamp { bytes: 1, changed_ns: 1, written_ns, hash: String::new() };
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        (format!("/n/{path}"), Known { stamp, tags, passages: 10 })
    };
    let documents: [(&str, &[&str]); 8] = [
        ("a.md", &["Project/Sea", "log"]),
        ("b.PDF", &[]),
        ("c.docx", &["log"]),
        ("code/d.rs", &[]),
        ("code/Makefile", &[]),
        ("code/e.py", &["project"]),
        ("old/f.md", &["projects"]),
        ("old/g.pdf", &[]),
    ];
    documents.into_iter().enumerate().map(named).collect()
}

fn selected(glob: Option<&str>, filters: &str) -> Result<Selection, String> {
    let parsed = parse(&format!("lamp {filters}"), 19_726 * DAY_NS);
    let roots = [PathBuf::from("/n")];
    select(glob, &parsed.filters.documents, &roots, &library()).map_err(|error| error.message)
}

#[test]
fn filters_of_one_kind_are_alternatives_and_kinds_add_up() {
    let check = |filters: &str, expected: &str| {
        let Scope::Paths(paths) = selected(None, filters).unwrap().scope else {
            panic!("{filters}: all");
        };
        let names: Vec<&str> = paths.iter().filter_map(|path| path.strip_prefix("/n/")).collect();
        assert_eq!(names.join(" "), expected, "{filters}");
    };
    check("path:old", "old/f.md old/g.pdf");
    check("path:old/ path:*.docx", "c.docx old/f.md old/g.pdf");
    check("-path:old -path:code", "a.md b.PDF c.docx");
    check("path:old -path:*.md", "old/g.pdf");
    check("-path:nowhere type:md", "a.md old/f.md");
    check("type:pdf", "b.PDF old/g.pdf");
    check("type:pdf -path:old", "b.PDF");
    check("type:pdf type:doc", "b.PDF c.docx old/g.pdf");
    check("type:code", "code/Makefile code/d.rs code/e.py");
    check("lang:make", "code/Makefile");
    check("lang:rust lang:python", "code/d.rs code/e.py");
    check("type:code -lang:rust path:code", "code/Makefile code/e.py");
    check("tag:project", "a.md code/e.py");
    check("tag:project tag:log", "a.md");
    check("tag:project -tag:LOG", "code/e.py");
    check("tag:project/sea", "a.md");
    check("after:2024-01-03 before:2024-01-05", "c.docx code/d.rs");
    check("before:2024-01-02", "a.md");
    check("-after:2024-01-02", "a.md");
    check("after:yesterday -path:old", "c.docx code/Makefile code/d.rs code/e.py");
    assert_eq!(selected(None, "").unwrap().scope, Scope::All);
    assert_eq!(selected(None, "before:2030 -path:nowhere").unwrap().scope, Scope::All);
    let Scope::Paths(paths) = selected(Some("old"), "type:pdf").unwrap().scope else {
        panic!("all")
    };
    assert_eq!(paths, ["/n/old/g.pdf"]);
}

#[test]
fn filters_that_leave_nothing_are_named() {
    let cases = [
        (None, "type:epub", "no indexed file matches type:epub"),
        (None, "path:code type:epub", "no indexed file matches type:epub"),
        (None, "path:x path:\"y z\"", "no indexed file matches path:x path:\"y z\""),
        (None, "path:old lang:rust", "no indexed file matches path:old lang:rust"),
        (None, "after:2025", "no indexed file matches after:2025"),
        (None, "tag:sail", "no indexed file matches tag:sail"),
        (Some("old"), "lang:rust", "no indexed file matches lang:rust within \"old\""),
        (Some("nowhere"), "lang:rust", "no indexed file matches \"nowhere\""),
        (None, "path:a[b", "not a path glob: \"a[b\""),
    ];
    for (glob, filters, expected) in cases {
        let error = selected(glob, filters).unwrap_err();
        assert!(error.starts_with(expected), "{filters}: {error}");
    }
    let none = select(None, &parse("x type:pdf", 0).filters.documents, &[], &BTreeMap::new());
    assert_eq!(none.unwrap().scope, Scope::All, "nothing is indexed yet");
}

#[test]
fn what_is_left_out_is_listed_where_it_is_little() {
    let roots = [PathBuf::from("/n")];
    let conditions = parse("x -path:old", 0).filters.documents;
    for (of_old, few) in [(10, false), (3, true), (4, false)] {
        let mut known = library();
        for (path, known) in &mut known {
            known.passages = if path.starts_with("/n/old/") { of_old } else { 10 };
        }
        let selection = select(None, &conditions, &roots, &known).unwrap();
        assert!(matches!(&selection.scope, Scope::Paths(paths) if paths.len() == 6));
        let mut left_out: Vec<&str> = selection.left_out.iter().map(String::as_str).collect();
        left_out.sort_unstable();
        let expected: &[&str] = if few { &["/n/old/f.md", "/n/old/g.pdf"] } else { &[] };
        assert_eq!(left_out, expected, "{of_old}");
    }
}

#[test]
fn a_scope_of_many_documents_is_named_by_runs_of_their_paths() {
    let roots = [PathBuf::from("/n")];
    let of = |name: String| (name, library()["/n/old/f.md"].clone());
    let folder = |name: &str, count: usize| {
        (0..count).map(|n| of(format!("/n/{name}/{n:04}.md"))).collect::<Vec<_>>()
    };
    let (few, many) = (folder("b", RUNS_DOCUMENTS_MIN - 1), folder("b", RUNS_DOCUMENTS_MIN));
    let run =
        |first: usize, last: usize| format!("/n/b/{first:04}.md")..=format!("/n/b/{last:04}.md");
    let scope = |filters: &str, of_b: &[(String, Known)]| {
        let known: BTreeMap<String, Known> =
            [folder("a", 900), of_b.to_vec(), folder("c", 3)].concat().into_iter().collect();
        let conditions = parse(&format!("x {filters}"), 0).filters.documents;
        select(None, &conditions, &roots, &known).unwrap().scope
    };
    assert!(matches!(scope("path:b", &few), Scope::Paths(paths) if paths.len() == few.len()));
    assert_eq!(scope("path:b", &many), Scope::Runs(vec![run(0, many.len() - 1)]));
    // Others between them end a run, and too many runs are a list.
    let with = |every: usize| {
        let mut of_b = folder("b", 2 * RUNS_DOCUMENTS_MIN);
        for (name, _) in of_b.iter_mut().step_by(every) {
            *name = name.replace(".md", ".pdf");
        }
        scope("type:md path:b", &of_b)
    };
    let half = RUNS_DOCUMENTS_MIN;
    assert_eq!(with(half), Scope::Runs(vec![run(1, half - 1), run(half + 1, 2 * half - 1)]));
    assert!(matches!(with(5), Scope::Paths(paths) if paths.len() == 2 * half - 2 * half / 5));
    let mixed = scope("-path:b", &many);
    assert!(matches!(&mixed, Scope::Runs(runs) if runs.len() == 2), "{mixed:?}");
    assert!(
        mixed.holds("/n/a/0000.md") && mixed.holds("/n/c/0002.md") && !mixed.holds("/n/b/1.md")
    );
}
