//! The questions asked before, as a file: one a line, the newest last. Read and written beside the loop.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc as jobs;
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::message::Message;

/// Questions that are kept.
pub(crate) const QUESTIONS_MAX: usize = 1_000;
/// Bytes of the file that are read, its end; the longest questions could be 32 MiB.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// How long the end of the program may wait for the last question to be written.
const LAST_MS_MAX: u64 = 300;
/// Questions that wait to be written; people do not type that fast.
const WAITING_MAX: usize = 16;

/// The thread that has the file, if there is one.
pub(crate) struct History {
    keep: Option<jobs::SyncSender<String>>,
    told: mpsc::Receiver<Message>,
}

impl History {
    /// Reads the file; what was in it comes as a message.
    pub(crate) fn open(path: Option<PathBuf>) -> History {
        let (keep, questions) = jobs::sync_channel(WAITING_MAX);
        let (tell, told) = mpsc::channel(WAITING_MAX);
        let work = path.map(|path| move || work(&path, &questions, &tell));
        // Not joined: a disk that hangs would keep the program from ending.
        let works = work.is_some_and(|work| {
            thread::Builder::new().name("history".to_owned()).spawn(work).is_ok()
        });
        History { keep: works.then_some(keep), told }
    }

    /// Adds a question to the file.
    pub(crate) fn keep(&self, question: String) {
        if let Some(keep) = &self.keep {
            // Full only if the disk hangs, which is no reason to wait.
            keep.try_send(question).ok();
        }
    }

    /// What was in the file, or why a question could not be kept. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Message {
        match self.told.recv().await {
            Some(message) => message,
            None => std::future::pending().await,
        }
    }

    /// Waits until all is written, but not for ever.
    pub(crate) async fn close(mut self) {
        self.keep = None;
        let end = async { while self.told.recv().await.is_some() {} };
        timeout(Duration::from_millis(LAST_MS_MAX), end).await.ok();
    }
}

fn work(path: &Path, questions: &jobs::Receiver<String>, tell: &mpsc::Sender<Message>) {
    let unkept = |error: io::Error| Message::Unkept(format!("{}: {error}", path.display()));
    let said = match load(path) {
        Ok(questions) => Message::History(questions),
        Err(error) => unkept(error),
    };
    // Nobody listens once the program ends.
    tell.try_send(said).ok();
    for question in questions {
        if let Err(error) = add(path, &question) {
            tell.try_send(unkept(error)).ok();
        }
    }
}

/// The newest questions of the file, each once, the newest last; none if there is no file. One that has
/// grown too long is written anew.
pub(crate) fn load(path: &Path) -> io::Result<Vec<String>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    let length = file.metadata()?.len();
    io::Seek::seek(&mut file, io::SeekFrom::Start(length.saturating_sub(FILE_BYTES_MAX)))?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // A file that is read from within begins with half a line.
    let lines = text.lines().skip(usize::from(length > FILE_BYTES_MAX));
    let mut questions = Vec::new();
    let mut count = 0;
    for line in lines.filter(|line| !line.trim().is_empty()) {
        push(&mut questions, line.to_owned());
        count += 1;
    }
    // Twice as much as is kept, so that not every start writes.
    if length > FILE_BYTES_MAX || count > 2 * QUESTIONS_MAX {
        rewrite(path, &questions)?;
    }
    Ok(questions)
}

/// Adds a question as the newest; it is there once.
pub(crate) fn push(questions: &mut Vec<String>, question: String) {
    questions.retain(|other| *other != question);
    questions.push(question);
    let over = questions.len().saturating_sub(QUESTIONS_MAX);
    questions.drain(..over);
}

/// Those with all words of `pattern`, whatever their case, the newest first.
pub(crate) fn matches<'a>(
    questions: &'a [String],
    pattern: &str,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let words: Vec<String> = pattern.split_whitespace().map(str::to_lowercase).collect();
    questions.iter().rev().map(String::as_str).filter(move |question| {
        let question = question.to_lowercase();
        words.iter().all(|word| question.contains(word))
    })
}

/// In one write, so that two programs do not write into each other's lines.
pub(crate) fn add(path: &Path, question: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    file.write_all(format!("{question}\n").as_bytes())
}

/// Beside it and then in its place, so that a crash leaves the one or the other.
fn rewrite(path: &Path, questions: &[String]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file =
        OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all((questions.join("\n") + "\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(fresh, path)
}
