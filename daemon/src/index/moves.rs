//! Files that seem to have been moved: gone from one path and new at another, of the same size and time.
//! What is indexed of the old path stays until the new one was read, so that it is found meanwhile. Pure.

use std::collections::{BTreeMap, HashMap};

use crate::scan::Seen;
use crate::store::Stamp;

/// See the module: the old path by the new one.
#[derive(Debug, Default)]
pub(super) struct Moves(BTreeMap<String, String>);

impl Moves {
    /// Pairs `gone` documents with `found` files, and gives back the documents that went nowhere.
    pub(super) fn pair<'a>(
        &mut self,
        gone: Vec<(String, Stamp)>,
        found: impl Iterator<Item = (&'a String, Seen)>,
    ) -> Vec<String> {
        if gone.is_empty() {
            return Vec::new();
        }
        let mut places: HashMap<(u64, i64), Vec<&String>> = HashMap::new();
        for (path, seen) in found {
            // Empty files are alike, and nothing of them need be embedded.
            if seen.bytes > 0 {
                places.entry((seen.bytes, seen.written_ns)).or_default().push(path);
            }
        }
        let mut left = Vec::new();
        for (path, stamp) in gone {
            // Of several alike the one whose name is the same, else any: the content decides later.
            let alike = places.get_mut(&(stamp.bytes, stamp.written_ns));
            let place = alike.and_then(|places| {
                let same = places.iter().position(|place| name(place) == name(&path));
                same.or(places.len().checked_sub(1)).map(|at| places.swap_remove(at))
            });
            match place {
                Some(place) => drop(self.0.insert(place.clone(), path)),
                None => left.push(path),
            }
        }
        left
    }

    /// Where `path` seems to have been before; it is then no longer remembered.
    pub(super) fn take(&mut self, path: &str) -> Option<String> {
        self.0.remove(path)
    }

    /// Whether `path` seems to have been elsewhere before.
    pub(super) fn contains(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// `path` is to be read once more, and seems to have been at `from`.
    pub(super) fn put(&mut self, path: String, from: String) {
        self.0.insert(path, from);
    }

    /// The old paths that no new one was read for.
    pub(super) fn drain(&mut self) -> Vec<String> {
        std::mem::take(&mut self.0).into_values().collect()
    }
}

fn name(path: &str) -> Option<&str> {
    path.rsplit('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_and_what_came_are_paired_by_size_time_and_name() {
        // Path, size, time; each as it is known or seen.
        type File = (&'static str, u64, i64);
        let stamp = |(_, bytes, written_ns): File| Stamp {
            bytes,
            changed_ns: 0,
            written_ns,
            hash: String::new(),
        };
        let check = |gone: &[File], found: &[File], pairs: &[(&str, &str)], left: &[&str]| {
            let found: Vec<(String, Seen)> = found
                .iter()
                .map(|(path, bytes, written_ns)| {
                    (
                        (*path).to_owned(),
                        Seen { bytes: *bytes, changed_ns: 1, written_ns: *written_ns },
                    )
                })
                .collect();
            let gone = gone.iter().map(|file| (file.0.to_owned(), stamp(*file))).collect();
            let mut moves = Moves::default();
            let unpaired = moves.pair(gone, found.iter().map(|(path, seen)| (path, *seen)));
            assert_eq!(unpaired, left);
            for (new, old) in pairs {
                assert_eq!(moves.take(new).as_deref(), Some(*old), "{new}");
            }
            assert_eq!(moves.drain(), Vec::<String>::new());
        };
        check(&[], &[("/new/a", 1, 1)], &[], &[]);
        check(&[("/old/a", 1, 1)], &[], &[], &["/old/a"]);
        check(&[("/old/a", 1, 1)], &[("/new/a", 1, 1)], &[("/new/a", "/old/a")], &[]);
        check(&[("/old/a", 1, 1)], &[("/new/a", 2, 1), ("/new/b", 1, 2)], &[], &["/old/a"]);
        check(&[("/old/a", 0, 1)], &[("/new/a", 0, 1)], &[], &["/old/a"]);
        check(
            &[("/old/a", 1, 1), ("/old/b", 1, 1)],
            &[("/new/b", 1, 1), ("/new/a", 1, 1)],
            &[("/new/a", "/old/a"), ("/new/b", "/old/b")],
            &[],
        );
        check(
            &[("/old/a", 1, 1), ("/old/b", 1, 1)],
            &[("/new/c", 1, 1)],
            &[("/new/c", "/old/a")],
            &["/old/b"],
        );
    }

    #[test]
    fn what_is_remembered_is_told_once() {
        let mut moves = Moves::default();
        moves.put("/new".to_owned(), "/old".to_owned());
        moves.put("/other".to_owned(), "/before".to_owned());
        assert_eq!(moves.take("/new").as_deref(), Some("/old"));
        assert_eq!(moves.take("/new"), None);
        assert_eq!(moves.drain(), ["/before"]);
        assert_eq!(moves.drain(), Vec::<String>::new());
    }
}
