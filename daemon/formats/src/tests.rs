//! What the tests of several readers need: packages made in code, and what was read in one look.

use std::io::{Cursor, Write};
use std::path::Path;

use daemon::convert::{Convert, Converted, Unconverted};
use daemon_protocol::Place;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::Readers;

/// Reads `bytes` as a file of this ending.
pub(crate) fn read(ending: &str, bytes: &[u8]) -> Result<Converted, Unconverted> {
    Readers.convert(Path::new(&format!("file.{ending}")), bytes)
}

/// The text of a file that can be read.
#[track_caller]
pub(crate) fn text(ending: &str, bytes: &[u8]) -> String {
    read(ending, bytes).unwrap().text
}

/// A package of these entries.
pub(crate) fn zip(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The places of what was read, each with the beginning of the line that it begins at.
pub(crate) fn places(converted: &Converted) -> Vec<(Place, &str)> {
    let line = |at: usize| converted.text[at..].lines().next().unwrap_or_default();
    converted.marks.iter().map(|mark| (mark.place.clone(), line(mark.at))).collect()
}

/// Declares an entity that would become three billion characters.
pub(crate) const ENTITIES: &str = "<!DOCTYPE x [<!ENTITY a \"lol lol lol lol lol\">\
    <!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">\
    <!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\"><!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;\">\
    <!ENTITY f \"&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;\"><!ENTITY g \"&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;\">]>";

#[test]
fn refuses_endings_that_nothing_reads() {
    assert!(matches!(read("xyz", b""), Err(Unconverted::Failed(_))));
}
