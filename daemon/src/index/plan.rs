//! Orders -> a look at the disk -> what is removed and what is queued.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use daemon_protocol::Phase;

use super::queue::Suspect;
use super::{Indexer, blocking};
use crate::engine::Engine;
use crate::generations::Adopted;
use crate::mailbox::Orders;
use crate::scan::{Reach, Scan, Seen};

impl Indexer {
    /// Looks at the disk as far as the orders say, removes what is gone and queues what differs.
    pub(super) async fn plan(&mut self, orders: Orders) {
        if orders.rescan.is_some() {
            self.storing.retry();
        }
        // What is embedded must be known before it is compared, or it would be embedded twice.
        self.commit().await;
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
            self.look(Reach::of_changes(changed), &named).await;
        }
        if let Some(cause) = orders.rescan {
            tracing::debug!(?cause, "rescan");
            self.look(Reach::All, &[]).await;
        }
        if !self.queue.is_empty() {
            self.publish(Phase::Encoding);
        }
    }

    /// Goes on with another generation; the rescan that comes with it fills the queue anew.
    fn adopt(&mut self, engine: Arc<Engine>) {
        match self.shared.generations.adopt(engine) {
            Adopted::Already => return,
            Adopted::SameModel => {}
            Adopted::OtherModel => self.refused.clear(),
        }
        // What it holds was embedded by the mind before.
        self.works.clear();
        drop(self.group.take());
    }

    async fn look(&mut self, reach: Reach, named: &[String]) {
        let roots = self.shared.folders.roots();
        let reach = Arc::new(reach);
        let mut scan = tokio::select! {
            biased;
            () = self.stop.cancelled() => return,
            scan = self.walk(&roots, &reach) => scan,
        };
        self.recognise(&mut scan).await;
        self.forget(&scan, &reach).await;
        self.note_troubles(&roots, &reach, &mut scan);
        if matches!(*reach, Reach::All) {
            if self.shared.folders.is_unwatched() {
                self.shared.rewatch.notify_one();
            }
            let mut left_out = self.shared.left_out.lock().unwrap_or_else(PoisonError::into_inner);
            *left_out = std::mem::take(&mut scan.left_out);
        }
        self.enqueue(&scan, &reach, named);
    }

    /// An empty folder in the place of one that had documents is what is left of a drive that is
    /// not mounted: that is no reason to embed all of it again. Whoever empties a folder leaves
    /// the folder itself, as a rule; whoever puts another in its place puts something in it.
    async fn recognise(&self, scan: &mut Scan) {
        let engine = self.engine();
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

    /// Keeps the folders' own troubles with the folders, and the rest as refusals.
    fn note_troubles(&mut self, roots: &[PathBuf], reach: &Reach, scan: &mut Scan) {
        for root in roots {
            let trouble = root.to_str().and_then(|root| scan.unreadable.get(root));
            if trouble.is_some() || matches!(reach, Reach::All) {
                self.shared.folders.set_unreadable(root, trouble.cloned());
            }
        }
        for (root, passed_over) in std::mem::take(&mut scan.passed_over) {
            self.shared.folders.set_nothing(&root, passed_over.told());
        }
        for (path, reason) in &scan.unreadable {
            if !roots.iter().any(|root| root == Path::new(path)) {
                self.refuse(path.clone(), None, reason.clone());
            }
        }
        for path in std::mem::take(&mut scan.unnamed) {
            self.refuse(path, None, "its name is not UTF-8: rename it".to_owned());
        }
    }

    /// Removes what is indexed and no longer on disk.
    async fn forget(&mut self, scan: &Scan, reach: &Reach) {
        for path in scan.gone(&self.refused, reach) {
            self.refused.remove(&path);
        }
        let embedding: std::collections::BTreeMap<String, ()> = self
            .works
            .iter()
            .flat_map(|work| work.paths())
            .chain(self.group.paths())
            .map(|path| (path, ()))
            .collect();
        for path in scan.gone(&embedding, reach) {
            self.abandon(&path);
        }
        let gone = scan.gone(&self.engine().catalogue.read(), reach);
        self.remove(gone).await;
    }

    /// Files that could not be read for a reason that may have passed, although nothing of them differs
    /// from what is indexed perhaps.
    fn unread<'a>(&'a self, scan: &'a Scan) -> impl Iterator<Item = (&'a String, Seen)> {
        let passing = self.refused.iter().filter(|(_, refusal)| refusal.seen.is_none());
        passing.filter_map(|(path, _)| Some((path, *scan.files.get(path)?)))
    }

    /// Stops embedding what was read of `path`, and does not store it.
    fn abandon(&mut self, path: &str) {
        self.group.abandon(path);
        for work in &mut self.works {
            work.abandon(path);
        }
    }

    /// Queues what differs; named files first, since someone has just saved them.
    fn enqueue(&mut self, scan: &Scan, reach: &Reach, named: &[String]) {
        let suspect = |path: &String, seen: Seen| Suspect { path: path.clone(), bytes: seen.bytes };
        let there = named.iter().filter_map(|path| Some((path, *scan.files.get(path)?)));
        let saved: Vec<Suspect> = there.map(|(path, seen)| suspect(path, seen)).collect();
        let engine = self.engine();
        let known = engine.catalogue.read();
        let refused = &self.refused;
        let walked: Vec<Suspect> = scan
            .differing(&known)
            .filter(|(path, seen)| refused.get(*path).is_none_or(|r| r.seen != Some(*seen)))
            .chain(self.unread(scan))
            .filter(|(path, seen)| !self.works.iter().any(|work| work.holds(path, *seen)))
            .filter(|(path, seen)| !self.group.holds(path, *seen))
            .map(|(path, seen)| suspect(path, seen))
            .collect();
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
}
