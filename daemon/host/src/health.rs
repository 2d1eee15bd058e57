//! What can be wrong with an installation, and the command that mends it. Each check is given what it looks
//! at and gives a finding; who asks the daemon, and prints, is not here.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use daemon_protocol::{DaemonStatus, Phase};
use serde::Serialize;
use tui_text::{counted, one_line};

/// Less room than this, in bytes, and an index that grows may not be written.
const ROOM_BYTES_MIN: u64 = 512 << 20;
/// Folders that a watcher may have where nobody has raised the system's limit; with fewer, many homes do not fit.
const WATCHES_MIN: u64 = 65_536;
/// A folder that does not answer for so long is on a disk that hangs.
const FOLDER_PATIENCE: Duration = Duration::from_secs(2);

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Well,
    /// Worth knowing; nothing has to be done.
    Note,
    /// Something does not work, or will not.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in a word.
    pub about: &'static str,
    pub level: Level,
    pub what: String,
    /// The command, or the deed, that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Finding {
    /// Something that is well.
    pub fn well(about: &'static str, what: impl Into<String>) -> Finding {
        Finding { about, level: Level::Well, what: what.into(), mend: None }
    }

    /// Something worth knowing.
    pub fn note(about: &'static str, what: impl Into<String>) -> Finding {
        Finding { level: Level::Note, ..Finding::well(about, what) }
    }

    /// Something wrong, and what mends it.
    pub fn wrong(about: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { level: Level::Wrong, mend: Some(mend.into()), ..Finding::well(about, what) }
    }
}

/// Whether nothing is wrong.
pub fn is_well(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.level != Level::Wrong)
}

/// A line for each finding, and one below it that says what mends it.
pub fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { about, level, what, mend } in findings {
        let word = match level {
            Level::Well => "ok",
            Level::Note => "note",
            Level::Wrong => "wrong",
        };
        text.push_str(&format!("{word:5} {about:8} {}\n", one_line(what)));
        if let Some(mend) = mend {
            text.push_str(&format!("      mend it: {}\n", one_line(mend)));
        }
    }
    text
}

/// `path` as a shell takes it.
fn word(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+~@".contains(c);
    if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

/// The model file: there, readable, and of the format that models have. `pulled` says that it is the one
/// that is fetched, not one that was chosen.
pub fn model(path: &Path, pulled: bool) -> Finding {
    let mend = if pulled { "fore model pull" } else { "fore model use default" };
    let shown = path.display();
    let mut magic = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    match (read, fs::metadata(path)) {
        (Err(error), _) if path.exists() => {
            Finding::wrong("model", format!("{shown} cannot be read: {error}"), mend)
        }
        (Err(_), _) => Finding::wrong("model", format!("{shown} is not there"), mend),
        (Ok(()), _) if &magic != b"GGUF" => Finding::wrong(
            "model",
            format!("{shown} is no model file (GGUF)"),
            format!("rm {} && {mend}", word(path)),
        ),
        (Ok(()), found) => {
            let size = found.map_or(0, |found| found.len());
            Finding::well("model", format!("{shown}, {} MB", size / 1_000_000))
        }
    }
}

/// A folder of ours: nobody else may look into it, and we may write to it. One that is not there yet is
/// made when it is needed.
pub fn private(path: &Path, user_id: u32) -> Option<Finding> {
    let found = fs::metadata(path).ok()?;
    let shown = path.display();
    let mode = found.permissions().mode() & 0o777;
    Some(if !found.is_dir() {
        Finding::wrong(
            "folders",
            format!("{shown} is no folder"),
            format!("mv {0} {0}.old", word(path)),
        )
    } else if found.uid() != user_id {
        let what = format!("{shown} belongs to another user, {}", found.uid());
        Finding::wrong("folders", what, format!("sudo chown -R {user_id} {}", word(path)))
    } else if mode & 0o700 != 0o700 || mode & 0o077 != 0 {
        let what = format!("{shown} has mode {mode:o}: it is for you alone, to read and write");
        Finding::wrong("folders", what, format!("chmod 700 {}", word(path)))
    } else {
        Finding::well("folders", format!("{shown} is yours alone"))
    })
}

/// Room where the index is: `free` bytes for whoever is not root.
pub fn room(path: &Path, free: u64) -> Finding {
    let what = format!("{} MB free where {} is", free / 1_000_000, path.display());
    if free < ROOM_BYTES_MIN {
        let mend = format!("make room: at least {} MB", ROOM_BYTES_MIN / 1_000_000);
        Finding::wrong("disk", format!("{what}; the index cannot grow"), mend)
    } else {
        Finding::well("disk", what)
    }
}

/// The system's limit of watched folders, as the content of its file says it; nothing where there is none.
pub fn watches(limit: &str) -> Option<Finding> {
    let limit: u64 = limit.trim().parse().ok()?;
    let what = format!("the system allows {limit} watched folders (fs.inotify.max_user_watches)");
    Some(if limit < WATCHES_MIN {
        let mend = "sudo sysctl -w fs.inotify.max_user_watches=524288".to_owned();
        Finding { mend: Some(mend), ..Finding::note("watches", what) }
    } else {
        Finding::well("watches", what)
    })
}

/// The file at the socket's place, where nothing answers there.
pub fn socket(path: &Path) -> Option<Finding> {
    use std::os::unix::fs::FileTypeExt;
    let found = fs::symlink_metadata(path).ok()?;
    let shown = path.display();
    Some(if found.file_type().is_socket() {
        Finding::note(
            "socket",
            format!("{shown} is left of a daemon that was killed; the next one removes it"),
        )
    } else {
        let mend = format!("mv {0} {0}.old", word(path));
        Finding::wrong("socket", format!("{shown} is in the place of the socket and is none"), mend)
    })
}

/// The watched folders: that they are there and can be read.
pub fn watched(folders: &[PathBuf]) -> Vec<Finding> {
    if folders.is_empty() {
        return vec![Finding {
            mend: Some("fore add DIR".to_owned()),
            ..Finding::note("watched", "no folder is watched")
        }];
    }
    folders.iter().map(|folder| one_watched(folder)).collect()
}

fn one_watched(folder: &Path) -> Finding {
    let (sender, answer) = mpsc::sync_channel(1);
    let asked = folder.to_owned();
    // A disk that hangs keeps this thread; it ends with the process.
    thread::spawn(move || sender.send(fs::read_dir(asked).map(|_| ())).ok());
    let shown = folder.display();
    let forget = format!("fore remove {}", word(folder));
    match answer.recv_timeout(FOLDER_PATIENCE) {
        Ok(Ok(())) => Finding::well("watched", format!("{shown} can be read")),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            let what = format!("{shown} is not there");
            Finding::wrong("watched", what, format!("bring it back, or forget it: {forget}"))
        }
        Ok(Err(error)) => {
            let what = format!("{shown} cannot be read: {error}");
            Finding::wrong("watched", what, format!("chmod u+rx {}", word(folder)))
        }
        Err(_) => {
            let what = format!("{shown} does not answer for {} s", FOLDER_PATIENCE.as_secs());
            Finding::wrong("watched", what, format!("mount it again, or forget it: {forget}"))
        }
    }
}

