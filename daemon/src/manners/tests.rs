use std::fs;

use super::*;

const LEFT: Option<Left> = Some(Left::UntilResumed);

fn seen(battery_percent: Option<u32>, others_percent: Option<u32>) -> Seen {
    Seen { battery_percent, others_percent }
}

#[test]
fn who_is_waited_for() {
    let set = Manners { cpu_percent: 100, others_percent: 50, battery_percent: 30 };
    let calm = Seen::default();
    let (low, busy) = (seen(Some(29), None), seen(None, Some(51)));
    use Work::{Awaited, Background, Saved};
    for (what, manners, work, seen, pause, expected) in [
        ("nothing is known", set, Background, calm, None, None),
        ("all is well", set, Background, seen(Some(30), Some(50)), None, None),
        ("the battery is low", set, Background, low, None, Some(Why::Battery(29))),
        ("others are busy", set, Background, busy, None, Some(Why::Others(51))),
        ("both", set, Background, seen(Some(3), Some(99)), None, Some(Why::Battery(3))),
        ("it was saved, on battery", set, Saved, low, None, None),
        ("it was saved, beside others", set, Saved, busy, None, None),
        ("someone waits, on battery", set, Awaited, low, None, None),
        ("someone waits, beside others", set, Awaited, busy, None, None),
        ("it is paused", set, Background, calm, LEFT, Some(Why::Paused(Left::UntilResumed))),
        ("it was saved, paused", set, Saved, calm, LEFT, Some(Why::Paused(Left::UntilResumed))),
        ("someone waits, paused", set, Awaited, calm, LEFT, Some(Why::Paused(Left::UntilResumed))),
        (
            "paused without manners",
            Manners::NONE,
            Background,
            calm,
            LEFT,
            Some(Why::Paused(Left::UntilResumed)),
        ),
        ("no manners", Manners::NONE, Background, seen(Some(0), Some(100)), None, None),
    ] {
        assert_eq!(manners.wait(work, seen, pause), expected, "{what}");
    }
}

#[test]
fn a_budget_is_kept_by_resting() {
    let rest = |cpu_percent, ms| {
        let manners = Manners { cpu_percent, ..Manners::NONE };
        manners.rest(Duration::from_millis(ms), None).as_millis()
    };
    for (percent, took, expected) in
        [(100, 500, 0), (50, 500, 500), (25, 200, 600), (75, 300, 100), (1, 10, 990), (0, 10, 990)]
    {
        assert_eq!(rest(percent, took), expected, "{percent} % after {took} ms");
    }
    let beside = |cpu_percent| {
        let manners = Manners { cpu_percent, ..Manners::NONE };
        manners.rest(Duration::from_millis(100), Some(Why::Others(80))).as_millis()
    };
    assert_eq!((beside(100), beside(50), beside(5)), (900, 900, 1900));
    assert_eq!(rest(1, 100_000), REST_MAX.as_millis(), "a machine that slept is no reason to rest");
}

#[test]
fn a_pause_ends_when_it_was_said_to() {
    let at = |s| SystemTime::UNIX_EPOCH + Duration::from_secs(s);
    for (seconds, now, expected) in [
        (None, 1_000_000, Some("paused until it is resumed")),
        (Some(60), 100, Some("paused for 1 min more")),
        (Some(61), 100, Some("paused for 2 min more")),
        (Some(7_200), 100, Some("paused for 2 h more")),
        (Some(7_200), 101, Some("paused for 2 h more")),
        (Some(7_260), 100, Some("paused for 2 h 1 min more")),
        (Some(60), 159, Some("paused for 1 min more")),
        (Some(60), 160, None),
        (Some(60), 9_999, None),
    ] {
        let left = Pause::of(seconds, at(100)).left(at(now));
        let told = left.map(|left| Why::Paused(left).to_string());
        assert_eq!(told.as_deref(), expected, "{seconds:?} s from 100, at {now}");
    }
}

/// A machine below a folder, as Linux shows it.
struct Drawn(tempfile::TempDir);

