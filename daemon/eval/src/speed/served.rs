//! The whole service, with a client on its socket.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use daemon::convert::Convert;
use daemon::store::{Pending, Store};
use daemon::{Backend, Critical, Manners, Settings};
use daemon_protocol::client::Client;
use daemon_protocol::{Ask, Event, Hit, Request};
use models::{Mind, MindError, ModelCard, Sampling};
use tokio::net::UnixListener;
use tokio::sync::oneshot;

use super::{Amount, text};
use crate::{EvalError, OnProgress};

/// Between two looks for a saved file, as for a person who types.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// A saved file that is not found after this never will be.
const FOUND_MAX: Duration = Duration::from_secs(120);
/// Words of a file: one to three passages.
const FILE_WORDS: [usize; 3] = [60, 180, 400];

pub(super) struct Served {
    pub(super) passages: usize,
    pub(super) index_s: f64,
    /// Milliseconds each.
    pub(super) searches: Vec<f64>,
    pub(super) saves: Vec<f64>,
}

/// The parts of another backend, which hears nothing of which model serves here, and whose user's stores stay.
struct Apart(Arc<dyn Backend>);

impl Backend for Apart {
    fn load_mind(&self) -> Result<Box<dyn Mind>, MindError> {
        self.0.load_mind()
    }

    fn open_store<'a>(&'a self, card: &'a ModelCard) -> Pending<'a, Arc<dyn Store>> {
        self.0.open_store(card)
    }

    fn converter(&self) -> Arc<dyn Convert> {
        self.0.converter()
    }
}

/// Runs the service below `folder`, measures it and ends it.
pub(super) async fn measure(
    backend: Arc<dyn Backend>,
    folder: &Path,
    amount: Amount,
    progress: &mut OnProgress<'_>,
) -> Result<Served, EvalError> {
    // A watched folder is known by its real path.
    let folder =
        fs::canonicalize(folder).map_err(|error| failed("a folder to measure in", &error))?;
    let notes = folder.join("notes");
    write_all(&notes, amount.files).map_err(|error| failed("writing files to measure", &error))?;
    let socket = folder.join("socket");
    let listener =
        UnixListener::bind(&socket).map_err(|error| failed("listening to measure", &error))?;
    let (end, ended) = oneshot::channel::<()>();
    let shutdown = async move { drop(ended.await) };
    let service = daemon::run(listener, Arc::new(Apart(backend)), settings(&folder), shutdown);
    let service = tokio::spawn(service);
    let measured = asked(&socket, &notes, amount, progress).await;
    drop(end);
    let stopped = service.await.unwrap_or(Err(Critical::Panicked("measured service")));
    let measured = measured?;
    stopped?;
    Ok(measured)
}

fn settings(folder: &Path) -> Settings {
    let data = folder.join("data");
    Settings {
        folders_file: data.join("folders.json"),
        refused_file: data.join("refused.json"),
        marks_file: data.join("marks.json"),
        paused_file: data.join("paused.json"),
        touched_file: data.join("touched.json"),
        training_file: data.join("training.json"),
        // What waits for others is not measured.
        manners: Manners::NONE,
        sampling: Sampling::default(),
        grounded: None,
        reading_time: Duration::ZERO,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        rescan_every: Duration::from_secs(3600),
        unload_after: None,
    }
}

fn write_all(notes: &Path, files: usize) -> io::Result<()> {
    fs::create_dir(notes)?;
    for number in 0..files {
        let words = FILE_WORDS[number % FILE_WORDS.len()];
        let content = format!("# Note {number}\n\n{}\n", text(number, words));
        fs::write(notes.join(format!("note{number}.md")), content)?;
    }
    Ok(())
}

