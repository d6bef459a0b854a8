//! Whether a transport is worth a try: failures in a row, a rest, and one send that finds out.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{Disposition, ErrorKind, Outcome, SendError};

/// When a transport counts as down, and for how long.
///
/// So many failures in a row take it down. After a rest one send finds out whether it is up again, while others still count it
/// as down; if that fails too, the rest is twice as long, up to a bound. A peer that says how long to wait is believed, within
/// the bound.
///
/// What a peer decides about a message is no failure: a refusal shows that it is up.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use posthaste_transport::layers::HealthPolicy;
///
/// let policy = HealthPolicy::default().with_failures(5).with_rest(Duration::from_secs(10));
/// assert_eq!(policy.failures(), 5);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthPolicy {
    failures: u32,
    rest: Duration,
    max_rest: Duration,
}

impl Default for HealthPolicy {
    /// Three failures, a rest of 30 seconds, of ten minutes at most.
    fn default() -> Self {
        Self {
            failures: 3,
            rest: Duration::from_secs(30),
            max_rest: Duration::from_mins(10),
        }
    }
}

impl HealthPolicy {
    /// Sets how many failures in a row take it down; at least one.
    #[must_use]
    pub fn with_failures(mut self, failures: u32) -> Self {
        self.failures = failures.max(1);
        self
    }

    /// Sets the first rest.
    #[must_use]
    pub const fn with_rest(mut self, rest: Duration) -> Self {
        self.rest = rest;
        self
    }

    /// Sets the longest rest.
    #[must_use]
    pub const fn with_max_rest(mut self, rest: Duration) -> Self {
        self.max_rest = rest;
        self
    }

    /// Returns how many failures in a row take it down.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Returns the first rest.
    #[must_use]
    pub const fn rest(&self) -> Duration {
        self.rest
    }

    /// Returns the longest rest.
    #[must_use]
    pub const fn max_rest(&self) -> Duration {
        self.max_rest
    }
}

/// What is known of one transport.
#[derive(Debug)]
pub(super) struct Health {
    policy: HealthPolicy,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Up {
        failures: u32,
    },
    Down {
        until: Duration,
        rest: Duration,
        probed: bool,
    },
}

/// What may be done with it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is up.
    Up,
    /// It was down, and is to be found out about.
    Due,
    /// It is down for so long, or somebody finds out.
    Down(Duration),
}

impl Health {
    pub(super) fn new(policy: HealthPolicy) -> Self {
        Self {
            policy,
            state: Mutex::new(State::Up { failures: 0 }),
        }
    }

    /// Says how it stands, and changes nothing.
    pub(super) fn standing(&self, now: Duration) -> Standing {
        match *self.lock() {
            State::Up { .. } => Standing::Up,
            State::Down {
                until, probed: false, ..
            } if until <= now => Standing::Due,
            State::Down { until, .. } => Standing::Down(until.saturating_sub(now)),
        }
    }

