//! Who may depend on whom: packages, asked of `cargo tree`, and files, asked of their text. And how
//! long a file may be.

mod circles;
mod uses;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One row of the table in daemon/README.md.
struct Rule {
    package: &'static str,
    /// Packages of this workspace that it names, all of them.
    names: &'static [&'static str],
    /// Reached, which keeps the next column honest: a misspelt name is never reached.
    reaches: &'static [&'static str],
    /// Never reached, however indirectly.
    never: &'static [&'static str],
}

/// What the packages of the seconds loop never wait for.
const HEAVY: [&str; 11] = [
    "syntect",
    "hayro",
    "ratatui-image",
    "hayro-interpret",
    "anydoc",
    "tree-sitter",
    "lancedb",
    "arrow-array",
    "candle-core",
    "mistralrs",
    "tokenizers",
];
const LIGHT: [&str; 11] = [
    "daemon-protocol",
    "models",
    "models-pull",
    "tui-text",
    "tui-answer",
    "tui-saved",
    "tui",
    "daemon",
    "daemon-eval",
    "daemon-host",
    "daemon-mcp",
];
/// What the program leaves to the rooms: pictures, the net, sums.
const NEVER_IN_SRC: [&str; 5] = ["plotters", "ureq", "sha2", "blake3", "reqwest"];

const RULES: &[Rule] = &[
    Rule {
        package: "daemon-protocol",
        names: &[],
        reaches: &["serde", "tokio"],
        never: &["ratatui", "notify"],
    },
    Rule { package: "models", names: &[], reaches: &["thiserror"], never: &["tokio", "ureq"] },
    Rule {
        package: "models-pull",
        names: &["models", "tui-text"],
        reaches: &["ureq", "sha2"],
        never: &["tokio", "clap"],
    },
    Rule {
        package: "models-train",
        names: &["models", "models-candle"],
        reaches: &["candle-core", "plotters", "clap"],
        never: &["daemon", "daemon-protocol", "lancedb", "ratatui"],
    },
    Rule {
        package: "tui-text",
        names: &[],
        reaches: &["unicode-width"],
        never: &["ratatui", "serde"],
    },
    Rule {
        package: "tui-answer",
        names: &["daemon-protocol", "tui-text"],
        reaches: &["schemars", "serde_json"],
        never: &["ratatui", "daemon", "models", "clap"],
    },
    Rule {
        package: "tui-saved",
        names: &["tui-text"],
        reaches: &["thiserror"],
        never: &["ratatui", "serde", "tokio"],
    },
    Rule {
        package: "tui",
        names: &["daemon-protocol", "tui-saved", "tui-text"],
        reaches: &["ratatui", "crossterm"],
        never: &["daemon", "models", "notify"],
    },
    Rule {
        package: "tui-syntect",
        names: &["tui"],
        reaches: &["syntect", "two-face"],
        never: &["daemon", "models", "onig"],
    },
    Rule {
        package: "tui-hayro",
        names: &[],
        reaches: &["hayro", "hayro-interpret", "vello_cpu"],
        never: &["daemon", "models", "ratatui"],
    },
    Rule {
        package: "tui-ratatui-image",
        names: &["tui"],
        reaches: &["ratatui-image", "image"],
        never: &["daemon", "models", "hayro"],
    },
    Rule {
        package: "daemon",
        names: &["daemon-protocol", "models"],
        reaches: &["notify", "tokio"],
        never: &["ratatui"],
    },
    Rule {
        package: "daemon-eval",
        names: &["daemon", "daemon-protocol", "models", "tui-text"],
        reaches: &["sha2", "tokio"],
        never: &["ratatui", "clap", "ureq"],
    },
    Rule {
        package: "daemon-host",
        names: &["daemon", "daemon-protocol", "models", "tui-text"],
        reaches: &["toml", "serde_json"],
        never: &["lancedb", "ratatui", "clap", "ureq"],
    },
    Rule {
        package: "daemon-mcp",
        names: &["daemon-protocol"],
        reaches: &["rmcp", "tokio"],
        never: &["daemon", "models", "ratatui", "clap", "ureq", "reqwest"],
    },
    Rule {
        package: "daemon-formats",
        names: &["daemon", "daemon-protocol"],
        reaches: &["hayro-interpret", "anydoc", "calamine", "landlock", "tree-sitter"],
        never: &["models-candle", "lancedb", "ratatui", "ureq"],
    },
    Rule {
        package: "daemon-lance",
        names: &["daemon"],
        reaches: &["lancedb", "arrow-array"],
        never: &["models-candle", "candle-core", "mistralrs", "ratatui"],
    },
    Rule {
        package: "models-candle",
        names: &["models"],
        reaches: &["candle-core", "mistralrs", "tokenizers"],
        never: &["daemon", "lancedb", "ratatui"],
    },
    Rule {
        package: "forethought",
        names: &[
            "daemon",
            "daemon-eval",
            "daemon-formats",
            "daemon-host",
            "daemon-lance",
            "daemon-mcp",
            "daemon-protocol",
            "models",
            "models-candle",
            "models-pull",
            "models-train",
            "tui",
            "tui-answer",
            "tui-hayro",
            "tui-ratatui-image",
            "tui-saved",
            "tui-syntect",
            "tui-text",
        ],
        reaches: &["lancedb", "arrow-array", "mistralrs", "candle-core", "tokenizers", "ratatui"],
        never: &[],
    },
];

