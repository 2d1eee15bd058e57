//! Models and stores on real parts: the model file in use, or the peer of an evaluation, and
//! LanceDB.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fs, io};

use daemon::Standing;
use daemon::convert::Convert;
use daemon::convert::worker::Workers;
use daemon::store::{Pending, Store};
use daemon_lance::{LanceStore, SharedIndex};
use models::{Mind, MindError, ModelCard, UserError, files};
use models_candle::device::DeviceChoice;
use models_candle::teacher;
use serde::{Deserialize, Serialize};
use tokio::sync::{OnceCell, watch};
use tracing::{info, warn};

use crate::cli::Device;
use crate::commands::READ_FILES;
use crate::config::Config;

/// Opens what the configuration names.
pub(crate) struct RealBackend {
    config: Arc<Config>,
    index: Index,
    /// Another model file than the one in use.
    model: Option<PathBuf>,
    /// Whether the index is another process's to write.
    reads: bool,
    /// The files that were loaded, by the digest of their vectors.
    loaded: Mutex<BTreeMap<String, PathBuf>>,
}

/// Where the passages are.
enum Index {
    /// In a LanceDB directory.
    Here(PathBuf),
    /// On an object store, where this process has a part once a store was opened.
    Shared { uri: String, joined: OnceCell<SharedIndex> },
}

/// The model whose table answers, which is another than the one in use as long as that one's is filled.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Served {
    model: PathBuf,
    vectors: String,
}

impl RealBackend {
    /// The model in use on the user's own index.
    pub(crate) fn new(config: Arc<Config>) -> Self {
        let index = match &config.store {
            Some(uri) => Index::Shared { uri: uri.clone(), joined: OnceCell::new() },
            None => Index::Here(config.paths.index.clone()),
        };
        RealBackend { config, index, model: None, reads: false, loaded: Mutex::default() }
    }

    /// The same beside the daemon, whose index it is.
    pub(crate) fn reading(config: Arc<Config>) -> Self {
        RealBackend { reads: true, ..RealBackend::new(config) }
    }

    /// The model in use on another index.
    pub(crate) fn with_index(config: Arc<Config>, index: PathBuf) -> Self {
        let index = Index::Here(index);
        RealBackend { config, index, model: None, reads: false, loaded: Mutex::default() }
    }

    /// The model at `model` on an index of its own.
    pub(crate) fn with_model(config: Arc<Config>, model: PathBuf, index: PathBuf) -> Self {
        let index = Index::Here(index);
        RealBackend { config, index, model: Some(model), reads: false, loaded: Mutex::default() }
    }

    /// The model file in use, which is there.
    pub(crate) fn model_file(&self) -> Result<PathBuf, UserError> {
        let path = match &self.model {
            Some(model) => model.clone(),
            None => self.config.model_file()?,
        };
        if path.exists() {
            return Ok(path);
        }
        Err(if path == self.config.paths.default_model {
            UserError::new(format!("no model in {}", self.config.paths.models.display()))
                .hint("run: fore model pull")
        } else {
            UserError::new(format!("the chosen model {} is not there", path.display()))
                .hint("choose another (fore model use PATH) or the usual one (default)")
        })
    }

    fn load(&self, path: PathBuf) -> Result<Box<dyn Mind>, MindError> {
        let (beside, device) = (&self.config.paths.default_model, choice(self.config.device));
        let mind = models_candle::published::open_beside(&path, beside, device)?;
        let card = mind.card();
        info!(
            file = %path.display(),
            model = card.name,
            fingerprint = card.fingerprint,
            vectors = card.vectors,
            device = card.device,
            "model loaded"
        );
        self.loaded().insert(card.vectors.clone(), path);
        Ok(mind)
    }

    /// The shared index, once this process has a part in it.
    fn shared(&self) -> Option<&SharedIndex> {
        match &self.index {
            Index::Here(_) => None,
            Index::Shared { joined, .. } => joined.get(),
        }
    }

    fn loaded(&self) -> MutexGuard<'_, BTreeMap<String, PathBuf>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What served last; nothing where that is not known any more.
    fn served(&self) -> Option<Served> {
        serde_json::from_slice(&fs::read(&self.config.paths.served).ok()?).ok()
    }
}

impl daemon::Backend for RealBackend {
    fn load_mind(&self) -> Result<Box<dyn Mind>, MindError> {
        self.load(self.model_file().map_err(|error| MindError::Model(error.to_string()))?)
    }

