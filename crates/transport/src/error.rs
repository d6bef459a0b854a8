//! Why a send failed, and the answer to the one question callers ask.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use posthaste_address::EnvelopeError;

use crate::plan::Unsupported;
use crate::{OptionError, Outcome, Reply};

/// Says why a send failed, and whether it may be repeated.
///
/// Ask [`retry`](Self::retry) before anything else. `Display` is one line without the source; walk
/// [`source`](Error::source) for the rest. Neither `Display` nor `Debug` holds message content or credentials, and what a
/// peer said is escaped.
///
/// # Examples
///
/// ```
/// use posthaste_transport::{Disposition, ErrorKind, Retry, SendError};
///
/// let lost = SendError::new(ErrorKind::Unavailable, Disposition::Ambiguous).with_transport("smtp");
/// assert_eq!(lost.retry(), Retry::MayDuplicate);
/// assert_eq!(lost.to_string(), "smtp: unavailable, and it is unknown whether the message was accepted");
/// ```
pub struct SendError(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    disposition: Disposition,
    transport: Cow<'static, str>,
    detail: Option<Cow<'static, str>>,
    retry_after: Option<Duration>,
    code: Option<String>,
    reply: Option<Reply>,
    outcome: Option<Outcome>,
    attempts: u32,
    unsupported: Vec<Unsupported>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SendError {
    /// Makes an error of a kind, and of what is known about acceptance.
    #[must_use]
    pub fn new(kind: ErrorKind, disposition: Disposition) -> Self {
        Self(Box::new(Inner {
            kind,
            disposition,
            transport: Cow::Borrowed(""),
            detail: None,
            retry_after: None,
            code: None,
            reply: None,
            outcome: None,
            attempts: 1,
            unsupported: Vec::new(),
            source: None,
        }))
    }

    /// Makes an error with the fate of each recipient attached, and takes the disposition from it.
    ///
    /// All refused is [`NotAccepted`](Disposition::NotAccepted), all unknown [`Ambiguous`](Disposition::Ambiguous), all
    /// else [`Partial`](Disposition::Partial).
    #[must_use]
    pub fn from_outcome(kind: ErrorKind, outcome: Outcome) -> Self {
        let total = outcome.recipients().len();
        let disposition = if outcome.refused().count() == total {
            Disposition::NotAccepted
        } else if outcome.unknown().count() == total {
            Disposition::Ambiguous
        } else {
            Disposition::Partial
        };
        let mut error = Self::new(kind, disposition);
        error.0.attempts = outcome.attempts();
        error.0.outcome = Some(outcome);
        error
    }

    /// Makes the error that a refusing reply to the whole message means: nothing was accepted, and the kind is
    /// [`ErrorKind::from_reply`].
    #[must_use]
    pub fn from_reply(reply: Reply) -> Self {
        Self::new(ErrorKind::from_reply(&reply), Disposition::NotAccepted).with_reply(reply)
    }

    /// Replaces the outcome, and takes the disposition from it.
    pub(crate) fn with_merged(mut self, outcome: Outcome) -> Self {
        let merged = Self::from_outcome(self.0.kind, outcome);
        self.0.disposition = merged.0.disposition;
        self.0.attempts = merged.0.attempts;
        self.0.outcome = merged.0.outcome;
        self
    }

    /// Makes the error that lists what a transport cannot do for a message, before any I/O.
    #[must_use]
    pub fn unsupported_features(unsupported: Vec<Unsupported>) -> Self {
        let mut error = Self::new(ErrorKind::Unsupported, Disposition::NotAccepted);
        error.0.unsupported = unsupported;
        error
    }

    /// Sets the name of the transport that failed.
    #[must_use]
    pub fn with_transport(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.transport = name.into();
        self
    }

    /// Sets what was being done, such as `connecting`. Never put content or credentials there.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Sets how long the peer asks to wait.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Sets the provider's own code, such as `TooManyRequestsException`.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Sets the reply that decided.
    #[must_use]
    pub fn with_reply(mut self, reply: Reply) -> Self {
        self.0.reply = Some(reply);
        self
    }

    /// Attaches the fate of each recipient and leaves the disposition alone; see also
    /// [`from_outcome`](Self::from_outcome).
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = Some(outcome);
        self
    }

    /// Sets how often the message was tried.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Sets the error behind this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Returns the category.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns what is known about acceptance.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        self.0.disposition
    }

    /// Says whether sending the same again is safe and may help.
    ///
    /// It is [`Safe`](Retry::Safe) only if nothing was accepted and the kind may pass; [`Never`](Retry::Never) if
    /// nothing was accepted and the same would fail the same way; and [`MayDuplicate`](Retry::MayDuplicate) whenever
    /// something may have been accepted.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self.0.disposition {
            Disposition::NotAccepted if self.0.kind.may_pass() => Retry::Safe,
            Disposition::NotAccepted => Retry::Never,
            Disposition::Ambiguous | Disposition::Partial => Retry::MayDuplicate,
        }
    }

    /// Returns how long the peer asks to wait, if it does.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the provider's own code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns the reply that decided, if the peer speaks in replies.
    #[must_use]
    pub fn reply(&self) -> Option<&Reply> {
        self.0.reply.as_ref()
    }

    /// Returns the fate of each recipient, when it is known.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        self.0.outcome.as_ref()
    }

    /// Returns how often the message was tried: 1 unless a retry happened.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns what the transport cannot do, when [`plan`](crate::plan()) found it.
    #[must_use]
    pub fn unsupported(&self) -> &[Unsupported] {
        &self.0.unsupported
    }

    /// Returns the name of the transport that failed; empty if it was none.
    #[must_use]
    pub fn transport(&self) -> &str {
        &self.0.transport
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.transport.is_empty() {
            write!(f, "{}: ", self.0.transport)?;
        }
        write!(f, "{}", self.0.kind)?;
        for (index, unsupported) in self.0.unsupported.iter().enumerate() {
            write!(f, "{}{unsupported}", if index == 0 { ": " } else { ", " })?;
        }
        if let Some(detail) = &self.0.detail {
            write!(f, " while {detail}")?;
        }
        match self.0.disposition {
            Disposition::NotAccepted => {}
            Disposition::Ambiguous => f.write_str(", and it is unknown whether the message was accepted")?,
            Disposition::Partial => {
                f.write_str(", and for some recipients it is unknown whether the message was accepted")?
            }
        }
        if let Some(code) = &self.0.code {
            f.write_str(": ")?;
            code.chars()
                .try_for_each(|character| crate::reply::show(f, character))?;
        }
        if let Some(reply) = &self.0.reply {
            write!(f, ": {reply}")?;
        }
        if self.0.attempts > 1 {
            write!(f, " (after {} attempts)", self.0.attempts)?;
        }
        Ok(())
    }
}

