//! Points in time: seconds since 1970, and RFC 3339.

use std::time::{Duration, SystemTime};

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

/// Writes a point in time in UTC to the second (RFC 3339 §5.6); `None` before 1970 and beyond the year 9999.
#[cfg(feature = "serde")]
fn format(time: SystemTime) -> Option<String> {
    let seconds = to_seconds(time)?;
    let (days, clock) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
    ))
}

#[cfg(feature = "serde")]
fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(feature = "serde")]
fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date; `None` before it.
#[cfg(feature = "serde")]
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let years = year.checked_sub(1970)?;
    // Leap days in the years before this one, less those before 1970.
    let leap_days = |year: u64| (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    let whole_months: u64 = (1..month).map(|month| days_in(year, month)).sum();
    Some(years * 365 + leap_days(year) - leap_days(1970) + whole_months + day - 1)
}

/// The date that is `days` after 1970-01-01.
#[cfg(feature = "serde")]
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
    use super::*;

    #[test]
    fn what_no_year_of_four_digits_has_is_none() {
        assert_eq!(from_seconds(LAST).and_then(to_seconds), Some(LAST));
        assert_eq!(from_seconds(LAST + 1), None);
        assert_eq!(to_seconds(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), None);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn dates_are_written() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_822_000, "2000-02-29T11:00:00Z"),
            (1_459_555_199, "2016-04-01T23:59:59Z"),
            (LAST, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(from_seconds(seconds).and_then(format).as_deref(), Some(text));
        }
    }
}
