//! Mail that came back, as events.

use std::time::{SystemTime, UNIX_EPOCH};

use posthaste_address::EmailAddress;
use posthaste_mime::RawMessage;

use super::{Action, AutoReply, Complaint, DeliveryReport, Original, RecipientReport, Returned};
use crate::bounce::Permanence;
use crate::event::{Event, EventKind, Rejection};

/// Who tells events that were read from mail.
const NAME: &str = "mail";

impl Returned {
    /// Says the same as events, one for each recipient, in the one model of all that tell what became of mail: what a program does with
    /// a provider's events it does with these. [`Other`](Self::Other) is none.
    ///
    /// - `provider` is `mail`, and `provider_kind` the word of the report: `failed`, `delayed`, `abuse`, `auto-reply`.
    /// - `id` is made of what a report says: when the same report comes twice, both times it is the same. Two reports of one delay have
    ///   two, for their dates differ.
    /// - `recipient` is the address that the message was sent to, if the report has it, and otherwise the one that it says. Where it names
    ///   none, it is the recipient in the To field of the message that came back; `recipient_is_guess` if that has several, or a Cc.
    /// - `time` is the Date of the mail: anybody can write one.
    /// - `metadata` has the `ENVID` of the message (RFC 3461 §4.4), if it came back.
    ///
    /// Nothing in the mail can be trusted. Give only events of mail that came to an address of [`verp`](crate::verp) to a suppression list,
    /// or of messages whose Message-ID is one of yours; see [`event_about`](Self::event_about).
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        match self {
            Self::Delivery(report) => report
                .recipients()
                .iter()
                .map(|one| of_recipient(report, one))
                .collect(),
            Self::Complaint(complaint) => of_complaint(complaint),
            Self::AutoReply(reply) => vec![of_reply(reply)],
            Self::Other => Vec::new(),
        }
    }

    /// Says what became of a message to one recipient, who is known: from the address that the mail came to, as
    /// [`Verp::read`](crate::verp::Verp::read) tells, or from the caller's own record of the message.
    ///
    /// Of several recipients in a report, the one that has this address counts, and otherwise the first that failed: the address may have
    /// become another one on the way. `None` for [`Other`](Self::Other).
    ///
    /// # Examples
    ///
    /// A bounce that came to a reverse-path of one's own, onto the list of addresses not to write to:
    ///
    /// ```
    /// # #[cfg(feature = "suppression")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::SystemTime;
    ///
    /// use posthaste_events::mail::Returned;
    /// use posthaste_events::suppression::feed;
    /// use posthaste_events::verp::{Verp, VerpSubject};
    /// use posthaste_suppression::{FeedPolicy, MemorySuppressionList, Scope, SuppressionListExt};
    ///
    /// let verp = Verp::new(b"a secret of 32 octets or more ...", "bounce", "mail.example.org".parse()?)?;
    /// let came_to = verp.for_recipient(&"bob@example.net".parse()?)?; // the RCPT TO of the bounce
    /// let mail = b"From: MAILER-DAEMON@mx.example.net\r\nSubject: failure notice\r\n\r\n\
    ///     <robert@store.example.net>: 550 5.1.1 User unknown\r\n";
    ///
    /// let (list, now) = (MemorySuppressionList::new(), SystemTime::now());
    /// if let Some(VerpSubject::Recipient(recipient)) = verp.read(&came_to)
    ///     && let Some(event) = Returned::read(mail.to_vec())?.event_about(&recipient)
    /// {
    ///     feed(&list, &FeedPolicy::default(), &Scope::global(), &[event], now).await?;
    /// }
    /// assert!(list.find_one(&"bob@example.net".parse()?, &[], now).await?.is_some());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "suppression"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn event_about(&self, recipient: &EmailAddress) -> Option<Event> {
        let address = recipient.to_string();
        let mut event = match self {
            Self::Delivery(report) => {
                let all = report.recipients();
                let own = all.iter().find(|one| one.is_for(&address));
                let failed = all.iter().find(|one| one.action() == Action::Failed);
                of_recipient(report, own.or(failed).or(all.first())?)
            }
            Self::Complaint(complaint) => of_complaint(complaint).into_iter().next()?,
            Self::AutoReply(reply) => of_reply(reply),
            Self::Other => return None,
        };
        event.recipient = Some(address);
        event.recipient_is_guess = false;
        Some(event)
    }
}

