//! The same on a server that speaks as S3 does, which the test starts and stops: `bash .ci/s3`.

use std::process::{Child, Command, Stdio};

use daemon::store::Store;
use daemon::store::contract::{self, WIDTH};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;

const MODEL: &str = "0123456789abcdef-and-more";
/// Longer than a lease, and than requests are tried again.
const PATIENCE: Duration = Duration::from_secs(120);

/// The server that `.ci/s3` installed, on the port that it chose.
struct Server {
    objects: TempDir,
    process: Option<Child>,
}

fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("no {name}: run bash .ci/s3"))
}

fn address() -> String {
    told("AWS_ENDPOINT_URL").trim_start_matches("http://").to_owned()
}

impl Server {
    async fn start(&mut self) {
        let (host, port) = address()
            .split_once(':')
            .map(|(h, p)| (h.to_owned(), p.to_owned()))
            .expect("an address");
        let mut server = Command::new(told("S3S"));
        server.args(["--host", &host, "--port", &port]).arg(self.objects.path());
        server.args(["--access-key", &told("AWS_ACCESS_KEY_ID")]);
        server.args(["--secret-key", &told("AWS_SECRET_ACCESS_KEY")]);
        self.process = Some(server.stdout(Stdio::null()).spawn().expect("s3s-fs starts"));
        let listens = async { while TcpStream::connect(address()).await.is_err() {} };
        timeout(PATIENCE, listens).await.expect("it listens");
    }

    fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("it runs");
            process.wait().expect("it ends");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn until(index: &SharedIndex, wanted: impl FnMut(&Standing) -> bool) {
    let mut standing = index.standing();
    timeout(PATIENCE, standing.wait_for(wanted)).await.expect("in time").expect("it is told");
}

#[tokio::test]
async fn on_a_server_it_is_kept_and_shared_and_outlives_its_absence() {
    let mut server = Server { objects: tempfile::tempdir().unwrap(), process: None };
    let error = SharedIndex::join("s3://notes/index", "ada").await.map(drop).unwrap_err();
    assert!(error.0.contains("AWS_ENDPOINT_URL"), "{error}");
    server.start().await;
    std::fs::create_dir(server.objects.path().join("notes")).unwrap();
    let error = SharedIndex::join("s3://nobodys/index", "ada").await.map(drop).unwrap_err();
    assert!(error.0.contains("make that bucket"), "{error}");

    let contract = SharedIndex::join("s3://notes/contract", "ada").await.unwrap();
    contract::check(&contract.open(MODEL, WIDTH).await.unwrap()).await;
    contract.let_go().await;

    let ada = SharedIndex::join("s3://notes/index", "ada").await.unwrap();
    let bea = SharedIndex::join("s3://notes/index", "bea").await.unwrap();
    let written = ada.open(MODEL, WIDTH).await.unwrap();
    let document = |path: &str| contract::document(path, &["one lantern"], &[0]);
    written.replace(vec![document("/a")]).await.unwrap();
    let read = bea.open(MODEL, WIDTH).await.unwrap();
    assert_eq!(read.known().await.unwrap().len(), 1);
    let refused = read.replace(vec![document("/b")]).await.unwrap_err();
    assert!(refused.0.contains("ada writes the index in s3://notes/index"), "{refused}");

    // Neither writes while it is away; then the one that did does again, since nobody has taken over.
    server.stop();
    let error = written.replace(vec![document("/c")]).await.unwrap_err();
    assert!(error.0.contains("AWS_ENDPOINT_URL") && !error.0.contains("delete"), "{error}");
    until(&ada, |standing| *standing != Standing::Writes).await;
    let error = written.replace(vec![document("/c")]).await.unwrap_err();
    assert!(error.0.contains("AWS_ENDPOINT_URL"), "{error}");
    server.start().await;
    until(&ada, |standing| *standing == Standing::Writes).await;
    written.replace(vec![document("/c")]).await.unwrap();
    assert_eq!(read.news().await.unwrap().map(|known| known.len()), Some(2));

    ada.let_go().await;
    until(&bea, |standing| *standing == Standing::Writes).await;
    read.replace(vec![document("/b")]).await.unwrap();
    read.maintain().await.unwrap();
    assert_eq!(read.known().await.unwrap().len(), 3);
    bea.let_go().await;
}
