//! Flags of `fore eval`.

use std::path::PathBuf;

use daemon::eval::Column;

/// What to measure, on what, and where the figures go.
#[derive(Debug, clap::Args)]
pub(crate) struct Eval {
    /// Folders in BEIR layout: corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv.
    #[arg(value_name = "COLLECTION", required_unless_present = "judgments")]
    pub(crate) collections: Vec<PathBuf>,
    /// Judge the index of your watched folders; a line is {"question": "...", "paths": ["..."]}.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["collections", "split", "peer", "sample_docs", "also_full", "chunk"]
    )]
    pub(crate) judgments: Option<PathBuf>,
    /// Which judgments of a collection.
    #[arg(long, value_name = "NAME", default_value = "test")]
    pub(crate) split: String,
    /// Ways to answer, such as `bm25,dense,hybrid+sampled`; all unless given.
    #[arg(long, value_name = "COLUMN,COLUMN", value_delimiter = ',')]
    pub(crate) columns: Vec<Column>,
    /// Leave out the columns of the peer, all-MiniLM-L6-v2.
    #[arg(long, conflicts_with = "peer")]
    pub(crate) no_peer: bool,
    /// Folder of the peer; the pulled teacher unless given.
    #[arg(long, value_name = "DIR")]
    pub(crate) peer: Option<PathBuf>,
    /// How many thoughts the sampled and grounded columns think.
    #[arg(long, value_name = "N", value_parser = super::thoughts)]
    pub(crate) thoughts: Option<usize>,
    /// Ask only so many of the queries.
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) limit_queries: Option<usize>,
    /// Search only so many of the documents; every judged one is kept.
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) sample_docs: Option<usize>,
    /// Columns to measure once more with all queries and all documents.
    #[arg(long, value_name = "COLUMN,COLUMN", value_delimiter = ',')]
    pub(crate) also_full: Vec<Column>,
    /// Cut documents into passages as files are; else each is one passage.
    #[arg(long)]
    pub(crate) chunk: bool,
    /// The column that the others are compared with, query by query; bm25 unless given.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) baseline: Option<Column>,
    /// Draws the sample, the thoughts and the bootstrap.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Write TREC run files, figures by query and report.json there.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print the report as JSON in place of the tables.
    #[arg(long)]
    pub(crate) json: bool,
    /// Tell of this one query what its thoughts moved.
    #[arg(long, value_name = "QUERY_ID", conflicts_with_all = ["json", "out", "also_full", "baseline"])]
    pub(crate) explain: Option<String>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("a number from 1 on is allowed".to_owned()),
    }
}
