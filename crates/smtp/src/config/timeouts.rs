//! How long each phase of a session may take.

use std::fmt;
use std::time::Duration;

/// A phase of a client's session that has its own deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Connect,
    Tls,
    Greeting,
    Command,
    Mail,
    Rcpt,
    Data,
    Block,
    End,
}

impl Phase {
    /// All of them, in the order in which they are declared.
    const ALL: [Self; 9] = [
        Self::Connect,
        Self::Tls,
        Self::Greeting,
        Self::Command,
        Self::Mail,
        Self::Rcpt,
        Self::Data,
        Self::Block,
        Self::End,
    ];
}

/// How long each phase of a session may take. The defaults are those of RFC 5321 §4.5.3.2; shorten them for people who
/// wait. The whole send has a deadline of its own in the send's options. Times are whole milliseconds, rounded up, and no longer
/// than 49 days.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use posthaste_smtp::Timeouts;
///
/// let timeouts = Timeouts::default().connect(Duration::from_secs(5)).end(Duration::from_secs(60));
/// let quick = Timeouts::all(Duration::from_secs(10));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Milliseconds, by phase: every message under way has its own.
    by_phase: [u32; Phase::ALL.len()],
}

impl Default for Timeouts {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Self::all(minutes(5))
            .connect(Duration::from_secs(30))
            .tls(Duration::from_secs(30))
            .data(minutes(2))
            .block(minutes(3))
            .end(minutes(10))
    }
}

impl fmt::Debug for Timeouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(Phase::ALL.iter().map(|&phase| (phase, self.get(phase))))
            .finish()
    }
}

impl Timeouts {
    /// Gives every phase the same time.
    pub fn all(time: Duration) -> Self {
        Self {
            by_phase: [milliseconds(time); Phase::ALL.len()],
        }
    }

    /// Sets the time to open a connection, name resolution included. Default 30 s.
    pub fn connect(self, time: Duration) -> Self {
        self.with(Phase::Connect, time)
    }

    /// Sets the time for a TLS handshake. Default 30 s.
    pub fn tls(self, time: Duration) -> Self {
        self.with(Phase::Tls, time)
    }

    /// Sets the time to the server's greeting. Default 5 min.
    pub fn greeting(self, time: Duration) -> Self {
        self.with(Phase::Greeting, time)
    }

    /// Sets the time to each reply to EHLO, STARTTLS, AUTH and RSET. Default 5 min.
    pub fn command(self, time: Duration) -> Self {
        self.with(Phase::Command, time)
    }

    /// Sets the time to the reply to MAIL. Default 5 min.
    pub fn mail(self, time: Duration) -> Self {
        self.with(Phase::Mail, time)
    }

    /// Sets the time to the reply to each RCPT. Default 5 min.
    pub fn rcpt(self, time: Duration) -> Self {
        self.with(Phase::Rcpt, time)
    }

    /// Sets the time to the reply to DATA. Default 2 min.
    pub fn data(self, time: Duration) -> Self {
        self.with(Phase::Data, time)
    }

    /// Sets the time for each 32 KiB of the message to be taken by the connection. Default 3 min.
    pub fn block(self, time: Duration) -> Self {
        self.with(Phase::Block, time)
    }

    /// Sets the time to the reply to the final dot. Default 10 min; too short a time makes doubles (RFC 5321 §4.5.3.2.6).
    pub fn end(self, time: Duration) -> Self {
        self.with(Phase::End, time)
    }

    fn with(mut self, phase: Phase, time: Duration) -> Self {
        self.set(phase, time);
        self
    }

    pub(crate) fn get(&self, phase: Phase) -> Duration {
        let time = self.by_phase.get(phase as usize).copied();
        Duration::from_millis(time.unwrap_or_default().into())
    }

    pub(super) fn set(&mut self, phase: Phase, time: Duration) {
        if let Some(place) = self.by_phase.get_mut(phase as usize) {
            *place = milliseconds(time);
        }
    }
}

/// The next whole number of milliseconds.
fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u32::MAX)
}
