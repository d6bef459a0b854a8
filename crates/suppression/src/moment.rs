//! Points in time, to the microsecond, within the years 1970 to 9999.

use std::time::{Duration, SystemTime};

/// The first microsecond after the year 9999.
const END: i64 = 253_402_300_800_000_000;

/// Counts the microseconds since 1970; what is before or beyond the calendar is brought to its edge.
pub(crate) fn to_micros(time: SystemTime) -> i64 {
    let micros = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_micros());
    i64::try_from(micros).unwrap_or(i64::MAX).min(END - 1)
}

/// The other way; `None` for what [`to_micros`] never gives.
pub(crate) fn from_micros(micros: i64) -> Option<SystemTime> {
    let since = u64::try_from(micros).ok().filter(|_| micros < END)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(since))
}

/// The same moment as every store keeps it.
pub(crate) fn kept(time: SystemTime) -> SystemTime {
    from_micros(to_micros(time)).unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_the_calendar_hold() {
        assert_eq!(
            kept(SystemTime::UNIX_EPOCH - Duration::from_secs(1)),
            SystemTime::UNIX_EPOCH
        );
        assert_eq!(from_micros(END), None);
        assert_eq!(from_micros(-1), None);
    }
}
