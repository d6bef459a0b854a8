//! Several transports as one: in order, or by turns.
//!
//! Right: each member with its own rate limit and retry inside, so that a passing fault of the first does not move a send to the
//! second; suppression and signing outside, once for all.
//!
//! ```text
//! Failover::new([ses.layer(RateLimit::new(..)).layer(Retry::new(..)), smtp]).layer(Sign::new(signer))
//! ```
//!
//! Wrong: the retry around the failover. When the first member is slow to come back, each attempt goes through all members, and a
//! message that the last one throttles begins again at the first.
//!
//! ```text
//! Failover::new([ses, smtp]).layer(Retry::new(..))
//! ```

mod error;
mod members;
mod turns;

use std::sync::Arc;
use std::time::Duration;

pub use error::FailoverError;
use members::Members;
use turns::Turns;

use super::HealthPolicy;
use crate::{ErrorKind, Outbound, SendFuture, SendOptions, Timer, Transport, TransportInfo};

/// Sends by the first transport that takes a message.
///
/// - A member that certainly accepted nothing makes room for the next, if the reason is its own: it cannot be reached, is too
///   busy, does not know us, or cannot do what the message needs. What it says of the message itself (a refusal for good, a
///   message that is not valid) ends the send.
/// - A send that may have been accepted is **never** repeated elsewhere, unless [`Failover::allow_duplicates`] says so. An
///   idempotency key changes nothing about that: another provider does not know it. So several members have no keys; put
///   [`Idempotency`](super::Idempotency) around them.
/// - Recipients that a member refused for now, while it took others, go on alone to the next. Nobody who was accepted, or may have
///   been, is sent to twice. Every recipient of the envelope has one fate in the outcome.
/// - A member that fails again and again rests, and one send finds out when it is back: see [`HealthPolicy`]. If all rest, the one
///   whose rest ends first is asked all the same: a failover never fails without having tried.
/// - What it can do is what any of its members can; a message goes only to those that can do what it needs.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use posthaste_transport::layers::Failover;
/// use posthaste_transport::{MemoryTransport, Transport};
///
/// let first = MemoryTransport::new();
/// let second = MemoryTransport::new();
/// let both = Failover::new([Arc::new(first) as Arc<dyn Transport>, Arc::new(second)]);
/// assert_eq!(both.info().name(), "failover");
/// ```
#[derive(Debug)]
pub struct Failover {
    members: Members,
}

/// Sends by several transports in turns, and by the others when one fails.
///
/// All that is said of [`Failover`] holds; only who is asked first changes from send to send, each as often as its weight says,
/// and as evenly spread as can be.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use posthaste_transport::layers::RoundRobin;
/// use posthaste_transport::{MemoryTransport, Transport};
///
/// let large = MemoryTransport::new();
/// let small = MemoryTransport::new();
/// let both = RoundRobin::weighted([(Arc::new(large) as Arc<dyn Transport>, 3), (Arc::new(small), 1)]);
/// assert_eq!(both.info().name(), "roundrobin");
/// ```
#[derive(Debug)]
pub struct RoundRobin {
    members: Members,
    turns: Turns,
}

impl Failover {
    /// Asks `members` in this order. Without a member, every send fails as [`ErrorKind::Invalid`].
    #[must_use]
    pub fn new(members: impl IntoIterator<Item = Arc<dyn Transport>>) -> Self {
        Self {
            members: Members::new("failover", members),
        }
    }
}

impl RoundRobin {
    /// Gives each of `members` the same share.
    #[must_use]
    pub fn new(members: impl IntoIterator<Item = Arc<dyn Transport>>) -> Self {
        Self::weighted(members.into_iter().map(|member| (member, 1)))
    }

    /// Gives each member a share by its weight. One with the weight 0 is only asked when others fail.
    #[must_use]
    pub fn weighted(members: impl IntoIterator<Item = (Arc<dyn Transport>, u32)>) -> Self {
        let (members, weights): (Vec<_>, Vec<_>) = members.into_iter().unzip();
        Self {
            members: Members::new("roundrobin", members),
            turns: Turns::new(weights),
        }
    }
}

macro_rules! settings {
    ($name:ident) => {
        impl $name {
            /// Sets when a member counts as down, and for how long.
            #[must_use]
            pub fn with_health(mut self, policy: HealthPolicy) -> Self {
                self.members.set_health(policy);
                self
            }

            /// Sets the kinds of errors that let the next member try, in place of
            /// [`Unsupported`](ErrorKind::Unsupported), [`Unauthorized`](ErrorKind::Unauthorized),
            /// [`Throttled`](ErrorKind::Throttled), [`Unavailable`](ErrorKind::Unavailable), [`Timeout`](ErrorKind::Timeout) and
            /// [`Unknown`](ErrorKind::Unknown). Only what was certainly not accepted moves on, whatever its kind.
            #[must_use]
            pub fn with_kinds(mut self, kinds: impl IntoIterator<Item = ErrorKind>) -> Self {
                self.members.set_kinds(kinds.into_iter().collect());
                self
            }

            /// Sets how long one member may take. Without it, the first that hangs uses up the deadline of the send.
            #[must_use]
            pub fn with_member_timeout(mut self, timeout: Duration) -> Self {
                self.members.set_timeout(timeout);
                self
            }

            /// Lets a send that may have been accepted go on to the next member: recipients may get it twice.
            #[must_use]
            pub fn allow_duplicates(mut self, allow: bool) -> Self {
                self.members.allow_duplicates(allow);
                self
            }

            /// Replaces the timer that it tells time by.
            #[must_use]
            pub fn with_timer(mut self, timer: Arc<dyn Timer>) -> Self {
                self.members.set_timer(timer);
                self
            }
        }
    };
}

settings!(Failover);
settings!(RoundRobin);

#[deny(clippy::missing_trait_methods)]
impl Transport for Failover {
    fn info(&self) -> TransportInfo {
        self.members.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.members.send(0, mail, options))
    }
}

#[deny(clippy::missing_trait_methods)]
impl Transport for RoundRobin {
    fn info(&self) -> TransportInfo {
        self.members.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        let first = self.turns.next();
        Box::pin(self.members.send(first, mail, options))
    }
}

#[cfg(test)]
mod tests;
