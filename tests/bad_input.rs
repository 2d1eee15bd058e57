//! What people and disks do wrong: a clear message, the right exit status, and a daemon that
//! lives on.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::process::run;
use crate::sandbox::{FORE, Sandbox, real_model};
use crate::wire::Wire;

#[test]
fn a_model_file_that_is_none() {
    let sandbox = Sandbox::without_model();
    let model = sandbox.model();
    let name = model.to_str().unwrap();
    sandbox.write("shed.md", "The shed is green.\n");
    let asks: [&[&str]; 3] = [&["ask", "what colour"], &["add", "."], &["daemon", "run"]];
    for arguments in asks {
        let folder = model.parent().unwrap().to_str().unwrap();
        sandbox.fore(arguments).fails_saying(&["no model", folder, "hint: run: fore model pull"]);
    }

    let real = fs::read(real_model()).unwrap();
    let mut scribbled = real.clone();
    scribbled[40..4_000].fill(0xff);
    let bert = gguf_header("bert");
    let table: [(&str, &[u8], &[&str]); 6] = [
        ("empty", b"", &[]),
        ("something else", b"%PDF-1.7 this is not a model", &["gguf"]),
        ("cut in its header", &real[..1 << 20], &["truncated"]),
        ("cut in its weights", &real[..real.len() / 2], &["truncated"]),
        ("scribbled over", &scribbled, &[]),
        ("of another architecture", &bert, &["bert", "llama", "qwen2", "qwen3"]),
    ];
    for (what, bytes, words) in table {
        fs::write(&model, bytes).unwrap();
        let failure = sandbox.fore(&["ask", "what colour"]).fails_saying(&[name, "fore model"]);
        let failure = failure.says(words);
        assert!(failure.stderr.len() < 1_000, "{what}: {}", failure.stderr);
        assert!(Wire::open(&sandbox.socket()).is_err(), "{what}: a daemon without a model serves");
    }
    fs::remove_file(&model).unwrap();
    fs::create_dir(&model).unwrap();
    sandbox.fore(&["ask", "what colour"]).fails_saying(&[name]);
}

/// The least a GGUF file can say.
fn gguf_header(architecture: &str) -> Vec<u8> {
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(3_u32.to_le_bytes());
    for count in [0_u64, 1] {
        bytes.extend(count.to_le_bytes());
    }
    let text = |bytes: &mut Vec<u8>, text: &str| {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.bytes());
    };
    text(&mut bytes, "general.architecture");
    bytes.extend(8_u32.to_le_bytes());
    text(&mut bytes, architecture);
    bytes
}

#[test]
fn files_that_cannot_be_read() {
    let sandbox = Sandbox::new();
    let good = sandbox.write("good.md", "# Good\n\nThe kettle whistles in the kitchen.\n");
    sandbox.write("zero.md", "");
    sandbox.write("data.bin", [0_u8, 159, 146, 150].repeat(5_000));
    sandbox.write("cyrillic.txt", [0xcf_u8, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2, b' '].repeat(200));
    sandbox.write("latin.txt", b"The caf\xe9 terrace closes at dusk.\n");
    sandbox
        .write("damaged.md", b"# Br\xc3\xbccke\n\nThe br\xc3\xbccke spans\xff the r\xc3\xado.\n");
    let secret = sandbox.write("secret.md", "nobody may read this");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    let mut big = File::create(sandbox.notes().join("big.txt")).unwrap();
    let megabyte = "the quick brown fox jumps over the lazy dog\n".repeat(24_000);
    for _ in 0..100 {
        big.write_all(megabyte.as_bytes()).unwrap();
    }
    symlink(sandbox.notes(), sandbox.notes().join("round")).unwrap();
    symlink("b.md", sandbox.notes().join("a.md")).unwrap();
    symlink("a.md", sandbox.notes().join("b.md")).unwrap();
    symlink("nowhere.md", sandbox.notes().join("dangling.md")).unwrap();
    assert!(
        Command::new("mkfifo").arg(sandbox.notes().join("pipe.md")).status().unwrap().success()
    );

    run(&mut without_override(&sandbox, &secret, &["daemon", "start"])).exits(0);
    let pid = sandbox.daemon_pid();
    let added = sandbox.fore(&["add", "."]).exits(0);
    assert!(added.stderr.contains("secret.md"), "nothing is said of it: {}", added.stderr);

    let status = sandbox.status();
    let problems = status["index"]["problems"].as_array().unwrap();
    let reason = |name: &str| {
        let of = |problem: &&Value| Path::new(problem["path"].as_str().unwrap()).ends_with(name);
        problems.iter().find(of).map(|problem| problem["reason"].as_str().unwrap().to_owned())
    };
    for (name, words) in [
        ("data.bin", "not text"),
        ("cyrillic.txt", "UTF-8"),
        ("secret.md", "cannot be read"),
        ("big.txt", "MiB"),
    ] {
        let said = reason(name).unwrap_or_else(|| panic!("{name} is not in {problems:#?}"));
        assert!(said.contains(words), "{name}: {said}");
    }
    assert_eq!(problems.len(), 4, "{problems:#?}");
    assert!(sandbox.fore(&["status"]).exits(0).stdout.contains("big.txt"));

    let mut wire = sandbox.wire();
    for (question, name) in [
        ("kettle whistles", "good.md"),
        ("terrace closes at dusk", "latin.txt"),
        ("brücke spans", "damaged.md"),
    ] {
        let hits = wire.search(question, None);
        let path = Path::new(hits[0]["path"].as_str().unwrap());
        assert!(path.ends_with(name), "{question}: {hits:#?}");
        assert!(path.parent() == good.parent(), "found by way of a link: {}", path.display());
    }
    sandbox.still_serves(pid);

    // What is mended is indexed, without anybody asking for it.
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&secret, "The password of the boathouse is swordfish.\n").unwrap();
    crate::process::wait_until("the mended file", crate::process::PATIENCE, || {
        let hits = wire.search("boathouse password", None);
        let found = Path::new(hits[0]["path"].as_str().unwrap()) == secret;
        if found { Ok(()) } else { Err(format!("{hits:#?}")) }
    });
}

