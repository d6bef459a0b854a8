//! What a transport can do, as data.

use std::fmt;
use std::time::Duration;

/// One thing that a message or its options may need, and that a transport has or has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// Takes the finished bytes of a message as they are.
    RawMime,
    /// Takes an envelope sender other than the one in the headers.
    EnvelopeSender,
    /// Takes recipients other than those in the headers.
    EnvelopeRecipients,
    /// Takes the null reverse-path `<>` (RFC 5321 §4.5.5).
    NullSender,
    /// Decides recipient by recipient, and says so.
    RecipientOutcomes,
    /// Carries bytes above 127 (RFC 6152).
    EightBit,
    /// Carries non-ASCII local parts and headers (RFC 6531).
    SmtpUtf8,
    /// Asks for delivery status notifications (RFC 3461).
    Dsn,
    /// Demands TLS on the whole way (RFC 8689).
    RequireTls,
    /// Takes a message from several authors.
    MultipleFrom,
    /// Takes header fields that it has no field of its own for.
    CustomHeaders,
    /// Takes attachments.
    Attachments,
    /// Takes images that the HTML shows by their Content-ID.
    InlineParts,
    /// Takes an AMP body beside text and HTML.
    Amp,
    /// Takes parts that have a place of their own in a message: a calendar invitation, a delivery report.
    SpecialParts,
    /// Takes several addresses to reply to; see [`Capabilities::max_reply_to`].
    ReplyTo,
    /// Fills in a template that is stored at the provider.
    StoredTemplate,
    /// Fills in data of each recipient's own.
    PersonalData,
    /// Gives metadata of each recipient's own back with events.
    PersonalMetadata,
    /// Takes header fields of each recipient's own.
    PersonalHeaders,
    /// Groups figures by tag.
    Tags,
    /// Gives metadata back with events.
    Metadata,
    /// Holds a message until a time.
    Schedule,
    /// Tracks opens.
    TrackOpens,
    /// Tracks clicks.
    TrackClicks,
    /// Has message streams.
    Stream,
    /// Has configuration sets.
    ConfigurationSet,
    /// Recognises a repeat by an idempotency key.
    IdempotencyKey,
    /// Takes as many recipients as there are; see [`Capabilities::max_recipients`].
    Recipients,
    /// Takes a message as large as it is; see [`Capabilities::max_message_size`].
    MessageSize,
}

impl Feature {
    /// Every feature, in the order of this page; tables of transports are made from it.
    pub const ALL: &'static [Self] = &[
        Self::RawMime,
        Self::EnvelopeSender,
        Self::EnvelopeRecipients,
        Self::NullSender,
        Self::RecipientOutcomes,
        Self::EightBit,
        Self::SmtpUtf8,
        Self::Dsn,
        Self::RequireTls,
        Self::MultipleFrom,
        Self::CustomHeaders,
        Self::Attachments,
        Self::InlineParts,
        Self::Amp,
        Self::SpecialParts,
        Self::ReplyTo,
        Self::StoredTemplate,
        Self::PersonalData,
        Self::PersonalMetadata,
        Self::PersonalHeaders,
        Self::Tags,
        Self::Metadata,
        Self::Schedule,
        Self::TrackOpens,
        Self::TrackClicks,
        Self::Stream,
        Self::ConfigurationSet,
        Self::IdempotencyKey,
        Self::Recipients,
        Self::MessageSize,
    ];

    /// Says whether [`Degrade`](crate::OnUnsupported::Degrade) may leave it out.
    ///
    /// Wishes that only the sender notices may go: tags, metadata, tracking, stream, configuration set, idempotency key,
    /// delivery notifications. What changes who gets the message, when, with what content or how safely may not.
    #[must_use]
    pub const fn is_droppable(self) -> bool {
        matches!(
            self,
            Self::Dsn
                | Self::Tags
                | Self::Metadata
                | Self::TrackOpens
                | Self::TrackClicks
                | Self::Stream
                | Self::ConfigurationSet
                | Self::IdempotencyKey
        )
    }

    /// Says whether handing over finished bytes instead of fields makes it work.
    pub(crate) const fn is_content(self) -> bool {
        matches!(
            self,
            Self::MultipleFrom
                | Self::CustomHeaders
                | Self::Attachments
                | Self::InlineParts
                | Self::Amp
                | Self::SpecialParts
                | Self::ReplyTo
        )
    }

    const fn bit(self) -> u64 {
        1 << (self as u64)
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RawMime => "raw MIME",
            Self::EnvelopeSender => "an envelope sender other than the headers'",
            Self::EnvelopeRecipients => "envelope recipients other than the headers'",
            Self::NullSender => "the null sender",
            Self::RecipientOutcomes => "an outcome per recipient",
            Self::EightBit => "8-bit bytes",
            Self::SmtpUtf8 => "non-ASCII addresses (SMTPUTF8)",
            Self::Dsn => "delivery status notifications",
            Self::RequireTls => "REQUIRETLS",
            Self::MultipleFrom => "several authors",
            Self::CustomHeaders => "custom headers",
            Self::Attachments => "attachments",
            Self::InlineParts => "inline parts",
            Self::Amp => "an AMP body",
            Self::SpecialParts => "calendar and report parts",
            Self::ReplyTo => "addresses to reply to",
            Self::StoredTemplate => "stored templates",
            Self::PersonalData => "data per recipient",
            Self::PersonalMetadata => "metadata per recipient",
            Self::PersonalHeaders => "headers per recipient",
            Self::Tags => "tags",
            Self::Metadata => "metadata",
            Self::Schedule => "scheduling",
            Self::TrackOpens => "open tracking",
            Self::TrackClicks => "click tracking",
            Self::Stream => "streams",
            Self::ConfigurationSet => "configuration sets",
            Self::IdempotencyKey => "idempotency keys",
            Self::Recipients => "recipients",
            Self::MessageSize => "message size",
        })
    }
}

