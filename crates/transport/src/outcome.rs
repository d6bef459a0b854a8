//! What became of a message, recipient by recipient.

use std::borrow::Cow;
use std::fmt;

use posthaste_address::EmailAddress;

use crate::{ErrorKind, Outbound, RateInfo, Reply, Security, SendError, TlsInfo};

/// Says what became of one send, recipient by recipient.
///
/// There is one [`RecipientOutcome`] for each recipient of the envelope, in the envelope's order. One refused recipient
/// of five is neither a success nor a failure of the whole: ask [`is_complete`](Self::is_complete), or go through
/// [`refused`](Self::refused).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "recipients may have been refused"]
pub struct Outcome {
    recipients: Vec<RecipientOutcome>,
    provider_id: Option<String>,
    message_id: Option<String>,
    request_id: Option<String>,
    rate: Option<RateInfo>,
    attempts: u32,
    reply: Option<Reply>,
    security: Option<Security>,
}

impl Outcome {
    /// Takes the fate of each recipient, in the envelope's order.
    pub fn new(recipients: impl IntoIterator<Item = RecipientOutcome>) -> Self {
        Self {
            recipients: recipients.into_iter().collect(),
            provider_id: None,
            message_id: None,
            request_id: None,
            rate: None,
            attempts: 1,
            reply: None,
            security: None,
        }
    }

    /// Says that every recipient of `mail` was accepted, and notes its Message-ID.
    pub fn accept_all(mail: &Outbound) -> Self {
        Self::decide(mail, |_| Fate::Accepted)
    }

    /// The same of other recipients.
    pub(crate) fn with_recipients(&self, recipients: impl IntoIterator<Item = RecipientOutcome>) -> Self {
        Self {
            recipients: recipients.into_iter().collect(),
            ..self.clone()
        }
    }

    /// Asks `fate` for the fate of each recipient of `mail`, and notes its Message-ID.
    pub fn decide(mail: &Outbound, mut fate: impl FnMut(&EmailAddress) -> Fate) -> Self {
        let recipients = mail.envelope().recipients().iter().map(|recipient| {
            let address = recipient.address();
            RecipientOutcome::new(address.clone(), fate(address))
        });
        let outcome = Self::new(recipients);
        match mail.message_id() {
            Some(id) => outcome.with_message_id(id),
            None => outcome,
        }
    }

    /// Sets the provider's id for the message, or an SMTP server's queue id.
    pub fn with_provider_id(mut self, id: impl Into<String>) -> Self {
        self.provider_id = Some(id.into());
        self
    }

    /// Sets our Message-ID, without its angle brackets.
    pub fn with_message_id(mut self, id: impl Into<String>) -> Self {
        self.message_id = Some(id.into());
        self
    }

    /// Sets the id of the request, by which a provider's support finds it in its logs.
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Sets what the answer said of the peer's limit on calls.
    pub const fn with_rate(mut self, rate: RateInfo) -> Self {
        self.rate = Some(rate);
        self
    }

    /// Sets how often the message was tried.
    pub const fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets the reply that decided.
    pub fn with_reply(mut self, reply: Reply) -> Self {
        self.reply = Some(reply);
        self
    }

    /// Sets how the connection was protected; for a message that went over several,
    /// the [weakest](Security::weaker).
    pub fn with_security(mut self, security: Security) -> Self {
        self.security = Some(security);
        self
    }

    /// Returns the fate of each recipient, in the envelope's order.
    #[must_use]
    pub fn recipients(&self) -> &[RecipientOutcome] {
        &self.recipients
    }

    /// Returns the provider's id for the message, if it gave one.
    #[must_use]
    pub fn provider_id(&self) -> Option<&str> {
        self.provider_id.as_deref()
    }

    /// Returns our Message-ID without its angle brackets, if the message has one.
    #[must_use]
    pub fn message_id(&self) -> Option<&str> {
        self.message_id.as_deref()
    }

    /// Returns the id of the request, by which a provider's support finds it in its logs.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Returns what the answer said of the peer's limit on calls, if it said anything.
    #[must_use]
    pub const fn rate(&self) -> Option<&RateInfo> {
        self.rate.as_ref()
    }

    /// Returns how often the message was tried: 1 unless a retry happened.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns the reply that decided, if the peer speaks in replies.
    #[must_use]
    pub const fn reply(&self) -> Option<&Reply> {
        self.reply.as_ref()
    }

    /// Returns how the connection was protected over which this was learnt; `None` if the transport does not say.
    #[must_use]
    pub const fn security(&self) -> Option<&Security> {
        self.security.as_ref()
    }

