mod sections;

use std::path::Path;

use clap::Parser;

use super::*;
use crate::cli::Global;
use crate::commands::{self, Command};
use crate::config::Surroundings;

/// The flags as typed.
fn typed(words: &[&str]) -> Args {
    let words = ["fore", "eval"].iter().chain(words);
    match commands::Args::try_parse_from(words).unwrap().command {
        Some(Command::Eval(args)) => args,
        other => panic!("{other:?}"),
    }
}

fn config(home: &Path) -> Config {
    let variable = |name: &str| (name == "HOME").then(|| home.as_os_str().to_owned());
    let outside = Surroundings { variable: &variable, user_id: 1, working_dir: home.to_owned() };
    Config::load(&Global::default(), &outside).unwrap().0
}

fn column(name: &str) -> Column {
    name.parse().unwrap()
}

fn settings() -> Settings {
    Settings {
        command: "fore eval x".to_owned(),
        sampling: Sampling { thoughts: 3, ..Sampling::default() },
        reading: Reading::default(),
        chunked: false,
        baseline: BASELINE,
        seed: 7,
        peer: PathBuf::from("/peer"),
    }
}

#[test]
fn columns_are_those_asked_for_and_possible() {
    let own = "bm25 bm25+greedy bm25+sampled dense dense+greedy dense+sampled dense+grounded \
               hybrid hybrid+greedy hybrid+sampled hybrid+grounded hybrid+read hybrid+read+sampled \
               hybrid+read+grounded hybrid+read+quoted hybrid+read+rocchio";
    let all = format!("{own} peer-dense peer-hybrid peer-hybrid+read");
    for (words, expected) in [
        ("x", Ok(all.as_str())),
        ("x --no-peer", Ok(own)),
        ("--judgments j", Ok(own)),
        ("x --columns dense,bm25,dense", Ok("dense bm25")),
        ("x --columns bm25 --explain 1", Ok("bm25 dense dense+sampled hybrid hybrid+sampled")),
        ("x --columns dense --baseline dense", Ok("dense")),
        ("x --columns dense --baseline hybrid", Err("the baseline hybrid is not measured")),
        ("x --no-peer --columns peer-dense", Err("--no-peer leaves the peer out")),
        ("x --no-peer --also-full peer-dense", Err("--no-peer leaves the peer out")),
        ("--judgments j --columns peer-dense", Err("your index has no vectors of the peer")),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        match (columns(&typed(&words)), expected) {
            (Ok(found), Ok(expected)) => {
                let found: Vec<&str> = found.iter().map(|column| column.name()).collect();
                assert_eq!(found.join(" "), expected, "{words:?}");
            }
            (Err(error), Err(expected)) => assert!(error.message.contains(expected), "{error}"),
            (found, _) => panic!("{words:?} gave {found:?}"),
        }
    }
}
