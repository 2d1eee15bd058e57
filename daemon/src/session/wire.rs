//! What goes over one client's connection: hellos first, then events, and what is told at every change.

use daemon_protocol::client::FrameReader;
use daemon_protocol::{Event, Hello, IndexStatus, PROTOCOL, TrainingStatus, frame};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::error::internal;
use crate::limits::{HELLO_WAIT_MAX, STATUS_INTERVAL_MIN, WRITE_STALL_MAX};
use crate::query::Outbox;
use crate::shared::Shared;

/// Exchanges hellos. Ours goes first, so that a client of any other protocol can read it.
pub(super) async fn greet(
    shared: &Shared,
    reader: &mut FrameReader,
    write: &mut OwnedWriteHalf,
) -> bool {
    let hello = Hello {
        protocol: PROTOCOL,
        version: shared.settings.version.clone(),
        pid: std::process::id(),
    };
    let Ok(line) = frame::encode(&hello) else { return false };
    let exchange = async {
        write.write_all(&line).await.ok()?;
        reader.read::<Hello>().await.ok()?
    };
    tokio::select! {
        () = shared.closing.cancelled() => false,
        theirs = timeout(HELLO_WAIT_MAX, exchange) => {
            theirs.ok().flatten().is_some_and(|theirs| theirs.protocol == PROTOCOL)
        }
    }
}

/// Writes events until all senders are gone or the client stops reading.
pub(super) async fn write_events(
    mut write: OwnedWriteHalf,
    mut outbox: mpsc::Receiver<Event>,
    broken: CancellationToken,
) {
    while let Some(event) = outbox.recv().await {
        let Some(line) = encode(&event) else { continue };
        match timeout(WRITE_STALL_MAX, write.write_all(&line)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => break,
        }
    }
    broken.cancel();
}

/// The line of an event; of a failure in its place if it does not fit a frame.
fn encode(event: &Event) -> Option<Vec<u8>> {
    let error = match frame::encode(event) {
        Ok(line) => return Some(line),
        Err(error) => error,
    };
    tracing::error!(%error, "an event cannot be sent");
    let (Event::Hits { id, .. }
    | Event::Text { id, .. }
    | Event::Folders { id, .. }
    | Event::Synced { id, .. }
    | Event::Status { id, .. }
    | Event::Why { id, .. }) = event
    else {
        return None;
    };
    let error = internal(format!("the answer cannot be sent: {error}; ask for less"));
    frame::encode(&Event::Failed { id: *id, error }).ok()
}

/// Sends where indexing stands, now and at every change, until nobody can be told any more.
pub(super) async fn tell_indexing(mut changes: watch::Receiver<IndexStatus>, out: &Outbox) {
    loop {
        let status = changes.borrow_and_update().clone();
        if out.send(Event::Indexing { status }).await.is_err() {
            return;
        }
        sleep(STATUS_INTERVAL_MIN).await;
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Sends what a `fore train` tells, now if one is under way and then at every change, until nobody
/// can be told any more.
pub(super) async fn tell_training(
    mut changes: watch::Receiver<Option<TrainingStatus>>,
    out: &Outbox,
) {
    let mut told = None;
    loop {
        let status = changes.borrow_and_update().clone();
        if status != told {
            told.clone_from(&status);
            if out.send(Event::Training { status }).await.is_err() {
                return;
            }
            sleep(STATUS_INTERVAL_MIN).await;
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}
