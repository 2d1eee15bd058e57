//! Reading as a job of the mind's thread: what is ordered, how far it is, and when it stops.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use models::{Mind, MindError};
use tokio::sync::{oneshot, watch};

use super::{Job, JobError, MindHandle, received};

/// What is to be read: see [`Mind::read`].
#[derive(Debug, Clone)]
pub struct ReadOrder {
    pub question: String,
    /// Best first: when time is out, the rest is left.
    pub passages: Vec<String>,
    /// Most tokens of a passage.
    pub window: usize,
    /// No batch is begun that would, going by the one before, end after this.
    pub time: Duration,
}

/// Reads until all is read, time is out or the asker has left; how long it took, loading apart.
pub(super) fn read(
    mind: &mut dyn Mind,
    order: &ReadOrder,
    progress: &watch::Sender<Vec<f32>>,
    asker_left: &dyn Fn() -> bool,
) -> Result<(Vec<f32>, Duration), MindError> {
    let ReadOrder { question, passages, window, time } = order;
    // What the first reading of all has to load says nothing about the pace.
    mind.read(question, &[], *window, &mut |_| ControlFlow::Continue(()))?;
    let since = Instant::now();
    let mut before = Duration::ZERO;
    let values = mind.read(question, passages, *window, &mut |so_far| {
        progress.send_replace(so_far.to_vec());
        let now = since.elapsed();
        let next = now + (now - before);
        before = now;
        if asker_left() || next > *time {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    Ok((values, since.elapsed()))
}

/// Reading under way. Dropping it stops the reading.
pub struct Reading {
    /// Changes with every batch, and is closed after the last.
    pub progress: watch::Receiver<Vec<f32>>,
    reply: oneshot::Receiver<Result<(Vec<f32>, Duration), MindError>>,
}

impl Reading {
    /// What came out for the passages from the first on, and how long it took, loading apart.
    pub async fn values(self) -> Result<(Vec<f32>, Duration), JobError> {
        received(self.reply).await
    }
}

impl MindHandle {
    /// Queues reading and returns at once.
    pub fn read(&self, order: ReadOrder) -> Result<Reading, JobError> {
        let (sender, progress) = watch::channel(Vec::new());
        let (reply, receiver) = oneshot::channel();
        self.submit(Job::Read { order, progress: sender, reply })?;
        Ok(Reading { progress, reply: receiver })
    }
}
