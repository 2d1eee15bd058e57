//! Whether the files of one package take names from each other in a circle: then none of them can
//! be read, tested or moved without all the others.
//!
//! A name is taken from the file where its path leads, and from where that file has it in turn.
//! What a folder's files and the file of the folder's name take from each other does not count:
//! one is the table of contents of the others. Nor does the package's root, for the same reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{members, uses};

/// `["gguf", "convert"]`, and `[]` for the package's root.
type Module = Vec<String>;

/// A file that takes from another one, that one, and the name that it takes, as it is written.
type Edges = BTreeMap<(Module, Module), String>;

/// What the file of a module takes, from the package's root on: what its `use`s bring in, and all
/// of it as it is written too.
struct Taken {
    brought: Vec<Module>,
    all: Vec<(Module, String)>,
}

#[test]
fn no_circle_between_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut edges_seen = 0;
    let mut complaints = String::new();
    for member in members().iter().map(String::as_str).chain([""]) {
        let folder = Path::new(member).join("src");
        let files = files(&root.join(&folder));
        assert!(files.contains_key(&[][..]), "{} has no root", folder.display());
        let edges = edges(&files);
        edges_seen += edges.len();
        for circle in circles(&edges) {
            complaints += &format!("in {}:\n{}", folder.display(), told(&circle, &edges));
        }
    }
    assert!(complaints.is_empty(), "files take names from each other in a circle\n{complaints}");
    assert!(edges_seen > 100, "only {edges_seen} edges were seen");
}

