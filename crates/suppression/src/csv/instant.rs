//! Moments as files have them.

use std::time::SystemTime;

use crate::moment::{from_micros, to_micros};

/// Writes a moment in UTC (RFC 3339 §5.6), with a fraction where there is one.
pub(crate) fn format(time: SystemTime) -> String {
    let micros = to_micros(time);
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let fraction = match fraction {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// Reads a moment: RFC 3339, with a blank for the `T` and `UTC` for the `Z` if need be; a date alone, which is its first
/// moment in UTC; or whole seconds since 1970.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    if text.len() <= 12 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return from_micros(text.parse::<i64>().ok()?.checked_mul(1_000_000)?);
    }
    let bytes = text.as_bytes();
    let is = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|byte| wanted.contains(byte));
    let (year, month, day) = (number(text, 0, 4)?, number(text, 5, 2)?, number(text, 8, 2)?);
    if !is(4, b"-") || !is(7, b"-") || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let midnight = days(year, month, day) * 86_400;
    if bytes.len() == 10 {
        return from_micros(midnight * 1_000_000);
    }
    let (hour, minute, second) = (number(text, 11, 2)?, number(text, 14, 2)?, number(text, 17, 2)?);
    // A leap second is the last second before it.
    if !is(10, b"Tt ") || !is(13, b":") || !is(16, b":") || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut at = 19;
    let mut micros = 0;
    if is(at, b".") {
        let digits = bytes.get(20..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        for place in 0..6 {
            let digit = bytes.get(20 + place).filter(|_| place < digits);
            micros = micros * 10 + digit.map_or(0, |digit| i64::from(digit - b'0'));
        }
        at = 20 + digits;
    }
    let east = match text.get(at..)? {
        "Z" | "z" | " UTC" => 0,
        zone if zone.len() == 6 && is(at, b"+-") && is(at + 3, b":") => {
            let (hours, minutes) = (number(text, at + 1, 2)?, number(text, at + 4, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            if is(at, b"-") { -seconds } else { seconds }
        }
        _ => return None,
    };
    let seconds = midnight + hour * 3600 + minute * 60 + second.min(59) - east;
    from_micros(seconds * 1_000_000 + micros)
}

fn number(text: &str, from: usize, digits: usize) -> Option<i64> {
    let text = text.get(from..from + digits)?;
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

/// The days from 1970-01-01 to a date of the Gregorian calendar. The year is taken to begin in March, so that the leap day
/// is its last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + in_year - 719_468
}

/// The other way, for days from 1970 on.
fn date(since: i64) -> (i64, i64, i64) {
    let shifted = since + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + i64::from(month < 3);
    (year, month, day)
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The last microsecond of the year 9999.
    const LAST: i64 = 253_402_300_799_999_999;

    fn check(text: &str, micros: i64) {
        assert_eq!(parse(text).map(to_micros), Some(micros), "{text}");
    }

    #[test]
    fn moments_are_read_in_the_forms_that_files_have() {
        check("1970-01-01T00:00:00Z", 0);
        check("2000-02-29 12:00:00 UTC", 951_825_600_000_000);
        check("2026-11-23T18:20:00.5+02:00", 1_795_450_800_500_000);
        check("2026-11-23", 1_795_392_000_000_000);
        check("1795392000", 1_795_392_000_000_000);
        check("2016-12-31T23:59:60Z", 1_483_228_799_000_000);
        check("2026-01-01T00:00:00.1234567Z", 1_767_225_600_123_456);
        check("9999-12-31T23:59:59.999999Z", LAST);
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "soon",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "1969-12-31T23:59:59Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+2:00",
            "2026-01-01T00:00:00é",
            "1970-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "9999999999999",
            "999999999999",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_moment_reads_back(micros in 0..=LAST) {
            let time = from_micros(micros).unwrap();
            prop_assert_eq!(parse(&format(time)), Some(time));
        }

        #[test]
        fn nothing_panics(text in "[0-9TZ:. +-]{0,40}|\\PC{0,30}") {
            let _ = parse(&text);
        }
    }
}
