//! One model of mail that came in, from every provider that passes it on and from mail as it is.

mod attachment;
mod from_raw;

use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use posthaste_address::{AddressList, Mailbox, ParseOptions};

use crate::event::{Event, EventKind};

pub use attachment::{InboundAttachment, InboundContent};

/// A mail that came in.
///
/// What a provider does not say is `None` or empty. Nothing in it can be trusted: anybody can write to anybody.
///
/// # Examples
///
/// ```
/// use posthaste_events::inbound::Inbound;
///
/// let mail = "From: Bob <bob@example.net>\r\nTo: hello@example.org\r\nSubject: Hi\r\n\r\nFirst line\r\n";
/// let inbound = Inbound::read(mail)?;
/// assert_eq!(inbound.from.as_ref().map(|from| from.address().to_string()).as_deref(), Some("bob@example.net"));
/// assert_eq!(inbound.text.as_deref(), Some("First line\r\n"));
/// # Ok::<(), posthaste_mime::RawError>(())
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Inbound {
    /// Who passed it on, in a word; empty for mail that was read as it is.
    pub provider: &'static str,
    /// What to remember it by: equal when it is delivered again. Empty for mail that was read as it is.
    pub id: String,
    /// The id that the provider gave it.
    pub provider_event_id: Option<String>,
    /// When it came in.
    pub time: Option<SystemTime>,
    /// The reverse-path, as text; empty for reports.
    pub envelope_from: Option<String>,
    /// Whom it was for, as text. The To field may say something else.
    pub envelope_to: Vec<String>,
    /// Who says to have written it.
    pub from: Option<Mailbox>,
    /// The addresses of its To field.
    pub to: Vec<Mailbox>,
    /// The addresses of its Cc field.
    pub cc: Vec<Mailbox>,
    /// Its subject.
    pub subject: Option<String>,
    /// Its Message-ID, without angle brackets.
    pub message_id: Option<String>,
    /// Names and values of its header fields, in their order.
    pub headers: Vec<(String, String)>,
    /// Its text.
    pub text: Option<String>,
    /// Its HTML. It may hold scripts: show none of it without a sanitiser.
    pub html: Option<String>,
    /// Its text without what it quotes, where the provider takes that off.
    pub stripped_text: Option<String>,
    /// What is attached or embedded.
    pub attachments: Vec<InboundAttachment>,
    /// Whether the provider takes it for spam.
    pub is_spam: Option<bool>,
    /// How much it looks like spam, in the provider's measure.
    pub spam_score: Option<f64>,
    /// What the provider says of SPF, in small letters: `pass`.
    pub spf: Option<String>,
    /// What the provider says of DKIM.
    pub dkim: Option<String>,
    /// What the provider says of DMARC.
    pub dmarc: Option<String>,
    /// The mail whole, where the provider passes it on.
    pub raw: Option<Bytes>,
    /// Where the provider keeps what it did not send along: the id or path that its API takes.
    pub fetch: Option<String>,
}

impl Inbound {
    pub(crate) fn new(provider: &'static str) -> Self {
        Self {
            provider,
            ..Self::default()
        }
    }

    /// Says that it came in, as an [`Event`] beside those of mail that was sent: about whom it was for, which of several is a guess.
    ///
    /// The event has the ids, the time and the mail whole if that is there; all else stays here.
    #[must_use]
    pub fn event(&self) -> Event {
        let provider = if self.provider.is_empty() {
            "mail"
        } else {
            self.provider
        };
        let mut event = Event::new(provider, EventKind::Inbound);
        event.id.clone_from(&self.id);
        event.provider_event_id.clone_from(&self.provider_event_id);
        "inbound".clone_into(&mut event.provider_kind);
        let of_field = || self.to.iter().map(|to| to.address().to_string()).collect();
        let all: Vec<String> = match &self.envelope_to[..] {
            [] => of_field(),
            envelope => envelope.to_vec(),
        };
        event.recipient_is_guess = all.len() > 1;
        event.recipient = all.into_iter().next();
        event.time = self.time;
        event.message_id.clone_from(&self.message_id);
        event.raw = self.raw.clone().unwrap_or_default();
        event
    }

    /// Takes addresses as header fields have them.
    pub(crate) fn mailboxes(text: &str) -> Vec<Mailbox> {
        AddressList::parse_leniently(text, &ParseOptions::default())
            .mailboxes()
            .cloned()
            .collect()
    }

    /// Returns the value of the first header field of a name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let field = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value.as_str())
    }

    /// Fills what header fields say and nothing else said yet.
    pub(crate) fn fill_from_headers(&mut self) {
        let list = |name| self.header(name).map(Self::mailboxes).unwrap_or_default();
        let (from, to, cc) = (list("from"), list("to"), list("cc"));
        let subject = self.header("subject").map(str::to_owned);
        let id = self.header("message-id").and_then(crate::webhook::bare_id);
        self.from = self.from.take().or_else(|| from.into_iter().next());
        if self.to.is_empty() {
            self.to = to;
        }
        if self.cc.is_empty() {
            self.cc = cc;
        }
        self.subject = self.subject.take().or(subject);
        self.message_id = self.message_id.take().or(id);
    }
}

/// Shows whom it is about, and nothing of what was written.
impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound")
            .field("provider", &self.provider)
            .field("id", &self.id)
            .field("time", &self.time)
            .field("envelope_from", &self.envelope_from)
            .field("envelope_to", &self.envelope_to)
            .field("attachments", &self.attachments)
            .finish_non_exhaustive()
    }
}
