//! A world of its own for each test: a directory, a running service, clients.

mod answer;
pub(super) mod bench;
mod converter;
mod drives;
mod machine;
mod mind;
mod recorder;
mod settings;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use daemon_protocol::client::Client;
use daemon_protocol::{Ask, Event, Failure, Folder, IndexStatus, Request, Stage};
use futures::future::BoxFuture;
use models::scripted::ScriptedMind;
use models::{Mind, MindError, ModelCard};
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(super) use answer::Answer;
use converter::TestConvert;
pub(super) use drives::TestDrives;
pub(super) use machine::TestMachine;
use mind::TestMind;
pub(crate) use recorder::{Record, Recorder};
pub(super) use settings::settings;

use crate::convert::Convert;
use crate::store::memory::MemoryStore;
use crate::store::{Pending, Store};
use crate::{Backend, Critical, Standing, run};

/// Only a broken test waits this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the mind does when asked.
#[derive(Default)]
pub(super) struct Script {
    pub(super) name: Mutex<Option<&'static str>>,
    pub(super) grounded: Mutex<bool>,
    /// Taken by the next mind that is loaded: it waits here before every token and takes a
    /// dropped sender for an open gate.
    pub(super) gate: Mutex<Option<mpsc::Receiver<()>>>,
    /// As `gate`, before every batch of passages; can be set at any time.
    pub(super) embed_gate: Mutex<Option<mpsc::Receiver<()>>>,
    /// Batches of passages that have come as far as `embed_gate`.
    pub(super) batches: watch::Sender<usize>,
    pub(super) fail_loading: Mutex<Option<&'static str>>,
    pub(super) fail_thinking: Mutex<Option<&'static str>>,
    pub(super) fail_queries: Mutex<Option<&'static str>>,
    pub(super) fail_reading: Mutex<Option<&'static str>>,
    pub(super) panic_thinking: Mutex<bool>,
    /// Passages that hold this word cannot be embedded.
    pub(super) poison: Mutex<Option<&'static str>>,
    /// What was done, in order: `think`, `query`, `passages` or `read`.
    pub(super) order: Mutex<Vec<&'static str>>,
    /// Passages embedded so far.
    pub(super) embedded: AtomicUsize,
    /// Thoughts begun so far.
    pub(super) thought: AtomicUsize,
    /// How often the mind was told to rest.
    pub(super) rests: watch::Sender<usize>,
    pub(super) stores: Mutex<HashMap<String, Arc<MemoryStore>>>,
    /// The model that served last.
    pub(super) served: Mutex<Option<String>>,
    pub(super) drives: Arc<TestDrives>,
    pub(super) machine: Arc<TestMachine>,
    /// Whether the service may write, of stores that it shares.
    pub(super) standing: Option<watch::Sender<Standing>>,
    /// How often it has let go of them.
    pub(super) let_go: AtomicUsize,
}

pub(super) struct Scripted(pub(super) Arc<Script>);

fn fail(reason: &Mutex<Option<&'static str>>) -> Result<(), MindError> {
    reason.lock().unwrap().map_or(Ok(()), |text| Err(MindError::Inference(text.to_owned())))
}

impl Backend for Scripted {
    fn load_mind(&self) -> Result<Box<dyn Mind>, MindError> {
        fail(&self.0.fail_loading)?;
        let mut inner = ScriptedMind::new(self.0.name.lock().unwrap().unwrap_or("first"))
            .grounded(*self.0.grounded.lock().unwrap());
        if let Some(gate) = self.0.gate.lock().unwrap().take() {
            inner = inner.gated(move || gate.recv().unwrap_or(()));
        }
        Ok(Box::new(TestMind { inner, script: Arc::clone(&self.0) }))
    }

    fn load_former(&self, card: &ModelCard) -> Option<Box<dyn Mind>> {
        let inner = ScriptedMind::new(self.0.served.lock().unwrap().as_ref()?);
        let is_other = inner.card().vectors != card.vectors;
        is_other.then(|| Box::new(TestMind { inner, script: Arc::clone(&self.0) }) as Box<dyn Mind>)
    }

    fn note_serving(&self, card: &ModelCard) {
        *self.0.served.lock().unwrap() = Some(card.name.clone());
    }

