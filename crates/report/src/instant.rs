//! Points in time: seconds since 1970, and RFC 3339.

use std::time::{Duration, SystemTime};

use crate::WriteError;

/// Last second that RFC 3339 can write: the end of the year 9999.
const LAST: u64 = 253_402_300_799;

/// Makes a point in time of the seconds since 1970; `None` beyond the year 9999.
pub(crate) fn from_seconds(seconds: u64) -> Option<SystemTime> {
    if seconds > LAST {
        return None;
    }
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Counts the whole seconds since 1970; `None` before that and beyond the year 9999.
pub(crate) fn to_seconds(time: SystemTime) -> Option<u64> {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    (seconds <= LAST).then_some(seconds)
}

/// Returns a period in seconds since 1970, if it can be written; each end comes with its place.
pub(crate) fn period(
    (begin_place, begin): (&'static str, &SystemTime),
    (end_place, end): (&'static str, &SystemTime),
) -> Result<(u64, u64), WriteError> {
    let seconds = |place, time: &SystemTime| {
        let refused = WriteError::value(place, None, "a time that is not in the years 1970 to 9999");
        to_seconds(*time).ok_or(refused)
    };
    let (begin, end) = (seconds(begin_place, begin)?, seconds(end_place, end)?);
    if end < begin {
        return Err(WriteError::value(end_place, None, "a time before the beginning"));
    }
    Ok((begin, end))
}

/// Writes a point in time in UTC to the second (RFC 3339 §5.6); `None` before 1970 and beyond the year 9999.
pub(crate) fn format(time: SystemTime) -> Option<String> {
    let seconds = to_seconds(time)?;
    let (days, clock) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
    ))
}

/// Reads a point in time (RFC 3339 §5.6), to the second; `None` if it is none, or before 1970.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    let bytes = text.as_bytes();
    let number = |from: usize, digits: usize| -> Option<u64> {
        let text = text.get(from..from + digits)?;
        text.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse().ok())
            .flatten()
    };
    let is = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|byte| wanted.contains(byte));
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
        return None;
    }
    if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let fraction = match bytes.get(19) {
        Some(b'.') => bytes.get(20..)?.iter().take_while(|byte| byte.is_ascii_digit()).count() + 1,
        _ => 0,
    };
    if fraction == 1 {
        return None;
    }
    let at = 19 + fraction;
    let east = match text.get(at..)? {
        "Z" | "z" => 0,
        zone if zone.len() == 6 && is(at, b"+-") && is(at + 3, b":") => {
            let (hours, minutes) = (number(at + 1, 2)?, number(at + 4, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let east = i64::try_from(hours * 3600 + minutes * 60).ok()?;
            if is(at, b"-") { -east } else { east }
        }
        _ => return None,
    };
    let local = days_since_1970(year, month, day)?.checked_mul(86_400)? + hour * 3600 + minute * 60 + second;
    from_seconds(local.checked_add_signed(-east)?)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date; `None` before it.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let years = year.checked_sub(1970)?;
    // Leap days in the years before this one, less those before 1970.
    let leap_days = |year: u64| (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    let whole_months: u64 = (1..month).map(|month| days_in(year, month)).sum();
    Some(years * 365 + leap_days(year) - leap_days(1970) + whole_months + day - 1)
}

/// The date that is `days` after 1970-01-01.
fn date(days: u64) -> (u64, u64, u64) {
    let mut year = 1970 + days / 366;
    while days_since_1970(year + 1, 1, 1).is_some_and(|start| start <= days) {
        year += 1;
    }
    let mut rest = days - days_since_1970(year, 1, 1).unwrap_or(0);
    let mut month = 1;
    while rest >= days_in(year, month) {
        rest -= days_in(year, month);
        month += 1;
    }
    (year, month, rest + 1)
}

/// Serializes a point in time as RFC 3339 text.
#[cfg(feature = "serde")]
pub(crate) fn serialize<S: serde::Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match time.and_then(format) {
        Some(text) => serializer.serialize_str(&text),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, seconds: u64) {
        assert_eq!(parse(text).and_then(to_seconds), Some(seconds), "{text}");
    }

    #[test]
    fn dates_are_counted() {
        check("1970-01-01T00:00:00Z", 0);
        check("2016-04-01T23:59:59Z", 1_459_555_199);
        check("2000-02-29T12:00:00.5+01:00", 951_822_000);
        check("2016-12-31t23:59:60z", 1_483_228_800);
        check("2017-01-01 00:00:00-00:30", 1_483_230_600);
        check("9999-12-31T23:59:59Z", LAST);
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2016-04-01",
            "2016-04-01T00:00:00",
            "2016-04-01T00:00Z",
            "2016-13-01T00:00:00Z",
            "2016-02-30T00:00:00Z",
            "2015-02-29T00:00:00Z",
            "2016-04-00T00:00:00Z",
            "2016-04-01T24:00:00Z",
            "2016-04-01T00:60:00Z",
            "2016-04-01T00:00:61Z",
            "2016-04-01T00:00:00.Z",
            "2016-04-01T00:00:00+25:00",
            "2016-04-01T00:00:00+0100",
            "2016-04-01T00:00:00Z ",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "２016-04-01T00:00:00Z",
            "+016-04-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(format(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), None);
        assert_eq!(from_seconds(LAST + 1), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0..=LAST) {
            let text = format(from_seconds(seconds).unwrap()).unwrap();
            prop_assert_eq!(parse(&text).and_then(to_seconds), Some(seconds));
        }

        #[test]
        fn any_text_has_an_answer(text in "\\PC{0,30}", likely in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,10}[-+Z0-9:]{0,6}") {
            let _ = (parse(&text), parse(&likely));
        }
    }
}
