//! Orders -> a look at the disk -> what is removed and what is queued.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use daemon_protocol::Phase;

use super::queue::Suspect;
use super::refusal::Again;
use super::side::Side;
use super::{Indexer, blocking};
use crate::mailbox::Orders;
use crate::scan::{Reach, Scan, Seen};
use crate::store::Known;

impl Indexer {
    /// Looks at the disk as far as the orders say, removes what is gone and queues what differs.
    pub(super) async fn plan(&mut self, orders: Orders) {
        // What is embedded must be known before it is compared, or it would be embedded twice.
        for side in self.sides_mut() {
            if orders.rescan.is_some() {
                side.storing.retry();
            }
            side.commit().await;
        }
        if let Some(engine) = orders.adopt {
            self.adopt(engine);
        }
        self.waiters.extend(orders.waiters);
        self.publish(Phase::Scanning);
        let now = tokio::time::Instant::now();
        let there = self.there(self.resting.asleep(&orders.changed, now)).await;
        let changed = self.resting.awake(orders.changed, now, &|path| there.contains(path));
        if !changed.is_empty() {
            let named: Vec<String> =
                changed.iter().filter_map(|path| path.to_str().map(str::to_owned)).collect();
            self.look(Reach::of_changes(changed), Suspicion::Named(&named)).await;
        }
        if let Some(cause) = orders.rescan {
            tracing::debug!(?cause, "rescan");
            if orders.full {
                self.shared.converter.forget();
            }
            let suspicion = if orders.full { Suspicion::All } else { Suspicion::Named(&[]) };
            self.look(Reach::All, suspicion).await;
        }
        if self.sides().any(Side::is_busy) {
            self.publish(Phase::Encoding);
        }
    }

    async fn look(&mut self, reach: Reach, suspicion: Suspicion<'_>) {
        let roots = self.shared.folders.roots();
        let reach = Arc::new(reach);
        let mut scan = tokio::select! {
            biased;
            () = self.stop.cancelled() => return,
            scan = self.walk(&roots, &reach) => scan,
        };
        self.shared.walked.put(&mut scan, &reach);
        self.recognise(&mut scan).await;
        self.note_troubles(&roots, &reach, &scan);
        for side in self.sides_mut() {
            side.forget(&scan, &reach).await;
            side.note_troubles(&roots, &scan);
            side.enqueue(&scan, &reach, suspicion);
        }
        if matches!(*reach, Reach::All) {
            let mut left_out = self.shared.left_out.lock().unwrap_or_else(PoisonError::into_inner);
            *left_out = std::mem::take(&mut scan.left_out);
        }
    }

    /// An empty folder in the place of one that had documents is what is left of a drive that is
    /// not mounted: that is no reason to embed all of it again. Whoever empties a folder leaves
    /// the folder itself, as a rule; whoever puts another in its place puts something in it.
    async fn recognise(&self, scan: &mut Scan) {
        let engine = self.shared.generations.serving();
        let (empty, full): (Vec<_>, Vec<_>) =
            scan.roots.clone().into_iter().partition(|(_, root)| root.is_empty);
        for (path, root) in empty {
            let had_documents = engine.catalogue.count_below(&path).0 > 0;
            if had_documents && self.shared.folders.is_another(&path, root.identity) {
                scan.keep(&path, "is empty and not the folder that was indexed (is it mounted? else: fore remove)");
            }
        }
        let identities = full.into_iter().map(|(path, root)| (path, root.identity)).collect();
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.folders.remember(identities)).await;
    }

    /// Keeps the folders' own troubles with the folders.
    fn note_troubles(&self, roots: &[PathBuf], reach: &Reach, scan: &Scan) {
        for root in roots {
            let trouble = root.to_str().and_then(|root| scan.unreadable.get(root));
            if trouble.is_some() || matches!(reach, Reach::All) {
                self.shared.folders.set_unreadable(root, trouble.cloned());
            }
        }
        for (root, passed_over) in &scan.passed_over {
            self.shared.folders.set_nothing(root, passed_over.told());
        }
    }
}

/// Which of the files that are there may differ from what is indexed.
#[derive(Clone, Copy)]
enum Suspicion<'a> {
    /// These, and those whose size or time is another.
    Named(&'a [String]),
    All,
}

impl Side {
    /// Keeps what could not be looked at below the folders as refusals.
    fn note_troubles(&mut self, roots: &[PathBuf], scan: &Scan) {
        for (path, reason) in &scan.unreadable {
            if !roots.iter().any(|root| root == Path::new(path)) {
                self.refuse(path.clone(), None, reason.clone());
            }
        }
        for path in &scan.unnamed {
            self.refuse(path.clone(), None, "its name is not UTF-8: rename it".to_owned());
        }
    }

