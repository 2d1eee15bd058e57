//! What a saved file costs in tables of growing size: `cargo bench -p daemon-lance -- 1000 10000`, each number
//! a table's passages, of made-up texts and vectors.

use std::path::Path;
use std::time::{Duration, Instant};

use daemon::store::contract::document;
use daemon::store::{Document, Store, StoreError};
use daemon_lance::LanceStore;

/// As wide as the default model's.
const WIDTH: usize = 384;
/// Passages of a made-up document.
const PASSAGES: usize = 10;
/// Documents in one commit while the table is made.
const COMMIT: usize = 500;
/// Saves that are timed.
const SAVES: usize = 40;
const WORDS: [&str; 16] = [
    "anchor", "bell", "compass", "deck", "engine", "fog", "galley", "harbour", "island", "jetty",
    "keel", "lamp", "mast", "net", "oar", "port",
];

/// The same numbers each time, of a fixed recurrence.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.0 >> 33
    }

    fn unit(&mut self) -> Vec<f32> {
        let raw: Vec<f32> =
            (0..WIDTH).map(|_| self.next() as f32 / (1 << 30) as f32 - 1.0).collect();
        let length = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
        raw.into_iter().map(|x| x / length).collect()
    }

    fn text(&mut self) -> String {
        let words: Vec<String> = (0..40)
            .map(|_| {
                let word = self.next() as usize;
                format!("{}{}", WORDS[word % WORDS.len()], word / WORDS.len() % 500)
            })
            .collect();
        words.join(" ")
    }

    fn document(&mut self, number: usize, passages: usize) -> Document {
        let texts: Vec<String> = (0..passages).map(|_| self.text()).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let path = format!("/home/someone/notes/{}/{number}.md", number % 97);
        let mut document = document(&path, &texts, &vec![0; passages]);
        for (_, vector) in &mut document.passages {
            *vector = self.unit();
        }
        document
    }
}

/// The median and the 95th percentile, milliseconds.
fn quantiles(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1000.0;
    (at(50), at(95))
}

async fn measure(directory: &Path, passages: usize) -> Result<(), StoreError> {
    let mut numbers = Numbers(passages as u64);
    let store = LanceStore::open(directory, "0123456789abcdef", WIDTH).await?;
    let documents = passages / PASSAGES;
    let started = Instant::now();
    for from in (0..documents).step_by(COMMIT) {
        let to = documents.min(from + COMMIT);
        store.replace((from..to).map(|n| numbers.document(n, PASSAGES)).collect()).await?;
    }
    let made = started.elapsed();
    store.maintain().await?;
    let maintained = started.elapsed() - made;
    let (mut saves, mut recalls, mut removals) = (Vec::new(), Vec::new(), Vec::new());
    for save in 0..SAVES {
        let number = numbers.next() as usize % documents;
        // Every other one becomes shorter, which takes a commit more.
        let document = numbers.document(number, PASSAGES - save % 2);
        let path = document.path.clone();
        let started = Instant::now();
        store.vectors(vec![path.clone()]).await?;
        recalls.push(started.elapsed());
        let started = Instant::now();
        store.replace(vec![document]).await?;
        saves.push(started.elapsed());
        if save % 4 == 3 {
            let started = Instant::now();
            store.remove(vec![path]).await?;
            removals.push(started.elapsed());
        }
    }
    let [saves, recalls, removals] = [saves, recalls, removals].map(quantiles);
    println!(
        "| {passages} | {:.1} / {:.1} | {:.1} / {:.1} | {:.1} / {:.1} | {:.0} | {:.0} |",
        saves.0,
        saves.1,
        recalls.0,
        recalls.1,
        removals.0,
        removals.1,
        made.as_secs_f64(),
        maintained.as_secs_f64()
    );
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("| passages | save, ms | recall, ms | remove, ms | made in, s | maintained in, s |");
    println!("| --- | --- | --- | --- | --- | --- |");
    // Cargo adds a flag of its own.
    for size in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        let directory = tempfile::tempdir()?;
        measure(directory.path(), size.parse()?).await?;
    }
    Ok(())
}