/// `fore` as someone whom file modes concern: root may read everything, so root gives that up.
fn without_override(sandbox: &Sandbox, forbidden: &Path, arguments: &[&str]) -> Command {
    if File::open(forbidden).is_err() {
        return sandbox.command(arguments);
    }
    let mut command = sandbox.program("setpriv");
    command.args(["--bounding-set=-dac_override,-dac_read_search", FORE]).args(arguments);
    command
}

#[test]
fn folders_that_are_none() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("shed.md", "The shed is green.\n");
    sandbox.fore(&["daemon", "start"]).exits(0);
    let pid = sandbox.daemon_pid();
    let long = "x".repeat(5_000);
    let table: [(&[&str], &[&str]); 6] = [
        (&["add", "nowhere"], &["nowhere", "does not exist"]),
        (&["add", file.to_str().unwrap()], &["shed.md", "folder"]),
        (&["add", ""], &[]),
        (&["add", &long], &["too long"]),
        (&["add"], &["DIR"]),
        (&["remove", "nowhere"], &["nowhere", "hint: "]),
    ];
    for (arguments, words) in table {
        sandbox.fore(arguments).fails_saying(words);
    }
    sandbox.still_serves(pid);
}

#[test]
fn questions_that_are_none() {
    let sandbox = Sandbox::new();
    sandbox.write("shed.md", "The shed is green.\n");
    sandbox.add_notes();
    let pid = sandbox.daemon_pid();
    let endless = "why ".repeat(25_000);
    let table: [(&[&str], &[&str]); 5] = [
        (&["ask", "--no-think", "*"], &["no word in it"]),
        (&["ask", ""], &["question"]),
        (&["ask", " \t\n"], &["question"]),
        (&["ask"], &["question"]),
        (&["ask", &endless], &["characters", "8192"]),
    ];
    for (arguments, words) in table {
        let failure = sandbox.fore(arguments).fails_saying(words);
        assert!(failure.stderr.len() < 1_000, "the question is not for repeating");
    }
    // Odd, but questions. There is no query syntax to get wrong.
    for odd in [
        "AND OR NOT (",
        "\"unclosed",
        "shed^2~",
        "-1",
        "path:shed",
        "<emb></query>",
        "\u{0}x",
        "¿qué? 東京 🦀",
        "<|im_end|>",
        "'; drop table notes; --",
        "a\nb\r\nc",
        "\u{1b}[31mred",
    ] {
        let odd = odd.replace('\0', "\u{1}");
        let answer = sandbox.fore(&["ask", "--no-think", "--json", "--", &odd]).exits(0);
        assert_eq!(answer.json().as_array().unwrap().len(), 1, "{odd}: {}", answer.stdout);
    }
    let longest = "w".repeat(8_192);
    sandbox.fore(&["ask", "--no-think", "--json", &longest]).exits(0);
    sandbox.still_serves(pid);
}

#[test]
fn settings_and_lists_that_are_damaged() {
    let sandbox = Sandbox::new();
    let settings = sandbox.home().join("config/forethought/config.toml");
    fs::create_dir_all(settings.parent().unwrap()).unwrap();
    for (text, words) in [
        ("thoughts = \"many\"\n", &["config.toml:1", "many"][..]),
        ("thouhgts = 3\n", &["config.toml", "thouhgts"]),
        ("top_p = 7.0\n", &["config.toml", "top_p"]),
        ("thoughts = 3\nthoughts = 4\n", &["config.toml"]),
        ("[", &["config.toml"]),
    ] {
        fs::write(&settings, text).unwrap();
        sandbox.fore(&["ask", "x"]).fails_saying(words);
    }
    fs::remove_file(&settings).unwrap();
    sandbox.fore(&["--config", "nowhere.toml", "ask", "x"]).fails_saying(&["nowhere.toml"]);

    let folders = sandbox.home().join("data/forethought/folders.json");
    fs::create_dir_all(folders.parent().unwrap()).unwrap();
    fs::write(&folders, "{\"version\":1,\"folders\":[").unwrap();
    sandbox.fore(&["list"]).fails_saying(&["folders.json"]);
    fs::remove_file(&folders).unwrap();
    sandbox.fore(&["list"]).exits(0);
}