/// Which characters a provider allows in tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TagCharset {
    /// Any text.
    #[default]
    Any,
    /// Printable ASCII.
    Ascii,
    /// ASCII letters, digits, `_` and `-`.
    Word,
}

impl TagCharset {
    /// Says whether `text` holds only such characters.
    #[must_use]
    pub fn allows(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Ascii => text.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
            Self::Word => text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')),
        }
    }
}

/// Lists what a transport can do: features, and limits where there are any.
///
/// It is plain data, can be a constant, and is what provider tables are made from. It says what the transport can do in
/// general; a peer that turns out to do less is reported by the send.
///
/// # Examples
///
/// ```
/// use posthaste_transport::{Capabilities, Feature, TagCharset};
///
/// const SES: Capabilities = Capabilities::wire()
///     .with(Feature::Tags)
///     .with_tag_limits(50, 256, TagCharset::Word)
///     .with_max_recipients(50)
///     .with_max_message_size(40 << 20)
///     .without(Feature::NullSender);
/// assert!(SES.supports(Feature::Tags) && !SES.supports(Feature::NullSender));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Capabilities {
    features: u64,
    max_recipients: Option<u32>,
    max_message_size: Option<u64>,
    max_batch: Option<u32>,
    max_tags: Option<u32>,
    max_tag_length: Option<u32>,
    tag_charset: TagCharset,
    max_reply_to: Option<u32>,
    max_metadata: Option<u32>,
    max_metadata_key: Option<u32>,
    max_metadata_value: Option<u32>,
    max_schedule: Option<Duration>,
    tracks_unasked: bool,
}

