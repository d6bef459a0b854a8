//! From events to a list of addresses that must not be written to.
//!
//! [`reason`] says what an event means for such a list, [`entry`] makes the entry that a policy wants for it, and [`feed`] brings a
//! list up to date with the events of a request: it puts entries, and takes back wishes to get no more from those who subscribe again.
//!
//! ```
//! use std::time::SystemTime;
//!
//! use posthaste_events::bounce::Permanence;
//! use posthaste_events::event::{Event, EventKind};
//! use posthaste_events::suppression::feed;
//! use posthaste_suppression::{FeedPolicy, MemorySuppressionList, Scope, SuppressionListExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut event = Event::new("example", EventKind::Bounced(Permanence::Hard));
//! event.recipient = Some("bob@example.net".into());
//! event.set_diagnostic("550 5.1.1 no such user");
//!
//! let (list, now) = (MemorySuppressionList::new(), SystemTime::now());
//! feed(&list, &FeedPolicy::default(), &Scope::global(), &[event], now).await?;
//! let entry = list.find_one(&"bob@example.net".parse()?, &[], now).await?.expect("it is there");
//! assert_eq!((entry.source(), entry.detail()), ("example", "550 5.1.1 no such user"));
//! # Ok(())
//! # }
//! ```

use std::time::SystemTime;

use posthaste_address::EmailAddress;
use posthaste_suppression::{Entry, FeedPolicy, ListError, Lookup, Reason, Scope, SuppressionList};

use crate::bounce::Permanence;
use crate::event::{Event, EventKind, Rejection};

/// Says why an event's recipient should not be written to again; `None` if it does not say so.
///
/// Hard bounces, complaints and wishes to get no more do, and so does a provider that would not send because of one of these, or because
/// the address is none. A bounce that may pass, or of which that is not known, does not.
#[must_use]
pub fn reason(event: &Event) -> Option<Reason> {
    match (event.kind, event.rejection) {
        (EventKind::Bounced(Permanence::Hard), _) => Some(Reason::Bounce),
        (EventKind::Complained, _) => Some(Reason::Complaint),
        (EventKind::Unsubscribed, _) => Some(Reason::Unsubscribe),
        (EventKind::Rejected, Some(Rejection::Bounced)) => Some(Reason::Bounce),
        (EventKind::Rejected, Some(Rejection::Spam)) => Some(Reason::Complaint),
        (EventKind::Rejected, Some(Rejection::Unsubscribed)) => Some(Reason::Unsubscribe),
        (EventKind::Rejected, Some(Rejection::Invalid)) => Some(Reason::Invalid),
        _ => None,
    }
}

/// Makes the entry that an event means, for mail of `scope`; events without a time are of `now`.
///
/// `None` if it means none, if the policy does not take it, or if it is not known whom it is about: a recipient that the provider only
/// guesses at is not kept from getting mail.
#[must_use]
pub fn entry(event: &Event, policy: &FeedPolicy, scope: &Scope, now: SystemTime) -> Option<Entry> {
    let reason = reason(event)?;
    let entry = policy.entry(reason, recipient(event)?, scope, event.time.unwrap_or(now))?;
    let detail = event.diagnostic.as_deref().or(event.description.as_deref());
    Some(
        entry
            .with_source(event.provider)
            .with_detail(detail.unwrap_or_default()),
    )
}

