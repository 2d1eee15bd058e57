//! What is to be measured: collections and judgments, read and checked as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{self, Path, PathBuf};

use daemon::eval::{CACHE_VERSION, Column};
use models::beir::{self, BeirError, Collection, Part};
use sha2::{Digest, Sha256};

use crate::args::Eval;
use crate::config::Config;
use crate::error::AppError;

/// Hex digits of the hash that names an index: enough that two collections never share one.
const HASH_SHOWN: usize = 16;

/// One table to be.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: String,
    /// Whether this is the second look, at everything.
    pub(super) full: bool,
    pub(super) source: Source,
    /// As it is measured: sampled.
    pub(super) collection: Collection,
    pub(super) size: Size,
    pub(super) columns: Vec<Column>,
}

/// Where the documents are.
#[derive(Debug)]
pub(super) enum Source {
    /// In the collection, and in an index that is ours alone.
    Folder { index: PathBuf },
    /// In the index of the watched folders.
    OwnIndex { judgments: PathBuf },
}

/// How much is measured, of how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) queries: usize,
    pub(super) queries_all: usize,
    pub(super) documents: usize,
    pub(super) documents_all: usize,
}

impl Size {
    pub(super) fn sampled(self) -> bool {
        self.queries < self.queries_all || self.documents < self.documents_all
    }
}

impl Section {
    /// Start of the names of its files.
    pub(super) fn file_name(&self) -> String {
        let suffix = if self.full { "-full" } else { "" };
        format!("{}{suffix}", self.name)
    }
}

/// Where documents and thoughts are kept. Another device computes other vectors and other times.
pub(super) fn cache(config: &Config) -> PathBuf {
    config.paths.eval.join(format!("v{CACHE_VERSION}-{}", config.device.name()))
}

/// Reads all that `args` names: per collection the sample with `columns`, then, if asked for, all
/// of it.
///
/// # Errors
/// The first thing that is missing or malformed, with its file and line.
pub(super) fn read(
    args: &Eval,
    columns: &[Column],
    config: &Config,
) -> Result<Vec<Section>, AppError> {
    if let Some(file) = &args.judgments {
        return judgments(file, args, columns, &config.working_dir).map(|one| vec![one]);
    }
    let mut sections = Vec::new();
    for folder in &args.collections {
        let folder = fs::canonicalize(config.working_dir.join(folder))
            .map_err(|error| AppError::reading(folder, &error))?;
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
        let whole = collection(&folder, &args.split)?;
        let all = (!args.also_full.is_empty()).then(|| whole.clone());
        let key =
            Key { folder: &folder, args, whole: (whole.queries.len(), whole.documents.len()) };
        let sample = whole.sampled(args.limit_queries, args.sample_docs, args.seed);
        sections.push(key.section(&name, false, sample, columns, config));
        if let Some(all) = all {
            let columns = super::each_once(&args.also_full);
            sections.push(key.section(&name, true, all, &columns, config));
        }
    }
    let mut names = BTreeSet::new();
    match sections.iter().map(Section::file_name).find(|name| !names.insert(name.clone())) {
        None => Ok(sections),
        Some(twice) => Err(AppError::new(format!("two tables would be called {twice}"))
            .hint("measure the collections one by one, or rename a folder")),
    }
}

/// What is known of a collection before it is sampled.
struct Key<'a> {
    folder: &'a Path,
    args: &'a Eval,
    /// Queries and documents.
    whole: (usize, usize),
}

