//! Header fields that say what is left of a limit on calls.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use posthaste_transport::{RateInfo, SendError};

use crate::{HttpResponse, ProviderError, moment};

/// Longest period that is believed: what is longer is cut. Quotas of a month are the longest there are.
const MOST: Duration = Duration::from_hours(31 * 24);

/// Numbers from here on are a time, in seconds since 1970: no period lasts 30 years.
const UNIX_SECONDS: u64 = 1_000_000_000;

/// Numbers from here on are a time in milliseconds.
const UNIX_MILLIS: u64 = 100_000_000_000;

/// Names the header fields of an answer that say what is left of one limit on calls.
///
/// The reset may be in seconds from now, as a time in seconds or milliseconds since 1970, or as a date (RFC 9110 §5.6.7, RFC
/// 3339 in UTC): which, is told by its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateHeaders {
    limit: Option<&'static str>,
    remaining: &'static str,
    reset: Option<&'static str>,
}

impl RateHeaders {
    /// The names that most providers use: `X-RateLimit-Limit`, `-Remaining`, `-Reset`, and the same without the `X-`.
    pub const USUAL: &'static [Self] = &[
        Self::new("X-RateLimit-Remaining")
            .with_limit("X-RateLimit-Limit")
            .with_reset("X-RateLimit-Reset"),
        Self::new("RateLimit-Remaining")
            .with_limit("RateLimit-Limit")
            .with_reset("RateLimit-Reset"),
    ];

    /// Begins with the field that says how many calls are left.
    #[must_use]
    pub const fn new(remaining: &'static str) -> Self {
        Self {
            limit: None,
            remaining,
            reset: None,
        }
    }

    /// Sets the field that says how many calls one period allows.
    #[must_use]
    pub const fn with_limit(mut self, name: &'static str) -> Self {
        self.limit = Some(name);
        self
    }

    /// Sets the field that says when the period ends.
    #[must_use]
    pub const fn with_reset(mut self, name: &'static str) -> Self {
        self.reset = Some(name);
        self
    }

    /// Reads what an answer says of this limit; `None` if it says nothing.
    #[must_use]
    pub fn read(&self, response: &HttpResponse, now: SystemTime) -> Option<RateInfo> {
        let field = |name: Option<&str>| response.header(name?).map(str::trim);
        let mut rate = RateInfo::new();
        if let Some(limit) = field(self.limit).and_then(number) {
            rate = rate.with_limit(limit);
        }
        if let Some(remaining) = field(Some(self.remaining)).and_then(number) {
            rate = rate.with_remaining(remaining);
        }
        if let Some(reset) = field(self.reset).and_then(|value| delay(value, now)) {
            rate = rate.with_reset(reset);
        }
        (rate != RateInfo::new()).then_some(rate)
    }
}

/// Reads what an answer says: of several limits, the one of which least is left.
pub(crate) fn read(sets: &[RateHeaders], response: &HttpResponse, now: SystemTime) -> Option<RateInfo> {
    sets.iter()
        .filter_map(|set| set.read(response, now))
        .fold(None, |least, rate| tighter(least, Some(rate)))
}

/// The one of which less is left; of two with nothing left, the one that lasts longer; else the later one.
pub(crate) fn tighter(first: Option<RateInfo>, second: Option<RateInfo>) -> Option<RateInfo> {
    let (Some(one), Some(other)) = (first, second) else {
        return first.or(second);
    };
    let left = |rate: &RateInfo| rate.remaining().unwrap_or(u64::MAX);
    let first_counts =
        left(&one) < left(&other) || (one.is_used_up() && other.is_used_up() && one.reset() > other.reset());
    Some(if first_counts { one } else { other })
}

/// What an answer said that became an error.
pub(crate) fn of_error(error: &SendError) -> Option<RateInfo> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<ProviderError>()?.rate().copied()
}

/// A whole number; one that does not fit is the largest. None with anything else about it: `10, 20` are two limits.
fn number(value: &str) -> Option<u64> {
    let is_number = !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_digit());
    is_number.then(|| value.parse().unwrap_or(u64::MAX))
}