/// Brings a list up to date with events about mail of `scope`, in their order; returns how many entries were put.
///
/// Whoever subscribes again loses the entry of having unsubscribed in `scope`, and no other. Events may come late and in any order: who
/// subscribed before they unsubscribed stays out, and an entry is replaced by none that would count for less time.
///
/// # Errors
///
/// [`ListError`] if the list does not answer; the same events may be given again.
pub async fn feed<L: SuppressionList + ?Sized>(
    list: &L,
    policy: &FeedPolicy,
    scope: &Scope,
    events: &[Event],
    now: SystemTime,
) -> Result<usize, ListError> {
    let mut entries = Vec::new();
    let mut put = 0;
    for event in events {
        if event.kind == EventKind::Subscribed {
            let Some(address) = recipient(event) else { continue };
            // What came before it stands before it.
            put += put_news(list, &mut entries, now).await?;
            let before = standing(list, &[&address], scope, Reason::Unsubscribe, now).await?;
            let is_later = |entry: &Entry| entry.created() > event.time.unwrap_or(now);
            if !before.iter().flatten().any(is_later) {
                list.remove(&[address], scope, Reason::Unsubscribe.into()).await?;
            }
        } else if let Some(entry) = entry(event, policy, scope, now) {
            entries.push(entry);
        }
    }
    put += put_news(list, &mut entries, now).await?;
    Ok(put)
}

/// Puts the entries that count for longer than what stands already; returns how many.
async fn put_news<L: SuppressionList + ?Sized>(
    list: &L,
    entries: &mut Vec<Entry>,
    now: SystemTime,
) -> Result<usize, ListError> {
    let mut news = Vec::new();
    for entry in entries.drain(..) {
        let (address, scope, reason) = (entry.address(), entry.scope(), entry.reason());
        let standing = standing(list, &[address], scope, reason, now).await?;
        let is_less = |old: &Entry| match (old.expiry(), entry.expiry()) {
            (None, Some(_)) => true,
            (Some(old), Some(new)) => old > new,
            _ => false,
        };
        if !standing.iter().flatten().any(is_less) {
            news.push(entry);
        }
    }
    if !news.is_empty() {
        list.put(&news).await?;
    }
    Ok(news.len())
}

/// What stands in one scope for one reason.
async fn standing<L: SuppressionList + ?Sized>(
    list: &L,
    addresses: &[&EmailAddress],
    scope: &Scope,
    reason: Reason,
    now: SystemTime,
) -> Result<Vec<Option<Entry>>, ListError> {
    let lookup = Lookup::new(addresses, now).for_reasons(reason);
    let lookup = match scope.is_global() {
        true => lookup,
        false => lookup.in_scopes([scope.clone()]).without_global(),
    };
    list.find(&lookup).await
}