    /// Removes what is indexed and no longer on disk, but for what seems to have moved.
    async fn forget(&mut self, scan: &Scan, reach: &Reach) {
        for path in scan.gone(&self.refused, reach) {
            self.refused.remove(&path);
        }
        let paths = self.works.iter().flat_map(|work| work.paths());
        let embedding: BTreeMap<String, ()> =
            paths.chain(self.group.paths()).map(|path| (path, ())).collect();
        for path in scan.gone(&embedding, reach) {
            self.abandon(&path);
        }
        let engine = self.engine();
        let gone: Vec<String> = {
            let known = engine.catalogue.read();
            let gone = self.own(scan.gone(&known, reach));
            // What was found to have moved is gone with the commit of where it is now.
            let moving = self.works.iter().flat_map(|work| work.moved_from());
            let moving: BTreeSet<&String> = moving.chain(self.group.moved_from()).collect();
            let gone = gone.into_iter().filter(|path| !moving.contains(path));
            let gone =
                gone.filter_map(|path| Some((path.clone(), known.get(&path)?.stamp.clone())));
            let gone: Vec<_> = gone.collect();
            // What is not read for this look is no place where anything could be found to be.
            let fresh =
                scan.differing(&known).filter(|(path, seen)| self.is_to_be_read(path, *seen));
            let fresh: Vec<(&String, Seen)> =
                if gone.is_empty() { Vec::new() } else { fresh.collect() };
            self.moves.pair(gone, fresh.into_iter())
        };
        self.remove(gone).await;
    }

    /// Those of `paths` that are this machine's to forget: of an index that others write too, what lies below a folder
    /// that is watched, or was until just now.
    fn own(&self, mut paths: Vec<String>) -> Vec<String> {
        if self.shared.sharing.is_shared() {
            let tended = self.shared.folders.tended();
            paths.retain(|path| tended.iter().any(|root| Path::new(path).starts_with(root)));
        }
        paths
    }

    /// Whether a file that differs from what is indexed is not in work as it is, nor refused for what it holds.
    fn is_to_be_read(&self, path: &str, seen: Seen) -> bool {
        let is_refused =
            self.refused.get(path).is_some_and(|refusal| refusal.again == Again::Changed(seen));
        !is_refused
            && !self.works.iter().any(|work| work.holds(path, seen))
            && !self.group.holds(path, seen)
    }

    /// Files that could not be read for a reason that may have passed, although nothing of them differs
    /// from what is indexed perhaps.
    fn unread<'a>(&'a self, scan: &'a Scan) -> impl Iterator<Item = (&'a String, Seen)> {
        let passing = self.refused.iter().filter(|(_, refusal)| refusal.again == Again::Passed);
        passing.filter_map(|(path, _)| Some((path, *scan.files.get(path)?)))
    }

    /// Queues what differs; named files first, since someone has just saved them.
    fn enqueue(&mut self, scan: &Scan, reach: &Reach, suspicion: Suspicion<'_>) {
        let engine = self.engine();
        let known = engine.catalogue.read();
        let (saved, walked) = match suspicion {
            Suspicion::Named(named) => self.suspects(scan, named, &known),
            Suspicion::All => {
                let all = scan.files.iter().map(|(path, seen)| suspect(path, *seen));
                (Vec::new(), all.collect())
            }
        };
        drop(known);
        for suspect in saved.iter().chain(&walked) {
            self.abandon(&suspect.path);
        }
        self.queue.save(saved);
        match reach {
            Reach::All => self.queue.replace(walked, |path| scan.files.contains_key(path)),
            Reach::Paths(_) => self.queue.add(walked),
        }
        self.progress.begin();
    }

    /// What was named or seems to have moved, which costs little to read, and what else differs.
    fn suspects(
        &self,
        scan: &Scan,
        named: &[String],
        known: &BTreeMap<String, Known>,
    ) -> (Vec<Suspect>, Vec<Suspect>) {
        let named: BTreeSet<&String> = named.iter().collect();
        let there = named.iter().filter_map(|path| Some((*path, *scan.files.get(*path)?)));
        let mut saved: Vec<Suspect> = there.map(|(path, seen)| suspect(path, seen)).collect();
        let differing = scan
            .differing(known)
            .chain(self.unread(scan))
            .filter(|(path, seen)| self.is_to_be_read(path, *seen))
            .filter(|(path, _)| !named.contains(path));
        let (moved, walked): (Vec<_>, Vec<_>) =
            differing.partition(|(path, _)| self.moves.contains(path));
        saved.extend(moved.into_iter().map(|(path, seen)| suspect(path, seen)));
        (saved, walked.into_iter().map(|(path, seen)| suspect(path, seen)).collect())
    }
}

fn suspect(path: &str, seen: Seen) -> Suspect {
    Suspect { path: path.to_owned(), bytes: seen.bytes }
}
