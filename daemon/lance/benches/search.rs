//! What a search costs in tables of growing size, and how much of the exact answer the vector index finds:
//! `cargo bench -p daemon-lance --bench search -- VECTORS 10000 100000 1000000`. VECTORS is a file of rows of
//! 384 f32, little-endian, of which the first [`QUESTIONS`] ask and the others are the passages' (`fixtures/search/vectors.py`
//! makes it of real passages); texts are made up, their words as frequent as a language's.

mod made;

use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Instant;

use daemon::store::{Scope, Store};
use daemon_lance::LanceStore;
use made::{COMMIT, Numbers, PASSAGES, WIDTH, quantiles};

const QUESTIONS: usize = 200;
/// Words of a question, of the same frequencies as the passages'.
const WORDS: usize = 6;
/// As many as the daemon takes of each search.
const DEPTH: usize = 100;
/// Of how many nearest the index is asked to find.
const RECALLED: usize = 10;
/// Shares of the documents that a search is narrowed to, and whether these lie together, as a folder's do, or apart, as
/// the files of a kind do.
const SCOPES: [(&str, f64, bool); 5] = [
    ("0.1 %", 0.001, false),
    ("a folder of 10 %", 0.1, true),
    ("a folder of 99 %", 0.99, true),
    ("a kind of 10 %", 0.1, false),
    ("a kind of 50 %", 0.5, false),
];
/// Questions of a scope, which are slower.
const SCOPED: usize = 50;

/// Rows of a file, in order.
struct Rows(BufReader<File>);

impl Rows {
    fn open(path: &Path, first: usize) -> io::Result<Rows> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start((first * WIDTH * size_of::<f32>()) as u64))?;
        Ok(Rows(BufReader::with_capacity(1 << 20, file)))
    }

    fn next(&mut self) -> io::Result<Vec<f32>> {
        let mut bytes = [0; WIDTH * size_of::<f32>()];
        self.0.read_exact(&mut bytes)?;
        let number = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Ok(bytes.chunks_exact(size_of::<f32>()).map(number).collect())
    }

    fn take(&mut self, count: usize) -> io::Result<Vec<Vec<f32>>> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// What is searched for, and the numbers of the nearest passages by comparing with every one.
struct Asked {
    words: Vec<String>,
    vectors: Vec<Vec<f32>>,
    nearest: Vec<Vec<usize>>,
}

fn asked(path: &Path, passages: usize, numbers: &mut Numbers) -> io::Result<Asked> {
    let vectors = Rows::open(path, 0)?.take(QUESTIONS)?;
    let mut rows = Rows::open(path, QUESTIONS)?;
    let mut nearest = vec![Vec::new(); QUESTIONS];
    for number in 0..passages {
        let row = rows.next()?;
        for (vector, nearest) in vectors.iter().zip(&mut nearest) {
            let score: f32 = vector.iter().zip(&row).map(|(a, b)| a * b).sum();
            let at = nearest.partition_point(|(other, _)| *other >= score);
            if at < RECALLED {
                nearest.insert(at, (score, number));
                nearest.truncate(RECALLED);
            }
        }
    }
    let numbered = |one: Vec<(f32, usize)>| one.into_iter().map(|(_, number)| number).collect();
    let nearest = nearest.into_iter().map(numbered).collect();
    Ok(Asked { words: (0..QUESTIONS).map(|_| numbers.words(WORDS)).collect(), vectors, nearest })
}

/// The number of the passage that the made document at `path` has as its `ordinal`th.
fn number(path: &str, ordinal: usize) -> Option<usize> {
    let document: usize = Path::new(path).file_stem()?.to_str()?.parse().ok()?;
    Some(document * PASSAGES + ordinal)
}

