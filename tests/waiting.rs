//! Indexing that is paused and resumed from the command line, what a start leaves as it was, and the measuring of a
//! machine.

use std::fs;

use serde_json::json;

use crate::sandbox::Sandbox;

#[test]
fn a_pause_is_told_and_outlives_the_daemon() {
    let sandbox = Sandbox::new();
    sandbox.add_notes();
    sandbox.fore(&["pause", "soon"]).exits(2);
    sandbox.fore(&["pause", "2h"]).exits(0).says(&["paused for 2 h more", "fore resume"]);
    sandbox.fore(&["pause"]).exits(0).says(&["paused until it is resumed"]);
    sandbox.write("new.md", "a quartzlike anchor");
    sandbox.fore(&["sync"]).exits(0).says(&["not all is indexed yet: paused until it is resumed"]);
    sandbox.fore(&["daemon", "stop"]).exits(0);
    sandbox.fore(&["daemon", "start"]).exits(0);
    let told = sandbox.fore(&["status"]).exits(0).stdout;
    assert!(told.contains("\nwaiting  paused until it is resumed\n"), "{told}");
    sandbox.fore(&["resume"]).exits(0);
    sandbox.fore(&["sync"]).exits(0);
    assert_eq!(sandbox.status()["index"]["waiting"], json!(null));
    let hits = sandbox.fore(&["ask", "--no-think", "quartzlike"]).exits(0).stdout;
    assert!(hits.contains("new.md"), "{hits}");
}

#[test]
fn a_start_without_news_writes_neither_who_serves_nor_a_version_of_the_index() {
    let sandbox = Sandbox::new();
    sandbox.write("a.md", "an anchor");
    sandbox.add_notes();
    let data = sandbox.home().join("data/forethought");
    let state = || {
        let served = fs::metadata(data.join("served.json")).unwrap().modified().unwrap();
        let tables = fs::read_dir(data.join("index")).unwrap();
        let versions = tables
            .map(|table| fs::read_dir(table.unwrap().path().join("_versions")).unwrap().count());
        (served, versions.collect::<Vec<_>>())
    };
    let restart = || {
        sandbox.fore(&["daemon", "stop"]).exits(0);
        sandbox.fore(&["daemon", "start"]).exits(0);
        sandbox.fore(&["sync"]).exits(0);
    };
    // The first start after a save maintains what came of it.
    restart();
    let before = state();
    restart();
    assert_eq!(state(), before);
}

#[test]
fn a_machine_is_measured_beside_the_users_index() {
    let sandbox = Sandbox::new();
    let told = sandbox.fore(&["-q", "bench", "--files", "3", "--saves", "2", "--json"]).exits(0);
    let speed = told.json();
    for figure in ["encode_tokens_per_s", "think_tokens_per_s", "first_token_ms", "index_s"] {
        assert!(speed[figure].as_f64().is_some_and(|figure| figure > 0.0), "{figure}: {speed}");
    }
    assert!(speed["save_to_found"]["p95_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{speed}");
    assert!(!sandbox.home().join("data/forethought/index").exists(), "the user's is not touched");
}
