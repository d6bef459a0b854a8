//! Points in time, as people give them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reads seconds since 1970, or RFC 3339: `2026-01-31T12:00:00Z`, `2026-01-31T13:00:00+01:00`. Fractions are passed over.
pub(crate) fn parse(text: &str) -> Result<SystemTime, String> {
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => Some(seconds),
        Err(_) => rfc3339(text),
    };
    seconds
        .and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
        .ok_or_else(|| "neither RFC 3339 nor seconds since 1970".to_owned())
}

fn rfc3339(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok().filter(|number| *number >= 0);
    let is = |at: usize, allowed: &[char]| text.get(at..)?.chars().next().filter(|c| allowed.contains(c));
    is(4, &['-']).and(is(7, &['-']))?;
    is(10, &['T', 't', ' '])?;
    is(13, &[':']).and(is(16, &[':']))?;
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let zone = text.get(19..)?;
    let zone = match zone.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => zone,
    };
    let offset = match zone {
        "Z" | "z" => 0,
        zone => {
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
            sign * (hours.parse::<u8>().ok()?.min(24) as i64 * 60 + minutes.parse::<u8>().ok()?.min(59) as i64)
        }
    };
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + (minute - offset) * 60 + second;
    u64::try_from(seconds).ok()
}

/// Days since 1970 in the Gregorian calendar: years begin in March, so that the leap day is their last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468
}
