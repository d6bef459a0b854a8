//! Reads RFC 5322 §3.3 dates, with the obsolete forms of §4.3 and the sloppy ones of the wild.

use std::time::{Duration, SystemTime};

use super::words::harmless;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Longest value that is looked at.
const LIMIT: usize = 256;

/// Reads a date; a day of the week, in any language, may come before it.
pub(super) fn parse(value: &[u8]) -> Option<SystemTime> {
    let text = harmless(std::str::from_utf8(value.get(..value.len().min(LIMIT))?).ok()?);
    let text = without_comments(&text);
    let text = match text.split_once(',') {
        Some((_, after)) => after,
        None => text.as_str(),
    };
    let mut words = text.split_ascii_whitespace();
    let day: i64 = number(words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?)?;
    let month_name = words.next()?.get(..3)?.to_ascii_lowercase();
    let month = MONTHS.iter().position(|name| *name == month_name)?;
    let year = year(words.next()?)?;
    let mut clock = words.next()?.split(':');
    let (hour, minute) = (number(clock.next()?)?, number(clock.next()?)?);
    let second = clock.next().map_or(Some(0), number)?;
    if !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let zone = words.next().map_or(0, zone_minutes);
    let days = days_before(year, i64::try_from(month).ok()? + 1) + day - 1;
    instant(days * 86_400 + hour * 3600 + minute * 60 + second - zone * 60)
}

/// A number of one to four digits.
fn number(text: &str) -> Option<i64> {
    let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// A year; two and three digits count as RFC 5322 §4.3 says.
fn year(text: &str) -> Option<i64> {
    let year = number(text)?;
    match text.len() {
        2 if year < 50 => Some(year + 2000),
        2 | 3 => Some(year + 1900),
        4 => Some(year),
        _ => None,
    }
}

/// Minutes east of Greenwich.
fn zone_minutes(text: &str) -> i64 {
    let digits = text.strip_prefix(['+', '-']).filter(|digits| digits.len() == 4);
    if let Some(offset) = digits.and_then(number) {
        let minutes = offset / 100 * 60 + offset % 100;
        return if text.starts_with('-') { -minutes } else { minutes };
    }
    let hours = match text.to_ascii_uppercase().as_str() {
        "EDT" | "AST" => -4,
        "EST" | "CDT" => -5,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        "BST" | "CET" | "MET" | "WEST" => 1,
        "CEST" | "MEST" | "EET" => 2,
        "EEST" | "MSK" => 3,
        "JST" | "KST" => 9,
        _ => 0,
    };
    hours * 60
}

/// Days from 1970-01-01 to the first of a month, in the proleptic Gregorian calendar.
fn days_before(year: i64, month: i64) -> i64 {
    // Counted from 1 March, so that the leap day is the last of its year.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 - 719_468
}

fn instant(seconds: i64) -> Option<SystemTime> {
    let offset = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(offset)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(offset)
    }
}

/// Replaces comments, nested to any depth, by spaces.
fn without_comments(text: &str) -> String {
    let mut depth = 0_usize;
    text.chars()
        .map(|c| {
            match c {
                '(' => depth += 1,
                ')' if depth > 0 => {
                    depth -= 1;
                    return ' ';
                }
                _ => {}
            }
            if depth > 0 { ' ' } else { c }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, seconds: Option<i64>) {
        let expected = seconds.and_then(instant);
        assert_eq!(parse(text.as_bytes()), expected, "{text:?}");
    }

    #[test]
    fn dates_are_read() {
        check("Thu, 1 Jan 1970 00:00:00 +0000", Some(0));
        check("1 Jan 1970 00:00 +0000", Some(0));
        check("Mon, 23 Nov 2026 03:54:21 +0100 (CET)", Some(1_795_402_461));
        check("Wed, 31 Dec 1969 23:59:59 GMT", Some(-1));
        check("29 Feb 00 00:00:00 EST", Some(951_782_400 + 5 * 3600));
        check("Fri, 31 Dec 9999 23:59:59 Z", Some(253_402_300_799));
        check("30 (day) Jun 2012 23:59:60 -0000", Some(1_341_100_800));
        check("Mon 26 Jan 114 17:14:22 nonsense", Some(1_390_756_462));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "now",
            "1",
            "1 Jan",
            "1 Jan 2000",
            "1 Jan 2000 12",
            "32 Jan 2000 00:00:00",
            "1 Foo 2000 00:00:00",
            "1 Jan 20000 00:00:00",
            "1 Jan 2000 24:00:00",
            "1 Jan 2000 -1:00:00",
            "1 é2n 2000 00:00:00",
        ] {
            check(text, None);
        }
        assert_eq!(parse(b"\xFF"), None);
    }

    proptest! {
        #[test]
        fn what_the_builder_writes_is_read(seconds in -2_208_988_800_i64..=253_402_300_799) {
            let time = instant(seconds).unwrap();
            let written = crate::date::format(time).unwrap();
            prop_assert_eq!(parse(written.as_bytes()), Some(time));
        }

        #[test]
        fn any_text_can_be_looked_at(text in "\\PC{0,60}") {
            let _ = parse(text.as_bytes());
        }
    }
}
