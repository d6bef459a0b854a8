//! RFC 5322 §3.3 dates.

use std::time::{Duration, SystemTime};

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const SECONDS_A_DAY: i64 = 86_400;

/// Writes `time` in UTC; `None` outside the years 1900 to 9999.
pub(crate) fn format(time: SystemTime) -> Option<String> {
    let seconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).ok()?,
        Err(before) => {
            // Towards the past, like the seconds after the epoch.
            let before = before.duration();
            let whole = i64::try_from(before.as_secs()).ok()?;
            if before > Duration::from_secs(before.as_secs()) {
                -whole - 1
            } else {
                -whole
            }
        }
    };
    let day_number = seconds.div_euclid(SECONDS_A_DAY);
    let second = seconds.rem_euclid(SECONDS_A_DAY);
    let (year, month, day) = civil(day_number)?;
    if !(1900..=9999).contains(&year) {
        return None;
    }
    let weekday = DAYS.get(usize::try_from(day_number.rem_euclid(7)).ok()?)?;
    let month = MONTHS.get(usize::try_from(month - 1).ok()?)?;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let mut text = String::with_capacity(32);
    text.push_str(weekday);
    text.push_str(", ");
    if day > 9 {
        text.push(digit(day / 10));
    }
    text.push(digit(day));
    for piece in [" ", month, " "] {
        text.push_str(piece);
    }
    for part in [year / 100, year] {
        text.extend([digit(part / 10), digit(part)]);
    }
    for (before, part) in [(' ', hour), (':', minute), (':', second)] {
        text.extend([before, digit(part / 10), digit(part)]);
    }
    text.push_str(" +0000");
    Some(text)
}

/// The last decimal digit of a number that is not negative.
fn digit(number: i64) -> char {
    u32::try_from(number % 10)
        .ok()
        .and_then(|digit| char::from_digit(digit, 10))
        .unwrap_or('0')
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
///
/// Counts from 1 March of year 0, so that the leap day is the last of its year and of the 400-year cycle.
fn civil(day_number: i64) -> Option<(i64, i64, i64)> {
    let shifted = day_number.checked_add(719_468)?;
    let cycle = shifted.div_euclid(146_097);
    let day_of_cycle = shifted.rem_euclid(146_097);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_cycle + cycle * 400 + i64::from(month <= 2);
    Some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: i64, expected: Option<&str>) {
        let offset = Duration::from_secs(seconds.unsigned_abs());
        let time = if seconds < 0 {
            SystemTime::UNIX_EPOCH - offset
        } else {
            SystemTime::UNIX_EPOCH + offset
        };
        assert_eq!(format(time).as_deref(), expected);
    }

    #[test]
    fn known_dates() {
        check(0, Some("Thu, 1 Jan 1970 00:00:00 +0000"));
        check(-1, Some("Wed, 31 Dec 1969 23:59:59 +0000"));
        check(951_782_400, Some("Tue, 29 Feb 2000 00:00:00 +0000"));
        check(1_795_402_461, Some("Mon, 23 Nov 2026 02:54:21 +0000"));
        check(253_402_300_799, Some("Fri, 31 Dec 9999 23:59:59 +0000"));
        check(-2_208_988_800, Some("Mon, 1 Jan 1900 00:00:00 +0000"));
    }

    #[test]
    fn years_that_cannot_be_written_are_refused() {
        check(253_402_300_800, None);
        check(-2_208_988_801, None);
    }

    #[test]
    fn parts_of_a_second_before_the_epoch_belong_to_the_second_before() {
        let time = SystemTime::UNIX_EPOCH - Duration::from_millis(1);
        assert_eq!(format(time).as_deref(), Some("Wed, 31 Dec 1969 23:59:59 +0000"));
    }
}
