//! One connection to a running daemon, as commands use it: requests with fresh ids, the events
//! that answer them, and a daemon that goes away as an error.

use daemon_protocol::client::Client;
use daemon_protocol::{DaemonStatus, Event, Folder, Passage, Request};

use crate::error::AppError;

/// A client and the id it used last.
pub(crate) struct Conversation {
    client: Client,
    last_id: u64,
}

impl Conversation {
    /// Takes over a connection on which nothing was asked yet.
    pub(crate) fn new(client: Client) -> Self {
        Conversation { client, last_id: 0 }
    }

    /// The connection, on which every request so far has been answered.
    pub(crate) fn into_client(self) -> Client {
        self.client
    }

    /// The daemon's process id, as it says.
    pub(crate) fn daemon_pid(&self) -> u32 {
        self.client.hello.pid
    }

    /// Sends the request that `make` makes of a fresh id, and returns the id.
    pub(crate) async fn send(
        &mut self,
        make: impl FnOnce(u64) -> Request,
    ) -> Result<u64, AppError> {
        self.last_id += 1;
        self.client.sender.send(&make(self.last_id)).await?;
        Ok(self.last_id)
    }

    /// The next event. Cancel-safe.
    ///
    /// # Errors
    /// If the daemon closes, with the reason it gave.
    pub(crate) async fn next(&mut self) -> Result<Event, AppError> {
        match self.client.receiver.next().await? {
            Some(Event::Closing { reason }) => {
                Err(AppError::new(format!("the daemon is closing: {reason}")))
            }
            Some(event) => Ok(event),
            None => Err(AppError::from(daemon_protocol::client::ClientError::Closed)),
        }
    }

    /// The state of everything.
    pub(crate) async fn status(&mut self) -> Result<DaemonStatus, AppError> {
        self.told(|id| Request::Status { id }).await
    }

    /// Has the daemon load the model that is configured now; its state with that model.
    pub(crate) async fn reload(&mut self) -> Result<DaemonStatus, AppError> {
        self.told(|id| Request::Reload { id }).await
    }

    /// Sends what a status answers, as `status`, `pause` and `resume`, and returns that.
    pub(crate) async fn told(
        &mut self,
        make: impl FnOnce(u64) -> Request,
    ) -> Result<DaemonStatus, AppError> {
        let asked = self.send(make).await?;
        loop {
            match self.next().await? {
                Event::Status { id, status } if id == asked => return Ok(*status),
                Event::Failed { id, error } if id == asked => return Err(error.into()),
                _ => {}
            }
        }
    }

    /// Sends an `add`, `remove` or `list`, and returns the folders watched after it.
    pub(crate) async fn folders(
        &mut self,
        make: impl FnOnce(u64) -> Request,
    ) -> Result<Vec<Folder>, AppError> {
        let asked = self.send(make).await?;
        loop {
            match self.next().await? {
                Event::Folders { id, folders } if id == asked => return Ok(folders),
                Event::Failed { id, error } if id == asked => return Err(error.into()),
                _ => {}
            }
        }
    }

    /// The passages of a document around the one that begins at `byte_start`.
    pub(crate) async fn read(
        &mut self,
        path: &str,
        byte_start: usize,
    ) -> Result<Vec<Passage>, AppError> {
        let path = path.to_owned();
        let asked = self.send(|id| Request::Read { id, path, byte_start }).await?;
        loop {
            match self.next().await? {
                Event::Text { id, passages, .. } if id == asked => return Ok(passages),
                Event::Failed { id, error } if id == asked => return Err(error.into()),
                _ => {}
            }
        }
    }
}
