//! Who writes an index that several machines share: an object beside its tables says so, which is changed only on
//! condition that it is what was read, and which its holder renews.
//!
//! No clock is compared with another machine's. A holder counts from before it asked for what it got, and stops writing
//! in time; who waits counts, on a clock of its own, for how long it has seen the very same object.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use object_store::path::Path;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion,
};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

/// For how long one is given: three renewals may fail before it ends, and people wait no longer than this and
/// [`GRACE`] for another machine to take over from one that died.
pub(crate) const LENGTH: Duration = Duration::from_secs(30);
/// How often it is renewed.
pub(crate) const RENEW_EVERY: Duration = Duration::from_secs(10);
/// How soon it is tried again where the store did not answer.
pub(crate) const RETRY_EVERY: Duration = Duration::from_secs(2);
/// How often one who does not hold it looks at it.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long one who waits waits beyond [`LENGTH`]: what a holder had sent when its time was over has arrived by then, or
/// never will, since no request lives longer ([`REQUEST_MAX`]).
const GRACE: Duration = Duration::from_secs(35);
/// How long one request to the store may take, connecting and all. Also those that carry passages: some megabytes.
pub(crate) const REQUEST_MAX: Duration = Duration::from_secs(30);
/// How long one request for the lease itself may take: a few hundred bytes, and several have to fit into [`LENGTH`].
const LEASE_REQUEST_MAX: Duration = Duration::from_secs(6);
/// With less time than this left nothing is begun that writes: a saved file is stored in less.
pub(crate) const LEFT_MIN: Duration = Duration::from_secs(3);
/// Larger objects are none of ours, bytes.
const PAGE_BYTES_MAX: u64 = 4 << 10;
/// Its name, beside the tables.
pub(crate) const OBJECT: &str = "writer.lease";

/// A moment by both clocks of this machine: one that nobody sets, and one that goes on while the machine sleeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) steady: Instant,
    pub(crate) wall: SystemTime,
}

impl Moment {
    pub(crate) fn now() -> Moment {
        Moment { steady: Instant::now(), wall: SystemTime::now() }
    }

    /// What is left at `now` of a lease that was asked for then. The clock that says less is believed.
    pub(crate) fn left(self, now: Moment) -> Duration {
        let slept = now.wall.duration_since(self.wall).unwrap_or_default();
        let elapsed = now.steady.saturating_duration_since(self.steady).max(slept);
        LENGTH.saturating_sub(elapsed)
    }
}

/// What the object says. Another at each renewal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Page {
    /// For people.
    holder: String,
    /// Of the process that holds it, by chance; empty once it was given back.
    id: String,
    renewals: u64,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    Ours,
    /// Held by another, which is called so.
    Theirs(String),
}

/// One process's claim.
pub(crate) struct Lease {
    store: Arc<dyn ObjectStore>,
    object: Path,
    mine: Page,
    clock: fn() -> Moment,
    held: Option<UpdateVersion>,
    /// From when on it is counted; kept beyond its end.
    pub(crate) granted: Option<Moment>,
    /// What another wrote, and since when it has not changed.
    seen: Option<(Page, Instant)>,
}

impl Lease {
    /// One for the tables below `folder`, which nobody has asked for yet. `id` is no other process's.
    pub(crate) fn new(
        store: Arc<dyn ObjectStore>,
        folder: &Path,
        holder: &str,
        id: String,
        clock: fn() -> Moment,
    ) -> Lease {
        let mine = Page { holder: holder.to_owned(), id, renewals: 0 };
        let object = folder.clone().join(OBJECT);
        Lease { store, object, mine, clock, held: None, granted: None, seen: None }
    }

