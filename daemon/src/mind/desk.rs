//! Jobs that wait, in two bounded lanes, and in which order the thread takes them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use models::{Mind, Part};
use tokio::sync::Semaphore;

use super::{Job, perform};
use crate::limits::{ATTENTION_MAX, LANE_BACKGROUND_MAX, TIDY_AFTER, TIDY_BYTES, TIDY_TIMES};

#[derive(Default)]
pub(super) struct Lanes {
    pub(super) interactive: VecDeque<Job>,
    pub(super) background: VecDeque<Job>,
    /// What is to be loaded before anyone asks for it, each once.
    pub(super) waking: Vec<Part>,
    /// No handle is left, or the thread has ended.
    pub(super) closed: bool,
    /// Questions that are being answered.
    pub(super) asked: usize,
    /// Since when passages wait for them.
    since: Option<Instant>,
}

impl Lanes {
    /// How long passages are still kept waiting, for what a question that is being answered may need next.
    fn held(&self, now: Instant) -> Option<Duration> {
        let since = self.since.filter(|_| self.asked > 0)?;
        let left = ATTENTION_MAX.saturating_sub(now.saturating_duration_since(since));
        Some(left).filter(|left| !left.is_zero())
    }

    /// One more question is being answered.
    pub(super) fn attend(&mut self, now: Instant) {
        self.asked += 1;
        self.since.get_or_insert(now);
    }

    /// One fewer.
    pub(super) fn leave(&mut self) {
        self.asked -= 1;
        if self.asked == 0 {
            self.since = None;
        }
    }

    /// The next job. Of people's the short ones first: the vector of a question takes a hundredth of the time
    /// that another's thoughts take.
    fn next(&mut self, now: Instant) -> Option<Turn> {
        let short = |job: &Job| matches!(job, Job::EmbedQuery { .. });
        let first = self.interactive.iter().position(short).unwrap_or(0);
        if let Some(job) = self.interactive.remove(first) {
            return Some(Turn::Work(job));
        }
        if !self.waking.is_empty() {
            return Some(Turn::Wake(self.waking.remove(0)));
        }
        if self.held(now).is_some() {
            return None;
        }
        let job = self.background.pop_front()?;
        // The next waits as long again.
        self.since = self.since.map(|_| now);
        Some(Turn::Work(job))
    }
}

/// Where jobs are left for the thread.
pub(super) struct Desk {
    lanes: Mutex<Lanes>,
    pub(super) arrived: Condvar,
    pub(super) places: Arc<Semaphore>,
}

impl Default for Desk {
    fn default() -> Desk {
        let places = Arc::new(Semaphore::new(LANE_BACKGROUND_MAX));
        Desk { lanes: Mutex::default(), arrived: Condvar::new(), places }
    }
}

impl Desk {
    pub(super) fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the thread once it has no job, and refuses new jobs.
    pub(super) fn close(&self) {
        let mut lanes = self.lock();
        lanes.closed = true;
        // Dropping the jobs tells their askers.
        lanes.interactive.clear();
        lanes.background.clear();
        lanes.waking.clear();
        drop(lanes);
        self.places.close();
        self.arrived.notify_all();
    }

