//! The store on LanceDB: one table of passages per model, with a full-text index always and a
//! vector index once brute force would be slow. The only crate that names lancedb and arrow.
//!
//! A directory of tables is a cache of the user's files: every error says that it may be deleted. On an object store they
//! are several machines' ([`SharedIndex`]), and errors say what else helps.

mod lease;
mod maintain;
mod place;
mod schema;
mod shared;
mod tables;
#[cfg(test)]
mod tests;
mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::{RecordBatch, RecordBatchIterator};
use arrow_schema::SchemaRef;
use daemon::store::{Document, Found, Known, Passage, Pending, Scope, Store, StoreError};
use daemon::words::searchable;
use futures::{FutureExt, TryStreamExt};
use lancedb::expr::{DfExpr, col, is_in, lit};
use lancedb::index::scalar::{FtsQuery, FullTextSearchQuery, MatchQuery};
use lancedb::query::{ExecutableQuery, QueryBase, Select};
use lancedb::{DistanceType, Table};

use crate::maintain::Limits;
use crate::place::Place;
use crate::schema::{EMBEDDED, GONE, KEY, ORDINAL, PATH, SEARCHED, VECTOR};
use crate::tables::{TABLE, drop_tables, table_name};
use crate::writing::Writing;

pub use shared::SharedIndex;

/// Passages of one model in a LanceDB directory. Reads never wait; writes wait for each other.
#[derive(Debug)]
pub struct LanceStore {
    place: Place,
    table: Table,
    columns: SchemaRef,
    width: usize,
    limits: Limits,
    writing: Writing,
    /// The version of the table whose documents were listed last.
    listed: AtomicU64,
}

impl LanceStore {
    /// Opens the passages with `vectors` (a digest of what decides them) of `width` numbers in
    /// `directory`; makes what is not there yet. For the one that writes them.
    ///
    /// # Errors
    /// The directory cannot be made or read, or what is in it is damaged or of another width.
    pub async fn open(directory: &Path, vectors: &str, width: usize) -> Result<Self, StoreError> {
        Self::open_at(&directory.into(), vectors, width).await
    }

    async fn open_at(place: &Place, vectors: &str, width: usize) -> Result<Self, StoreError> {
        let failed = |error| place.failure("open the index", &error);
        let connection = place.connect().await?;
        let name = table_name(vectors);
        let table = match connection.open_table(&name).execute().await {
            Err(lancedb::Error::TableNotFound { .. }) => connection
                .create_empty_table(&name, schema::columns(width)?)
                .execute()
                .await
                .map_err(failed)?,
            opened => opened.map_err(failed)?,
        };
        let store = Self::of(place, table, width).await?;
        maintain::ensure_indexes(&store.table).await.map_err(failed)?;
        // What a process left that was killed between a merge and what follows it. To delete nothing would be one more
        // version of the table, at each start.
        if store.table.count_rows(Some(left_behind())).await.map_err(failed)? > 0 {
            store.table.delete(&left_behind()).await.map_err(failed)?;
        }
        // What other versions of this program wrote is of no use to any model of this one.
        let of_this_version = format!("{TABLE}{}_", schema::VERSION);
        drop_tables(place, &connection, |name| !name.starts_with(&of_this_version)).await?;
        Ok(store)
    }

    /// The same for one that only reads, beside the one that writes: nothing is changed.
    ///
    /// # Errors
    /// As [`LanceStore::open`], and if nobody has made it yet.
    pub async fn open_to_read(
        directory: &Path,
        vectors: &str,
        width: usize,
    ) -> Result<Self, StoreError> {
        Self::open_at_to_read(&directory.into(), vectors, width).await
    }

    async fn open_at_to_read(
        place: &Place,
        vectors: &str,
        width: usize,
    ) -> Result<Self, StoreError> {
        let connection = place.connect().await?;
        match connection.open_table(table_name(vectors)).execute().await {
            Err(lancedb::Error::TableNotFound { .. }) => Err(StoreError(format!(
                "nothing is indexed by this model in {}; `fore sync` does it",
                place.shown()
            ))),
            Err(error) => Err(place.failure("open the index", &error)),
            Ok(table) => Self::of(place, table, width).await,
        }
    }