    /// Begins a send. Whoever finds out has to say how it went: see [`Probe`].
    pub(super) fn begin(&self, now: Duration) -> Probe<'_> {
        let mut state = self.lock();
        let probes = match &mut *state {
            State::Up { .. } => false,
            State::Down { probed, until, .. } if *until <= now && !*probed => {
                *probed = true;
                true
            }
            State::Down { .. } => false,
        };
        Probe { health: self, probes }
    }

    /// Begins a send unless it is down: of several who ask at once when the rest ends, one alone begins.
    ///
    /// # Errors
    ///
    /// How long it is down for.
    pub(super) fn try_begin(&self, now: Duration) -> Result<Probe<'_>, Duration> {
        let probe = self.begin(now);
        match *self.lock() {
            State::Down { until, .. } if !probe.probes => Err(until.saturating_sub(now)),
            _ => Ok(probe),
        }
    }

    /// Notes what a send found out; `probes` if it was the one that was to.
    fn note(&self, result: &Result<Outcome, SendError>, probes: bool, now: Duration) {
        let error = match result {
            // The transport may never have been asked.
            Err(error) if is_ours(error) => {
                if let (true, State::Down { probed, .. }) = (probes, &mut *self.lock()) {
                    *probed = false;
                }
                return;
            }
            Err(error) if is_failure(error) => error,
            _ => {
                *self.lock() = State::Up { failures: 0 };
                return;
            }
        };
        let bound = |rest: Duration| {
            rest.max(error.retry_after().unwrap_or_default())
                .min(self.policy.max_rest)
        };
        let mut state = self.lock();
        *state = match *state {
            State::Up { failures } if failures.saturating_add(1) < self.policy.failures => State::Up {
                failures: failures.saturating_add(1),
            },
            State::Up { .. } => {
                let rest = bound(self.policy.rest);
                State::Down {
                    until: now.saturating_add(rest),
                    rest,
                    probed: false,
                }
            }
            // Those that were under way when it went down say nothing new.
            down @ State::Down { .. } if !probes => down,
            State::Down { rest, .. } => {
                let rest = bound(rest.saturating_mul(2));
                State::Down {
                    until: now.saturating_add(rest),
                    rest,
                    probed: false,
                }
            }
        };
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A send under way. If it is dropped without a word, as the future of a send may be, it has found out nothing.
#[derive(Debug)]
pub(super) struct Probe<'h> {
    health: &'h Health,
    probes: bool,
}

impl Probe<'_> {
    /// Says how the send went.
    pub(super) fn end(mut self, result: &Result<Outcome, SendError>, now: Duration) {
        let probes = std::mem::take(&mut self.probes);
        self.health.note(result, probes, now);
    }
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        if self.probes
            && let State::Down { probed, .. } = &mut *self.health.lock()
        {
            *probed = false;
        }
    }
}

/// Whether an error was found on our side.
fn is_ours(error: &SendError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unsupported | ErrorKind::Invalid | ErrorKind::Unreadable
    )
}

