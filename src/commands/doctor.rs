//! `fore doctor`: what is wrong with this installation, and what mends it. Starts and changes nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use daemon_host::health::{self, Finding};
use daemon_protocol::PROTOCOL;
use rustix::fs::statvfs;
use serde_json::json;
use tokio::time::timeout;

use crate::config::Config;
use crate::conversation::Conversation;
use crate::error::{AppError, NOTHING};
use crate::launch::VERSION;
use crate::launch::probe::{Probe, probe};
use crate::runtime_dir::{self, Holder};
use crate::term::streams::Stdout;

/// A daemon that is well says hello, and how it stands, at once; one that loads its model takes seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Look for what is wrong, and say what mends it; exit status 1 if something is.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    json: bool,
}

/// Looks and prints; `wrong` is what is wrong with the settings file.
pub(crate) async fn run(
    args: &Args,
    config: &Config,
    wrong: Option<AppError>,
) -> Result<ExitCode, AppError> {
    let mut findings = vec![settings(config, wrong.as_ref())];
    findings.push(model(config));
    findings.extend(private(config));
    findings.extend(match &config.store {
        Some(uri) => Some(Finding::note("index", format!("it is shared, in {uri}"))),
        None => room(&config.paths.index),
    });
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_user_watches").unwrap_or_default();
    findings.extend(health::watches(&limit));
    findings.extend(daemon(config).await);
    let well = health::is_well(&findings);
    let text = match args.json {
        true => format!("{}\n", json!({"well": well, "findings": findings})),
        false => health::text(&findings),
    };
    Stdout::lock().print(&text)?;
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(NOTHING) })
}

fn settings(config: &Config, wrong: Option<&AppError>) -> Finding {
    let file = config.paths.config.display();
    match wrong {
        Some(error) => {
            let mend = "put it right: fore config shows what is allowed";
            Finding::wrong("settings", error.message.clone(), mend)
        }
        None if config.paths.config.exists() => Finding::well("settings", file.to_string()),
        None => Finding::well("settings", format!("{file} is not there: the defaults hold")),
    }
}

fn model(config: &Config) -> Finding {
    match config.model_file() {
        Ok(file) => health::model(&file, file == config.paths.default_model),
        Err(error) => Finding::wrong("model", error.message, "fore model use default"),
    }
}

/// Folders that are for nobody else, the socket's among them.
fn private(config: &Config) -> Vec<Finding> {
    let user = rustix::process::getuid().as_raw();
    let folders = config.paths.private.iter().chain([&config.paths.runtime]);
    folders.filter_map(|folder| health::private(folder, user)).collect()
}

/// Room on the disk of the index, or of the folder that it will be made in.
fn room(index: &Path) -> Option<Finding> {
    let there = index.ancestors().find(|folder| folder.exists())?;
    let disk = statvfs(there).ok()?;
    Some(health::room(index, disk.f_bavail.saturating_mul(disk.f_frsize)))
}

/// Who answers at the socket, what it says of itself, and the watched folders.
async fn daemon(config: &Config) -> Vec<Finding> {
    let restart = "fore daemon stop && fore daemon start";
    let stop = "fore daemon stop";
    let found = match probe(config, PATIENCE).await {
        Ok(found) => found,
        Err(error) => {
            let mend = error.hints.first().cloned().unwrap_or_else(|| stop.to_owned());
            return with_listed(config, Finding::wrong("daemon", error.message, mend));
        }
    };
    let client = match found {
        Probe::Ready(client) => client,
        Probe::Foreign(theirs) => {
            let what = format!(
                "version {} speaks protocol {}, this program {PROTOCOL}",
                theirs.version, theirs.protocol
            );
            return with_listed(config, Finding::wrong("daemon", what, restart));
        }
        Probe::Silent => {
            let what =
                "something listens at the socket and says nothing: it loads its model, or hangs";
            return with_listed(config, Finding::wrong("daemon", what, stop));
        }
        Probe::Absent => return absent(config, stop),
    };
    let (version, pid) = (client.hello.version.clone(), client.hello.pid);
    let mut findings = vec![match version == VERSION {
        true => {
            Finding::well("daemon", format!("version {version}, pid {pid}, protocol {PROTOCOL}"))
        }
        false => Finding::wrong(
            "daemon",
            format!("it is version {version}, this program {VERSION}"),
            restart,
        ),
    }];
    match timeout(PATIENCE, Conversation::new(client).status()).await {
        Ok(Ok(status)) => {
            let folders: Vec<PathBuf> =
                status.folders.iter().map(|one| PathBuf::from(&one.path)).collect();
            findings.extend(health::watched(&folders));
            findings.extend(health::running(&status));
        }
        Ok(Err(error)) => findings.push(Finding::wrong("daemon", error.message, restart)),
        Err(_) => findings.push(Finding::wrong("daemon", "it does not say how it stands", restart)),
    }
    findings
}

/// Nothing answers: whether that is as it should be, and what lies in the socket's place.
fn absent(config: &Config, stop: &str) -> Vec<Finding> {
    let daemon = match runtime_dir::holder(&config.paths.lock) {
        Ok(Holder::Nobody) => Finding::note("daemon", "none runs; the next question starts one"),
        Ok(Holder::Process(_)) => Finding::wrong("daemon", "one runs and its socket is gone", stop),
        Err(error) => Finding::wrong("daemon", error.message, stop),
    };
    let mut findings = with_listed(config, daemon);
    findings.extend(health::socket(&config.paths.socket));
    findings
}

/// The finding, and the watched folders as their list names them.
fn with_listed(config: &Config, finding: Finding) -> Vec<Finding> {
    let mut findings = vec![finding];
    match health::listed(&config.paths.folders) {
        Ok(folders) => findings.extend(health::watched(&folders)),
        Err(wrong) => findings.push(wrong),
    }
    findings
}