fn recipient(event: &Event) -> Option<EmailAddress> {
    let known = event.recipient.as_deref().filter(|_| !event.recipient_is_guess)?;
    known.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use posthaste_suppression::{Filter, MemorySuppressionList};

    use super::*;

    fn event(kind: EventKind) -> Event {
        let mut event = Event::new("example", kind);
        event.recipient = Some("bob@example.net".into());
        event
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    #[test]
    fn only_what_is_final_is_a_reason() {
        for (kind, rejection, expected) in [
            (EventKind::Bounced(Permanence::Hard), None, Some(Reason::Bounce)),
            (EventKind::Bounced(Permanence::Soft), None, None),
            (EventKind::Bounced(Permanence::Undetermined), None, None),
            (EventKind::Complained, None, Some(Reason::Complaint)),
            (EventKind::Unsubscribed, None, Some(Reason::Unsubscribe)),
            (EventKind::Rejected, None, None),
            (EventKind::Rejected, Some(Rejection::Quota), None),
            (EventKind::Rejected, Some(Rejection::Bounced), Some(Reason::Bounce)),
            (EventKind::Rejected, Some(Rejection::Spam), Some(Reason::Complaint)),
            (
                EventKind::Rejected,
                Some(Rejection::Unsubscribed),
                Some(Reason::Unsubscribe),
            ),
            (EventKind::Rejected, Some(Rejection::Invalid), Some(Reason::Invalid)),
            (EventKind::Delivered, None, None),
            (EventKind::Subscribed, None, None),
        ] {
            let mut event = event(kind);
            event.rejection = rejection;
            assert_eq!(reason(&event), expected, "{kind:?} {rejection:?}");
        }
    }

    #[test]
    fn whom_it_is_about_must_be_known() {
        let made = |event: &Event| entry(event, &FeedPolicy::default(), &Scope::global(), now());
        let mut event = event(EventKind::Complained);
        assert_eq!(made(&event).unwrap().created(), now());
        event.time = Some(SystemTime::UNIX_EPOCH);
        assert_eq!(made(&event).unwrap().created(), SystemTime::UNIX_EPOCH);
        event.recipient_is_guess = true;
        assert_eq!(made(&event), None);
        event.recipient_is_guess = false;
        for odd in [None, Some("nobody".to_owned())] {
            event.recipient = odd;
            assert_eq!(made(&event), None);
        }
    }

    #[tokio::test]
    async fn events_come_onto_the_list_in_their_order() {
        let list = MemorySuppressionList::new();
        let (policy, scope) = (FeedPolicy::default(), Scope::named("news").unwrap());
        let events = [
            event(EventKind::Unsubscribed),
            event(EventKind::Complained),
            event(EventKind::Subscribed),
            event(EventKind::Bounced(Permanence::Hard)),
            event(EventKind::Opened { by_machine: None }),
        ];
        assert_eq!(feed(&list, &policy, &scope, &events, now()).await.unwrap(), 3);
        let left = list.list(&Filter::default()).await.unwrap().entries;
        let reasons: Vec<Reason> = left.iter().map(Entry::reason).collect();
        assert_eq!(reasons, [Reason::Bounce, Reason::Complaint]);

        let again = [event(EventKind::Unsubscribed)];
        assert_eq!(feed(&list, &policy, &scope, &again, now()).await.unwrap(), 1);
        assert_eq!(
            list.list(&Filter::default().in_scope(scope))
                .await
                .unwrap()
                .entries
                .len(),
            1
        );

        let full = MemorySuppressionList::new().with_max_entries(0);
        assert!(feed(&full, &policy, &Scope::global(), &again, now()).await.is_err());
    }

    #[tokio::test]
    async fn what_is_late_changes_nothing_that_is_newer() {
        let list = MemorySuppressionList::new();
        let scope = Scope::named("news").unwrap();
        let second = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let at = |kind, seconds| {
            let mut event = event(kind);
            event.time = second(seconds);
            event
        };
        let policy = FeedPolicy::default();
        let left = async || list.list(&Filter::default()).await.unwrap().entries;
        // A wish to get no more is lifted by none from before it.
        let events = [at(EventKind::Unsubscribed, 10), at(EventKind::Subscribed, 5)];
        assert_eq!(feed(&list, &policy, &scope, &events, now()).await.unwrap(), 1);
        assert_eq!(left().await.len(), 1);
        let later = [at(EventKind::Subscribed, 15)];
        assert_eq!(feed(&list, &policy, &scope, &later, now()).await.unwrap(), 0);
        assert!(left().await.is_empty());

        // What stands for good is replaced by nothing that ends.
        let address: EmailAddress = "bob@example.net".parse().unwrap();
        let kept = Entry::new(address, Reason::Bounce, now());
        list.put(&[kept]).await.unwrap();
        let since = now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let passing = policy.with_lifetime(Reason::Bounce, since + Duration::from_secs(86_400));
        let bounced = [at(EventKind::Bounced(Permanence::Hard), 5)];
        assert_eq!(feed(&list, &passing, &scope, &bounced, now()).await.unwrap(), 0);
        assert_eq!(left().await[0].expiry(), None);

        // Back on one list is not back on all.
        let global = [at(EventKind::Unsubscribed, 1)];
        assert_eq!(
            feed(&list, &FeedPolicy::default(), &Scope::global(), &global, now())
                .await
                .unwrap(),
            1
        );
        let back = [at(EventKind::Subscribed, 20)];
        assert_eq!(
            feed(&list, &FeedPolicy::default(), &scope, &back, now()).await.unwrap(),
            0
        );
        assert_eq!(left().await.len(), 2);
    }
}
