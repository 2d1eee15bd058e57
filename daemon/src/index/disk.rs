//! What the indexer asks of drives, none of which it waits for longer than is reasonable.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::stream::{self, StreamExt};

use super::Indexer;
use super::side::Side;
use crate::limits::WALKS_MAX;
use crate::patience::{Errand, Pulse, Silence};
use crate::prepare::{Outcome, Tools, prepare};
use crate::scan::{self, Reach, Scan, root_of};

impl Side {
    /// Reads the file `path`. None if that is not for now: the next look at its folder finds it again.
    /// Of one that was just `saved` sooner, where others need the machine.
    pub(super) async fn outcome(&self, path: &str, saved: bool) -> Option<Outcome> {
        let shared = &self.shared;
        let (engine, roots) = (self.engine(), shared.folders.roots());
        let root = root_of(&roots, Path::new(path))?.to_owned();
        let indexed = engine.catalogue.read().get(path).map(|known| known.stamp.hash.clone());
        let (convert, file) = (Arc::clone(&shared.converter), path.to_owned());
        let work = move |pulse: &Pulse| {
            let tools = Tools {
                tokens_max: engine.card.passage_tokens_max,
                counter: engine.counter.as_ref(),
                convert: convert.as_ref(),
                roots: &roots,
            };
            prepare(&file, indexed.as_deref(), tools, pulse)
        };
        let errand = if saved { Errand::ReadSaved } else { Errand::Read };
        match shared.patience.run(&root, Path::new(path), errand, work).await {
            Ok(outcome) => Some(outcome),
            Err(Silence::Left) => None,
            Err(silence) => {
                if shared.patience.hangs(&root) {
                    let reason = scan::kept(&Silence::Left.to_string());
                    shared.folders.set_unreadable(&root, Some(reason));
                }
                Some(Outcome::Unread { reason: silence.to_string() })
            }
        }
    }
}

impl Indexer {
    /// Walks as far as `reach` goes, each folder by itself: one that hangs is kept as it is, and keeps none
    /// of the others from being looked at.
    pub(super) async fn walk(&self, roots: &[PathBuf], reach: &Arc<Reach>) -> Scan {
        let errand = if matches!(**reach, Reach::All) { Errand::Trial } else { Errand::Look };
        let concerned = roots.iter().filter(|root| reach.concerns(root)).cloned();
        let walks: Vec<_> = concerned
            .map(|root| {
                let (reach, stop) = (Arc::clone(reach), self.stop.clone());
                let (shared, own) = (Arc::clone(&self.shared), [root.clone()]);
                let work = move |pulse: &Pulse| scan::walk(&own, &reach, &stop, pulse);
                async move {
                    let walked = shared.patience.run(&root, &root, errand, work).await;
                    (root, walked)
                }
            })
            .collect();
        let mut walks = stream::iter(walks).buffer_unordered(WALKS_MAX);
        let mut whole = Scan::default();
        while let Some((root, walked)) = walks.next().await {
            match walked {
                Ok(scan) => whole.merge(scan),
                Err(silence) => whole.keep(&root, &silence.to_string()),
            }
        }
        whole
    }

    /// Those of `paths` that are there, as far as their drives say.
    pub(super) async fn there(&self, paths: BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
        let roots = self.shared.folders.roots();
        let mut there = BTreeSet::new();
        for path in paths {
            let Some(root) = root_of(&roots, &path) else { continue };
            let looked = path.clone();
            let work = move |pulse: &Pulse| pulse.at(&looked).is_err() || looked.exists();
            if self.shared.patience.run(root, &path, Errand::Look, work).await.unwrap_or(true) {
                there.insert(path);
            }
        }
        there
    }
}