/// Whether an error says something of the transport, and not of the message.
fn is_failure(error: &SendError) -> bool {
    match error.kind() {
        ErrorKind::Throttled | ErrorKind::Unauthorized | ErrorKind::Unavailable | ErrorKind::Timeout => true,
        ErrorKind::Unknown => error.disposition() != Disposition::Partial,
        ErrorKind::Rejected | ErrorKind::Unsupported | ErrorKind::Invalid | ErrorKind::Unreadable => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn failed() -> Result<Outcome, SendError> {
        Err(SendError::new(ErrorKind::Unavailable, Disposition::NotAccepted))
    }

    fn health(failures: u32) -> Health {
        Health::new(
            HealthPolicy::default()
                .with_failures(failures)
                .with_rest(10 * SECOND)
                .with_max_rest(30 * SECOND),
        )
    }

    #[test]
    fn it_goes_down_after_so_many_failures_in_a_row() {
        let health = health(2);
        let fail = |now| health.begin(now).end(&failed(), now);
        fail(SECOND);
        assert_eq!(health.standing(SECOND), Standing::Up);
        health.begin(SECOND).end(&Ok(Outcome::new([])), SECOND);
        fail(SECOND);
        assert_eq!(health.standing(SECOND), Standing::Up, "a success between counts");
        fail(SECOND);
        assert_eq!(health.standing(SECOND), Standing::Down(10 * SECOND));
        assert_eq!(health.standing(11 * SECOND), Standing::Due);
    }

    #[test]
    fn one_send_finds_out_while_others_wait_and_a_second_failure_rests_longer() {
        let health = health(1);
        health.begin(SECOND).end(&failed(), SECOND);
        let now = 11 * SECOND;
        let probe = health.begin(now);
        assert!(matches!(health.standing(now), Standing::Down(_)));
        probe.end(&failed(), now);
        assert_eq!(health.standing(now), Standing::Down(20 * SECOND));
        let now = 31 * SECOND;
        health.begin(now).end(&failed(), now);
        assert_eq!(health.standing(now), Standing::Down(30 * SECOND), "the bound");
        let now = 61 * SECOND;
        health.begin(now).end(&Ok(Outcome::new([])), now);
        assert_eq!(health.standing(now), Standing::Up);
    }

    #[test]
    fn who_comes_while_one_finds_out_does_not_begin() {
        let health = health(1);
        health.begin(SECOND).end(&failed(), SECOND);
        assert_eq!(health.try_begin(2 * SECOND).err(), Some(9 * SECOND));
        let now = 11 * SECOND;
        let probe = health.try_begin(now).unwrap();
        assert!(health.try_begin(now).is_err());
        drop(probe);
        assert!(health.try_begin(now).is_ok(), "a dropped one makes room");
    }

    #[test]
    fn a_send_that_is_dropped_finds_out_nothing() {
        let health = health(1);
        health.begin(SECOND).end(&failed(), SECOND);
        let now = 11 * SECOND;
        drop(health.begin(now));
        assert_eq!(health.standing(now), Standing::Due);
    }

    #[test]
    fn what_is_said_of_a_message_is_no_failure() {
        for kind in [
            ErrorKind::Rejected,
            ErrorKind::Invalid,
            ErrorKind::Unsupported,
            ErrorKind::Unreadable,
        ] {
            let health = health(1);
            let refused = Err(SendError::new(kind, Disposition::NotAccepted));
            health.begin(SECOND).end(&refused, SECOND);
            assert_eq!(health.standing(SECOND), Standing::Up, "{kind}");
        }
    }

    #[test]
    fn a_peer_that_asks_to_wait_is_believed_within_the_bound() {
        for (asked, rests) in [(20, 20), (5, 10), (3600, 30)] {
            let health = health(1);
            let throttled = SendError::new(ErrorKind::Throttled, Disposition::NotAccepted);
            let throttled = Err(throttled.with_retry_after(asked * SECOND));
            health.begin(SECOND).end(&throttled, SECOND);
            assert_eq!(health.standing(SECOND), Standing::Down(rests * SECOND));
        }
    }

    fn down(health: &Health) -> Option<Duration> {
        match health.standing(Duration::ZERO) {
            Standing::Down(left) => Some(left),
            _ => None,
        }
    }

    fn fails(kind: ErrorKind) -> Result<Outcome, SendError> {
        Err(SendError::new(kind, Disposition::NotAccepted))
    }

    #[test]
    fn those_under_way_when_it_goes_down_do_not_lengthen_its_rest() {
        let policy = HealthPolicy::default().with_failures(3).with_rest(SECOND * 30);
        let health = Health::new(policy);
        let probes: Vec<_> = (0..20).map(|_| health.begin(Duration::ZERO)).collect();
        for probe in probes {
            probe.end(&fails(ErrorKind::Unavailable), Duration::ZERO);
        }
        assert_eq!(down(&health), Some(SECOND * 30));
        // Whoever finds out that it is still down does.
        health
            .begin(SECOND * 30)
            .end(&fails(ErrorKind::Unavailable), SECOND * 30);
        assert_eq!(down(&health), Some(SECOND * 90));
    }

    #[test]
    fn our_own_mistakes_say_nothing_of_it() {
        let health = Health::new(HealthPolicy::default().with_failures(2).with_rest(SECOND));
        let ours = [ErrorKind::Unsupported, ErrorKind::Invalid, ErrorKind::Unreadable];
        health
            .begin(Duration::ZERO)
            .end(&fails(ErrorKind::Unavailable), Duration::ZERO);
        for kind in ours {
            health.begin(Duration::ZERO).end(&fails(kind), Duration::ZERO);
        }
        health
            .begin(Duration::ZERO)
            .end(&fails(ErrorKind::Unavailable), Duration::ZERO);
        assert_eq!(down(&health), Some(SECOND));
        for kind in ours {
            health.begin(SECOND).end(&fails(kind), SECOND);
            assert_eq!(health.standing(SECOND), Standing::Due, "{kind}");
        }
    }
}
