//! Writes, one at a time, and only while this process may write.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use daemon::Standing;
use daemon::store::StoreError;
use tokio::sync::{Mutex, MutexGuard, watch};
use tokio::time::sleep;

use crate::lease::{LEFT_MIN, Moment};

/// How often a write that is under way looks at the clocks again: one of them goes on while the machine sleeps, which no
/// timer hears of.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Until when this process may write an index that is shared.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    /// When the lease that it holds was asked for.
    pub(crate) granted: watch::Receiver<Option<Moment>>,
    pub(crate) standing: watch::Receiver<Standing>,
}

impl Term {
    fn left(&self) -> Duration {
        self.granted.borrow().map_or(Duration::ZERO, |granted| granted.left(Moment::now()))
    }

    /// Why nothing is written.
    fn over(&self) -> StoreError {
        StoreError(match &*self.standing.borrow() {
            Standing::Reads(why) => why.clone(),
            Standing::Writes => {
                "the lease on the shared index has not been renewed in time; nothing is lost, and \
                 it is tried again"
                    .to_owned()
            }
        })
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Writing {
    /// Held by each write from start to end: Lance would let writers race and retry the losers,
    /// and a compaction that loses has worked for nothing.
    turn: Mutex<()>,
    /// `None` where no other machine writes.
    term: Option<Term>,
}

impl Writing {
    /// In an index that is shared.
    pub(crate) fn during(term: Term) -> Writing {
        Writing { turn: Mutex::default(), term: Some(term) }
    }

    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Does `work`, or as much of it as there is time for. Lance shows nothing of what was not committed by then.
    pub(crate) async fn allowed<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let Some(term) = &self.term else { return work.await };
        if term.left() < LEFT_MIN {
            return Err(term.over());
        }
        let mut work = pin!(work);
        let mut look = pin!(sleep(LOOK_AGAIN));
        // The clocks first, each time: a process that was stopped for an hour goes on in the middle of this.
        poll_fn(|context| {
            while look.as_mut().poll(context).is_ready() {
                look.set(sleep(LOOK_AGAIN));
            }
            match term.left().is_zero() {
                true => Poll::Ready(Err(term.over())),
                false => work.as_mut().poll(context),
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writing(granted: Option<Moment>) -> (Writing, watch::Sender<Option<Moment>>) {
        let (granted, receiver) = watch::channel(granted);
        let standing = watch::Sender::new(Standing::Reads("ada writes".to_owned())).subscribe();
        (Writing::during(Term { granted: receiver, standing }), granted)
    }

    #[tokio::test]
    async fn nothing_is_begun_without_a_lease_and_nothing_goes_on_beyond_it() {
        let alone = Writing::default();
        assert_eq!(alone.allowed(async { Ok(7) }).await.unwrap(), 7);
        let (writing, granted) = writing(None);
        let begun = async { panic!("it was begun") };
        let error = writing.allowed::<()>(begun).await.unwrap_err();
        assert_eq!(error.0, "ada writes");
        granted.send_replace(Some(Moment::now()));
        assert_eq!(writing.allowed(async { Ok(7) }).await.unwrap(), 7);
        // Its first half is done, and then the lease is gone.
        let mut halves = 0;
        let work = async {
            halves += 1;
            granted.send_replace(None);
            tokio::task::yield_now().await;
            halves += 1;
            Ok(())
        };
        assert_eq!(writing.allowed(work).await.unwrap_err().0, "ada writes");
        assert_eq!(halves, 1);
    }
}
