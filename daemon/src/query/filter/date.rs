//! What `after:` and `before:` may name: a day, a minute of it, the first of a month or of a year, or a time ago. Pure.

use chrono::{DateTime, Datelike, Local, TimeZone};

/// Nanoseconds of a second, an hour and a day.
const SECOND_NS: i64 = 1_000_000_000;
const HOUR_NS: i64 = 3_600 * SECOND_NS;
const DAY_NS: i64 = 24 * HOUR_NS;

/// Years whose days have a number of nanoseconds since 1970.
const YEARS: std::ops::RangeInclusive<i64> = 1700..=2261;

/// What time it is, and when days begin, where the person is.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// Nanoseconds since 1970, UTC.
    now: i64,
    /// As a [`day_number`].
    today: i64,
    /// When a day begins, in nanoseconds since 1970, UTC; `None` if that is no number.
    begin: fn(i64) -> Option<i64>,
}

impl Clock {
    /// Of the system and its time zone.
    pub fn local() -> Clock {
        let now = Local::now();
        let today = now.date_naive();
        let today = day_number(today.year().into(), today.month().into(), today.day().into());
        let now = now.timestamp_nanos_opt().unwrap_or(i64::MAX);
        Clock { now, today, begin: begin_here }
    }
}

/// At this time, in nanoseconds since 1970, UTC, which days are too: for tests, and whatever else has no place.
impl From<i64> for Clock {
    fn from(now: i64) -> Clock {
        let today = now.div_euclid(DAY_NS);
        Clock { now, today, begin: |day| day.checked_mul(DAY_NS) }
    }
}

/// In the system's time zone. Where clocks are put forward at midnight the day begins an hour late, and in the time
/// of the day before, which nobody would miss.
fn begin_here(day: i64) -> Option<i64> {
    let midnight = day.checked_mul(DAY_NS).map(DateTime::from_timestamp_nanos)?.naive_utc();
    let begin = Local.from_local_datetime(&midnight).earliest();
    begin.map_or_else(|| day.checked_mul(DAY_NS), |begin| begin.timestamp_nanos_opt())
}

/// The day that `text` names, at its beginning, or the time, in nanoseconds since 1970. `None` if it names none.
pub(super) fn date(text: &str, clock: Clock) -> Option<i64> {
    let today = clock.today;
    if let Some(hours) = text.strip_suffix('h').and_then(|hours| number(hours, 1..=4)) {
        return clock.now.checked_sub(hours * HOUR_NS);
    }
    let (day, since) = match text {
        "today" => (today, 0),
        "yesterday" => (today - 1, 0),
        _ => match text.split_once('t') {
            Some((day, time)) => (calendar(day)?, time_of_day(time)?),
            None => (ago(text, today).or_else(|| calendar(text))?, 0),
        },
    };
    (clock.begin)(day)?.checked_add(since)
}

/// `10:30` or `10:30:15` since midnight.
fn time_of_day(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let mut part = |most: i64| number(parts.next()?, 2..=2).filter(|part| *part <= most);
    let (hours, minutes) = (part(23)?, part(59)?);
    let seconds = if text.len() > "10:30".len() { part(59)? } else { 0 };
    let is_whole = parts.next().is_none();
    is_whole.then_some(hours * HOUR_NS + (minutes * 60 + seconds) * SECOND_NS)
}

/// `7d`, `2w`, `3m` or `1y` before `today`.
fn ago(text: &str, today: i64) -> Option<i64> {
    let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let count = number(count, 1..=4)?;
    match unit {
        "d" => Some(today - count),
        "w" => Some(today - 7 * count),
        "m" => months_before(today, count),
        "y" => months_before(today, 12 * count),
        _ => None,
    }
}

