//! Wall time by default, until a caller gives its own.

use std::time::SystemTime;

use posthaste_mime::Clock;

/// Asks the operating system.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}
