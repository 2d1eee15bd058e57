use super::*;

#[test]
fn the_file_sets_every_key() {
    let text = "device = 'cpu'\nthoughts = 2\ntemperature = 0\ntop_p = 1.0\n\
                thought_tokens_max = 9\nseed = 7\nrescan_minutes = 5\ngrounded = true\nread_ms = 0\n\
                unload_minutes = 0\nindex_cpu_percent = 25\nindex_others_percent = 90\n\
                index_battery_percent = 0\n";
    let settings = parse(text).unwrap();
    let expected = Sampling { thoughts: 2, temperature: 0.0, top_p: 1.0, tokens_max: 9, seed: 7 };
    assert_eq!(settings.sampling, expected);
    assert_eq!(settings.rescan_every, Duration::from_secs(300));
    assert_eq!((settings.grounded, settings.reading_time), (Some(true), Duration::ZERO));
    assert_eq!(settings.unload_after, None);
    let manners = Manners { cpu_percent: 25, others_percent: 90, battery_percent: 0 };
    assert_eq!(settings.manners, manners);
    let unload = |text: &str| parse(text).unwrap().unload_after;
    assert_eq!(unload(""), Some(Duration::from_secs(600)));
    assert_eq!(unload("unload_minutes = 2"), Some(Duration::from_secs(120)));
    assert_eq!(settings.device, Some(Device::Cpu));
}

#[test]
fn keys_of_the_view_are_a_table() {
    let settings = parse("seed = 7\n[keys]\nexplain = [\"F3\", \"Alt-E\"]\nleave = []\n").unwrap();
    let expected = [("explain", vec!["F3", "Alt-E"]), ("leave", vec![])];
    let expected = expected
        .map(|(action, keys)| (action.to_owned(), keys.into_iter().map(str::to_owned).collect()));
    assert_eq!(settings.keys, BTreeMap::from(expected));
    let told = parse("[keys]\nexplain = 3\n").unwrap_err();
    assert!(told.starts_with("2: "), "{told}");
}

#[test]
fn an_index_that_is_shared_has_a_bucket_and_perhaps_a_folder() {
    let read = |uri: &str| parse(&format!("[store]\nuri = '{uri}'\n")).map(|read| read.store);
    for uri in ["s3://abc", "s3://my.notes-2/", "s3://abc/notes/of_Ada/v=1.0/"] {
        let expected = uri.trim_end_matches('/');
        assert_eq!(read(uri).unwrap().as_deref(), Some(expected));
    }
    for uri in [
        "",
        "abc",
        "/tmp/index",
        "s3://",
        "s3:///abc",
        "s3://ab",
        "s3://Abc",
        "s3://a c",
        "gs://abc",
        "s3://abc//x",
        "s3://abc/../x",
        "s3://abc/a?b",
        "s3://abc/%2e",
        "s3://me:secret@abc/x",
        "s3+ddb://abc",
        "s3://abc/é",
        "s3://...",
    ] {
        let told = read(uri).unwrap_err();
        assert!(
            told.starts_with("2: store.uri = ") && told.contains("s3://BUCKET/FOLDER"),
            "{told}"
        );
    }
}

#[test]
fn a_wrong_file_is_told_by_line_and_by_what_is_allowed() {
    for (text, expected) in [
        ("\nthougts = 3", &["2: ", "unknown field `thougts`", "`thoughts`"][..]),
        ("seed = 1\n\nthoughts = 99", &["3: thoughts = 99: 0 to 16 is allowed"]),
        ("temperature = -1.5", &["1: temperature = -1.5: 0 to 2 is allowed"]),
        ("top_p = 0.0", &["1: top_p = 0.0: more than 0 and at most 1 is allowed"]),
        ("rescan_minutes = 0", &["1: rescan_minutes = 0: 1 to 1440 is allowed"]),
        ("temperature = nan", &["1: temperature = nan: 0 to 2 is allowed"]),
        ("thoughts = \"three\"", &["1: thoughts = \"three\": 0 to 16 is allowed"]),
        ("thoughts = -1", &["1: thoughts = -1: 0 to 16 is allowed"]),
        ("thoughts = 2.5", &["1: thoughts = 2.5: 0 to 16 is allowed"]),
        ("thoughts = [\n1]", &["1: thoughts = [: 0 to 16 is allowed"]),
        ("top_p = true", &["1: top_p = true: more than 0 and at most 1 is allowed"]),
        ("seed = '7'", &["1: seed = '7': 0 to 9223372036854775807 is allowed"]),
        ("\ndevice = 'tpu'", &["2: device = 'tpu': auto, cpu, cuda or metal is"]),
        ("unload_minutes = 20000", &["unload_minutes = 20000: 0 to 10080 is allowed"]),
        ("read_ms = -1", &["1: read_ms = -1: 0 to 60000 is allowed"]),
        ("index_cpu_percent = 0", &["1: index_cpu_percent = 0: 1 to 100 is allowed"]),
        ("index_battery_percent = 101", &["index_battery_percent = 101: 0 to 100 is allowed"]),
        ("grounded = 1", &["1: grounded = 1: true or false is allowed"]),
        ("device = 3", &["1: device = 3: auto, cpu, cuda or metal is allowed"]),
        ("seed = ", &["1: "]),
        ("[store]\nuri = 3", &["2: store.uri = 3: \"s3://BUCKET\" or"]),
        ("[store]\nurl = 's3://abc'", &["2: unknown field `url`, expected `uri`"]),
    ] {
        let told = parse(text).unwrap_err();
        for part in expected {
            assert!(told.contains(part), "{text:?} gave {told:?}");
        }
    }
}
