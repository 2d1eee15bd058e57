//! What surrounds the program on a machine: settings, the doctor, the service of the system, completions,
//! manual pages, versions.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::process::{Finished, run};
use crate::sandbox::{FORE, Sandbox};

#[test]
fn versions_completions_and_pages() {
    let sandbox = Sandbox::without_model();
    let version = sandbox.fore(&["--version"]).exits(0).stdout;
    assert_eq!(version, format!("fore {}\n", env!("CARGO_PKG_VERSION")));
    let verbose = sandbox.fore(&["-V", "-v"]).exits(0).stdout;
    let words: Vec<&str> = verbose.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(words, ["fore", "commit", "protocol", "devices", "system"], "{verbose}");
    assert!(verbose.contains("devices  cpu"), "{verbose}");
    sandbox.fore(&["-v"]).fails_saying(&["--version"]);

    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = sandbox.fore(&["completions", shell]).exits(0).stdout;
        assert!(script.contains("why-not") && script.contains("color"), "{shell}");
        for hidden in ["read-files", "draw-page"] {
            assert!(!script.contains(hidden), "{shell} completes what nobody should type");
        }
    }
    let bash = sandbox.home().join("fore.bash");
    fs::write(&bash, sandbox.fore(&["completions", "bash"]).stdout).unwrap();
    let completing = format!(
        "source {}; COMP_WORDS=(fore wh); COMP_CWORD=1; _fore fore wh fore; echo \"${{COMPREPLY[@]}}\"",
        bash.display()
    );
    let completed = run(sandbox.program("bash").args(["-c", &completing])).exits(0);
    assert_eq!(completed.stdout, "why-not\n");

    let page = sandbox.fore(&["man"]).exits(0).stdout;
    assert!(page.contains(".TH fore 1") && page.contains("fore\\-ask(1)"), "{page}");
    assert!(page.contains(".SH KEYS") && page.contains("\\fBDown, Ctrl\\-N\\fR [j]"), "{page}");
    let ask = sandbox.fore(&["man", "ask"]).exits(0).stdout;
    assert!(ask.contains("\\-\\-envelope") && ask.contains("\\-\\-color"), "{ask}");
    sandbox.fore(&["man", "daemon", "run"]).exits(0);
    sandbox.fore(&["man", "dance"]).fails_saying(&["no command \"dance\""]);
}

#[test]
fn settings_are_shown_and_changed() {
    let sandbox = Sandbox::without_model();
    let file = sandbox.home().join("config/forethought/config.toml");
    let shown = sandbox.fore(&["config", "path"]).exits(0).stdout;
    assert_eq!(shown, format!("{}\n", file.display()));
    let defaults = sandbox.fore(&["config"]).exits(0).stdout;
    assert!(defaults.contains("\n# read_ms = 1000\n"), "{defaults}");
    assert_eq!(sandbox.fore(&["config", "get", "thoughts"]).exits(0).stdout, "1\n");

    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "# mine\nseed = 3 # lucky\n").unwrap();
    sandbox.fore(&["config", "set", "thoughts", "2"]).exits(0).says(&["fore daemon stop"]);
    sandbox.fore(&["config", "set", "device", "cpu"]).exits(0);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text, "# mine\nseed = 3 # lucky\nthoughts = 2\ndevice = \"cpu\"\n");
    assert_eq!(sandbox.fore(&["config", "get", "device"]).exits(0).stdout, "cpu\n");
    for (words, told) in [
        (&["set", "thoughts", "99"][..], "0 to 16 is allowed"),
        (&["set", "colour", "red"], "there is no setting \"colour\""),
        (&["get", "colour"], "fore config"),
    ] {
        sandbox.fore(&[&["config"], words].concat()).fails_saying(&[told]);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "what is wrong is not written");

    // Who has broken the file can still ask what it may say.
    fs::write(&file, "thoughts = 99\n").unwrap();
    sandbox.fore(&["list"]).fails_saying(&["config.toml:1: thoughts = 99"]);
    assert_eq!(sandbox.fore(&["config"]).exits(0).stdout, defaults);
    assert_eq!(sandbox.fore(&["config", "path"]).exits(0).stdout, shown);
}

/// Of what `store.uri` may be the usual program knows, and says which other one can do it.
#[cfg(not(feature = "s3"))]
#[test]
fn an_index_on_an_object_store_wants_another_build() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.fore(&["config", "get", "store.uri"]).exits(0).stdout, "unset\n");
    let wrong = &["config", "set", "store.uri", "/tmp/index"];
    sandbox.fore(wrong).fails_saying(&["s3://BUCKET/FOLDER"]);
    sandbox.fore(&["config", "set", "store.uri", "s3://notes/index"]).exits(0);
    let doctor = sandbox.fore(&["doctor"]).stdout;
    assert!(doctor.contains("it is shared, in s3://notes/index"), "{doctor}");
    sandbox.fore(&["list"]).fails_saying(&["built without object stores", "--features s3"]);
}

/// What `fore doctor` finds that is not well: what it is about, and what mends it.
fn ailments(doctor: &Finished) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = doctor.json()["findings"].as_array().unwrap().clone();
    let wrong = found.iter().filter(|finding| finding["level"] == "wrong");
    wrong.map(|finding| (text(&finding["about"]), text(&finding["mend"]))).collect()
}

