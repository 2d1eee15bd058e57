use daemon_protocol::{Folder, Problem};

use super::*;

fn example() -> DaemonStatus {
    DaemonStatus {
        version: "0.1.0".to_owned(),
        pid: 7,
        uptime_s: 3_725,
        model: "smol".to_owned(),
        fingerprint: "abc".to_owned(),
        device: "cpu (2 threads, avx2)".to_owned(),
        memory_bytes: 612_345_678,
        memory_peak_bytes: 0,
        folders: vec![
            Folder { path: "/n".to_owned(), documents: 1, passages: 2, problem: None },
            Folder {
                path: "/gone".to_owned(),
                documents: 0,
                passages: 0,
                problem: Some("it is not there".to_owned()),
            },
        ],
        index: IndexStatus {
            phase: Phase::Encoding,
            documents: 1,
            passages: 2,
            round_total: 40,
            round_done: 12,
            eta_s: Some(75),
            problems: vec![Problem { path: "/n/x".to_owned(), reason: "not text".to_owned() }],
            problem_count: 3,
        },
    }
}

#[test]
fn everything_is_said_in_lines() {
    let expected = "\
daemon   running, pid 7, up 1 h 2 min, version 0.1.0
model    smol (abc)
device   cpu (2 threads, avx2)
memory   612 MB, at most unknown
index    1 document, 2 passages; indexing 12 of 40, about 1 min 15 s left
folder   /n  1 document, 2 passages
folder   /gone  0 documents, 0 passages  (it is not there)
problem  not indexed: /n/x: not text
problem  not indexed: 2 more; the daemon's log names them
";
    assert_eq!(lines(&example()), expected);
    let idle = DaemonStatus {
        folders: Vec::new(),
        index: IndexStatus::default(),
        uptime_s: 5,
        ..example()
    };
    let text = lines(&idle);
    assert!(text.contains("up 5 s"), "{text}");
    assert!(text.contains("index    0 documents, 0 passages; up to date\n"), "{text}");
    assert!(text.ends_with("folder   none; add one with: fore add DIR\n"), "{text}");
}

#[test]
fn json_says_whether_it_runs() {
    assert_eq!(as_value(None), json!({"running": false}));
    let value = as_value(Some(&example()));
    assert_eq!(value["running"], true);
    assert_eq!(value["index"]["round_done"], 12);
    let back: DaemonStatus = serde_json::from_value(value).unwrap();
    assert_eq!(back, example());
}
