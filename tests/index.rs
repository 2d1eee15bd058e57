//! What changes on disk changes the answer.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::wait_until;
use crate::sandbox::Sandbox;
use crate::wire::Wire;

/// From saving a file to an answer that knows it.
const FRESH: Duration = Duration::from_secs(3);

const SHED: &str = "what colour is the garden shed painted";

fn write_notes(sandbox: &Sandbox) {
    sandbox.write("shed.md", "# Garden shed\n\nThe garden shed is painted green.\n");
    sandbox
        .write("bread.md", "# Bread\n\nKnead the sourdough for ten minutes, then let it rest.\n");
    sandbox.write("lamp/oil.txt", "Trim the wick when the paraffin lamp smokes.\n");
    sandbox.write(
        "lamp/dim.rs",
        "/// Dims the lantern.\nfn dim_lantern(level: u8) -> u8 {\n    level / 2\n}\n",
    );
}

fn snippet(hit: &Value) -> &str {
    hit["snippet"].as_str().unwrap()
}

fn is_of(hit: &Value, name: &str) -> bool {
    Path::new(hit["path"].as_str().unwrap()).ends_with(name)
}

/// Searches until `right` accepts the hits; fails after [`FRESH`].
#[track_caller]
fn soon(wire: &mut Wire, what: &str, question: &str, right: impl Fn(&[Value]) -> bool) {
    wait_until(what, FRESH, || {
        let hits = wire.search(question, None);
        if right(&hits) { Ok(()) } else { Err(format!("{hits:#?}")) }
    });
}

#[test]
fn edit_rename_delete_change_the_answer() {
    let sandbox = Sandbox::alone();
    write_notes(&sandbox);
    sandbox.add_notes();
    let ask = |question| sandbox.fore(&["ask", question, "--no-think", "--json"]).exits(0).json();
    let hits = ask(SHED);
    assert!(is_of(&hits[0], "shed.md") && snippet(&hits[0]).contains("green"), "{hits}");
    let mut wire = sandbox.wire();

    sandbox.write("shed.md", "# Garden shed\n\nThe garden shed is painted crimson.\n");
    soon(&mut wire, "the edit", SHED, |hits| {
        is_of(&hits[0], "shed.md") && snippet(&hits[0]).contains("crimson")
    });
    assert!(!ask(SHED).to_string().contains("green"), "the old text is still found");

    // As most editors save: a new file takes the old one's name.
    let draft =
        sandbox.write(".shed.md.swp", "# Garden shed\n\nThe garden shed is painted ochre.\n");
    fs::rename(draft, sandbox.notes().join("shed.md")).unwrap();
    soon(&mut wire, "the replaced file", SHED, |hits| snippet(&hits[0]).contains("ochre"));

    fs::rename(sandbox.notes().join("shed.md"), sandbox.notes().join("lamp/hut.md")).unwrap();
    soon(&mut wire, "the new name", SHED, |hits| {
        is_of(&hits[0], "lamp/hut.md") && !hits.iter().any(|hit| is_of(hit, "shed.md"))
    });

    fs::rename(sandbox.notes().join("lamp"), sandbox.notes().join("light")).unwrap();
    soon(&mut wire, "the folder's new name", SHED, |hits| {
        is_of(&hits[0], "light/hut.md")
            && hits.iter().all(|hit| !hit["path"].as_str().unwrap().contains("/lamp/"))
    });

    fs::remove_file(sandbox.notes().join("light/hut.md")).unwrap();
    soon(&mut wire, "the deletion", SHED, |hits| {
        !hits.is_empty() && hits.iter().all(|hit| !snippet(hit).contains("painted"))
    });

    fs::create_dir_all(sandbox.notes().join("deep/er")).unwrap();
    sandbox.write("deep/er/kiln.md", "The kiln is fired to cone six.\n");
    soon(&mut wire, "a file in a new folder", "kiln cone", |hits| is_of(&hits[0], "kiln.md"));
    assert_eq!(sandbox.status()["index"]["documents"], json!(4));
}