    /// Renews it, or takes it if it is to be had.
    ///
    /// # Errors
    /// The store does not answer, or refuses; whose it is, is not known then.
    pub(crate) async fn ask(&mut self) -> Result<Told, String> {
        if let Some(version) = self.held.clone() {
            match self.put(PutMode::Update(version)).await {
                Ok(()) => return Ok(Told::Ours),
                // Another took it; or it is ours, by a request whose answer was lost.
                Err(Error::Precondition { .. } | Error::NotFound { .. }) => {
                    (self.held, self.granted) = (None, None);
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        self.take().await.map_err(|error| error.to_string())
    }

    /// Takes it if nobody has it, or whoever has it does not renew it.
    async fn take(&mut self) -> Result<Told, Error> {
        let Some((page, version)) = self.read().await? else {
            return match self.put(PutMode::Create).await {
                Ok(()) => Ok(Told::Ours),
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(faster()),
                Err(error) => Err(error),
            };
        };
        let is_to_be_had = page.id.is_empty() || page.id == self.mine.id || self.is_dead(&page);
        if !is_to_be_had {
            return Ok(Told::Theirs(page.holder));
        }
        match self.put(PutMode::Update(version)).await {
            Ok(()) => Ok(Told::Ours),
            Err(Error::Precondition { .. } | Error::NotFound { .. }) => Ok(faster()),
            Err(error) => Err(error),
        }
    }

    /// Whether the same was seen for longer than its holder may write.
    fn is_dead(&mut self, page: &Page) -> bool {
        let now = (self.clock)().steady;
        match &self.seen {
            Some((seen, since)) if seen == page => {
                now.saturating_duration_since(*since) >= LENGTH + GRACE
            }
            _ => {
                self.seen = Some((page.clone(), now));
                false
            }
        }
    }

    /// What the object says, if there is one. One that says nothing of ours is held by somebody, until it is dead.
    async fn read(&self) -> Result<Option<(Page, UpdateVersion)>, Error> {
        let found = match within(self.store.get(&self.object)).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            found => found?,
        };
        let version =
            UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
        let unknown = Page {
            holder: "another program".to_owned(),
            id: format!("{:?}", version.e_tag),
            renewals: 0,
        };
        if found.meta.size > PAGE_BYTES_MAX {
            return Ok(Some((unknown, version)));
        }
        let bytes = within(found.bytes()).await?;
        Ok(Some((serde_json::from_slice(&bytes).unwrap_or(unknown), version)))
    }

    /// Writes that it is ours, under a condition.
    async fn put(&mut self, mode: PutMode) -> Result<(), Error> {
        self.mine.renewals += 1;
        let asked = (self.clock)();
        self.held = Some(self.write(&self.mine, mode).await?);
        self.granted = Some(asked);
        self.seen = None;
        Ok(())
    }

    async fn write(&self, page: &Page, mode: PutMode) -> Result<UpdateVersion, Error> {
        let text = serde_json::to_vec(page).map_err(generic)?;
        let options = PutOptions::from(mode);
        let written =
            within(self.store.put_opts(&self.object, PutPayload::from(text), options)).await?;
        Ok(UpdateVersion { e_tag: written.e_tag, version: written.version })
    }

    /// Gives it back, if it is ours; what fails is only that others wait until it is dead.
    pub(crate) async fn give_back(&mut self) {
        self.granted = None;
        let Some(version) = self.held.take() else { return };
        let free = Page { id: String::new(), ..self.mine.clone() };
        if let Err(error) = self.write(&free, PutMode::Update(version)).await {
            tracing::info!(%error, "the lease on the index ends by itself");
        }
    }
}

/// Another process took it between two requests of ours.
fn faster() -> Told {
    Told::Theirs("another machine".to_owned())
}

async fn within<T>(request: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(LEASE_REQUEST_MAX, request).await.unwrap_or_else(|_| {
        let seconds = LEASE_REQUEST_MAX.as_secs();
        Err(generic(format!("no answer within {seconds} s")))
    })
}

fn generic(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic { store: "lease", source: source.into() }
}

#[cfg(test)]
mod tests;
