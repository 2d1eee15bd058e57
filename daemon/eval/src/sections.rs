//! What is to be measured: collections and judgments, read and checked as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{self, Path, PathBuf};

use models::UserError;
use models::beir::folder::{at_line, read as collection, text};
use models::beir::{self, Collection};
use models::column::Column;
use sha2::{Digest, Sha256};

use crate::{CACHE_VERSION, each_once};

/// Hex digits of the hash that names an index: enough that two collections never share one.
const HASH_SHOWN: usize = 16;

/// One table to be.
#[derive(Debug)]
pub struct Section {
    pub name: String,
    /// Whether this is the second look, at everything.
    pub full: bool,
    pub source: Source,
    /// As it is measured: sampled.
    pub collection: Collection,
    pub size: Size,
    pub columns: Vec<Column>,
}

/// Where the documents are.
#[derive(Debug)]
pub enum Source {
    /// In the collection, and in an index that is ours alone.
    Folder { index: PathBuf },
    /// In the index of the watched folders.
    OwnIndex { judgments: PathBuf },
}

/// How much is measured, of how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub queries: usize,
    pub queries_all: usize,
    pub documents: usize,
    pub documents_all: usize,
}

impl Size {
    pub fn sampled(self) -> bool {
        self.queries < self.queries_all || self.documents < self.documents_all
    }
}

impl Section {
    /// Start of the names of its files.
    pub fn file_name(&self) -> String {
        let suffix = if self.full { "-full" } else { "" };
        format!("{}{suffix}", self.name)
    }
}

/// What is to be measured, as it was asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Folders in BEIR layout.
    pub collections: Vec<PathBuf>,
    /// Questions about the user's own index, in place of collections.
    pub judgments: Option<PathBuf>,
    /// Which judgments of the collections.
    pub split: String,
    /// Of the sample; each query and document if absent.
    pub limit_queries: Option<usize>,
    pub sample_docs: Option<usize>,
    pub seed: u64,
    /// Whether documents are cut into passages.
    pub chunk: bool,
    /// Of the main tables.
    pub columns: Vec<Column>,
    /// Of the second look at each collection, at everything; none if empty.
    pub also_full: Vec<Column>,
    /// Where relative paths start.
    pub working_dir: PathBuf,
    /// Where documents and thoughts are kept: see [`cache`].
    pub cache: PathBuf,
}

/// Below `folder`, where documents and thoughts are kept that `device` computed: another one computes
/// other vectors and takes other times.
pub fn cache(folder: &Path, device: &str) -> PathBuf {
    folder.join(format!("v{CACHE_VERSION}-{device}"))
}

/// Reads all that is `wanted`: per collection the sample with its columns, then, if asked for, all of
/// it. What is odd about a collection, and yet no error, `warn` is told.
///
/// # Errors
/// The first thing that is missing or malformed, with its file and line.
pub fn read(wanted: &Wanted, warn: &mut dyn FnMut(&UserError)) -> Result<Vec<Section>, UserError> {
    if let Some(file) = &wanted.judgments {
        return judgments(file, wanted).map(|one| vec![one]);
    }
    let mut sections = Vec::new();
    for folder in &wanted.collections {
        let folder = fs::canonicalize(wanted.working_dir.join(folder))
            .map_err(|error| UserError::reading(folder, &error))?;
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
        let whole = collection(&folder, &wanted.split, warn)?;
        let all = (!wanted.also_full.is_empty()).then(|| whole.clone());
        let key =
            Key { folder: &folder, wanted, whole: (whole.queries.len(), whole.documents.len()) };
        let sample = whole.sampled(wanted.limit_queries, wanted.sample_docs, wanted.seed);
        sections.push(key.section(&name, false, sample, &wanted.columns));
        if let Some(all) = all {
            sections.push(key.section(&name, true, all, &each_once(&wanted.also_full)));
        }
    }
    let mut names = BTreeSet::new();
    match sections.iter().map(Section::file_name).find(|name| !names.insert(name.clone())) {
        None => Ok(sections),
        Some(twice) => Err(UserError::new(format!("two tables would be called {twice}"))
            .hint("measure the collections one by one, or rename a folder")),
    }
}

/// What is known of a collection before it is sampled.
struct Key<'a> {
    folder: &'a Path,
    wanted: &'a Wanted,
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
            source: Source::Folder { index: self.index(size) },
            collection,
            size,
            columns: columns.to_vec(),
        }
    }

    /// An index of its own for every choice of documents, so that a look at all of them and one at
    /// a sample do not undo each other's work.
    fn index(&self, size: Size) -> PathBuf {
        let Wanted { split, sample_docs, seed, chunk, cache, .. } = self.wanted;
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

/// The user's questions, with their paths as the index knows them.
fn judgments(file: &Path, wanted: &Wanted) -> Result<Section, UserError> {
    let working_dir = &wanted.working_dir;
    let file = &working_dir.join(file);
    let (queries, qrels) =
        beir::parse_judgments(&text(file)?).map_err(|error| at_line(file, &error))?;
    let mut resolved = BTreeMap::new();
    for (query, grades) in qrels {
        let known = |path: &str| absolute(&working_dir.join(path));
        let paths = grades.into_iter().map(|(path, grade)| Ok((known(&path)?, grade)));
        let paths = paths.collect::<io::Result<_>>();
        resolved.insert(query, paths.map_err(|error| UserError::reading(file, &error))?);
    }
    let queries_all = queries.len();
    let collection = Collection { documents: Vec::new(), queries, qrels: resolved };
    let collection = collection.sampled(wanted.limit_queries, None, wanted.seed);
    let size =
        Size { queries: collection.queries.len(), queries_all, documents: 0, documents_all: 0 };
    Ok(Section {
        name: file.file_stem().unwrap_or(file.as_os_str()).to_string_lossy().into_owned(),
        full: false,
        source: Source::OwnIndex { judgments: file.to_owned() },
        collection,
        size,
        columns: wanted.columns.clone(),
    })
}

/// The name that the index has for a file, which is below a folder without links. A file that is
/// gone may still be indexed.
fn absolute(path: &Path) -> io::Result<String> {
    let path = fs::canonicalize(path).or_else(|_| path::absolute(path))?;
    Ok(path.to_string_lossy().into_owned())
}
