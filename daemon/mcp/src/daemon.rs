//! One question to the daemon: a connection of its own each, so that no call of an agent ends another's
//! (the newest question of a connection wins), and a daemon that was started again is simply met again.

use daemon_protocol::client::Client;
use daemon_protocol::{Ask, DaemonStatus, Event, Failure, Hit, Passage, Request, Stage, Timings};

/// The id of the one request of a connection.
const ID: u64 = 1;

/// A connection on which one thing is asked.
pub(crate) struct Daemon(Client);

impl Daemon {
    pub(crate) fn new(client: Client) -> Daemon {
        Daemon(client)
    }

    /// How everything stands.
    pub(crate) async fn status(&mut self) -> Result<DaemonStatus, String> {
        self.send(Request::Status { id: ID }).await?;
        loop {
            if let Event::Status { status, .. } = self.next().await? {
                return Ok(*status);
            }
        }
    }

    /// Asks, and waits for the last ranking; thoughts, as they were thought, come with it.
    pub(crate) async fn ask(
        &mut self,
        ask: Ask,
    ) -> Result<(Vec<String>, Timings, Vec<Hit>), String> {
        self.ranked(Request::Ask(Ask { id: ID, ..ask })).await
    }

    /// Passages like the one that begins there.
    pub(crate) async fn similar(
        &mut self,
        path: String,
        byte_start: usize,
        limit: usize,
    ) -> Result<(Vec<String>, Timings, Vec<Hit>), String> {
        self.ranked(Request::Similar { id: ID, path, byte_start, limit }).await
    }

    /// The passages of a document around the one that begins there.
    pub(crate) async fn read(
        &mut self,
        path: String,
        byte_start: usize,
    ) -> Result<Vec<Passage>, String> {
        self.send(Request::Read { id: ID, path, byte_start }).await?;
        loop {
            if let Event::Text { passages, .. } = self.next().await? {
                return Ok(passages);
            }
        }
    }

    async fn ranked(
        &mut self,
        request: Request,
    ) -> Result<(Vec<String>, Timings, Vec<Hit>), String> {
        self.send(request).await?;
        let (mut thoughts, mut found): (Vec<String>, Vec<Hit>) = Default::default();
        loop {
            match self.next().await? {
                Event::Thought { index, delta, .. } => {
                    if thoughts.len() <= index {
                        thoughts.resize(index + 1, String::new());
                    }
                    thoughts[index].push_str(&delta);
                }
                Event::Hits { stage: Stage::Final, hits, .. } => found = hits,
                Event::Done { timings, .. } => {
                    let thoughts = thoughts.iter().map(|text| text.trim().to_owned()).collect();
                    return Ok((thoughts, timings, found));
                }
                _ => {}
            }
        }
    }

    async fn send(&mut self, request: Request) -> Result<(), String> {
        self.0.sender.send(&request).await.map_err(|error| error.to_string())
    }

    /// The next event; a failure is told with what helps.
    async fn next(&mut self) -> Result<Event, String> {
        match self.0.receiver.next().await.map_err(|error| error.to_string())? {
            None => Err("the daemon closed the connection; try again".to_owned()),
            Some(Event::Closing { reason }) => {
                Err(format!("the daemon is closing: {reason}; try again"))
            }
            Some(Event::Failed { error: Failure { message, hint, .. }, .. }) => {
                Err(hint.map_or(message.clone(), |hint| format!("{message}; {hint}")))
            }
            Some(event) => Ok(event),
        }
    }
}
