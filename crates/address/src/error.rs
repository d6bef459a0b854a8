//! What is wrong with an address, and where.

/// Why text is not an address, domain, mailbox or list, and at which byte.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct AddressError {
    kind: AddressErrorKind,
    offset: usize,
}

impl AddressError {
    pub(crate) fn new(kind: AddressErrorKind, offset: usize) -> Self {
        Self { kind, offset }
    }

    pub(crate) fn shifted(self, by: usize) -> Self {
        Self {
            offset: self.offset + by,
            ..self
        }
    }

    /// Moves the offset along with what stood at `from` and stands at `to` in a longer text.
    pub(crate) fn moved(self, from: usize, to: usize) -> Self {
        Self {
            offset: to + self.offset.saturating_sub(from),
            ..self
        }
    }

    /// Keeps the offset inside `text`: a canonical spelling may be longer than what it was made from.
    pub(crate) fn within(self, text: &str) -> Self {
        Self {
            offset: self.offset.min(text.len()),
            ..self
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> AddressErrorKind {
        self.kind
    }

    /// Where, as a byte offset into the text that was given.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }
}

/// The ways in which an address can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressErrorKind {
    /// There is nothing to parse.
    #[error("address is empty")]
    Empty,
    /// There is no `@`.
    #[error("`@` is missing")]
    MissingAt,
    /// The part before the `@` is empty.
    #[error("local part is empty")]
    EmptyLocalPart,
    /// The part before the `@` is longer than 64 octets (RFC 5321 §4.5.3.1.1).
    #[error("local part is longer than 64 octets")]
    LocalPartTooLong,
    /// The address is longer than 254 octets (RFC 5321 §4.5.3.1.3).
    #[error("address is longer than 254 octets")]
    TooLong,
    /// A dot stands first, last or beside another one.
    #[error("misplaced dot")]
    MisplacedDot,
    /// A character that may not stand here.
    #[error("character not allowed")]
    ForbiddenCharacter,
    /// A control character, a line break among them.
    #[error("control character")]
    ControlCharacter,
    /// A quoted string without its end.
    #[error("quoted string is not closed")]
    UnclosedQuote,
    /// A comment without its end.
    #[error("comment is not closed")]
    UnclosedComment,
    /// An angle bracket without its partner.
    #[error("angle bracket is not closed")]
    UnclosedAngle,
    /// The part after the `@` is empty.
    #[error("domain is empty")]
    EmptyDomain,
    /// A label of the domain is empty or longer than 63 octets.
    #[error("domain label is empty or longer than 63 octets")]
    LabelLength,
    /// The domain is longer than 253 octets.
    #[error("domain is longer than 253 octets")]
    DomainTooLong,
    /// The domain is not one that IDNA (UTS 46) allows.
    #[error("domain is not valid")]
    InvalidDomain,
    /// The domain has one label only, or a top-level label that is no word, where a public name is asked for.
    #[error("domain is not one of the public DNS")]
    NotPublic,
    /// An address literal such as `[192.0.2.1]` where none is allowed.
    #[error("address literal is not allowed here")]
    LiteralNotAllowed,
    /// An address literal that holds no address.
    #[error("address literal is not valid")]
    InvalidLiteral,
    /// Something follows where the text should end.
    #[error("unexpected text")]
    TrailingText,
    /// A group where a mailbox is expected, or one inside another.
    #[error("group is not allowed here")]
    GroupNotAllowed,
    /// A group without its semicolon.
    #[error("group is not closed")]
    UnclosedGroup,
}

/// Why an envelope cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// There is nobody to send to.
    #[error("an envelope needs at least one recipient")]
    NoRecipients,
    /// An envelope id holds what RFC 3461 §4.4 does not allow, or more than 100 characters of it.
    #[error("envelope id is not 1 to 100 printable ASCII characters")]
    EnvelopeId,
    /// An original recipient's type or address holds what RFC 3461 §4.2 does not allow.
    #[error("original recipient is not a type and an address of printable characters")]
    OriginalRecipient,
    /// Text is not the value of a `NOTIFY` parameter (RFC 3461 §4.1).
    #[error("not `NEVER`, nor different ones of `SUCCESS`, `FAILURE` and `DELAY`")]
    Notify,
    /// Text is not the value of a `RET` parameter (RFC 3461 §4.3).
    #[error("neither `FULL` nor `HDRS`")]
    ReturnContent,
}