impl Drawn {
    fn new() -> Drawn {
        Drawn(tempfile::tempdir().unwrap())
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Ticks of ordinary, low and idle programs, and ours.
    fn ticks(&self, user: u64, nice: u64, idle: u64, ours: u64) {
        self.write("proc/stat", &format!("cpu  {user} {nice} 10 {idle} 5 0 1 2 0 0\ncpu0 1 2 3\n"));
        self.write(
            "proc/self/stat",
            &format!("7 (fo) re) S 1 7 7 0 -1 4 0 0 0 0 {ours} 3 9 9 20 0"),
        );
    }

    fn supply(&self, name: &str, fields: &[(&str, &str)]) {
        let lines: String =
            fields.iter().map(|(name, value)| format!("POWER_SUPPLY_{name}={value}\n")).collect();
        self.write(&format!("sys/class/power_supply/{name}/uevent"), &lines);
    }
}

#[test]
fn other_programs_are_what_is_neither_ours_nor_of_low_priority() {
    for (what, user, nice, idle, ours, expected) in [
        ("nothing runs", 0, 0, 200, 0, Some(0)),
        ("we alone", 200, 0, 0, 200, Some(0)),
        ("another takes half", 200, 0, 0, 100, Some(50)),
        ("another, of low priority", 100, 100, 0, 100, Some(0)),
        ("another on one of two", 100, 0, 100, 0, Some(50)),
        ("ours was counted before it was theirs", 100, 0, 100, 120, Some(0)),
        ("no time has passed", 0, 0, 0, 0, None),
    ] {
        let drawn = Drawn::new();
        let system = System::at(drawn.0.path());
        assert_eq!(system.look(), Seen::default(), "{what}: there is nothing to read");
        drawn.ticks(1000, 1000, 1000, 500);
        assert_eq!(system.look().others_percent, None, "{what}: there was no look before");
        drawn.ticks(1000 + user, 1000 + nice, 1000 + idle, 500 + ours);
        assert_eq!(system.look().others_percent, expected, "{what}");
    }
}

#[test]
fn a_battery_counts_while_the_machine_runs_on_it() {
    const MAINS: [(&str, &str); 2] = [("TYPE", "Mains"), ("ONLINE", "1")];
    const UNPLUGGED: [(&str, &str); 2] = [("TYPE", "Mains"), ("ONLINE", "0")];
    let battery =
        |status, percent| [("TYPE", "Battery"), ("STATUS", status), ("CAPACITY", percent)];
    let mouse =
        [("TYPE", "Battery"), ("SCOPE", "Device"), ("STATUS", "Discharging"), ("CAPACITY", "4")];
    let (full, low) = (battery("Full", "99"), battery("Discharging", "12"));
    let charging = battery("Charging", "12");
    type Fields<'a> = &'a [(&'a str, &'a str)];
    let table: [(&str, &[Fields<'_>], Option<u32>); 8] = [
        ("no battery", &[&MAINS], None),
        ("unplugged", &[&UNPLUGGED, &low], Some(12)),
        ("nothing but a battery", &[&low], Some(12)),
        ("plugged in", &[&MAINS, &low], None),
        ("being charged", &[&charging], None),
        ("one of two", &[&UNPLUGGED, &low, &full], Some(99)),
        ("a mouse", &[&UNPLUGGED, &mouse], None),
        ("a mouse beside it", &[&mouse, &low], Some(12)),
    ];
    for (what, supplies, expected) in table {
        let drawn = Drawn::new();
        for (number, supply) in supplies.iter().enumerate() {
            drawn.supply(&format!("S{number}"), supply);
        }
        assert_eq!(System::at(drawn.0.path()).look().battery_percent, expected, "{what}");
    }
}

#[test]
fn this_machine_can_be_read() {
    let system = System::at(std::path::Path::new("/"));
    assert_eq!(system.look().others_percent, None);
    if fs::exists("/proc/stat").unwrap() {
        // Until a tick has passed.
        let found = (0..1_000_000_u32).find_map(|_| system.look().others_percent);
        assert!(found.is_some_and(|percent| percent <= 100), "{found:?}");
    }
}
