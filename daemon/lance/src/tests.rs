//! The store against a real directory: the contract, and what only a disk can get wrong.

mod nearest;

use std::future::{Future, poll_fn};
use std::path::Path;
use std::pin::pin;
use std::task::Poll;

use daemon::store::contract::{self, WIDTH};
use daemon::store::{Document, Scope, Store};

use crate::LanceStore;
use crate::maintain::Limits;

const MODEL: &str = "0123456789abcdef-and-more";

async fn open(directory: &Path) -> LanceStore {
    LanceStore::open(directory, MODEL, WIDTH).await.expect("open")
}

fn axis(axis: usize) -> Vec<f32> {
    (0..WIDTH).map(|i| if i == axis { 1.0 } else { 0.0 }).collect()
}

/// What `text` finds, as sorted (path, ordinal).
async fn words(store: &LanceStore, text: &str) -> Vec<(String, usize)> {
    let found = store.by_text(text.to_owned(), 1000, Scope::All).await.expect("text");
    let mut ids: Vec<_> = found.into_iter().map(|found| (found.path, found.ordinal)).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    contract::check(&open(directory.path()).await).await;
}

/// With limits so low that every call of `maintain` compacts and indexes.
#[tokio::test]
async fn keeps_the_contract_when_always_indexed() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open(directory.path()).await;
    store.limits = Limits {
        unindexed_rows: 0,
        segments: 2,
        small_fragments: 1,
        fragment_rows: 4,
        ..Limits::default()
    };
    contract::check(&store).await;
}

#[tokio::test]
async fn survives_being_closed_in_a_directory_with_an_odd_name() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("été #1 (50%25?) 'x'");
    let document = contract::document("/d", &["one lantern", "two lanterns"], &[0, 1]);
    open(&directory).await.replace(vec![document.clone()]).await.unwrap();

    let store = open(&directory).await;
    assert_eq!(store.known().await.unwrap()["/d"].stamp, document.stamp);
    assert_eq!(words(&store, "Lantern").await.len(), 2, "stems and case do not matter");
    let found = store.by_vector(axis(1), 1, Scope::All).await.unwrap();
    assert_eq!((&found[0].passage, found[0].ordinal), (&document.passages[1].0, 1));
    drop(store);

    // Another model sees nothing of it, and can be forgotten alone.
    let other = LanceStore::open(&directory, "fedcba9876543210", WIDTH + 1).await.unwrap();
    assert!(other.known().await.unwrap().is_empty());
    let tables = async || {
        let database = lancedb::connect(directory.to_str().unwrap()).execute().await.unwrap();
        database.table_names().execute().await.unwrap().len()
    };
    assert_eq!(tables().await, 2);
    for _ in 0..2 {
        LanceStore::drop_others(&directory, vec![MODEL.to_owned()]).await.unwrap();
        assert_eq!(tables().await, 1);
    }
    assert_eq!(open(&directory).await.known().await.unwrap().len(), 1);
}

#[tokio::test]
async fn opening_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    store.replace(vec![contract::document("/d", &["a"], &[0])]).await.unwrap();
    let version = store.table.version().await.unwrap();
    drop(store);
    assert_eq!(open(directory.path()).await.table.version().await.unwrap(), version);
}

#[tokio::test]
async fn finds_words_as_they_are_meant() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open(directory.path()).await;
    let text = "Running the café's résumé_parser.rs, Müller said: it costs 42 euros";
    let documents = vec![
        contract::document("/d", &[text], &[0]),
        contract::document("/zzz", &["unrelated"], &[1]),
        contract::document("/none", &[], &[]),
    ];
    store.replace(documents).await.unwrap();
    let hit = vec![("/d".to_owned(), 0)];
    let table: [(&str, &[(String, usize)]); 12] = [
        ("runs", &hit),
        ("CAFE", &hit),
        ("parser", &hit),
        ("muller", &hit),
        ("42", &hit),
        ("euro nonsense", &hit),
        ("the", &[]),
        ("it is", &[]),
        ("absent", &[]),
        ("?!", &[]),
        ("path:d", &hit),
        ("none", &[]),
    ];
    store.limits.unindexed_rows = 0;
    for maintained in [false, true] {
        for (question, expected) in table {
            let found = words(&store, question).await;
            assert_eq!(found, expected, "{question:?}, maintained: {maintained}");
        }
        store.maintain().await.unwrap();
    }
}