/// The text of every file below `folder` that is not for tests alone.
fn files(folder: &Path) -> BTreeMap<Module, String> {
    let mut files = BTreeMap::new();
    let mut folders: Vec<(PathBuf, Module)> = vec![(folder.to_owned(), Vec::new())];
    while let Some((folder, module)) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if name == "tests" || name.ends_with("_tests") {
                continue;
            }
            let mut module = module.clone();
            if !["lib", "main"].contains(&name) {
                module.push(name.to_owned());
            }
            if path.is_dir() {
                folders.push((path, module));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.insert(module, fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

fn edges(files: &BTreeMap<Module, String>) -> Edges {
    let taken: BTreeMap<&[String], Taken> =
        files.iter().map(|(module, text)| (module.as_slice(), taken(module, text))).collect();
    let mut edges = Edges::new();
    for (module, Taken { all, .. }) in &taken {
        for (path, written) in all {
            for giver in givers(path, &taken) {
                let contents = is_table_of(module, &giver) || is_table_of(&giver, module);
                if *module != giver && !contents {
                    edges.entry((module.to_vec(), giver)).or_insert_with(|| written.clone());
                }
            }
        }
    }
    edges
}

fn taken(module: &[String], text: &str) -> Taken {
    let uses::Paths { brought, written_out } = uses::paths(text);
    let all = brought.iter().chain(&written_out);
    Taken {
        all: all.map(|path| (absolute(module, path), path.join("::"))).collect(),
        brought: brought.iter().map(|path| absolute(module, path)).collect(),
    }
}

/// `path` as it is written in the file of `module`, from the package's root on. One of another
/// package turns into one of the file's own, which is no harm.
fn absolute(module: &[String], path: &[&str]) -> Module {
    let (mut base, mut path) = (module, path);
    while let [first @ ("crate" | "self" | "super"), rest @ ..] = path {
        base = match *first {
            "crate" => &[],
            "self" => base,
            _ => &base[..base.len().saturating_sub(1)],
        };
        path = rest;
    }
    base.iter().map(String::as_str).chain(path.iter().copied()).map(str::to_owned).collect()
}

/// The file whose module is the longest beginning of `path`, then the one that this file has the
/// path's next name from, and so on.
fn givers(path: &[String], taken: &BTreeMap<&[String], Taken>) -> Vec<Module> {
    let mut givers: Vec<Module> = Vec::new();
    let mut path = path.to_vec();
    while let Some(length) = (0..=path.len()).rev().find(|l| taken.contains_key(&path[..*l])) {
        let (giver, names) = path.split_at(length);
        let seen = givers.iter().any(|known| known == giver);
        givers.push(giver.to_vec());
        let Some((name, names)) = names.split_first().filter(|_| !seen) else { break };
        let mut brought = taken[giver].brought.iter();
        let Some(source) = brought.find(|source| source.last() == Some(name)) else { break };
        path = [source, names].concat();
    }
    givers
}

fn is_table_of(table: &[String], module: &[String]) -> bool {
    table.is_empty() || module.split_last().is_some_and(|(_, folder)| folder == table)
}

/// Sets of files of which each leads to each other one, if there is another one.
fn circles(edges: &Edges) -> Vec<BTreeSet<&Module>> {
    let reached = |start| {
        let mut reached = BTreeSet::new();
        let mut waiting: Vec<&Module> = vec![start];
        while let Some(module) = waiting.pop() {
            let givers = edges.keys().filter(|(taker, _)| taker == module).map(|(_, giver)| giver);
            waiting.extend(givers.filter(|giver| reached.insert(*giver)));
        }
        reached
    };
    let takers = edges.keys().map(|(taker, _)| taker);
    let reached: BTreeMap<&Module, BTreeSet<&Module>> = takers.map(|m| (m, reached(m))).collect();
    let leads = |from: &Module, to: &Module| reached.get(from).is_some_and(|all| all.contains(to));
    let on_circle = reached.keys().copied().filter(|module| leads(module, module));
    let circle = |module| reached[module].iter().copied().filter(|m| leads(m, module)).collect();
    on_circle.map(circle).collect::<BTreeSet<_>>().into_iter().collect()
}

/// A line for each file of `circle` and each other one of it that it takes from.
fn told(circle: &BTreeSet<&Module>, edges: &Edges) -> String {
    let inside = edges.iter().filter(|((a, b), _)| circle.contains(a) && circle.contains(b));
    inside
        .map(|((taker, giver), written)| {
            format!("  {}.rs takes {written} of {}.rs\n", taker.join("/"), giver.join("/"))
        })
        .collect()
}

#[test]
fn circles_are_found_and_only_those() {
    type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);
    let cases: &[Case] = &[
        // The shape this was written for.
        (
            &[
                ("", "mod gguf; mod head; mod meta; use crate::gguf::open;"),
                ("gguf", "use crate::{head::Head,\n meta::Meta,\n};"),
                ("head", "use crate::gguf::WEIGHT;"),
                ("meta", "fn f() { crate::head::f() }"),
                ("tokens", "use crate::meta::Meta;"),
            ],
            &["gguf head meta"],
        ),
        // Two at once, one of them between a folder's files.
        (
            &[
                ("", ""),
                ("a", "use super::b;"),
                ("b", "use crate::a::A;"),
                ("c", "mod d; mod e;"),
                ("c/d", "use super::e::E;"),
                ("c/e", "use crate::c::d::D;"),
            ],
            &["a b", "c/d c/e"],
        ),
        // Through what a table of contents passes on.
        (
            &[
                ("", "pub use a::A;"),
                ("a", "use crate::c::D;"),
                ("b", "use crate::A;"),
                ("c", "mod d; pub use d::D;"),
                ("c/d", "use crate::b;"),
            ],
            &["a b c/d"],
        ),
        // A folder and its table of contents, the root, tests, comments, other packages.
        (
            &[
                ("", "use a::A; const LIMIT: u8 = 1;"),
                ("a", "mod b; use b::B; use crate::LIMIT;"),
                ("a/b", "use super::A; use c::C; use crate::c::C;"),
                ("c", "//! See [`crate::a`].\n#[cfg(test)]\nmod tests { use crate::a::b::B; }"),
            ],
            &[],
        ),
    ];
    for (files, expected) in cases {
        let module = |path: &str| -> Module {
            path.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
        };
        let files = files.iter().map(|(path, text)| (module(path), (*text).to_owned())).collect();
        let edges = edges(&files);
        let found: Vec<String> = circles(&edges)
            .iter()
            .map(|circle| circle.iter().map(|m| m.join("/")).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(found, *expected, "{edges:?}");
    }
}
