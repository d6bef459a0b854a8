//! What a send needs, compared with what a transport can do, before any I/O.

use std::collections::BTreeSet;
use std::fmt;

use posthaste_address::Envelope;

use crate::{Capabilities, Feature, OnUnsupported, Outbound, SendError, SendOptions, TransportInfo};

/// Compares what `mail` and `options` need with what the transport can do. Does no I/O.
///
/// Every transport calls it first. It finds everything that is missing, not only the first thing.
///
/// # Errors
///
/// [`Unsupported`](crate::ErrorKind::Unsupported), with every missing feature in [`SendError::unsupported`], unless
/// [`SendOptions::on_unsupported`] allows to do without.
///
/// # Examples
///
/// ```
/// use posthaste_mime::{Generator, Message};
/// use posthaste_transport::{Capabilities, Feature, OnUnsupported, Outbound, SendOptions, TransportInfo, plan};
///
/// let message = Message::builder()
///     .from("ada@example.org".parse()?)
///     .to("bob@example.net".parse()?)
///     .subject("Hello")
///     .text("First line")
///     .build()?;
/// let mail = Outbound::new(message)?;
/// let info = TransportInfo::new("plain", Capabilities::wire());
/// let options = SendOptions::new().with_tag("welcome")?;
///
/// let error = plan(&mail, &options, &info).unwrap_err();
/// assert_eq!(error.to_string(), "plain: not supported by this transport: tags");
///
/// let plan = plan(&mail, &options.with_on_unsupported(OnUnsupported::Degrade), &info)?;
/// assert!(!plan.keeps(Feature::Tags));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn plan(mail: &Outbound, options: &SendOptions, info: &TransportInfo) -> Result<Plan, SendError> {
    let capabilities = info.capabilities();
    let mut missing = Vec::new();
    envelope_needs(mail, capabilities, &mut missing);
    content_needs(mail, capabilities, &mut missing);
    option_needs(options, capabilities, &mut missing);

    let can_send_raw = capabilities.supports(Feature::RawMime);
    let content_missing = missing.iter().any(|unsupported| unsupported.feature.is_content());
    let mut content = if mail.message().is_some() {
        Content::Structured
    } else {
        Content::Raw
    };
    let mut dropped = Vec::new();
    match options.on_unsupported() {
        OnUnsupported::Error => {}
        OnUnsupported::Degrade => {
            (dropped, missing) = missing
                .into_iter()
                .partition(|unsupported| unsupported.feature.is_droppable());
        }
        OnUnsupported::RawMime if content_missing && can_send_raw => {
            content = Content::Raw;
            missing.retain(|unsupported| !unsupported.feature.is_content());
        }
        OnUnsupported::RawMime => {}
    }
    if missing.is_empty() {
        Ok(Plan { content, dropped })
    } else {
        Err(SendError::unsupported_features(missing).with_transport(info.name().to_owned()))
    }
}

fn envelope_needs(mail: &Outbound, capabilities: &Capabilities, missing: &mut Vec<Unsupported>) {
    let envelope = mail.envelope();
    let mut need = |needed: bool, feature: Feature| {
        if needed && !capabilities.supports(feature) {
            missing.push(Unsupported::missing(feature));
        }
    };
    need(envelope.mail_from().is_none(), Feature::NullSender);
    let overrides = [Feature::EnvelopeSender, Feature::EnvelopeRecipients];
    if !overrides.iter().all(|feature| capabilities.supports(*feature)) {
        // Bytes count as different, unless their header says the same beyond doubt.
        let headers = mail.message().and_then(|message| message.envelope().ok());
        let same_sender = headers
            .as_ref()
            .is_some_and(|headers| headers.mail_from() == envelope.mail_from())
            || mail.raw_author().as_ref() == envelope.mail_from();
        need(envelope.mail_from().is_some() && !same_sender, Feature::EnvelopeSender);
        let same_recipients = headers
            .as_ref()
            .is_some_and(|headers| addresses(headers) == addresses(envelope))
            || mail
                .raw_recipients()
                .is_some_and(|header| header == addresses(envelope));
        need(!same_recipients, Feature::EnvelopeRecipients);
    }
    let dsn = envelope.envelope_id().is_some()
        || envelope.return_content().is_some()
        || envelope
            .recipients()
            .iter()
            .any(|recipient| recipient.notify().is_some() || recipient.original_recipient().is_some());
    need(dsn, Feature::Dsn);
    need(envelope.require_tls(), Feature::RequireTls);
    let count = u64::try_from(envelope.recipients().len()).unwrap_or(u64::MAX);
    if let Some(at_most) = capabilities
        .max_recipients()
        .map(u64::from)
        .filter(|at_most| count > *at_most)
    {
        missing.push(Unsupported::too_many(Feature::Recipients, count, at_most));
    }
}