    fn converter(&self) -> Arc<dyn Convert> {
        Arc::new(TestConvert)
    }

    fn drives(&self) -> Arc<dyn crate::patience::Drives> {
        self.0.drives.clone()
    }

    fn machine(&self) -> Arc<dyn crate::manners::Machine> {
        self.0.machine.clone()
    }

    fn shares(&self) -> Option<watch::Receiver<Standing>> {
        self.0.standing.as_ref().map(watch::Sender::subscribe)
    }

    fn let_go(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.0.let_go.fetch_add(1, Ordering::SeqCst);
        })
    }

    fn open_store<'a>(&'a self, card: &'a ModelCard) -> Pending<'a, Arc<dyn Store>> {
        let mut stores = self.0.stores.lock().unwrap();
        let store: Arc<dyn Store> = stores.entry(card.vectors.clone()).or_default().clone();
        Box::pin(async { Ok(store) })
    }

    fn keep_stores(&self, keep: Vec<String>) -> Pending<'_, ()> {
        self.0.stores.lock().unwrap().retain(|vectors, _| keep.contains(vectors));
        Box::pin(async { Ok(()) })
    }
}

/// A service in a directory of its own.
pub(super) struct World {
    pub(super) notes: PathBuf,
    pub(super) script: Arc<Script>,
    dir: TempDir,
    starts: usize,
    shutdown: CancellationToken,
    service: JoinHandle<Result<(), Critical>>,
}

impl World {
    pub(super) async fn start() -> World {
        World::with(Arc::new(Script::default())).await
    }

    pub(super) async fn with(script: Arc<Script>) -> World {
        let dir = TempDir::new().unwrap();
        let real = dir.path().canonicalize().unwrap();
        let notes = real.join("notes");
        std::fs::create_dir(&notes).unwrap();
        let shutdown = CancellationToken::new();
        let service = spawn(dir.path(), 0, &script, &shutdown);
        World { notes, script, dir, starts: 0, shutdown, service }
    }

    /// A world that watches its notes, and a client.
    pub(super) async fn watching() -> (World, Talk) {
        let world = World::start().await;
        let mut talk = world.connect().await;
        talk.add(&world.notes).await.unwrap();
        talk.sync().await;
        (world, talk)
    }

    pub(super) fn socket(&self) -> PathBuf {
        socket(self.dir.path(), self.starts)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) async fn connect(&self) -> Talk {
        let client = within(Client::connect(&self.socket(), "test")).await.unwrap();
        Talk { client, last: 0 }
    }

    /// Writes a file below the notes, with the folders it is in.
    pub(super) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.notes.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Orders the end and waits for it.
    pub(super) async fn stop(self) -> Result<(), Critical> {
        self.shutdown.cancel();
        self.ended().await
    }

    /// Waits for the end.
    pub(super) async fn ended(self) -> Result<(), Critical> {
        within(self.service).await.unwrap()
    }

    /// Ends the service and starts another one on the same files and stores.
    pub(super) async fn restart(mut self) -> World {
        self.shutdown.cancel();
        within(self.service).await.unwrap().unwrap();
        self.shutdown = CancellationToken::new();
        self.starts += 1;
        self.service = spawn(self.dir.path(), self.starts, &self.script, &self.shutdown);
        self
    }
}

fn socket(dir: &Path, start: usize) -> PathBuf {
    dir.join(format!("socket{start}"))
}

fn spawn(
    dir: &Path,
    start: usize,
    script: &Arc<Script>,
    shutdown: &CancellationToken,
) -> JoinHandle<Result<(), Critical>> {
    let listener = UnixListener::bind(socket(dir, start)).unwrap();
    let backend = Arc::new(Scripted(Arc::clone(script)));
    let settings = settings(&dir.join("data"));
    tokio::spawn(run(listener, backend, settings, shutdown.clone().cancelled_owned()))
}

/// Fails the test rather than waiting for ever.
pub(super) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("an event that never came")
}

/// A client with the requests that tests make.
pub(super) struct Talk {
    pub(super) client: Client,
    last: u64,
}

pub(super) fn question(text: &str) -> Ask {
    Ask {
        id: 0,
        text: text.to_owned(),
        limit: 10,
        thoughts: None,
        read_ms: None,
        path: None,
        given: Vec::new(),
    }
}