    /// Blocks until there is work, or there was none for `idle`.
    fn take(&self, idle: Option<Duration>) -> Turn {
        let since = Instant::now();
        let mut lanes = self.lock();
        loop {
            let now = Instant::now();
            while let Some(turn) = lanes.next(now) {
                if !matches!(&turn, Turn::Work(job) if job.asker_left()) {
                    return turn;
                }
            }
            if lanes.closed {
                return Turn::End;
            }
            let left = idle.map(|idle| idle.saturating_sub(since.elapsed()));
            if left == Some(Duration::ZERO) {
                return Turn::Idle;
            }
            let held = lanes.held(now).filter(|_| !lanes.background.is_empty());
            lanes = match held.into_iter().chain(left).min() {
                None => self.arrived.wait(lanes).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    let waited = self.arrived.wait_timeout(lanes, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Has `mind` do what arrives, until the desk is closed; whenever nothing has for `idle`, it rests.
    pub(super) fn serve(&self, mind: &mut dyn Mind, idle: Option<Duration>) {
        let idling = idling(idle);
        let mut next = idling.iter();
        loop {
            let step = next.as_slice().first();
            match self.take(step.map(|(after, _)| *after)) {
                Turn::Work(job) => perform(mind, job),
                Turn::Wake(part) => {
                    if let Err(error) = mind.wake(part) {
                        // Who asks will be told.
                        tracing::warn!(%error, ?part, "not loaded");
                    }
                }
                Turn::Idle => {
                    match next.next() {
                        Some((_, Idle::Tidy)) => tidy(),
                        Some((_, Idle::Rest)) => {
                            mind.rest();
                            tracing::info!("the model has left memory until it is needed");
                        }
                        None => {}
                    }
                    continue;
                }
                Turn::End => return,
            }
            next = idling.iter();
        }
    }
}

/// What a thread without work does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Idle {
    Tidy,
    Rest,
}

/// What is done in turn, each so long after what was before it, by a thread that has nothing to do; the mind rests
/// after `idle`.
fn idling(idle: Option<Duration>) -> Vec<(Duration, Idle)> {
    let Some(idle) = idle else { return vec![(TIDY_AFTER, Idle::Tidy)] };
    let first = TIDY_AFTER.min(idle);
    vec![(first, Idle::Tidy), (idle - first, Idle::Rest), (TIDY_AFTER, Idle::Tidy)]
}

/// Gives the system back what was freed. An allocator that keeps that for a moment, lest it is asked for again, looks
/// whether the moment is over when something large is freed, and a thread without work frees nothing.
fn tidy() {
    for _ in 0..TIDY_TIMES {
        drop(std::hint::black_box(Vec::<u8>::with_capacity(TIDY_BYTES)));
    }
}

/// What the thread does next.
enum Turn {
    Work(Job),
    Wake(Part),
    /// Nothing arrived in time.
    Idle,
    End,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passages_wait_for_a_question_that_is_being_answered_and_not_for_ever() {
        let start = Instant::now();
        let places = Arc::new(Semaphore::new(9));
        let passages = || Job::EmbedPassages {
            texts: Vec::new(),
            reply: tokio::sync::oneshot::channel().0,
            place: Arc::clone(&places).try_acquire_owned().unwrap(),
        };
        let query = || Job::EmbedQuery {
            question: String::new(),
            thoughts: Vec::new(),
            reply: tokio::sync::oneshot::channel().0,
        };
        let mut lanes = Lanes::default();
        lanes.background.extend((0..5).map(|_| passages()));
        let took = |lanes: &mut Lanes, after: Duration| match lanes.next(start + after) {
            Some(Turn::Work(Job::EmbedPassages { .. })) => "passages",
            Some(Turn::Work(Job::EmbedQuery { .. })) => "query",
            Some(_) => "other",
            None => "nothing",
        };
        let (now, soon) = (Duration::ZERO, ATTENTION_MAX / 2);
        assert_eq!(took(&mut lanes, now), "passages", "nobody asks");
        lanes.attend(start);
        lanes.attend(start + soon);
        assert_eq!(took(&mut lanes, now), "nothing");
        lanes.interactive.push_back(query());
        assert_eq!(took(&mut lanes, soon), "query");
        assert_eq!(took(&mut lanes, soon), "nothing", "the question's next part may come");
        assert_eq!(lanes.held(start + soon), Some(ATTENTION_MAX - soon));
        assert_eq!(took(&mut lanes, ATTENTION_MAX), "passages", "they have waited long enough");
        assert_eq!(took(&mut lanes, ATTENTION_MAX), "nothing");
        assert_eq!(took(&mut lanes, 2 * ATTENTION_MAX), "passages");
        lanes.leave();
        assert_eq!(took(&mut lanes, 2 * ATTENTION_MAX), "nothing", "another is being answered");
        lanes.leave();
        assert_eq!(took(&mut lanes, 2 * ATTENTION_MAX), "passages");
    }

    #[test]
    fn a_thread_without_work_tidies_before_and_after_the_mind_rests() {
        let s = Duration::from_secs;
        assert_eq!(idling(None), [(TIDY_AFTER, Idle::Tidy)]);
        let long =
            [(TIDY_AFTER, Idle::Tidy), (s(60) - TIDY_AFTER, Idle::Rest), (TIDY_AFTER, Idle::Tidy)];
        assert_eq!(idling(Some(s(60))), long);
        let short = Duration::from_millis(20);
        let at_once = [(short, Idle::Tidy), (Duration::ZERO, Idle::Rest), (TIDY_AFTER, Idle::Tidy)];
        assert_eq!(idling(Some(short)), at_once);
    }
}
