//! Resend, by way of Svix.

use std::time::SystemTime;

use crate::bounce::{Permanence, SesBounce};
use crate::event::{Event, EventKind, Rejection, derive_id};
use crate::webhook::instant::read_text;
use crate::webhook::item::{Look, object, take_carried};
use crate::webhook::{
    Evidence, KeyError, ParseError, Parsed, Provider, Request, SigningSecret, StandardWebhooks, Verified, VerifyError,
    Window,
};

/// Webhooks of Resend, signed as Standard Webhooks says.
#[derive(Debug)]
pub struct Resend {
    signatures: Option<StandardWebhooks>,
}

impl Resend {
    /// Takes the signing secret of the webhook: `whsec_…`.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it is none.
    pub fn new(secret: &str) -> Result<Self, KeyError> {
        Ok(Self {
            signatures: Some(StandardWebhooks::new(SigningSecret::new(secret)?)),
        })
    }

    /// Checks no signature: the receiver has to ask for [`Access`](crate::webhook::Access).
    #[must_use]
    pub fn unsigned() -> Self {
        Self { signatures: None }
    }

    /// Takes another secret, while one is changed for the other.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it is none.
    pub fn or_key(self, secret: &str) -> Result<Self, KeyError> {
        let secret = SigningSecret::new(secret)?;
        let signatures = match self.signatures {
            Some(signatures) => signatures.or_secret(secret),
            None => StandardWebhooks::new(secret),
        };
        Ok(Self {
            signatures: Some(signatures),
        })
    }

    /// Sets how old a request may be. Five minutes unless set.
    #[must_use]
    pub fn window(mut self, window: Window) -> Self {
        self.signatures = self.signatures.map(|signatures| signatures.window(window));
        self
    }
}

impl Provider for Resend {
    fn name(&self) -> &'static str {
        "resend"
    }

    fn verify(&self, request: &Request, now: SystemTime) -> Result<Evidence, VerifyError> {
        match &self.signatures {
            Some(signatures) => signatures.check(request, now),
            None => Ok(Evidence::none()),
        }
    }

    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError> {
        let item = object(verified.body())?;
        if item.text(&["type"]) == Some("email.received") {
            let mut mail = super::inbound::resend::read(item.at(&["data"]));
            mail.time = item.text(&["created_at"]).and_then(read_text);
            let id = StandardWebhooks::id(verified.request());
            mail.provider_event_id = id.map(str::to_owned);
            mail.id = mail
                .provider_event_id
                .clone()
                .or_else(|| mail.fetch.clone())
                .unwrap_or_default();
            return Ok(Parsed::inbound(mail));
        }
        Ok(Parsed {
            events: vec![event(verified)?],
            ..Parsed::new()
        })
    }
}

fn event(verified: &Verified) -> Result<Event, ParseError> {
    let item = object(verified.body())?;
    let data = item.at(&["data"]);
    let name = item.text(&["type"]).unwrap_or_default();
    let bounce = data.at(&["bounce"]);
    let sub_type = bounce.text(&["subType"]).unwrap_or_default();
    let in_ses_words = bounce.text(&["type"]).and_then(|of| SesBounce::read(of, sub_type));
    let (kind, rejection) = match name {
        "email.scheduled" => (EventKind::Queued, None),
        "email.sent" => (EventKind::Sent, None),
        "email.delivered" => (EventKind::Delivered, None),
        "email.delivery_delayed" => (EventKind::Deferred, None),
        "email.bounced" => {
            // Before it said of which type a bounce is, it told of hard ones only.
            let permanence = in_ses_words.map_or(Permanence::Hard, SesBounce::permanence);
            let said = bounce.text(&["message"]).unwrap_or_default();
            let is_suppressed =
                said.contains("suppressed sending") || in_ses_words.is_some_and(SesBounce::is_suppressed);
            let rejection = if is_suppressed {
                Rejection::Blocked
            } else {
                Rejection::Bounced
            };
            (EventKind::Bounced(permanence), Some(rejection))
        }
        "email.suppressed" => {
            let rejection = match data.text(&["suppressed", "reason"]) {
                Some("previous_bounce") => Rejection::Bounced,
                Some("previous_complaint") => Rejection::Spam,
                _ => Rejection::Blocked,
            };
            (EventKind::Rejected, Some(rejection))
        }
        "email.complained" => (EventKind::Complained, Some(Rejection::Spam)),
        "email.opened" => (EventKind::Opened { by_machine: None }, None),
        "email.clicked" => (EventKind::Clicked, None),
        "email.failed" => (EventKind::Failed, None),
        _ => (EventKind::Unknown, None),
    };
    let mut event = Event::new("resend", kind);
    event.rejection = rejection;
    name.clone_into(&mut event.provider_kind);
    let time = item.text(&["created_at"]);
    event.time = time.and_then(read_text);
    event.provider_message_id = data.text(&["email_id"]).map(str::to_owned);
    event.message_id = data.text(&["message_id"]).and_then(crate::webhook::item::bare_id);
    let to = data.words(&["to"]);
    event.recipient_is_guess = to.len() > 1;
    event.recipient = to.into_iter().next();
    event.metadata = data.pairs(&["tags"]);
    take_carried(data.at(&["headers"]), &mut event);
    event.url = data.text(&["click", "link"]).map(str::to_owned);
    event.ip = data
        .ip(&["click", "ipAddress"])
        .or_else(|| data.ip(&["open", "ipAddress"]));
    let agent = data
        .text(&["click", "userAgent"])
        .or_else(|| data.text(&["open", "userAgent"]));
    event.user_agent = agent.map(str::to_owned);
    let words = [["bounce", "message"], ["suppressed", "message"], ["failed", "reason"]];
    event.description = words.iter().find_map(|path| data.text(path)).map(str::to_owned);
    let said = [
        bounce.words(&["diagnosticCode"]),
        data.words(&["suppressed", "diagnosticCode"]),
    ]
    .concat();
    event.set_diagnostic(&said.join(" "));
    if let Some(bounce) = in_ses_words {
        event.set_ses_bounce(bounce);
    }
    let id = StandardWebhooks::id(verified.request());
    event.provider_event_id = id.filter(|id| !id.is_empty()).map(str::to_owned);
    event.id = event.provider_event_id.clone().unwrap_or_else(|| {
        let message = event.provider_message_id.as_deref().unwrap_or_default();
        derive_id(
            "resend",
            &[
                name,
                message,
                time.unwrap_or_default(),
                event.url.as_deref().unwrap_or_default(),
            ],
        )
    });
    event.raw = verified.body().clone();
    Ok(event)
}
