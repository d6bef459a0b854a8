//! Times as providers write them, in UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Writes `2026-01-02T03:04:05.678+00:00` (RFC 3339, to the millisecond).
pub(crate) fn to_millisecond(time: SystemTime) -> String {
    let (date, clock, millis) = parts(time);
    format!("{date}T{clock}.{millis:03}+00:00")
}

/// Writes `2026-01-02T03:04:05Z` (RFC 3339, to the second).
pub(crate) fn to_second(time: SystemTime) -> String {
    let (date, clock, _) = parts(time);
    format!("{date}T{clock}Z")
}

/// Writes `2026-01-02 03:04:05`.
pub(crate) fn spaced(time: SystemTime) -> String {
    let (date, clock, _) = parts(time);
    format!("{date} {clock}")
}

/// Date, time of day, and milliseconds; what is before 1970 is its beginning.
fn parts(time: SystemTime) -> (String, String, u32) {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // Counted from 1 March of year 0, so that the leap day is the last of its year and of the cycle of 400 years.
    let shifted = days + 719_468;
    let (cycle, day) = (shifted / 146_097, shifted % 146_097);
    let year_of_cycle = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let from_march = (5 * day + 2) / 153;
    let day = day - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = cycle * 400 + year_of_cycle + u64::from(month <= 2);
    (
        format!("{year:04}-{month:02}-{day:02}"),
        format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60),
        since.subsec_millis(),
    )
}

/// Reads `2026-01-02T03:04:05Z`, with or without a fraction; `None` for anything else.
pub(crate) fn from_text(text: &str) -> Option<SystemTime> {
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let clock = clock.split('.').next()?;
    let numbers = |text: &str, separator: char| -> Option<[u64; 3]> {
        let numbers: Option<Vec<u64>> = text.split(separator).map(|number| number.parse().ok()).collect();
        numbers?.try_into().ok()
    };
    let ([year, month, day], [hour, minute, second]) = (numbers(date, '-')?, numbers(clock, ':')?);
    let valid = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !valid {
        return None;
    }
    // Years that begin in March have their leap day at the end.
    let (year, from_march) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * from_march + 2) / 5 + day - 1 - 719_468;
    UNIX_EPOCH.checked_add(Duration::from_secs(((days * 24 + hour) * 60 + minute) * 60 + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_dates_in_utc() {
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000+00:00"),
            (951_782_399_999, "2000-02-28T23:59:59.999+00:00"),
            (951_782_400_000, "2000-02-29T00:00:00.000+00:00"),
            (951_868_800_001, "2000-03-01T00:00:00.001+00:00"),
            (1_651_820_889_000, "2022-05-06T07:08:09.000+00:00"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000+00:00"),
        ] {
            assert_eq!(to_millisecond(UNIX_EPOCH + Duration::from_millis(millis)), expected);
        }
        let time = UNIX_EPOCH + Duration::from_secs(1_651_820_889);
        assert_eq!(to_second(time), "2022-05-06T07:08:09Z");
        assert_eq!(spaced(time), "2022-05-06 07:08:09");
        assert_eq!(to_second(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00Z");
        for seconds in [0, 951_782_399, 951_782_400, 951_868_800, 1_651_820_889, 4_107_542_400] {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(from_text(&to_second(time)), Some(time));
        }
        assert_eq!(from_text("2022-05-06T07:08:09.123Z"), Some(time));
        for text in [
            "",
            "2022-05-06",
            "2022-13-06T07:08:09Z",
            "2022-05-06T07:08:09",
            "x-05-06T07:08:09Z",
        ] {
            assert_eq!(from_text(text), None, "{text}");
        }
    }
}
