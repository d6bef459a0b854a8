//! What breaks a policy.

use posthaste_address::EmailAddress;

use crate::{RawError, RawFieldError};

/// Names something that a policy can limit, with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PolicyLimit {
    /// The finished message, in octets.
    MessageSize,
    /// Recipients of one message: To, Cc and Bcc, each as often as it stands there.
    Recipients,
    /// Parts, the message itself and multiparts included.
    Parts,
    /// A line, in octets with its CRLF.
    Line,
    /// Header fields besides those that a message cannot do without or that say who gets it: From, To, Cc, Bcc, Reply-To,
    /// Subject, Date, Message-ID, Return-Path, MIME-Version and `Content-`.
    Headers,
    /// The name of such a field, in octets.
    HeaderName,
    /// The unfolded value of such a field, in octets.
    HeaderValue,
    /// Name and value of such a field together, in octets.
    HeaderField,
    /// The name of a file, in characters.
    AttachmentName,
    /// The description of a part, in characters.
    AttachmentDescription,
    /// A Content-ID without its brackets, in characters.
    ContentId,
    /// The media type of a part without parameters, in characters.
    ContentType,
    /// An address with its display name, in characters.
    Address,
}

impl std::fmt::Display for PolicyLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::MessageSize => "octets of the message",
            Self::Recipients => "recipients",
            Self::Parts => "parts",
            Self::Line => "octets of a line",
            Self::Headers => "header fields of one's own",
            Self::HeaderName => "octets of a header field's name",
            Self::HeaderValue => "octets of a header field's value",
            Self::HeaderField => "octets of a header field's name and value",
            Self::AttachmentName => "characters of a file name",
            Self::AttachmentDescription => "characters of a description",
            Self::ContentId => "characters of a Content-ID",
            Self::ContentType => "characters of a media type",
            Self::Address => "characters of an address with its name",
        })
    }
}

/// Lists everything by which a message breaks a [`Policy`](crate::Policy).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    violations: Vec<PolicyViolation>,
}

impl PolicyError {
    pub(super) fn of(violations: Vec<PolicyViolation>) -> Result<(), Self> {
        if violations.is_empty() {
            Ok(())
        } else {
            Err(Self { violations })
        }
    }

    pub(super) fn violations_of(outcome: Result<(), Self>) -> Vec<PolicyViolation> {
        outcome.map_or_else(|error| error.violations, |()| Vec::new())
    }

    /// Returns the violations in the order in which they were found; there is at least one.
    pub fn violations(&self) -> &[PolicyViolation] {
        &self.violations
    }
}

impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the message breaks the policy: ")?;
        for (index, violation) in self.violations.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{violation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyError {}

/// One thing by which a message breaks a policy. Names that come from the message are cut to 80 characters and have no
/// control characters; values of header fields are not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyViolation {
    /// There is more of something than allowed.
    #[error("{}{limit}: {found}, at most {most}", of.as_ref().map(|of| format!("{of}: ")).unwrap_or_default())]
    TooMuch {
        /// What is limited.
        limit: PolicyLimit,
        /// The field or file of which it is, where there may be several.
        of: Option<String>,
        /// How much there is.
        found: u64,
        /// How much is allowed.
        most: u64,
    },
    /// A header field stands more than once and may not.
    #[error("{name}: stands {count} times, may stand once")]
    RepeatedHeader {
        /// Its name, in lower case.
        name: String,
        /// How often it stands there.
        count: usize,
    },
    /// A header field has no name or no value.
    #[error("{name}: the {} is empty", place(*.in_name))]
    EmptyHeader {
        /// Its name.
        name: String,
        /// Whether the name is meant, not the value.
        in_name: bool,
    },
    /// A header field holds what is not printable ASCII.
    #[error("{name}: the {} holds at byte {offset} what is not printable ASCII or not allowed there", place(*.in_name))]
    HeaderCharacter {
        /// Its name.
        name: String,
        /// Whether it stands in the name, not in the value.
        in_name: bool,
        /// Where, in octets of the name or of the unfolded value.
        offset: usize,
    },
    /// A part has a file name with an extension that is refused.
    #[error("attachment {name}: files named .{extension} are refused")]
    BlockedAttachment {
        /// The file name, as the sender wrote it.
        name: String,
        /// Its extension, in lower case.
        extension: String,
    },
    /// The local part of an address is not ASCII.
    #[error("{field}: the address {address} is not ASCII in front of the @")]
    AddressNotAscii {
        /// Where it stands.
        field: &'static str,
        /// The address.
        address: EmailAddress,
    },
    /// A received message has no author.
    #[error("From: is missing")]
    MissingFrom,
    /// A field of a received message that names people cannot be read.
    #[error("{0}")]
    Field(RawFieldError),
    /// A received message, or one that is attached, cannot be looked into.
    #[error("{name}: cannot be looked into: {error}")]
    Unreadable {
        /// Which message.
        name: String,
        /// Why.
        error: RawError,
    },
}

impl PolicyViolation {
    /// Returns the name of the field or file that is wrong, or of what is limited.
    pub fn field(&self) -> &str {
        match self {
            Self::TooMuch { of: Some(name), .. }
            | Self::RepeatedHeader { name, .. }
            | Self::EmptyHeader { name, .. }
            | Self::HeaderCharacter { name, .. }
            | Self::BlockedAttachment { name, .. }
            | Self::Unreadable { name, .. } => name,
            Self::TooMuch { limit, .. } => match limit {
                PolicyLimit::Recipients => "recipients",
                PolicyLimit::Parts => "parts",
                PolicyLimit::Headers => "headers",
                _ => "message",
            },
            Self::AddressNotAscii { field, .. } => field,
            Self::MissingFrom => "From",
            Self::Field(error) => error.field(),
        }
    }
}

fn place(in_name: bool) -> &'static str {
    if in_name { "name" } else { "value" }
}

/// Makes a name from a message fit to be shown.
pub(super) fn shown(name: &str) -> String {
    name.chars()
        .take(80)
        .map(|c| if crate::text::is_control(c) { '\u{fffd}' } else { c })
        .collect()
}
