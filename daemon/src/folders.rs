//! The list of watched folders: checked when one is added, kept in a file that is replaced whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use daemon_protocol::{Failure, Folder};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::Critical;
use crate::engine::Catalogue;
use crate::error::{internal, invalid};
use crate::limits::{FOLDERS_FILE_BYTES_MAX, FOLDERS_MAX};
use crate::patience::Pulse;
use crate::scan::Identity;

/// Changes when the file's shape does.
const FILE_VERSION: u32 = 1;
/// Folders in which the kernel shows itself; to read some of these files waits for ever, or does something.
const KERNELS: [&str; 3] = ["/proc", "/sys", "/dev"];
/// Of these the one that holds people's files.
const SHARED_MEMORY: &str = "/dev/shm";

#[derive(Serialize, Deserialize)]
struct FoldersFile {
    version: u32,
    folders: Vec<String>,
    /// See [`Folders::remember`].
    #[serde(default)]
    identities: Identities,
}

type Identities = BTreeMap<PathBuf, Identity>;

/// What is wrong with a folder at present.
#[derive(Debug, Default)]
struct Trouble {
    unreadable: Option<String>,
    unwatched: Option<String>,
    /// Told while nothing in it is indexed.
    nothing: Option<String>,
}

/// See the module. Calls that change the list block on the file system.
pub(crate) struct Folders {
    file: PathBuf,
    roots: watch::Sender<Vec<PathBuf>>,
    /// Which folders were found at the roots when they last had anything in them. Held while the
    /// file is changed.
    identities: Mutex<Identities>,
    troubles: Mutex<BTreeMap<PathBuf, Trouble>>,
    /// Folders that were taken out of the list, and whose documents are this process's to forget.
    left: Mutex<BTreeSet<PathBuf>>,
}

/// Which documents may be found: what is below the watched folders, and in an index that others write too what is not
/// below one that was taken out. Such a one is out of sight at once, however long forgetting it takes.
#[derive(Debug, Clone)]
pub(crate) struct View {
    roots: Vec<PathBuf>,
    left: Option<BTreeSet<PathBuf>>,
}

impl View {
    pub(crate) fn has(&self, path: &str) -> bool {
        let is_below = |folder: &PathBuf| Path::new(path).starts_with(folder);
        let is_others = || self.left.as_ref().is_some_and(|left| !left.iter().any(is_below));
        self.roots.iter().any(is_below) || is_others()
    }
}

impl Folders {
    /// Reads the list; no file is an empty list.
    pub(crate) fn load(file: &Path) -> Result<Folders, Critical> {
        let unusable = |reason: String| Critical::FoldersFile { path: file.to_owned(), reason };
        let (roots, identities) = match File::open(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Default::default(),
            Err(error) => return Err(unusable(error.to_string())),
            Ok(opened) => {
                let mut text = String::new();
                opened
                    .take(FOLDERS_FILE_BYTES_MAX)
                    .read_to_string(&mut text)
                    .map_err(|error| unusable(error.to_string()))?;
                parse(&text).map_err(unusable)?
            }
        };
        Ok(Folders {
            file: file.to_owned(),
            roots: watch::Sender::new(roots),
            identities: Mutex::new(identities),
            troubles: Mutex::default(),
            left: Mutex::default(),
        })
    }

