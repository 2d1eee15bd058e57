use super::*;

/// Loads with these variables and flags and a settings file of this text.
fn load(variables: &[(&str, &str)], flags: Global, text: &str) -> Result<Config, AppError> {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    fs::write(&config, text).unwrap();
    let variable = |name: &str| {
        let known = variables.iter().find(|(key, _)| *key == name);
        known.map(|(_, value)| OsString::from(value))
    };
    let outside =
        Surroundings { variable: &variable, user_id: 1000, working_dir: dir.path().to_owned() };
    Config::load(&Global { config: Some(config), ..flags }, &outside)
}

#[test]
fn every_path_follows_its_base_directory() {
    let home: &[_] = &[("HOME", "/home/me")];
    let all: &[_] = &[
        ("HOME", "/home/me"),
        ("XDG_DATA_HOME", "/d"),
        ("XDG_CACHE_HOME", "/c"),
        ("XDG_STATE_HOME", "/s"),
        ("XDG_RUNTIME_DIR", "/r"),
    ];
    let relative: &[_] = &[("HOME", "/home/me"), ("XDG_DATA_HOME", "d"), ("XDG_RUNTIME_DIR", "")];
    for (variables, index, models, eval, log, socket) in [
        (
            home,
            "/home/me/.local/share/forethought/index",
            "/home/me/.cache/forethought/models",
            "/home/me/.cache/forethought/eval",
            "/home/me/.local/state/forethought/daemon.log",
            "/tmp/forethought-1000/daemon.sock",
        ),
        (
            all,
            "/d/forethought/index",
            "/c/forethought/models",
            "/c/forethought/eval",
            "/s/forethought/daemon.log",
            "/r/forethought/daemon.sock",
        ),
        (
            relative,
            "/home/me/.local/share/forethought/index",
            "/home/me/.cache/forethought/models",
            "/home/me/.cache/forethought/eval",
            "/home/me/.local/state/forethought/daemon.log",
            "/tmp/forethought-1000/daemon.sock",
        ),
    ] {
        let paths = load(variables, Global::default(), "").unwrap().paths;
        assert_eq!(paths.index, Path::new(index));
        assert_eq!(paths.models, Path::new(models));
        assert_eq!(paths.eval, Path::new(eval));
        assert_eq!(paths.log, Path::new(log));
        assert_eq!(paths.socket, Path::new(socket));
        assert_eq!(paths.lock.parent(), paths.index.parent(), "one daemon for an index");
    }
}

#[test]
fn a_flag_beats_the_environment_and_the_environment_beats_the_file() {
    let variable: &[_] = &[("HOME", "/h"), ("FORETHOUGHT_DEVICE", "metal")];
    let home: &[_] = &[("HOME", "/h")];
    let file = "device = \"cpu\"";
    for (variables, flag, text, expected, named) in [
        (variable, Some(Device::Cuda), file, Device::Cuda, true),
        (variable, None, file, Device::Metal, true),
        (home, None, file, Device::Cpu, false),
        (home, None, "", Device::Auto, false),
    ] {
        let flags = Global { device: flag, ..Global::default() };
        let config = load(variables, flags, text).unwrap();
        assert_eq!((config.device, config.device_named), (expected, named));
        let handed_on = config.daemon_flags.iter().any(|word| word == "--device");
        assert_eq!(handed_on, flag.is_some());
    }
}

#[test]
fn the_file_sets_every_key() {
    let text = "device = 'cpu'\nthoughts = 2\ntemperature = 0\ntop_p = 1.0\n\
                thought_tokens_max = 9\nseed = 7\nrescan_minutes = 5\ngrounded = true\nread_ms = 0\n\
                unload_minutes = 0\nindex_cpu_percent = 25\nindex_others_percent = 90\n\
                index_battery_percent = 0\n";
    let config = load(&[("HOME", "/h")], Global::default(), text).unwrap();
    let expected = Sampling { thoughts: 2, temperature: 0.0, top_p: 1.0, tokens_max: 9, seed: 7 };
    assert_eq!(config.sampling, expected);
    assert_eq!(config.rescan_every, Duration::from_secs(300));
    assert_eq!((config.grounded, config.reading_time), (Some(true), Duration::ZERO));
    assert_eq!(config.unload_after, None);
    let manners = Manners { cpu_percent: 25, others_percent: 90, battery_percent: 0 };
    assert_eq!(config.manners, manners);
    let unload =
        |text: &str| load(&[("HOME", "/h")], Global::default(), text).unwrap().unload_after;
    assert_eq!(unload(""), Some(Duration::from_secs(600)));
    assert_eq!(unload("unload_minutes = 2"), Some(Duration::from_secs(120)));
    assert_eq!(config.device, Device::Cpu);
}