    /// Returns what was negotiated for the connection if it was TLS; [`Self::security`] tells clear text from a transport
    /// that does not say.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.security.as_ref().and_then(Security::tls)
    }

    /// Says whether every recipient was accepted.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.recipients.iter().all(|recipient| recipient.fate.is_accepted())
    }

    /// Goes through the accepted recipients.
    pub fn accepted(&self) -> impl Iterator<Item = &EmailAddress> {
        self.recipients
            .iter()
            .filter(|recipient| recipient.fate.is_accepted())
            .map(RecipientOutcome::address)
    }

    /// Goes through the refused recipients, and why each was.
    pub fn refused(&self) -> impl Iterator<Item = (&EmailAddress, &Refusal)> {
        self.recipients.iter().filter_map(|recipient| match &recipient.fate {
            Fate::Refused(refusal) => Some((&recipient.address, refusal)),
            _ => None,
        })
    }

    /// Goes through the recipients of which nobody can say whether they were accepted.
    pub fn unknown(&self) -> impl Iterator<Item = &EmailAddress> {
        self.recipients
            .iter()
            .filter(|recipient| recipient.fate == Fate::Unknown)
            .map(RecipientOutcome::address)
    }

    /// Turns what a transport learnt into what it returns: the one place where that is decided.
    ///
    /// | recipients | result |
    /// | --- | --- |
    /// | at least one accepted, none unknown | `Ok` |
    /// | all refused | [`NotAccepted`], and [`Rejected`], or [`Throttled`] or [`Unavailable`] if any refusal is transient |
    /// | all unknown | [`Ambiguous`] |
    /// | some unknown | [`Partial`] |
    ///
    /// `transport` is the name that the error carries.
    ///
    /// [`NotAccepted`]: crate::Disposition::NotAccepted
    /// [`Ambiguous`]: crate::Disposition::Ambiguous
    /// [`Partial`]: crate::Disposition::Partial
    /// [`Rejected`]: ErrorKind::Rejected
    /// [`Throttled`]: ErrorKind::Throttled
    /// [`Unavailable`]: ErrorKind::Unavailable
    ///
    /// # Errors
    ///
    /// [`SendError`] as the table says, with this outcome attached.
    pub fn settle(self, transport: impl Into<Cow<'static, str>>) -> Result<Self, SendError> {
        let undecided = self.unknown().next().is_some();
        if !undecided && self.accepted().next().is_some() {
            return Ok(self);
        }
        let (kind, reply) = if undecided {
            (ErrorKind::Unknown, self.reply.clone())
        } else {
            let deciding = self
                .refused()
                .map(|(_, refusal)| refusal)
                .min_by_key(|refusal| refusal.is_permanent());
            let reply = deciding
                .and_then(|refusal| refusal.reply().cloned())
                .or_else(|| self.reply.clone());
            (deciding.map_or(ErrorKind::Rejected, Refusal::kind), reply)
        };
        let error = SendError::from_outcome(kind, self).with_transport(transport);
        Err(match reply {
            Some(reply) => error.with_reply(reply),
            None => error,
        })
    }
}

/// Says what became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientOutcome {
    address: EmailAddress,
    fate: Fate,
    provider_id: Option<String>,
}

impl RecipientOutcome {
    /// Pairs a recipient with its fate.
    #[must_use]
    pub const fn new(address: EmailAddress, fate: Fate) -> Self {
        Self {
            address,
            fate,
            provider_id: None,
        }
    }

    /// Sets the id that the provider gave to this recipient's copy, where each has its own.
    #[must_use]
    pub fn with_provider_id(mut self, id: impl Into<String>) -> Self {
        self.provider_id = Some(id.into());
        self
    }

    /// Says that `address` was accepted.
    #[must_use]
    pub const fn accepted(address: EmailAddress) -> Self {
        Self::new(address, Fate::Accepted)
    }

    /// Says that `address` was refused.
    #[must_use]
    pub const fn refused(address: EmailAddress, refusal: Refusal) -> Self {
        Self::new(address, Fate::Refused(refusal))
    }

    /// Says that nobody knows whether `address` was accepted.
    #[must_use]
    pub const fn unknown(address: EmailAddress) -> Self {
        Self::new(address, Fate::Unknown)
    }

    /// Returns the recipient.
    #[must_use]
    pub const fn address(&self) -> &EmailAddress {
        &self.address
    }

    /// Returns its fate.
    #[must_use]
    pub const fn fate(&self) -> &Fate {
        &self.fate
    }

    /// Returns the id that the provider gave to this recipient's copy; `None` where all share
    /// [`Outcome::provider_id`].
    #[must_use]
    pub fn provider_id(&self) -> Option<&str> {
        self.provider_id.as_deref()
    }
}

/// What a system decided about one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// The system took responsibility.
    Accepted,
    /// The system said no, so nothing goes to this recipient.
    Refused(Refusal),
    /// The answer was lost: the recipient may or may not get the message.
    Unknown,
}

impl Fate {
    /// Says whether the system took responsibility.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted)
    }

    /// Returns the refusal, if it was one.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("accepted"),
            Self::Refused(refusal) => write!(f, "refused {refusal}"),
            Self::Unknown => f.write_str("unknown: the answer was lost"),
        }
    }
}

/// Says why a recipient was refused, and whether for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    permanent: bool,
    throttled: bool,
    reply: Option<Reply>,
    code: Option<String>,
}

