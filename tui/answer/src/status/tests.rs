use daemon_protocol::Folder;

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
        kinds: BTreeMap::from([("md".to_owned(), 3)]),
        left_out: [
            ("png", 12),
            ("zip", 5),
            ("", 3),
            ("a", 2),
            ("b", 2),
            ("c", 1),
            ("d", 1),
            ("e", 1),
            ("f", 1),
            ("g", 2),
        ]
        .map(|(kind, count)| (kind.to_owned(), count))
        .into(),
        index: IndexStatus {
            phase: Phase::Encoding,
            documents: 1,
            passages: 2,
            round_total: 40,
            round_done: 12,
            eta_s: Some(75),
            problems: vec![Problem { path: "/n/x".to_owned(), reason: "not text".to_owned() }],
            problem_count: 3,
            storing: None,
            next: None,
            waiting: None,
        },
        training: None,
    }
}

fn run() -> TrainingStatus {
    TrainingStatus {
        pid: 9,
        run: "3fa9c1d2".to_owned(),
        stage: "training".to_owned(),
        done: 120,
        total: 400,
        eta_s: Some(300),
        loss: Some(0.8312),
        tokens_per_s: Some(911.75),
        ndcg_10: Some(0.612),
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
kinds    3 md
left out 12 png, 5 zip, 3 without an ending, 2 a, 2 b, 2 g, 1 c, 1 d, 2 others
folder   /n  1 document, 2 passages
folder   /gone  0 documents, 0 passages  (it is not there)
problem  not indexed: /n/x: not text
problem  not indexed: 2 more; the daemon's log names them
";
    assert_eq!(running_lines(&example()), expected);
    let idle = DaemonStatus {
        folders: Vec::new(),
        index: IndexStatus::default(),
        uptime_s: 5,
        ..example()
    };
    let text = running_lines(&idle);
    assert!(text.contains("up 5 s"), "{text}");
    assert!(text.contains("index    0 documents, 0 passages; up to date\n"), "{text}");
    assert!(text.ends_with("folder   none; add one with: fore add DIR\n"), "{text}");
}

#[test]
fn a_model_that_is_to_serve_next_is_told() {
    let told = |lacks: Option<Problem>| {
        let next = Some(NextModel { model: "smol-2".to_owned(), documents: 812, lacks });
        running_lines(&DaemonStatus { index: IndexStatus { next, ..example().index }, ..example() })
    };
    let line = "next     smol-2: 812 documents so far; it serves once it has all\nkinds ";
    assert!(told(None).contains(line), "{}", told(None));
    let lacks = Problem { path: "/n/x".to_owned(), reason: "it is away".to_owned() };
    assert!(told(Some(lacks)).contains("so far; it waits for /n/x: it is away\n"));
}

#[test]
fn an_index_that_cannot_be_written_is_told() {
    let index = IndexStatus { storing: Some("disk full\n".to_owned()), ..IndexStatus::default() };
    let text = running_lines(&DaemonStatus { index, ..example() });
    assert!(text.contains("index    0 documents, 0 passages; cannot be written\n"), "{text}");
    let problem =
        "problem  the index cannot be written: disk full; what was found before still is\n";
    assert!(text.ends_with(problem), "{text}");
}

#[test]
fn why_indexing_waits_is_told() {
    let waiting = Some("on battery, which has 12 % left\n".to_owned());
    let index = IndexStatus { waiting, ..IndexStatus::default() };
    let text = running_lines(&DaemonStatus { index, ..example() });
    assert!(text.contains("\nwaiting  on battery, which has 12 % left\n"), "{text}");
    assert!(!running_lines(&example()).contains("waiting"));
}

#[test]
fn a_run_is_told_with_and_without_a_daemon() {
    let line = "training 3fa9c1d2, pid 9: training 120 of 400, loss 0.831, held-out nDCG@10 0.612, \
                912 tokens/s, about 5 min 0 s left\n";
    let text = running_lines(&DaemonStatus { training: Some(run()), ..example() });
    assert!(text.contains(&format!(" others\n{line}folder   /n")), "{text}");
    assert_eq!(idle_lines(Some(&run())), format!("daemon   not running\n{line}"));
    assert_eq!(idle_lines(None), "daemon   not running\n");
    let bare = TrainingStatus {
        stage: "mining\n\x1b[2J".to_owned(),
        total: 0,
        eta_s: None,
        loss: None,
        tokens_per_s: None,
        ndcg_10: None,
        ..run()
    };
    assert_eq!(training_line(&bare), "training 3fa9c1d2, pid 9: mining \u{fffd}[2J");
    assert_eq!(idle_value(Some(&run()))["training"]["done"], 120);
    let value = running_value(&DaemonStatus { training: Some(run()), ..example() });
    assert_eq!(value["training"], idle_value(Some(&run()))["training"]);
}

#[test]
fn json_says_whether_it_runs() {
    assert_eq!(idle_value(None), json!({"running": false}));
    let value = running_value(&example());
    assert_eq!(value["running"], true);
    assert_eq!(value["index"]["round_done"], 12);
    let back: DaemonStatus = serde_json::from_value(value).unwrap();
    assert_eq!(back, example());
}