impl fmt::Debug for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError")
            .field("kind", &self.0.kind)
            .field("disposition", &self.0.disposition)
            .field("transport", &self.0.transport)
            .field("detail", &self.0.detail)
            .field("retry_after", &self.0.retry_after)
            .field("code", &self.0.code)
            .field("reply", &self.0.reply)
            .field("outcome", &self.0.outcome)
            .field("attempts", &self.0.attempts)
            .field("unsupported", &self.0.unsupported)
            .field("source", &self.0.source)
            .finish()
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl From<EnvelopeError> for SendError {
    fn from(error: EnvelopeError) -> Self {
        Self::new(ErrorKind::Invalid, Disposition::NotAccepted)
            .with_detail("reading the envelope")
            .with_source(error)
    }
}

impl From<OptionError> for SendError {
    fn from(error: OptionError) -> Self {
        Self::new(ErrorKind::Invalid, Disposition::NotAccepted)
            .with_detail("reading the options")
            .with_source(error)
    }
}

/// The categories that every transport maps its failures to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The peer said no for good: content, recipient or policy.
    Rejected,
    /// The peer says that we go too fast, or to come back later.
    Throttled,
    /// The peer does not believe who we are, or does not let us do this.
    Unauthorized,
    /// The peer cannot be reached, or has a fault that may pass.
    Unavailable,
    /// The message or the options need what the transport does not have.
    Unsupported,
    /// The message, the envelope or a setting is wrong on our side.
    Invalid,
    /// The message could not be read on our side: what it streams is gone, fails, or is not what it was.
    ///
    /// The same send would most likely fail the same way, so it is never [`Safe`](Retry::Safe) to a layer that repeats; who
    /// knows that the fault has passed may send again.
    Unreadable,
    /// The deadline came first.
    Timeout,
    /// None of the others is known to be true.
    Unknown,
}

impl ErrorKind {
    /// Returns the kind of a refusing SMTP reply.
    ///
    /// 530, 534, 535 and 538 are [`Unauthorized`](Self::Unauthorized) (RFC 4954 §6). 4xx is
    /// [`Throttled`](Self::Throttled) if its enhanced status is `4.7.x`, which is policy saying "later", else
    /// [`Unavailable`](Self::Unavailable). 5xx is [`Rejected`](Self::Rejected). A code that refuses nothing is
    /// [`Unknown`](Self::Unknown).
    #[must_use]
    pub fn from_reply(reply: &Reply) -> Self {
        match reply.code() {
            530 | 534 | 535 | 538 => Self::Unauthorized,
            400..=499 if reply.enhanced().is_some_and(|status| status.subject() == 7) => Self::Throttled,
            400..=499 => Self::Unavailable,
            500..=599 => Self::Rejected,
            _ => Self::Unknown,
        }
    }

