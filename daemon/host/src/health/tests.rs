use std::os::unix::net::UnixListener;

use daemon_protocol::{Folder, IndexStatus, NextModel, Problem};

use super::*;

#[track_caller]
fn check(finding: &Finding, level: Level, parts: &[&str]) {
    let told = text(std::slice::from_ref(finding));
    assert_eq!(finding.level, level, "{told}");
    for part in parts {
        assert!(told.contains(part), "{part:?} is not in: {told}");
    }
    assert_eq!(is_well(std::slice::from_ref(finding)), level != Level::Wrong);
}

#[test]
fn a_model_is_a_file_that_begins_as_models_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a model.gguf");
    check(&model(&path, true), Level::Wrong, &["is not there", "mend it: fore model pull"]);
    check(&model(&path, false), Level::Wrong, &["mend it: fore model use default"]);
    for (bytes, level, parts) in [
        (&b"GGUF and weights"[..], Level::Well, &["a model.gguf, 0 MB"][..]),
        (
            b"%PDF-1.7",
            Level::Wrong,
            &["is no model file", "rm '", "a model.gguf' && fore model pull"],
        ),
        (b"", Level::Wrong, &["cannot be read"]),
    ] {
        fs::write(&path, bytes).unwrap();
        check(&model(&path, true), level, parts);
    }
    check(&model(dir.path(), true), Level::Wrong, &["cannot be read"]);
}

#[test]
fn a_folder_of_ours_is_ours_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    assert_eq!(private(&path, 0), None, "it is made when it is needed");
    fs::create_dir(&path).unwrap();
    let ours = fs::metadata(&path).unwrap().uid();
    for (mode, level, part) in [
        (0o700, Level::Well, "is yours alone"),
        (0o755, Level::Wrong, "mode 755"),
        (0o500, Level::Wrong, "mend it: chmod 700 /"),
    ] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        check(&private(&path, ours).unwrap(), level, &[part]);
    }
    check(&private(&path, ours + 1).unwrap(), Level::Wrong, &["another user", "sudo chown -R"]);
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    check(&private(&file, ours).unwrap(), Level::Wrong, &["is no folder", "mv /"]);
}

#[test]
fn room_and_limits_have_their_lines() {
    check(
        &room(Path::new("/d"), 100 << 20),
        Level::Wrong,
        &["104 MB free where /d is", "make room: at least 536 MB"],
    );
    check(&room(Path::new("/d"), 5 << 30), Level::Well, &["5368 MB free"]);
    check(
        &watches("8192\n").unwrap(),
        Level::Note,
        &["sudo sysctl -w fs.inotify.max_user_watches="],
    );
    check(&watches("1048576\n").unwrap(), Level::Well, &["1048576"]);
    assert_eq!(watches("many"), None);
}

#[test]
fn what_is_in_the_place_of_the_socket() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("daemon.sock");
    assert_eq!(socket(&path), None);
    drop(UnixListener::bind(&path).unwrap());
    check(&socket(&path).unwrap(), Level::Note, &["was killed"]);
    fs::remove_file(&path).unwrap();
    fs::write(&path, "").unwrap();
    check(&socket(&path).unwrap(), Level::Wrong, &["is none", "mend it: mv /"]);
}

#[test]
fn a_watched_folder_that_vanished_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let gone = dir.path().join("it's gone");
    let told = watched(&[dir.path().to_owned(), gone]);
    check(&told[0], Level::Well, &["can be read"]);
    check(&told[1], Level::Wrong, &["is not there", "fore remove '", r"it'\''s gone'"]);
    check(&watched(&[])[0], Level::Note, &["fore add DIR"]);

    let list = dir.path().join("folders.json");
    assert_eq!(listed(&list), Ok(Vec::new()));
    fs::write(&list, r#"{"version":1,"folders":["/a","/b"],"identities":{}}"#).unwrap();
    assert_eq!(listed(&list), Ok(vec!["/a".into(), "/b".into()]));
    fs::write(&list, "{").unwrap();
    check(&listed(&list).unwrap_err(), Level::Wrong, &["folders.json", "fore add DIR"]);
}

fn status(index: IndexStatus, folders: Vec<Folder>) -> DaemonStatus {
    DaemonStatus {
        version: "0.1.0".to_owned(),
        pid: 1,
        uptime_s: 1,
        model: "m".to_owned(),
        fingerprint: "f".to_owned(),
        device: "cpu".to_owned(),
        memory_bytes: 0,
        memory_peak_bytes: 0,
        folders,
        kinds: Default::default(),
        left_out: Default::default(),
        index,
        training: None,
    }
}

#[test]
fn a_daemon_tells_of_its_index() {
    let problem =
        |reason: &str| Problem { path: "/a/\x1b.pdf".to_owned(), reason: reason.to_owned() };
    for (index, level, parts) in [
        (
            IndexStatus { documents: 2, ..IndexStatus::default() },
            Level::Well,
            &["2 documents, up to date"][..],
        ),
        (
            IndexStatus {
                phase: Phase::Encoding,
                round_done: 1,
                round_total: 4,
                ..IndexStatus::default()
            },
            Level::Note,
            &["1 of 4 changed files"],
        ),
        (
            IndexStatus { storing: Some("no room".to_owned()), ..IndexStatus::default() },
            Level::Wrong,
            &["cannot be written: no room", "mend it: make room"],
        ),
        (
            IndexStatus {
                problem_count: 3,
                problems: vec![problem("locked")],
                ..IndexStatus::default()
            },
            Level::Note,
            &["3 files could not be indexed, such as /a/\u{FFFD}.pdf: locked", "fore why-not FILE"],
        ),
        (
            IndexStatus {
                next: Some(NextModel { model: "smol".to_owned(), documents: 1, lacks: None }),
                ..IndexStatus::default()
            },
            Level::Note,
            &["smol takes over once it has all: 1 document so far"],
        ),
    ] {
        let told = running(&status(index, Vec::new()));
        let worst = told.iter().max_by_key(|finding| finding.level as u8).unwrap();
        check(worst, level, parts);
    }
    let folder = |problem: &str| Folder {
        path: "/".to_owned(),
        documents: 0,
        passages: 0,
        problem: Some(problem.to_owned()),
    };
    let limit = "the system's limit is reached; raise it with `sudo sysctl -w fs.inotify.max_user_watches=9`";
    let told = running(&status(
        IndexStatus::default(),
        vec![folder(limit), folder("all of it is ignored")],
    ));
    check(&told[0], Level::Wrong, &["mend it: sudo sysctl -w fs.inotify.max_user_watches=9\n"]);
    check(&told[1], Level::Note, &["/: all of it is ignored"]);
}
