//! Upkeep: which indexes there are, and what `maintain` does when. Searches are right without
//! any of it (Lance scans what no index covers); upkeep keeps them fast and the disk small.

use lancedb::index::Index;
use lancedb::index::scalar::{BTreeIndexBuilder, FtsIndexBuilder};
use lancedb::index::vector::IvfPqIndexBuilder;
use lancedb::table::{CompactionOptions, Duration, OptimizeAction, OptimizeOptions};
use lancedb::{DistanceType, Result, Table};

use crate::schema::{KEY, ORDINAL, PATH, SEARCHED, VECTOR};
use crate::writing::Writing;

/// English words that are not searched for, as Lance's English tokenizer has them.
#[rustfmt::skip]
const STOP_WORDS: &[&str] = &[
    "a", "about", "above", "after", "again", "against", "all", "am", "an", "and", "any", "are",
    "as", "at", "be", "because", "been", "before", "being", "below", "between", "both", "but", "by",
    "can", "did", "do", "does", "doing", "down", "during", "each", "few", "for", "from", "further",
    "had", "has", "have", "having", "he", "her", "here", "hers", "herself", "him", "himself", "his",
    "how", "i", "if", "in", "into", "is", "it", "its", "itself", "just", "me", "more", "most", "my",
    "myself", "now", "of", "off", "on", "once", "only", "or", "other", "our", "ours", "ourselves",
    "out", "over", "own", "re", "same", "she", "should", "so", "some", "such", "than", "that",
    "the", "their", "theirs", "them", "themselves", "then", "there", "these", "they", "this",
    "those", "through", "to", "too", "under", "until", "up", "very", "was", "we", "were", "what",
    "when", "where", "which", "while", "who", "whom", "why", "will", "with", "you", "your", "yours",
    "yourself", "yourselves",
];

const TEXT_INDEX: &str = "searched_words";
/// Of columns whose rows are found by their value, so that a saved file costs the same in a large table:
/// those of a path, the one of a key, and those that are to be deleted.
const VALUE_INDEXES: [(&str, &str); 3] =
    [("key_values", KEY), ("path_values", PATH), ("ordinal_values", ORDINAL)];
const VECTOR_INDEX: &str = "vector_nearest";

/// Partitions a vector search looks into, of about 8,192 vectors each: everything up to 80,000 passages. Of a
/// million, mixed from real ones, that still finds 999 in a thousand of the ten nearest, and 5 find 992.
pub(crate) const PROBES: usize = 10;

/// Candidates that are compared again by their full vectors, because the index holds only a compressed form of
/// them: the ten nearest of a million are all among the first 200 by that form, and reading more vectors than
/// that takes longer than everything else.
const REFINED: usize = 200;
/// The same for each result, where many are asked for.
const REFINED_PER_RESULT: usize = 2;

/// Candidates per result that are compared again where `limit` results are asked for.
pub(crate) fn refine_factor(limit: usize) -> u32 {
    let factor = REFINED.div_ceil(limit.max(1)).max(REFINED_PER_RESULT);
    u32::try_from(factor).unwrap_or(u32::MAX)
}

/// Numbers of a vector that one byte of its compressed form stands for.
const WIDTH_PER_BYTE: usize = 8;

/// How long old versions of the table stay on disk, minutes: longer than any search that may
/// still be reading one.
const KEEP_MINUTES: i64 = 10;

/// When upkeep is worth its cost. Fields, so that tests can cross the limits with few rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Rows from which a vector index is built and used. Below, brute force is exact and takes about .8 ms per
    /// 1,000 rows of width 384. Building takes .3 s of both cores per 1,000 rows at first, less for each later.
    pub(crate) vector_rows: usize,
    /// Documents listed in a scope up to which all their passages, some ten thousand, are compared.
    pub(crate) exact_documents: usize,
    /// Rows that may wait for the full-text index: a search tokenises them itself, at about 5,000 a second.
    pub(crate) unindexed_rows: usize,
    /// Segments of an index that searches go through one by one before they are merged.
    pub(crate) segments: u32,
    /// Fragments under `fragment_rows` that may gather before they are compacted.
    pub(crate) small_fragments: usize,
    /// Rows from which a fragment is left alone by what merges small ones (about 60 MB at a width of 384): that
    /// rewrites less than this many rows plus the new ones, however large the table.
    pub(crate) fragment_rows: usize,
    /// Fragments from `fragment_rows` on that may gather before they are merged once more.
    pub(crate) medium_fragments: usize,
    /// Rows from which a fragment is never merged again. A search looks into each fragment that has some of its
    /// hits, at about .3 ms: of a million passages into ten in place of fifty.
    pub(crate) large_fragment_rows: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            vector_rows: 50_000,
            exact_documents: 1_000,
            unindexed_rows: 128,
            segments: 16,
            small_fragments: 16,
            fragment_rows: 20_000,
            medium_fragments: 8,
            large_fragment_rows: 100_000,
        }
    }
}

