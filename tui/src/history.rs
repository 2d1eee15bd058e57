//! The questions asked before, as a file: one a line, the newest last. Read and written beside the loop, and with it the
//! file of the searches that are saved under a name (`tui-saved`).

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc as jobs;
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use tui_saved::{SavedError, Search};

use crate::message::Message;

/// Questions that are kept.
pub(crate) const QUESTIONS_MAX: usize = 1_000;
/// Bytes of the file that are read, its end; the longest questions could be 32 MiB.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// How long the end of the program may wait for the last question to be written.
const LAST_MS_MAX: u64 = 300;
/// What waits to be written; people do not type that fast.
const WAITING_MAX: usize = 16;

/// The thread that has the files.
pub(crate) struct History {
    jobs: Option<jobs::SyncSender<Job>>,
    told: mpsc::Receiver<Message>,
}

/// Where they are; without one, what would be in it is forgotten with the screen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    pub(crate) questions: Option<PathBuf>,
    pub(crate) saved: Option<PathBuf>,
}

enum Job {
    Keep(String),
    Save(Search),
    Unsave(String),
}

impl History {
    /// Reads the files; what was in them comes as messages.
    pub(crate) fn open(files: Files) -> History {
        let (send, jobs) = jobs::sync_channel(WAITING_MAX);
        let (tell, told) = mpsc::channel(WAITING_MAX);
        // Not joined: a disk that hangs would keep the program from ending.
        let work = move || work(&files, &jobs, &tell);
        let works = thread::Builder::new().name("history".to_owned()).spawn(work).is_ok();
        History { jobs: works.then_some(send), told }
    }

    /// Adds a question to the file.
    pub(crate) fn keep(&self, question: String) {
        self.give(Job::Keep(question));
    }

    /// Saves a search under its name.
    pub(crate) fn save(&self, search: Search) {
        self.give(Job::Save(search));
    }

    /// Takes away the search of that name.
    pub(crate) fn unsave(&self, name: String) {
        self.give(Job::Unsave(name));
    }

    fn give(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // Full only if the disk hangs, which is no reason to wait.
            jobs.try_send(job).ok();
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
        self.jobs = None;
        let end = async { while self.told.recv().await.is_some() {} };
        timeout(Duration::from_millis(LAST_MS_MAX), end).await.ok();
    }
}

fn work(files: &Files, jobs: &jobs::Receiver<Job>, tell: &mpsc::Sender<Message>) {
    // Nobody listens once the program ends.
    let say = |message| {
        tell.try_send(message).ok();
    };
    let unkept = |path: &Path, error: io::Error| {
        Message::Unkept(format!("questions cannot be kept: {}: {error}", path.display()))
    };
    if let Some(path) = &files.questions {
        say(load(path).map_or_else(|error| unkept(path, error), Message::History));
    }
    if let Some(path) = &files.saved {
        say(saved(tui_saved::load(path)));
    }
    for job in jobs {
        match (job, &files.questions, &files.saved) {
            (Job::Keep(question), Some(path), _) => {
                if let Err(error) = add(path, &question) {
                    say(unkept(path, error));
                }
            }
            (Job::Save(Search { name, question }), _, Some(path)) => {
                say(saved(tui_saved::keep(path, &name, &question)));
            }
            (Job::Unsave(name), _, Some(path)) => say(saved(tui_saved::remove(path, &name))),
            (Job::Keep(_), None, _) | (Job::Save(_) | Job::Unsave(_), _, None) => {}
        }
    }
}

fn saved(all: Result<Vec<Search>, SavedError>) -> Message {
    all.map_or_else(|error| Message::Unkept(error.to_string()), Message::Saved)
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

/// Whether a text has all words of `pattern`, whatever their case.
pub(crate) fn matches(pattern: &str) -> impl Fn(&str) -> bool + use<> {
    let words: Vec<String> = pattern.split_whitespace().map(str::to_lowercase).collect();
    move |text| {
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word))
    }
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
