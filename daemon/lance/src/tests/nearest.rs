//! The vector index, beside brute force.

use daemon::store::{Document, Found, Scope, Store, contract};

use super::MODEL;
use crate::LanceStore;

async fn ten(store: &LanceStore, vector: Vec<f32>) -> Vec<Found> {
    store.by_vector(vector, 10, Scope::All).await.unwrap()
}

#[tokio::test]
async fn a_vector_index_finds_what_brute_force_finds() {
    const WIDE: usize = 32;
    let directory = tempfile::tempdir().unwrap();
    let mut store = LanceStore::open(directory.path(), MODEL, WIDE).await.unwrap();
    // Vectors spread by a fixed recurrence, so that the test is the same every time.
    let mut seed = 1_u64;
    let mut unit = || {
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        let vector: Vec<f32> = (0..WIDE).map(|_| next()).collect();
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        vector.into_iter().map(|x| x / length).collect::<Vec<f32>>()
    };
    let mut batch = |from: usize, to: usize| -> Vec<Document> {
        (from..to)
            .map(|n| {
                let texts: Vec<String> = (0..8).map(|p| format!("passage{p}")).collect();
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                let mut document = contract::document(&format!("/{n}"), &texts, &[0; 8]);
                document.passages.iter_mut().for_each(|(_, vector)| *vector = unit());
                document
            })
            .collect()
    };
    store.replace(batch(0, 100)).await.unwrap();
    let questions: Vec<Vec<f32>> =
        batch(900, 902).into_iter().flat_map(|d| d.passages).map(|p| p.1).collect();
    let mut expected = Vec::new();
    store.replace(batch(100, 110)).await.unwrap();
    for question in &questions {
        expected.push(ten(&store, question.clone()).await);
    }

    store.limits.vector_rows = 500;
    store.limits.unindexed_rows = 0;
    // What comes, goes and changes while the index is built is found all the same.
    let come = batch(110, 112);
    let (known, other) = (come[0].passages[3].1.clone(), come[1].passages[0].1.clone());
    let write = async {
        for document in come {
            store.replace(vec![document]).await.unwrap();
        }
        let shorter = contract::document("/110", &["passage"], &[0]);
        let passages = vec![(shorter.passages[0].0.clone(), known.clone())];
        store.replace(vec![Document { passages, ..shorter }]).await.unwrap();
        store.remove(vec!["/111".to_owned()]).await.unwrap();
    };
    let (maintained, ()) = tokio::join!(store.maintain(), write);
    maintained.unwrap();
    assert_eq!(ten(&store, known).await[0].path, "/110");
    assert_ne!(ten(&store, other).await[0].path, "/111");
    store.remove(vec!["/110".to_owned()]).await.unwrap();
    assert!(store.table.index_stats("vector_nearest").await.unwrap().is_some());
    let mut same = 0;
    for (question, expected) in questions.iter().zip(&expected) {
        let found = ten(&store, question.clone()).await;
        assert!((found[0].score - expected[0].score).abs() < 1e-4, "scores are cosines");
        same += found
            .iter()
            .filter(|f| expected.iter().any(|e| (&e.path, e.ordinal) == (&f.path, f.ordinal)))
            .count();
    }
    assert!(same >= 155, "{same} of 160 nearest passages found");

    // A wide scope is searched by the index too, and filled from partitions further away.
    store.limits.exact_documents = 0;
    let listed: Vec<String> = (20..30).map(|n| format!("/{n}")).collect();
    let run = "/20".to_owned()..="/29".to_owned();
    for scope in [Scope::Paths(listed.clone()), Scope::Runs(vec![run])] {
        let found = store.by_vector(questions[0].clone(), 100, scope.clone()).await.unwrap();
        assert_eq!(found.len(), 80, "{scope:?}");
        assert!(found.iter().all(|found| listed.contains(&found.path)));
        assert_eq!(store.by_text("passage3".into(), 100, scope).await.unwrap().len(), 10);
    }
    store.limits.exact_documents = 1;

    // New rows are found before the next upkeep and after it; a narrow scope is searched exactly.
    let new = batch(200, 201);
    store.replace(new.clone()).await.unwrap();
    for _ in 0..2 {
        for (ordinal, (_, vector)) in new[0].passages.iter().enumerate() {
            let found = ten(&store, vector.clone()).await;
            assert_eq!((found[0].path.as_str(), found[0].ordinal), ("/200", ordinal));
        }
        let scope = Scope::Paths(vec!["/200".to_owned()]);
        assert_eq!(store.by_vector(questions[0].clone(), 100, scope).await.unwrap().len(), 8);
        store.maintain().await.unwrap();
    }
}
