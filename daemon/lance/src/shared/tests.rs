//! Two parts in one index, on an object store in memory that knows conditions as S3 does.

use daemon::store::contract::{self, WIDTH};
use daemon::store::{Document, Scope, Store};
use tokio::sync::watch;
use tokio::time::timeout;

use super::*;

const MODEL: &str = "0123456789abcdef-and-more";

async fn join(uri: &str, holder: &str) -> SharedIndex {
    SharedIndex::join(uri, holder).await.expect("join")
}

fn document(path: &str, text: &str) -> Document {
    contract::document(path, &[text], &[0])
}

async fn paths(store: &LanceStore, text: &str) -> Vec<String> {
    let found = store.by_text(text.to_owned(), 10, Scope::All).await.expect("search");
    found.into_iter().map(|found| found.path).collect()
}

/// Waits until the standing is as `wanted`.
async fn until(index: &SharedIndex, wanted: impl FnMut(&Standing) -> bool) {
    let mut standing: watch::Receiver<Standing> = index.standing();
    timeout(Duration::from_secs(60), standing.wait_for(wanted)).await.unwrap().unwrap();
}

#[tokio::test]
async fn one_on_an_object_store_keeps_the_contract() {
    let index = join("shared-memory://contract/index", "ada").await;
    contract::check(&index.open(MODEL, WIDTH).await.unwrap()).await;
    index.let_go().await;
}

#[tokio::test]
async fn who_reads_sees_what_the_writer_commits_and_writes_once_that_one_has_let_go() {
    let uri = "shared-memory://two/notes/index/";
    let ada = join(uri, "ada (pid 1)").await;
    assert_eq!(*ada.standing().borrow(), Standing::Writes);
    let bea = join(uri, "bea (pid 2)").await;
    // There is nothing to read yet, and that is told with who would make it.
    let error = bea.open(MODEL, WIDTH).await.unwrap_err().0;
    assert!(
        error.contains("nothing is indexed by this model in shared-memory://two/notes/index"),
        "{error}"
    );
    assert!(error.contains("ada (pid 1) writes"), "{error}");
    let written = ada.open(MODEL, WIDTH).await.unwrap();
    written.replace(vec![document("/a", "one lantern")]).await.unwrap();
    let read = bea.open(MODEL, WIDTH).await.unwrap();
    assert_eq!(paths(&read, "lantern").await, ["/a"]);
    assert_eq!(read.news().await.unwrap().map(|known| known.len()), Some(1), "it was never listed");
    assert_eq!(read.news().await.unwrap(), None);

    for refused in [
        read.replace(vec![document("/b", "two lanterns")]).await,
        read.remove(vec!["/a".to_owned()]).await,
        read.maintain().await,
        bea.drop_others(Vec::new()).await,
    ] {
        assert!(
            refused.unwrap_err().0.contains("ada (pid 1) writes the index in shared-memory://two")
        );
    }
    written.replace(vec![document("/c", "a third lantern")]).await.unwrap();
    // A search sees no half of it: not before it is known.
    assert_eq!(paths(&read, "third").await, Vec::<String>::new());
    assert_eq!(read.news().await.unwrap().map(|known| known.len()), Some(2));
    assert_eq!(paths(&read, "third").await, ["/c"]);

    ada.let_go().await;
    until(&bea, |standing| *standing == Standing::Writes).await;
    let error = written.replace(vec![document("/d", "a late lantern")]).await.unwrap_err().0;
    assert!(error.contains("lease"), "{error}");
    read.replace(vec![document("/b", "two lanterns")]).await.unwrap();
    assert_eq!(read.known().await.unwrap().len(), 3);
    bea.let_go().await;
}

#[tokio::test]
async fn of_several_that_come_at_once_one_writes() {
    let uri = "shared-memory://race/index";
    let joined = futures::future::join_all((0..8).map(|_| join(uri, "one of eight"))).await;
    let writers = joined.iter().filter(|index| *index.standing().borrow() == Standing::Writes);
    assert_eq!(writers.count(), 1);
    // A request to the store comes between: nobody who has been told to read writes.
    let stores =
        futures::future::join_all(joined.iter().map(|index| index.open(MODEL, WIDTH))).await;
    assert_eq!(stores.iter().filter(|store| store.is_ok()).count(), 1);
    for index in &joined {
        index.let_go().await;
    }
}

#[cfg(not(feature = "s3"))]
#[tokio::test]
async fn a_program_without_object_stores_says_which_has_them() {
    let told = [
        SharedIndex::join("s3://notes/index", "ada").await.map(drop).unwrap_err(),
        SharedIndex::open_to_read("s3://notes", MODEL, WIDTH).await.map(drop).unwrap_err(),
    ];
    for error in told {
        assert!(error.0.contains("--features s3"), "{error}");
    }
}
