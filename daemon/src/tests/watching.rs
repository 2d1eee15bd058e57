//! What is watched, with the real watcher and the real indexer: no test here asks for a rescan
//! unless it says so, so what is found was reported.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use notify::{Config, RecommendedWatcher, Watcher};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::harness::{Record, Recorder, Script, Scripted, settings, within};
use crate::index::Indexer;
use crate::patience::Pulse;
use crate::shared::Shared;
use crate::watch::Watch;

struct Bench {
    /// Where the watched folders are.
    top: PathBuf,
    shared: Arc<Shared>,
    watched: watch::Receiver<Record>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    _dir: TempDir,
}

impl Bench {
    /// Watches `roots` below `top`, which are made, as far as the system has `room`.
    async fn new(roots: &[&str], room: usize) -> Bench {
        Bench::by(roots, room, |_, recorder| recorder).await
    }

    /// The same by another recorder than the usual one.
    async fn by(
        roots: &[&str],
        room: usize,
        other: impl FnOnce(&Path, Recorder) -> Recorder,
    ) -> Bench {
        let dir = TempDir::new().unwrap();
        let top = dir.path().canonicalize().unwrap().join("top");
        let backend = Arc::new(Scripted(Arc::new(Script::default())));
        let (fatal, _failures) = mpsc::channel(1);
        let shared = within(Shared::start(backend, settings(dir.path()), fatal)).await.unwrap();
        for root in roots {
            fs::create_dir_all(top.join(root)).unwrap();
            shared.folders.add(top.join(root).to_str().unwrap(), &Pulse::default()).unwrap();
        }
        let stop = CancellationToken::new();
        let (sender, receiver) = std::sync::mpsc::channel();
        let watch = Watch::by(Arc::clone(&shared), stop.clone(), |handler| {
            let system = RecommendedWatcher::new(handler, Config::default())?;
            let (recorder, watched) =
                Recorder::new(Some(system), &Arc::new(AtomicUsize::new(room)));
            sender.send(watched).unwrap();
            Ok(Box::new(other(&top, recorder)))
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(Indexer::new(Arc::clone(&shared), stop.clone()).run());
        tasks.spawn(watch.run());
        let watched = receiver.recv().unwrap();
        Bench { top, shared, watched, stop, tasks, _dir: dir }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.top.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.top.join(from), self.top.join(to)).unwrap();
    }

    /// Waits until what is watched are these folders, and the ones that are at their paths now.
    async fn watches(&mut self, names: &[&str]) {
        let wanted: BTreeSet<PathBuf> = names.iter().map(|name| self.top.join(name)).collect();
        let top = self.top.clone();
        let is_there = |(path, number): (&PathBuf, &u64)| {
            fs::metadata(path).is_ok_and(|found| found.ino() == *number)
        };
        let reached = self.watched.wait_for(|record| {
            record.keys().eq(wanted.iter())
                && record.iter().all(is_there)
                && system_watches(&top).is_none_or(|system| system == wanted)
        });
        within(reached).await.unwrap();
    }

    /// Waits until these files, by their paths below `top`, and no others are indexed.
    async fn finds(&self, names: &[&str]) {
        let wanted: Vec<String> =
            names.iter().map(|name| self.top.join(name).to_str().unwrap().to_owned()).collect();
        let known = || -> Vec<String> {
            self.shared.generations.serving().catalogue.read().keys().cloned().collect()
        };
        let mut status = self.shared.status.subscribe();
        within(status.wait_for(|_| known() == wanted)).await.unwrap();
    }

    fn problem(&self, root: &str) -> Option<String> {
        let folders = self.shared.folders.list(&self.shared.generations.serving().catalogue);
        let found =
            folders.into_iter().find(|folder| Path::new(&folder.path) == self.top.join(root));
        found.unwrap().problem
    }

    async fn finish(self) {
        let Bench { shared, stop, tasks, .. } = self;
        stop.cancel();
        within(tasks.join_all()).await;
        let minds = tokio::task::spawn_blocking(move || shared.end_minds());
        assert!(within(minds).await.unwrap());
    }
}

/// The folders at or below `top` that the system reports from to anyone in this process; `None` if
/// it does not say so.
fn system_watches(top: &Path) -> Option<BTreeSet<PathBuf>> {
    let numbers: BTreeSet<u64> = fs::read_dir("/proc/self/fdinfo")
        .ok()?
        // The one that the list is read by is gone by then.
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok())
        .flat_map(|info| info.lines().filter_map(number_in).collect::<Vec<_>>())
        .collect();
    let mut found = BTreeSet::new();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).ok()?.map(|entry| entry.unwrap().path());
        folders.extend(entries.filter(|path| path.is_dir()));
        if numbers.contains(&fs::metadata(&folder).ok()?.ino()) {
            found.insert(folder);
        }
    }
    Some(found)
}

