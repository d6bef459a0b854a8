//! The time until which a server is to hold a message (RFC 4865).

use std::time::{SystemTime, UNIX_EPOCH};

/// Writes a time as RFC 3339 has it, in UTC and whole seconds, rounded up: `2026-11-23T15:14:11Z`. `None` before 1970 or after
/// the year 9999.
pub(super) fn date_time(time: SystemTime) -> Option<String> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    let seconds = since.as_secs().checked_add(u64::from(since.subsec_nanos() > 0))?;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days are counted from 1 March of the year 0, in eras of 400 years: the leap day is then the last of its year.
    let days = days.checked_add(719_468)?;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era.checked_mul(400)? + carry;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    (year <= 9999).then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn writes_times() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (68_169_599, "1972-02-28T23:59:59Z"),
            (68_169_600, "1972-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (1_795_446_851, "2026-11-23T15:14:11Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(date_time(time).as_deref(), Some(text));
        }
        let late = UNIX_EPOCH + Duration::from_millis(500);
        assert_eq!(date_time(late).as_deref(), Some("1970-01-01T00:00:01Z"));
        assert_eq!(date_time(UNIX_EPOCH - Duration::from_secs(1)), None);
        assert_eq!(date_time(UNIX_EPOCH + Duration::from_secs(253_402_300_800)), None);
    }
}
