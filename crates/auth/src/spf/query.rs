//! What is asked, and how much work the answer may cost.

use std::{
    fmt,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

/// Asks whether `ip` may send for a sender: the parameters of check_host (RFC 7208 §4.1).
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    pub(super) ip: IpAddr,
    pub(super) helo: &'a str,
    pub(super) mail_from: &'a str,
    pub(super) receiver: &'a str,
    pub(super) time: SystemTime,
}

impl<'a> Query<'a> {
    /// Asks about a connection from `ip` that greeted as `helo` and gave `mail_from` as its reverse-path.
    ///
    /// An IPv4 address in IPv6 clothes (`::ffff:192.0.2.1`) counts as IPv4 (RFC 7208 §5). An empty `mail_from`, as
    /// bounces have, checks the name in `helo` (§2.4).
    pub fn new(ip: IpAddr, helo: &'a str, mail_from: &'a str) -> Self {
        Self {
            ip: ip.to_canonical(),
            helo,
            mail_from,
            receiver: "unknown",
            time: SystemTime::UNIX_EPOCH,
        }
    }

    /// Names the host that asks, for `%{r}` in explanations: `unknown` unless told.
    #[must_use]
    pub fn receiver(mut self, name: &'a str) -> Self {
        self.receiver = name;
        self
    }

    /// Says what time it is, for `%{t}` in explanations: the start of 1970 unless told.
    #[must_use]
    pub fn at(mut self, time: SystemTime) -> Self {
        self.time = time;
        self
    }
}

/// Bounds the work of one check (RFC 7208 §4.6.4).
#[derive(Clone)]
pub struct Limits {
    pub(super) lookups: u8,
    pub(super) void_lookups: u8,
    pub(super) names: u8,
    pub(super) timeout: Duration,
    clock: Arc<dyn Fn() -> Instant + Send + Sync>,
}

impl Default for Limits {
    /// The RFC's numbers: 10 lookups, 2 of them void, 10 names per `mx` and `ptr`, 20 seconds.
    fn default() -> Self {
        Self {
            lookups: 10,
            void_lookups: 2,
            names: 10,
            timeout: Duration::from_secs(20),
            clock: Arc::new(Instant::now),
        }
    }
}

impl Limits {
    /// Sets how many terms may ask the DNS.
    #[must_use]
    pub fn lookups(mut self, most: u8) -> Self {
        self.lookups = most;
        self
    }

    /// Sets how many of them may find nothing.
    #[must_use]
    pub fn void_lookups(mut self, most: u8) -> Self {
        self.void_lookups = most;
        self
    }

    /// Sets how many names one `mx` or `ptr` may lead to.
    #[must_use]
    pub fn names(mut self, most: u8) -> Self {
        self.names = most;
        self
    }

    /// Sets after how long no further question is asked. The question that is under way when time runs out ends at the
    /// resolver's own deadline.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the clock that the timeout is measured with.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    pub(super) fn now(&self) -> Instant {
        (self.clock)()
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits")
            .field("lookups", &self.lookups)
            .field("void_lookups", &self.void_lookups)
            .field("names", &self.names)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