impl Key<'_> {
    fn section(
        &self,
        name: &str,
        full: bool,
        collection: Collection,
        columns: &[Column],
        config: &Config,
    ) -> Section {
        let size = Size {
            queries: collection.queries.len(),
            queries_all: self.whole.0,
            documents: collection.documents.len(),
            documents_all: self.whole.1,
        };
        Section {
            name: name.to_owned(),
            full,
            source: Source::Folder { index: self.index(size, &cache(config)) },
            collection,
            size,
            columns: columns.to_vec(),
        }
    }

    /// An index of its own for every choice of documents, so that a look at all of them and one at
    /// a sample do not undo each other's work.
    fn index(&self, size: Size, cache: &Path) -> PathBuf {
        let Eval { split, sample_docs, seed, chunk, .. } = self.args;
        let mut hash = Sha256::new();
        hash.update(self.folder.as_os_str().as_encoded_bytes());
        hash.update([0, u8::from(*chunk)]);
        if size.documents < size.documents_all {
            hash.update(format!("{split} {sample_docs:?} {seed}"));
        }
        let hash = format!("{:x}", hash.finalize());
        cache.join(&hash[..HASH_SHOWN]).join("index")
    }
}

/// The collection in `folder` with the judgments of `split`.
///
/// # Errors
/// The first thing that is missing or malformed, with its file and line.
pub(crate) fn collection(folder: &Path, split: &str) -> Result<Collection, AppError> {
    let qrels = folder.join("qrels").join(format!("{split}.tsv"));
    let (corpus, queries) = (folder.join("corpus.jsonl"), folder.join("queries.jsonl"));
    let texts = (text(&corpus)?, text(&queries)?, judged(&qrels, split)?);
    beir::parse(&texts.0, &texts.1, &texts.2).map_err(|error| {
        let file = match error.part {
            Part::Corpus => &corpus,
            Part::Queries => &queries,
            Part::Judgments => &qrels,
        };
        at_line(file, &error)
    })
}

/// The text of the split's judgments, or which splits there are.
fn judged(file: &Path, split: &str) -> Result<String, AppError> {
    if file.is_file() {
        return text(file);
    }
    let folder = file.parent().unwrap_or(file);
    let entries = fs::read_dir(folder).map_err(|error| AppError::reading(folder, &error))?;
    let mut splits: Vec<String> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "tsv"))
        .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .collect();
    splits.sort();
    let error = AppError::new(format!("{} is not there: no split {split}", file.display()));
    Err(match &splits[..] {
        [] => error.hint("the folder holds no SPLIT.tsv at all"),
        splits => error.hint(format!("choose one that is there, --split: {}", splits.join(", "))),
    })
}

/// The user's questions, with their paths as the index knows them.
fn judgments(
    file: &Path,
    args: &Eval,
    columns: &[Column],
    working_dir: &Path,
) -> Result<Section, AppError> {
    let file = &working_dir.join(file);
    let (queries, qrels) =
        beir::parse_judgments(&text(file)?).map_err(|error| at_line(file, &error))?;
    let mut resolved = BTreeMap::new();
    for (query, grades) in qrels {
        let known = |path: &str| absolute(&working_dir.join(path));
        let paths = grades.into_iter().map(|(path, grade)| Ok((known(&path)?, grade)));
        let paths = paths.collect::<io::Result<_>>();
        resolved.insert(query, paths.map_err(|error| AppError::reading(file, &error))?);
    }
    let queries_all = queries.len();
    let collection = Collection { documents: Vec::new(), queries, qrels: resolved };
    let collection = collection.sampled(args.limit_queries, None, args.seed);
    let size =
        Size { queries: collection.queries.len(), queries_all, documents: 0, documents_all: 0 };
    Ok(Section {
        name: file.file_stem().unwrap_or(file.as_os_str()).to_string_lossy().into_owned(),
        full: false,
        source: Source::OwnIndex { judgments: file.to_owned() },
        collection,
        size,
        columns: columns.to_vec(),
    })
}

/// The name that the index has for a file, which is below a folder without links. A file that is
/// gone may still be indexed.
fn absolute(path: &Path) -> io::Result<String> {
    let path = fs::canonicalize(path).or_else(|_| path::absolute(path))?;
    Ok(path.to_string_lossy().into_owned())
}

fn text(file: &Path) -> Result<String, AppError> {
    fs::read_to_string(file).map_err(|error| AppError::reading(file, &error))
}

/// `path:LINE: what`.
fn at_line(file: &Path, error: &BeirError) -> AppError {
    AppError::new(format!("{}:{}: {}", file.display(), error.line, error.what))
}