    /// A store on an open table, if that has the columns.
    async fn of(place: &Place, table: Table, width: usize) -> Result<Self, StoreError> {
        let columns = schema::columns(width)?;
        let stored = table.schema().await;
        let stored = stored.map_err(|error| place.failure("open the index", &error))?;
        if !schema::fits(&stored, &columns) {
            return Err(place.damaged(&format!(
                "open the index: {} has other columns than vectors of {width} need",
                table.name()
            )));
        }
        let (place, limits, writing) = (place.clone(), Limits::default(), Writing::default());
        Ok(Self { place, table, columns, width, limits, writing, listed: AtomicU64::new(0) })
    }

    /// The same, written as `writing` says.
    fn written_by(self, writing: Writing) -> Self {
        Self { writing, ..self }
    }

    /// Deletes from `directory` the passages of all vectors whose digest is not in `keep`.
    ///
    /// # Errors
    /// The directory cannot be read or something in it cannot be deleted.
    pub async fn drop_others(directory: &Path, keep: Vec<String>) -> Result<(), StoreError> {
        tables::drop_others(&directory.into(), keep).await
    }

    fn failed(&self, doing: &str) -> impl Fn(lancedb::Error) -> StoreError {
        move |error| self.place.failure(doing, &error)
    }

    /// One merge by key: known rows are updated, others inserted, and in the place of what else these
    /// documents had there is nothing any more. Lance commits it as one version of the table, at a cost that
    /// does not grow with it: both the rows of a path and those of a key are found by an index, which a merge
    /// that deletes by itself would not use.
    async fn write(&self, documents: Vec<Document>) -> Result<(), StoreError> {
        let documents: BTreeMap<&str, &Document> =
            documents.iter().map(|document| (document.path.as_str(), document)).collect();
        if documents.is_empty() {
            return Ok(());
        }
        let unique: Vec<&Document> = documents.values().copied().collect();
        let moved_from = unique.iter().filter_map(|document| document.moved_from.clone());
        let paths: Vec<String> =
            documents.keys().map(|path| (*path).to_owned()).chain(moved_from).collect();
        let failed = self.failed("store documents");
        let _turn = self.writing.turn().await;
        let mut replaced = BTreeSet::new();
        for batch in self.rows_of(paths, &[KEY]).await.map_err(&failed)? {
            schema::keys(&batch, &mut replaced)?;
        }
        let (batch, has_gone) = schema::batch(&unique, &replaced, &self.columns, self.width)?;
        let rows = RecordBatchIterator::new([Ok(batch)], Arc::clone(&self.columns));
        let mut merge = self.table.merge_insert(&[KEY]);
        merge.when_matched_update_all(None).when_not_matched_insert_all();
        merge.execute(Box::new(rows)).await.map_err(&failed)?;
        // Stored they are, whatever becomes of this: nobody sees what it deletes.
        if has_gone && let Err(error) = self.table.delete(&left_behind()).await {
            tracing::warn!(%error, "rows without content stay until the next start");
        }
        Ok(())
    }

    /// The named columns of all rows of the documents at `paths`.
    async fn rows_of(
        &self,
        paths: Vec<String>,
        columns: &[&str],
    ) -> lancedb::Result<Vec<RecordBatch>> {
        let query = self.table.query().only_if_expr(among(paths)).select(Select::columns(columns));
        query.execute().await?.try_collect().await
    }

    async fn embedded(&self, paths: Vec<String>) -> Result<BTreeMap<String, Vec<f32>>, StoreError> {
        let mut vectors = BTreeMap::new();
        if paths.is_empty() {
            return Ok(vectors);
        }
        let rows = self.rows_of(paths, &[EMBEDDED, VECTOR]).await;
        for batch in rows.map_err(self.failed("read vectors"))? {
            schema::embedded(&batch, &mut vectors)?;
        }
        Ok(vectors)
    }