#[test]
fn what_happens_while_no_daemon_runs_is_noticed() {
    let sandbox = Sandbox::new();
    write_notes(&sandbox);
    sandbox.add_notes();
    sandbox.fore(&["daemon", "stop"]).exits(0);

    sandbox.write("shed.md", "# Garden shed\n\nThe garden shed is painted mauve.\n");
    fs::remove_file(sandbox.notes().join("bread.md")).unwrap();
    fs::rename(sandbox.notes().join("lamp/oil.txt"), sandbox.notes().join("wick.txt")).unwrap();
    sandbox.fore(&["sync"]).exits(0);

    let mut wire = sandbox.wire();
    let hits = wire.search(SHED, None);
    assert!(is_of(&hits[0], "shed.md") && snippet(&hits[0]).contains("mauve"), "{hits:#?}");
    let mut names: Vec<_> =
        hits.iter().map(|hit| hit["path"].as_str().unwrap().rsplit('/').next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["dim.rs", "shed.md", "wick.txt"]);
}

#[test]
fn folders_are_added_listed_and_removed() {
    let sandbox = Sandbox::new();
    write_notes(&sandbox);
    let notes = sandbox.notes();
    let notes = notes.to_str().unwrap();
    let added = sandbox.fore(&["add", notes]).exits(0);
    assert_eq!(added.stdout, "", "progress and words belong on stderr");
    assert!(!added.stderr.contains('\x1b') && !added.stderr.contains('\r'), "{:?}", added.stderr);
    sandbox.fore(&["add", notes]).exits(0);

    let list = sandbox.fore(&["list", "--json"]).exits(0).json();
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
    assert_eq!((&list[0]["path"], &list[0]["documents"]), (&json!(notes), &json!(4)), "{list}");
    assert!(sandbox.fore(&["list"]).exits(0).stdout.contains(notes));

    // Relative to where the command runs, as any path on a command line.
    fs::create_dir(sandbox.home().join("more")).unwrap();
    fs::write(sandbox.home().join("more/tide.md"), "Low tide is at noon.\n").unwrap();
    sandbox.fore(&["add", "../more"]).exits(0);
    let list = sandbox.fore(&["list", "--json"]).exits(0).json();
    assert_eq!(list.as_array().unwrap().len(), 2, "{list}");

    sandbox.fore(&["remove", "../more"]).exits(0);
    assert!(sandbox.wire().search("low tide", None).iter().all(|hit| !is_of(hit, "tide.md")));
    sandbox.fore(&["remove", notes]).exits(0);
    let nothing = sandbox.fore(&["ask", "--json", "--no-think", "low tide"]).exits(1);
    assert_eq!(nothing.json(), json!([]));
    sandbox.fore(&["remove", notes]).fails_saying(&["not watched", "hint: "]);
    assert!(Path::new(notes).join("shed.md").exists(), "only the index forgets");
}

#[test]
fn ignored_and_hidden_files_stay_out() {
    let sandbox = Sandbox::new();
    write_notes(&sandbox);
    sandbox.write(".gitignore", "build/\n*.log\n");
    sandbox.write("build/out.md", "zeppelin");
    sandbox.write("trace.log", "zeppelin");
    sandbox.write(".secret/key.md", "zeppelin");
    sandbox.write("draft/.ignore", "*.md\n");
    sandbox.write("draft/later.md", "zeppelin");
    sandbox.write("draft/now.txt", "zeppelin");
    sandbox.add_notes();
    let mut wire = sandbox.wire();
    let with_word: Vec<Value> = wire
        .search("zeppelin", None)
        .into_iter()
        .filter(|hit| snippet(hit).contains("zeppelin"))
        .collect();
    assert_eq!(with_word.len(), 1, "{with_word:#?}");
    assert!(is_of(&with_word[0], "draft/now.txt"));

    // The rules are files too: changing one changes what is indexed.
    sandbox.write(".gitignore", "build/\ndraft/\n");
    let names = |hits: &[Value], name| hits.iter().any(|hit| is_of(hit, name));
    wait_until("the new rules", crate::process::PATIENCE, || {
        let hits = wire.search("zeppelin", None);
        let right = names(&hits, "trace.log") && !names(&hits, "draft/now.txt");
        if right { Ok(()) } else { Err(format!("{hits:#?}")) }
    });
}

