use super::super::Settings;
use super::*;

/// Every key's default is what the program does without it, and no key is missing.
#[test]
fn the_defaults_are_those_of_the_program() {
    let as_written = defaults();
    assert_eq!(parse(&as_written), Ok(Settings::default()), "all of it is commented out");
    let mut text = String::new();
    for Key { name, value, unset, .. } in KEYS {
        assert!(as_written.contains(&format!("\n# {name} = {value}\n")), "{name}");
        let line = format!("{name} = {value}\n");
        parse(&line).unwrap_or_else(|problem| panic!("{problem}"));
        if !unset {
            text.push_str(&line);
        }
    }
    let all = parse(&text).unwrap();
    let device = all.device.map(super::super::Device::name);
    assert_eq!(device, Some("auto"));
    assert_eq!(Settings { device: None, ..all }, Settings::default());
    // What the parser knows it names when it meets what it does not know.
    let known = parse("nothing = 1").unwrap_err();
    for Key { name, .. } in KEYS {
        let field = name.split('.').next().unwrap();
        assert!(known.contains(&format!("`{field}`")), "{name} is not in: {known}");
    }
    // Besides them the table of keys, and what it met.
    assert_eq!(known.matches('`').count(), 2 * (KEYS.len() + 2), "a key is not told of: {known}");
}

#[test]
fn a_value_is_changed_and_nothing_else() {
    for (text, key, value, expected) in [
        ("", "thoughts", "2", "thoughts = 2\n"),
        ("seed = 1", "thoughts", "2", "seed = 1\nthoughts = 2\n"),
        (
            "seed = 1\n\n[keys]\nexplain = ['F3']\n",
            "thoughts",
            "2",
            "seed = 1\n\nthoughts = 2\n[keys]\nexplain = ['F3']\n",
        ),
        (
            "# mine\nthoughts = 1  # few\nseed = 3\n",
            "thoughts",
            "0",
            "# mine\nthoughts = 0  # few\nseed = 3\n",
        ),
        ("# Longest.\n#read_ms = 1000\n", "read_ms", "0", "# Longest.\nread_ms = 0\n"),
        ("device = 'cpu'\r\nseed = 1\r\n", "device", "cuda", "device = \"cuda\"\r\nseed = 1\r\n"),
        ("", "device", "\"metal\"", "device = \"metal\"\n"),
        ("", "grounded", "false", "grounded = false\n"),
        ("", "temperature", "0.25", "temperature = 0.25\n"),
        ("seed = 1\n", "store.uri", "s3://abc", "seed = 1\nstore.uri = \"s3://abc\"\n"),
        (
            "[store]\nuri = 's3://abc'  # ours\n",
            "store.uri",
            "s3://abc/x",
            "[store]\nuri = \"s3://abc/x\"  # ours\n",
        ),
    ] {
        let changed = set(text, key, value).unwrap();
        assert_eq!(changed, expected);
        assert_eq!(get(&changed, key).unwrap(), value.trim_matches('"'));
    }
    let document = set(&defaults(), "thoughts", "3").unwrap();
    assert_eq!(document.lines().count(), defaults().lines().count());
    assert_eq!(parse(&document).unwrap().sampling.thoughts, 3);
}

#[test]
fn what_is_not_allowed_is_not_written() {
    for (text, key, value, expected) in [
        ("", "thoughts", "99", "thoughts = 99: 0 to 16 is allowed"),
        ("", "thoughts", "", "thoughts = \"\": 0 to 16 is allowed"),
        ("", "device", "abacus", "device = \"abacus\": auto, cpu, cuda or metal is allowed"),
        ("", "seed", "1\nthoughts = 2", "seed = \"\"\": 0 to"),
        ("", "thougts", "1", "there is no setting \"thougts\"; there are device, thoughts, "),
        ("seed = \n", "thoughts", "1", "1: "),
        ("", "store.uri", "/tmp/index", "store.uri = \"/tmp/index\": \"s3://BUCKET\" or"),
        ("nothing = 1\n", "thoughts", "1", "1: unknown field `nothing`"),
    ] {
        let told = set(text, key, value).unwrap_err();
        assert!(told.starts_with(expected), "{key} = {value}: {told}");
    }
}

#[test]
fn a_value_is_told_as_it_is_or_would_be() {
    for (text, key, expected) in [
        ("", "device", "auto"),
        ("device = 'cpu'", "device", "cpu"),
        ("", "grounded", "unset"),
        ("grounded = true", "grounded", "true"),
        ("seed = 0x10", "seed", "16"),
        ("", "store.uri", "unset"),
        ("[store]\nuri = 's3://abc'", "store.uri", "s3://abc"),
    ] {
        assert_eq!(get(text, key).as_deref(), Ok(expected));
    }
    assert!(get("", "colour").unwrap_err().contains("unload_minutes"));
    assert!(get("thoughts = 99", "seed").unwrap_err().contains("thoughts = 99"));
}