impl Refusal {
    /// Refuses for good: the same will not work later.
    #[must_use]
    pub const fn permanent() -> Self {
        Self {
            permanent: true,
            throttled: false,
            reply: None,
            code: None,
        }
    }

    /// Refuses for now: the same may work later.
    #[must_use]
    pub const fn transient() -> Self {
        Self {
            permanent: false,
            throttled: false,
            reply: None,
            code: None,
        }
    }

    /// Takes the permanence from an SMTP reply: 4xx is transient, all else permanent (RFC 5321 §4.2.1).
    #[must_use]
    pub fn from_reply(reply: Reply) -> Self {
        let base = if reply.is_transient() {
            Self::transient()
        } else {
            Self::permanent()
        };
        Self {
            throttled: ErrorKind::from_reply(&reply) == ErrorKind::Throttled,
            ..base
        }
        .with_reply(reply)
    }

    /// Sets the reply that said so.
    #[must_use]
    pub fn with_reply(mut self, reply: Reply) -> Self {
        self.reply = Some(reply);
        self
    }

    /// Sets the provider's own code for the reason, such as `MessageRejected`.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Says whether the same will not work later.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        self.permanent
    }

    /// Says whether the same may work later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        !self.permanent
    }

    /// Returns the reply that said so, if the peer speaks in replies.
    #[must_use]
    pub const fn reply(&self) -> Option<&Reply> {
        self.reply.as_ref()
    }

    /// Returns the provider's own code for the reason.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    fn kind(&self) -> ErrorKind {
        match (self.permanent, self.throttled) {
            (true, _) => ErrorKind::Rejected,
            (false, true) => ErrorKind::Throttled,
            (false, false) => ErrorKind::Unavailable,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.permanent { "for good" } else { "for now" })?;
        if let Some(code) = &self.code {
            f.write_str(": ")?;
            code.chars()
                .try_for_each(|character| crate::reply::show(f, character))?;
        }
        match &self.reply {
            Some(reply) => write!(f, ": {reply}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Disposition, Retry};

    fn outcome(fates: impl IntoIterator<Item = Fate>) -> Outcome {
        let recipients = fates
            .into_iter()
            .enumerate()
            .map(|(index, fate)| RecipientOutcome::new(format!("r{index}@example.net").parse().unwrap(), fate));
        Outcome::new(recipients)
    }

    fn refused(permanent: bool) -> Fate {
        Fate::Refused(if permanent {
            Refusal::permanent()
        } else {
            Refusal::transient()
        })
    }

    fn check(fates: &[Fate; 2], kind: ErrorKind, disposition: Disposition, retry: Retry) {
        let error = outcome(fates.clone()).settle("test").unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition(), error.retry()),
            (kind, disposition, retry),
            "{fates:?}"
        );
        assert_eq!(error.outcome().map(|outcome| outcome.recipients().len()), Some(2));
        assert_eq!(error.transport(), "test");
    }

    #[test]
    fn one_accepted_is_ok_if_all_is_known() {
        let settled = outcome([refused(true), Fate::Accepted]).settle("test").unwrap();
        assert!(!settled.is_complete());
        assert_eq!((settled.accepted().count(), settled.refused().count()), (1, 1));
    }

    #[test]
    fn the_table_of_settle() {
        check(
            &[refused(true), refused(true)],
            ErrorKind::Rejected,
            Disposition::NotAccepted,
            Retry::Never,
        );
        check(
            &[refused(true), refused(false)],
            ErrorKind::Unavailable,
            Disposition::NotAccepted,
            Retry::Safe,
        );
        check(
            &[Fate::Unknown, Fate::Unknown],
            ErrorKind::Unknown,
            Disposition::Ambiguous,
            Retry::MayDuplicate,
        );
        check(
            &[Fate::Unknown, refused(true)],
            ErrorKind::Unknown,
            Disposition::Partial,
            Retry::MayDuplicate,
        );
        check(
            &[Fate::Unknown, Fate::Accepted],
            ErrorKind::Unknown,
            Disposition::Partial,
            Retry::MayDuplicate,
        );
    }

    #[test]
    fn the_reply_that_decided_is_in_the_error() {
        let later = Refusal::from_reply(Reply::new(451, ["4.7.1 greylisted"]));
        let never = Refusal::from_reply(Reply::new(550, ["5.1.1 no such user"]));
        let error = outcome([Fate::Refused(never), Fate::Refused(later)])
            .settle("smtp")
            .unwrap_err();
        assert_eq!(error.to_string(), "smtp: throttled: 451 4.7.1 greylisted");
    }

    #[test]
    fn fates_can_be_read() {
        let refusal = Refusal::from_reply(Reply::new(550, ["5.1.1 no such user"]));
        assert_eq!(
            Fate::Refused(refusal).to_string(),
            "refused for good: 550 5.1.1 no such user"
        );
        let coded = Refusal::transient().with_code("Busy\r\n");
        assert_eq!(Fate::Refused(coded).to_string(), "refused for now: Busy\\u{d}\\u{a}");
        assert_eq!(Fate::Accepted.to_string(), "accepted");
    }
}
