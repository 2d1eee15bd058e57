use std::fs::File;
use std::time::{Duration, Instant, SystemTime};

use super::*;

#[test]
fn a_folder_that_was_named_is_not_hidden_by_the_repository_around_it() {
    let home = tempfile::tempdir().unwrap();
    let notes = home.path().join("deep/notes");
    fs::create_dir_all(home.path().join(".git")).unwrap();
    fs::create_dir_all(&notes).unwrap();
    for (name, text) in [("key.md", ""), ("key.log", ""), ("key.txt", ""), (".gitignore", "*.log")]
    {
        fs::write(notes.join(name), text).unwrap();
    }
    let cases: [(&str, &[&str]); 6] = [
        ("*", &["key.md", "key.txt"]),
        ("*\n!.gitignore", &["key.md", "key.txt"]),
        ("deep/", &["key.md", "key.txt"]),
        // What does not ignore the folder as a whole holds in it, too.
        ("*.md", &["key.txt"]),
        ("*\n!deep\n!notes\n!key.md", &["key.md"]),
        ("", &["key.md", "key.txt"]),
    ];
    for (rules, expected) in cases {
        fs::write(home.path().join(".gitignore"), rules).unwrap();
        let scan = walk(
            std::slice::from_ref(&notes),
            &Arc::new(Reach::All),
            &CancellationToken::new(),
            &Pulse::default(),
        );
        let found = scan.files.keys().filter_map(|path| Path::new(path).file_name()?.to_str());
        assert_eq!(found.collect::<Vec<_>>(), expected, "{rules:?}");
    }
}

#[test]
fn a_change_that_keeps_size_and_time_shows() {
    let folder = tempfile::tempdir().unwrap();
    let [note, other] = ["note", "other"].map(|name| folder.path().join(name));
    let seen = || Seen::of(&fs::symlink_metadata(&note).unwrap());
    let write = |path: &Path, text: &str| {
        fs::write(path, text).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    };
    // Within a tick of the file system's clock nothing shows.
    let shows = |before: Seen, change: &dyn Fn()| {
        let started = Instant::now();
        while seen() == before {
            assert!(started.elapsed() < Duration::from_secs(10), "it never shows");
            change();
        }
    };
    write(&note, "seven");
    assert_eq!(seen(), seen());
    shows(seen(), &|| write(&note, "eight"));
    write(&other, "three");
    shows(seen(), &|| {
        fs::rename(&note, folder.path().join("away")).unwrap();
        fs::rename(&other, &note).unwrap();
        write(&other, "three");
    });
    assert_eq!(fs::read_to_string(&note).unwrap(), "three");
}
