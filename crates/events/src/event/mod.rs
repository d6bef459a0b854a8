//! One model of what became of a message, whoever tells it.

mod id;
mod kind;
mod rejection;
#[cfg(feature = "serde")]
mod serialize;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

use bytes::Bytes;
use posthaste_transport::EnhancedStatus;

pub use id::derive_id;
pub use kind::EventKind;
pub use rejection::Rejection;

use crate::bounce::{Codes, Permanence, Phase, Reason, SesBounce};

/// Longest diagnostic that is kept, in octets.
const DIAGNOSTIC: usize = 2000;

/// What happened to one message for one recipient.
///
/// What a provider does not say is `None` or empty.
///
/// # Examples
///
/// ```
/// use posthaste_events::event::{Event, EventKind};
/// use posthaste_events::bounce::{Permanence, Reason};
///
/// let mut event = Event::new("example", EventKind::Bounced(Permanence::Hard));
/// event.recipient = Some("bob@example.net".into());
/// event.set_diagnostic("550 5.1.1 no such user");
/// assert_eq!((event.reply_code(), event.bounce_reason), (Some(550), Some(Reason::NoMailbox)));
/// assert!(event.is_final());
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Who tells it, in a word: `ses`, `sendgrid`.
    pub provider: &'static str,
    /// What to remember it by: equal when it is delivered again, distinct for distinct events of a provider.
    ///
    /// It is the provider's id where that holds, and otherwise a digest of what makes the event what it is.
    pub id: String,
    /// The id that the provider gave it. Some give a new one with each attempt to deliver.
    pub provider_event_id: Option<String>,
    /// What happened.
    pub kind: EventKind,
    /// What the provider calls it.
    pub provider_kind: String,
    /// Whom it is about.
    pub recipient: Option<String>,
    /// Whether the provider did not say which of several recipients it is, and this is the first of them.
    pub recipient_is_guess: bool,
    /// When it happened.
    pub time: Option<SystemTime>,
    /// The provider's id of the message, as its answer to the send had it.
    pub provider_message_id: Option<String>,
    /// The Message-ID of the message, without angle brackets.
    pub message_id: Option<String>,
    /// The tags of the message.
    pub tags: Vec<String>,
    /// The metadata of the message. What is not text stands as JSON.
    pub metadata: BTreeMap<String, String>,
    /// The reply code and the enhanced status of the receiving server.
    pub codes: Codes,
    /// What the receiving server said, cut at 2000 octets.
    pub diagnostic: Option<String>,
    /// What the provider says of it.
    pub description: Option<String>,
    /// The server that said it, or that reports.
    pub mta: Option<String>,
    /// Why it bounced or is late.
    pub bounce_reason: Option<Reason>,
    /// Why the provider did not send it, or will not again.
    pub rejection: Option<Rejection>,
    /// The link that was clicked.
    pub url: Option<String>,
    /// Where it was opened or clicked from.
    pub ip: Option<IpAddr>,
    /// The program that opened it or followed the link, or that complained.
    pub user_agent: Option<String>,
    /// The event as it came.
    pub raw: Bytes,
}

impl Event {
    /// Makes an event of which nothing else is known yet.
    #[must_use]
    pub fn new(provider: &'static str, kind: EventKind) -> Self {
        Self {
            provider,
            id: String::new(),
            provider_event_id: None,
            kind,
            provider_kind: String::new(),
            recipient: None,
            recipient_is_guess: false,
            time: None,
            provider_message_id: None,
            message_id: None,
            tags: Vec::new(),
            metadata: BTreeMap::new(),
            codes: Codes::default(),
            diagnostic: None,
            description: None,
            mta: None,
            bounce_reason: None,
            rejection: None,
            url: None,
            ip: None,
            user_agent: None,
            raw: Bytes::new(),
        }
    }

    /// Takes what the receiving server said: the text, its codes, and the reason if the message did not arrive.
    pub fn set_diagnostic(&mut self, said: &str) {
        let mut text = said.trim().to_owned();
        if text.is_empty() {
            return;
        }
        crate::cut::cut_at(&mut text, DIAGNOSTIC);
        self.codes = self.codes.or(Codes::find(&text));
        if matches!(self.kind, EventKind::Bounced(_) | EventKind::Deferred) {
            self.bounce_reason = Some(crate::bounce::judge(&[&text], self.codes, Phase::find(&text)));
        }
        self.diagnostic = Some(text);
    }

    /// Takes a reply code and an enhanced status that stand in fields of their own. They count before those in a diagnostic.
    pub fn set_codes(&mut self, reply: Option<u16>, status: Option<EnhancedStatus>) {
        self.codes = Codes::new(reply, status).or(self.codes);
        let judged = matches!(self.kind, EventKind::Bounced(_) | EventKind::Deferred);
        if judged && matches!(self.bounce_reason, None | Some(Reason::Unknown)) {
            let reason = Reason::of_codes(self.codes, Phase::Unknown);
            self.bounce_reason = Some(reason);
        }
    }

    /// Takes what Amazon SES, or a provider that says the same, calls the bounce: for a reason where nothing else gave one.
    pub(crate) fn set_ses_bounce(&mut self, bounce: SesBounce) {
        if matches!(self.kind, EventKind::Bounced(_)) && matches!(self.bounce_reason, None | Some(Reason::Unknown)) {
            self.bounce_reason = Some(bounce.reason());
        }
    }

    /// Returns the reply code of the receiving server.
    #[must_use]
    pub fn reply_code(&self) -> Option<u16> {
        self.codes.reply()
    }

    /// Returns the enhanced status of the receiving server.
    #[must_use]
    pub fn status(&self) -> Option<EnhancedStatus> {
        self.codes.status()
    }

    /// Returns whether the address may be used again; `None` if it did not bounce.
    #[must_use]
    pub fn permanence(&self) -> Option<Permanence> {
        match self.kind {
            EventKind::Bounced(permanence) => Some(permanence),
            _ => None,
        }
    }

    /// Tells whether nothing more is to come of this message for this recipient but opens, clicks and complaints.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(
            self.kind,
            EventKind::Delivered
                | EventKind::Bounced(_)
                | EventKind::Rejected
                | EventKind::RenderingFailed
                | EventKind::Failed
        )
    }
}

/// Shows what it is about, and nothing that was in the message.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("provider", &self.provider)
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("provider_kind", &self.provider_kind)
            .field("recipient", &self.recipient)
            .field("recipient_is_guess", &self.recipient_is_guess)
            .field("time", &self.time)
            .field("provider_message_id", &self.provider_message_id)
            .field("codes", &self.codes)
            .field("bounce_reason", &self.bounce_reason)
            .field("rejection", &self.rejection)
            .field("raw", &format_args!("{} octets", self.raw.len()))
            .finish_non_exhaustive()
    }
}