/// How text, which [`daemon::words`] has written for this, becomes words: split at anything but letters
/// and digits and, by ICU's dictionaries, where Chinese, Japanese and Thai words end; lower case, accents
/// folded, English stems, no English stop words, no words over 40 letters.
pub(crate) fn text_index() -> FtsIndexBuilder {
    let stop_words = STOP_WORDS.iter().map(|word| (*word).to_owned()).collect();
    FtsIndexBuilder::default()
        .base_tokenizer("icu/split".to_owned())
        .lower_case(true)
        .ascii_folding(true)
        .stem(true)
        .remove_stop_words(true)
        // ICU's tokenizer would else remove those of twenty languages, among them English nouns.
        .custom_stop_words(Some(stop_words))
        .max_token_length(Some(40))
        .with_position(false)
}

/// Declares the indexes by words and by values where they are missing. Also on an empty table: without the
/// first, Lance would search by other words than ours (no stems, case matters).
pub(crate) async fn ensure_indexes(table: &Table) -> Result<()> {
    ensure(table, TEXT_INDEX, SEARCHED, || Index::FTS(text_index())).await?;
    for (name, column) in VALUE_INDEXES {
        ensure(table, name, column, || Index::BTree(BTreeIndexBuilder::default())).await?;
    }
    Ok(())
}

async fn ensure(
    table: &Table,
    name: &str,
    column: &str,
    index: impl FnOnce() -> Index,
) -> Result<()> {
    if table.index_stats(name).await?.is_some() {
        return Ok(());
    }
    table.create_index(&[column], index()).name(name.to_owned()).execute().await
}

/// Compacts, indexes and prunes `table`, each only where it is due. Each step holds `writing`, the write lock, and
/// lets a saved file through before the next.
pub(crate) async fn run(table: &Table, limits: &Limits, writing: &Writing) -> Result<()> {
    {
        let _turn = writing.turn().await;
        compact(table, limits).await?;
    }
    {
        let _turn = writing.turn().await;
        ensure_indexes(table).await?;
    }
    let values = VALUE_INDEXES.map(|(name, _)| name);
    for index in [TEXT_INDEX].into_iter().chain(values).chain([VECTOR_INDEX]) {
        let _turn = writing.turn().await;
        update(table, index, limits).await?;
    }
    let _turn = writing.turn().await;
    let prune = OptimizeAction::Prune {
        older_than: Some(Duration::minutes(KEEP_MINUTES)),
        delete_unverified: None,
        error_if_tagged_old_versions: None,
    };
    table.optimize(prune).await?;
    Ok(())
}

/// Merges small fragments once there are many, and what came of it once these are many; rewrites those that are
/// mostly deleted.
async fn compact(table: &Table, limits: &Limits) -> Result<()> {
    let Some(native) = table.as_native() else { return Ok(()) };
    let [rows, large] = [limits.fragment_rows, limits.large_fragment_rows];
    let small = native.num_small_files(rows).await?;
    if small >= limits.small_fragments || native.count_deleted_rows().await? >= rows {
        compact_to(table, rows).await?;
    }
    let small = native.num_small_files(rows).await?;
    let medium = native.num_small_files(large).await?.saturating_sub(small);
    if medium >= limits.medium_fragments {
        compact_to(table, large).await?;
    }
    Ok(())
}

async fn compact_to(table: &Table, target_rows_per_fragment: usize) -> Result<()> {
    let options = CompactionOptions { target_rows_per_fragment, ..CompactionOptions::default() };
    let compact = OptimizeAction::Compact { options, remap_options: None };
    let done = table.optimize(compact).await?;
    tracing::debug!(?done.compaction, target_rows_per_fragment, "compacted");
    Ok(())
}

/// Adds rows that `index` does not cover as a new segment, at a cost that only depends on how
/// many they are; merges the segments once there are many.
async fn update(table: &Table, index: &str, limits: &Limits) -> Result<()> {
    let Some(statistics) = table.index_stats(index).await? else { return Ok(()) };
    if statistics.num_unindexed_rows <= limits.unindexed_rows {
        return Ok(());
    }
    let segments = statistics.num_indices.unwrap_or(1);
    let options = if segments >= limits.segments {
        OptimizeOptions::merge(segments as usize)
    } else {
        OptimizeOptions::append()
    };
    let options = options.index_names(vec![index.to_owned()]);
    table.optimize(OptimizeAction::Index(options)).await?;
    Ok(())
}

/// Builds the vector index if it is due. Not under the write lock: Lance lets rows come and go meanwhile, and
/// a search scans those that came.
pub(crate) async fn ensure_vector_index(
    table: &Table,
    limits: &Limits,
    width: usize,
) -> Result<()> {
    if table.index_stats(VECTOR_INDEX).await?.is_some()
        || table.count_rows(None).await? < limits.vector_rows
    {
        return Ok(());
    }
    tracing::info!("building the vector index; this takes minutes, and searches go on");
    // The compressed form must divide the width into equal parts.
    let parts = if width.is_multiple_of(WIDTH_PER_BYTE) { width / WIDTH_PER_BYTE } else { 1 };
    let parts = u32::try_from(parts).unwrap_or(1);
    let index =
        IvfPqIndexBuilder::default().distance_type(DistanceType::Cosine).num_sub_vectors(parts);
    let index = table.create_index(&[VECTOR], Index::IvfPq(index));
    index.name(VECTOR_INDEX.to_owned()).execute().await
}
