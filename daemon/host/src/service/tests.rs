use super::*;

fn program(path: &str, flags: &[&str], variables: &[(&str, &str)]) -> Program {
    Program {
        path: path.into(),
        flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        variables: variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
    }
}

#[test]
fn a_unit_says_what_is_run_and_with_what() {
    let plain = systemd(&program("/usr/bin/fore", &[], &[]));
    assert_eq!(
        plain,
        "[Unit]\nDescription=forethought, which indexes and searches your folders\n\n[Service]\n\
         ExecStartPre=-\"/usr/bin/fore\" --quiet daemon stop\n\
         ExecStart=\"/usr/bin/fore\" daemon run\nRestart=on-failure\nRestartSec=10\nUMask=0077\n\n\
         [Install]\nWantedBy=default.target\n"
    );
    let odd = program(
        "/a b/50%\\$x\"/fore",
        &["--config", "/c $d.toml"],
        &[("XDG_DATA_HOME", "/d \"%$")],
    );
    let odd = systemd(&odd);
    for line in [
        "ExecStart=\"/a b/50%%\\\\$x\\\"/fore\" daemon run \"--config\" \"/c $$d.toml\"",
        "Environment=\"XDG_DATA_HOME=/d \\\"%%$\"",
    ] {
        assert!(odd.lines().any(|found| found == line), "{line} is not in:\n{odd}");
    }
}

/// What `systemd-analyze verify` says of `text` as a user's unit, and whether it is content.
#[cfg(target_os = "linux")]
fn verified(text: &str, dir: &Path) -> Option<(bool, String)> {
    let unit = dir.join(UNIT);
    fs::write(&unit, text).unwrap();
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--user"]).arg(unit).env("XDG_RUNTIME_DIR", dir).env("HOME", dir);
    match verify.output() {
        Ok(output) => {
            Some((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned()))
        }
        // A Linux without systemd.
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => panic!("{error}"),
    }
}

#[cfg(target_os = "linux")]
#[test]
fn systemd_itself_takes_the_unit() {
    let dir = tempfile::tempdir().unwrap();
    // One with a quote or a backslash in its path systemd runs under no spelling.
    for name in ["bin", "a b", "50%$x", "ä"] {
        let folder = dir.path().join(name);
        fs::create_dir(&folder).unwrap();
        let fore = folder.join("fore");
        fs::write(&fore, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&fore, Permissions::from_mode(0o755)).unwrap();
        let fore = fore.display().to_string();
        let odd = [("XDG_DATA_HOME", fore.as_str())];
        let text = systemd(&program(&fore, &["--config", &fore], &odd));
        let Some(told) = verified(&text, dir.path()) else { return };
        assert_eq!(told, (true, String::new()), "{text}");
    }
    // It would say so otherwise.
    let gone = systemd(&program("/nowhere/fore", &[], &[]));
    let (content, told) = verified(&gone, dir.path()).unwrap();
    assert!(!content && told.contains("/nowhere/fore is not executable"), "{told}");
    let unknown = gone.replace("RestartSec", "RestartSecs");
    assert!(verified(&unknown, dir.path()).unwrap().1.contains("Unknown key"));
}

#[test]
fn an_agent_says_the_same() {
    let text =
        launchd(&program("/a<b>&c/fore", &["--device", "metal"], &[("XDG_DATA_HOME", "/d")]));
    for (part, count) in [
        (
            "<string>/a&lt;b&gt;&amp;c/fore</string>\n    <string>daemon</string>\n    <string>run</string>\n    <string>--device</string>\n    <string>metal</string>\n  </array>",
            1,
        ),
        ("<key>XDG_DATA_HOME</key>\n    <string>/d</string>", 1),
        ("<key>Label</key>\n  <string>org.forethought.daemon</string>", 1),
        ("<key>RunAtLoad</key>\n  <true/>", 1),
        ("<key>SuccessfulExit</key>\n    <false/>", 1),
    ] {
        assert_eq!(text.matches(part).count(), count, "{part} in:\n{text}");
    }
    // Each element that is opened is closed, and in the right order.
    let mut open = Vec::new();
    for tag in text.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop().as_deref(), Some(name), "{text}"),
            None if tag.ends_with('/') || tag.starts_with(['?', '!']) => {}
            None => open.push(tag.split(' ').next().unwrap().to_owned()),
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
}

#[test]
fn each_manager_has_its_file_and_its_words() {
    let (home, settings) = (Path::new("/h"), Path::new("/h/.config"));
    for (manager, file, starting, ending, asking) in [
        (
            Manager::Systemd,
            "/h/.config/systemd/user/forethought.service",
            "systemctl --user daemon-reload; systemctl --user enable --now forethought.service",
            "systemctl --user disable --now forethought.service",
            "systemctl --user is-active forethought.service",
        ),
        (
            Manager::Launchd,
            "/h/Library/LaunchAgents/org.forethought.daemon.plist",
            "launchctl bootstrap gui/7 /h/Library/LaunchAgents/org.forethought.daemon.plist",
            "launchctl bootout gui/7/org.forethought.daemon",
            "launchctl print gui/7/org.forethought.daemon",
        ),
    ] {
        let path = manager.file(home, settings);
        assert_eq!(path, Path::new(file));
        let joined = |commands: Vec<Vec<OsString>>| {
            commands.iter().map(|one| shown(one)).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(joined(manager.starting(&path, 7)), starting);
        assert_eq!(joined(manager.ending(7)), ending);
        assert_eq!(shown(&manager.asking(7)), asking);
    }
}

#[test]
fn a_file_is_written_and_commands_are_run_until_one_fails() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("systemd/user/a.service");
    write(&file, "text").unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "text");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);

    let shell = |script: &str| words(&["sh", "-c", script]);
    let mark = dir.path().join("mark");
    let touch = shell(&format!("touch {}", mark.display()));
    assert_eq!(run(&[shell("true")]), Ok(Told::Done));
    let refused = run(&[shell("echo why >&2; exit 3"), touch.clone()]);
    assert_eq!(refused, Ok(Told::Refused("why".to_owned())));
    assert!(!mark.exists(), "it went on after a failure");
    assert_eq!(run(&[words(&["/nowhere/systemctl"]), touch.clone()]), Ok(Told::Absent));
    assert_eq!(run(&[touch]), Ok(Told::Done));
    assert!(mark.exists());
}
