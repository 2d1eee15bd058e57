//! The daemon for agents: a server of the Model Context Protocol, whose tools ask, search, read, find what
//! is similar, and tell how the index stands. It is a client of the daemon like any other and opens no
//! file: what it gives is what is indexed, and a path outside the watched folders is refused. Nothing
//! here changes anything, and how a daemon is started is the caller's to know.

mod contained;
mod daemon;
mod found;
mod limits;
mod tools;

use daemon_protocol::client::Client;
use futures::future::BoxFuture;
use rmcp::ServiceExt;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::tools::Tools;

/// Connects to the daemon, starting it if need be; the error is told to the agent as it is.
pub type Connect = Box<dyn Fn() -> BoxFuture<'static, Result<Client, String>> + Send + Sync>;

/// Why serving ended before the client left.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The first messages were not those of the protocol.
    #[error("the client does not begin as the Model Context Protocol does: {0}")]
    Begin(String),
    #[error("serving ended: {0}")]
    Ended(String),
}

/// Serves one client over `input` and `output` until it leaves; `version` is the program's.
///
/// # Errors
/// [`ServeError`] if what comes in is not the protocol.
pub async fn serve<I, O>(
    input: I,
    output: O,
    connect: Connect,
    version: &str,
) -> Result<(), ServeError>
where
    I: AsyncRead + Send + Unpin + 'static,
    O: AsyncWrite + Send + Unpin + 'static,
{
    let tools = Tools::new(connect, version);
    let running = match tools.serve((input, output)).await {
        Ok(running) => running,
        // Who opens and closes it without a word wants nothing.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(ServeError::Begin(error.to_string())),
    };
    running.waiting().await.map_err(|error| ServeError::Ended(error.to_string()))?;
    Ok(())
}

#[cfg(test)]
mod tests;
