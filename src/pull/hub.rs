//! Files from a Hugging Face hub, over HTTP with resumption.
//!
//! A download grows in `FILE.part`. The next attempt asks for the rest by `Range`; a server that
//! ignores it sends the whole, which is then written from the start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use ureq::{Agent, Response};

use crate::pull::report::{Report, size};
use crate::pull::{Bundle, Part, Sources, accept};

/// A broken transfer is taken up again this many times while it makes headway.
const RETRIES_MAX: usize = 5;
/// Bytes between two reports of progress, and read at a time.
const CHUNK: usize = 1 << 16;

/// Downloads `parts` into `folder`.
///
/// # Errors
/// Why not, in one line.
pub(crate) fn fetch(
    endpoint: &str,
    bundle: &Bundle<'_>,
    parts: &[Part<'_>],
    folder: &Path,
    sources: &Sources,
    report: &mut dyn Report,
) -> Result<(), String> {
    let agent = ureq::AgentBuilder::new()
        .timeout_connect(sources.connect)
        .timeout_read(sources.silence)
        .try_proxy_from_env(true)
        .user_agent(concat!("forethought/", env!("CARGO_PKG_VERSION")))
        .build();
    for part in parts {
        let url = format!(
            "{}/{}/resolve/{}/{}",
            endpoint.trim_end_matches('/'),
            bundle.hub_repo,
            bundle.hub_revision,
            part.file
        );
        download(&agent, &url, part, folder, report)?;
    }
    Ok(())
}

/// Downloads one file, over several connections if they break.
fn download(
    agent: &Agent,
    url: &str,
    part: &Part<'_>,
    folder: &Path,
    report: &mut dyn Report,
) -> Result<(), String> {
    let partial = folder.join(format!("{}.part", part.file));
    let mut retries = 0;
    loop {
        let had = fs::metadata(&partial).map_or(0, |stat| stat.len());
        if had == part.bytes {
            break;
        }
        if had > part.bytes {
            // Of another file, or spoilt: nothing in it can be trusted.
            fs::remove_file(&partial).map_err(|error| error.to_string())?;
            continue;
        }
        if had > 0 {
            report.note(&format!("going on after {} of {}", size(had), size(part.bytes)));
        }
        match attempt(agent, url, part, had, &partial, report) {
            Ok(()) => {}
            Err(Failure::Final(why)) => return Err(why),
            Err(Failure::Broken(why)) => {
                let has = fs::metadata(&partial).map_or(0, |stat| stat.len());
                retries += 1;
                if has <= had || retries > RETRIES_MAX {
                    return Err(format!("{why}; what came is kept and will be gone on from"));
                }
            }
        }
    }
    accept(&partial, part, folder)
}

enum Failure {
    /// Another attempt would end the same.
    Final(String),
    /// The connection broke on the way.
    Broken(String),
}

/// One request for what is missing after `had` bytes, appended to `partial`.
fn attempt(
    agent: &Agent,
    url: &str,
    part: &Part<'_>,
    had: u64,
    partial: &Path,
    report: &mut dyn Report,
) -> Result<(), Failure> {
    // Compressed on the way, offsets would mean other bytes.
    let mut request = agent.get(url).set("Accept-Encoding", "identity");
    if had > 0 {
        request = request.set("Range", &format!("bytes={had}-"));
    }
    let response = request.call().map_err(refusal)?;
    let resumes = resumes_at(&response, had)?;
    let start = if resumes { had } else { 0 };
    let disk = |error: io::Error| Failure::Final(format!("{}: {error}", partial.display()));
    let mut file = OpenOptions::new()
        .create(true)
        .append(resumes)
        .write(true)
        .truncate(!resumes)
        .open(partial)
        .map_err(disk)?;
    copy(response.into_reader(), &mut file, start, part, report)?;
    file.flush().map_err(disk)
}

/// Whether the answer starts after `had` bytes; otherwise it starts at the first.
fn resumes_at(response: &Response, had: u64) -> Result<bool, Failure> {
    match response.status() {
        206 if had > 0 => {
            let range = response.header("Content-Range").unwrap_or_default();
            if range.starts_with(&format!("bytes {had}-")) {
                Ok(true)
            } else {
                Err(Failure::Final(format!("asked for the bytes from {had}, it sent {range:?}")))
            }
        }
        200 => Ok(false),
        other => Err(Failure::Final(format!("unexpected HTTP status {other}"))),
    }
}

fn refusal(error: ureq::Error) -> Failure {
    match error {
        ureq::Error::Status(status, response) => {
            Failure::Final(format!("HTTP status {status} {}", response.status_text()))
        }
        ureq::Error::Transport(transport) => Failure::Final(transport.to_string()),
    }
}

/// Copies until the end, but never more than the part should have.
fn copy(
    reader: impl Read,
    file: &mut File,
    start: u64,
    part: &Part<'_>,
    report: &mut dyn Report,
) -> Result<(), Failure> {
    let mut done = start;
    // One byte more than wanted shows that it is another file.
    let mut reader = reader.take(part.bytes - start + 1);
    let mut buffer = vec![0; CHUNK];
    loop {
        let broken = |error: io::Error| {
            Failure::Broken(format!("the transfer broke after {}: {error}", size(done)))
        };
        let read = reader.read(&mut buffer).map_err(broken)?;
        if read == 0 && done < part.bytes {
            let why = format!("the transfer ended after {} of {}", size(done), size(part.bytes));
            return Err(Failure::Broken(why));
        }
        if read == 0 {
            return Ok(());
        }
        file.write_all(&buffer[..read]).map_err(|error| Failure::Final(error.to_string()))?;
        done += read as u64;
        if done > part.bytes {
            return Err(Failure::Final(format!(
                "it is larger than the known file, which has {}",
                size(part.bytes)
            )));
        }
        report.progress(part.file, done, part.bytes);
    }
}