    async fn forget(&self, paths: Vec<String>) -> Result<(), StoreError> {
        if paths.is_empty() {
            return Ok(());
        }
        let _turn = self.writing.turn().await;
        let deleted = self.table.delete(&among(paths)).await;
        deleted.map(|_| ()).map_err(self.failed("forget documents"))
    }

    async fn list(&self) -> Result<BTreeMap<String, Known>, StoreError> {
        let failed = self.failed("list the known documents");
        let version = self.table.version().await.map_err(&failed)?;
        let query = self.table.query().select(Select::columns(&schema::KNOWN));
        let mut rows = query.execute().await.map_err(&failed)?;
        let mut known = BTreeMap::new();
        while let Some(batch) = rows.try_next().await.map_err(&failed)? {
            schema::known(&batch, &mut known)?;
        }
        self.listed.store(version, Ordering::Relaxed);
        Ok(known)
    }

    async fn listed_anew(&self) -> Result<Option<BTreeMap<String, Known>>, StoreError> {
        let failed = self.failed("look for what others have indexed");
        self.table.checkout_latest().await.map_err(&failed)?;
        let version = self.table.version().await.map_err(&failed)?;
        let is_listed = self.listed.load(Ordering::Relaxed) == version;
        Ok(if is_listed { None } else { Some(self.list().await?) })
    }

    async fn whole(&self, path: String) -> Result<Vec<Found>, StoreError> {
        let batches = self.rows_of(vec![path], &schema::FOUND).await;
        let mut found = Vec::new();
        for batch in &batches.map_err(self.failed("read a document"))? {
            found.extend(schema::found(batch, None)?);
        }
        found.sort_by_key(|found| found.ordinal);
        Ok(found)
    }

    async fn nearest(
        &self,
        vector: Vec<f32>,
        limit: usize,
        scope: Scope,
    ) -> Result<Vec<Found>, StoreError> {
        if limit == 0 || scope.is_empty() {
            return Ok(Vec::new());
        }
        if vector.len() != self.width {
            return Err(StoreError(format!(
                "the question's vector has {} numbers and the passages' have {}",
                vector.len(),
                self.width
            )));
        }
        let failed = self.failed("search by meaning");
        let small = self.table.count_rows(None).await.map_err(&failed)? < self.limits.vector_rows;
        let exact = self.limits.exact_documents;
        let few = matches!(&scope, Scope::Paths(paths) if paths.len() <= exact);
        let query = self.table.query().limit(limit).select(returning("_distance"));
        let mut query = query.nearest_to(vector).map_err(&failed)?.column(VECTOR);
        query = query.distance_type(DistanceType::Cosine);
        query = if small || few {
            query.bypass_vector_index()
        } else {
            // Without an upper bound: the nearest partitions may hold little of a narrow scope, and others are
            // looked into until there are as many as are asked for.
            let query = query.minimum_nprobes(maintain::PROBES).map_err(&failed)?;
            let query = query.maximum_nprobes(None).map_err(&failed)?;
            query.refine_factor(maintain::refine_factor(limit))
        };
        if let Some(within) = within(scope) {
            query = query.only_if_expr(within);
        }
        let batches = query.execute().await.map_err(&failed)?.try_collect::<Vec<_>>().await;
        ranked(&batches.map_err(&failed)?, "_distance", |distance| 1.0 - distance)
    }

