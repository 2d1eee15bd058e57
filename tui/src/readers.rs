//! Reads previews beside the loop: the newest wish first, and none may hold anything up.

use std::pin::Pin;
use std::thread;
use std::time::Duration;

use daemon_protocol::Hit;
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep};

use crate::message::Message;
use crate::preview::{Passage, Preview};

/// Files read at once. A file on a disk that hangs keeps its thread, and the others go on.
const READERS_MAX: usize = 4;
/// After so long without its file, a passage is shown as its snippet meanwhile.
const LATE_MS: u64 = 250;

/// The threads, and what they have read.
pub(crate) struct Readers {
    read: fn(&Hit) -> Preview,
    tell: mpsc::Sender<Preview>,
    told: mpsc::Receiver<Preview>,
    /// Threads at work.
    reading: usize,
    /// The newest wish, while all threads are at work.
    next: Option<Box<Hit>>,
    /// The newest wish that has a thread, and when it is late.
    late: Option<(Passage, Pin<Box<Sleep>>)>,
}

impl Readers {
    pub(crate) fn new(read: fn(&Hit) -> Preview) -> Readers {
        let (tell, told) = mpsc::channel(READERS_MAX);
        Readers { read, tell, told, reading: 0, next: None, late: None }
    }

    pub(crate) fn want(&mut self, hit: Box<Hit>) {
        let late = Box::pin(sleep(Duration::from_millis(LATE_MS)));
        self.late = Some((Passage::of(&hit), late));
        if self.reading >= READERS_MAX {
            self.next = Some(hit);
            return;
        }
        let (read, tell) = (self.read, self.tell.clone());
        let job = move || {
            // There is a place for each thread. If nobody listens any more, the program is over.
            tell.try_send(read(&hit)).ok();
        };
        // Not the runtime's threads, which are waited for at the end, and not joined: one that hangs
        // in the kernel would keep the program from ending. It changes nothing and holds nothing.
        if thread::Builder::new().name("preview".to_owned()).spawn(job).is_ok() {
            self.reading += 1;
        }
    }

    /// The next preview read, or that the newest one is late; never, if none is wanted. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Message {
        let late = async {
            match &mut self.late {
                Some((passage, time)) => {
                    time.await;
                    passage.clone()
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(preview) = self.told.recv() => {
                self.reading -= 1;
                if self.late.as_ref().is_some_and(|(passage, _)| *passage == preview.passage) {
                    self.late = None;
                }
                if let Some(hit) = self.next.take() {
                    self.want(hit);
                }
                Message::Preview(Box::new(preview))
            }
            passage = late => {
                self.late = None;
                Message::Late(passage)
            }
        }
    }
}