/// Median and 95th percentile of searches by words, by vector, and by both at once, and what share of the
/// nearest the one by vector finds.
async fn search(
    store: &LanceStore,
    asked: &Asked,
    questions: usize,
    scope: &Scope,
) -> Result<([(f64, f64); 3], f64), Box<dyn Error>> {
    let (mut times, mut found) = ([Vec::new(), Vec::new(), Vec::new()], 0);
    for question in 0..questions {
        let (words, vector) = (&asked.words[question], &asked.vectors[question]);
        let started = Instant::now();
        store.by_text(words.clone(), DEPTH, scope.clone()).await?;
        times[0].push(started.elapsed());
        let started = Instant::now();
        let hits = store.by_vector(vector.clone(), DEPTH, scope.clone()).await?;
        times[1].push(started.elapsed());
        let first = hits.iter().take(RECALLED).filter_map(|hit| number(&hit.path, hit.ordinal));
        found += first.filter(|hit| asked.nearest[question].contains(hit)).count();
        let started = Instant::now();
        tokio::try_join!(
            store.by_text(words.clone(), DEPTH, scope.clone()),
            store.by_vector(vector.clone(), DEPTH, scope.clone()),
        )?;
        times[2].push(started.elapsed());
    }
    Ok((times.map(quantiles), found as f64 / (questions * RECALLED) as f64))
}

/// Resident memory of this process now, MB.
fn resident_mb() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kb = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kb.unwrap_or(0) / 1024)
}

fn size_mb(directory: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    let mut folders: Vec<PathBuf> = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            match entry.metadata()? {
                about if about.is_dir() => folders.push(entry.path()),
                about => bytes += about.len(),
            }
        }
    }
    Ok(bytes / 1_000_000)
}

/// That share of the `paths`, which are sorted, as the daemon names them.
fn scope(paths: &[String], share: f64, together: bool) -> Scope {
    let wanted = (paths.len() as f64 * share) as usize;
    if together {
        return Scope::Runs(vec![paths[0].clone()..=paths[wanted - 1].clone()]);
    }
    let step = paths.len() / wanted;
    Scope::Paths(paths.iter().step_by(step).take(wanted).cloned().collect())
}

async fn measure(path: &Path, directory: &Path, passages: usize) -> Result<(), Box<dyn Error>> {
    let mut numbers = Numbers(passages as u64);
    let asked = asked(path, passages, &mut numbers)?;
    let documents = passages / PASSAGES;
    let mut rows = Rows::open(path, QUESTIONS)?;
    let store = LanceStore::open(directory, "0123456789abcdef", WIDTH).await?;
    let started = Instant::now();
    let mut paths = Vec::with_capacity(documents);
    for from in (0..documents).step_by(COMMIT) {
        let mut batch = Vec::with_capacity(COMMIT);
        for number in from..documents.min(from + COMMIT) {
            batch.push(numbers.document(number, rows.take(PASSAGES)?));
        }
        paths.extend(batch.iter().map(|document| document.path.clone()));
        store.replace(batch).await?;
    }
    let written = started.elapsed().as_secs();
    let started = Instant::now();
    store.maintain().await?;
    let indexed = started.elapsed().as_secs();
    drop(store);
    // As a daemon that has just been started.
    let store = LanceStore::open(directory, "0123456789abcdef", WIDTH).await?;
    let ([words, vector, both], recall) = search(&store, &asked, QUESTIONS, &Scope::All).await?;
    print!("| {passages} | {written} | {indexed} | {} | {} |", size_mb(directory)?, resident_mb()?);
    for (p50, p95) in [words, vector, both] {
        print!(" {p50:.1} / {p95:.1} |");
    }
    print!(" {recall:.3} |");
    paths.sort_unstable();
    for (_, share, together) in SCOPES {
        let scope = scope(&paths, share, together);
        let ([_, _, (p50, p95)], _) = search(&store, &asked, SCOPED, &scope).await?;
        print!(" {p50:.1} / {p95:.1} |");
    }
    println!();
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds a flag of its own.
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let vectors = PathBuf::from(arguments.next().ok_or("name a file of vectors")?);
    let scopes: Vec<String> = SCOPES.iter().map(|(name, ..)| format!("both, of {name}")).collect();
    println!(
        "| passages | written, s | indexes, s | disk, MB | memory, MB | words, ms | vector, ms | both, ms | recall@10 | {} |",
        scopes.join(" | ")
    );
    println!("|{}", " --- |".repeat(9 + scopes.len()));
    for size in arguments {
        let directory = tempfile::tempdir()?;
        measure(&vectors, directory.path(), size.parse()?).await?;
    }
    Ok(())
}