#[tokio::test]
async fn searches_are_right_at_every_stage_of_upkeep() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open(directory.path()).await;
    store.limits = Limits {
        unindexed_rows: 30,
        segments: 3,
        small_fragments: 3,
        fragment_rows: 200,
        ..Limits::default()
    };
    // Twelve rounds over sixty documents of four passages; each round rewrites a third.
    for round in 0..12_usize {
        let third: Vec<Document> = (0..60)
            .filter(|n| n % 3 == round % 3)
            .map(|n| {
                let texts: Vec<String> =
                    (0..4).map(|p| format!("round{round} number{n} passage{p}")).collect();
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                contract::document(&format!("/{n}"), &texts, &[0, 1, 2, 3])
            })
            .collect();
        store.replace(third).await.unwrap();
        for maintained in [false, true] {
            let at = format!("round {round}, maintained: {maintained}");
            assert_eq!(words(&store, &format!("round{round}")).await.len(), 80, "{at}");
            let before = if round >= 3 {
                words(&store, &format!("round{}", round - 3)).await
            } else {
                vec![]
            };
            assert!(before.is_empty(), "{at}: {before:?}");
            assert_eq!(words(&store, &format!("number{}", round % 3)).await.len(), 4, "{at}");
            let found = store.by_vector(axis(2), 1000, Scope::All).await.unwrap();
            assert_eq!(found.len(), (round + 1).min(3) * 80, "{at}");
            assert!(found[0].ordinal == 2 && found[0].score > 0.99, "{at}");
            store.maintain().await.unwrap();
        }
    }
    assert_eq!(store.known().await.unwrap().len(), 60);
    let native = store.table.as_native().unwrap();
    assert!(native.count_fragments().await.unwrap() <= 6, "fragments are merged");
    let statistics = store.table.index_stats("searched_words").await.unwrap().unwrap();
    assert!(statistics.num_indices.unwrap() <= 4, "segments are merged");
    assert!(statistics.num_unindexed_rows <= 110, "few rows wait for the index");
}

#[tokio::test]
async fn fragments_are_merged_and_merged_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open(directory.path()).await;
    store.limits = Limits {
        small_fragments: 3,
        fragment_rows: 10,
        medium_fragments: 2,
        large_fragment_rows: 40,
        ..Limits::default()
    };
    let mut most = 0;
    for round in 0..60 {
        let path = format!("/{round}");
        store.replace(vec![contract::document(&path, &["one", "two"], &[0, 1])]).await.unwrap();
        store.maintain().await.unwrap();
        most = store.table.as_native().unwrap().count_fragments().await.unwrap().max(most);
    }
    // Of 120 rows three fragments are large, and behind them are one of middling size and two small ones.
    assert!(most <= 6, "{most} fragments");
    assert_eq!(words(&store, "two").await.len(), 60);
}

