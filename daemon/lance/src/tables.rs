//! The directory, the tables in it, and what is said when something is wrong with them.

use std::path::Path;
use std::sync::Arc;

use daemon::store::StoreError;
use lancedb::{Connection, ObjectStoreRegistry, Session};

use crate::schema;

/// Memory for opened indexes, bytes. Lance's own default is 6 GiB, too much for a service that
/// runs all day on the user's machine; the full-text index of 100,000 passages is about 45 MB.
const INDEX_CACHE: usize = 256 << 20;

/// Memory for file footers and other metadata, bytes (Lance's default is 1 GiB).
const METADATA_CACHE: usize = 64 << 20;

/// Characters of the vectors' digest in a table's name: enough that two models never share one.
const DIGEST_SHOWN: usize = 16;

/// Start of every table's name, whatever its version, so that old versions can be found.
pub(crate) const TABLE: &str = "passages_v";

pub(crate) async fn connect(directory: &Path) -> Result<Connection, StoreError> {
    let path = directory.to_str().ok_or_else(|| {
        StoreError(format!("{} is not valid UTF-8: choose another place", directory.display()))
    })?;
    let registry = Arc::new(ObjectStoreRegistry::default());
    let session = Arc::new(Session::new(INDEX_CACHE, METADATA_CACHE, registry));
    let connection = lancedb::connect(path).session(session).execute().await;
    connection.map_err(|error| failure(directory, "open the index", &error))
}

/// Deletes the tables of passages whose names are `unwanted`.
pub(crate) async fn drop_tables(
    directory: &Path,
    connection: &Connection,
    unwanted: impl Fn(&str) -> bool,
) -> Result<(), StoreError> {
    let failed = |error| failure(directory, "delete passages that are no longer used", &error);
    for name in connection.table_names().execute().await.map_err(failed)? {
        if name.starts_with(TABLE) && unwanted(&name) {
            connection.drop_table(&name, &[]).await.map_err(failed)?;
        }
    }
    Ok(())
}

pub(crate) fn table_name(vectors: &str) -> String {
    let vectors: String = vectors.chars().take(DIGEST_SHOWN).collect();
    format!("{TABLE}{}_{vectors}", schema::VERSION)
}

pub(crate) fn failure(directory: &Path, doing: &str, error: &lancedb::Error) -> StoreError {
    damaged(directory, &format!("{doing}: {}", without_places(&error.to_string())))
}

/// An error without the places in its library's source, which are of the machine that this program was built on.
fn without_places(error: &str) -> String {
    let is_place = |word: &&str| word.contains('/') && word.contains(".rs:");
    let words: Vec<&str> = error.split(' ').filter(|word| !is_place(word)).collect();
    words.join(" ").trim_end_matches([' ', ',']).to_owned()
}

pub(crate) fn damaged(directory: &Path, what: &str) -> StoreError {
    StoreError(format!(
        "cannot {what} (the index is a cache: if it is damaged, delete {} and it is built again)",
        directory.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_no_place_of_the_machine_that_built_this() {
        for (error, expected) in [
            (
                "lance error: Not found: a/b, /root/.cargo/registry/src/x/y-1.0/src/io.rs:12:34",
                "lance error: Not found: a/b",
            ),
            ("no room on /disk/notes.rs", "no room on /disk/notes.rs"),
            ("", ""),
        ] {
            assert_eq!(without_places(error), expected);
        }
    }
}