fn addresses(envelope: &Envelope) -> BTreeSet<String> {
    envelope
        .recipients()
        .iter()
        .map(|recipient| recipient.address().to_string())
        .collect()
}

fn content_needs(mail: &Outbound, capabilities: &Capabilities, missing: &mut Vec<Unsupported>) {
    let mut need = |feature: Feature, needed: &dyn Fn() -> bool| {
        if !capabilities.supports(feature) && needed() {
            missing.push(Unsupported::missing(feature));
        }
    };
    need(Feature::RawMime, &|| mail.message().is_none());
    need(Feature::SmtpUtf8, &|| mail.needs_smtputf8());
    // Fields carry text, so a provider that takes fields has its own way with 8-bit content.
    if capabilities.supports(Feature::RawMime) {
        need(Feature::EightBit, &|| mail.needs_8bit());
    }
    if let Some(message) = mail.message() {
        need(Feature::MultipleFrom, &|| message.from().len() > 1);
        need(Feature::CustomHeaders, &|| message.further_fields().next().is_some());
        need(Feature::Attachments, &|| !message.attachments().is_empty());
        need(Feature::InlineParts, &|| !message.inlines().is_empty());
        need(Feature::Amp, &|| message.amp().is_some());
        need(Feature::SpecialParts, &|| {
            message.calendar().is_some() || message.report().is_some()
        });
        let reply_to = u64::try_from(message.reply_to().len()).unwrap_or(u64::MAX);
        if let Some(at_most) = capabilities
            .max_reply_to()
            .map(u64::from)
            .filter(|at_most| reply_to > *at_most)
        {
            missing.push(Unsupported::too_many(Feature::ReplyTo, reply_to, at_most));
        }
    }
    if let Some(at_most) = capabilities.max_message_size() {
        let size = mail.rope().len();
        if size > at_most {
            missing.push(Unsupported::too_many(Feature::MessageSize, size, at_most));
        }
    }
}

fn option_needs(options: &SendOptions, capabilities: &Capabilities, missing: &mut Vec<Unsupported>) {
    // Where nothing is tracked unless asked for, a wish for none needs nothing.
    let tracks = |wish: Option<bool>| wish == Some(true) || wish == Some(false) && capabilities.tracks_unasked();
    let wishes = [
        (Feature::Tags, !options.tags().is_empty()),
        (Feature::Metadata, options.metadata().len() > 0),
        (Feature::Schedule, options.schedule().is_some()),
        (Feature::TrackOpens, tracks(options.track_opens())),
        (Feature::TrackClicks, tracks(options.track_clicks())),
        (Feature::Stream, options.stream().is_some()),
        (Feature::ConfigurationSet, options.configuration_set().is_some()),
        (Feature::IdempotencyKey, options.idempotency_key().is_some()),
    ];
    for (feature, _) in wishes
        .into_iter()
        .filter(|(feature, wished)| *wished && !capabilities.supports(*feature))
    {
        missing.push(Unsupported::missing(feature));
    }
    if capabilities.supports(Feature::Metadata) {
        metadata_needs(options, capabilities, missing);
    }
    if !capabilities.supports(Feature::Tags) {
        return;
    }
    let count = u64::try_from(options.tags().len()).unwrap_or(u64::MAX);
    if let Some(at_most) = capabilities
        .max_tags()
        .map(u64::from)
        .filter(|at_most| count > *at_most)
    {
        missing.push(Unsupported::too_many(Feature::Tags, count, at_most));
    }
    let longest = options
        .tags()
        .iter()
        .map(String::len)
        .max()
        .and_then(|length| u64::try_from(length).ok())
        .unwrap_or(0);
    if let Some(at_most) = capabilities
        .max_tag_length()
        .map(u64::from)
        .filter(|at_most| longest > *at_most)
    {
        missing.push(Unsupported {
            feature: Feature::Tags,
            shortfall: Shortfall::TooLong {
                length: longest,
                at_most,
            },
        });
    }
    if !options.tags().iter().all(|tag| capabilities.tag_charset().allows(tag)) {
        missing.push(Unsupported {
            feature: Feature::Tags,
            shortfall: Shortfall::Charset,
        });
    }
}