#[test]
fn the_doctor_names_what_is_wrong_and_what_mends_it() {
    let bare = Sandbox::without_model();
    let doctor = bare.fore(&["doctor", "--json"]).exits(1);
    assert_eq!(ailments(&doctor), [("model".to_owned(), "fore model pull".to_owned())]);
    assert!(!bare.socket().exists(), "the doctor starts nothing");

    let sandbox = Sandbox::new();
    sandbox.write("lamp.md", "The lamp smokes.\n");
    let gone = sandbox.home().join("gone");
    fs::create_dir(&gone).unwrap();
    fs::write(gone.join("a.md"), "The tide is low.\n").unwrap();
    sandbox.add_notes();
    sandbox.fore(&["add", gone.to_str().unwrap()]).exits(0);
    let well = sandbox.fore(&["doctor"]).exits(0).stdout;
    for line in [
        "ok    daemon   version",
        "ok    model",
        "ok    watched  /tmp/",
        "ok    index    2 documents, up to date",
    ] {
        assert!(well.lines().any(|found| found.starts_with(line)), "{line:?} is not in:\n{well}");
    }
    assert_eq!(sandbox.fore(&["doctor", "--json"]).exits(0).json()["well"], json!(true));

    fs::remove_dir_all(&gone).unwrap();
    let data = sandbox.home().join("data/forethought");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let settings = sandbox.home().join("config/forethought");
    fs::create_dir_all(&settings).unwrap();
    fs::write(settings.join("config.toml"), "thoughts = 99\n").unwrap();
    let told = ailments(&sandbox.fore(&["doctor", "--json"]).exits(1));
    let mends =
        |about: &str| told.iter().find(|(found, _)| found == about).map(|(_, mend)| mend.as_str());
    assert_eq!(
        mends("folders"),
        Some(format!("chmod 700 {}", data.display()).as_str()),
        "{told:?}"
    );
    assert!(
        mends("watched").unwrap().ends_with(&format!("fore remove {}", gone.display())),
        "{told:?}"
    );
    assert!(mends("settings").unwrap().contains("fore config"), "{told:?}");

    // What it names does mend it.
    fs::remove_file(settings.join("config.toml")).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    sandbox.fore(&["remove", gone.to_str().unwrap()]).exits(0);
    sandbox.fore(&["doctor"]).exits(0);

    sandbox.kill_daemon();
    let after = sandbox.fore(&["doctor"]).exits(0).stdout;
    assert!(after.contains("note  daemon   none runs") && after.contains("was killed"), "{after}");
    fs::remove_file(sandbox.socket()).unwrap();
    fs::write(sandbox.socket(), "").unwrap();
    let told = ailments(&sandbox.fore(&["doctor", "--json"]).exits(1));
    assert!(
        told.iter().any(|(about, mend)| about == "socket" && mend.starts_with("mv ")),
        "{told:?}"
    );
}

/// A folder with a `systemctl` in it that notes what it is told and then does `last`.
fn systemctl(sandbox: &Sandbox, last: &str) -> (PathBuf, PathBuf) {
    let (folder, log) = (sandbox.home().join("bin"), sandbox.home().join("systemctl.log"));
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join("systemctl");
    fs::write(&program, format!("#!/bin/sh\necho \"$@\" >> {}\n{last}\n", log.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (folder, log)
}

#[cfg(target_os = "linux")]
#[test]
fn a_service_is_installed_told_of_and_removed() {
    let sandbox = Sandbox::without_model();
    let (folder, log) = systemctl(&sandbox, "echo active");
    let service =
        |word: &str, path: &str| run(sandbox.command(&["service", word]).env("PATH", path));
    let path = format!("{}:/usr/bin:/bin", folder.display());
    let unit = sandbox.home().join("config/systemd/user/forethought.service");

    service("status", &path).exits(1);
    service("install", &path).exits(0).says(&["wrote", "at every login"]);
    let text = fs::read_to_string(&unit).unwrap();
    assert_eq!(fs::metadata(&unit).unwrap().permissions().mode() & 0o777, 0o644);
    assert!(text.contains(&format!("ExecStart=\"{FORE}\" daemon run\n")), "{text}");
    let data = format!("Environment=\"XDG_DATA_HOME={}\"", sandbox.home().join("data").display());
    assert!(text.contains(&data), "{text}");
    let status = service("status", &path).exits(0).stdout;
    assert!(status.contains("state    active"), "{status}");
    service("remove", &path).exits(0);
    assert!(!unit.exists());
    let said = fs::read_to_string(&log).unwrap();
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            "--user daemon-reload",
            "--user enable --now forethought.service",
            "--user is-active forethought.service",
            "--user disable --now forethought.service",
        ]
    );
    service("remove", &path).exits(0).says(&["no service is installed"]);

    // Without the manager the file is written, and what to run is said; where it refuses, that is an error.
    let nothing = sandbox.home().join("empty");
    fs::create_dir(&nothing).unwrap();
    service("install", nothing.to_str().unwrap())
        .exits(0)
        .says(&["run: systemctl --user daemon-reload"]);
    systemctl(&sandbox, "echo no bus >&2; exit 1");
    service("install", &path).fails_saying(&["was not started: no bus", "systemctl --user enable"]);

    let verify = sandbox.program("sh").args(["-c", "command -v systemd-analyze"]).output().unwrap();
    if verify.status.success() {
        let unit = unit.to_str().unwrap();
        let verified = run(sandbox.program("systemd-analyze").args(["verify", "--user", unit]));
        assert!(!verified.stderr.contains("forethought.service"), "{}", verified.stderr);
    }
}
