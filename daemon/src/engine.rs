//! One model's generation: the mind, the store of its vectors, and what that store holds.
//!
//! Vectors of two models never meet, because a query takes one engine and keeps it to the end.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use models::{ModelCard, TokenCounter};

use crate::Critical;
use crate::extract::extension;
use crate::mind::{Loaded, MindHandle};
use crate::reading::Pace;
use crate::store::{Known, Store};

/// See the module.
pub struct Engine {
    pub mind: MindHandle,
    pub card: ModelCard,
    pub counter: Arc<dyn TokenCounter>,
    pub store: Arc<dyn Store>,
    pub catalogue: Arc<Catalogue>,
    pub pace: Pace,
}

impl Engine {
    /// A generation on a freshly opened store.
    pub async fn open(loaded: Loaded, store: Arc<dyn Store>) -> Result<Engine, Critical> {
        let catalogue = Arc::new(Catalogue(RwLock::new(store.known().await?)));
        Ok(Engine::with(loaded, store, catalogue))
    }

    /// A new mind of the same vectors on the store that is open already.
    pub fn with(loaded: Loaded, store: Arc<dyn Store>, catalogue: Arc<Catalogue>) -> Engine {
        let Loaded { card, counter, handle } = loaded;
        Engine { mind: handle, card, counter, store, catalogue, pace: Pace::default() }
    }
}

/// What the store holds, by path. Only the indexer changes it, after each commit.
pub struct Catalogue(RwLock<BTreeMap<String, Known>>);

impl Catalogue {
    pub fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Known>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Known>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Documents and passages at or below `root`.
    pub fn count_below(&self, root: &Path) -> (usize, usize) {
        let known = self.read();
        let root = root.to_string_lossy();
        at_or_below(&known, &root).fold((0, 0), |(documents, passages), (_, known)| {
            (documents + 1, passages + known.passages)
        })
    }

    /// Documents by the ending of their names.
    pub fn kinds(&self) -> BTreeMap<String, usize> {
        let mut kinds = BTreeMap::new();
        for path in self.read().keys() {
            *kinds.entry(extension(Path::new(path))).or_default() += 1;
        }
        kinds
    }

    /// Documents and passages in all.
    pub fn count(&self) -> (usize, usize) {
        let known = self.read();
        (known.len(), known.values().map(|known| known.passages).sum())
    }
}

/// Entries whose path is `root` or lies below it.
pub fn at_or_below<'a, T>(
    known: &'a BTreeMap<String, T>,
    root: &str,
) -> impl Iterator<Item = (&'a String, &'a T)> {
    let below = format!("{}/", root.trim_end_matches('/'));
    let start = below.clone();
    known.get_key_value(root).into_iter().chain(
        known
            .range::<str, _>((Bound::Included(start.as_str()), Bound::Unbounded))
            .take_while(move |(path, _)| path.starts_with(&below)),
    )
}