/// `2024`, `2024-05` or `2024-05-17`; with other marks between, as `20240517`, or as `17.05.2024`, too.
fn calendar(text: &str) -> Option<i64> {
    if let [day, month, year] = text.split('.').collect::<Vec<_>>()[..]
        && year.len() == 4
    {
        return calendar(&format!("{year}-{month}-{day}"));
    }
    let run =
        text.split_at_checked(4).and_then(|(year, rest)| Some((year, rest.split_at_checked(2)?)));
    let parted = run.filter(|_| text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()));
    let parted = parted.map(|(year, (month, day))| format!("{year}-{month}-{day}"));
    let text = parted.as_deref().unwrap_or(text);
    let mut parts = text.split(['-', '/', '.']);
    let year = number(parts.next()?, 4..=4)?;
    let month = parts.next().map_or(Some(1), |part| number(part, 1..=2))?;
    let day = parts.next().map_or(Some(1), |part| number(part, 1..=2))?;
    let is_whole = parts.next().is_none();
    let is_real = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    (is_whole && is_real && YEARS.contains(&year)).then(|| day_number(year, month, day))
}

fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let is_number = digits.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// The same day of an earlier month, or that month's last.
fn months_before(day: i64, count: i64) -> Option<i64> {
    let (year, month, of_month) = civil(day);
    let months = year * 12 + (month - 1) - count;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    YEARS.contains(&year).then(|| day_number(year, month, of_month.min(days_in(year, month))))
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar. Years are counted from March, so that a leap
/// day is a year's last, and in eras of 400, which have equally many days.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a [`day_number`].
fn civil(day: i64) -> (i64, i64, i64) {
    let from_march = day + 719_468;
    let (era, of_era) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_where_the_person_is() {
        let clock = Clock::local();
        let today = date("today", clock).unwrap();
        let begun = DateTime::from_timestamp_nanos(today).with_timezone(&Local);
        let now = Local::now();
        assert!(today <= now.timestamp_nanos_opt().unwrap());
        assert!(
            (now - begun).num_hours() < 49,
            "of today, or of the day that has just ended: {begun}"
        );
        let day = date("2024-05-17", clock).map(DateTime::from_timestamp_nanos).unwrap();
        assert_eq!(day.with_timezone(&Local).date_naive().to_string(), "2024-05-17");
    }

    #[test]
    fn days_have_numbers() {
        // 2024-03-31, a little after noon.
        let now = 19_813 * DAY_NS + DAY_NS / 2;
        let cases = [
            ("1970", Some(0)),
            ("1969-12-31", Some(-1)),
            ("2024", Some(19_723)),
            ("2024-05", Some(19_844)),
            ("2024-5", Some(19_844)),
            ("2024-05-17", Some(19_860)),
            ("2024-02-29", Some(19_782)),
            ("2024/02/29", Some(19_782)),
            ("20240229", Some(19_782)),
            ("20240230", None),
            ("29.02.2024", Some(19_782)),
            ("30.02.2024", None),
            ("2024.02.29", Some(19_782)),
            ("2261-12-31", Some(106_650)),
            ("today", Some(19_813)),
            ("yesterday", Some(19_812)),
            ("0d", Some(19_813)),
            ("7d", Some(19_806)),
            ("2w", Some(19_799)),
            // The last of February.
            ("1m", Some(19_782)),
            ("3m", Some(19_722)),
            ("1y", Some(19_447)),
            ("2023-02-29", None),
            ("2024-13", None),
            ("2024-00", None),
            ("2024-04-31", None),
            ("2024-05-17-1", None),
            ("2024-", None),
            ("24", None),
            ("20245", None),
            ("+024", None),
            ("9999", None),
            ("d", None),
            ("", None),
            ("h", None),
            ("2024-05-17t24:00", None),
            ("2024-05-17t10", None),
            ("2024-05-17t", None),
            ("t10:30", None),
            ("9999y", None),
            ("soon", None),
            ("§", None),
        ];
        for (text, expected) in cases {
            assert_eq!(date(text, now.into()), expected.map(|day| day * DAY_NS), "{text}");
        }
        for (text, expected) in [
            ("12h", now - 12 * HOUR_NS),
            ("0h", now),
            ("2024-05-17t00:00", 19_860 * DAY_NS),
            ("20240517t10:30", 19_860 * DAY_NS + 10 * HOUR_NS + 1_800 * SECOND_NS),
            ("2024-05-17t23:59:59", 19_861 * DAY_NS - SECOND_NS),
        ] {
            assert_eq!(date(text, now.into()), Some(expected), "{text}");
        }
        for day in (-90_000..100_000).step_by(17) {
            let (year, month, of_month) = civil(day);
            assert_eq!(day_number(year, month, of_month), day);
        }
    }
}