impl Talk {
    pub(super) fn fresh_id(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub(super) async fn send(&mut self, request: Request) {
        within(self.client.sender.send(&request)).await.unwrap();
    }

    /// The next event that is not `indexing`.
    pub(super) async fn event(&mut self) -> Event {
        let next = async {
            loop {
                match self.client.receiver.next().await.unwrap().unwrap() {
                    Event::Indexing { .. } => {}
                    event => return event,
                }
            }
        };
        within(next).await
    }

    /// Waits until an `indexing` event shows what is wanted. Needs a subscription.
    pub(super) async fn until(&mut self, wanted: impl Fn(&IndexStatus) -> bool) -> IndexStatus {
        let next = async {
            loop {
                let event = self.client.receiver.next().await.unwrap().unwrap();
                if let Event::Indexing { status } = event
                    && wanted(&status)
                {
                    return status;
                }
            }
        };
        within(next).await
    }

    pub(super) async fn begin(&mut self, ask: Ask) -> u64 {
        let id = self.fresh_id();
        self.send(Request::Ask(Ask { id, ..ask })).await;
        id
    }

    pub(super) async fn ask(&mut self, ask: Ask) -> Result<Answer, Failure> {
        let id = self.begin(ask).await;
        self.answer(id).await
    }

    pub(super) async fn answer(&mut self, asked: u64) -> Result<Answer, Failure> {
        let mut answer = Answer::default();
        loop {
            let name = match self.event().await {
                Event::Hits { id, stage: Stage::Draft, hits } if id == asked => {
                    answer.draft = hits;
                    "draft"
                }
                Event::Hits { id, stage: Stage::Read, hits } if id == asked => {
                    answer.read.push(hits);
                    "read"
                }
                Event::Thought { id, delta, .. } if id == asked => {
                    answer.thought.push_str(&delta);
                    "thought"
                }
                Event::Hits { id, stage: Stage::Final, hits } if id == asked => {
                    answer.hits = hits;
                    "final"
                }
                Event::Done { id, timings } if id == asked => {
                    answer.timings = timings;
                    answer.order.push("done");
                    return Ok(answer);
                }
                Event::Failed { id, error } if id == asked => return Err(error),
                other => panic!("not an answer to {asked}: {other:?}"),
            };
            if answer.order.last() != Some(&name) {
                answer.order.push(name);
            }
        }
    }

    async fn folders(&mut self, request: Request) -> Result<Vec<Folder>, Failure> {
        self.send(request).await;
        match self.event().await {
            Event::Folders { folders, .. } => Ok(folders),
            Event::Failed { error, .. } => Err(error),
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn add(&mut self, path: &Path) -> Result<Vec<Folder>, Failure> {
        let id = self.fresh_id();
        self.folders(Request::Add { id, path: path.to_str().unwrap().to_owned() }).await
    }

    pub(super) async fn remove(&mut self, path: &Path) -> Result<Vec<Folder>, Failure> {
        let id = self.fresh_id();
        self.folders(Request::Remove { id, path: path.to_str().unwrap().to_owned() }).await
    }

    pub(super) async fn list(&mut self) -> Vec<Folder> {
        let id = self.fresh_id();
        self.folders(Request::List { id }).await.unwrap()
    }

    pub(super) async fn sync(&mut self) -> IndexStatus {
        self.sync_as(false).await
    }

    pub(super) async fn sync_as(&mut self, full: bool) -> IndexStatus {
        let asked = self.fresh_id();
        self.send(Request::Sync { id: asked, full }).await;
        match self.event().await {
            Event::Synced { id, status } if id == asked => status,
            other => panic!("{other:?}"),
        }
    }

    /// Names of the documents that a thought-free search for `text` finds, sorted.
    pub(super) async fn find(&mut self, text: &str) -> Vec<String> {
        let ask = Ask { thoughts: Some(0), limit: 100, ..question(text) };
        let answer = self.ask(ask).await.unwrap();
        let mut names: Vec<String> = answer
            .hits
            .iter()
            .filter(|hit| hit.ranks.text.is_some())
            .map(|hit| hit.path.rsplit('/').next().unwrap().to_owned())
            .collect();
        names.sort();
        names.dedup();
        names
    }
}