    pub(crate) fn roots(&self) -> Vec<PathBuf> {
        self.roots.borrow().clone()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Vec<PathBuf>> {
        self.roots.subscribe()
    }

    /// The folders whose documents this process looks after: those in the list, and those that were in it, which are to
    /// be forgotten.
    pub(crate) fn tended(&self) -> Vec<PathBuf> {
        self.roots().into_iter().chain(self.left().iter().cloned()).collect()
    }

    /// From now on others write: what was to be forgotten is theirs to keep.
    pub(crate) fn leave_to_others(&self) {
        self.left().clear();
    }

    /// What may be found in an index that `is_shared`, or is not.
    pub(crate) fn view(&self, is_shared: bool) -> View {
        View { roots: self.roots(), left: is_shared.then(|| self.left().clone()) }
    }

    fn left(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a folder. One that is watched already is no error, so that a script may run twice;
    /// folders below the new one become part of it.
    pub(crate) fn add(&self, path: &str, pulse: &Pulse) -> Result<(), Failure> {
        let folder = check(path, pulse)?;
        // Its list is no drive that may hang: what is begun now is told.
        pulse.compute();
        self.edit(|roots| with_added(roots, folder))
    }

    /// Stops watching a folder, which need not exist any more.
    pub(crate) fn remove(&self, path: &str) -> Result<(), Failure> {
        let given = PathBuf::from(path);
        // A drive that hangs is asked nothing.
        let real = match self.roots().contains(&given) {
            true => given,
            false => fs::canonicalize(&given).unwrap_or_else(|_| given.components().collect()),
        };
        self.edit(|roots| {
            if let Some(parent) = roots.iter().find(|root| real.starts_with(root) && **root != real)
            {
                return Err(invalid(
                    format!("{path} is a part of {}, which is watched", parent.display()),
                    "remove that folder, or name this one in its .ignore file",
                ));
            }
            let left: Vec<_> = roots.iter().filter(|root| **root != real).cloned().collect();
            if left.len() == roots.len() {
                return Err(invalid(format!("{path} is not watched"), "`fore list` shows what is"));
            }
            Ok(left)
        })
    }

    /// Replaces the list by what `change` makes of it, on disk first.
    fn edit(
        &self,
        change: impl FnOnce(&[PathBuf]) -> Result<Vec<PathBuf>, Failure>,
    ) -> Result<(), Failure> {
        let mut identities = self.identities();
        let before = self.roots();
        let after = change(&before)?;
        if after == before {
            return Ok(());
        }
        let mut kept = identities.clone();
        kept.retain(|root, _| after.contains(root));
        save(&self.file, &after, &kept).map_err(|error| {
            internal(format!("writing the list of folders {}: {error}", self.file.display()))
        })?;
        *identities = kept;
        self.troubles().retain(|root, _| after.contains(root));
        let gone = before.into_iter().filter(|root| !after.contains(root));
        self.left().extend(gone);
        self.roots.send_replace(after);
        Ok(())
    }

    /// Whether `identity` at `root` is not the folder that had something in it before.
    pub(crate) fn is_another(&self, root: &Path, identity: Identity) -> bool {
        self.identities().get(root).is_some_and(|known| *known != identity)
    }

    /// Remembers which folders were found, each with something in it, also for the next start:
    /// a drive may be mounted later than that.
    pub(crate) fn remember(&self, found: Identities) {
        let mut identities = self.identities();
        let roots = self.roots();
        let mut after = identities.clone();
        after.extend(found.into_iter().filter(|(root, _)| roots.contains(root)));
        if after == *identities {
            return;
        }
        // The list itself is as it was: not worth more than a word in the log.
        if let Err(error) = save(&self.file, &roots, &after) {
            tracing::warn!(%error, file = %self.file.display(), "writing the list of folders");
        }
        *identities = after;
    }

    fn identities(&self) -> MutexGuard<'_, Identities> {
        self.identities.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn troubles(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Trouble>> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether the folder could be read at the last scan.
    pub(crate) fn set_unreadable(&self, root: &Path, problem: Option<String>) {
        self.troubles().entry(root.to_owned()).or_default().unreadable = problem;
    }

    /// Says whether the system reports changes in the folder.
    pub(crate) fn set_unwatched(&self, root: &Path, problem: Option<String>) {
        self.troubles().entry(root.to_owned()).or_default().unwatched = problem;
    }

    /// Says why nothing is indexed of what the folder holds, if nothing is.
    pub(crate) fn set_nothing(&self, root: &Path, reason: Option<String>) {
        self.troubles().entry(root.to_owned()).or_default().nothing = reason;
    }

    /// The folders as a client sees them.
    pub(crate) fn list(&self, catalogue: &Catalogue) -> Vec<Folder> {
        let troubles = self.troubles();
        self.roots()
            .iter()
            .map(|root| {
                let (documents, passages) = catalogue.count_below(root);
                let problem = troubles.get(root).and_then(|trouble| {
                    let nothing = trouble.nothing.as_ref().filter(|_| documents == 0);
                    trouble.unreadable.as_ref().or(nothing).or(trouble.unwatched.as_ref())
                });
                Folder {
                    path: root.to_string_lossy().into_owned(),
                    documents,
                    passages,
                    problem: problem.cloned(),
                }
            })
            .collect()
    }
}

/// The real path of a folder that may be watched.
fn check(path: &str, pulse: &Pulse) -> Result<PathBuf, Failure> {
    let given = Path::new(path);
    if !given.is_absolute() {
        return Err(invalid(
            format!("not an absolute path: {path:?}"),
            "the daemon has no current folder; give the path from /",
        ));
    }
    let real = pulse.at(given).and_then(|()| fs::canonicalize(given));
    let real = real.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            invalid(format!("no folder at {path}"), "check the spelling of the path")
        }
        _ => invalid(format!("{path} cannot be opened: {error}"), "check its permissions"),
    })?;
    if !real.is_dir() {
        let parent = real.parent().unwrap_or(&real).display().to_string();
        return Err(invalid(
            format!("{path} is a file, and folders are watched"),
            format!("add the folder it is in: {parent}"),
        ));
    }
    if real.parent().is_none() {
        return Err(invalid(
            "/ is the whole file system, most of it not yours to search",
            "add the folders you write in",
        ));
    }
    if KERNELS.iter().any(|kernels| real.starts_with(kernels)) && !real.starts_with(SHARED_MEMORY) {
        return Err(invalid(
            format!("{path} is no folder of files: the system makes up what is in it"),
            "add the folders you write in",
        ));
    }
    if real.to_str().is_none() {
        return Err(invalid(
            format!("the path {} is not UTF-8", real.display()),
            "rename the folder",
        ));
    }
    fs::read_dir(&real).map_err(|error| {
        invalid(format!("{path} cannot be read: {error}"), "check its permissions")
    })?;
    Ok(real)
}

