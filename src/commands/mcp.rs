//! `fore mcp`: the index for agents, over standard input and output.

use std::process::ExitCode;
use std::sync::Arc;

use daemon_mcp::Connect;
use tokio::io::{stdin, stdout};

use crate::config::Config;
use crate::error::{AppError, Kind};
use crate::launch::{self, VERSION};

/// Serve agents over standard input and output (Model Context Protocol): ask, search, read, similar, status.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(config: Config) -> Result<ExitCode, AppError> {
    let config = Arc::new(config);
    let connect: Connect = Box::new(move || {
        let config = Arc::clone(&config);
        Box::pin(async move {
            let connected = launch::connect(&config).await;
            connected.map(|conversation| conversation.into_client()).map_err(|error| error.told())
        })
    });
    daemon_mcp::serve(stdin(), stdout(), connect, VERSION).await.map_err(|error| {
        AppError::new(error.to_string())
            .hint("an agent starts it; in its list of servers the command is: fore mcp")
            .of(Kind::Invalid)
    })?;
    Ok(ExitCode::SUCCESS)
}
