//! An index that several machines share: one of them writes it, the others read it.

use daemon_protocol::Failure;
use tokio::sync::watch;

use crate::error::invalid;

/// Whether this process may write an index that others write too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It may, and nobody else does.
    Writes,
    /// It may not, for this reason, which a person will read.
    Reads(String),
}

/// What the backend tells of that, if it shares an index.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sharing(Option<watch::Receiver<Standing>>);

impl Sharing {
    pub(crate) fn new(standing: Option<watch::Receiver<Standing>>) -> Sharing {
        Sharing(standing)
    }

    /// Whether documents of other machines may be in the index, whose files are not here.
    pub(crate) fn is_shared(&self) -> bool {
        self.0.is_some()
    }

    /// Why this process may not write, if it may not.
    pub(crate) fn reads(&self) -> Option<String> {
        match &*self.0.as_ref()?.borrow() {
            Standing::Writes => None,
            Standing::Reads(why) => Some(why.clone()),
        }
    }

    /// What is said to a request that would have the index written, if this process may not.
    pub(crate) fn refusal(&self) -> Option<Failure> {
        let hint = "do it on the machine that writes; this one takes over within a minute once that one has stopped";
        self.reads().map(|why| invalid(why, hint))
    }

    /// Returns when it is told anew; never if nobody tells.
    pub(crate) async fn changed(&mut self) {
        if let Some(standing) = &mut self.0
            && standing.changed().await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