#[test]
fn a_wrong_file_is_told_by_line_and_by_what_is_allowed() {
    for (text, expected) in [
        ("\nthougts = 3", &["config.toml:2: ", "unknown field `thougts`", "`thoughts`"][..]),
        ("seed = 1\n\nthoughts = 99", &["config.toml:3: thoughts = 99: 0 to 16 is allowed"]),
        ("temperature = -1.5", &["config.toml:1: temperature = -1.5: 0 to 2 is allowed"]),
        ("top_p = 0.0", &["config.toml:1: top_p = 0.0: more than 0 and at most 1 is allowed"]),
        ("rescan_minutes = 0", &["config.toml:1: rescan_minutes = 0: 1 to 1440 is allowed"]),
        ("temperature = nan", &["config.toml:1: temperature = nan: 0 to 2 is allowed"]),
        ("thoughts = \"three\"", &["config.toml:1: thoughts = \"three\": 0 to 16 is allowed"]),
        ("thoughts = -1", &["config.toml:1: thoughts = -1: 0 to 16 is allowed"]),
        ("thoughts = 2.5", &["config.toml:1: thoughts = 2.5: 0 to 16 is allowed"]),
        ("thoughts = [\n1]", &["config.toml:1: thoughts = [: 0 to 16 is allowed"]),
        ("top_p = true", &["config.toml:1: top_p = true: more than 0 and at most 1 is allowed"]),
        ("seed = '7'", &["config.toml:1: seed = '7': 0 to 9223372036854775807 is allowed"]),
        ("\ndevice = 'tpu'", &["config.toml:2: device = 'tpu': auto, cpu, cuda or metal is"]),
        ("unload_minutes = 20000", &["unload_minutes = 20000: 0 to 10080 is allowed"]),
        ("read_ms = -1", &["config.toml:1: read_ms = -1: 0 to 60000 is allowed"]),
        ("index_cpu_percent = 0", &["config.toml:1: index_cpu_percent = 0: 1 to 100 is allowed"]),
        ("index_battery_percent = 101", &["index_battery_percent = 101: 0 to 100 is allowed"]),
        ("grounded = 1", &["config.toml:1: grounded = 1: true or false is allowed"]),
        ("device = 3", &["config.toml:1: device = 3: auto, cpu, cuda or metal is allowed"]),
        ("seed = ", &["config.toml:1: "]),
    ] {
        let error = load(&[("HOME", "/h")], Global::default(), text).unwrap_err();
        assert_eq!(error.exit, crate::error::ERROR);
        for part in expected {
            assert!(error.message.contains(part), "{text:?} gave {:?}", error.message);
        }
    }
}

#[test]
fn what_is_missing_or_too_long_says_what_to_set() {
    let long = format!("/{}", "r".repeat(120));
    let long: &[_] = &[("HOME", "/h"), ("XDG_RUNTIME_DIR", &long)];
    let tpu: &[_] = &[("HOME", "/h"), ("FORETHOUGHT_DEVICE", "tpu")];
    for (variables, expected) in
        [(&[][..], "set HOME"), (long, "shorter path"), (tpu, "cuda or metal is allowed")]
    {
        let error = load(variables, Global::default(), "").unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_settings_file_must_exist_only_if_it_was_named() {
    let variable = |name: &str| (name == "HOME").then(|| OsString::from("/nowhere"));
    let outside =
        Surroundings { variable: &variable, user_id: 1, working_dir: PathBuf::from("/w") };
    Config::load(&Global::default(), &outside).unwrap();
    let named = Global { config: Some("x.toml".into()), ..Global::default() };
    let error = Config::load(&named, &outside).unwrap_err();
    assert!(error.message.starts_with("reading /w/x.toml: "), "{}", error.message);
}

#[test]
fn colour_follows_the_conventions() {
    for (variables, expected) in [
        (&[("HOME", "/h")][..], true),
        (&[("HOME", "/h"), ("NO_COLOR", "1")], false),
        (&[("HOME", "/h"), ("NO_COLOR", "")], true),
        (&[("HOME", "/h"), ("TERM", "dumb")], false),
    ] {
        let config = load(variables, Global::default(), "").unwrap();
        assert_eq!(config.color, expected, "{variables:?}");
    }
}

#[test]
fn the_chosen_model_replaces_the_pulled_one() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let variables: &[_] = &[("HOME", "/h"), ("XDG_DATA_HOME", data)];
    let config = load(variables, Global::default(), "").unwrap();
    assert_eq!(config.model_file().unwrap(), config.paths.default_model);
    fs::create_dir_all(config.paths.model_choice.parent().unwrap()).unwrap();
    let choice = ModelChoice { path: PathBuf::from("/m/other.gguf"), before: Vec::new() };
    fs::write(&config.paths.model_choice, serde_json::to_vec(&choice).unwrap()).unwrap();
    assert_eq!(config.model_file().unwrap(), choice.path);
    fs::write(&config.paths.model_choice, "{").unwrap();
    assert!(config.model_file().unwrap_err().to_string().contains("fore model use"));
}