fn metadata_needs(options: &SendOptions, capabilities: &Capabilities, missing: &mut Vec<Unsupported>) {
    let length = |text: &str| u64::try_from(text.len()).unwrap_or(u64::MAX);
    let count = u64::try_from(options.metadata().len()).unwrap_or(u64::MAX);
    if let Some(at_most) = capabilities
        .max_metadata()
        .map(u64::from)
        .filter(|at_most| count > *at_most)
    {
        missing.push(Unsupported::too_many(Feature::Metadata, count, at_most));
    }
    let longest = [
        (
            options.metadata().map(|(key, _)| length(key)).max(),
            capabilities.max_metadata_key(),
        ),
        (
            options.metadata().map(|(_, value)| length(value)).max(),
            capabilities.max_metadata_value(),
        ),
    ];
    for (length, at_most) in longest {
        let (Some(length), Some(at_most)) = (length, at_most.map(u64::from)) else {
            continue;
        };
        if length > at_most {
            missing.push(Unsupported::new(
                Feature::Metadata,
                Shortfall::TooLong { length, at_most },
            ));
        }
    }
}

/// Says how a transport is to send: what [`plan()`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    content: Content,
    dropped: Vec<Unsupported>,
}

impl Plan {
    /// Returns the form in which the content goes over. A transport that only knows bytes need not ask.
    #[must_use]
    pub const fn content(&self) -> Content {
        self.content
    }

    /// Returns what is left out because the caller chose [`OnUnsupported::Degrade`].
    #[must_use]
    pub fn dropped(&self) -> &[Unsupported] {
        &self.dropped
    }

    /// Says whether a wish for `feature` is to be honoured.
    #[must_use]
    pub fn keeps(&self, feature: Feature) -> bool {
        self.dropped.iter().all(|unsupported| unsupported.feature != feature)
    }
}

/// The form in which a message's content goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Content {
    /// As fields, from [`Outbound::message`], where the transport has fields.
    Structured,
    /// As bytes, from [`Outbound::rope`].
    Raw,
}

/// Names one thing that a transport cannot do for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    feature: Feature,
    shortfall: Shortfall,
}

impl Unsupported {
    /// Says how a transport falls short of a feature: for what [`plan()`] cannot know, such as a provider's own rules.
    #[must_use]
    pub const fn new(feature: Feature, shortfall: Shortfall) -> Self {
        Self { feature, shortfall }
    }

    const fn missing(feature: Feature) -> Self {
        Self {
            feature,
            shortfall: Shortfall::Missing,
        }
    }

    pub(crate) const fn too_many(feature: Feature, asked: u64, at_most: u64) -> Self {
        Self {
            feature,
            shortfall: Shortfall::TooMany { asked, at_most },
        }
    }

    /// Returns what it is about.
    #[must_use]
    pub const fn feature(&self) -> Feature {
        self.feature
    }

    /// Returns how the transport falls short.
    #[must_use]
    pub const fn shortfall(&self) -> &Shortfall {
        &self.shortfall
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.feature)?;
        match self.shortfall {
            Shortfall::Missing => Ok(()),
            Shortfall::TooMany { asked, at_most } => write!(f, " ({asked}, at most {at_most})"),
            Shortfall::TooLong { length, at_most } => write!(f, " ({length} bytes long, at most {at_most})"),
            Shortfall::Charset => f.write_str(" (with other characters than it allows)"),
        }
    }
}

