//! Paints code beside the loop: the newest wish first.

use std::thread;

use tokio::sync::mpsc;

use crate::ink::{Job, Painter};
use crate::message::Message;

/// The thread at work, if there is one, and what comes of it.
pub(crate) struct Painting {
    painter: Option<Painter>,
    tell: mpsc::Sender<Message>,
    told: mpsc::Receiver<Message>,
    busy: bool,
    /// The newest wish meanwhile; those before it are of what is seen no more.
    next: Option<Job>,
}

impl Painting {
    pub(crate) fn new(painter: Option<Painter>) -> Painting {
        let (tell, told) = mpsc::channel(1);
        Painting { painter, tell, told, busy: false, next: None }
    }

    pub(crate) fn want(&mut self, job: Job) {
        let Some(painter) = self.painter else { return };
        if self.busy {
            self.next = Some(job);
            return;
        }
        let tell = self.tell.clone();
        let work = move || {
            let (id, part) = (job.id, job.part);
            // There is a place for the one that works. If nobody listens any more, the program is over.
            tell.try_send(Message::Painted { id, part, inked: job.done(painter) }).ok();
        };
        // Not joined: the end of the program waits for no grammar.
        self.busy = thread::Builder::new().name("paint".to_owned()).spawn(work).is_ok();
    }

    /// What is painted next; never, if nothing is wanted. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Message {
        match self.told.recv().await {
            Some(message) => {
                self.busy = false;
                if let Some(job) = self.next.take() {
                    self.want(job);
                }
                message
            }
            None => std::future::pending().await,
        }
    }
}