async fn asked(
    socket: &Path,
    notes: &Path,
    amount: Amount,
    progress: &mut OnProgress<'_>,
) -> Result<Served, EvalError> {
    let client = Client::connect(socket, env!("CARGO_PKG_VERSION")).await;
    let mut talk = Talk { client: client.map_err(|error| lost(&error))?, last: 0 };
    let begun = Instant::now();
    let path = notes.to_string_lossy().into_owned();
    talk.told(|id| Request::Add { id, path: path.clone() }, progress).await?;
    let last = talk.told(|id| Request::Sync { id, full: false }, progress).await?;
    let index_s = begun.elapsed().as_secs_f64();
    let Event::Synced { status, .. } = last else { return Err(unexpected(&last)) };
    let mut searches = Vec::new();
    for number in 0..amount.searches {
        progress("searching", number, amount.searches);
        let begun = Instant::now();
        talk.search(&text(number + 1, 4)).await?;
        searches.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    let mut saves = Vec::new();
    for number in 0..amount.saves {
        progress("saving", number, amount.saves);
        saves.push(talk.save(notes, number).await?);
    }
    Ok(Served { passages: status.passages, index_s, searches, saves })
}

/// A client, and the id that it used last.
struct Talk {
    client: Client,
    last: u64,
}

impl Talk {
    /// Sends what `make` makes of a fresh id; the last event that answers it.
    async fn told(
        &mut self,
        make: impl FnOnce(u64) -> Request,
        progress: &mut OnProgress<'_>,
    ) -> Result<Event, EvalError> {
        self.last += 1;
        let asked = self.last;
        self.client.sender.send(&make(asked)).await.map_err(|error| lost(&error))?;
        loop {
            match self.next().await? {
                Event::Indexing { status } => {
                    progress("indexing", status.round_done, status.round_total);
                }
                Event::Failed { id, error } if id == asked => {
                    return Err(EvalError::Service(error.message));
                }
                event @ (Event::Folders { id, .. } | Event::Synced { id, .. }) if id == asked => {
                    return Ok(event);
                }
                _ => {}
            }
        }
    }

    async fn next(&mut self) -> Result<Event, EvalError> {
        let event = self.client.receiver.next().await.map_err(|error| lost(&error))?;
        event.ok_or_else(|| EvalError::Service("the service has ended".to_owned()))
    }

    /// The hits for `text`, without thought or reading.
    async fn search(&mut self, text: &str) -> Result<Vec<Hit>, EvalError> {
        self.last += 1;
        let ask = Ask {
            id: self.last,
            text: text.to_owned(),
            limit: 10,
            given: Vec::new(),
            thoughts: Some(0),
            read_ms: Some(0),
            path: None,
        };
        self.client.sender.send(&Request::Ask(ask)).await.map_err(|error| lost(&error))?;
        let mut found = Vec::new();
        loop {
            match self.next().await? {
                Event::Hits { id, hits, .. } if id == self.last => found = hits,
                Event::Done { id, .. } if id == self.last => return Ok(found),
                Event::Failed { id, error } if id == self.last => {
                    return Err(EvalError::Service(error.message));
                }
                _ => {}
            }
        }
    }

    /// Saves a file with a word of its own and asks for that until it is found; milliseconds.
    async fn save(&mut self, notes: &Path, number: usize) -> Result<f64, EvalError> {
        // Every second time the file is there already.
        let path: PathBuf = notes.join(format!("saved{}.md", number / 2));
        let word = format!("quartz{number}x");
        let content = format!("# Saved\n\nThe {} is called {word} now.\n", text(number, 1));
        fs::write(&path, content).map_err(|error| failed("saving a file to measure", &error))?;
        let begun = Instant::now();
        let path = path.to_string_lossy();
        loop {
            let hits = self.search(&word).await?;
            if hits.iter().any(|hit| hit.path == path && hit.ranks.text.is_some()) {
                return Ok(begun.elapsed().as_secs_f64() * 1_000.0);
            }
            if begun.elapsed() > FOUND_MAX {
                return Err(EvalError::Service(format!("{path}, which was saved, is not found")));
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

fn failed(doing: &str, error: &io::Error) -> EvalError {
    EvalError::Service(format!("{doing}: {error}"))
}

fn lost(error: &daemon_protocol::client::ClientError) -> EvalError {
    EvalError::Service(error.to_string())
}

fn unexpected(event: &Event) -> EvalError {
    EvalError::Service(format!("the service answered something else: {event:?}"))
}
