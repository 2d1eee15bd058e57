//! The tables in a place: what they are called, and which are of no use any more.

use daemon::store::StoreError;
use lancedb::Connection;

use crate::place::Place;
use crate::schema;

/// Characters of the vectors' digest in a table's name: enough that two models never share one.
const DIGEST_SHOWN: usize = 16;

/// Start of every table's name, whatever its version, so that old versions can be found.
pub(crate) const TABLE: &str = "passages_v";

/// Deletes the tables of passages whose names are `unwanted`.
pub(crate) async fn drop_tables(
    place: &Place,
    connection: &Connection,
    unwanted: impl Fn(&str) -> bool,
) -> Result<(), StoreError> {
    let failed = |error| place.failure("delete passages that are no longer used", &error);
    for name in connection.table_names().execute().await.map_err(failed)? {
        if name.starts_with(TABLE) && unwanted(&name) {
            connection.drop_table(&name, &[]).await.map_err(failed)?;
        }
    }
    Ok(())
}

/// Deletes the tables of all vectors whose digest is not in `keep`.
pub(crate) async fn drop_others(place: &Place, keep: Vec<String>) -> Result<(), StoreError> {
    let keep: Vec<String> = keep.iter().map(|vectors| table_name(vectors)).collect();
    let connection = place.connect().await?;
    drop_tables(place, &connection, |name| !keep.contains(&name.to_owned())).await
}

pub(crate) fn table_name(vectors: &str) -> String {
    let vectors: String = vectors.chars().take(DIGEST_SHOWN).collect();
    format!("{TABLE}{}_{vectors}", schema::VERSION)
}
