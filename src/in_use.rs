//! Which model is used: choosing it, remembering what was before, and telling a daemon that runs.

use std::path::Path;

use models::files::write_atomically;
use models_candle::gguf;
use tokio::time::timeout;

use crate::config::{Config, ModelChoice};
use crate::error::AppError;
use crate::launch;
use crate::runtime::wait_for;
use crate::term::streams;

/// Models that can be gone back to; older ones are chosen by their path.
const BEFORE_MAX: usize = 16;

/// Has the model at `path` used from now on, and remembers the one before.
pub(crate) fn choose(path: &Path, config: &Config) -> Result<(), AppError> {
    let ModelChoice { path: old, mut before } = config.model_choice()?;
    if old != path {
        before.push(old);
        before.drain(..before.len().saturating_sub(BEFORE_MAX));
    }
    save(ModelChoice { path: path.to_owned(), before }, config)
}

/// Has what `choice` says used from now on.
pub(crate) fn save(choice: ModelChoice, config: &Config) -> Result<(), AppError> {
    let json = serde_json::to_vec(&choice)
        .map_err(|error| AppError::new(format!("{}: {error}", choice.path.display())))?;
    write_atomically(&config.paths.model_choice, &json)?;
    let name = match gguf::open(&choice.path) {
        Ok(file) => format!("{} ({})", file.meta.name, choice.path.display()),
        Err(_) => choice.path.display().to_string(),
    };
    streams::note(config.quiet, &format!("{name} is used from now on"));
    tell_daemon(config)
}

/// Has a daemon that runs take up the model that is configured now.
pub(crate) fn tell_daemon(config: &Config) -> Result<(), AppError> {
    wait_for(reload(config))
}

/// Has the daemon, if one runs, take up the model that is configured now, and says so: it would
/// keep the old one until it ends.
async fn reload(config: &Config) -> Result<(), AppError> {
    let Some(mut conversation) = launch::running(config).await? else {
        return Ok(());
    };
    let pid = conversation.daemon_pid();
    let loaded = timeout(launch::START_MAX, conversation.reload()).await.unwrap_or_else(|_| {
        let waited = launch::START_MAX.as_secs();
        Err(AppError::new(format!("the daemon (pid {pid}) has not loaded it within {waited} s")))
    });
    let loaded = loaded.map_err(|error| {
        error
            .hint("choose another (fore model use PATH) or the usual one (default)")
            .hint(format!("see {}", config.paths.log.display()))
    })?;
    if !config.quiet {
        // One whose vectors are those of before serves already.
        let what = if loaded.fingerprint == conversation.status().await?.fingerprint {
            "uses it from now on"
        } else {
            "indexes the folders for it and uses it after that; see: fore status"
        };
        streams::diagnostic(&format!("the running daemon (pid {pid}) {what}"));
    }
    Ok(())
}