impl Capabilities {
    /// Can do nothing but send text and HTML from one author to the people in the headers, without limits.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            features: Feature::Recipients.bit() | Feature::MessageSize.bit() | Feature::ReplyTo.bit(),
            max_recipients: None,
            max_message_size: None,
            max_batch: None,
            max_tags: None,
            max_tag_length: None,
            tag_charset: TagCharset::Any,
            max_reply_to: None,
            max_metadata: None,
            max_metadata_key: None,
            max_metadata_value: None,
            max_schedule: None,
            tracks_unasked: false,
        }
    }

    /// Passes an envelope and the bytes of a message on as they are, with 8-bit content, but without SMTP extensions.
    #[must_use]
    pub const fn wire() -> Self {
        Self::none()
            .with(Feature::RawMime)
            .with(Feature::EnvelopeSender)
            .with(Feature::EnvelopeRecipients)
            .with(Feature::NullSender)
            .with(Feature::EightBit)
            .with(Feature::MultipleFrom)
            .with(Feature::CustomHeaders)
            .with(Feature::Attachments)
            .with(Feature::InlineParts)
            .with(Feature::Amp)
            .with(Feature::SpecialParts)
    }

    /// Can do everything, without limits.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            features: (1 << Feature::ALL.len()) - 1,
            ..Self::none()
        }
    }

    /// Adds a feature.
    #[must_use]
    pub const fn with(mut self, feature: Feature) -> Self {
        self.features |= feature.bit();
        self
    }

    /// Takes a feature away.
    #[must_use]
    pub const fn without(mut self, feature: Feature) -> Self {
        self.features &= !feature.bit();
        self
    }

    /// Sets how many recipients one message may have.
    #[must_use]
    pub const fn with_max_recipients(mut self, recipients: u32) -> Self {
        self.max_recipients = Some(recipients);
        self
    }

    /// Sets how many bytes one message may have.
    #[must_use]
    pub const fn with_max_message_size(mut self, bytes: u64) -> Self {
        self.max_message_size = Some(bytes);
        self
    }

    /// Sets how many messages one call may carry.
    #[must_use]
    pub const fn with_max_batch(mut self, messages: u32) -> Self {
        self.max_batch = Some(messages);
        self
    }

    /// Sets how many tags a message may have, how many bytes each, and of which characters.
    #[must_use]
    pub const fn with_tag_limits(mut self, count: u32, length: u32, charset: TagCharset) -> Self {
        self.max_tags = Some(count);
        self.max_tag_length = Some(length);
        self.tag_charset = charset;
        self
    }

    /// Sets how many addresses to reply to a message may have.
    #[must_use]
    pub const fn with_max_reply_to(mut self, addresses: u32) -> Self {
        self.max_reply_to = Some(addresses);
        self
    }

    /// Sets how many pairs of metadata a message may have, and how many bytes a key and a value.
    #[must_use]
    pub const fn with_metadata_limits(mut self, count: u32, key: u32, value: u32) -> Self {
        self.max_metadata = Some(count);
        self.max_metadata_key = Some(key);
        self.max_metadata_value = Some(value);
        self
    }

    /// Sets how far ahead a message may be scheduled.
    #[must_use]
    pub const fn with_max_schedule(mut self, ahead: Duration) -> Self {
        self.max_schedule = Some(ahead);
        self
    }

    /// Says that opens and clicks may be tracked whatever a send says, by a setting of the account. A send that wants none then needs
    /// [`Feature::TrackOpens`] and [`Feature::TrackClicks`], as one that wants some does.
    #[must_use]
    pub const fn with_unasked_tracking(mut self) -> Self {
        self.tracks_unasked = true;
        self
    }

    /// Takes the wider of each limit: for a row of transports of which any may be asked.
    #[must_use]
    pub(crate) fn with_limits_of_either(mut self, other: &Self) -> Self {
        fn wider<N: Ord>(own: Option<N>, other: Option<N>) -> Option<N> {
            own.zip(other).map(|(own, other)| own.max(other))
        }
        self.max_recipients = wider(self.max_recipients, other.max_recipients);
        self.max_message_size = wider(self.max_message_size, other.max_message_size);
        self.max_batch = self.max_batch.max(other.max_batch);
        self.max_tags = wider(self.max_tags, other.max_tags);
        self.max_tag_length = wider(self.max_tag_length, other.max_tag_length);
        self.tag_charset = match (self.tag_charset, other.tag_charset) {
            (TagCharset::Any, _) | (_, TagCharset::Any) => TagCharset::Any,
            (TagCharset::Ascii, _) | (_, TagCharset::Ascii) => TagCharset::Ascii,
            (TagCharset::Word, TagCharset::Word) => TagCharset::Word,
        };
        self.max_reply_to = wider(self.max_reply_to, other.max_reply_to);
        self.max_metadata = wider(self.max_metadata, other.max_metadata);
        self.max_metadata_key = wider(self.max_metadata_key, other.max_metadata_key);
        self.max_metadata_value = wider(self.max_metadata_value, other.max_metadata_value);
        self.max_schedule = wider(self.max_schedule, other.max_schedule);
        self.tracks_unasked &= other.tracks_unasked;
        self
    }

    /// Says whether it has a feature.
    #[must_use]
    pub const fn supports(&self, feature: Feature) -> bool {
        self.features & feature.bit() != 0
    }

    /// Goes through the features that it has.
    pub fn features(&self) -> impl Iterator<Item = Feature> {
        Feature::ALL.iter().copied().filter(|feature| self.supports(*feature))
    }

    /// Returns how many recipients one message may have, if there is a limit.
    #[must_use]
    pub const fn max_recipients(&self) -> Option<u32> {
        self.max_recipients
    }

    /// Returns how many bytes one message may have, if there is a limit.
    #[must_use]
    pub const fn max_message_size(&self) -> Option<u64> {
        self.max_message_size
    }

    /// Returns how many messages one call may carry, if it may carry several.
    #[must_use]
    pub const fn max_batch(&self) -> Option<u32> {
        self.max_batch
    }

    /// Returns how many tags a message may have, if there is a limit.
    #[must_use]
    pub const fn max_tags(&self) -> Option<u32> {
        self.max_tags
    }

    /// Returns how many bytes a tag may have, if there is a limit.
    #[must_use]
    pub const fn max_tag_length(&self) -> Option<u32> {
        self.max_tag_length
    }

    /// Returns which characters a tag may have.
    #[must_use]
    pub const fn tag_charset(&self) -> TagCharset {
        self.tag_charset
    }

    /// Returns how many addresses to reply to a message may have, if there is a limit.
    #[must_use]
    pub const fn max_reply_to(&self) -> Option<u32> {
        self.max_reply_to
    }

    /// Returns how many pairs of metadata a message may have, if there is a limit.
    #[must_use]
    pub const fn max_metadata(&self) -> Option<u32> {
        self.max_metadata
    }

    /// Returns how many bytes the key of a pair of metadata may have, if there is a limit.
    #[must_use]
    pub const fn max_metadata_key(&self) -> Option<u32> {
        self.max_metadata_key
    }

    /// Returns how many bytes the value of a pair of metadata may have, if there is a limit.
    #[must_use]
    pub const fn max_metadata_value(&self) -> Option<u32> {
        self.max_metadata_value
    }

    /// Returns how far ahead a message may be scheduled, if there is a limit.
    #[must_use]
    pub const fn max_schedule(&self) -> Option<Duration> {
        self.max_schedule
    }

    /// Says whether opens and clicks may be tracked whatever a send says.
    #[must_use]
    pub const fn tracks_unasked(&self) -> bool {
        self.tracks_unasked
    }
}