/// `inotify wd:1 ino:1f2e sdev:800010 ...`
fn number_in(line: &str) -> Option<u64> {
    let of_watch = line.strip_prefix("inotify ")?;
    let number = of_watch.split(' ').find_map(|part| part.strip_prefix("ino:"))?;
    u64::from_str_radix(number, 16).ok()
}

#[tokio::test]
async fn what_is_walked_is_watched_and_nothing_else() {
    let mut bench = Bench::new(&["notes"], usize::MAX).await;
    for name in [
        "notes/src/deep/a.md",
        "notes/.git/objects/a1/b.md",
        "notes/node_modules/x/c.md",
        "notes/target/d.md",
        "notes/.hidden/e.md",
    ] {
        bench.write(name, "an anchor");
    }
    bench.write("notes/.gitignore", "node_modules/");
    bench.write("notes/.ignore", "target");
    bench.watches(&["notes", "notes/src", "notes/src/deep"]).await;
    bench.finds(&["notes/src/deep/a.md"]).await;

    type Change = fn(&Bench);
    let remove = |bench: &Bench, name: &str| fs::remove_dir_all(bench.top.join(name)).unwrap();
    let changes: [(&str, Change, &[&str]); 9] = [
        (
            "one is made",
            |bench| bench.write("notes/new/er/f.md", ""),
            &["new", "new/er", "src", "src/deep"],
        ),
        (
            "one is renamed",
            |bench| bench.rename("notes/new", "notes/old"),
            &["old", "old/er", "src", "src/deep"],
        ),
        ("one is hidden", |bench| bench.rename("notes/old", "notes/.old"), &["src", "src/deep"]),
        (
            "one is shown",
            |bench| bench.rename("notes/.old", "notes/old"),
            &["old", "old/er", "src", "src/deep"],
        ),
        ("one is moved away", |bench| bench.rename("notes/old", "away"), &["src", "src/deep"]),
        ("a rule comes", |bench| bench.write("notes/src/.gitignore", "deep/"), &["src"]),
        (
            "a rule goes",
            |bench| fs::remove_file(bench.top.join("notes/src/.gitignore")).unwrap(),
            &["src", "src/deep"],
        ),
        ("a rule changes", |bench| bench.write("notes/.ignore", "src"), &["target"]),
        (
            "two rules go",
            |bench| {
                fs::remove_file(bench.top.join("notes/.ignore")).unwrap();
                fs::remove_file(bench.top.join("notes/.gitignore")).unwrap();
            },
            &["node_modules", "node_modules/x", "src", "src/deep", "target"],
        ),
    ];
    for (what, change, below) in changes {
        println!("{what}");
        change(&bench);
        let below = below.iter().map(|name| format!("notes/{name}"));
        let names: Vec<String> = std::iter::once("notes".to_owned()).chain(below).collect();
        bench.watches(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    remove(&bench, "notes/node_modules");
    bench.watches(&["notes", "notes/src", "notes/src/deep", "notes/target"]).await;
    bench.shared.folders.remove(bench.top.join("notes").to_str().unwrap()).unwrap();
    bench.watches(&[]).await;
    bench.finish().await;
}

#[tokio::test]
async fn a_file_in_a_folder_just_made_is_found() {
    let mut bench = Bench::new(&["notes"], usize::MAX).await;
    bench.watches(&["notes"]).await;
    let mut written = Vec::new();
    for number in 0..20 {
        for name in ["a/b/c/deep.md", "a/b/late.md"] {
            written.push(format!("notes/{number:02}/{name}"));
            bench.write(&written[written.len() - 1], "an anchor");
        }
    }
    bench.finds(&written.iter().map(String::as_str).collect::<Vec<_>>()).await;
    bench.finish().await;
}

#[tokio::test]
async fn a_watch_follows_the_path_and_not_the_folder() {
    type Change = fn(&Bench);
    let changes: [(&str, Change); 5] = [
        ("two are swapped", |bench| {
            bench.rename("notes/a", "notes/x");
            bench.rename("notes/b", "notes/a");
            bench.rename("notes/x", "notes/b");
        }),
        ("their parents are swapped", |bench| {
            bench.rename("notes/a/in", "notes/x");
            bench.rename("notes/b/in", "notes/a/in");
            bench.rename("notes/x", "notes/b/in");
        }),
        ("one is renamed and made anew", |bench| {
            bench.rename("notes/a", "away");
            bench.write("notes/a/in/a.md", "an anchor");
        }),
        ("one is removed and made anew", |bench| {
            fs::remove_dir_all(bench.top.join("notes/a")).unwrap();
            bench.write("notes/a/in/a.md", "an anchor");
        }),
        ("the root is renamed and made anew", |bench| {
            bench.rename("notes", "away");
            bench.write("notes/a/in/a.md", "an anchor");
            bench.write("notes/b/in/b.md", "an anchor");
        }),
    ];
    for (what, change) in changes {
        println!("{what}");
        let mut bench = Bench::new(&["notes"], usize::MAX).await;
        bench.write("notes/a/in/a.md", "an anchor");
        bench.write("notes/b/in/b.md", "an anchor");
        let all = ["notes", "notes/a", "notes/a/in", "notes/b", "notes/b/in"];
        bench.watches(&all).await;
        change(&bench);
        bench.watches(&all).await;
        // What is written now is told by the watches alone.
        bench.write("notes/a/in/new.md", "an anchor");
        bench.write("notes/b/in/new.md", "an anchor");
        let known =
            || bench.shared.generations.serving().catalogue.read().keys().cloned().collect();
        let mut status = bench.shared.status.subscribe();
        let found = status.wait_for(|_| {
            let known: Vec<String> = known();
            known.iter().filter(|path| path.ends_with("/in/new.md")).count() == 2
                && known.len() == 4
        });
        within(found).await.unwrap();
        bench.finish().await;
    }
}

#[tokio::test]
async fn a_root_whose_parent_was_made_anew_is_followed_after_a_sync() {
    let mut bench = Bench::new(&["parent/notes"], usize::MAX).await;
    bench.write("parent/notes/old/a.md", "an anchor");
    bench.watches(&["parent/notes", "parent/notes/old"]).await;
    bench.finds(&["parent/notes/old/a.md"]).await;
    // Of this the system tells nothing.
    bench.rename("parent", "away");
    bench.write("parent/notes/new/b.md", "an anchor");
    within(bench.shared.mailbox.sync(false)).await.unwrap();
    bench.watches(&["parent/notes", "parent/notes/new"]).await;
    bench.finds(&["parent/notes/new/b.md"]).await;
    bench.write("parent/notes/new/c.md", "an anchor");
    bench.finds(&["parent/notes/new/b.md", "parent/notes/new/c.md"]).await;
    bench.finish().await;
}

#[tokio::test]
async fn past_the_limit_one_root_is_left_to_the_rescan_and_the_others_stay_watched() {
    for large in ["a", "z"] {
        println!("{large} is large");
        let mut bench = Bench::new(&[large, "notes"], 4).await;
        for number in 0..6 {
            bench.write(&format!("{large}/{number}/a.md"), "an anchor");
        }
        bench.write("notes/in/b.md", "an anchor");
        // What is watched is another task's work than the look that ends with the sync.
        within(async {
            while bench.problem(large).is_none() {
                bench.shared.mailbox.sync(false).await.unwrap();
            }
        })
        .await;
        bench.watches(&["notes", "notes/in"]).await;
        let told = bench.problem(large).unwrap();
        assert!(told.contains("sudo sysctl -w fs.inotify.max_user_watches="), "{told}");
        assert_eq!(bench.problem("notes"), None);
        bench.write("notes/in/c.md", "a bell");
        let count = |name: &str| {
            let top = bench.top.join(name);
            bench.shared.generations.serving().catalogue.count_below(&top).0
        };
        let mut status = bench.shared.status.subscribe();
        within(status.wait_for(|_| count("notes") == 2 && count(large) == 6)).await.unwrap();
        bench.write(&format!("{large}/6/a.md"), "a bell");
        within(bench.shared.mailbox.sync(false)).await.unwrap();
        assert_eq!((count("notes"), count(large)), (2, 7));
        bench.watches(&["notes", "notes/in"]).await;
        bench.finish().await;
    }
}

#[tokio::test]
async fn while_the_system_does_not_answer_what_it_told_is_looked_at() {
    let (open, gate) = std::sync::mpsc::channel();
    let hangs = |top: &Path, recorder: Recorder| recorder.waiting_at(top.join("b/hung"), gate);
    let mut bench = Bench::by(&["a", "b"], usize::MAX, hangs).await;
    bench.watches(&["a", "b"]).await;
    fs::create_dir(bench.top.join("b/hung")).unwrap();
    bench.write("a/one.md", "one");
    bench.finds(&["a/one.md"]).await;
    bench.write("a/two.md", "two");
    bench.finds(&["a/one.md", "a/two.md"]).await;
    bench.write("b/hung/three.md", "three");
    drop(open);
    bench.watches(&["a", "b", "b/hung"]).await;
    bench.finds(&["a/one.md", "a/two.md", "b/hung/three.md"]).await;
    bench.finish().await;
}
