//! SparkPost (Bird).

use std::time::SystemTime;

use bytes::Bytes;

use crate::bounce::Permanence;
use crate::event::{Event, EventKind, Rejection, derive_id};
use crate::webhook::instant::{read_seconds, read_text};
use crate::webhook::item::{Look, object, split};
use crate::webhook::{Control, Evidence, ParseError, Parsed, Provider, Request, Verified, VerifyError};

/// Webhooks of SparkPost. It signs nothing: ask for [`Access`](crate::webhook::Access), a user name and a password, a bearer token, or
/// the header field `X-MessageSystems-Webhook-Token`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SparkPost {}

impl SparkPost {
    /// Makes it; there is nothing to set.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl Provider for SparkPost {
    fn name(&self) -> &'static str {
        "sparkpost"
    }

    fn verify(&self, _request: &Request, _now: SystemTime) -> Result<Evidence, VerifyError> {
        Ok(Evidence::none())
    }

    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError> {
        let mut parsed = Parsed::new();
        for (index, item) in split(verified.body(), verified.limits().events)?
            .into_iter()
            .enumerate()
        {
            // An event that holds nothing asks whether somebody is there.
            let relayed = object(&item)
                .ok()
                .and_then(|item| Some(super::inbound::sparkpost::read(item.get("msys")?.get("relay_message")?)));
            if let Some(relayed) = relayed {
                match relayed {
                    Ok(mail) => parsed.inbound.push(mail),
                    Err(error) => parsed.push(index, Err(error)),
                }
                continue;
            }
            match event(item) {
                Ok(Some(event)) => parsed.push(index, Ok(event)),
                Ok(None) => parsed.control = Some(Control::Ping),
                Err(error) => parsed.push(index, Err(error)),
            }
        }
        Ok(parsed)
    }
}

fn event(raw: Bytes) -> Result<Option<Event>, ParseError> {
    let item = object(&raw)?;
    let groups = item.at(&["msys"]).as_object().ok_or(ParseError::Shape {
        expected: "an object with `msys`",
    })?;
    let Some((group, data)) = groups.iter().next() else {
        return Ok(None);
    };
    let name = data
        .text(&["type"])
        .unwrap_or(if group == "relay_message" { group } else { "" });
    let class = data.number(&["bounce_class"]);
    let (kind, rejection) = kind(name, class);
    let mut event = Event::new("sparkpost", kind);
    event.rejection = rejection;
    name.clone_into(&mut event.provider_kind);
    event.provider_event_id = data.word(&["event_id"]);
    let time = data.at(&["timestamp"]);
    event.time = read_seconds(time).or_else(|| time.as_str().and_then(read_text));
    // As it was written; the other is in lower case.
    let recipient = data.text(&["raw_rcpt_to"]).or_else(|| data.text(&["rcpt_to"]));
    event.recipient = recipient.map(str::to_owned);
    event.provider_message_id = data.word(&["transmission_id"]);
    event.tags = data.words(&["campaign_id"]);
    if event.tags.is_empty() {
        event.tags = data.words(&["rcpt_tags"]);
    }
    event.metadata = data.pairs(&["rcpt_meta"]);
    event.url = data.text(&["target_link_url"]).map(str::to_owned);
    event.ip = data.ip(&["ip_address"]);
    let agent = data.text(&["user_agent"]);
    event.user_agent = agent.map(str::to_owned);
    let complaint = data.text(&["fbtype"]).filter(|_| kind == EventKind::Complained);
    event.description = complaint.map(str::to_owned);
    event.mta = data.text(&["report_by"]).map(str::to_owned);
    let said = data.text(&["raw_reason"]).or_else(|| data.text(&["reason"]));
    event.set_diagnostic(said.unwrap_or_default());
    event.set_codes(data.reply_code(&["error_code"]), None);
    event.id = event.provider_event_id.clone().unwrap_or_else(|| {
        let word = |name| data.word(&[name]).unwrap_or_default();
        let parts = [
            word("transmission_id"),
            word("message_id"),
            word("type"),
            word("raw_rcpt_to"),
            word("timestamp"),
            word("target_link_url"),
        ];
        derive_id("sparkpost", &parts.each_ref().map(String::as_str))
    });
    event.raw = raw;
    Ok(Some(event))
}

fn kind(name: &str, class: Option<u64>) -> (EventKind, Option<Rejection>) {
    match name {
        "injection" => (EventKind::Queued, None),
        "delivery" => (EventKind::Delivered, None),
        "delay" => (EventKind::Deferred, of_class(class).1),
        "bounce" | "out_of_band" => of_class(class),
        "policy_rejection" | "generation_rejection" => (
            EventKind::Rejected,
            Some(
                of_class(class)
                    .1
                    .filter(|_| class.is_some())
                    // What passes does not keep mail from an address.
                    .filter(|rejection| *rejection != Rejection::Bounced || class == Some(30))
                    .unwrap_or(Rejection::Policy),
            ),
        ),
        "generation_failure" => (EventKind::RenderingFailed, None),
        "spam_complaint" => (EventKind::Complained, Some(Rejection::Spam)),
        "open" | "initial_open" | "amp_open" => (EventKind::Opened { by_machine: None }, None),
        "click" | "amp_click" => (EventKind::Clicked, None),
        "list_unsubscribe" | "link_unsubscribe" => (EventKind::Unsubscribed, Some(Rejection::Unsubscribed)),
        _ => (EventKind::Unknown, None),
    }
}

/// Reads the class of a bounce: some are none.
fn of_class(class: Option<u64>) -> (EventKind, Option<Rejection>) {
    let bounced = |permanence, rejection| (EventKind::Bounced(permanence), Some(rejection));
    match class {
        Some(10) => bounced(Permanence::Hard, Rejection::Invalid),
        Some(30) => bounced(Permanence::Hard, Rejection::Bounced),
        Some(20..=23 | 40 | 70) => bounced(Permanence::Soft, Rejection::Bounced),
        Some(24) => bounced(Permanence::Soft, Rejection::TimedOut),
        Some(25 | 50 | 54) => bounced(Permanence::Soft, Rejection::Blocked),
        Some(51 | 52) => bounced(Permanence::Soft, Rejection::Content),
        Some(53) => bounced(Permanence::Soft, Rejection::Other),
        Some(60 | 100) => (EventKind::AutoResponded, Some(Rejection::Other)),
        Some(80) => (EventKind::Subscribed, Some(Rejection::Other)),
        Some(90) => (EventKind::Unsubscribed, Some(Rejection::Unsubscribed)),
        _ => bounced(Permanence::Undetermined, Rejection::Other),
    }
}
