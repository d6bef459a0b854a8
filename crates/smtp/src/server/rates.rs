//! How much a client may do in a time.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use posthaste_limit::{Clock, Decision, Limit, Limiter, LimiterBuilder};

use super::Session;
use super::network::household;

/// How often a client may come and how much it may bring, each as a rate, a daily quota or both.
///
/// A client is who logged in; else its IPv4 address, or the /64 of its IPv6 address. Nothing is limited unless it is set. Who
/// brings too many connections, messages or recipients is told to try again later; who brings too many octets is read from
/// more slowly.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use posthaste_limit::{Limit, Rate};
/// use posthaste_smtp::server::Rates;
///
/// let minute = Duration::from_secs(60);
/// let rates = Rates::default()
///     .connections(Limit::at(Rate::new(30, minute)?))
///     .messages(Limit::at(Rate::new(100, minute)?).per_day(10_000)?)
///     .octets(Limit::per_second(1_000_000)?.burst(4_000_000)?);
/// # Ok::<(), posthaste_limit::LimitError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Rates {
    connections: Option<Limit>,
    messages: Option<Limit>,
    recipients: Option<Limit>,
    octets: Option<Limit>,
    failed_logins: Option<Limit>,
    max_clients: Option<usize>,
    clock: Option<Arc<dyn Clock>>,
}

impl Rates {
    /// Limits the connections of a client.
    pub fn connections(mut self, limit: Limit) -> Self {
        self.connections = Some(limit);
        self
    }

    /// Limits the messages of a client.
    pub fn messages(mut self, limit: Limit) -> Self {
        self.messages = Some(limit);
        self
    }

    /// Limits the recipients that a client names.
    pub fn recipients(mut self, limit: Limit) -> Self {
        self.recipients = Some(limit);
        self
    }

    /// Limits the octets of a client's messages, as they come over the wire.
    pub fn octets(mut self, limit: Limit) -> Self {
        self.octets = Some(limit);
        self
    }

    /// Limits the logins that fail from an address, over all its connections. Who is over it cannot log in, not even with
    /// the right password.
    pub fn failed_logins(mut self, limit: Limit) -> Self {
        self.failed_logins = Some(limit);
        self
    }

    /// Sets how many clients are remembered at once; beyond that the newcomers share one allowance.
    pub fn max_clients(mut self, count: usize) -> Self {
        self.max_clients = Some(count);
        self
    }

    /// Sets the clock, for tests. Default is the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    pub(super) fn meters(&self) -> Meters {
        let meter = |limit: Option<Limit>| {
            limit.map(|limit| {
                let mut builder: LimiterBuilder<Payer> = Limiter::builder(limit);
                if let Some(count) = self.max_clients {
                    builder = builder.max_keys(count);
                }
                if let Some(clock) = &self.clock {
                    builder = builder.clock(Arc::clone(clock));
                }
                Meter {
                    limiter: builder.build(),
                    // What is asked for at once must fit what is ever admitted at once.
                    most: limit
                        .max_burst()
                        .unwrap_or(u32::MAX)
                        .min(limit.quota().unwrap_or(u32::MAX))
                        .max(1),
                }
            })
        };
        Meters {
            connections: meter(self.connections),
            messages: meter(self.messages),
            recipients: meter(self.recipients),
            octets: meter(self.octets),
            failed_logins: meter(self.failed_logins),
        }
    }
}

/// What counts against the rates of a server.
#[derive(Default)]
pub(super) struct Meters {
    pub(super) connections: Option<Meter>,
    pub(super) messages: Option<Meter>,
    pub(super) recipients: Option<Meter>,
    pub(super) octets: Option<Meter>,
    pub(super) failed_logins: Option<Meter>,
}

pub(super) struct Meter {
    limiter: Limiter<Payer>,
    most: u32,
}

/// On whose account it goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Payer {
    Household(IpAddr),
    Identity(String),
}

impl Payer {
    /// Who pays for what comes in a session: who logged in, else the address. Nobody for what comes from this process.
    pub(super) fn of(session: &Session) -> Option<Self> {
        match session.identity() {
            Some(identity) => Some(Self::Identity(identity.name().to_owned())),
            None => Self::address(session),
        }
    }

    pub(super) fn address(session: &Session) -> Option<Self> {
        session.peer_ip().map(|ip| Self::Household(household(ip)))
    }
}

impl Meter {
    /// Counts one; false is that it is one too many now.
    pub(super) fn admits(&self, payer: &Payer) -> bool {
        self.limiter.try_acquire(payer, 1).is_admitted()
    }

    /// Whether one would be admitted now. Counts nothing.
    pub(super) fn would_admit(&self, payer: &Payer) -> bool {
        self.limiter.peek(payer).available() != Some(0)
    }

    /// Counts as many of `count` as there may be, and returns what is left, and how long to wait for more of it.
    pub(super) fn take(&self, payer: &Payer, mut count: usize) -> (usize, Duration) {
        while count > 0 {
            let most = self.most.min(u32::try_from(count).unwrap_or(u32::MAX));
            match self.limiter.try_acquire(payer, most) {
                Decision::Wait(wait) => return (count, wait),
                _ => count = count.saturating_sub(usize::try_from(most).unwrap_or(usize::MAX)),
            }
        }
        (0, Duration::ZERO)
    }
}