impl Default for Capabilities {
    fn default() -> Self {
        Self::none()
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capabilities")
            .field("features", &self.features().collect::<Vec<_>>())
            .field("max_recipients", &self.max_recipients)
            .field("max_message_size", &self.max_message_size)
            .field("max_batch", &self.max_batch)
            .field("max_tags", &self.max_tags)
            .field("max_tag_length", &self.max_tag_length)
            .field("tag_charset", &self.tag_charset)
            .field("max_reply_to", &self.max_reply_to)
            .field("max_metadata", &self.max_metadata)
            .field("max_metadata_key", &self.max_metadata_key)
            .field("max_metadata_value", &self.max_metadata_value)
            .field("max_schedule", &self.max_schedule)
            .field("tracks_unasked", &self.tracks_unasked)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_has_its_own_bit_and_is_in_the_list() {
        for (index, feature) in Feature::ALL.iter().enumerate() {
            assert_eq!(feature.bit(), 1 << index, "{feature}");
            assert!(Capabilities::all().supports(*feature));
        }
        assert_eq!(Capabilities::all().features().count(), Feature::ALL.len());
    }

    #[test]
    fn what_is_taken_away_is_gone() {
        let capabilities = Capabilities::all().without(Feature::Tags);
        assert!(!capabilities.supports(Feature::Tags));
        assert!(capabilities.with(Feature::Tags).supports(Feature::Tags));
    }

    #[test]
    fn nothing_that_changes_who_gets_what_is_droppable() {
        for feature in [
            Feature::Schedule,
            Feature::RequireTls,
            Feature::NullSender,
            Feature::EnvelopeRecipients,
            Feature::Attachments,
            Feature::Recipients,
        ] {
            assert!(!feature.is_droppable(), "{feature}");
        }
    }

    #[test]
    fn charsets_say_what_they_allow() {
        assert!(TagCharset::Any.allows("gr\u{fc}\u{df}e"));
        assert!(TagCharset::Ascii.allows("two words") && !TagCharset::Ascii.allows("gr\u{fc}\u{df}e"));
        assert!(TagCharset::Word.allows("a_b-1") && !TagCharset::Word.allows("a b"));
    }
}