fn delay(value: &str, now: SystemTime) -> Option<Duration> {
    let time = match number(value) {
        Some(seconds) if seconds < UNIX_SECONDS => return Some(Duration::from_secs(seconds).min(MOST)),
        Some(seconds) if seconds < UNIX_MILLIS => UNIX_EPOCH.checked_add(Duration::from_secs(seconds)),
        Some(millis) => UNIX_EPOCH.checked_add(Duration::from_millis(millis)),
        None => match value.parse::<f64>() {
            // Fractions of a second, or of a time in seconds.
            Ok(seconds) => {
                let seconds = Duration::try_from_secs_f64(seconds).ok()?;
                if seconds.as_secs() < UNIX_SECONDS {
                    return Some(seconds.min(MOST));
                }
                UNIX_EPOCH.checked_add(seconds)
            }
            Err(_) => httpdate::parse_http_date(value)
                .ok()
                .or_else(|| moment::from_text(value)),
        },
    };
    Some(time?.duration_since(now).unwrap_or_default().min(MOST))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW)
    }

    #[test]
    fn a_reset_is_seconds_a_time_or_a_date() {
        for (value, expected) in [
            ("60", Some(60.0)),
            ("0", Some(0.0)),
            ("1.5", Some(1.5)),
            ("1700000030", Some(30.0)),
            ("1700000030.5", Some(30.5)),
            ("1700000030250", Some(30.25)),
            ("1600000000", Some(0.0)),
            ("Tue, 14 Nov 2023 22:14:20 GMT", Some(60.0)),
            ("2023-11-14T22:14:20Z", Some(60.0)),
            ("2023-11-14T22:14:20.250Z", Some(60.0)),
            ("2013-11-14T22:14:20Z", Some(0.0)),
            // As long as is believed, and no longer.
            ("999999999", Some(2_678_400.0)),
            ("99999999999", Some(2_678_400.0)),
            ("99999999999999999999999999", Some(2_678_400.0)),
            ("9999-12-31T23:59:60Z", Some(2_678_400.0)),
            ("1e300", None),
            ("-5", None),
            ("NaN", None),
            ("inf", None),
            ("", None),
            ("soon", None),
            ("2023-11-14", None),
            ("60, 3600", None),
        ] {
            let found = delay(value, now()).map(|delay| delay.as_secs_f64());
            assert_eq!(found, expected, "{value:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_not_said() {
        for (value, expected) in [
            ("10", Some(10)),
            ("0", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("10, 20", None),
            ("10;w=60", None),
            ("٣", None),
            ("", None),
        ] {
            assert_eq!(number(value), expected, "{value:?}");
        }
        let silent = HttpResponse::new(200, "").with_header("X-RateLimit-Remaining", "many");
        assert_eq!(read(RateHeaders::USUAL, &silent, now()), None);
        assert_eq!(read(RateHeaders::USUAL, &HttpResponse::new(200, ""), now()), None);
    }

    #[test]
    fn of_several_limits_the_tightest_counts() {
        let sets = &[
            RateHeaders::new("Minute").with_reset("Minute-Reset"),
            RateHeaders::new("Day").with_reset("Day-Reset"),
        ];
        let of = |minute: &str, day: &str| {
            let response = HttpResponse::new(200, "")
                .with_header("minute", minute)
                .with_header("minute-reset", "60")
                .with_header("day", day)
                .with_header("day-reset", "3600");
            read(sets, &response, now())
                .and_then(|rate| rate.reset())
                .map(|reset| reset.as_secs())
        };
        assert_eq!(of("3", "100"), Some(60));
        assert_eq!(of("3", "2"), Some(3600));
        assert_eq!(of("0", "0"), Some(3600));
        assert_eq!(of("3", "many"), Some(60));
    }

    proptest! {
        #[test]
        fn no_value_panics_or_lasts_longer_than_is_believed(value in "[0-9.eE+:TZ, -]{0,40}|\\PC{0,40}", seconds in any::<u32>()) {
            let now = UNIX_EPOCH + Duration::from_secs(u64::from(seconds));
            let response = HttpResponse::new(200, "")
                .with_header("RateLimit-Remaining", value.clone())
                .with_header("RateLimit-Limit", value.clone())
                .with_header("RateLimit-Reset", value);
            let reset = read(RateHeaders::USUAL, &response, now).and_then(|rate| rate.reset());
            prop_assert!(reset.is_none_or(|reset| reset <= MOST));
        }
    }
}
