//! Where futures run. The daemon and measuring want all cores; a client has one connection.

use tokio::runtime::{Builder, Runtime};

use crate::error::AppError;

/// Runs a client of the daemon to its end. One thread is enough for one connection.
pub(crate) fn wait_for<T>(
    client: impl Future<Output = Result<T, AppError>>,
) -> Result<T, AppError> {
    of_one_thread()?.block_on(client)
}

/// A thread for each core.
pub(crate) fn of_many_threads() -> Result<Runtime, AppError> {
    made(&mut Builder::new_multi_thread())
}

/// The thread that asks, and no other.
pub(crate) fn of_one_thread() -> Result<Runtime, AppError> {
    made(&mut Builder::new_current_thread())
}

fn made(builder: &mut Builder) -> Result<Runtime, AppError> {
    builder.enable_all().build().map_err(|error| AppError::io("starting the runtime", &error))
}