    async fn matching(
        &self,
        text: String,
        limit: usize,
        scope: Scope,
    ) -> Result<Vec<Found>, StoreError> {
        let failed = self.failed("search by words");
        // A question of stop words or signs alone has no words to match by.
        let text = searchable(&text);
        let words = lancedb::tokenize(&text, &maintain::text_index()).map_err(&failed)?;
        if limit == 0 || scope.is_empty() || words.is_empty() {
            return Ok(Vec::new());
        }
        // The default joins words by OR and matches them exactly (after stemming).
        let words = MatchQuery::new(text).with_column(Some(SEARCHED.to_owned()));
        let mut query = self
            .table
            .query()
            .full_text_search(FullTextSearchQuery::new_query(FtsQuery::Match(words)))
            .limit(limit)
            .select(returning("_score"));
        if let Some(within) = within(scope) {
            query = query.only_if_expr(within);
        }
        let batches = query.execute().await.map_err(&failed)?.try_collect::<Vec<_>>().await;
        ranked(&batches.map_err(&failed)?, "_score", |score| score)
    }
}

impl Store for LanceStore {
    fn replace(&self, documents: Vec<Document>) -> Pending<'_, ()> {
        self.writing.allowed(self.write(documents)).boxed()
    }

    fn remove(&self, paths: Vec<String>) -> Pending<'_, ()> {
        self.writing.allowed(self.forget(paths)).boxed()
    }

    fn known(&self) -> Pending<'_, BTreeMap<String, Known>> {
        self.list().boxed()
    }

    fn news(&self) -> Pending<'_, Option<BTreeMap<String, Known>>> {
        self.listed_anew().boxed()
    }

    fn document(&self, path: String) -> Pending<'_, Vec<Passage>> {
        let found = self.whole(path);
        async { Ok(found.await?.into_iter().map(|found| found.passage).collect()) }.boxed()
    }

    fn vectors(&self, paths: Vec<String>) -> Pending<'_, BTreeMap<String, Vec<f32>>> {
        self.embedded(paths).boxed()
    }

    fn by_vector(&self, vector: Vec<f32>, limit: usize, scope: Scope) -> Pending<'_, Vec<Found>> {
        self.nearest(vector, limit, scope).boxed()
    }

    fn by_text(&self, text: String, limit: usize, scope: Scope) -> Pending<'_, Vec<Found>> {
        self.matching(text, limit, scope).boxed()
    }

    fn maintain(&self) -> Pending<'_, ()> {
        let tidied = async move {
            let failed = self.failed("tidy the index");
            maintain::run(&self.table, &self.limits, &self.writing).await.map_err(&failed)?;
            let built = maintain::ensure_vector_index(&self.table, &self.limits, self.width).await;
            built.map_err(failed)
        };
        self.writing.allowed(tidied).boxed()
    }
}

/// True of the rows of these paths. An expression rather than SQL text: nothing to escape.
fn among(paths: impl IntoIterator<Item = String>) -> DfExpr {
    is_in(col(PATH), paths.into_iter().map(lit).collect())
}

/// True of rows in whose place there is nothing any more.
fn left_behind() -> String {
    format!("{ORDINAL} = {GONE}")
}

/// True of the rows in `scope`; None if that is all.
fn within(scope: Scope) -> Option<DfExpr> {
    match scope {
        Scope::All => None,
        Scope::Paths(paths) => Some(among(paths)),
        Scope::Runs(runs) => runs
            .into_iter()
            .map(|run| run.into_inner())
            .map(|(first, last)| col(PATH).between(lit(first), lit(last)))
            .reduce(DfExpr::or),
    }
}

fn returning(score: &str) -> Select {
    let columns: Vec<&str> = schema::FOUND.into_iter().chain([score]).collect();
    Select::columns(&columns)
}

/// Best first; equal scores by path and position, so that the same question has one answer.
fn ranked(
    batches: &[RecordBatch],
    column: &str,
    score: fn(f32) -> f32,
) -> Result<Vec<Found>, StoreError> {
    let mut found = Vec::new();
    for batch in batches {
        found.extend(schema::found(batch, Some((column, score)))?);
    }
    found.sort_by(|a: &Found, b: &Found| {
        b.score.total_cmp(&a.score).then_with(|| (&a.path, a.ordinal).cmp(&(&b.path, b.ordinal)))
    });
    Ok(found)
}