#[test]
fn a_folder_that_goes_away_and_comes_back() {
    let sandbox = Sandbox::new();
    write_notes(&sandbox);
    sandbox.add_notes();
    let pid = sandbox.daemon_pid();
    let away = sandbox.home().join("away");
    fs::rename(sandbox.notes(), &away).unwrap();
    // Commands run elsewhere now, since their folder is gone.
    let sync = |arguments: &[&str]| {
        crate::process::run(sandbox.command(arguments).current_dir(sandbox.home()))
    };
    sync(&["sync"]).exits(0);
    let list = sync(&["list", "--json"]).exits(0).json();
    assert!(list[0]["problem"].is_string(), "the folder is gone and nothing says so: {list}");
    fs::rename(&away, sandbox.notes()).unwrap();
    sync(&["sync"]).exits(0);
    let list = sync(&["list", "--json"]).exits(0).json();
    assert!(list[0]["problem"].is_null(), "{list}");
    assert_eq!(list[0]["documents"], json!(4));
    sandbox.still_serves(pid);
}

#[test]
fn an_unchanged_file_costs_nothing() {
    let sandbox = Sandbox::alone();
    let lines: Vec<String> = (0..2_000)
        .map(|line| format!("Line {line} of the almanac tells of the weather."))
        .collect();
    sandbox.write("almanac.txt", lines.join("\n"));
    let started = Instant::now();
    sandbox.add_notes();
    let first = started.elapsed();
    sandbox.fore(&["daemon", "stop"]).exits(0);
    // A new time and the same content, as after a checkout or a restored backup.
    let file = fs::File::options().append(true).open(sandbox.notes().join("almanac.txt")).unwrap();
    file.set_modified(std::time::SystemTime::now()).unwrap();
    sandbox.fore(&["daemon", "start"]).exits(0);
    let started = Instant::now();
    sandbox.fore(&["sync"]).exits(0);
    let again = started.elapsed();
    assert!(again < first / 4, "indexing took {first:?}, looking again {again:?}");
}

#[test]
fn a_saved_file_does_not_wait_for_a_long_round() {
    let sandbox = Sandbox::alone();
    write_notes(&sandbox);
    sandbox.add_notes();
    let ledgers = sandbox.home().join("ledgers");
    fs::create_dir(&ledgers).unwrap();
    for number in 0..200 {
        let line = |line| format!("Line {line} of ledger {number} counts barrels and ropes.");
        let lines: Vec<String> = (0..40).map(line).collect();
        fs::write(ledgers.join(format!("{number}.txt")), lines.join("\n")).unwrap();
    }
    sandbox.fore(&["add", "--no-wait", ledgers.to_str().unwrap()]).exits(0);
    let mut watching = sandbox.wire();
    watching.send(&json!({"request": "subscribe", "id": 1}));
    watching.until("a long round", |event| {
        event["status"]["round_done"].as_u64().is_some_and(|done| done > 0)
    });
    let mut wire = sandbox.wire();
    for colour in ["teal", "amber"] {
        let text = format!("# Garden shed\n\nThe garden shed is painted {colour}.\n");
        sandbox.write("shed.md", text);
        soon(&mut wire, "an edit amid the round", SHED, |hits| snippet(&hits[0]).contains(colour));
    }
    assert_eq!(sandbox.status()["index"]["phase"], json!("encoding"), "the round was too short");
}
