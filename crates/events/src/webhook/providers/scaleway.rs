//! Scaleway Transactional Email, by way of its Topics and Events.

use std::time::SystemTime;

use bytes::Bytes;

use crate::bounce::Permanence;
use crate::event::{Event, EventKind, Rejection, derive_id};
use crate::webhook::instant::read_text;
use crate::webhook::item::{Look, object, take_carried};
use crate::webhook::sns::{Envelope, EnvelopeKind};
use crate::webhook::{
    Control, Evidence, ParseError, Parsed, Preparation, Provider, Request, Sns, Verified, VerifyError,
};

/// Webhooks of Scaleway, in envelopes like those of Amazon SNS.
///
/// Its certificates are not Amazon's: name the hosts that its messages show in [`Sns::hosts`].
#[derive(Debug)]
pub struct Scaleway {
    sns: Sns,
}

impl Scaleway {
    /// Takes what checks the envelopes.
    #[must_use]
    pub fn new(sns: Sns) -> Self {
        Self { sns }
    }
}

impl Provider for Scaleway {
    fn name(&self) -> &'static str {
        "scaleway"
    }

    fn prepare<'a>(&'a self, request: &'a Request, now: SystemTime) -> Option<Preparation<'a>> {
        self.sns.prepare(request, now)
    }

    fn verify(&self, request: &Request, now: SystemTime) -> Result<Evidence, VerifyError> {
        self.sns.check(request, now)
    }

    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError> {
        let envelope = Envelope::read_loosely(verified.body()).map_err(|_| ParseError::Shape {
            expected: "a message like those of SNS",
        })?;
        match envelope.kind {
            EnvelopeKind::SubscriptionConfirmation => {
                let control = self.sns.confirms(&envelope).ok_or(ParseError::Shape {
                    expected: "a subscription that can be confirmed",
                })?;
                Ok(Parsed::control(control))
            }
            EnvelopeKind::UnsubscribeConfirmation => {
                Ok(Parsed::control(Control::Unsubscribed { topic: envelope.topic }))
            }
            EnvelopeKind::Notification => Ok(Parsed {
                events: vec![event(&envelope)?],
                ..Parsed::new()
            }),
        }
    }
}

fn event(envelope: &Envelope) -> Result<Event, ParseError> {
    let item = object(envelope.message.as_bytes())?;
    let name = item.text(&["type"]).unwrap_or_default();
    let (kind, rejection) = match name {
        "email_queued" => (EventKind::Queued, None),
        "email_delivered" => (EventKind::Delivered, None),
        "email_deferred" => (EventKind::Deferred, None),
        "email_mailbox_not_found" => (EventKind::Bounced(Permanence::Hard), Some(Rejection::Bounced)),
        // It was tried for as long as it may be.
        "email_dropped" => (EventKind::Bounced(Permanence::Soft), Some(Rejection::Bounced)),
        "email_blocklisted" => (EventKind::Rejected, Some(Rejection::Blocked)),
        "email_spam" => (EventKind::Complained, Some(Rejection::Spam)),
        _ => (EventKind::Unknown, None),
    };
    let mut event = Event::new("scaleway", kind);
    event.rejection = rejection;
    name.clone_into(&mut event.provider_kind);
    event.provider_event_id = item.word(&["id"]);
    let time = item.text(&["created_at"]);
    event.time = time.and_then(read_text).or_else(|| read_text(&envelope.time));
    event.recipient = item.text(&["email_to"]).map(str::to_owned);
    event.provider_message_id = item.text(&["email_id"]).map(str::to_owned);
    take_carried(item.at(&["email_headers"]), &mut event);
    let said = item
        .text(&["email_response_message"])
        .or_else(|| item.text(&["email_error"]));
    event.set_diagnostic(said.unwrap_or_default());
    event.set_codes(item.reply_code(&["email_response_code"]), None);
    event.id = event.provider_event_id.clone().unwrap_or_else(|| {
        let message = event.provider_message_id.as_deref().unwrap_or_default();
        derive_id("scaleway", &[name, message, time.unwrap_or_default()])
    });
    event.raw = Bytes::copy_from_slice(envelope.message.as_bytes());
    Ok(event)
}