fn of_recipient(report: &DeliveryReport, one: &RecipientReport) -> Event {
    let kind = match one.action() {
        Action::Failed => EventKind::Bounced(one.permanence().unwrap_or(Permanence::Undetermined)),
        Action::Delayed => EventKind::Deferred,
        // Another server has taken it, or the list's own program has; nobody will say more.
        Action::Delivered | Action::Relayed | Action::Expanded => EventKind::Delivered,
    };
    let mut event = Event::new(NAME, kind);
    event.provider_kind = one.action().as_str().to_owned();
    event.rejection = matches!(kind, EventKind::Bounced(_)).then_some(Rejection::Bounced);
    let named = one.original_recipient().or(one.recipient());
    about(&mut event, named.map(str::to_owned), report.original());
    event.time = report.date();
    event.codes = one.codes();
    event.diagnostic = one.diagnostic().map(str::to_owned);
    event.bounce_reason = one.reason();
    event.mta = one.remote_mta().or(report.reporting_mta()).map(str::to_owned);
    if let Some(envelope_id) = report.envelope_id() {
        event.metadata.insert("ENVID".to_owned(), envelope_id.to_owned());
    }
    event.raw = report.raw().clone();
    let status = one.status().map(|status| status.to_string()).unwrap_or_default();
    let said = [
        report.reporting_mta().unwrap_or_default(),
        report.envelope_id().unwrap_or_default(),
        one.recipient().unwrap_or_default(),
        &status,
        one.diagnostic().unwrap_or_default(),
    ];
    identify(&mut event, &said);
    event
}

fn of_complaint(complaint: &Complaint) -> Vec<Event> {
    let kind = match complaint.kind() {
        // What was marked by mistake is none, and what a check of authentication found was said by nobody.
        "not-spam" | "auth-failure" | "dmarc" => EventKind::Unknown,
        "opt-out" | "opt-out-list" => EventKind::Unsubscribed,
        _ => EventKind::Complained,
    };
    let mut common = Event::new(NAME, kind);
    complaint.kind().clone_into(&mut common.provider_kind);
    common.rejection = (kind == EventKind::Complained).then_some(Rejection::Spam);
    common.time = complaint.date();
    common.user_agent = complaint.user_agent().map(str::to_owned);
    common.raw = complaint.raw().clone();
    let own = complaint.recipients().iter().cloned().map(Some);
    let all: Vec<Option<String>> = match complaint.recipients() {
        [] => vec![None],
        _ => own.collect(),
    };
    let events = all.into_iter().map(|recipient| {
        let mut event = common.clone();
        about(&mut event, recipient, complaint.original());
        identify(&mut event, &[complaint.user_agent().unwrap_or_default()]);
        event
    });
    events.collect()
}

fn of_reply(reply: &AutoReply) -> Event {
    let mut event = Event::new(NAME, EventKind::AutoResponded);
    "auto-reply".clone_into(&mut event.provider_kind);
    event.recipient = reply.from().map(str::to_owned);
    event.message_id = reply.in_reply_to().first().cloned();
    event.time = reply.date();
    event.description = Some(reply.subject().to_owned()).filter(|subject| !subject.is_empty());
    event.raw = reply.raw().clone();
    identify(&mut event, &[reply.subject()]);
    event
}

/// Says whom and which message it is about.
fn about(event: &mut Event, named: Option<String>, original: Option<&Original>) {
    event.message_id = original.and_then(Original::message_id).map(str::to_owned);
    event.recipient = named.or_else(|| {
        let original = original?;
        let [first, others @ ..] = original.recipients() else {
            return None;
        };
        let has_cc = RawMessage::parse(original.header().clone()).is_ok_and(|header| header.field("Cc").is_some());
        // The first is the one who complains, where a field says so.
        event.recipient_is_guess = !original.names_complainer() && (has_cc || !others.is_empty());
        Some(first.clone())
    });
}

/// Makes the id of what the mail says, and nothing that another way to here would change.
fn identify(event: &mut Event, said: &[&str]) {
    let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let time = event.time.map(|time| since(time).to_string()).unwrap_or_default();
    let common = [
        event.provider_kind.as_str(),
        event.recipient.as_deref().unwrap_or_default(),
        event.message_id.as_deref().unwrap_or_default(),
        &time,
    ];
    let parts: Vec<&str> = common.iter().chain(said).copied().collect();
    event.id = crate::event::derive_id(NAME, &parts);
}