/// What a running daemon says of itself.
pub fn running(status: &DaemonStatus) -> Vec<Finding> {
    let index = &status.index;
    let mut findings = Vec::new();
    // What cannot be read at all is told by [`watched`]; a limit or an ignored folder only here.
    for folder in status.folders.iter().filter(|folder| Path::new(&folder.path).exists()) {
        if let Some(problem) = &folder.problem {
            let what = format!("{}: {problem}", folder.path);
            findings.push(match sysctl(problem) {
                Some(line) => Finding::wrong("watched", what, line),
                None => Finding::note("watched", what),
            });
        }
    }
    if let Some(why) = &index.storing {
        let mend =
            "make room where the index is, or let it be written to; it is tried again every minute";
        findings.push(Finding::wrong("index", format!("it cannot be written: {why}"), mend));
    }
    let documents = counted(index.documents, "document");
    findings.push(match index.phase {
        Phase::Idle => Finding::well("index", format!("{documents}, up to date")),
        Phase::Scanning => Finding::note("index", format!("{documents}; looking for changes")),
        Phase::Encoding => {
            let (done, total) = (index.round_done, index.round_total);
            Finding::note("index", format!("{documents}; {done} of {total} changed files are done"))
        }
    });
    if index.problem_count > 0 {
        let files = counted(index.problem_count, "file");
        let newest = index
            .problems
            .last()
            .map(|newest| format!(", such as {}: {}", newest.path, newest.reason));
        let what = format!("{files} could not be indexed{}", newest.unwrap_or_default());
        findings.push(Finding {
            mend: Some("fore status names them; fore why-not FILE says why".to_owned()),
            ..Finding::note("index", what)
        });
    }
    if let Some(next) = &index.next {
        let so_far = counted(next.documents, "document");
        findings.push(Finding::note(
            "index",
            format!("{} takes over once it has all: {so_far} so far", next.model),
        ));
    }
    findings
}

/// The command in what the daemon says of a limit.
fn sysctl(problem: &str) -> Option<String> {
    let (_, rest) = problem.split_once('`')?;
    let (command, _) = rest.split_once('`')?;
    command.contains("sysctl").then(|| command.to_owned())
}

/// The folders in the daemon's list of them, for when no daemon tells; the error says what is wrong with it.
pub fn listed(path: &Path) -> Result<Vec<PathBuf>, Finding> {
    #[derive(serde::Deserialize)]
    struct List {
        folders: Vec<PathBuf>,
    }
    let shown = path.display();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            let mend = format!("chmod u+rw {}", word(path));
            return Err(Finding::wrong(
                "watched",
                format!("{shown} cannot be read: {error}"),
                mend,
            ));
        }
    };
    serde_json::from_str(&text).map(|List { folders }| folders).map_err(|error| {
        let mend = format!("mv {0} {0}.old, then add the folders again: fore add DIR", word(path));
        Finding::wrong("watched", format!("{shown}: {error}"), mend)
    })
}

#[cfg(test)]
mod tests;
