//! One address on the list.

use std::time::SystemTime;

use posthaste_address::EmailAddress;

use crate::{Reason, Scope, moment};

/// The most octets of [`Entry::source`] and of [`Entry::detail`].
const SOURCE: usize = 255;
const DETAIL: usize = 1024;

/// An address that must not be written to: why, for which mail, since and until when.
///
/// A list holds one entry for an address, a scope and a reason: a bounce does not overwrite a complaint, and taking back
/// one leaves the other. Times are kept to the microsecond, within the years 1970 to 9999.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use posthaste_suppression::{Entry, Reason, Scope};
///
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000); // or SystemTime::now()
/// let entry = Entry::new("bob@example.net".parse()?, Reason::Bounce, now)
///     .with_scope(Scope::named("newsletter")?)
///     .with_expiry(now + Duration::from_secs(14 * 86_400))
///     .with_source("smtp")
///     .with_detail("550 5.1.1 no such user");
/// assert!(entry.is_active(now));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub(crate) address: EmailAddress,
    pub(crate) scope: Scope,
    pub(crate) reason: Reason,
    pub(crate) created: SystemTime,
    pub(crate) expiry: Option<SystemTime>,
    pub(crate) source: Box<str>,
    pub(crate) detail: Box<str>,
}

impl Entry {
    /// Makes an entry for all mail to `address`, as of `created`, for good.
    #[must_use]
    pub fn new(address: EmailAddress, reason: Reason, created: SystemTime) -> Self {
        Self {
            address,
            scope: Scope::global(),
            reason,
            created: moment::kept(created),
            expiry: None,
            source: Box::default(),
            detail: Box::default(),
        }
    }

    /// Sets the mail that it is about.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Sets the moment from which it no longer counts.
    #[must_use]
    pub fn with_expiry(mut self, expiry: SystemTime) -> Self {
        self.expiry = Some(moment::kept(expiry));
        self
    }

    /// Sets who said so, such as `ses` or `import of May`; at most 255 octets are kept, and control characters become blanks.
    #[must_use]
    pub fn with_source(mut self, source: &str) -> Self {
        self.source = plain(source, SOURCE);
        self
    }

    /// Sets what was said, such as the reply of a mail server; at most 1024 octets are kept, and control characters become
    /// blanks.
    #[must_use]
    pub fn with_detail(mut self, detail: &str) -> Self {
        self.detail = plain(detail, DETAIL);
        self
    }

    /// Returns the address, as it was put in.
    #[must_use]
    pub const fn address(&self) -> &EmailAddress {
        &self.address
    }

    /// Returns the mail that it is about.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns why it is there.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// Returns since when.
    #[must_use]
    pub const fn created(&self) -> SystemTime {
        self.created
    }

    /// Returns the moment from which it no longer counts; `None` if it always does.
    #[must_use]
    pub const fn expiry(&self) -> Option<SystemTime> {
        self.expiry
    }

    /// Returns who said so; empty if that is not known.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns what was said; empty if nothing.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns whether it counts at `now`.
    #[must_use]
    pub fn is_active(&self, now: SystemTime) -> bool {
        self.expiry.is_none_or(|expiry| expiry > now)
    }

    /// Picks the one to tell of where several count: the weightiest reason, and of the same reason the first scope.
    pub(crate) fn tells_more_than(&self, other: &Self) -> bool {
        (self.reason.weight(), &other.scope) > (other.reason.weight(), &self.scope)
    }
}

/// Cuts text to `most` octets between characters, and makes control characters blanks.
fn plain(text: &str, most: usize) -> Box<str> {
    let end = text.floor_char_boundary(most);
    let text = text.get(..end).unwrap_or(text);
    let blank = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(blank).collect::<String>().trim().into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn entry() -> Entry {
        Entry::new(
            "ada@example.org".parse().unwrap(),
            Reason::Bounce,
            SystemTime::UNIX_EPOCH + Duration::from_nanos(1_999),
        )
    }

    #[test]
    fn texts_are_bounded_and_plain() {
        let entry = entry().with_detail(&"é".repeat(1000)).with_source("a\r\nb\0");
        assert_eq!((entry.detail().len(), entry.source()), (1024, "a  b"));
        assert_eq!(
            Entry::with_detail(entry, &format!("x{}", "é".repeat(600)))
                .detail()
                .len(),
            1023
        );
    }

    #[test]
    fn an_entry_counts_until_its_expiry() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert!(entry().is_active(at(0)));
        let entry = entry().with_expiry(at(10));
        assert!(entry.is_active(at(9)));
        assert!(!entry.is_active(at(10)));
        assert_eq!(entry.created(), SystemTime::UNIX_EPOCH + Duration::from_micros(1));
    }

    #[test]
    fn people_weigh_more_than_machines() {
        let bounce = entry();
        let complaint = Entry {
            reason: Reason::Complaint,
            scope: Scope::named("z").unwrap(),
            ..entry()
        };
        assert!(complaint.tells_more_than(&bounce));
        assert!(!bounce.tells_more_than(&complaint));
        let named = entry().with_scope(Scope::named("a").unwrap());
        assert!(bounce.tells_more_than(&named));
        assert!(!named.tells_more_than(&bounce));
    }
}
