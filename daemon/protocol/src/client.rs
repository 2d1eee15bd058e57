//! The client's half: connect, exchange hellos, send requests, receive events.

use std::io;
use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use crate::frame::{self, Decoder, FrameError};
use crate::{Event, Hello, PROTOCOL, Request};

/// Why talking to the daemon failed; the kind decides whether starting one helps.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens there.
    #[error("no daemon answers at {path}: {source}")]
    Connect { path: String, source: io::Error },
    /// Another protocol is spoken there.
    #[error("the running daemon (version {}, pid {}) speaks protocol {}, this program {PROTOCOL}", theirs.version, theirs.pid, theirs.protocol)]
    Protocol { theirs: Hello },
    #[error("the daemon closed the connection")]
    Closed,
    #[error("reading from or writing to the daemon: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// A connection after the hellos.
pub struct Client {
    /// The daemon's hello.
    pub hello: Hello,
    pub sender: Sender,
    pub receiver: Receiver,
}

/// Sends requests.
pub struct Sender(OwnedWriteHalf);

/// Receives events.
pub struct Receiver(FrameReader);

impl Client {
    /// Connects to `socket` and says hello as `version`.
    ///
    /// # Errors
    /// [`ClientError`]; `Connect` and `Protocol` are the two a caller should tell apart.
    pub async fn connect(socket: &Path, version: &str) -> Result<Client, ClientError> {
        let stream = UnixStream::connect(socket).await.map_err(|source| ClientError::Connect {
            path: socket.display().to_string(),
            source,
        })?;
        let (read, write) = stream.into_split();
        let mut sender = Sender(write);
        let mut reader = FrameReader::new(read);
        sender
            .write(&Hello {
                protocol: PROTOCOL,
                version: version.to_owned(),
                pid: std::process::id(),
            })
            .await?;
        let hello: Hello = reader.read().await?.ok_or(ClientError::Closed)?;
        if hello.protocol != PROTOCOL {
            return Err(ClientError::Protocol { theirs: hello });
        }
        Ok(Client { hello, sender, receiver: Receiver(reader) })
    }
}

impl Sender {
    /// Sends one request.
    ///
    /// # Errors
    /// [`ClientError`] if the daemon is gone or the request does not fit a frame.
    pub async fn send(&mut self, request: &Request) -> Result<(), ClientError> {
        self.write(request).await
    }

    async fn write<T: Serialize>(&mut self, message: &T) -> Result<(), ClientError> {
        self.0.write_all(&frame::encode(message)?).await?;
        Ok(())
    }
}

impl Receiver {
    /// The next event; `None` when the daemon has closed. Cancel-safe.
    ///
    /// # Errors
    /// [`ClientError`] on a broken stream.
    pub async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        self.0.read().await
    }
}

/// Whole messages from a socket. Cancel-safe: bytes already read stay in the decoder.
pub struct FrameReader {
    read: OwnedReadHalf,
    decoder: Decoder,
}

impl FrameReader {
    /// A reader with an empty buffer.
    pub fn new(read: OwnedReadHalf) -> Self {
        FrameReader { read, decoder: Decoder::default() }
    }

    /// The next message; `None` at the end of the stream.
    ///
    /// # Errors
    /// [`ClientError::Io`] or [`ClientError::Frame`].
    pub async fn read<T: DeserializeOwned>(&mut self) -> Result<Option<T>, ClientError> {
        let mut chunk = [0; 8192];
        loop {
            if let Some(message) = self.decoder.take() {
                return Ok(Some(message?));
            }
            match self.read.read(&mut chunk).await? {
                0 => return Ok(None),
                count => self.decoder.push(&chunk[..count]),
            }
        }
    }
}
