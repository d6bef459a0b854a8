//! Remembers tokens that may be used once.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Whether a key came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Occurrence {
    /// It is new.
    First,
    /// It came before with the same body: the provider delivers again.
    Again,
    /// It came before with another body: somebody uses what they overheard.
    Changed,
}

/// Remembers keys and what they came with, so that what was overheard is of no use for anything else.
pub trait ReplayGuard: fmt::Debug + Send + Sync + 'static {
    /// Notes that `key` came with a body of this SHA-256, and says whether it came before. It need not be remembered after `until`.
    fn note(&self, key: &str, body: [u8; 32], until: SystemTime, now: SystemTime) -> Occurrence;
}

impl<G: ReplayGuard + ?Sized> ReplayGuard for std::sync::Arc<G> {
    fn note(&self, key: &str, body: [u8; 32], until: SystemTime, now: SystemTime) -> Occurrence {
        (**self).note(key, body, until, now)
    }
}

/// A [`ReplayGuard`] in memory, of a bounded size: of too many keys it forgets the oldest. Only keys with a right signature get in.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use posthaste_events::webhook::{Occurrence, RecentKeys, ReplayGuard};
///
/// let recent = RecentKeys::new(10_000);
/// let now = SystemTime::UNIX_EPOCH;
/// let until = now + Duration::from_secs(300);
/// assert_eq!(recent.note("token", [1; 32], until, now), Occurrence::First);
/// assert_eq!(recent.note("token", [1; 32], until, now), Occurrence::Again);
/// assert_eq!(recent.note("token", [2; 32], until, now), Occurrence::Changed);
/// ```
pub struct RecentKeys {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    bodies: HashMap<[u8; 32], ([u8; 32], SystemTime)>,
    order: VecDeque<[u8; 32]>,
}

impl RecentKeys {
    /// Remembers up to so many keys, and one at least; each takes some 200 octets. Take more than come while one is valid: 100 000 for
    /// a busy sender, whose requests of half a day they are at two a second.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            kept: Mutex::default(),
        }
    }
}

impl ReplayGuard for RecentKeys {
    fn note(&self, key: &str, body: [u8; 32], until: SystemTime, now: SystemTime) -> Occurrence {
        let key = super::hash::sha256(key.as_bytes());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Keys stand in the order in which they came, which is nearly that in which they end.
        while let Some(oldest) = kept.order.front().copied() {
            let ended = kept.bodies.get(&oldest).is_none_or(|(_, until)| *until < now);
            if !ended {
                break;
            }
            kept.order.pop_front();
            kept.bodies.remove(&oldest);
        }
        match kept.bodies.get(&key) {
            Some((before, until)) if *until >= now => {
                return if *before == body {
                    Occurrence::Again
                } else {
                    Occurrence::Changed
                };
            }
            // It ended, and stands behind one that did not: it keeps its place.
            Some(_) => {}
            None => kept.order.push_back(key),
        }
        kept.bodies.insert(key, (body, until));
        while kept.order.len() > self.most {
            if let Some(oldest) = kept.order.pop_front() {
                kept.bodies.remove(&oldest);
            }
        }
        Occurrence::First
    }
}

impl fmt::Debug for RecentKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecentKeys({} at most)", self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn forgets_what_ended_and_the_oldest_of_too_many() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let recent = RecentKeys::new(2);
        assert_eq!(recent.note("a", [1; 32], at(10), at(0)), Occurrence::First);
        assert_eq!(recent.note("a", [2; 32], at(10), at(10)), Occurrence::Changed);
        assert_eq!(recent.note("a", [2; 32], at(20), at(11)), Occurrence::First);
        assert_eq!(recent.note("b", [1; 32], at(20), at(11)), Occurrence::First);
        assert_eq!(recent.note("c", [1; 32], at(20), at(11)), Occurrence::First);
        assert_eq!(recent.note("a", [1; 32], at(20), at(11)), Occurrence::First);
        assert_eq!(recent.note("c", [1; 32], at(20), at(11)), Occurrence::Again);
    }
}