    /// Says whether the same send may work later.
    const fn may_pass(self) -> bool {
        match self {
            Self::Throttled | Self::Unavailable | Self::Timeout | Self::Unknown => true,
            Self::Rejected | Self::Unauthorized | Self::Unsupported | Self::Invalid | Self::Unreadable => false,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rejected => "rejected",
            Self::Throttled => "throttled",
            Self::Unauthorized => "not authorized",
            Self::Unavailable => "unavailable",
            Self::Unsupported => "not supported by this transport",
            Self::Invalid => "invalid",
            Self::Unreadable => "the message could not be read",
            Self::Timeout => "timed out",
            Self::Unknown => "failed for an unknown reason",
        })
    }
}

/// What is known about acceptance after a failed send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Disposition {
    /// Certainly accepted for nobody.
    NotAccepted,
    /// Perhaps accepted: the answer was lost, as when a connection breaks after the final dot (RFC 1047).
    Ambiguous,
    /// Certain for some recipients, unknown for others; [`SendError::outcome`] says which.
    Partial,
}

/// Whether sending the same message again is safe and useful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retry {
    /// Nothing was accepted, and the same would fail the same way.
    Never,
    /// Nothing was accepted, and it may work later.
    Safe,
    /// Something may have been accepted: a repeat may arrive twice.
    MayDuplicate,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(kind: ErrorKind, disposition: Disposition) -> Retry {
        SendError::new(kind, disposition).retry()
    }

    #[test]
    fn only_what_was_not_accepted_and_may_pass_is_safe() {
        use ErrorKind::{
            Invalid, Rejected, Throttled, Timeout, Unauthorized, Unavailable, Unknown, Unreadable, Unsupported,
        };

        for kind in [Throttled, Unavailable, Timeout, Unknown] {
            assert_eq!(retry(kind, Disposition::NotAccepted), Retry::Safe, "{kind}");
        }
        for kind in [Rejected, Unauthorized, Unsupported, Invalid, Unreadable] {
            assert_eq!(retry(kind, Disposition::NotAccepted), Retry::Never, "{kind}");
        }
        for kind in [
            Rejected,
            Throttled,
            Unauthorized,
            Unavailable,
            Unsupported,
            Invalid,
            Unreadable,
            Timeout,
            Unknown,
        ] {
            assert_eq!(retry(kind, Disposition::Ambiguous), Retry::MayDuplicate, "{kind}");
            assert_eq!(retry(kind, Disposition::Partial), Retry::MayDuplicate, "{kind}");
        }
    }

    #[test]
    fn replies_have_kinds() {
        let kind = |code, text: &str| ErrorKind::from_reply(&Reply::new(code, [text]));
        assert_eq!(kind(550, "5.1.1 no"), ErrorKind::Rejected);
        assert_eq!(kind(535, "5.7.8 no"), ErrorKind::Unauthorized);
        assert_eq!(kind(451, "4.3.0 later"), ErrorKind::Unavailable);
        assert_eq!(kind(454, "4.7.0 too fast"), ErrorKind::Throttled);
        assert_eq!(kind(421, "going down"), ErrorKind::Unavailable);
        assert_eq!(kind(250, "ok"), ErrorKind::Unknown);
    }

    #[test]
    fn an_error_does_not_repeat_its_source() {
        let error = SendError::new(ErrorKind::Unavailable, Disposition::NotAccepted)
            .with_transport("smtp")
            .with_detail("connecting")
            .with_code("X\n1")
            .with_source(std::io::Error::other("refused by host"));
        assert_eq!(error.to_string(), "smtp: unavailable while connecting: X\\u{a}1");
        assert_eq!(
            error.source().map(ToString::to_string).as_deref(),
            Some("refused by host")
        );
    }

    #[test]
    fn what_is_wrong_with_our_side_is_invalid_and_keeps_its_source() {
        let error: SendError = crate::SendOptions::new().with_tag("").unwrap_err().into();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Invalid, Retry::Never));
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("tag is empty"));
    }

    #[test]
    fn it_fits_into_one_word() {
        assert_eq!(size_of::<SendError>(), size_of::<usize>());
    }
}
