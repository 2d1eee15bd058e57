//! Drives that do as the test says: some paths do not answer until it lets them, some fail.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use futures::executor::block_on;
use futures::future::BoxFuture;
use tokio::sync::watch;

use crate::patience::Drives;

#[derive(Default)]
pub(in crate::tests) struct TestDrives {
    /// Paths that do not answer, and how many threads wait there.
    hung: watch::Sender<BTreeMap<PathBuf, usize>>,
    /// Paths that cannot be read, and the error's number.
    failing: Mutex<BTreeMap<PathBuf, i32>>,
    /// How often each path was gone to.
    asked: Mutex<BTreeMap<PathBuf, usize>>,
}

impl TestDrives {
    pub(in crate::tests) fn hang(&self, path: &Path) {
        self.hung.send_modify(|hung| {
            hung.insert(path.to_owned(), 0);
        });
    }

    /// How often the file `path` was read.
    pub(in crate::tests) fn reads(&self, path: &Path) -> usize {
        self.asked.lock().unwrap().get(path).copied().unwrap_or(0)
    }

    /// Everything answers.
    pub(in crate::tests) fn release(&self) {
        self.hung.send_modify(BTreeMap::clear);
    }

    /// Reading `path` fails with this error, or no more.
    pub(in crate::tests) fn fail(&self, path: &Path, errno: Option<i32>) {
        let mut failing = self.failing.lock().unwrap();
        match errno {
            Some(errno) => drop(failing.insert(path.to_owned(), errno)),
            None => drop(failing.remove(path)),
        }
    }
}

impl Drives for TestDrives {
    fn at(&self, path: &Path) -> io::Result<()> {
        *self.asked.lock().unwrap().entry(path.to_owned()).or_default() += 1;
        let mut hung = self.hung.subscribe();
        let wait = |threads: &mut usize| *threads += 1;
        self.hung.send_if_modified(|hung| hung.get_mut(path).map(wait).is_some());
        drop(block_on(hung.wait_for(|hung| !hung.contains_key(path))));
        let failure = self.failing.lock().unwrap().get(path).copied();
        failure.map_or(Ok(()), |errno| Err(io::Error::from_raw_os_error(errno)))
    }

    /// No clock decides: who waits where nothing answers has waited long enough.
    fn waited<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let mut hung = self.hung.subscribe();
            drop(hung.wait_for(|hung| hung.get(path).is_some_and(|threads| *threads > 0)).await);
        })
    }
}
