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
mod index;
mod lifecycle;
mod model;
mod process;
mod sandbox;
mod train;
mod tui;
mod wire;

/// A file that nobody names is a test that never runs.
#[test]
fn every_file_is_in_the_table_of_contents() {
    let here = include_str!("it.rs");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if path.extension().is_some_and(|extension| extension == "rs") && name != "it" {
            assert!(here.contains(&format!("\nmod {name};\n")), "tests/{name}.rs is not in it.rs");
        }
    }
}
