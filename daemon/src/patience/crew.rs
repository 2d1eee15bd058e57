//! Threads for work that may never come back. One that has done its work waits for the next: on a busy machine a
//! new thread waits for its first turn longer than reading a file takes.

use std::io;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;

use crate::limits::IDLE_MAX;

type Work = Box<dyn FnOnce() + Send>;

/// A thread is given its own end of the line with each work: without one in reach it ends.
struct Order {
    work: Work,
    line: Sender<Order>,
}

/// See the module. Nobody waits for its threads; those that are idle end with it.
pub(super) struct Crew {
    idle: Mutex<Vec<Sender<Order>>>,
    /// What a thread does before its first work.
    begin: fn(),
}

impl Crew {
    pub(super) fn new(begin: fn()) -> Crew {
        Crew { idle: Mutex::default(), begin }
    }

    /// Has `work`, which does not panic, done by a thread that waits, or by a new one.
    pub(super) fn give(crew: &Arc<Crew>, work: Work) -> io::Result<()> {
        let idle = crew.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let work = match idle {
            None => work,
            Some(line) => match line.clone().send(Order { work, line }) {
                Ok(()) => return Ok(()),
                Err(unsent) => unsent.0.work,
            },
        };
        let (line, orders) = mpsc::channel();
        let (begin, crew) = (crew.begin, Arc::downgrade(crew));
        let first = Order { work, line };
        let serve = move || {
            begin();
            let mut next = Some(first);
            while let Some(Order { work, line }) = next {
                work();
                if !stand_by(&crew, line) {
                    return;
                }
                next = orders.recv().ok();
            }
        };
        thread::Builder::new().name("drive".to_owned()).spawn(serve).map(drop)
    }
}

/// Whether the thread at the end of `line` is to wait for more.
fn stand_by(crew: &Weak<Crew>, line: Sender<Order>) -> bool {
    let Some(crew) = crew.upgrade() else { return false };
    let mut idle = crew.idle.lock().unwrap_or_else(PoisonError::into_inner);
    let has_room = idle.len() < IDLE_MAX;
    if has_room {
        idle.push(line);
    }
    has_room
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn threads_are_used_again() {
        static BEGUN: AtomicUsize = AtomicUsize::new(0);
        let crew = Arc::new(Crew::new(|| {
            BEGUN.fetch_add(1, Ordering::SeqCst);
        }));
        let (seen, threads) = mpsc::channel();
        let mut met = HashSet::new();
        for _ in 0..100 {
            let seen = seen.clone();
            Crew::give(&crew, Box::new(move || seen.send(thread::current().id()).unwrap()))
                .unwrap();
            met.insert(threads.recv().unwrap());
        }
        assert!(met.len() < 50, "{} threads for one work at a time", met.len());
        assert_eq!(BEGUN.load(Ordering::SeqCst), met.len(), "each has begun once");
    }
}
