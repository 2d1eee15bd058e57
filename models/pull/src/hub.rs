//! Files from a Hugging Face hub, over HTTP with resumption.
//!
//! A download grows in `FILE.part`. The next attempt asks for the rest by `Range`; a server that
//! ignores it sends the whole, which is then written from the start.

use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tui_text::bytes as size;
use ureq::{Agent, Response};

use crate::{Bundle, Part, Report, Sources, accept};

/// A broken transfer is taken up again this many times while it makes headway.
const RETRIES_MAX: usize = 5;
/// Bytes between two reports of progress, and read at a time.
const CHUNK: usize = 1 << 16;

/// Downloads `parts` into `folder`.
///
/// # Errors
/// Why not, in one line.
pub(super) fn fetch(
    endpoint: &str,
    bundle: &Bundle<'_>,
    parts: &[Part<'_>],
    folder: &Path,
    sources: &Sources,
    report: &mut dyn Report,
) -> Result<(), String> {
    let agent = agent(sources);
    for part in parts {
        let url = address(endpoint, bundle.hub_repo, bundle.hub_revision, part.file);
        download(&agent, &url, part, folder, report)?;
    }
    Ok(())
}

/// Bytes of a file, asked for without fetching it.
///
/// # Errors
/// Why not, in one line.
pub(super) fn measure(
    endpoint: &str,
    repo: &str,
    revision: &str,
    file: &str,
    sources: &Sources,
) -> Result<u64, String> {
    let url = address(endpoint, repo, revision, file);
    // Compressed on the way, it would be of another length.
    let request = agent(sources).head(&url).set("Accept-Encoding", "identity");
    let response = request.call().map_err(|error| match refusal(error) {
        Failure::Final(why) | Failure::Broken(why) => why,
    })?;
    let length = response.header("Content-Length").and_then(|text| text.parse().ok());
    length.ok_or_else(|| "it does not say how large the file is".to_owned())
}

fn agent(sources: &Sources) -> Agent {
    let patience = sources.resolve;
    ureq::AgentBuilder::new()
        .resolver(move |name: &str| resolve(name, patience))
        .timeout_connect(sources.connect)
        .timeout_read(sources.silence)
        .try_proxy_from_env(true)
        .user_agent(concat!("forethought/", env!("CARGO_PKG_VERSION")))
        .build()
}

fn address(endpoint: &str, repo: &str, revision: &str, file: &str) -> String {
    format!("{}/{repo}/resolve/{revision}/{file}", endpoint.trim_end_matches('/'))
}

/// The system's resolver may take half a minute where there is no network, and knows no timeout.
fn resolve(name: &str, patience: Duration) -> io::Result<Vec<SocketAddr>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let owned = name.to_owned();
    thread::Builder::new().name("resolve".to_owned()).spawn(move || {
        let found = owned.to_socket_addrs().map(Iterator::collect);
        // Nobody listens any more if it took too long.
        sender.send(found).ok();
    })?;
    receiver.recv_timeout(patience).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Downloads one file. If it does not verify and began with what an earlier run left, that may be
/// what is wrong, so it is downloaded once more from the start.
fn download(
    agent: &Agent,
    url: &str,
    part: &Part<'_>,
    folder: &Path,
    report: &mut dyn Report,
) -> Result<(), String> {
    let partial = folder.join(format!("{}.part", part.file));
    let resumed = length(&partial) > 0;
    grow(agent, url, part, &partial, report)?;
    match accept(&partial, part, folder) {
        Err(why) if resumed => {
            report.note(&format!("{why}; starting over"));
            grow(agent, url, part, &partial, report)?;
            accept(&partial, part, folder)
        }
        other => other,
    }
}

/// Brings `partial` to its full length, over several connections if they break.
fn grow(
    agent: &Agent,
    url: &str,
    part: &Part<'_>,
    partial: &Path,
    report: &mut dyn Report,
) -> Result<(), String> {
    let mut retries = 0;
    loop {
        let had = length(partial);
        if had == part.bytes {
            return Ok(());
        }
        if had > part.bytes {
            // Of another file, or spoilt: nothing in it can be trusted.
            fs::remove_file(partial).map_err(|error| error.to_string())?;
            continue;
        }
        if had > 0 {
            report.note(&format!("going on after {} of {}", size(had), size(part.bytes)));
        }
        match attempt(agent, url, part, had, partial, report) {
            Ok(()) => {}
            Err(Failure::Final(why)) => return Err(why),
            Err(Failure::Broken(why)) => {
                retries += 1;
                if length(partial) <= had || retries > RETRIES_MAX {
                    return Err(format!("{why}; the next pull goes on from there"));
                }
            }
        }
    }
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |stat| stat.len())
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
    let resumes = resumes_at(&response, had, part)?;
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

/// Whether the answer starts after `had` bytes; otherwise it starts at the first. An answer that
/// cannot be the known file is refused before it is read.
fn resumes_at(response: &Response, had: u64, part: &Part<'_>) -> Result<bool, Failure> {
    match response.status() {
        206 if had > 0 => {
            let range = response.header("Content-Range").unwrap_or_default();
            if range == format!("bytes {had}-{}/{}", part.bytes - 1, part.bytes) {
                Ok(true)
            } else {
                Err(Failure::Final(format!("asked for the bytes from {had}, it sent {range:?}")))
            }
        }
        200 => {
            let length =
                response.header("Content-Length").and_then(|text| text.parse::<u64>().ok());
            match length {
                Some(length) if length != part.bytes => Err(Failure::Final(format!(
                    "its {} has {length} bytes, and the known file has {}",
                    part.file, part.bytes
                ))),
                _ => Ok(false),
            }
        }
        other => Err(Failure::Final(format!("unexpected HTTP status {other}"))),
    }
}

fn refusal(error: ureq::Error) -> Failure {
    match error {
        ureq::Error::Status(status, response) => {
            Failure::Final(format!("HTTP status {status} {}", response.status_text()))
        }
        ureq::Error::Transport(transport) => {
            // Its own text repeats the address, which every caller names already.
            let cause = transport.source().map(|cause| format!(": {cause}"));
            Failure::Final(format!("{}{}", transport.kind(), cause.unwrap_or_default()))
        }
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