/// How a transport falls short of a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shortfall {
    /// It does not have it.
    Missing,
    /// It has it, but not for so many.
    TooMany {
        /// How many it would have to be.
        asked: u64,
        /// How many it may be.
        at_most: u64,
    },
    /// It has it, but not at this length.
    TooLong {
        /// The length in bytes.
        length: u64,
        /// The bytes that it may have.
        at_most: u64,
    },
    /// It has it, but not with these characters.
    Charset,
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use posthaste_mime::Rope;

    use super::*;
    use crate::TagCharset;
    use crate::testing::mail;

    fn missing(mail: &Outbound, options: &SendOptions, capabilities: Capabilities) -> Vec<Feature> {
        match plan(mail, options, &TransportInfo::new("test", capabilities)) {
            Ok(_) => Vec::new(),
            Err(error) => error.unsupported().iter().map(Unsupported::feature).collect(),
        }
    }

    fn everything() -> SendOptions {
        SendOptions::new()
            .with_tag("a")
            .and_then(|options| options.with_metadata("b", "c"))
            .and_then(|options| options.with_stream("d"))
            .and_then(|options| options.with_configuration_set("e"))
            .and_then(|options| options.with_idempotency_key("f"))
            .unwrap()
            .with_schedule(UNIX_EPOCH)
            .with_track_opens(true)
            .with_track_clicks(true)
    }

    #[test]
    fn every_wish_is_a_feature() {
        assert_eq!(
            missing(&mail(&["bob@example.net"]), &everything(), Capabilities::none()),
            [
                Feature::Tags,
                Feature::Metadata,
                Feature::Schedule,
                Feature::TrackOpens,
                Feature::TrackClicks,
                Feature::Stream,
                Feature::ConfigurationSet,
                Feature::IdempotencyKey
            ]
        );
        assert!(missing(&mail(&["bob@example.net"]), &everything(), Capabilities::all()).is_empty());
    }

    #[test]
    fn a_wish_for_no_tracking_needs_nothing() {
        let options = SendOptions::new().with_track_opens(false).with_track_clicks(false);
        assert!(missing(&mail(&["bob@example.net"]), &options, Capabilities::none()).is_empty());
    }

    #[test]
    fn a_wish_for_no_tracking_is_not_lost_where_the_account_decides() {
        let tracked = Capabilities::none().with_unasked_tracking();
        let silent = SendOptions::new();
        assert!(missing(&mail(&["bob@example.net"]), &silent, tracked).is_empty());
        let options = silent.with_track_opens(false).with_track_clicks(false);
        assert_eq!(
            missing(&mail(&["bob@example.net"]), &options, tracked),
            [Feature::TrackOpens, Feature::TrackClicks]
        );
        let switched = tracked.with(Feature::TrackOpens).with(Feature::TrackClicks);
        assert!(missing(&mail(&["bob@example.net"]), &options, switched).is_empty());
    }

    #[test]
    fn degrading_drops_what_may_be_dropped_and_names_the_rest() {
        let info = TransportInfo::new("test", Capabilities::none());
        let options = everything().with_on_unsupported(OnUnsupported::Degrade);
        let error = plan(&mail(&["bob@example.net"]), &options, &info).unwrap_err();
        assert_eq!(error.to_string(), "test: not supported by this transport: scheduling");

        let info = info.with_capabilities(Capabilities::none().with(Feature::Schedule));
        let plan = plan(&mail(&["bob@example.net"]), &options, &info).unwrap();
        assert_eq!(plan.dropped().len(), 7);
        assert!(plan.keeps(Feature::Schedule) && !plan.keeps(Feature::Tags));
    }

    #[test]
    fn tags_are_held_to_count_length_and_characters() {
        let capabilities = Capabilities::wire()
            .with(Feature::Tags)
            .with_tag_limits(1, 3, TagCharset::Word);
        let options = SendOptions::new().with_tag("two words").unwrap().with_tag("b").unwrap();
        let error = plan(
            &mail(&["bob@example.net"]),
            &options,
            &TransportInfo::new("test", capabilities),
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "test: not supported by this transport: tags (2, at most 1), tags (9 bytes long, at most 3), tags (with other \
             characters than it allows)"
        );
    }

    #[test]
    fn numbers_are_said() {
        let capabilities = Capabilities::wire().with_max_recipients(1).with_max_message_size(10);
        let mail = mail(&["bob@example.net", "zoe@example.net"]);
        let size = mail.rope().len();
        let error = plan(&mail, &SendOptions::new(), &TransportInfo::new("test", capabilities)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "test: not supported by this transport: recipients (2, at most 1), message size ({size}, at most 10)"
            )
        );
    }

    #[test]
    fn finished_bytes_need_raw_mime_and_their_envelope() {
        let raw = Outbound::raw(
            mail(&["bob@example.net"]).envelope().clone(),
            Rope::from(b"A: b\r\n\r\n".to_vec()),
        );
        assert_eq!(
            missing(&raw, &SendOptions::new(), Capabilities::none()),
            [Feature::EnvelopeSender, Feature::EnvelopeRecipients, Feature::RawMime]
        );
        let plan = plan(
            &raw,
            &SendOptions::new(),
            &TransportInfo::new("test", Capabilities::wire()),
        )
        .unwrap();
        assert_eq!(plan.content(), Content::Raw);
    }

    #[test]
    fn content_without_a_field_goes_as_bytes_if_the_caller_says_so() {
        let message = posthaste_mime::Message::builder()
            .from("ada@example.org".parse().unwrap())
            .from("eve@example.org".parse().unwrap())
            .sender("ada@example.org".parse().unwrap())
            .to("bob@example.net".parse().unwrap())
            .text("text")
            .build()
            .unwrap();
        let mail = Outbound::new(message).unwrap();
        let capabilities = Capabilities::none().with(Feature::RawMime);
        assert_eq!(
            missing(&mail, &SendOptions::new(), capabilities),
            [Feature::MultipleFrom]
        );
        let raw = SendOptions::new().with_on_unsupported(OnUnsupported::RawMime);
        let plan = plan(&mail, &raw, &TransportInfo::new("test", capabilities)).unwrap();
        assert_eq!(plan.content(), Content::Raw);
        assert_eq!(missing(&mail, &raw, Capabilities::none()), [Feature::MultipleFrom]);
        let tagged = raw.with_tag("a").unwrap();
        assert_eq!(missing(&mail, &tagged, capabilities), [Feature::Tags]);
    }
}
