//! `Retry-After` (RFC 9110 §10.2.3).

use std::time::{Duration, SystemTime};

/// Longest wait that is believed: what is longer is cut, so that no answer stops a sender for years.
const MOST: Duration = Duration::from_hours(24);

pub(super) fn parse(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = if value.bytes().next()?.is_ascii_digit() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that does not fit is a long time.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else if let Ok(seconds) = value.parse::<f64>() {
        // Not in the RFC, but written by some: fractions of a second.
        Duration::try_from_secs_f64(seconds).ok()?
    } else {
        httpdate::parse_http_date(value)
            .ok()?
            .duration_since(now)
            .unwrap_or(Duration::ZERO)
    };
    Some(wait.min(MOST))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn seconds_and_dates_are_read() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        for (value, seconds) in [
            ("120", Some(120.0)),
            (" 0 ", Some(0.0)),
            ("1.5", Some(1.5)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60.0)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60.0)),
            ("Sun Nov  6 08:50:37 1994", Some(60.0)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0.0)),
            ("99999999999999999999999", Some(86400.0)),
            ("-5", None),
            ("soon", None),
            ("", None),
            ("NaN", None),
        ] {
            assert_eq!(parse(value, now).map(|wait| wait.as_secs_f64()), seconds, "{value:?}");
        }
    }
}
