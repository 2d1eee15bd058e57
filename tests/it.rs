//! The product from outside: the real binary, the real model, the real store.
//!
//! This one harness is the table of contents; a second would link the binary's world twice.
//! The model comes from the cache of whoever runs the tests: `fore model pull` puts it there.
#![allow(clippy::unwrap_used, reason = "all of it is tests, helpers included")]

mod architecture;
mod ask;
mod bad_input;
mod corpus;
mod eval;
mod formats;
mod index;
mod lifecycle;
mod mcp;
mod model;
mod open_models;
mod process;
mod sandbox;
mod scripts;
mod setup;
mod train;
mod tui;
mod waiting;
mod wire;

use std::fs;
use std::path::Path;

/// A file that nobody names is a test that never runs.
#[test]
fn every_file_is_in_the_table_of_contents() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut tables = vec![(root.join("it.rs"), root)];
    while let Some((table, folder)) = tables.pop() {
        let listed = fs::read_to_string(&table).unwrap();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if path.is_dir() {
                tables.push((path.with_extension("rs"), path));
            } else if path.extension().is_some_and(|extension| extension == "rs") && path != table {
                let there = listed.contains(&format!("\nmod {name};\n"));
                assert!(there, "{} is not in {}", path.display(), table.display());
            }
        }
    }
}