/// Polls `future` at most `polls` times and drops it, as a daemon that is killed would.
async fn abandon<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test]
async fn an_abandoned_write_leaves_all_of_the_old_or_all_of_the_new() {
    let directory = tempfile::tempdir().unwrap();
    let version = |word: &str, passages: usize| -> Vec<Document> {
        let texts = vec![word; passages];
        let axes = vec![0; passages];
        ["/a", "/b"].map(|path| contract::document(path, &texts, &axes)).to_vec()
    };
    open(directory.path()).await.replace(version("old", 3)).await.unwrap();
    let mut stages = [0; 2];
    for polls in 0..40 {
        let store = open(directory.path()).await;
        let done = abandon(store.replace(version("new", 2)), polls).await;
        drop(store);

        let store = open(directory.path()).await;
        let state = (words(&store, "old").await.len(), words(&store, "new").await.len());
        let known: Vec<usize> = store.known().await.unwrap().values().map(|k| k.passages).collect();
        match (&state, known.as_slice()) {
            ((6, 0), [3, 3]) => assert!(done.is_none(), "done but not there"),
            ((0, 4), [2, 2]) => {}
            other => panic!("after {polls} polls: {other:?}"),
        }
        stages[usize::from(state.1 == 4)] += 1;
        store.replace(version("old", 3)).await.unwrap();
        store.maintain().await.unwrap();
    }
    assert!(stages.iter().all(|count| *count > 0), "both outcomes were seen: {stages:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_whole_documents_while_it_is_written_and_maintained() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open(directory.path()).await;
    store.limits =
        Limits { unindexed_rows: 0, segments: 2, small_fragments: 2, ..Limits::default() };
    let document = |passages: usize| {
        vec![contract::document("/d", &vec!["beacon"; passages], &vec![1; passages])]
    };
    store.replace(document(2)).await.unwrap();
    let write = async {
        for round in 0..20 {
            store.replace(document(if round % 2 == 0 { 5 } else { 2 })).await.unwrap();
            store.maintain().await.unwrap();
        }
    };
    let read = async {
        loop {
            let found = words(&store, "beacon").await.len();
            assert!(found == 2 || found == 5, "{found} by words");
            let found = store.by_vector(axis(1), 10, Scope::All).await.unwrap().len();
            assert!(found == 2 || found == 5, "{found} by vector");
        }
    };
    tokio::select! { () = write => {}, () = read => {} }
}

#[tokio::test]
async fn refuses_what_it_cannot_store_or_read_and_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let mut document = contract::document("/d", &["text"], &[0]);
    for vector in [vec![1.0; WIDTH - 1], vec![f32::NAN; WIDTH]] {
        document.passages[0].1 = vector;
        let error = store.replace(vec![document.clone()]).await.unwrap_err().to_string();
        assert!(error.contains("/d") && error.contains("finite"), "{error}");
    }
    assert!(store.by_vector(vec![1.0], 1, Scope::All).await.is_err());
    store.replace(vec![contract::document("/d", &["text"], &[0])]).await.unwrap();
    drop(store);

    let advice = format!("delete {} and it is built again", directory.path().display());
    let wider = LanceStore::open(directory.path(), MODEL, WIDTH + 1).await;
    let error = wider.expect_err("another width").to_string();
    assert!(error.contains(&advice), "{error}");

    let table = directory.path().join("passages_v3_0123456789abcdef.lance");
    for entry in std::fs::read_dir(table.join("_versions")).unwrap() {
        std::fs::write(entry.unwrap().path(), b"not a manifest").unwrap();
    }
    let error = LanceStore::open(directory.path(), MODEL, WIDTH).await;
    let error = error.expect_err("garbage").to_string();
    assert!(error.contains(&advice), "{error}");

    std::fs::remove_dir_all(directory.path()).unwrap();
    assert!(open(directory.path()).await.known().await.unwrap().is_empty(), "built again");
}

#[tokio::test]
async fn a_reader_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let error = LanceStore::open_to_read(directory.path(), MODEL, WIDTH).await.unwrap_err();
    assert!(error.to_string().contains("`fore sync`"), "{error}");
    let store = open(directory.path()).await;
    store.replace(vec![contract::document("/d", &["a lantern"], &[0])]).await.unwrap();
    let version = store.table.version().await.unwrap();
    let reader = LanceStore::open_to_read(directory.path(), MODEL, WIDTH).await.unwrap();
    assert_eq!(words(&reader, "lantern").await.len(), 1);
    assert_eq!(reader.table.version().await.unwrap(), version);
    assert!(LanceStore::open_to_read(directory.path(), MODEL, WIDTH + 1).await.is_err());
}

#[tokio::test]
async fn what_another_version_wrote_goes_when_this_one_opens() {
    let directory = tempfile::tempdir().unwrap();
    let connection = crate::place::Place::from(directory.path()).connect().await.unwrap();
    let columns = crate::schema::columns(WIDTH).unwrap();
    for name in ["passages_v2_0123456789abcdef", "passages_v3_fedcba9876543210", "notes"] {
        connection.create_empty_table(name, columns.clone()).execute().await.unwrap();
    }
    open(directory.path()).await;
    let mut left = connection.table_names().execute().await.unwrap();
    left.sort();
    assert_eq!(left, ["notes", "passages_v3_0123456789abcdef", "passages_v3_fedcba9876543210"]);
}
