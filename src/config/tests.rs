use super::*;
use crate::error::Kind;

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
    whole(Config::load(&Global { config: Some(config), ..flags }, &outside))
}

/// The configuration, or what is wrong with the file.
fn whole(loaded: Result<(Config, Option<AppError>), AppError>) -> Result<Config, AppError> {
    let (config, wrong) = loaded?;
    wrong.map_or(Ok(config), Err)
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

/// What the file may say is tested where it is read, in `daemon-host`.
#[test]
fn a_wrong_file_is_named_with_its_line() {
    let error =
        load(&[("HOME", "/h")], Global::default(), "seed = 1\n\nthoughts = 99").unwrap_err();
    assert_eq!((error.exit, error.kind), (crate::error::ERROR, Kind::Invalid));
    let told = "config.toml:3: thoughts = 99: 0 to 16 is allowed";
    assert!(error.message.ends_with(told), "{}", error.message);
    let config = load(&[("HOME", "/h")], Global::default(), "device = 'cpu'\nseed = 7").unwrap();
    assert_eq!((config.device, config.sampling.seed), (Device::Cpu, 7));
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
    whole(Config::load(&Global::default(), &outside)).unwrap();
    let named = Global { config: Some("x.toml".into()), ..Global::default() };
    let error = whole(Config::load(&named, &outside)).unwrap_err();
    assert!(error.message.starts_with("reading /w/x.toml: "), "{}", error.message);
}

#[test]
fn colour_follows_the_conventions() {
    let (no_color, dumb): (&[_], &[_]) =
        (&[("HOME", "/h"), ("NO_COLOR", "1")], &[("HOME", "/h"), ("TERM", "dumb")]);
    // Variables, the flag, colour on a terminal, colour in a pipe, links.
    for (variables, color, terminal, pipe, links) in [
        (&[("HOME", "/h")][..], Color::Auto, true, false, true),
        (no_color, Color::Auto, false, false, false),
        (&[("HOME", "/h"), ("NO_COLOR", "")], Color::Auto, true, false, true),
        (dumb, Color::Auto, false, false, false),
        (no_color, Color::Always, true, true, true),
        (dumb, Color::Always, true, true, false),
        (&[("HOME", "/h")], Color::Never, false, false, false),
    ] {
        let config = load(variables, Global { color, ..Global::default() }, "").unwrap();
        let found = (config.colored(true), config.colored(false), config.links);
        assert_eq!(found, (terminal, pipe, links), "{variables:?} {color:?}");
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