/// Packages that `package` reaches in a build: (those it names, all).
fn reached(package: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut tree = Command::new(env!("CARGO"));
    tree.current_dir(env!("CARGO_MANIFEST_DIR"));
    tree.args(["tree", "--offline", "--locked", "--edges", "normal", "--prefix", "depth"]);
    let output = tree.args(["--package", package]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (mut named, mut all) = (BTreeSet::new(), BTreeSet::new());
    // A line is the depth, at once followed by name, version and more: `2serde v1.0.0`.
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let name = line.trim_start_matches(|c: char| c.is_ascii_digit());
        let depth = &line[..line.len() - name.len()];
        let name = name.split(' ').next().unwrap().to_owned();
        if depth == "1" {
            named.insert(name.clone());
        }
        if depth != "0" {
            all.insert(name);
        }
    }
    (named, all)
}

#[test]
fn packages_know_only_whom_they_may() {
    let ours: BTreeSet<&str> = RULES.iter().map(|rule| rule.package).collect();
    for Rule { package, names, reaches, never } in RULES {
        let (named, all) = reached(package);
        let named: BTreeSet<&str> =
            named.iter().map(String::as_str).filter(|name| ours.contains(name)).collect();
        assert_eq!(named, names.iter().copied().collect(), "{package} names");
        for name in *reaches {
            assert!(all.contains(*name), "{package} does not reach {name}");
        }
        let heavy = if LIGHT.contains(package) { &HEAVY[..] } else { &[] };
        for name in never.iter().chain(heavy) {
            assert!(!all.contains(*name), "{package} reaches {name}");
        }
    }
}

/// Folders of all packages but the root's, as the root's manifest lists them.
fn members() -> Vec<String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).unwrap();
    let (_, list) = manifest.split_once("\nmembers = [").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every member is a row above, and lies in the folder that its name says.
#[test]
fn packages_lie_where_their_names_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = members();
    let packages: BTreeSet<&str> = RULES.iter().map(|rule| rule.package).collect();
    let mut expected: BTreeSet<String> = folders.iter().map(|f| f.replace('/', "-")).collect();
    expected.insert("forethought".to_owned());
    assert_eq!(packages, expected.iter().map(String::as_str).collect());
    for folder in folders {
        let manifest = fs::read_to_string(root.join(&folder).join("Cargo.toml")).unwrap();
        let name = format!("name = \"{}\"", folder.replace('/', "-"));
        assert!(manifest.contains(&name), "{folder}/Cargo.toml has no {name}");
    }
}

/// The binary wires: what it may name, how much of it there may be, and that no command takes anything
/// from another.
#[test]
fn the_binary_only_wires() {
    /// 60 % of it was rooms' work when this was 8,300.
    const LINES_MAX: usize = 6_000;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (named, _) = reached("forethought");
    assert!(named.contains("clap"), "{named:?}");
    for name in NEVER_IN_SRC {
        assert!(!named.contains(name), "src/ names {name}");
    }
    let mut lines = 0;
    for path in sources(&root.join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        lines += text.lines().count();
        if path.starts_with(root.join("src/commands")) && !path.ends_with("tests.rs") {
            let shown = path.display();
            assert!(!text.contains("use crate::commands::"), "{shown} takes from another command");
        }
    }
    assert!((1_000..LINES_MAX).contains(&lines), "src/ has {lines} lines");
}

/// Source files below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

#[test]
fn no_file_is_too_long_to_read() {
    const LINES_MAX: usize = 400;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for folder in ["src", "daemon", "models", "tui", "tests"] {
        for path in sources(&root.join(folder)) {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines < LINES_MAX, "{} has {lines} lines", path.display());
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} files were looked at");
}
