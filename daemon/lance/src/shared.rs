//! An index on an object store, which several machines share: whoever holds its lease writes, the others read.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use daemon::Standing;
use daemon::store::StoreError;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::LanceStore;
use crate::lease::{LOOK_EVERY, Lease, Moment, RENEW_EVERY, RETRY_EVERY, Told};
use crate::place::{Place, told};
use crate::tables;
use crate::writing::{Term, Writing};

/// The scheme of what is on S3, or on a store that speaks as S3 does.
const S3: &str = "s3://";

/// See the module.
#[derive(Debug)]
pub struct SharedIndex {
    place: Place,
    term: Term,
    /// What renews the lease until the sender is dropped, and then gives it back.
    keeper: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

impl SharedIndex {
    /// Has a part in the index at `uri`, and writes it if nobody else does. `holder` is what others are told of who
    /// writes.
    ///
    /// # Errors
    /// The store does not answer, or refuses; or this program has no part that could speak to it.
    pub async fn join(uri: &str, holder: &str) -> Result<SharedIndex, StoreError> {
        let place = place(uri)?;
        let (store, folder) = place.objects().await?;
        // Some stores make a bucket that is not there, once something is put into it.
        let listed = store.inner.list_with_delimiter(Some(&folder)).await;
        listed.map_err(|error| place.damaged(&told("open the index", &error.to_string())))?;
        let mut lease = Lease::new(Arc::clone(&store.inner), &folder, holder, id(), Moment::now);
        let asked = lease.ask().await;
        let asked =
            asked.map_err(|error| place.damaged(&told("ask who writes the index", &error)))?;
        let standing = watch::Sender::new(standing_of(&place, &Ok(asked), Duration::ZERO));
        let granted = watch::Sender::new(lease.granted);
        let term = Term { granted: granted.subscribe(), standing: standing.subscribe() };
        let (stop, stopped) = oneshot::channel();
        let keeper = Keeper { place: place.clone(), lease, standing, granted };
        let task = tokio::spawn(async move {
            // The registry lends what is open as long as somebody holds it.
            let _store = store;
            keeper.run(stopped).await;
        });
        Ok(SharedIndex { place, term, keeper: Mutex::new(Some((stop, task))) })
    }

    /// The passages with `vectors` of `width` numbers. Who writes makes what is not there yet.
    ///
    /// # Errors
    /// As [`LanceStore::open`], and as [`LanceStore::open_to_read`] while another machine writes.
    pub async fn open(&self, vectors: &str, width: usize) -> Result<LanceStore, StoreError> {
        let reads = match &*self.term.standing.borrow() {
            Standing::Writes => None,
            Standing::Reads(why) => Some(why.clone()),
        };
        let writing = Writing::during(self.term.clone());
        let Some(why) = reads else {
            let open = LanceStore::open_at(&self.place, vectors, width);
            let store = Writing::during(self.term.clone()).allowed(open).await?;
            return Ok(store.written_by(writing));
        };
        let opened = LanceStore::open_at_to_read(&self.place, vectors, width).await;
        let store = opened.map_err(|error| StoreError(format!("{} ({why})", error.0)))?;
        Ok(store.written_by(writing))
    }

    /// As [`LanceStore::open_to_read`], for one that is in nobody's way.
    ///
    /// # Errors
    /// As there, and as [`SharedIndex::join`].
    pub async fn open_to_read(
        uri: &str,
        vectors: &str,
        width: usize,
    ) -> Result<LanceStore, StoreError> {
        LanceStore::open_at_to_read(&place(uri)?, vectors, width).await
    }

    /// As [`LanceStore::drop_others`].
    ///
    /// # Errors
    /// As there, and if another machine writes.
    pub async fn drop_others(&self, keep: Vec<String>) -> Result<(), StoreError> {
        let writing = Writing::during(self.term.clone());
        writing.allowed(tables::drop_others(&self.place, keep)).await
    }

    /// Whether this process may write, told at every change.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.term.standing.clone()
    }

    /// Lets another machine write at once.
    pub async fn let_go(&self) {
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, task)) = keeper {
            drop(stop);
            if let Err(error) = task.await {
                tracing::warn!(%error, "what renews the lease ended badly");
            }
        }
    }
}

/// What renews the lease, or looks whether it is to be had.
struct Keeper {
    place: Place,
    lease: Lease,
    standing: watch::Sender<Standing>,
    granted: watch::Sender<Option<Moment>>,
}

impl Keeper {
    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        let mut pause = self.pause();
        loop {
            tokio::select! {
                // The sender is dropped, never used.
                _ = &mut stopped => break,
                () = sleep(pause) => {}
            }
            let asked = self.lease.ask().await;
            self.granted.send_replace(self.lease.granted);
            let left = self.lease.granted.map_or(Duration::ZERO, |at| at.left(Moment::now()));
            let standing = standing_of(&self.place, &asked, left);
            pause = if asked.is_err() { RETRY_EVERY } else { self.pause() };
            self.standing.send_if_modified(|held| {
                let differs = *held != standing;
                if differs {
                    tracing::info!(?standing, "the shared index");
                }
                *held = standing;
                differs
            });
        }
        // Before anybody else writes, nobody here may.
        self.granted.send_replace(None);
        self.lease.give_back().await;
    }

    fn pause(&self) -> Duration {
        match &*self.standing.borrow() {
            Standing::Writes => RENEW_EVERY,
            Standing::Reads(_) => LOOK_EVERY,
        }
    }
}

/// What it means that the lease was `asked` for so, while so much is `left` of one that is held.
fn standing_of(place: &Place, asked: &Result<Told, String>, left: Duration) -> Standing {
    match asked {
        Ok(Told::Ours) => Standing::Writes,
        Ok(Told::Theirs(holder)) => Standing::Reads(format!(
            "{holder} writes the index in {}; this machine only reads it",
            place.shown()
        )),
        Err(_) if !left.is_zero() => Standing::Writes,
        Err(error) => Standing::Reads(place.damaged(&told("reach the index", error)).0),
    }
}

/// Where `uri` says, if this program can speak to what is there.
fn place(uri: &str) -> Result<Place, StoreError> {
    if uri.starts_with(S3) && !cfg!(feature = "s3") {
        return Err(StoreError(format!(
            "this program was built without object stores, and store.uri is {uri}: build it with `cargo build --release \
             --features s3`, or keep the index here (take store.uri out of the settings)"
        )));
    }
    Ok(Place::shared(uri))
}

/// No other process's: what the system gives for hashing, twice, is random.
fn id() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}-{}", random(), random(), std::process::id())
}

#[cfg(all(test, feature = "s3"))]
mod s3;
#[cfg(test)]
mod tests;