    fn load_former(&self, card: &ModelCard) -> Option<Box<dyn Mind>> {
        let served = self.served().filter(|served| served.vectors != card.vectors)?;
        match self.load(served.model.clone()) {
            Ok(mind) if mind.card().vectors == served.vectors => Some(mind),
            Ok(_) => {
                warn!(file = %served.model.display(), "the model that served is another by now");
                None
            }
            Err(error) => {
                warn!(%error, file = %served.model.display(), "the model that served is gone");
                None
            }
        }
    }

    fn note_serving(&self, card: &ModelCard) {
        let Some(model) = self.loaded().get(&card.vectors).cloned() else { return };
        let served = Served { model, vectors: card.vectors.clone() };
        if self.served().as_ref() == Some(&served) {
            return;
        }
        let written = serde_json::to_vec(&served).map_err(io::Error::from);
        let written = written.and_then(|text| files::replace(&self.config.paths.served, &text));
        if let Err(error) = written {
            // Then a start in the middle of a switch answers from a table that is not full.
            warn!(%error, file = %self.config.paths.served.display(), "not written");
        }
    }

    fn open_store<'a>(&'a self, card: &'a ModelCard) -> Pending<'a, Arc<dyn Store>> {
        let (vectors, width) = (&card.vectors, card.width);
        Box::pin(async move {
            let store = match &self.index {
                Index::Here(path) if self.reads => {
                    LanceStore::open_to_read(path, vectors, width).await?
                }
                Index::Here(path) => LanceStore::open(path, vectors, width).await?,
                Index::Shared { uri, .. } if self.reads => {
                    SharedIndex::open_to_read(uri, vectors, width).await?
                }
                Index::Shared { uri, joined } => {
                    let join = || async { SharedIndex::join(uri, &this_process()).await };
                    joined.get_or_try_init(join).await?.open(vectors, width).await?
                }
            };
            Ok(Arc::new(store) as Arc<dyn Store>)
        })
    }

    fn shares(&self) -> Option<watch::Receiver<Standing>> {
        self.shared().map(SharedIndex::standing)
    }

    fn let_go(&self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            if let Some(shared) = self.shared() {
                shared.let_go().await;
            }
        })
    }

    fn converter(&self) -> Arc<dyn Convert> {
        Arc::new(readers())
    }

    fn keep_stores(&self, keep: Vec<String>) -> Pending<'_, ()> {
        Box::pin(async move {
            match &self.index {
                Index::Here(path) => LanceStore::drop_others(path, keep).await,
                Index::Shared { joined, .. } => match joined.get() {
                    Some(shared) => shared.drop_others(keep).await,
                    None => Ok(()),
                },
            }
        })
    }
}

/// The encoder that evaluations compare ours with.
pub(crate) struct PeerBackend {
    /// Where its files are.
    pub(crate) folder: PathBuf,
    /// The LanceDB directory, which may be that of our own model: tables are apart.
    pub(crate) index: PathBuf,
}

impl daemon::Backend for PeerBackend {
    fn load_mind(&self) -> Result<Box<dyn Mind>, MindError> {
        teacher::open_peer(&self.folder)
    }

    fn open_store<'a>(&'a self, card: &'a ModelCard) -> Pending<'a, Arc<dyn Store>> {
        Box::pin(async move {
            let store = LanceStore::open(&self.index, &card.vectors, card.width).await?;
            Ok(Arc::new(store) as Arc<dyn Store>)
        })
    }

    fn converter(&self) -> Arc<dyn Convert> {
        Arc::new(readers())
    }
}

/// What reads files that are no text: this program once more, as `fore read-files`.
pub(crate) fn readers() -> Workers {
    Workers::new(own_program(), vec![READ_FILES.to_owned()])
}

/// This program, to be run once more.
pub(crate) fn own_program() -> PathBuf {
    // Where the program is replaced by a newer one while it runs, this is still the one that runs.
    let running = Path::new("/proc/self/exe");
    let program = if running.exists() { Ok(running.to_owned()) } else { std::env::current_exe() };
    program.unwrap_or_else(|_| "fore".into())
}

/// What other machines are told of who writes a shared index.
fn this_process() -> String {
    let host = std::process::Command::new("uname").arg("-n").output();
    let host = host.map(|told| String::from_utf8_lossy(&told.stdout).trim().to_owned());
    let host = host.ok().filter(|host| !host.is_empty()).unwrap_or_else(|| "a machine".to_owned());
    format!("{host} (pid {})", std::process::id())
}

/// What the settings call a device, as the models do.
pub(crate) fn choice(device: Device) -> DeviceChoice {
    match device {
        Device::Auto => DeviceChoice::Auto,
        Device::Cpu => DeviceChoice::Cpu,
        Device::Cuda => DeviceChoice::Cuda,
        Device::Metal => DeviceChoice::Metal,
    }
}
