//! From what happened to what goes on the list.

use std::time::{Duration, SystemTime};

use posthaste_address::EmailAddress;

use crate::{Entry, Reason, Reasons, Scope};

/// Decides what goes on the list when a message bounced, somebody complained or asked for no more.
///
/// Unless told otherwise everything does, for good: bounces, complaints and invalid addresses for all mail, what people asked
/// to end for the mail that they asked it of.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use posthaste_suppression::{FeedPolicy, Reason, Scope};
///
/// let (now, two_weeks) = (SystemTime::now(), Duration::from_secs(14 * 86_400));
/// let policy = FeedPolicy::default().with_lifetime(Reason::Bounce, two_weeks);
///
/// let newsletter = Scope::named("newsletter")?;
/// let bounce = policy.entry(Reason::Bounce, "bob@example.net".parse()?, &newsletter, now);
/// let entry = bounce.expect("bounces are taken");
/// assert!(entry.scope().is_global());
/// assert!(!entry.is_active(now + two_weeks));
///
/// let unsubscribe = policy.entry(Reason::Unsubscribe, "bob@example.net".parse()?, &newsletter, now);
/// assert_eq!(unsubscribe.expect("and so are these").scope(), &newsletter);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedPolicy {
    taken: Reasons,
    scoped: Reasons,
    lifetimes: [Option<Duration>; Reason::ALL.len()],
}

impl Default for FeedPolicy {
    fn default() -> Self {
        Self {
            taken: Reasons::all(),
            scoped: Reasons::from(Reason::Unsubscribe),
            lifetimes: [None; Reason::ALL.len()],
        }
    }
}

impl FeedPolicy {
    /// Takes only what happened for these reasons; all unless set.
    #[must_use]
    pub fn with_reasons(mut self, reasons: impl Into<Reasons>) -> Self {
        self.taken = reasons.into();
        self
    }

    /// Sets the reasons that count only for the mail that they came from; unsubscribing alone unless set.
    #[must_use]
    pub fn with_scoped(mut self, reasons: impl Into<Reasons>) -> Self {
        self.scoped = reasons.into();
        self
    }

    /// Lets entries of a reason expire so long after what happened; they stay for good unless set.
    #[must_use]
    pub fn with_lifetime(mut self, reason: Reason, lifetime: Duration) -> Self {
        if let Some(place) = self.lifetimes.get_mut(reason as usize) {
            *place = Some(lifetime);
        }
        self
    }

    /// Makes the entry for what happened at `at` with mail of `scope`; `None` if this policy does not take it.
    #[must_use]
    pub fn entry(&self, reason: Reason, address: EmailAddress, scope: &Scope, at: SystemTime) -> Option<Entry> {
        if !self.taken.contains(reason) {
            return None;
        }
        let mut entry = Entry::new(address, reason, at);
        if self.scoped.contains(reason) {
            entry = entry.with_scope(scope.clone());
        }
        let lifetime = self.lifetimes.get(reason as usize).copied().flatten();
        if let Some(expiry) = lifetime.and_then(|lifetime| at.checked_add(lifetime)) {
            entry = entry.with_expiry(expiry);
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_takes_only_what_it_was_told() {
        let policy = FeedPolicy::default().with_reasons([Reason::Bounce]);
        let address: EmailAddress = "bob@example.net".parse().unwrap();
        let at = SystemTime::UNIX_EPOCH;
        let made = |reason| policy.entry(reason, address.clone(), &Scope::global(), at);
        assert!(made(Reason::Complaint).is_none());
        assert_eq!(made(Reason::Bounce).unwrap().expiry(), None);
    }

    #[test]
    fn a_lifetime_beyond_all_clocks_is_for_good() {
        let policy = FeedPolicy::default()
            .with_lifetime(Reason::Bounce, Duration::MAX)
            .with_scoped(Reasons::all());
        let scope = Scope::named("news").unwrap();
        let address: EmailAddress = "bob@example.net".parse().unwrap();
        let entry = policy
            .entry(Reason::Bounce, address, &scope, SystemTime::UNIX_EPOCH)
            .unwrap();
        assert_eq!((entry.expiry(), entry.scope()), (None, &scope));
    }
}
