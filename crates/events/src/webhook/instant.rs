//! Points in time as providers write them.

use std::time::{Duration, SystemTime};

use serde_json::Value;

/// Last second that is read: the end of the year 9999.
const LAST: u64 = 253_402_300_799;

/// Reads a date and a time: RFC 3339, with a space for the `T`, with an offset without minutes, or with none, which is UTC.
///
/// `None` if it is none, or before 1970.
pub(super) fn read_text(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    let (date, clock) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-').map(number);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let clock = clock.trim();
    let end = clock
        .find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.')
        .unwrap_or(clock.len());
    let (clock, offset) = (clock.get(..end)?, clock.get(end..)?);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut clock = clock.splitn(3, ':').map(number);
    let (hour, minute) = (clock.next()??, clock.next()??);
    let second = match clock.next() {
        Some(second) => second?,
        None => 0,
    };
    let in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour <= 23
        && minute <= 59
        && second <= 60;
    if !in_range {
        return None;
    }
    let local = i64::try_from(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second.min(59)).ok()?;
    let seconds = u64::try_from(local.checked_sub(offset_seconds(offset)?)?).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds(fraction)?))
}

/// Reads seconds since 1970, as a number or as text, with or without a fraction.
pub(super) fn read_seconds(value: &Value) -> Option<SystemTime> {
    read_number(value, 1)
}

/// Reads milliseconds since 1970.
pub(super) fn read_milliseconds(value: &Value) -> Option<SystemTime> {
    read_number(value, 1000)
}

fn read_number(value: &Value, a_second: u32) -> Option<SystemTime> {
    // As text, so that no digit of a fraction is lost in a floating point number.
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let whole = number(whole)?;
    let since = if a_second == 1000 {
        Duration::from_millis(whole)
    } else {
        Duration::new(whole, nanoseconds(fraction)?)
    };
    if since.as_secs() > LAST {
        return None;
    }
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// Reads whole seconds since 1970: digits and nothing else.
pub(super) fn read_whole_seconds(text: &str) -> Option<SystemTime> {
    let seconds = number(text).filter(|seconds| *seconds <= LAST)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Reads what stands behind the point, to the nanosecond.
fn nanoseconds(fraction: &str) -> Option<u32> {
    let mut nanoseconds = 0;
    for at in 0..9 {
        let digit = match fraction.as_bytes().get(at) {
            Some(byte) => char::from(*byte).to_digit(10)?,
            None => 0,
        };
        nanoseconds = nanoseconds * 10 + digit;
    }
    Some(nanoseconds)
}

fn offset_seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    if matches!(text, "" | "Z" | "z" | "UTC") {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    let minutes = match (digits.len(), number(&digits)?) {
        (2, hours) => hours * 60,
        (4, both) => both / 100 * 60 + both % 100,
        _ => return None,
    };
    Some(sign * i64::try_from(minutes).ok()? * 60)
}

/// Counts the days from 1970 to a date (Howard Hinnant's way, years from March).
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let era_days = year * 365 + year / 4 - year / 100 + year / 400 + of_year;
    era_days.saturating_sub(719_468)
}

/// Writes a point in time in UTC to the millisecond (RFC 3339 §5.6); `None` before 1970 and beyond the year 9999.
#[cfg(any(test, feature = "serde"))]
pub(crate) fn written(time: SystemTime) -> Option<String> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let seconds = since.as_secs();
    if seconds > LAST {
        return None;
    }
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds % 86_400 / 3600, seconds % 3600 / 60, seconds % 60);
    let milliseconds = since.subsec_millis();
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z"
    ))
}

/// Finds the date that lies so many days after 1970.
#[cfg(any(test, feature = "serde"))]
fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
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
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

/// Writes whole seconds since 1970; 0 before that.
pub(super) fn seconds_text(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_secs().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(seconds: u64, nanoseconds: u32) -> Option<SystemTime> {
        Some(SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds))
    }

    #[test]
    fn dates_are_read_as_they_are_written() {
        for (text, expected) in [
            ("2018-03-26T17:58:59.675Z", at(1_522_087_139, 675_000_000)),
            ("2018-03-26 17:58:59", at(1_522_087_139, 0)),
            ("2018-03-26T19:58:59+02:00", at(1_522_087_139, 0)),
            ("2018-03-26 10:28:59.5-0730", at(1_522_087_139, 500_000_000)),
            ("2018-03-26 17:58:59.123456+00", at(1_522_087_139, 123_456_000)),
            ("1970-01-01T00:00:00Z", at(0, 0)),
            ("2024-02-29T00:00:00Z", at(1_709_164_800, 0)),
            ("1970-01-01T00:00:00+01:00", None),
            ("2018-13-26T17:58:59Z", None),
            ("2018-03-26", None),
            ("2018-03-26T17:58:59X", None),
            ("é", None),
            ("", None),
        ] {
            assert_eq!(read_text(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for seconds in [
            0,
            951_782_399,
            951_782_400,
            1_709_164_800,
            1_709_251_200,
            1_735_689_599,
            LAST,
        ] {
            let time = at(seconds, 678_000_000).unwrap();
            let text = written(time).unwrap();
            assert_eq!(read_text(&text), Some(time), "{text}");
        }
        assert_eq!(
            written(at(1_522_087_139, 675_999_999).unwrap()).unwrap(),
            "2018-03-26T17:58:59.675Z"
        );
        assert_eq!(written(at(LAST + 1, 0).unwrap()), None);
    }

    #[test]
    fn numbers_are_read() {
        assert_eq!(read_seconds(&json!(1_461_095_250)), at(1_461_095_250, 0));
        assert_eq!(read_seconds(&json!("1461095250")), at(1_461_095_250, 0));
        assert_eq!(
            read_seconds(&json!(1_521_472_262.908_181)),
            at(1_521_472_262, 908_181_000)
        );
        assert_eq!(
            read_milliseconds(&json!(1_461_095_250_123_u64)),
            at(1_461_095_250, 123_000_000)
        );
        for none in [
            json!(-1),
            json!("1e9"),
            json!(1e300),
            json!(null),
            json!(u64::MAX),
            json!(""),
        ] {
            assert_eq!(read_seconds(&none), None, "{none}");
        }
        assert_eq!(read_whole_seconds("1777636800"), at(1_777_636_800, 0));
        assert_eq!(read_whole_seconds("+1"), None);
    }
}
