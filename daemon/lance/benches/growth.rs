//! What a saved file costs in tables of growing size: `cargo bench -p daemon-lance --bench growth -- 1000 10000`, each number
//! a table's passages, of made-up texts and vectors.

mod made;

use std::path::Path;
use std::time::Instant;

use daemon::store::{Document, Store, StoreError};
use daemon_lance::LanceStore;
use made::{COMMIT, Numbers, PASSAGES, WIDTH, quantiles};

/// Saves that are timed.
const SAVES: usize = 40;

fn random(numbers: &mut Numbers, number: usize, passages: usize) -> Document {
    let vectors = (0..passages).map(|_| unit(numbers)).collect();
    numbers.document(number, vectors)
}

fn unit(numbers: &mut Numbers) -> Vec<f32> {
    let raw: Vec<f32> =
        (0..WIDTH).map(|_| numbers.next() as f32 / (1 << 30) as f32 - 1.0).collect();
    let length = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
    raw.into_iter().map(|x| x / length).collect()
}

async fn measure(directory: &Path, passages: usize) -> Result<(), StoreError> {
    let mut numbers = Numbers(passages as u64);
    let store = LanceStore::open(directory, "0123456789abcdef", WIDTH).await?;
    let documents = passages / PASSAGES;
    let started = Instant::now();
    for from in (0..documents).step_by(COMMIT) {
        let to = documents.min(from + COMMIT);
        let documents = (from..to).map(|number| random(&mut numbers, number, PASSAGES));
        store.replace(documents.collect()).await?;
    }
    let made = started.elapsed();
    store.maintain().await?;
    let maintained = started.elapsed() - made;
    let (mut saves, mut recalls, mut removals) = (Vec::new(), Vec::new(), Vec::new());
    for save in 0..SAVES {
        let number = numbers.next() as usize % documents;
        // Every other one becomes shorter, which takes a commit more.
        let document = random(&mut numbers, number, PASSAGES - save % 2);
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
