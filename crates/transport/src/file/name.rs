//! Names that no other writer of a Maildir picks.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Makes names as the Maildir page of qmail asks for: time, then what is unique, then a place.
#[derive(Debug, Default)]
pub(super) struct Names {
    count: AtomicU64,
}

impl Names {
    /// Returns `SECONDS.M<micros>P<process>Q<count>R<random>.posthaste`.
    pub(super) fn next(&self, now: SystemTime, random: [u8; 16]) -> String {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let mut name = format!(
            "{}.M{:06}P{}Q{count}R",
            since.as_secs(),
            since.subsec_micros(),
            std::process::id()
        );
        for byte in random {
            // Writing to a String does not fail.
            let _ = write!(name, "{byte:02x}");
        }
        name.push_str(".posthaste");
        name
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn names_sort_by_time_and_differ_even_without_randomness() {
        let names = Names::default();
        let now = UNIX_EPOCH + Duration::new(1_700_000_000, 5_000);
        let first = names.next(now, [0xab; 16]);
        let second = names.next(now, [0xab; 16]);
        assert!(first.starts_with("1700000000.M000005P"), "{first}");
        assert!(
            first.ends_with("Rabababababababababababababababab.posthaste"),
            "{first}"
        );
        assert_ne!(first, second);
        assert!(!first.contains(['/', ':']));
    }

    #[test]
    fn a_clock_before_1970_makes_a_name_too() {
        let name = Names::default().next(UNIX_EPOCH - Duration::from_secs(1), [0; 16]);
        assert!(name.starts_with("0.M000000P"), "{name}");
    }
}