fn with_added(roots: &[PathBuf], folder: PathBuf) -> Result<Vec<PathBuf>, Failure> {
    if roots.contains(&folder) {
        return Ok(roots.to_vec());
    }
    if let Some(parent) = roots.iter().find(|root| folder.starts_with(root)) {
        return Err(invalid(
            format!("{} is watched already, as a part of {}", folder.display(), parent.display()),
            "nothing is left to do; `fore list` shows what is watched",
        ));
    }
    let mut after: Vec<_> =
        roots.iter().filter(|root| !root.starts_with(&folder)).cloned().collect();
    if after.len() >= FOLDERS_MAX {
        return Err(invalid(
            format!("{FOLDERS_MAX} folders are watched, which is the most"),
            "remove one, or add a folder that holds several",
        ));
    }
    after.push(folder);
    after.sort();
    Ok(after)
}

fn parse(text: &str) -> Result<(Vec<PathBuf>, Identities), String> {
    let file: FoldersFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if file.version != FILE_VERSION {
        return Err(format!("its version is {}, this program's is {FILE_VERSION}", file.version));
    }
    match file.folders.iter().find(|folder| !Path::new(folder).is_absolute()) {
        Some(folder) => Err(format!("{folder:?} is not an absolute path")),
        None => Ok((file.folders.into_iter().map(PathBuf::from).collect(), file.identities)),
    }
}

/// A crash leaves the old list or the new one.
fn save(file: &Path, roots: &[PathBuf], identities: &Identities) -> io::Result<()> {
    let folders = roots.iter().map(|root| root.to_string_lossy().into_owned()).collect();
    let identities = identities.clone();
    let content = FoldersFile { version: FILE_VERSION, folders, identities };
    let mut text = serde_json::to_vec_pretty(&content)?;
    text.push(b'\n');
    models::files::replace(file, &text)
}
