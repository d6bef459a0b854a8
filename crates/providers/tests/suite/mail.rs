//! The mails that the suite sends.

use std::time::{Duration, UNIX_EPOCH};

use posthaste_mime::{
    Attachment, Calendar, ContentId, ContentType, Generator, HeaderName, HeaderValue, Message, MessageBuilder,
    MessageId,
};
use posthaste_transport::{Capabilities, Feature, Outbound, SendOptions};

/// Begins a message whose id and date are always the same.
pub(crate) fn builder() -> MessageBuilder {
    Message::builder()
        .from("app@example.com".parse().unwrap())
        .subject("Hello")
        .text("First line")
        .date(UNIX_EPOCH + Duration::from_secs(1_700_000_000))
        .message_id(MessageId::parse("<id@example.com>").unwrap())
        .generator(&Generator::fixed(UNIX_EPOCH + Duration::from_secs(1_700_000_000), 1))
}

/// One recipient, a subject, a line.
pub(crate) fn plain() -> Outbound {
    Outbound::new(builder().to("a@example.net".parse().unwrap()).build().unwrap()).unwrap()
}

/// Everything that the capabilities say yes to, message and options.
pub(crate) fn full(capabilities: &Capabilities) -> (Outbound, SendOptions) {
    let can = |feature| capabilities.supports(feature);
    let mut builder = builder()
        .to("Ana Á, <a@example.net>"
            .replace("Ana Á,", "\"Ana Á, x\"")
            .parse()
            .unwrap())
        .to("b@bücher.example".parse().unwrap())
        .cc("c@example.net".parse().unwrap())
        .bcc("d@example.net".parse().unwrap())
        .reply_to("answers@example.com".parse().unwrap())
        .html("<p>First line</p>");
    if can(Feature::CustomHeaders) {
        let name = HeaderName::new("X-Order").unwrap();
        builder = builder.header(name, HeaderValue::new("42").unwrap());
    }
    if can(Feature::Attachments) {
        let pdf = ContentType::parse("application/pdf").unwrap();
        builder = builder.attach(Attachment::new("Größe.pdf", pdf, &b"%PDF"[..]).unwrap());
    }
    if can(Feature::InlineParts) {
        let png = ContentType::parse("image/png").unwrap();
        let picture = Attachment::inline(ContentId::new("logo@example.com").unwrap(), png, &b"PNG"[..]);
        builder = builder.inline(picture.named("logo.png").unwrap());
    }
    if can(Feature::Amp) {
        builder = builder.amp("<html amp4email></html>");
    }
    let mail = Outbound::new(builder.build().unwrap()).unwrap();
    let mut options = SendOptions::new();
    if can(Feature::Tags) {
        options = options.with_tag("welcome").unwrap();
    }
    if can(Feature::Metadata) {
        options = options.with_metadata("order", "42").unwrap();
    }
    if can(Feature::Schedule) {
        options = options.with_schedule(std::time::SystemTime::now() + Duration::from_secs(600));
    }
    if can(Feature::TrackOpens) {
        options = options.with_track_opens(true);
    }
    if can(Feature::TrackClicks) {
        options = options.with_track_clicks(true);
    }
    if can(Feature::Stream) {
        options = options.with_stream("broadcasts").unwrap();
    }
    if can(Feature::ConfigurationSet) {
        options = options.with_configuration_set("main").unwrap();
    }
    if can(Feature::IdempotencyKey) {
        options = options
            .with_idempotency_key("0b6c9b2e-0f5c-4d0e-8a44-5d0d8a0a5a11")
            .unwrap();
    }
    (mail, options)
}

/// A mail and options that need this feature and, as far as possible, nothing else that is not common to all. `None` if a
/// feature is no matter of a single mail.
pub(crate) fn needing(feature: Feature) -> Option<(Outbound, SendOptions)> {
    let to = || builder().to("a@example.net".parse().unwrap());
    let options = SendOptions::new();
    let outbound = |builder: MessageBuilder| Outbound::new(builder.build().unwrap()).unwrap();
    let pair = |builder: MessageBuilder| Some((outbound(builder), options.clone()));
    match feature {
        Feature::CustomHeaders => {
            pair(to().header(HeaderName::new("X-Order").unwrap(), HeaderValue::new("42").unwrap()))
        }
        Feature::Attachments => {
            let pdf = ContentType::parse("application/pdf").unwrap();
            pair(to().attach(Attachment::new("report.pdf", pdf, &b"%PDF"[..]).unwrap()))
        }
        Feature::InlineParts => {
            let png = ContentType::parse("image/png").unwrap();
            let picture = Attachment::inline(ContentId::new("logo@example.com").unwrap(), png, &b"PNG"[..]);
            pair(
                to().html("<img src=\"cid:logo@example.com\">")
                    .inline(picture.named("logo.png").unwrap()),
            )
        }
        Feature::Amp => pair(to().html("<p>x</p>").amp("<html amp4email></html>")),
        Feature::SpecialParts => pair(to().calendar(Calendar::new(INVITATION).unwrap())),
        Feature::MultipleFrom => pair(
            to().from("second@example.com".parse().unwrap())
                .sender("app@example.com".parse().unwrap()),
        ),
        Feature::SmtpUtf8 => pair(builder().to("jürgen@example.net".parse().unwrap())),
        Feature::Tags => Some((outbound(to()), options.with_tag("welcome").unwrap())),
        Feature::Metadata => Some((outbound(to()), options.with_metadata("order", "42").unwrap())),
        Feature::Schedule => Some((
            outbound(to()),
            options.with_schedule(std::time::SystemTime::now() + Duration::from_secs(600)),
        )),
        Feature::TrackOpens => Some((outbound(to()), options.with_track_opens(true))),
        Feature::TrackClicks => Some((outbound(to().html("<p>x</p>")), options.with_track_clicks(true))),
        Feature::Stream => Some((outbound(to()), options.with_stream("broadcasts").unwrap())),
        Feature::ConfigurationSet => Some((outbound(to()), options.with_configuration_set("main").unwrap())),
        Feature::IdempotencyKey => Some((outbound(to()), options.with_idempotency_key("key-1").unwrap())),
        Feature::EnvelopeSender => {
            let mail = outbound(to());
            let other = "bounces@example.com".parse().unwrap();
            let recipients = mail.envelope().recipients().to_vec();
            let envelope = posthaste_address::Envelope::new(Some(other), recipients).unwrap();
            Some((mail.readdressed(envelope), options))
        }
        Feature::RawMime => {
            let mail = outbound(to().subject("Finished"));
            Some((Outbound::raw(mail.envelope().clone(), mail.rope()), options))
        }
        _ => None,
    }
}

const INVITATION: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//posthaste//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n\
    UID:1@example.com\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260102T000000Z\r\nORGANIZER:mailto:app@example.com\r\n\
    END:VEVENT\r\nEND:VCALENDAR\r\n";
